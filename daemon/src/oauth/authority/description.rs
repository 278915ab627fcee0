//! Everything that makes an authorization server this one.

use claudectl_core::account::Route;
use serde::{Deserialize, Serialize};

use super::{AuthorityError, EndpointUrl, Network, metadata::Metadata};
use crate::{
    config::{AuthorizationServer, Inject},
    proxy::upstream::{RouteError, Target},
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
    /// Whether every authorization response names the issuer (RFC 9207).
    pub names_issuer: bool,
    /// Whether authorization responses can come as a form.
    pub form_post: bool,
    /// Whether it said that it does not take PKCE with SHA-256.
    pub refuses_s256: bool,
    /// Base URL of the API that takes the tokens.
    pub upstream: String,
    /// How a token is put into a request.
    pub inject: Inject,
    /// HTTP proxy to tunnel through.
    pub proxy: Option<String>,
    /// PEM file of further trust roots.
    pub ca_file: Option<String>,
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

impl Description {
    pub(super) fn new(
        name: &str,
        settings: &AuthorizationServer,
        network: &Network,
        metadata: Metadata,
    ) -> Result<Self, AuthorityError> {
        let (names_issuer, form_post, refuses_s256) = (
            metadata.authorization_response_iss_parameter_supported,
            metadata.takes_form_post(),
            metadata.refuses_s256(),
        );
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
            names_issuer,
            form_post,
            refuses_s256,
            upstream: settings.upstream.clone(),
            inject: settings.inject,
            proxy: network.proxy.clone(),
            ca_file: network.ca_file.clone(),
        })
    }

    /// How its servers are reached.
    pub(super) fn network(&self) -> Network {
        Network { proxy: self.proxy.clone(), ca_file: self.ca_file.clone() }
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
