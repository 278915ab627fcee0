//! An authorization server, fixed at login (threat T27).

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Header;
use crate::{
    config::AuthorizationServer,
    proxy::upstream::{RouteError, Upstream},
};

/// How servers are reached: what `[upstream]` of the configuration and the login's own options say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    /// HTTP proxy to tunnel through; never used for loopback.
    pub proxy: Option<String>,
    /// PEM file of further trust roots; not used for loopback without TLS.
    pub ca_file: Option<String>,
}

/// Everything that makes an authorization server this one. Holds no secret; a kept account's keyring
/// record carries it, so that nothing has to be looked up (and nothing can be replaced) later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// As the configuration calls it; for a gateway its host.
    pub name: String,
    /// Issuer identifier (RFC 8414 section 2), or what stands in for it.
    pub issuer: String,
}

/// An authorization server, and the ways to it.
#[derive(Debug)]
pub struct Authority {
    description: Description,
}

/// Why a server cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// What the configuration says about it makes no sense.
    #[error("authorization server {name}: {why}")]
    Settings {
        /// Its name.
        name: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// Its metadata could not be had.
    #[error("{origin} {why}")]
    Unreachable {
        /// Scheme, host and port.
        origin: String,
        /// What went wrong.
        why: String,
    },
    /// Its metadata cannot be trusted or used.
    #[error("the metadata of {origin} {why}")]
    Metadata {
        /// Scheme, host and port.
        origin: String,
        /// What is wrong with it.
        why: String,
    },
    /// The way to it cannot be built.
    #[error(transparent)]
    Route(#[from] RouteError),
}

impl Authority {
    /// Finds a server of the configuration (RFC 8414, OpenID Connect Discovery; nothing is asked if
    /// the configuration names the endpoints).
    ///
    /// # Errors
    /// [`AuthorityError`]
    pub async fn discover(
        name: &str,
        settings: &AuthorizationServer,
        network: &Network,
    ) -> Result<Self, AuthorityError> {
        let _ = (settings, network);
        Err(AuthorityError::Settings { name: name.into(), why: "not built yet".into() })
    }

    /// Finds an organisation's gateway, and pins its certificate on first use: `known` is the file of
    /// pins. `accepted` is the SHA-256 (hexadecimal) that the person expects, if they named one.
    ///
    /// # Errors
    /// [`AuthorityError`], among them a certificate that is not the pinned one.
    pub async fn gateway(
        url: &str,
        network: &Network,
        known: &Path,
        accepted: Option<&str>,
    ) -> Result<Self, AuthorityError> {
        let _ = (network, known, accepted);
        Err(AuthorityError::Settings { name: url.into(), why: "not built yet".into() })
    }

    /// The same server again, from what a keyring record says. Asks nobody; reads the trust roots.
    ///
    /// # Errors
    /// [`AuthorityError::Route`]
    pub async fn build(description: Description) -> Result<Self, AuthorityError> {
        Ok(Self { description })
    }

    /// What makes it this one.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// As the configuration calls it; for a gateway its host.
    pub fn name(&self) -> &str {
        &self.description.name
    }

    /// Scheme, host and port of the page where people sign in: what they should recognise.
    pub fn origin(&self) -> &str {
        &self.description.issuer
    }

    /// How its tokens are injected.
    pub fn header(&self) -> Header {
        Header::Bearer
    }

    /// Whether it takes revocations (RFC 7009).
    pub fn is_revocable(&self) -> bool {
        false
    }

    /// Builds the way to the account's upstream, with this server's trust, proxy and pin.
    ///
    /// # Errors
    /// [`RouteError`]
    pub async fn upstream(&self) -> Result<Upstream, RouteError> {
        Upstream::build(&claudectl_core::account::Route {
            upstream: String::new(),
            proxy: None,
            ca_file: None,
        })
        .await
    }
}
