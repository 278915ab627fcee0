//! The command line, and what the environment says about places.

use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
};

use clap::Parser;
use claudectl_platform::{desktop::Buses, directories::home_variable};

/// Holds Anthropic credentials in locked memory and lends them to sessions.
#[derive(Debug, Parser)]
#[command(name = "claudectld", version, about, disable_help_subcommand = true)]
pub struct Args {
    /// Configuration file [default: `$XDG_CONFIG_HOME/claudectl/config.toml`]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Say `ready` on standard output, then go quiet; stop when unused (this is how claudectl starts it)
    #[arg(long)]
    pub on_demand: bool,
    /// How much to log: error, warn, info or debug
    #[arg(long, value_name = "LEVEL")]
    pub log: Option<tracing::Level>,
}

/// The places that the environment names. Nothing else of the environment is ever read.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// `XDG_RUNTIME_DIR`.
    pub runtime: Option<OsString>,
    /// `XDG_CONFIG_HOME`.
    pub config: Option<OsString>,
    /// `XDG_STATE_HOME`.
    pub state: Option<OsString>,
    /// `HOME`, on Windows `USERPROFILE`.
    pub home: Option<OsString>,
    /// What `claudectl` gets that is started to remove footprints: what it gives a daemon itself.
    pub passed_on: Vec<(OsString, OsString)>,
    /// `DBUS_SYSTEM_BUS_ADDRESS` and `DBUS_SESSION_BUS_ADDRESS`.
    pub buses: Buses,
}

impl Surroundings {
    /// Reads them from the process environment.
    #[allow(clippy::disallowed_methods, reason = "this is the file that reads the environment")]
    pub fn read() -> Self {
        Self {
            runtime: std::env::var_os("XDG_RUNTIME_DIR"),
            config: std::env::var_os("XDG_CONFIG_HOME"),
            state: std::env::var_os("XDG_STATE_HOME"),
            home: std::env::var_os(home_variable(std::env::consts::OS)),
            passed_on: std::env::vars_os().filter(|(name, _)| is_passed_on(name)).collect(),
            buses: Buses {
                system: std::env::var("DBUS_SYSTEM_BUS_ADDRESS").ok(),
                session: std::env::var("DBUS_SESSION_BUS_ADDRESS").ok(),
            },
        }
    }
}

/// Places, and how to reach the message buses; no credential, no provider.
fn is_passed_on(name: &OsStr) -> bool {
    const NAMES: [&str; 7] = [
        "HOME",
        "USERPROFILE",
        "SYSTEMROOT",
        "PATH",
        "LANG",
        "DBUS_SESSION_BUS_ADDRESS",
        "DBUS_SYSTEM_BUS_ADDRESS",
    ];
    name.to_str().is_some_and(|name| NAMES.contains(&name) || name.starts_with("XDG_"))
}
