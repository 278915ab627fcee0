//! Where an account's requests go. Built once, at login, and never changed (threat T27).

mod connect;
mod pin;
mod pool;
mod target;
mod tls;
mod tunnel;
mod wire;

use std::sync::Arc;

use claudectl_core::account::Route;

pub(super) use self::wire::poll_read;
pub use self::{
    connect::ConnectError,
    pin::{Fingerprint, NotAFingerprint},
    target::RouteError,
};
use self::{pool::Pool, tls::Trust};
pub(crate) use self::{target::Target, wire::Wire};

/// The way to one upstream: address, trust roots, proxy, and idle connections.
#[derive(Debug)]
pub struct Upstream {
    route: Route,
    target: Target,
    proxy: Option<Target>,
    trust: Option<Trust>,
    host: String,
    pool: Arc<Pool>,
}

impl Upstream {
    /// Builds the way to an upstream: parses the URLs and, for `https`, reads the trust roots. No
    /// connection is made yet.
    ///
    /// # Errors
    /// [`RouteError`] says what cannot be used and what to do about it.
    pub async fn build(route: &Route) -> Result<Self, RouteError> {
        Self::pinned(route, None).await
    }

    /// As [`build`](Self::build), for a server that must have this certificate.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub async fn pinned(route: &Route, pin: Option<Fingerprint>) -> Result<Self, RouteError> {
        let target = Target::parse(&route.upstream)?;
        let proxy = route.proxy.as_deref().map(Target::parse_proxy).transpose()?;
        if proxy.is_some() && target.is_loopback() {
            return Err(RouteError::ProxyToLoopback(target.authority()));
        }
        let trust = match (target.tls, &route.ca_file) {
            (true, ca_file) => Some(Trust::load(ca_file.clone(), &target.host, pin).await?),
            (false, None) => None,
            (false, Some(_)) => return Err(RouteError::RootsWithoutTls(target.authority())),
        };
        let host = target.host_header();
        Ok(Self { route: route.clone(), target, proxy, trust, host, pool: Arc::default() })
    }

    /// The route it was built from.
    pub fn route(&self) -> &Route {
        &self.route
    }

    /// What the upstream's certificate is checked against, in a few words for `status`.
    pub fn trust(&self) -> &str {
        self.trust.as_ref().map_or("none: plain http on this machine", Trust::told)
    }

    /// SHA-256 (hexadecimal) of the file of further trust roots, as it was when it was read.
    pub fn ca_digest(&self) -> Option<&str> {
        self.trust.as_ref().and_then(Trust::ca_digest)
    }

    /// Whether only loopback addresses are ever connected to.
    pub fn is_loopback(&self) -> bool {
        self.target.is_loopback()
    }

    /// What every request's path starts with.
    pub(super) fn base(&self) -> &str {
        &self.target.base
    }

    /// The value of `Host`.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Idle connections.
    pub(super) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }
}
