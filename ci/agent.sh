# Sourced by ./setup: the agent of launchd, on macOS. Not tried there yet.
# shellcheck shell=bash
# Variables are shared with ./setup and ci/install.sh.
# shellcheck disable=SC2154

agent=org.claudectl.claudectld

has_launchd() { [ "$(uname -s)" = Darwin ]; }
agent_domain() { echo "gui/$(id -u)"; }
agent_is_loaded() { has_launchd && launchctl print "$(agent_domain)/$agent" >/dev/null 2>&1; }
agent_pid() { launchctl print "$(agent_domain)/$agent" 2>/dev/null | sed -n 's/^[[:space:]]*pid = \([0-9][0-9]*\)$/\1/p'; }

# Where a daemon has its sockets that is told of no XDG_RUNTIME_DIR (daemon/platform/src/directories). The same at
# every login; only a safe boot empties it. Then launchd cannot listen there until the next login, and clients start
# the daemon.
agent_runtime() {
  local caches
  caches=$(getconf DARWIN_USER_CACHE_DIR) && [ -d "$caches" ] && echo "${caches%/}/claudectl"
}

# filled_in TEXT: as it stands in XML, on the right side of a sed command.
filled_in() { printf '%s' "$1" | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g; s/[&|\\]/\\&/g'; }

# agent_list BINDIR RUNTIME: the property list, with absolute paths, as launchd expands nothing in them.
agent_list() {
  sed "s|@bindir@|$(filled_in "$1")|g; s|@runtime@|$(filled_in "$2")|g" "$here/launchd/$agent.plist"
}

put_agent() {
  local runtime work
  has_launchd || return 0
  if [ -n "${XDG_RUNTIME_DIR:-}" ]; then
    say "  no agent of launchd, which does not know your XDG_RUNTIME_DIR: claudectl starts the daemon when it is needed"
    return
  fi
  # Private from the start, as the daemon insists on.
  if ! runtime=$(agent_runtime) || { [ ! -d "$runtime" ] && ! mkdir -m 700 "$runtime"; } || [ -L "$runtime" ] || [ ! -O "$runtime" ]; then
    say "  no agent of launchd: there is no runtime directory of yours (${runtime:-getconf DARWIN_USER_CACHE_DIR})"
    return
  fi
  work=$(mktemp)
  agent_list "$prefix/bin" "$runtime" >"$work"
  put 644 "$work" "$agents/$agent.plist"
  rm "$work"
}

start_agent() {
  grep -q "/$agent.plist$" "$manifest" && has_launchd || return 0
  if [ -n "$running" ]; then
    # One that launchd started goes on; the list of before counts until the next login.
    ! agent_is_loaded || return 0
    # launchd would take the socket away from a daemon that a client has started.
    say "  launchd has the daemon's socket from your next login on"
    return
  fi
  # It may have the list of an earlier version.
  ! agent_is_loaded || launchctl bootout "$(agent_domain)/$agent" || true
  if launchctl bootstrap "$(agent_domain)" "$agents/$agent.plist"; then
    say "  the daemon starts when its socket is first used (launchctl print $(agent_domain)/$agent)"
  else
    # Over SSH there is no graphical session to be an agent of.
    say "  launchd has the daemon's socket from your next login on"
  fi
}

# Ends the daemon, too, if launchd started it.
stop_agent() { ! agent_is_loaded || launchctl bootout "$(agent_domain)/$agent" || true; }
