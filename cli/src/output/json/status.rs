//! The shape of the status, and of the configuration.

use claudectl_footprint::catalog::environment::Role;
use claudectl_proto::v1;
use serde::Serialize;

use super::{
    Account, Session,
    desktop::{Sighting, Triggered},
    present,
};
use crate::{
    commands::{
        audit::Last,
        status::{account_here, is_safe_to_leave},
    },
    kept::Doubt,
};

/// The configuration file.
#[derive(Debug, Serialize)]
pub struct Configuration {
    path: String,
    present: bool,
    error: Option<String>,
}

impl From<&v1::Configuration> for Configuration {
    fn from(configuration: &v1::Configuration) -> Self {
        Self {
            path: configuration.path.clone(),
            present: configuration.present,
            error: present(configuration.error.clone()),
        }
    }
}

/// Whether the configuration file is in force; not where it is, which would name the user.
#[derive(Debug, Serialize)]
struct ConfigurationState {
    present: bool,
    error: Option<String>,
}

/// One protection of the daemon.
#[derive(Debug, Serialize)]
struct Protection {
    name: String,
    active: bool,
    detail: String,
}

/// The daemon's process.
#[derive(Debug, Serialize)]
struct Daemon {
    version: String,
    pid: u32,
    started_at: i64,
}

/// A credential that appeared outside the daemon; not in which file, which would name the user.
#[derive(Debug, Serialize)]
struct Stray {
    what: String,
    account: Option<String>,
    noticed_at: i64,
    removed: bool,
    done: String,
}

impl From<&v1::Stray> for Stray {
    fn from(stray: &v1::Stray) -> Self {
        Self {
            what: stray.what.clone(),
            account: Some(stray.account.clone()).filter(|account| !account.is_empty()),
            noticed_at: stray.noticed_at,
            removed: stray.removed,
            done: stray.done.clone(),
        }
    }
}

/// What was done about what other programs left; not where what is left is, which would name the user.
#[derive(Debug, Serialize)]
struct Footprints {
    enabled: bool,
    running: bool,
    at: Option<i64>,
    why: Option<String>,
    removed: u32,
    left: u32,
    error: Option<String>,
}

impl From<&v1::Footprints> for Footprints {
    fn from(footprints: &v1::Footprints) -> Self {
        Self {
            enabled: footprints.enabled,
            running: footprints.running,
            at: Some(footprints.at).filter(|at| *at != 0),
            why: present(footprints.why.clone()),
            removed: footprints.removed,
            left: footprints.left,
            error: present(footprints.error.clone()),
        }
    }
}

/// A variable that would override the account outside a session.
#[derive(Debug, Serialize)]
pub struct Variable {
    /// Its name; its value is never shown.
    pub name: &'static str,
    /// What it does.
    pub role: &'static str,
}

/// What a role is called.
pub fn role(role: Role) -> &'static str {
    match role {
        Role::Credential => "credential",
        Role::Provider => "provider",
        Role::Destination => "destination",
        Role::Login => "login",
    }
}

/// The status.
#[derive(Debug, Serialize)]
pub struct Status {
    safe_to_leave: bool,
    logged_in: bool,
    here: Option<Account>,
    here_why: Option<String>,
    daemon: Option<Daemon>,
    accounts: Vec<Account>,
    sessions: Vec<Session>,
    environment: Vec<Variable>,
    protections: Vec<Protection>,
    configuration: Option<ConfigurationState>,
    desktop_watched: bool,
    desktop_sources: Vec<String>,
    sightings: Vec<Sighting>,
    reactions: Vec<Triggered>,
    idle_minutes: u32,
    login_hours: u32,
    audit: Option<Last>,
    strays: Vec<Stray>,
    footprints: Option<Footprints>,
    kept_doubts: Vec<KeptDoubt>,
}

/// A list of kept accounts that cannot be read.
#[derive(Debug, Serialize)]
struct KeptDoubt {
    r#where: String,
    why: String,
}

impl From<&Doubt> for KeptDoubt {
    fn from(doubt: &Doubt) -> Self {
        Self { r#where: doubt.place.clone(), why: doubt.why.clone() }
    }
}

impl Status {
    /// The shape of what the daemon said (`None`: there is none, and nothing is kept), of this environment,
    /// and of what nobody knows about kept accounts.
    pub fn new(
        status: Option<&v1::Status>,
        asked_for: &str,
        environment: Vec<Variable>,
        audit: Option<Last>,
        doubts: &[Doubt],
    ) -> Self {
        // Without a daemon there is none that has a number.
        let daemon = status.filter(|status| status.pid > 0).map(|status| Daemon {
            version: status.version.clone(),
            pid: status.pid,
            started_at: status.started_at,
        });
        let nothing = v1::Status::default();
        let known = status.unwrap_or(&nothing);
        let protection = |protection: &v1::Protection| Protection {
            name: protection.name.clone(),
            active: protection.active,
            detail: protection.detail.clone(),
        };
        Self {
            safe_to_leave: is_safe_to_leave(known),
            logged_in: !known.accounts.is_empty(),
            here: account_here(known, asked_for).map(Account::from),
            here_why: known.here.as_ref().map(|here| here.why.clone()),
            daemon,
            accounts: known.accounts.iter().map(Account::from).collect(),
            sessions: known.sessions.iter().map(Session::from).collect(),
            environment,
            protections: known.protections.iter().map(protection).collect(),
            configuration: known.configuration.as_ref().map(|configuration| ConfigurationState {
                present: configuration.present,
                error: present(configuration.error.clone()),
            }),
            desktop_watched: known.desktop_watched,
            desktop_sources: known.desktop_sources.clone(),
            sightings: known.sightings.iter().map(Sighting::from).collect(),
            reactions: known.reactions.iter().map(Triggered::from).collect(),
            idle_minutes: known.idle_minutes,
            login_hours: known.login_hours,
            audit,
            strays: known.strays.iter().map(Stray::from).collect(),
            footprints: known.footprints.as_ref().map(Footprints::from),
            kept_doubts: doubts.iter().map(KeptDoubt::from).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::json::document;

    fn footprints() -> v1::Footprints {
        let why = "because the screen was locked".into();
        v1::Footprints { enabled: true, at: 9, why, removed: 2, left: 1, ..Default::default() }
    }

    #[test]
    fn shape_of_the_status() {
        let held = v1::Status {
            version: "0.1.0".into(),
            pid: 42,
            started_at: 5,
            accounts: vec![v1::Account { name: "work".into(), ..Default::default() }],
            default_account: "work".into(),
            protections: vec![v1::Protection {
                name: "no core file".into(),
                active: true,
                detail: "core limit 0".into(),
            }],
            configuration: Some(v1::Configuration {
                path: "/home/jane/.config/claudectl/config.toml".into(),
                present: true,
                error: String::new(),
            }),
            desktop_sources: vec!["logind".into()],
            sightings: vec![v1::Sighting {
                what: v1::DesktopEvent::ScreenLocked.into(),
                by: "logind Lock".into(),
                at_milliseconds: 1500,
                took_microseconds: 80,
                repeated: false,
            }],
            reactions: vec![v1::Reaction {
                trigger: "idle".into(),
                reaction: "purge".into(),
                ..Default::default()
            }],
            idle_minutes: 30,
            footprints: Some(footprints()),
            ..Default::default()
        };
        let variables = vec![Variable { name: "ANTHROPIC_API_KEY", role: role(Role::Credential) }];
        let line =
            document("claudectl.status/1", &Status::new(Some(&held), "", variables, None, &[])).unwrap();
        let account = concat!(
            r#"{"name":"work","kind":"unknown","default":false,"upstream":"https://api.anthropic.com","#,
            r#""proxy":null,"ca_file":null,"logged_in_at":0,"checked":false,"sessions":0,"generation":0,"#,
            r#""state":"unknown","why":null,"since":null,"kept":false,"kept_error":null,"authority":null,"#,
            r#""email":null,"organization":null,"plan":null,"scopes":[],"expires_at":null,"renewable":false}"#
        );
        let expected = [
            r#"{"schema":"claudectl.status/1","safe_to_leave":false,"logged_in":true,"here":"#,
            account,
            r#","here_why":null,"daemon":{"version":"0.1.0","pid":42,"started_at":5},"accounts":["#,
            account,
            r#"],"sessions":[],"environment":[{"name":"ANTHROPIC_API_KEY","role":"credential"}],"#,
            r#""protections":[{"name":"no core file","active":true,"detail":"core limit 0"}],"#,
            r#""configuration":{"present":true,"error":null},"desktop_watched":false,"desktop_sources":["logind"],"#,
            r#""sightings":[{"what":"screen-locked","by":"logind Lock","at_milliseconds":1500,"took_microseconds":80,"repeated":false}],"#,
            r#""reactions":[{"trigger":"idle","account":null,"reaction":"purge"}],"idle_minutes":30,"login_hours":0,"audit":null,"strays":[],"#,
            r#""footprints":{"enabled":true,"running":false,"at":9,"why":"because the screen was locked","removed":2,"left":1,"error":null},"kept_doubts":[]}"#,
        ];
        assert_eq!(line, expected.concat());
    }
}
