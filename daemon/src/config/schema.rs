//! What the file may say.

mod authorization_server;

use std::{
    collections::BTreeMap,
    num::NonZeroU16,
    path::{Component, Path, PathBuf},
    time::Duration,
};

use claudectl_core::{
    ids::{AccountName, NameError},
    policy::{
        Policy,
        reactions::{self, Trigger},
        rules,
    },
};
use serde::{Deserialize, Deserializer, de::Error as _};

pub use self::authorization_server::{AuthorizationServer, Inject};

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
    /// `[policy]`
    pub policy: PolicySection,
    /// `[record]`
    pub record: Record,
    /// `[notify]`
    pub notify: Notify,
    /// `[guard]`
    pub guard: Guard,
    /// `[account.NAME]`
    #[serde(deserialize_with = "accounts_by_name")]
    pub account: BTreeMap<AccountName, Reactions>,
    /// `[[rule]]`
    pub rule: Vec<Rule>,
    /// `[authorization_server.NAME]`
    #[serde(deserialize_with = "authorization_server::by_name")]
    pub authorization_server: BTreeMap<String, AuthorizationServer>,
}

/// `[policy]`: what ends an account without being asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicySection {
    /// Locking the screen.
    pub screen_lock: Option<Reaction>,
    /// Suspending the machine.
    pub suspend: Option<Reaction>,
    /// Not being used.
    pub idle: Option<Reaction>,
    /// The end of the last desktop or login session.
    pub desktop_end: Option<Reaction>,
    /// Whether what purges accounts also removes what other programs left.
    pub footprints: bool,
    /// Minutes without a request, and without a sign of a person, after which an account is idle; 0
    /// for never.
    pub idle_minutes: u16,
    /// Hours after its login at which an account is logged out whatever happens; 0 for never.
    pub login_hours: u16,
}

/// `[record]`: the local record.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Record {
    /// Whether it is written. Read when the daemon starts.
    pub enabled: bool,
}

impl Default for Record {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// `[notify]`: what the user is told without having asked.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Notify {
    /// Desktop notifications.
    pub desktop: bool,
}

impl Default for Notify {
    fn default() -> Self {
        Self { desktop: true }
    }
}

/// `[guard]`: credentials that other programs leave while the daemon runs.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Guard {
    /// What is done about one.
    pub stray: StrayReaction,
}

/// What is done about a credential in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StrayReaction {
    /// It is reported.
    #[default]
    Report,
    /// It is taken out of the file, too.
    Purge,
}

/// `[account.NAME]`: the same for one account.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reactions {
    /// Locking the screen.
    pub screen_lock: Option<Reaction>,
    /// Suspending the machine.
    pub suspend: Option<Reaction>,
    /// Not being used.
    pub idle: Option<Reaction>,
    /// The end of the last desktop or login session.
    pub desktop_end: Option<Reaction>,
}

/// What is done to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reaction {
    /// It is logged out.
    Purge,
    /// It is sealed if it is kept, else logged out.
    Seal,
    /// Nothing.
    Ignore,
}

impl From<Reaction> for reactions::Reaction {
    fn from(reaction: Reaction) -> Self {
        match reaction {
            Reaction::Purge => Self::Purge,
            Reaction::Seal => Self::Seal,
            Reaction::Ignore => Self::Ignore,
        }
    }
}

/// `[[rule]]`: which account a directory uses, and which it must not.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Absolute, or `~/…`. Covers everything below it.
    #[serde(deserialize_with = "directory")]
    pub directory: String,
    /// The account that sessions there use when they name none.
    #[serde(default, deserialize_with = "account")]
    pub account: Option<AccountName>,
    /// Accounts that sessions there must not use.
    #[serde(default, deserialize_with = "accounts")]
    pub deny: Vec<AccountName>,
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
    /// Seconds that a request of a frozen session waits.
    pub frozen_seconds: NonZeroU16,
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

impl Default for PolicySection {
    fn default() -> Self {
        let nothing = Reactions::default();
        let Reactions { screen_lock, suspend, idle, desktop_end } = nothing;
        Self { screen_lock, suspend, idle, desktop_end, footprints: false, idle_minutes: 30, login_hours: 0 }
    }
}

impl Reactions {
    fn chosen(self) -> reactions::Chosen {
        let chosen = [
            (Trigger::ScreenLock, self.screen_lock),
            (Trigger::Suspend, self.suspend),
            (Trigger::Idle, self.idle),
            (Trigger::DesktopEnd, self.desktop_end),
        ];
        chosen.into_iter().filter_map(|(trigger, reaction)| Some((trigger, reaction?.into()))).collect()
    }
}

impl Default for Limits {
    fn default() -> Self {
        let or_one = |count| NonZeroU16::new(count).unwrap_or(NonZeroU16::MIN);
        Self {
            sessions: or_one(10_000),
            accounts: or_one(64),
            control_connections: or_one(256),
            frozen_seconds: or_one(540),
        }
    }
}

impl Config {
    /// The part of it that the engine decides by.
    pub fn policy(&self, home: Option<&Path>) -> Policy {
        Policy {
            max_sessions: self.limits.sessions.get().into(),
            max_accounts: self.limits.accounts.get().into(),
            exit_when_unused: after(self.daemon.exit_when_unused_minutes, 60),
            reactions: self.reactions(),
            footprints: self.policy.footprints,
            idle_after: after(self.policy.idle_minutes, 60),
            login_lifetime: after(self.policy.login_hours, 3600),
            rules: self.rule.iter().flat_map(|rule| rule.resolve(home)).collect(),
        }
    }
}

impl Config {
    fn reactions(&self) -> reactions::Reactions {
        let PolicySection { screen_lock, suspend, idle, desktop_end, .. } = self.policy;
        reactions::Reactions {
            general: Reactions { screen_lock, suspend, idle, desktop_end }.chosen(),
            of_account: self.account.iter().map(|(name, own)| (name.clone(), own.chosen())).collect(),
        }
    }
}

/// So many units of so many seconds; `None` for 0.
fn after(count: u16, seconds: u64) -> Option<Duration> {
    (count > 0).then(|| Duration::from_secs(u64::from(count) * seconds))
}

impl Rule {
    /// The rule for its directory, and for where that really is if there is a link on the way: a
    /// session may be in either.
    fn resolve(&self, home: Option<&Path>) -> Vec<rules::Rule> {
        let named = match (self.directory.strip_prefix('~'), home) {
            (Some(rest), Some(home)) => home.join(rest.trim_start_matches('/')),
            _ => PathBuf::from(&self.directory),
        };
        let real = named.canonicalize().ok().filter(|real| *real != named);
        let rule = |directory: PathBuf| rules::Rule {
            directory: directory.to_string_lossy().trim_end_matches('/').to_owned(),
            account: self.account.clone(),
            deny: self.deny.clone(),
        };
        std::iter::once(named).chain(real).map(rule).collect()
    }
}

fn directory<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let directory = String::deserialize(deserializer)?;
    let plain = !Path::new(&directory).components().any(|part| part == Component::ParentDir);
    let placed = directory.starts_with('/') || directory == "~" || directory.starts_with("~/");
    if placed && plain {
        Ok(directory)
    } else {
        Err(D::Error::custom("a directory is absolute, or starts with ~/, and has no .."))
    }
}

fn account<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<AccountName>, D::Error> {
    String::deserialize(deserializer)?.parse().map(Some).map_err(D::Error::custom)
}

fn accounts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<AccountName>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    names.iter().map(|name| name.parse().map_err(D::Error::custom)).collect()
}

fn accounts_by_name<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<AccountName, Reactions>, D::Error> {
    let named = BTreeMap::<String, Reactions>::deserialize(deserializer)?;
    let parsed = |(name, reactions): (String, Reactions)| Ok((name.parse()?, reactions));
    named.into_iter().map(parsed).collect::<Result<_, NameError>>().map_err(D::Error::custom)
}

fn level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<tracing::Level>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let known = ["error", "warn", "info", "debug"].contains(&text.as_str());
    let level = text.parse().ok().filter(|_| known);
    level.map(Some).ok_or_else(|| D::Error::custom("log takes error, warn, info or debug"))
}
