//! Where an account's requests go. Built once, at login, and never changed (threat T27).

use claudectl_core::account::Route;

/// The way to one upstream: address, trust roots, proxy, and idle connections.
#[derive(Debug)]
pub struct Upstream {
    route: Route,
}

impl Upstream {
    /// The route it was built from.
    pub fn route(&self) -> &Route {
        &self.route
    }
}
