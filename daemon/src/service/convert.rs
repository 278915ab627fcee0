//! Core → messages.

pub(super) mod desktop;

use std::collections::BTreeMap;

use claudectl_core::{
    account::{Account, Route},
    credential::CredentialKind,
    engine::Snapshot,
    error::Refusal,
    ids::{AccountName, SessionId},
    policy::rules::Why,
    receipt::{Outcome, Place, Receipt, ReceiptItem},
    session::{Session, SessionState, Transport},
};
use claudectl_proto::v1;

use crate::{config::Configuration, meter::Reading};

/// One account, as others may see it.
pub(super) fn account(account: &Account, is_default: bool, sessions: usize) -> v1::Account {
    v1::Account {
        name: account.name.to_string(),
        kind: match account.kind {
            CredentialKind::ApiKey => v1::CredentialKind::ApiKey,
        }
        .into(),
        is_default,
        route: Some(route(&account.route)),
        logged_in_at: account.logged_in_at,
        checked: account.checked,
        sessions: u32::try_from(sessions).unwrap_or(u32::MAX),
        generation: account.generation.0,
    }
}

fn route(route: &Route) -> v1::Route {
    v1::Route {
        upstream: route.upstream.clone(),
        proxy: route.proxy.clone().unwrap_or_default(),
        ca_file: route.ca_file.clone().unwrap_or_default(),
    }
}

/// Every account, by name.
pub(super) fn accounts(snapshot: &Snapshot) -> Vec<v1::Account> {
    let open = |name: &AccountName| {
        let uses = |session: &&Session| session.account == *name && session.state == SessionState::Open;
        snapshot.sessions.values().filter(uses).count()
    };
    let is_default = |name: &AccountName| snapshot.default.as_ref() == Some(name);
    snapshot.accounts.values().map(|one| account(one, is_default(&one.name), open(&one.name))).collect()
}

/// Every session, by opening time.
pub(super) fn sessions(snapshot: &Snapshot, readings: &BTreeMap<SessionId, Reading>) -> Vec<v1::Session> {
    let mut sessions: Vec<_> = snapshot.sessions.values().collect();
    sessions.sort_by_key(|session| (session.opened_at, session.id));
    sessions.into_iter().map(|one| session(one, readings.get(&one.id))).collect()
}

/// One session, as others may see it.
pub(super) fn session(session: &Session, reading: Option<&Reading>) -> v1::Session {
    v1::Session {
        id: session.id.to_string(),
        account: session.account.to_string(),
        pid: session.process.pid,
        program: session.program.clone(),
        directory: session.directory.clone(),
        transport: match session.transport {
            Transport::Unix => v1::Transport::Unix,
            Transport::Tcp => v1::Transport::Tcp,
        }
        .into(),
        children: session.children,
        state: match session.state {
            SessionState::Open => v1::SessionState::Open,
            SessionState::LoggedOut { .. } => v1::SessionState::LoggedOut,
            SessionState::Ended { .. } => v1::SessionState::Ended,
        }
        .into(),
        opened_at: session.opened_at,
        usage: reading.map(usage),
        refused_peers: session.refused_peers,
    }
}

fn usage(reading: &Reading) -> v1::Usage {
    v1::Usage {
        requests: reading.requests,
        request_bytes: reading.request_bytes,
        response_bytes: reading.response_bytes,
        input_tokens: reading.input_tokens,
        output_tokens: reading.output_tokens,
        last_request_at: reading.last_request_at,
        open_streams: reading.open_streams,
    }
}

/// The configuration.
pub(super) fn configuration(configuration: &Configuration) -> v1::Configuration {
    v1::Configuration {
        path: configuration.path.display().to_string(),
        present: configuration.present,
        error: configuration.error.clone().unwrap_or_default(),
    }
}

/// The receipt.
pub(super) fn receipt(receipt: &Receipt) -> v1::Receipt {
    v1::Receipt {
        issued_at: receipt.issued_at,
        accounts: receipt.accounts.iter().map(ToString::to_string).collect(),
        sessions_ended: u32::try_from(receipt.sessions_ended).unwrap_or(u32::MAX),
        items: receipt.items.iter().map(item).collect(),
    }
}

fn item(item: &ReceiptItem) -> v1::ReceiptItem {
    let place = match &item.place {
        Place::Memory => format!("memory of claudectld (pid {})", std::process::id()),
        Place::Upstream(url) => url.clone(),
    };
    let (action, proof, outcome) = match item.outcome {
        Outcome::Wiped(bytes) => {
            ("wiped", format!("{bytes} bytes overwritten and read back as zeros"), v1::Outcome::Proven)
        }
        Outcome::WipedUnproven(bytes) => {
            ("wiped", format!("{bytes} bytes overwritten, not read back as zeros"), v1::Outcome::Unproven)
        }
        Outcome::OutOfReach => ("none", revocation(&item.place), v1::Outcome::OutOfReach),
    };
    v1::ReceiptItem {
        account: item.account.to_string(),
        what: item.what.to_owned(),
        r#where: place,
        action: action.to_owned(),
        proof,
        outcome: outcome.into(),
    }
}

/// Who can make an upstream stop accepting an API key, and where.
fn revocation(place: &Place) -> String {
    match place {
        Place::Upstream(url) if url == Route::ANTHROPIC => {
            "an API key stays valid until it is deleted at https://platform.claude.com/settings/keys".into()
        }
        _ => "stays valid until whoever issued it revokes it".into(),
    }
}

/// One measure that protects the daemon.
pub(super) fn protection(protection: &claudectl_platform::hardening::Protection) -> v1::Protection {
    v1::Protection {
        name: protection.name.to_owned(),
        active: protection.active,
        detail: protection.detail.clone(),
    }
}

/// What a session in a directory would get, and why.
pub(super) fn here(choice: &Result<(AccountName, Why), Refusal>) -> v1::Here {
    match choice {
        Ok((account, why)) => v1::Here {
            account: account.to_string(),
            why: match why {
                Why::Named => "it was named".to_owned(),
                Why::Rule(directory) => format!("the rule for {directory}"),
                Why::Default => "the default account".to_owned(),
            },
        },
        Err(refusal) => v1::Here { account: String::new(), why: refusal.to_string() },
    }
}
