//! Everything that makes an authorization server this one.

use std::collections::BTreeSet;

use claudectl_core::account::Route;
use serde::{Deserialize, Serialize};

use super::{AuthorityError, EndpointUrl, Network, metadata::Metadata};
use crate::{
    config::{AuthorizationServer, Inject},
    proxy::upstream::{Fingerprint, NotAFingerprint, RouteError, Target},
};

/// Everything that makes an authorization server this one. Holds no secret; a kept account's keyring
/// record carries it, so that nothing has to be looked up (and nothing can be replaced) later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// As the configuration calls it; for a gateway its host.
    pub name: String,
    /// Issuer identifier (RFC 8414 section 2), if it has one.
    pub issuer: Option<String>,
    /// Where it is asked.
    pub endpoints: Endpoints,
    /// As it knows us.
    pub client_id: String,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// The page of the server that shows the code to paste.
    pub paste_redirect_uri: Option<String>,
    /// What is special about it.
    pub features: BTreeSet<Feature>,
    /// Base URL of the API that takes the tokens.
    pub upstream: String,
    /// How a token is put into a request.
    pub inject: Inject,
    /// HTTP proxy to tunnel through.
    pub proxy: Option<String>,
    /// PEM file of further trust roots.
    pub ca_file: Option<String>,
    /// SHA-256 (hexadecimal) of the one certificate that it may have.
    pub pin: Option<String>,
}

/// Something that not every authorization server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Feature {
    /// Every authorization response names the issuer (RFC 9207).
    NamesIssuer,
    /// Authorization responses can come as a form, so that no URL ever has the code.
    FormPost,
    /// It said that it does not take PKCE with SHA-256.
    RefusesS256,
    /// It is a gateway, which is the account's upstream, too.
    Gateway,
}

/// Where an authorization server is asked: URLs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoints {
    /// Where people sign in.
    pub authorization: Option<String>,
    /// Where codes and refresh tokens become access tokens.
    pub token: String,
    /// Where device codes come from (RFC 8628).
    pub device_authorization: Option<String>,
    /// Where tokens are revoked (RFC 7009).
    pub revocation: Option<String>,
    /// Who an access token belongs to (OpenID Connect).
    pub userinfo: Option<String>,
}

impl Endpoints {
    /// Every URL.
    pub(crate) fn all(&self) -> impl Iterator<Item = &str> {
        let others = [&self.authorization, &self.device_authorization, &self.revocation, &self.userinfo];
        std::iter::once(self.token.as_str()).chain(others.into_iter().flatten().map(String::as_str))
    }
}

impl Description {
    pub(super) fn new(
        name: &str,
        settings: &AuthorizationServer,
        network: &Network,
        metadata: Metadata,
    ) -> Result<Self, AuthorityError> {
        let features = metadata.features();
        let settled = |ours: &Option<String>, theirs| ours.clone().or(theirs);
        let token = settled(&settings.token_endpoint, metadata.token_endpoint).ok_or_else(|| {
            let why = "it has no token endpoint: name an issuer or a token_endpoint".into();
            AuthorityError::Settings { name: name.into(), why }
        })?;
        let endpoints = Endpoints {
            authorization: settled(&settings.authorization_endpoint, metadata.authorization_endpoint),
            token,
            device_authorization: settled(
                &settings.device_authorization_endpoint,
                metadata.device_authorization_endpoint,
            ),
            revocation: settled(&settings.revocation_endpoint, metadata.revocation_endpoint),
            userinfo: settled(&settings.userinfo_endpoint, metadata.userinfo_endpoint),
        };
        Ok(Self {
            name: name.into(),
            issuer: settings.issuer.clone(),
            endpoints,
            client_id: settings.client_id.clone(),
            scopes: settings.scopes.clone(),
            paste_redirect_uri: settings.paste_redirect_uri.clone(),
            features,
            upstream: settings.upstream.clone(),
            inject: settings.inject,
            proxy: network.proxy.clone(),
            ca_file: network.ca_file.clone(),
            pin: None,
        })
    }

    /// Whether it has this about it.
    pub(crate) fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }

    /// How its servers are reached.
    pub(super) fn network(&self) -> Network {
        Network { proxy: self.proxy.clone(), ca_file: self.ca_file.clone() }
    }

    /// The one certificate that it may have.
    pub(super) fn pin(&self) -> Result<Option<Fingerprint>, AuthorityError> {
        let wrong = |error| AuthorityError::Settings { name: self.name.clone(), why: format!("{error}") };
        self.pin.as_deref().map(str::parse).transpose().map_err(|error: NotAFingerprint| wrong(error))
    }

    /// The way to the account's upstream.
    ///
    /// # Errors
    /// [`RouteError`] for a URL that cannot be one.
    pub fn route(&self) -> Result<Route, RouteError> {
        Target::parse(&self.upstream)?;
        let route = EndpointUrl::parse(&self.upstream)?.route(&self.network());
        Ok(Route { upstream: self.upstream.trim_end_matches('/').to_owned(), ..route })
    }

    /// The scopes in one text (RFC 6749 section 3.3).
    pub(crate) fn scope(&self) -> String {
        self.scopes.join(" ")
    }
}
