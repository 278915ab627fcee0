//! An account ⇄ what is written into the keyring.

use std::{sync::Arc, time::Duration};

use claudectl_core::{
    account::{Account, Obtained, Profile, Route},
    credential::{CredentialKind, Header},
    error::Refusal,
};

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
        ca_digest: ca_digests(&held.upstream, held.authority.as_deref()).next().map(ToOwned::to_owned),
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
    // What was read for them just now, and not what the file is before or after.
    let was_at_login = |digest: &str| Some(digest) == details.ca_digest.as_deref();
    if !ca_digests(&upstream, authority.as_deref()).all(was_at_login) {
        return Err(broken("the file of trust roots is not the one that it was at login"));
    }
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

/// SHA-256 of the file of trust roots, as each way to the account's servers read it: at login, or when the
/// account was loaded and it was the same.
fn ca_digests<'a>(upstream: &'a Upstream, authority: Option<&'a Authority>) -> impl Iterator<Item = &'a str> {
    upstream.ca_digest().into_iter().chain(authority.into_iter().flat_map(Authority::ca_digests))
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

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use claudectl_core::{
        account::{Holding, Renewal},
        ids::{Generation, SecretId},
    };
    use claudectl_platform::memory::SecretPage;

    use super::*;
    use crate::{
        config::Inject,
        oauth::authority::{Description, Endpoints},
    };

    fn account(route: Route) -> Account {
        Account {
            name: "work".parse().unwrap(),
            kind: CredentialKind::Oauth,
            authority: None,
            obtained: Obtained {
                header: Header::Bearer,
                route,
                profile: Profile::default(),
                lifetime: None,
                renewable: false,
                revocable: false,
            },
            holding: Holding::Held { secret: SecretId(0) },
            generation: Generation(1),
            login: Generation(1),
            checked: false,
            logged_in_at: 0,
            kept: true,
            kept_stale: None,
            expiry: None,
            renewal: Renewal::Never,
            renewal_error: None,
            renewed_at: Duration::ZERO,
            is_waiting: false,
        }
    }

    fn write_root(path: &Path) {
        let root = rcgen::generate_simple_self_signed(vec!["127.0.0.1".into()]).unwrap();
        fs::write(path, root.cert.pem()).unwrap();
    }

    fn held(upstream: Upstream, authority: Option<Authority>) -> Held {
        let mut rest = &b"TEST"[..];
        let access = SecretPage::fill(|free| std::io::Read::read(&mut rest, free)).unwrap();
        let (upstream, authority) = (Arc::new(upstream), authority.map(Arc::new));
        Held { access: Arc::new(access), refresh: None, upstream, authority }
    }

    /// A server with TLS whose tokens are for an upstream without.
    async fn authority(ca_file: &str) -> Authority {
        let endpoints = Endpoints { token: "https://127.0.0.1:1/token".into(), ..Endpoints::default() };
        let description = Description {
            name: "acme".into(),
            issuer: None,
            endpoints,
            client_id: "x".into(),
            scopes: Vec::new(),
            paste_redirect_uri: None,
            features: BTreeSet::new(),
            upstream: "http://127.0.0.1:1".into(),
            inject: Inject::Bearer,
            proxy: None,
            ca_file: Some(ca_file.into()),
            pin: None,
        };
        Authority::build(description).await.unwrap()
    }

    /// Whatever is stored again after the file was replaced: the account is loaded with the file that it was
    /// logged in with, or not at all.
    #[tokio::test]
    async fn trust_roots_that_were_replaced_after_the_login_are_never_trusted() {
        let directory = tempfile::tempdir().unwrap();
        let (file, old) = (directory.path().join("ca.pem"), directory.path().join("old.pem"));
        write_root(&old);
        fs::copy(&old, &file).unwrap();
        let ca_file = file.to_str().unwrap();
        let route =
            Route { upstream: "https://127.0.0.1:1".into(), proxy: None, ca_file: Some(ca_file.into()) };
        let over_tls = held(Upstream::build(&route).await.unwrap(), None);
        let authority = authority(ca_file).await;
        let over_loopback = held(authority.upstream().await.unwrap(), Some(authority));
        for held in [over_tls, over_loopback] {
            fs::copy(&old, &file).unwrap();
            let account = account(held.upstream.route().clone());
            read(write(&account, &held)).await.expect("the same file");
            write_root(&file);
            let refused = read(write(&account, &held)).await.expect_err("another file");
            assert!(refused.to_string().contains("not the one that it was at login"), "{refused}");
            fs::copy(&old, &file).unwrap();
            read(write(&account, &held)).await.expect("the same file again");
        }
    }
}
