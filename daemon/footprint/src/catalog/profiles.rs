//! Files that shells and logins read, and what shells remember.

use super::place::{At, Group, Place, Platforms, Reader, Remedy};
use crate::scan::word::Dialect;

const PROFILE: Place = Place {
    id: "",
    title: "",
    group: Group::Profiles,
    at: At::Home(&[]),
    reader: Reader::Assignments(Dialect::Posix),
    platforms: Platforms::ALL,
    power: "is set in every shell that starts, and used by every program in it",
    remedy: Remedy::EditStatement,
    cheap: true,
    seen: true,
};

const HISTORY: Place = Place {
    group: Group::Histories,
    power: "works for whoever reads the history",
    remedy: Remedy::Overwrite,
    cheap: false,
    ..PROFILE
};

/// The rows.
pub(super) const PLACES: &[Place] = &[
    Place {
        id: "profiles.bash",
        title: "bash",
        at: At::Home(&[
            ".bashrc",
            ".bash_profile",
            ".bash_login",
            ".bash_logout",
            ".bash_aliases",
            ".bashrc.*",
            ".bashrc.d/*",
            ".bash_profile.*",
            ".bash.d/*",
        ]),
        ..PROFILE
    },
    Place {
        id: "profiles.sh",
        title: "sh and the desktop's login",
        at: At::Home(&[
            ".profile",
            ".profile.*",
            ".profile.d/*",
            ".xprofile",
            ".xsessionrc",
            ".xsession",
            ".xinitrc",
            ".kshrc",
            ".mkshrc",
            ".shrc",
            ".shinit",
            ".config/plasma-workspace/env/*",
            ".envrc",
            ".config/direnv/*",
            ".aliases",
            ".exports",
            ".functions",
            ".extra",
            ".path",
        ]),
        ..PROFILE
    },
    Place {
        id: "profiles.zsh",
        title: "zsh",
        at: At::Home(&[
            ".zshrc",
            ".zshenv",
            ".zprofile",
            ".zlogin",
            ".zlogout",
            ".zshrc.*",
            ".zshenv.*",
            ".zshrc.d/*",
            ".zsh/*",
            ".config/zsh/*",
            ".config/zsh/.z*",
            ".oh-my-zsh/custom/*.zsh",
            ".p10k.zsh",
            ".zsh_aliases",
            ".zpreztorc",
        ]),
        ..PROFILE
    },
    Place {
        id: "profiles.fish",
        title: "fish",
        at: At::Home(&[".config/fish/*.fish", ".config/fish/conf.d/*.fish", ".config/fish/functions/*.fish"]),
        reader: Reader::Assignments(Dialect::Fish),
        ..PROFILE
    },
    Place {
        id: "profiles.fish-universal",
        title: "universal variables of fish",
        at: At::Home(&[".config/fish/fish_variables*"]),
        reader: Reader::Assignments(Dialect::FishUniversal),
        ..PROFILE
    },
    Place {
        id: "profiles.nushell",
        title: "nushell",
        at: At::Home(&[
            ".config/nushell/*.nu",
            ".config/nushell/*/*.nu",
            "Library/Application Support/nushell/*.nu",
            "AppData/Roaming/nushell/*.nu",
        ]),
        reader: Reader::Assignments(Dialect::Nu),
        ..PROFILE
    },
    Place {
        id: "profiles.powershell",
        title: "PowerShell",
        at: At::Home(&[
            ".config/powershell/*.ps1",
            "Documents/PowerShell/*.ps1",
            "Documents/WindowsPowerShell/*.ps1",
            "OneDrive/Documents/PowerShell/*.ps1",
            "OneDrive/Documents/WindowsPowerShell/*.ps1",
        ]),
        reader: Reader::Assignments(Dialect::PowerShell),
        ..PROFILE
    },
    Place {
        id: "profiles.csh",
        title: "csh, elvish, xonsh",
        at: At::Home(&[
            ".cshrc",
            ".tcshrc",
            ".login",
            ".xonshrc",
            ".config/xonsh/rc.xsh",
            ".config/elvish/rc.elv",
            ".elvish/rc.elv",
        ]),
        reader: Reader::Assignments(Dialect::Toml),
        seen: false,
        ..PROFILE
    },
    Place {
        id: "profiles.dotenv",
        title: ".env files of your home directory",
        at: At::Home(&[
            ".env",
            ".env.*",
            ".secrets",
            ".secrets.*",
            ".secrets/*",
            ".tokens",
            ".api_keys",
            ".apikeys",
            ".anthropic_api_key",
            ".anthropic-api-key",
            ".anthropic.key",
            ".claude_api_key",
            ".keys/*",
            ".config/secrets/*",
            ".config/env",
            ".config/.env",
        ]),
        reader: Reader::Assignments(Dialect::Dotenv),
        ..PROFILE
    },
    Place {
        id: "histories.bash",
        title: "history of bash, sh and ksh",
        at: At::Home(&[
            ".bash_history*",
            ".sh_history",
            ".ksh_history",
            ".history",
            ".local/state/bash/history",
        ]),
        ..HISTORY
    },
    Place {
        id: "histories.zsh",
        title: "history of zsh",
        at: At::Home(&[
            ".zsh_history*",
            ".histfile",
            ".zhistory",
            ".local/share/zsh/history",
            ".local/state/zsh/history",
            ".config/zsh/.zsh_history",
            ".zsh_sessions/*",
        ]),
        ..HISTORY
    },
    Place {
        id: "histories.fish",
        title: "history of fish",
        at: At::Home(&[".local/share/fish/*_history*"]),
        reader: Reader::Assignments(Dialect::Fish),
        ..HISTORY
    },
    Place {
        id: "histories.powershell",
        title: "history of PowerShell",
        at: At::Home(&[
            ".local/share/powershell/PSReadLine/*",
            "AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/*",
        ]),
        reader: Reader::Assignments(Dialect::PowerShell),
        ..HISTORY
    },
    Place {
        id: "histories.nushell",
        title: "history of nushell",
        at: At::Home(&[
            ".config/nushell/history.*",
            "Library/Application Support/nushell/history.*",
            "AppData/Roaming/nushell/history.*",
        ]),
        reader: Reader::Assignments(Dialect::Nu),
        ..HISTORY
    },
    Place {
        id: "histories.others",
        title: "history of interpreters, editors and terminals",
        at: At::Home(&[
            ".python_history",
            ".node_repl_history",
            ".irb_history",
            ".Rhistory",
            ".sqlite_history",
            ".psql_history",
            ".lesshst",
            ".ipython/profile_default/history.sqlite*",
            ".viminfo*",
            ".vim/.viminfo",
            ".local/state/nvim/shada/*",
            ".local/share/nvim/shada/*",
            ".local/share/atuin/*",
            ".tmux/resurrect/*",
            ".local/share/tmux/resurrect/*",
            ".local/share/mcfly/*",
            ".config/gh-copilot/*",
            ".local/state/python_history",
        ]),
        reader: Reader::Text,
        ..HISTORY
    },
];
