# Sourced by ./test: runs one step after the other, names and times each, stops at the first failure.
# shellcheck shell=bash

export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-auto}
# A step that is skipped writes why to this file; a test runner adds its numbers to the other.
CI_SKIPPED=$(mktemp) CI_COUNTS=$(mktemp)
export CI_SKIPPED CI_COUNTS
trap 'rm -f "$CI_SKIPPED" "$CI_COUNTS"' EXIT
skipped=()

# step NAME WHAT COMMAND...
step() {
  local name=$1 what=$2 began=$SECONDS status=0
  shift 2
  if [ "${list:-no}" = yes ]; then
    printf '%-10s %s\n' "$name" "$what"
    return
  fi
  printf '\n== %s: %s\n' "$name" "$what"
  : >"$CI_SKIPPED"
  "$@" </dev/null || status=$?
  if [ "$status" -ne 0 ]; then
    printf '\n== %s FAILED after %d s (exit %d). Nothing after it was run.\n   Alone: %s\n' \
      "$name" $((SECONDS - began)) "$status" "$*" >&2
    exit 1
  fi
  if [ -s "$CI_SKIPPED" ]; then
    skipped+=("$name: $(head -n 1 "$CI_SKIPPED")")
    printf '== %s skipped: %s\n' "$name" "$(head -n 1 "$CI_SKIPPED")"
  else
    printf '== %s ok (%d s)\n' "$name" $((SECONDS - began))
  fi
}

# optional PROGRAM: runs it if the tree has it.
optional() {
  if [ -x "$1" ]; then "$@"; else echo "$1 is not in this tree" >"$CI_SKIPPED"; fi
}

# What cannot be fetched skips the tests that need it, out loud; it breaks no others.
prepare() {
  if [ ! -x tests/prepare ]; then optional tests/prepare; return; fi
  tests/prepare || echo "not everything could be fetched; the tests that need it skip themselves" >"$CI_SKIPPED"
}

# Puts the pinned toolchain in force where rustup has it. With a newer one the lints of that newer
# clippy are shown, but only those that this workspace denies by name are errors.
use_toolchain() {
  local pinned
  pinned=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  command -v cargo >/dev/null || export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
  CLIPPY=(-D warnings)
  case "$(cargo --version 2>/dev/null)" in
    "cargo $pinned."*) ;;
    *)
      if rustup toolchain list 2>/dev/null | grep -q "^$pinned"; then
        RUSTUP_TOOLCHAIN=$(rustup toolchain list | sed -n "s/^\(${pinned}[^ ]*\).*/\1/p" | head -n 1)
        export RUSTUP_TOOLCHAIN
      else
        # shellcheck disable=SC2034 # read by ./test
        CLIPPY=()
      fi ;;
  esac
}

summary() {
  [ "${list:-no}" = yes ] && return
  local passed=0 failed=0 left=0 a b c
  while read -r a b c; do passed=$((passed + a)) failed=$((failed + b)) left=$((left + c)); done <"$CI_COUNTS"
  printf '\n== everything passed in %d min %02d s\n' $((SECONDS / 60)) $((SECONDS % 60))
  [ ${#skipped[@]} -eq 0 ] || printf '   skipped %s\n' "${skipped[@]}"
  printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$left"
}
