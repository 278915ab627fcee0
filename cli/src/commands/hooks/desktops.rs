//! What each desktop needs to tell of a lock.

use serde::Serialize;

use crate::args::Environment;

/// What is to be run, and where that is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hook {
    /// The program that runs it.
    pub program: &'static str,
    /// The file that it reads.
    pub place: &'static str,
    /// What to write there.
    pub lines: &'static [&'static str],
}

/// A desktop, and what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desktop {
    /// What it calls itself.
    pub name: String,
    /// Whether the daemon hears its lock without any hook.
    pub heard: bool,
    /// What can be written, where.
    pub hooks: Vec<Hook>,
}

/// What can be asked for.
pub(super) const NAMES: [&str; 6] = ["swayidle", "hypridle", "xss-lock", "xautolock", "tmux", "shell"];

const SWAYIDLE: Hook = Hook {
    program: "swayidle",
    place: "~/.config/swayidle/config (run it with -w)",
    lines: &[
        "timeout 600 'loginctl lock-session'",
        "before-sleep 'loginctl lock-session'",
        "lock 'claudectl logout --all; swaylock -f'",
    ],
};
/// logind tells the daemon of a lock that it was asked for. A locker that is started by itself tells nobody.
const SWAY: Hook = Hook {
    program: "the key that locks (sway, river, niri)",
    place: "~/.config/sway/config",
    lines: &["bindsym $mod+Escape exec loginctl lock-session"],
};
const HYPRLAND: Hook = Hook {
    program: "the key that locks",
    place: "~/.config/hypr/hyprland.conf",
    lines: &["bind = SUPER, Escape, exec, loginctl lock-session"],
};
const X11: Hook = Hook {
    program: "the key that locks (i3)",
    place: "~/.config/i3/config",
    lines: &["bindsym $mod+Escape exec loginctl lock-session"],
};
const HYPRIDLE: Hook = Hook {
    program: "hypridle",
    place: "~/.config/hypr/hypridle.conf",
    lines: &[
        "general {",
        "    lock_cmd = claudectl logout --all; pidof hyprlock || hyprlock",
        "    before_sleep_cmd = claudectl logout --all; loginctl lock-session",
        "}",
        "listener {",
        "    timeout = 600",
        "    on-timeout = loginctl lock-session",
        "}",
    ],
};
const XSS_LOCK: Hook = Hook {
    program: "xss-lock",
    place: "~/.xsession, or what starts your window manager",
    lines: &["xss-lock --transfer-sleep-lock -- sh -c 'claudectl logout --all; exec i3lock --nofork' &"],
};
const XAUTOLOCK: Hook = Hook {
    program: "xautolock",
    place: "~/.xsession, or what starts your window manager",
    lines: &["xautolock -time 10 -locker 'claudectl logout --all; i3lock' &"],
};
const TMUX: Hook = Hook {
    program: "tmux",
    place: "~/.tmux.conf",
    lines: &["set-hook -g client-detached 'run-shell \"claudectl logout --all\"'"],
};
const SHELL: Hook = Hook {
    program: "the login shell",
    place: "~/.bash_logout, ~/.zlogout",
    lines: &["claudectl logout --all"],
};

/// Desktops whose screen saver the daemon hears.
const HEARD: [&str; 10] =
    ["gnome", "kde", "mate", "x-cinnamon", "cinnamon", "xfce", "unity", "budgie", "pantheon", "lxqt"];

/// The desktop that the environment names.
pub fn detect(environment: &Environment) -> Desktop {
    let named = environment.text("XDG_CURRENT_DESKTOP").unwrap_or_default();
    let words: Vec<_> = named.split(':').map(str::to_ascii_lowercase).collect();
    let name = |fallback: &str| {
        if named.is_empty() { fallback.to_owned() } else { crate::output::text::Plain(named).to_string() }
    };
    if words.iter().any(|word| HEARD.contains(&word.as_str())) {
        return Desktop { name: name(""), heard: true, hooks: Vec::new() };
    }
    if words.iter().any(|word| word == "hyprland") {
        return Desktop { name: name(""), heard: false, hooks: vec![HYPRIDLE, HYPRLAND] };
    }
    if environment.get("WAYLAND_DISPLAY").is_some() {
        return Desktop { name: name("Wayland"), heard: false, hooks: vec![SWAYIDLE, SWAY] };
    }
    if environment.get("DISPLAY").is_some() {
        return Desktop { name: name("X11"), heard: false, hooks: vec![XSS_LOCK, X11, XAUTOLOCK] };
    }
    Desktop { name: name("no desktop"), heard: false, hooks: vec![SHELL, TMUX] }
}

/// What a program that locks needs.
pub(super) fn named(program: &str) -> Desktop {
    let hook = match program {
        "swayidle" => SWAYIDLE,
        "hypridle" => HYPRIDLE,
        "xss-lock" => XSS_LOCK,
        "xautolock" => XAUTOLOCK,
        "tmux" => TMUX,
        _ => SHELL,
    };
    Desktop { name: program.to_owned(), heard: false, hooks: vec![hook] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn programs(variables: &[(&str, &str)]) -> (bool, Vec<&'static str>) {
        let found = detect(&variables.iter().copied().collect());
        (found.heard, found.hooks.iter().map(|hook| hook.program).collect())
    }

    #[test]
    fn each_desktop_gets_its_own_line_or_none() {
        assert_eq!(
            programs(&[("XDG_CURRENT_DESKTOP", "ubuntu:GNOME"), ("WAYLAND_DISPLAY", "wayland-0")]),
            (true, vec![])
        );
        assert_eq!(programs(&[("XDG_CURRENT_DESKTOP", "KDE")]), (true, vec![]));
        assert_eq!(
            programs(&[("XDG_CURRENT_DESKTOP", "Hyprland"), ("WAYLAND_DISPLAY", "w")]),
            (false, vec!["hypridle", "the key that locks"])
        );
        assert_eq!(
            programs(&[("XDG_CURRENT_DESKTOP", "sway"), ("WAYLAND_DISPLAY", "w")]),
            (false, vec!["swayidle", "the key that locks (sway, river, niri)"])
        );
        assert_eq!(
            programs(&[("DISPLAY", ":0")]),
            (false, vec!["xss-lock", "the key that locks (i3)", "xautolock"])
        );
        assert_eq!(programs(&[]), (false, vec!["the login shell", "tmux"]));
    }

    #[test]
    fn every_name_has_its_line_and_every_line_logs_out() {
        for name in NAMES {
            let hooks = named(name).hooks;
            assert!(
                hooks
                    .iter()
                    .any(|hook| hook.lines.iter().any(|line| line.contains("claudectl logout --all")))
            );
        }
    }
}
