//! Where an account's requests go. Built once, at login, and never changed (threat T27).

mod target;

use claudectl_core::account::Route;

pub use self::target::RouteError;
use self::target::Target;

/// The way to one upstream: address, trust roots, proxy, and idle connections.
#[derive(Debug)]
pub struct Upstream {
    route: Route,
    target: Target,
    trust: String,
}

impl Upstream {
    /// Builds the way to an upstream: parses the URLs and, for `https`, reads the trust roots. No
    /// connection is made yet.
    ///
    /// # Errors
    /// [`RouteError`] says what cannot be used and what to do about it.
    #[allow(clippy::unused_async, reason = "the signature is landed ahead of the code")]
    pub async fn build(route: &Route) -> Result<Self, RouteError> {
        let target = Target::parse(&route.upstream)?;
        let proxy = route.proxy.as_deref().map(Target::parse_proxy).transpose()?;
        if proxy.is_some() && target.is_loopback() {
            return Err(RouteError::ProxyToLoopback(target.authority()));
        }
        let trust = format!("not built yet, for {}", target.host_header());
        Ok(Self { route: route.clone(), target, trust })
    }

    /// The route it was built from.
    pub fn route(&self) -> &Route {
        &self.route
    }

    /// What the upstream's certificate is checked against, in a few words for `status`.
    pub fn trust(&self) -> &str {
        &self.trust
    }

    /// Whether only loopback addresses are ever connected to.
    pub fn is_loopback(&self) -> bool {
        self.target.is_loopback()
    }
}
