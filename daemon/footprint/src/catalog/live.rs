//! What is held by running programs and by the operating system.

use super::place::{At, Group, Place, Platforms, Reader, Remedy, Which};
use crate::scan::word::Dialect;

const BASE: Place = Place {
    id: "",
    title: "",
    group: Group::Environment,
    at: At::ThisShell,
    reader: Reader::Text,
    platforms: Platforms::ALL,
    power: "is used by every program that is started from there",
    remedy: Remedy::UnsetVariable,
    cheap: false,
    seen: false,
};

/// The rows.
pub(super) const PLACES: &[Place] = &[
    Place {
        id: "environment.shell",
        title: "variables of this shell",
        remedy: Remedy::Person,
        cheap: true,
        seen: true,
        ..BASE
    },
    Place {
        id: "environment.systemd",
        title: "variables of the systemd user manager",
        at: At::SystemdUser,
        platforms: Platforms::LINUX,
        power: "is given to every service and, on many desktops, to every program",
        seen: true,
        ..BASE
    },
    Place {
        id: "environment.tmux",
        title: "variables of tmux servers",
        at: At::Tmux,
        platforms: Platforms::UNIX,
        power: "is given to every new window",
        seen: true,
        ..BASE
    },
    Place {
        id: "environment.launchd",
        title: "variables of launchd",
        at: At::Launchd,
        platforms: Platforms::MACOS,
        power: "is given to every program of the login session",
        ..BASE
    },
    Place {
        id: "environment.registry",
        title: "your variables in the Windows registry",
        at: At::Registry(r"HKCU\Environment"),
        platforms: Platforms::WINDOWS,
        power: "is given to every program you start",
        ..BASE
    },
    Place {
        id: "environment.named-files",
        title: "files that a variable names",
        at: At::NamedByVariable,
        reader: Reader::Credential,
        power: "is used by every Claude Code that is started with the variable",
        remedy: Remedy::Person,
        cheap: true,
        ..BASE
    },
    Place {
        id: "environment.registry-exports",
        title: "exports of the Windows registry",
        at: At::Home(&["*.reg", "Desktop/*.reg", "Documents/*.reg", "Downloads/*.reg"]),
        reader: Reader::Assignments(Dialect::Toml),
        platforms: Platforms::WINDOWS,
        power: "is set again by whoever opens the file",
        remedy: Remedy::Overwrite,
        ..BASE
    },
    Place {
        id: "environment.environment-d",
        title: "variables that systemd sets at login",
        at: At::Home(&[".config/environment.d/*"]),
        reader: Reader::Assignments(Dialect::Dotenv),
        platforms: Platforms::LINUX,
        remedy: Remedy::EditStatement,
        cheap: true,
        seen: true,
        ..BASE
    },
    Place {
        id: "environment.units",
        title: "your own systemd units and quadlets",
        at: At::Home(&[
            ".config/systemd/user/*",
            ".config/systemd/user/*.d/*",
            ".config/systemd/user.conf.d/*",
            ".config/containers/systemd/*",
        ]),
        reader: Reader::Assignments(Dialect::Unit),
        platforms: Platforms::LINUX,
        remedy: Remedy::EditStatement,
        cheap: true,
        seen: true,
        ..BASE
    },
    Place {
        id: "environment.pam",
        title: "variables that PAM sets at login",
        at: At::Home(&[".pam_environment"]),
        reader: Reader::Assignments(Dialect::Dotenv),
        platforms: Platforms::LINUX,
        remedy: Remedy::EditStatement,
        cheap: true,
        ..BASE
    },
    Place {
        id: "environment.launch-agents",
        title: "your own launch agents",
        at: At::Home(&["Library/LaunchAgents/*.plist"]),
        reader: Reader::PropertyList,
        platforms: Platforms::MACOS,
        remedy: Remedy::EditStatement,
        ..BASE
    },
    Place {
        id: "processes.claude",
        title: "running Claude Code with a credential of its own",
        group: Group::Processes,
        at: At::Processes(Which::Claude),
        platforms: Platforms::LINUX,
        power: "is used by that program until it ends; its tools can read it",
        remedy: Remedy::EndProcess,
        seen: true,
        ..BASE
    },
    Place {
        id: "processes.bus",
        title: "programs that the session bus started",
        group: Group::Processes,
        at: At::Processes(Which::OfTheBus),
        platforms: Platforms::LINUX,
        power: "is in the activation environment of the bus: every program that it starts gets it",
        remedy: Remedy::EndProcess,
        ..BASE
    },
    Place {
        id: "processes.others",
        title: "running programs",
        group: Group::Processes,
        at: At::Processes(Which::Others),
        platforms: Platforms::LINUX,
        remedy: Remedy::EndProcess,
        seen: true,
        ..BASE
    },
    Place {
        id: "keychain.claude",
        title: "login of Claude Code in the macOS keychain",
        group: Group::Keychains,
        at: At::Keychain("Claude Code"),
        platforms: Platforms::MACOS,
        power: "works as you, until it is revoked",
        remedy: Remedy::DeleteItem,
        ..BASE
    },
    Place {
        id: "credential-manager.claude",
        title: "login of Claude Code in the Windows Credential Manager",
        group: Group::Keychains,
        at: At::CredentialManager("Claude Code"),
        platforms: Platforms::WINDOWS,
        power: "works as you, until it is revoked",
        remedy: Remedy::DeleteItem,
        ..BASE
    },
];
