//! An account ⇄ what is written into the keyring.

use std::{fmt::Write as _, fs, sync::Arc, time::Duration};

use claudectl_core::{
    account::{Account, Obtained, Profile, Route},
    credential::{CredentialKind, Header},
    error::Refusal,
};
use ring::digest;

use crate::{
    effects::vault::Held,
    keyring::{self, Details, Expires, Record},
    oauth::Authority,
    proxy::upstream::Upstream,
};

/// What the keyring gets of an account.
pub(super) fn write(account: &Account, held: &Held) -> Record {
    let Obtained { header, route, profile, .. } = &account.obtained;
    let description = held.authority.as_ref().map(|authority| serde_json::to_value(authority.description()));
    let details = Details {
        account: account.name.to_string(),
        kind: kind_name(account.kind).to_owned(),
        header: header_name(*header).to_owned(),
        upstream: route.upstream.clone(),
        proxy: route.proxy.clone(),
        ca_file: route.ca_file.clone(),
        ca_digest: route.ca_file.as_deref().and_then(digest_of),
        authority: description.and_then(Result::ok),
        expires: account.expiry.map(|expiry| Expires {
            at: expiry.obtained_at.saturating_add_unsigned(expiry.lifetime.as_secs()),
            lifetime: expiry.lifetime.as_secs(),
        }),
        profile: keyring::Profile {
            email: profile.email.clone(),
            organization: profile.organization.clone(),
            plan: profile.plan.clone(),
            scopes: profile.scopes.clone(),
        },
        checked: account.checked,
        logged_in_at: account.logged_in_at,
    };
    Record { details, access: Arc::clone(&held.access), refresh: held.refresh.clone() }
}

/// The account's credential again, with the ways to its servers built anew as they were fixed at login.
/// Also returns when its access token was obtained, wall clock.
pub(super) async fn read(record: Record) -> Result<(Held, Obtained, i64), Refusal> {
    let Record { details, access, refresh } = record;
    let (Some(_), Some(header)) = (kind(&details.kind), header(&details.header)) else {
        return Err(broken("another claudectl wrote this entry of the keyring"));
    };
    if details.ca_file.as_deref().and_then(digest_of) != details.ca_digest {
        return Err(broken("the file of trust roots is not the one that it was at login"));
    }
    let authority = match details.authority {
        None => None,
        Some(description) => {
            let description = serde_json::from_value(description).map_err(|error| broken(&error))?;
            Some(Arc::new(Authority::build(description).await.map_err(|error| broken(&error))?))
        }
    };
    let route = Route { upstream: details.upstream, proxy: details.proxy, ca_file: details.ca_file };
    let upstream = match &authority {
        Some(authority) => authority.upstream().await,
        None => Upstream::build(&route).await,
    }
    .map_err(|error| broken(&error))?;
    let (lifetime, obtained_at) = match details.expires {
        Some(Expires { at, lifetime }) => {
            (Some(Duration::from_secs(lifetime)), at.saturating_sub_unsigned(lifetime))
        }
        None => (None, details.logged_in_at),
    };
    let profile = details.profile;
    let obtained = Obtained {
        header,
        route: upstream.route().clone(),
        profile: Profile {
            email: profile.email,
            organization: profile.organization,
            plan: profile.plan,
            scopes: profile.scopes,
        },
        lifetime,
        renewable: refresh.is_some(),
        revocable: authority.as_ref().is_some_and(|authority| authority.is_revocable()),
    };
    Ok((Held { access, refresh, upstream: Arc::new(upstream), authority }, obtained, obtained_at))
}

fn broken(why: &(impl ToString + ?Sized)) -> Refusal {
    Refusal::Keyring { why: why.to_string(), hint: "log the account out and in again" }
}

/// SHA-256 of a file, in hexadecimal. A file that cannot be read has none, which fits no other one.
fn digest_of(path: &str) -> Option<String> {
    let bytes = fs::read(path).ok()?;
    let digest = digest::digest(&digest::SHA256, &bytes);
    Some(digest.as_ref().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

pub(super) fn kind_name(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::ApiKey => "api_key",
        CredentialKind::Oauth => "oauth",
        CredentialKind::Subscription => "subscription",
    }
}

pub(super) fn kind(name: &str) -> Option<CredentialKind> {
    [CredentialKind::ApiKey, CredentialKind::Oauth, CredentialKind::Subscription]
        .into_iter()
        .find(|kind| kind_name(*kind) == name)
}

pub(super) fn header_name(header: Header) -> &'static str {
    match header {
        Header::XApiKey => "x-api-key",
        Header::Bearer => "bearer",
    }
}

pub(super) fn header(name: &str) -> Option<Header> {
    [Header::XApiKey, Header::Bearer].into_iter().find(|header| header_name(*header) == name)
}
