//! Core → messages.

pub(super) mod desktop;

use std::collections::BTreeMap;

use claudectl_core::{
    account::{Account, Expiry, Grant, Holding, Profile, Route},
    credential::CredentialKind,
    engine::Snapshot,
    error::Refusal,
    ids::{AccountName, SessionId},
    policy::rules::Why,
    receipt::Receipt,
    session::{Session, SessionState, Transport},
};
use claudectl_proto::v1;

use crate::{config::Configuration, effects::SignIn, meter::Reading};

/// One account, as others may see it.
pub(super) fn account(account: &Account, is_default: bool, sessions: usize) -> v1::Account {
    let (state, why, since) = state(account);
    let obtained = &account.obtained;
    let ends = |expiry: Expiry| expiry.obtained_at.saturating_add_unsigned(expiry.lifetime.as_secs());
    v1::Account {
        name: account.name.to_string(),
        kind: kind(account.kind).into(),
        is_default,
        route: Some(route(&obtained.route)),
        logged_in_at: account.logged_in_at,
        checked: account.checked,
        sessions: u32::try_from(sessions).unwrap_or(u32::MAX),
        generation: account.generation.0,
        state: state.into(),
        why,
        since,
        kept: account.kept,
        kept_error: account.kept_stale.clone().unwrap_or_default(),
        authority: account.authority.clone().unwrap_or_default(),
        profile: Some(profile(&obtained.profile)),
        expires_at: account.expiry.map_or(0, ends),
        renewable: obtained.renewable,
    }
}

fn kind(kind: CredentialKind) -> v1::CredentialKind {
    match kind {
        CredentialKind::ApiKey => v1::CredentialKind::ApiKey,
        CredentialKind::Oauth => v1::CredentialKind::Oauth,
        CredentialKind::Subscription => v1::CredentialKind::Subscription,
    }
}

/// Where the credential is; why and since when, if it is not at hand.
fn state(account: &Account) -> (v1::AccountState, String, i64) {
    match &account.holding {
        Holding::Held { .. } if account.is_waiting => {
            let why = account.renewal_error.clone().unwrap_or_default();
            (v1::AccountState::Renewing, why, 0)
        }
        Holding::Held { .. } => {
            (v1::AccountState::Held, account.renewal_error.clone().unwrap_or_default(), 0)
        }
        Holding::Sealed { since, cause, .. } => {
            (v1::AccountState::Sealed, cause.words().trim_start().to_owned(), *since)
        }
        Holding::Rejected { since, why } => (v1::AccountState::LoginNeeded, why.clone(), *since),
    }
}

fn profile(profile: &Profile) -> v1::Profile {
    v1::Profile {
        email: profile.email.clone().unwrap_or_default(),
        organization: profile.organization.clone().unwrap_or_default(),
        plan: profile.plan.clone().unwrap_or_default(),
        scopes: profile.scopes.clone(),
    }
}

/// What the person has to do to sign in.
pub(super) fn sign_in(sign_in: SignIn) -> v1::SignIn {
    let SignIn { grant, url, complete_url, code, expires_in, intake, origin, fingerprint, first_use } =
        sign_in;
    let grant = match grant {
        Grant::Browser => v1::Grant::Browser,
        Grant::Paste => v1::Grant::Paste,
        Grant::Device => v1::Grant::Device,
    };
    v1::SignIn {
        grant: grant.into(),
        url,
        complete_url,
        code,
        expires_in,
        intake,
        origin,
        fingerprint,
        first_use,
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
            SessionState::Frozen => v1::SessionState::Frozen,
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
        items: receipt.items.iter().map(super::receipt::item).collect(),
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

/// A credential that the guard noticed.
pub(super) fn stray(stray: crate::guard::Stray) -> v1::Stray {
    let crate::guard::Stray { what, place, account, noticed_at, removed, done } = stray;
    let account = account.unwrap_or_default();
    v1::Stray { what, r#where: place, noticed_at, removed, done, account }
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
            is_sealed: false,
        },
        Err(refusal) => v1::Here {
            account: String::new(),
            why: refusal.to_string(),
            is_sealed: matches!(refusal, Refusal::Sealed(_)),
        },
    }
}
