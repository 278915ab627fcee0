//! An organisation's Claude apps gateway: an authorization server that is the account's upstream, too.
//!
//! Its public protocol: metadata below the base URL, a device code (RFC 8628), a bearer token for
//! everything, refresh, and 401 for "log in again". It is trusted like a server of the configuration, and
//! by its certificate: pinned when it is used for the first time, like a host of ssh.

mod known;

use std::{collections::BTreeSet, path::Path};

pub(super) use self::known::Known;
use super::{
    Network,
    authority::{AuthorityError, Description, EndpointUrl, Endpoints, Feature, Metadata, Ways},
};
use crate::{
    config::Inject,
    proxy::upstream::{Fingerprint, Upstream},
};

/// How we name ourselves at a gateway, which registers no clients.
const CLIENT: &str = "claudectl";

/// What was found of a gateway.
pub(super) struct Found {
    pub(super) description: Description,
    pub(super) ways: Ways,
    pub(super) pin: Option<Pin>,
}

/// The certificate of a gateway.
#[derive(Debug)]
pub(super) struct Pin {
    pub(super) fingerprint: Fingerprint,
    /// Where it is noted once somebody signed in; `None` if it was before.
    pub(super) note: Option<Known>,
}

/// Looks at the gateway's certificate, then asks it for its metadata over nothing but that certificate.
pub(super) async fn find(
    url: &str,
    network: &Network,
    known: &Path,
    accepted: Option<&str>,
) -> Result<Found, AuthorityError> {
    let base = url.trim_end_matches('/');
    let place = EndpointUrl::parse(base)?;
    let wrong = |why: &str| AuthorityError::Metadata { issuer: base.to_owned(), why: why.to_owned() };
    let pin = pin(&place, network, Known::at(known, place.origin()), accepted).await?;
    let mut ways = Ways::pinned(pin.as_ref().map(|pin| pin.fingerprint));
    let metadata = Metadata::of_gateway(base, network, &mut ways).await?;
    let token = metadata.token_endpoint.ok_or_else(|| wrong("name no token endpoint"))?;
    let device = metadata
        .device_authorization_endpoint
        .ok_or_else(|| wrong("name no way to sign in by a device code"))?;
    let endpoints = Endpoints {
        authorization: None,
        token,
        device_authorization: Some(device),
        revocation: metadata.revocation_endpoint,
        userinfo: metadata.userinfo_endpoint,
    };
    // Whatever its metadata say: nobody else is asked.
    for endpoint in endpoints.all() {
        if EndpointUrl::parse(endpoint)?.origin() != place.origin() {
            return Err(wrong("lead to another server than itself"));
        }
    }
    let description = Description {
        name: place.host().to_owned(),
        issuer: None,
        endpoints,
        client_id: CLIENT.into(),
        scopes: Vec::new(),
        paste_redirect_uri: None,
        features: BTreeSet::from([Feature::Gateway]),
        upstream: base.to_owned(),
        inject: Inject::Bearer,
        proxy: network.proxy.clone(),
        ca_file: network.ca_file.clone(),
        pin: pin.as_ref().map(|pin| pin.fingerprint.to_string()),
    };
    Ok(Found { description, ways, pin })
}

/// The certificate that the gateway shows, if it is the one that is known or accepted, or the first.
async fn pin(
    place: &EndpointUrl,
    network: &Network,
    known: Known,
    accepted: Option<&str>,
) -> Result<Option<Pin>, AuthorityError> {
    let accepted: Option<Fingerprint> = accepted
        .map(|accepted| {
            let name = place.host().to_owned();
            accepted.parse().map_err(|error| AuthorityError::Settings { name, why: format!("{error}") })
        })
        .transpose()?;
    let unreachable = |why: String| AuthorityError::Unreachable { issuer: place.origin().to_owned(), why };
    let upstream = Upstream::build(&place.route(network)).await?;
    let shown = upstream.certificate().await.map_err(|error| unreachable(error.to_string()))?;
    let Some(fingerprint) = shown else { return Ok(None) };
    let noted = known.read().map_err(|error| unreachable(error.to_string()))?;
    let other = |expected: Fingerprint| AuthorityError::Certificate {
        host: place.host().to_owned(),
        expected: expected.to_string(),
        found: fingerprint.to_string(),
        noted_in: known.path().display().to_string(),
    };
    match (accepted, noted) {
        (Some(accepted), _) if accepted != fingerprint => Err(other(accepted)),
        (None, Some(noted)) if noted != fingerprint => Err(other(noted)),
        (_, Some(noted)) if noted == fingerprint => Ok(Some(Pin { fingerprint, note: None })),
        _ => Ok(Some(Pin { fingerprint, note: Some(known) })),
    }
}
