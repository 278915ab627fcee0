//! One endpoint of an authorization server.

use std::{collections::BTreeMap, sync::Arc};

use claudectl_core::account::Route;

use super::Network;
use crate::proxy::upstream::{Fingerprint, RouteError, Target, Upstream};

/// A URL that may be an endpoint: `https://`, or `http://` on loopback; no user name, no fragment, and
/// nothing that a terminal, a shell or a second parser could take for something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EndpointUrl {
    origin: String,
    path: String,
    host: String,
    is_tls: bool,
    is_loopback: bool,
}

impl EndpointUrl {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// [`RouteError`], as for an upstream.
    pub(crate) fn parse(url: &str) -> Result<Self, RouteError> {
        let authority = url.find("://").map_or(0, |at| at + 3);
        let rest = url.get(authority..).unwrap_or_default();
        let end = authority + rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (origin, path) = url.split_at(end);
        let target = Target::parse(origin)?;
        if path.contains('#') {
            return Err(RouteError::Extra(target.authority()));
        }
        if !path.chars().all(is_plain) {
            return Err(RouteError::Path(target.authority()));
        }
        let scheme = if target.tls { "https" } else { "http" };
        Ok(Self {
            origin: format!("{scheme}://{}", target.host_header()),
            path: if path.starts_with('/') { path.to_owned() } else { format!("/{path}") },
            host: target.host_header(),
            is_tls: target.tls,
            is_loopback: target.is_loopback(),
        })
    }

    /// Scheme, host and port (without the scheme's own), in lower case.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Path and query.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Host, and port where it is not the scheme's own.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Whether TLS is spoken.
    pub(crate) fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// The way to it. A proxy is for other machines, and trust roots are for TLS.
    pub(crate) fn route(&self, network: &Network) -> Route {
        Route {
            upstream: self.origin.clone(),
            proxy: network.proxy.clone().filter(|_| !self.is_loopback),
            ca_file: network.ca_file.clone().filter(|_| self.is_tls),
        }
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/-._~!$&'()*+,;=:@%?".contains(c)
}

/// An endpoint, and the way to it.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    url: EndpointUrl,
    upstream: Arc<Upstream>,
}

impl Endpoint {
    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> &str {
        self.url.origin()
    }

    /// Path and query.
    pub(crate) fn path(&self) -> &str {
        self.url.path()
    }

    /// The URL.
    pub(crate) fn url(&self) -> String {
        format!("{}{}", self.url.origin, self.url.path)
    }

    /// The way to it.
    pub(crate) fn upstream(&self) -> &Upstream {
        &self.upstream
    }
}

/// Builds the ways to endpoints: one per origin, so that trust roots are read once for each.
#[derive(Debug, Default)]
pub(crate) struct Ways {
    by_origin: BTreeMap<String, Arc<Upstream>>,
    pin: Option<Fingerprint>,
}

impl Ways {
    /// Ways to one server, which must have this certificate.
    pub(crate) fn pinned(pin: Option<Fingerprint>) -> Self {
        Self { pin, ..Self::default() }
    }

    /// The way to this endpoint.
    pub(super) async fn to(&mut self, url: &str, network: &Network) -> Result<Endpoint, RouteError> {
        let url = EndpointUrl::parse(url)?;
        if let Some(upstream) = self.by_origin.get(&url.origin) {
            return Ok(Endpoint { url, upstream: Arc::clone(upstream) });
        }
        let upstream = Arc::new(Upstream::pinned(&url.route(network), self.pin).await?);
        self.by_origin.insert(url.origin.clone(), Arc::clone(&upstream));
        Ok(Endpoint { url, upstream })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints() {
        let url = EndpointUrl::parse("HTTPS://Login.Example:443/oauth2/token?tenant=a%20b").unwrap();
        assert_eq!((url.origin(), url.path()), ("https://login.example", "/oauth2/token?tenant=a%20b"));
        let url = EndpointUrl::parse("http://127.0.0.1:9000?x=y").unwrap();
        assert_eq!((url.origin(), url.path()), ("http://127.0.0.1:9000", "/?x=y"));
        assert!(EndpointUrl::parse("https://[::1]:9000/a").unwrap().is_loopback);
    }

    #[test]
    fn refusals() {
        for url in [
            "http://login.example/token",
            "ftp://login.example/",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "https://me:pw@login.example/",
            "https://login.example/#x",
            "https://login.example/a b",
            "https://login.example/\r\nX: y",
            "https://login.example/\u{1b}[2J",
            "https://login.example/$(id)`id`\"",
            "",
        ] {
            assert!(EndpointUrl::parse(url).is_err(), "{url:?}");
        }
    }

    #[test]
    fn loopback_is_never_asked_through_a_proxy() {
        let network = Network { proxy: Some("http://proxy:3128".into()), ca_file: Some("/ca.pem".into()) };
        let route = |url: &str| EndpointUrl::parse(url).unwrap().route(&network);
        let local = route("http://localhost:1/token");
        assert_eq!((local.proxy, local.ca_file), (None, None));
        let remote = route("https://login.example/token");
        assert_eq!((remote.proxy, remote.ca_file), (network.proxy.clone(), network.ca_file.clone()));
    }
}
