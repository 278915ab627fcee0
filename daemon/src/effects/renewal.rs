//! What is asked of an authorization server while an account is held: new tokens, and in the end to
//! revoke them.

use std::{sync::Arc, time::Duration};

use claudectl_core::{
    event::{Event, Refreshed, Revocation},
    ids::{AccountName, Generation, SecretId},
};
use tokio::sync::mpsc;

use super::{
    arrival::{Arrival, From},
    vault::Held,
};
use crate::oauth::{self, Part, RefreshOutcome, TokenSet};

/// Asks for a new access token. It is not cut short: the server may have replaced the refresh token already. A
/// logout that comes meanwhile waits for the tokens, to revoke them.
pub(super) fn refresh(
    account: AccountName,
    generation: Generation,
    held: Held,
    arrivals: mpsc::Sender<Arrival>,
    events: mpsc::Sender<Event>,
) {
    tokio::spawn(async move {
        let outcome = match (&held.authority, &held.refresh) {
            (Some(authority), Some(token)) => oauth::refresh(authority, token).await,
            _ => RefreshOutcome::Rejected { why: "there is no refresh token".into() },
        };
        tracing::info!(account = %account, outcome = told(&outcome), "refresh");
        let outcome = match outcome {
            RefreshOutcome::Refreshed(tokens) => {
                let (lifetime, scopes) = (tokens.lifetime, tokens.profile.scopes.clone());
                let held = renewed(*tokens, held);
                let from = From::Refresh { account, generation, lifetime, scopes };
                // If the engine is gone, dropping the pages wipes them.
                drop(arrivals.send(Arrival::new(held, from)).await);
                return;
            }
            RefreshOutcome::Transient { why, retry_after } => Refreshed::Transient { why, retry_after },
            RefreshOutcome::Rejected { why } => Refreshed::Rejected { why },
        };
        drop(events.send(Event::CredentialRefreshed { account, generation, outcome }).await);
    });
}

fn renewed(tokens: TokenSet, held: Held) -> Held {
    Held {
        access: Arc::new(tokens.access),
        // None means that the old one stays good (RFC 6749 section 6).
        refresh: tokens.refresh.map(Arc::new).or(held.refresh),
        ..held
    }
}

fn told(outcome: &RefreshOutcome) -> &str {
    match outcome {
        RefreshOutcome::Refreshed(_) => "renewed",
        RefreshOutcome::Transient { why, .. } | RefreshOutcome::Rejected { why } => why,
    }
}

/// Asks to revoke the tokens of a credential.
pub(super) fn revoke(secret: SecretId, held: Option<Held>, within: Duration, events: mpsc::Sender<Event>) {
    tokio::spawn(async move {
        let revocations = match &held {
            Some(held) => revocations(held, within).await,
            None => vec![not_asked("its tokens are not in memory any more")],
        };
        drop(events.send(Event::CredentialRevoked { secret, revocations }).await);
    });
}

/// What cannot be revoked is not passed over: nothing about it is proven.
fn not_asked(why: &str) -> Revocation {
    Revocation { part: Part::Access, endpoint: "the authorization server".into(), outcome: Err(why.into()) }
}

async fn revocations(held: &Held, within: Duration) -> Vec<Revocation> {
    let Some(authority) = &held.authority else { return vec![not_asked("nobody knows where")] };
    let revoked = oauth::revoke(authority, held.refresh.as_deref(), &held.access);
    if let Ok(revocations) = tokio::time::timeout(within, revoked).await {
        return revocations;
    }
    let parts = held.refresh.is_some().then_some(Part::Refresh).into_iter().chain([Part::Access]);
    let late = |part| Revocation {
        part,
        endpoint: authority.name().to_owned(),
        outcome: Err("the server did not answer in time".into()),
    };
    parts.map(late).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn of_tokens_that_are_gone_nobody_says_that_they_are_revoked() {
        let (events, mut told) = mpsc::channel(1);
        revoke(SecretId(0), None, Duration::ZERO, events);
        let Some(Event::CredentialRevoked { revocations, .. }) = told.recv().await else { panic!() };
        assert!(matches!(revocations.as_slice(), [Revocation { outcome: Err(_), .. }]), "{revocations:?}");
    }
}
