//! What the file may say.

use std::{num::NonZeroU16, time::Duration};

use claudectl_core::policy::Policy;
use serde::{Deserialize, Deserializer, de::Error as _};

/// The whole file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How much to log.
    #[serde(deserialize_with = "level")]
    pub log: Option<tracing::Level>,
    /// `[daemon]`
    pub daemon: Daemon,
    /// `[limits]`
    pub limits: Limits,
    /// `[upstream]`
    pub upstream: Upstream,
}

/// `[daemon]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Daemon {
    /// Minutes after which an unused daemon stops; 0 for never.
    pub exit_when_unused_minutes: u16,
}

/// `[limits]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Sessions at once.
    pub sessions: NonZeroU16,
    /// Accounts at once.
    pub accounts: NonZeroU16,
    /// Control connections at once.
    pub control_connections: NonZeroU16,
}

/// `[upstream]`: what a login uses that names nothing else. Changing it moves no held credential.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Upstream {
    /// PEM file of further trust roots.
    pub ca_file: Option<String>,
    /// `http://host:port` of a proxy.
    pub proxy: Option<String>,
}

impl Default for Daemon {
    fn default() -> Self {
        Self { exit_when_unused_minutes: 10 }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let or_one = |count| NonZeroU16::new(count).unwrap_or(NonZeroU16::MIN);
        Self { sessions: or_one(10_000), accounts: or_one(64), control_connections: or_one(256) }
    }
}

impl Config {
    /// The part of it that the engine decides by.
    pub fn policy(&self) -> Policy {
        let minutes = self.daemon.exit_when_unused_minutes;
        Policy {
            max_sessions: self.limits.sessions.get().into(),
            max_accounts: self.limits.accounts.get().into(),
            exit_when_unused: (minutes > 0).then(|| Duration::from_mins(minutes.into())),
        }
    }
}

fn level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<tracing::Level>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let known = ["error", "warn", "info", "debug"].contains(&text.as_str());
    let level = text.parse().ok().filter(|_| known);
    level.map(Some).ok_or_else(|| D::Error::custom("log takes error, warn, info or debug"))
}
