//! `claudectl statusline` (hidden: the status line of the genuine client inside a session)

use std::time::Duration;

use clap::{ArgMatches, Command};
use claudectl_proto::v1::{Account, AccountState, SessionState, Status};

use crate::{
    Context,
    daemon::Daemon,
    error::Error,
    exit::Exit,
    output::{
        Output,
        text::{self, Plain},
    },
    process::environment::SESSION,
};

/// The line is drawn again and again: better none than a slow one.
const PATIENCE: Duration = Duration::from_secs(1);

/// Its command line.
pub fn build(command: Command) -> Command {
    command.about("Write the status line of a session").hide(true)
}

/// Writes account, kind and state in one line.
///
/// # Errors
/// If stdout cannot be written.
pub async fn run(_matches: &ArgMatches, context: &Context) -> Result<Exit, Error> {
    let session = context.environment.text(SESSION).unwrap_or_default();
    let status = async {
        match Daemon::find(&context.environment).await {
            Ok(Some(daemon)) => daemon.status().await.ok(),
            _ => None,
        }
    };
    let status = tokio::time::timeout(PATIENCE, status).await.unwrap_or_default();
    Output::write(&line(status.as_ref(), session))?;
    Ok(Exit::Ok)
}

fn line(status: Option<&Status>, id: &str) -> String {
    let Some(status) = status else { return "claudectl: no daemon · claudectl login".to_owned() };
    let Some(session) = status.sessions.iter().find(|session| session.id == id) else {
        return "claudectl: not a session".to_owned();
    };
    let name = Plain(&session.account);
    match (session.state(), status.accounts.iter().find(|account| account.name == session.account)) {
        (SessionState::Open, Some(account)) => {
            format!("claudectl: {name} · {} · open", text::kind(account.kind()))
        }
        (SessionState::Frozen, account) => waiting(&name, account),
        (SessionState::Ended, _) => format!("claudectl: {name} · session ended"),
        _ => format!("claudectl: {name} · logged out · claudectl login {name}"),
    }
}

/// Why the requests of a session wait.
fn waiting(name: &Plain<'_>, account: Option<&Account>) -> String {
    match account.map(Account::state) {
        Some(AccountState::Sealed) => format!("claudectl: {name} · sealed · claudectl unseal {name}"),
        Some(AccountState::Renewing) => format!("claudectl: {name} · being renewed"),
        _ => format!("claudectl: {name} · waiting"),
    }
}

#[cfg(test)]
mod tests {
    use claudectl_proto::v1::{CredentialKind, Session};

    use super::*;

    fn status(state: SessionState, accounts: &[&str]) -> Status {
        let account = |name: &&str| Account {
            name: (*name).to_owned(),
            kind: CredentialKind::ApiKey.into(),
            ..Account::default()
        };
        Status {
            accounts: accounts.iter().map(account).collect(),
            sessions: vec![Session {
                id: "1".into(),
                account: "work".into(),
                state: state.into(),
                ..Session::default()
            }],
            ..Status::default()
        }
    }

    fn frozen(state: AccountState) -> Status {
        let mut status = status(SessionState::Frozen, &["work"]);
        status.accounts[0].state = state.into();
        status
    }

    #[test]
    fn account_kind_and_state() {
        let table = [
            (Some(status(SessionState::Open, &["work"])), "claudectl: work · API key · open"),
            (
                Some(status(SessionState::LoggedOut, &[])),
                "claudectl: work · logged out · claudectl login work",
            ),
            (Some(frozen(AccountState::Sealed)), "claudectl: work · sealed · claudectl unseal work"),
            (Some(frozen(AccountState::Renewing)), "claudectl: work · being renewed"),
            (Some(frozen(AccountState::Held)), "claudectl: work · waiting"),
            (Some(status(SessionState::Ended, &["work"])), "claudectl: work · session ended"),
            (Some(Status::default()), "claudectl: not a session"),
            (None, "claudectl: no daemon · claudectl login"),
        ];
        for (status, expected) in table {
            assert_eq!(line(status.as_ref(), "1"), expected);
        }
    }
}
