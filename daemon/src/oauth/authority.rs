//! An authorization server, fixed at login (threat T27).

mod description;
mod endpoint;
mod metadata;

use std::path::Path;

pub use self::description::{Description, Endpoints, Feature};
pub(crate) use self::{
    endpoint::{Endpoint, EndpointUrl, Ways},
    metadata::Metadata,
};
use super::{
    Header,
    gateway::{self, Found, Pin},
};
use crate::{
    config::{AuthorizationServer, Inject},
    proxy::upstream::{Fingerprint, RouteError, Upstream},
};

/// How servers are reached: what `[upstream]` of the configuration and the login's own options say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    /// HTTP proxy to tunnel through; never used for loopback.
    pub proxy: Option<String>,
    /// PEM file of further trust roots; not used where there is no TLS.
    pub ca_file: Option<String>,
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
    #[error("no metadata of {issuer}: {why}")]
    Unreachable {
        /// Its issuer identifier.
        issuer: String,
        /// What went wrong.
        why: String,
    },
    /// Its metadata cannot be trusted or used.
    #[error("the metadata of {issuer} {why}")]
    Metadata {
        /// Its issuer identifier.
        issuer: String,
        /// What is wrong with them.
        why: String,
    },
    /// Its certificate is not the one that was expected.
    #[error(
        "the gateway {host} shows the certificate {found}, and {expected} was expected: somebody may be in \
         between. If its operator confirms the new one, log in with --fingerprint {found}, or take its line out \
         of {noted_in}"
    )]
    Certificate {
        /// The gateway.
        host: String,
        /// SHA-256 of what was pinned or accepted.
        expected: String,
        /// SHA-256 of what it shows.
        found: String,
        /// The file of pins.
        noted_in: String,
    },
    /// The way to it cannot be built.
    #[error(transparent)]
    Route(#[from] RouteError),
}

impl AuthorityError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Settings { .. } => "correct it, and run `claudectl reload` if it is in the configuration",
            Self::Unreachable { .. } => {
                "check the network, the proxy and the trust roots (--ca-file), then run the login again"
            }
            Self::Metadata { .. } => {
                "check that it is the right server, written exactly as it names itself; else its operator has to know"
            }
            Self::Certificate { .. } => "ask its operator before you go on",
            Self::Route(_) => "name a server that can be reached, then run the login again",
        }
    }
}

/// An authorization server, and the ways to it.
#[derive(Debug)]
pub struct Authority {
    description: Description,
    authorization: Option<EndpointUrl>,
    token: Endpoint,
    device: Option<Endpoint>,
    revocation: Option<Endpoint>,
    userinfo: Option<Endpoint>,
    certificate: Option<Fingerprint>,
    pin: Option<Pin>,
}

impl Authority {
    /// Finds a server of the configuration (RFC 8414, OpenID Connect Discovery; nobody is asked if
    /// the configuration has no issuer and names the endpoints).
    ///
    /// # Errors
    /// [`AuthorityError`]
    pub async fn discover(
        name: &str,
        settings: &AuthorizationServer,
        network: &Network,
    ) -> Result<Self, AuthorityError> {
        let mut ways = Ways::default();
        let metadata = match &settings.issuer {
            Some(issuer) => {
                let metadata = Metadata::fetch(issuer, network, &mut ways).await?;
                metadata.check_endpoints()?;
                metadata
            }
            None => Metadata::default(),
        };
        let description = Description::new(name, settings, network, metadata)?;
        Self::reach(description, ways).await
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
        let Found { description, ways, pin } = gateway::find(url, network, known, accepted).await?;
        let authority = Self::reach(description, ways).await?;
        Ok(Self { pin, ..authority })
    }

    /// The same server again, from what a keyring record says. Asks nobody; reads the trust roots.
    ///
    /// # Errors
    /// [`AuthorityError::Route`]
    pub async fn build(description: Description) -> Result<Self, AuthorityError> {
        let ways = Ways::pinned(description.pin()?);
        Self::reach(description, ways).await
    }

    async fn reach(description: Description, mut ways: Ways) -> Result<Self, AuthorityError> {
        let (network, certificate) = (description.network(), description.pin()?);
        let endpoints = &description.endpoints;
        let authorization = endpoints.authorization.as_deref().map(EndpointUrl::parse).transpose()?;
        let token = ways.to(&endpoints.token, &network).await?;
        let mut other = async |url: &Option<String>| match url {
            Some(url) => ways.to(url, &network).await.map(Some),
            None => Ok(None),
        };
        let device = other(&endpoints.device_authorization).await?;
        let revocation = other(&endpoints.revocation).await?;
        let userinfo = other(&endpoints.userinfo).await?;
        Ok(Self { description, authorization, token, device, revocation, userinfo, certificate, pin: None })
    }

    /// What makes it this one.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// As the configuration calls it; for a gateway its host.
    pub fn name(&self) -> &str {
        &self.description.name
    }

    /// Scheme, host and port of where people sign in: what they should recognise.
    pub fn origin(&self) -> &str {
        self.authorization.as_ref().map_or_else(|| self.token.origin(), EndpointUrl::origin)
    }

    /// How its tokens are injected.
    pub fn header(&self) -> Header {
        match self.description.inject {
            Inject::Bearer => Header::Bearer,
            Inject::XApiKey => Header::XApiKey,
        }
    }

    /// Whether it takes revocations (RFC 7009).
    pub fn is_revocable(&self) -> bool {
        self.revocation.is_some()
    }

    /// Builds the way to the account's upstream, with this server's trust, proxy and pin.
    ///
    /// # Errors
    /// [`RouteError`]
    pub async fn upstream(&self) -> Result<Upstream, RouteError> {
        Upstream::pinned(&self.description.route()?, self.certificate).await
    }

    /// SHA-256 (hexadecimal) of the file of further trust roots, as each way to this server read it.
    pub fn ca_digests(&self) -> impl Iterator<Item = &str> {
        let others = [&self.device, &self.revocation, &self.userinfo].into_iter().flatten();
        std::iter::once(&self.token).chain(others).filter_map(|endpoint| endpoint.upstream().ca_digest())
    }

    /// SHA-256 (hexadecimal) of the certificate of a gateway: for people to compare.
    pub fn fingerprint(&self) -> Option<&str> {
        self.description.pin.as_deref()
    }

    /// Whether nobody signed in at this gateway before, with this certificate.
    pub fn is_first_use(&self) -> bool {
        self.pin.as_ref().is_some_and(|pin| pin.note.is_some())
    }

    /// Notes the certificate for the next login.
    pub(super) fn note_pin(&self) -> std::io::Result<()> {
        match &self.pin {
            Some(Pin { fingerprint, note: Some(known) }) => known.note(*fingerprint),
            _ => Ok(()),
        }
    }

    /// Where people sign in.
    pub(super) fn authorization(&self) -> Option<&EndpointUrl> {
        self.authorization.as_ref()
    }

    /// Where codes and refresh tokens become access tokens.
    pub(super) fn token(&self) -> &Endpoint {
        &self.token
    }

    /// Where device codes come from.
    pub(super) fn device(&self) -> Option<&Endpoint> {
        self.device.as_ref()
    }

    /// Where tokens are revoked.
    pub(super) fn revocation(&self) -> Option<&Endpoint> {
        self.revocation.as_ref()
    }

    /// Who an access token belongs to.
    pub(super) fn userinfo(&self) -> Option<&Endpoint> {
        self.userinfo.as_ref()
    }
}
