//! The JSON shapes: an interface, described in `cli/README.md`. A field is never removed or given
//! another meaning under the same schema name; new ones may come.

use claudectl_footprint::catalog::environment::Role;
use claudectl_proto::v1::{self, CredentialKind, Outcome, Reason, SessionState, Transport};
use serde::Serialize;

use super::{Output, text::is_harmless};
use crate::{error::Error, exit::Exit};

#[derive(Serialize)]
struct Document<'a, T> {
    schema: &'static str,
    #[serde(flatten)]
    body: &'a T,
}

/// One line of JSON, every harmful character escaped, so that it can be shown on a terminal.
///
/// # Errors
/// If it cannot be JSON, which none of the shapes here is capable of.
pub fn document<T: Serialize>(schema: &'static str, body: &T) -> Result<String, Error> {
    let text = serde_json::to_string(&Document { schema, body })
        .map_err(|error| Error::new("could not write the result as JSON").because(&error))?;
    Ok(escaped(&text))
}

fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if is_harmless(c) {
            text.push(c);
        } else {
            let mut units = [0; 2];
            text.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    text
}

/// Writes an error as JSON to stdout, where a program looks for the result.
pub fn write_error(message: &str, hint: Option<&str>, reason: Option<Reason>, exit: Exit) {
    #[derive(Serialize)]
    struct Body<'a> {
        message: &'a str,
        hint: Option<&'a str>,
        reason: Option<String>,
        exit: u8,
    }
    let word =
        |reason: Reason| reason.as_str_name().trim_start_matches("REASON_").to_lowercase().replace('_', "-");
    let body = Body { message, hint, reason: reason.map(word), exit: exit.code() };
    let written = document("claudectl.error/1", &body).and_then(|line| Output::write(&line));
    // Without a stdout there is nobody to tell.
    drop(written);
}

/// One account.
#[derive(Debug, Serialize)]
pub struct Account {
    name: String,
    kind: &'static str,
    default: bool,
    upstream: String,
    proxy: Option<String>,
    ca_file: Option<String>,
    logged_in_at: i64,
    checked: bool,
    sessions: u32,
    generation: u64,
}

impl From<&v1::Account> for Account {
    fn from(account: &v1::Account) -> Self {
        let route = account.route.clone().unwrap_or_default();
        Self {
            name: account.name.clone(),
            kind: match account.kind() {
                CredentialKind::ApiKey => "api-key",
                CredentialKind::Unspecified => "unknown",
            },
            default: account.is_default,
            upstream: super::text::upstream(&route.upstream).to_owned(),
            proxy: present(route.proxy),
            ca_file: present(route.ca_file),
            logged_in_at: account.logged_in_at,
            checked: account.checked,
            sessions: account.sessions,
            generation: account.generation,
        }
    }
}

fn present(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// One session.
#[derive(Debug, Serialize)]
pub struct Session {
    id: String,
    account: String,
    pid: u32,
    program: String,
    directory: String,
    transport: &'static str,
    children: bool,
    state: &'static str,
    opened_at: i64,
    refused_peers: u32,
    usage: Usage,
}

#[derive(Debug, Serialize)]
struct Usage {
    requests: u64,
    request_bytes: u64,
    response_bytes: u64,
    input_tokens: u64,
    output_tokens: u64,
    last_request_at: Option<i64>,
    open_streams: u32,
}

impl From<&v1::Session> for Session {
    fn from(session: &v1::Session) -> Self {
        let usage = session.usage.unwrap_or_default();
        Self {
            id: session.id.clone(),
            account: session.account.clone(),
            pid: session.pid,
            program: session.program.clone(),
            directory: session.directory.clone(),
            transport: match session.transport() {
                Transport::Tcp => "tcp",
                Transport::Unix | Transport::Unspecified => "unix",
            },
            children: session.children,
            state: match session.state() {
                SessionState::Open => "open",
                SessionState::LoggedOut => "logged-out",
                SessionState::Ended => "ended",
                SessionState::Unspecified => "unknown",
            },
            opened_at: session.opened_at,
            refused_peers: session.refused_peers,
            usage: Usage {
                requests: usage.requests,
                request_bytes: usage.request_bytes,
                response_bytes: usage.response_bytes,
                input_tokens: usage.input_tokens,
                output_tokens: usage.output_tokens,
                last_request_at: Some(usage.last_request_at).filter(|at| *at > 0),
                open_streams: usage.open_streams,
            },
        }
    }
}

/// Accounts.
#[derive(Debug, Serialize)]
pub struct Accounts {
    accounts: Vec<Account>,
}

impl From<&[v1::Account]> for Accounts {
    fn from(accounts: &[v1::Account]) -> Self {
        Self { accounts: accounts.iter().map(Account::from).collect() }
    }
}

/// Sessions.
#[derive(Debug, Serialize)]
pub struct Sessions {
    sessions: Vec<Session>,
}

impl From<&[v1::Session]> for Sessions {
    fn from(sessions: &[v1::Session]) -> Self {
        Self { sessions: sessions.iter().map(Session::from).collect() }
    }
}

/// An account that a command changed.
#[derive(Debug, Serialize)]
pub struct OneAccount {
    /// The account as it is now.
    pub account: Account,
    /// Whether it took the place of a credential of the same name.
    pub replaced: bool,
}

/// A session that a command changed.
#[derive(Debug, Serialize)]
pub struct OneSession {
    /// The session as it is now.
    pub session: Session,
}

/// A receipt.
#[derive(Debug, Serialize)]
pub struct Receipt {
    /// Whether no copy is left unproven.
    proven: bool,
    issued_at: i64,
    accounts: Vec<String>,
    sessions_ended: u32,
    items: Vec<ReceiptItem>,
}

#[derive(Debug, Serialize)]
struct ReceiptItem {
    account: String,
    what: String,
    r#where: String,
    action: String,
    proof: String,
    outcome: &'static str,
}

impl From<&v1::Receipt> for Receipt {
    fn from(receipt: &v1::Receipt) -> Self {
        let item = |item: &v1::ReceiptItem| ReceiptItem {
            account: item.account.clone(),
            what: item.what.clone(),
            r#where: item.r#where.clone(),
            action: item.action.clone(),
            proof: item.proof.clone(),
            outcome: outcome(item.outcome()),
        };
        Self {
            proven: is_proven(receipt),
            issued_at: receipt.issued_at,
            accounts: receipt.accounts.clone(),
            sessions_ended: receipt.sessions_ended,
            items: receipt.items.iter().map(item).collect(),
        }
    }
}

/// Whether every copy is proven gone, or out of reach by nature. An outcome that this client does
/// not know is none of them.
pub fn is_proven(receipt: &v1::Receipt) -> bool {
    receipt.items.iter().all(|item| matches!(item.outcome(), Outcome::Proven | Outcome::OutOfReach))
}

/// What an outcome is called.
pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Proven => "proven",
        Outcome::OutOfReach => "out-of-reach",
        Outcome::Unproven | Outcome::Unspecified => "unproven",
    }
}

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
pub struct Protection {
    name: String,
    active: bool,
    detail: String,
}

/// The daemon's process.
#[derive(Debug, Serialize)]
pub struct Daemon {
    version: String,
    pid: u32,
    started_at: i64,
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
    daemon: Option<Daemon>,
    accounts: Vec<Account>,
    sessions: Vec<Session>,
    environment: Vec<Variable>,
    protections: Vec<Protection>,
    configuration: Option<ConfigurationState>,
    desktop_watched: bool,
}

impl Status {
    /// The shape of what the daemon said (`None`: there is none) and of this environment.
    pub fn new(status: Option<&v1::Status>, asked_for: &str, environment: Vec<Variable>) -> Self {
        let daemon = status.map(|status| Daemon {
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
            safe_to_leave: crate::commands::status::is_safe_to_leave(known),
            logged_in: !known.accounts.is_empty(),
            here: crate::commands::status::account_here(known, asked_for).map(Account::from),
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmful_characters_are_escaped_and_mean_the_same() {
        #[derive(Serialize)]
        struct Body {
            name: &'static str,
        }
        let name = "a\u{9b}b\u{202e}c\u{e0041}d\ne";
        let line = document("claudectl.test/1", &Body { name }).unwrap();
        assert!(line.chars().all(is_harmless), "{line}");
        let back: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(back.get("name").and_then(|value| value.as_str()), Some(name));
    }

    #[test]
    fn an_outcome_of_a_newer_daemon_is_not_proven() {
        let item = v1::ReceiptItem { outcome: 99, ..Default::default() };
        assert!(!is_proven(&v1::Receipt { items: vec![item], ..Default::default() }));
        let item = v1::ReceiptItem { outcome: Outcome::OutOfReach.into(), ..Default::default() };
        assert!(is_proven(&v1::Receipt { items: vec![item], ..Default::default() }));
    }

    #[test]
    fn shape_of_accounts() {
        let account = v1::Account {
            name: "work".into(),
            kind: CredentialKind::ApiKey.into(),
            is_default: true,
            route: Some(v1::Route { proxy: "http://proxy:3128".into(), ..Default::default() }),
            logged_in_at: 7,
            checked: true,
            sessions: 2,
            generation: 9,
        };
        let line = document("claudectl.accounts/1", &Accounts::from([account].as_slice())).unwrap();
        assert_eq!(
            line,
            concat!(
                r#"{"schema":"claudectl.accounts/1","accounts":[{"name":"work","kind":"api-key","default":true,"#,
                r#""upstream":"https://api.anthropic.com","proxy":"http://proxy:3128","ca_file":null,"#,
                r#""logged_in_at":7,"checked":true,"sessions":2,"generation":9}]}"#
            )
        );
    }

    #[test]
    fn shape_of_sessions() {
        let session = v1::Session {
            id: "00c0ffee".into(),
            account: "work".into(),
            pid: 42,
            program: "claude".into(),
            directory: "/src".into(),
            transport: Transport::Unix.into(),
            state: SessionState::LoggedOut.into(),
            opened_at: 5,
            ..Default::default()
        };
        let line = document("claudectl.sessions/1", &Sessions::from([session].as_slice())).unwrap();
        assert_eq!(
            line,
            concat!(
                r#"{"schema":"claudectl.sessions/1","sessions":[{"id":"00c0ffee","account":"work","pid":42,"#,
                r#""program":"claude","directory":"/src","transport":"unix","children":false,"#,
                r#""state":"logged-out","opened_at":5,"refused_peers":0,"usage":{"requests":0,"#,
                r#""request_bytes":0,"response_bytes":0,"input_tokens":0,"output_tokens":0,"#,
                r#""last_request_at":null,"open_streams":0}}]}"#
            )
        );
    }
}
