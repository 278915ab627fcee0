# Sourced by ./setup: what it does, one function each.
# shellcheck shell=bash
# Variables are shared with ./setup.
# shellcheck disable=SC2154,SC2034

say() { printf '%s\n' "$*"; }
stop() {
  printf 'setup: %s\n' "$1" >&2
  shift
  [ $# -eq 0 ] || printf '       %s\n' "$@" >&2
  exit 1
}

check_home() {
  case "${HOME:-}" in
    /*) ;;
    *) stop "HOME is not set to an absolute path" "Run it as yourself, from a login shell." ;;
  esac
  [ -d "$HOME" ] || stop "HOME ($HOME) is not a directory"
  [ -O "$HOME" ] || stop "HOME ($HOME) belongs to somebody else" \
    "claudectl is installed per user: run ./setup as that user, without sudo."
  [ -w "$HOME" ] || stop "HOME ($HOME) cannot be written to"
}

# choose_prefix DIR: an absolute path, and where everything below it goes.
choose_prefix() {
  prefix=${1:-$HOME/.local}
  case "$prefix" in /*) ;; *) prefix=$PWD/$prefix ;; esac
  prefix=${prefix%/}
  case "$prefix" in
    *[[:space:]\"\'\\%\&\|]*) stop "the prefix has a space or a sign that a systemd unit cannot hold: $prefix" ;;
  esac
  manifest=$prefix/share/claudectl/installed
  units=${XDG_DATA_HOME:-$HOME/.local/share}/systemd/user
  agents=$HOME/Library/LaunchAgents
}

# --- building -----------------------------------------------------------------------------------

# build_daemon: dynamic, with the system's malloc (a static musl one is markedly slower).
build_daemon() {
  cargo build --release --locked --package claudectld
  daemon=${CARGO_TARGET_DIR:-target}/release
}

# build_client: static where that can be had, because starting is most of what a short client does.
build_client() {
  local host triple flags=''
  host=$(rustc -vV | sed -n 's/^host: //p')
  triple=$host
  case "$host" in
    *-linux-gnu)
      if [ -d "$(rustc --print target-libdir --target "${host%-gnu}-musl" 2>/dev/null)" ]; then
        triple=${host%-gnu}-musl
      elif echo 'int main(void) { return 0; }' | "${CC:-cc}" -static -x c -o /dev/null - 2>/dev/null; then
        flags='-C target-feature=+crt-static'
      fi ;;
  esac
  RUSTFLAGS="${RUSTFLAGS:-} $flags" cargo build --release --locked --package claudectl-cli --target "$triple"
  client=${CARGO_TARGET_DIR:-target}/$triple/release
}

# --- installing ---------------------------------------------------------------------------------
# The manifest has one line for each file ("f PATH") and each directory that setup made ("d PATH").
# A line is written before what it names, so that an interrupted run can be repeated or undone.

open_manifest() {
  running=$(daemon_pid || true)
  listed=''
  earlier=''
  [ ! -f "$manifest" ] || earlier=$(cat "$manifest")
  # Before anything is written, so that a refusal leaves nothing half done.
  mine "$prefix/bin/claudectl"
  mine "$prefix/bin/claudectld"
  pending=''
  make_directory "$(dirname "$manifest")"
  printf '%s' "$pending" >>"$manifest"
}

record() {
  if [ -f "$manifest" ]; then printf '%s\n' "$1" >>"$manifest"; else pending+=$1$'\n'; fi
}

make_directory() {
  [ ! -d "$1" ] || return 0
  make_directory "$(dirname "$1")"
  record "d $1"
  mkdir "$1"
}

# mine FILE: stops if it is there and setup did not put it there.
mine() {
  if [ -e "$1" ] || [ -L "$1" ]; then
    grep -qxF "f $1" <<<"$earlier" || stop "$1 is there already, and not from setup" \
      "Move it away, or choose another --prefix. It was not replaced."
  fi
}

# put MODE FROM TO: replaces TO whole.
put() {
  local new
  mine "$3"
  make_directory "$(dirname "$3")"
  record "f $3"
  new=$(dirname "$3")/.claudectl-setup-$$
  cp "$2" "$new"
  chmod "$1" "$new"
  mv -f "$new" "$3"
  listed+="f $3"$'\n'
  say "  $3"
}

put_completions() {
  local work
  work=$(mktemp -d)
  for shell in bash zsh fish; do "$client/claudectl" completions "$shell" >"$work/$shell"; done
  put 644 "$work/bash" "$prefix/share/bash-completion/completions/claudectl"
  put 644 "$work/zsh" "$prefix/share/zsh/site-functions/_claudectl"
  put 644 "$work/fish" "$prefix/share/fish/vendor_completions.d/claudectl.fish"
  rm -r "$work"
}

put_manual() {
  local work page
  work=$(mktemp -d)
  "$client/claudectl" man "$work" >/dev/null
  for page in "$work"/*.1; do put 644 "$page" "$prefix/share/man/man1/$(basename "$page")" >/dev/null; done
  say "  $prefix/share/man/man1/claudectl*.1"
  rm -r "$work"
}

has_user_systemd() { systemctl --user show-environment >/dev/null 2>&1; }

put_units() {
  local work unit
  ! has_launchd || return 0
  if ! has_user_systemd; then
    say "  no systemd user manager here: claudectl starts the daemon when it is needed"
    return
  fi
  work=$(mktemp)
  for unit in claudectld.service claudectld.socket claudectl-footprints.service; do
    sed "s|@bindir@|$prefix/bin|g" "$here/systemd/$unit" >"$work"
    put 644 "$work" "$units/$unit"
  done
  rm "$work"
}

# Drops what an earlier version installed and this one does not.
close_manifest() {
  local line
  while read -r line; do
    case "$line" in "f "*) grep -qxF "$line" <<<"$listed" || rm -f "${line#f }" ;; esac
  done <<<"$earlier"
  { printf '%s' "$listed"; { grep '^d ' "$manifest" || true; } | sort -u; } >"$manifest.new"
  mv -f "$manifest.new" "$manifest"
}

start_units() {
  grep -q 'claudectld.socket$' "$manifest" && has_user_systemd || return 0
  systemctl --user daemon-reload
  if ! systemctl --user --quiet is-active claudectld.socket && [ -n "$running" ]; then
    # systemd would take the socket away from a daemon that a client has started.
    systemctl --user enable --quiet claudectld.socket
    return
  fi
  systemctl --user enable --now --quiet claudectld.socket
  say "  the daemon starts when its socket is first used (systemctl --user status claudectld.socket)"
}

advise() {
  case ":$PATH:" in
    *":$prefix/bin:"*) ;;
    *)
      say
      say "$prefix/bin is not on your PATH. Add this line to your shell's profile:"
      say "  export PATH=\"$prefix/bin:\$PATH\"" ;;
  esac
  if [ -n "$running" ]; then
    say
    say "A daemon of the installation before runs (pid $running) and keeps its logins. This version takes over once it"
    say "stops: kill $running (that logs you out)."
  fi
  say
  say "Installed. Next: claudectl login      (then: claudectl run -- claude, or claudectl shim install)"
}

demonstrate() {
  say
  say "A demonstration, without your accounts and without the network:"
  say
  "$prefix/bin/claudectl" demo || stop "the demonstration failed; the installation itself is complete" \
    "Run it again with: $prefix/bin/claudectl demo"
}

# --- removing -----------------------------------------------------------------------------------

# daemon_pid: the daemon's process, without starting one.
daemon_pid() {
  local pid='' name
  if systemctl --user --quiet is-active claudectld.socket 2>/dev/null; then
    # Asking through the socket would start it.
    pid=$(systemctl --user show --property=MainPID --value claudectld.service)
  elif agent_is_loaded; then
    pid=$(agent_pid)
  elif [ -x "$prefix/bin/claudectl" ]; then
    pid=$("$prefix/bin/claudectl" status --json 2>/dev/null | sed -n 's/.*"daemon":{[^{}]*"pid":\([0-9]*\).*/\1/p') || true
  fi
  [ "${pid:-0}" -gt 0 ] || return 1
  name=$(cat "/proc/$pid/comm" 2>/dev/null || ps -o comm= -p "$pid" 2>/dev/null) || return 1
  [ "$(basename "$name")" = claudectld ] || return 1
  echo "$pid"
}

stop_daemon() {
  local pid='' turns=100
  # Nobody is asked who would start one. Whom launchd started it ends by itself.
  ! agent_is_loaded || pid=$(daemon_pid) || true
  stop_agent
  if grep -q 'claudectld.socket$' "$manifest" && has_user_systemd; then
    systemctl --user disable --now --quiet claudectld.socket claudectld.service 2>/dev/null || true
  fi
  [ -n "$pid" ] || pid=$(daemon_pid) || return 0
  kill -TERM "$pid" 2>/dev/null || return 0
  while kill -0 "$pid" 2>/dev/null && [ "$turns" -gt 0 ]; do sleep 0.1; turns=$((turns - 1)); done
  kill -0 "$pid" 2>/dev/null && stop "the daemon (pid $pid) did not stop within 10 s" "Nothing was removed."
  say "Stopped the daemon (pid $pid); what it held is wiped."
}

# What daemons and clients leave in the runtime directory: no credential, but nothing else has a use for it.
remove_runtime() {
  local directory of_agent=''
  ! has_launchd || of_agent=$(agent_runtime) || true
  for directory in ${XDG_RUNTIME_DIR:+"$XDG_RUNTIME_DIR/claudectl"} "/run/user/$(id -u)/claudectl" "/tmp/claudectl-$(id -u)" "$of_agent"; do
    if [ ! -d "$directory" ] || [ -L "$directory" ] || [ ! -O "$directory" ]; then continue; fi
    rm -f "$directory"/{claudectld.sock,claudectld.log,claudectld.lock,start.lock,audit.json}
    rm -rf "$directory"/{settings,plugin}
    rmdir "$directory"/{s,intake} "$directory" 2>/dev/null || true
  done
}

# The record of what happened, and notes for the next daemon: no credential. The list of kept accounts stays as long as
# the OS keyring has them: without it nobody would know.
remove_state() {
  local directory=${XDG_STATE_HOME:-$HOME/.local/state}/claudectl
  if [ ! -d "$directory" ] || [ -L "$directory" ] || [ ! -O "$directory" ]; then return 0; fi
  rm -f "$directory"/{record.jsonl,record.1.jsonl,known_gateways,kept.new,footprints.owed}
  if grep -q '"name"' "$directory/kept.json" 2>/dev/null; then
    say "The OS keyring still keeps accounts (service \"claudectl\"); $directory/kept.json names them."
  else
    rm -f "$directory/kept.json"
  fi
  if compgen -G "$directory/kept.damaged-*" >/dev/null; then
    say "$directory/kept.damaged-* could not be read: the OS keyring may keep accounts (service \"claudectl\") that nobody knows."
  fi
  rmdir "$directory" 2>/dev/null || true
}

remove_shim() { [ ! -L "$prefix/bin/claude" ] || "$prefix/bin/claudectl" shim remove || true; }

remove_listed() {
  local line
  say "Removing $(grep -c '^f ' "$manifest") files under $prefix"
  while read -r line; do
    case "$line" in "f "*) rm -f "${line#f }" ;; esac
  done <"$manifest"
  ! has_user_systemd || systemctl --user daemon-reload
  made=$(sed -n 's/^d //p' "$manifest" | sort -r)
  rm -f "$manifest"
  # A directory that somebody else uses by now stays.
  while read -r line; do [ -z "$line" ] || rmdir "$line" 2>/dev/null || true; done <<<"$made"
}
