//! The URL of an upstream or of a proxy, taken apart.

use std::{net::IpAddr, path::PathBuf};

/// Why a route cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RouteError {
    /// Neither `https://` nor `http://`.
    #[error("{0}: an upstream starts with https:// (or http:// on this machine)")]
    Scheme(String),
    /// Plain HTTP to another machine.
    #[error(
        "{0}: plain http is only for an upstream on this machine (127.0.0.1, [::1], localhost); use https://"
    )]
    PlainRemote(String),
    /// User name or password in the URL.
    #[error(
        "the URL of {0} carries a user name or password: take it out; credentials are handed over with `claudectl login`"
    )]
    UserInfo(&'static str),
    /// A query or a fragment.
    #[error("{0}: an upstream is a base URL, without ? and #")]
    Extra(String),
    /// No host, or no such port.
    #[error("{0}: not a host name or address with an optional port")]
    Authority(String),
    /// The path has characters or steps that a path must not have.
    #[error("{0}: the path has characters or steps (.., \\, %) that a base URL must not have")]
    Path(String),
    /// A proxy that is not `http://host:port`.
    #[error("proxy {0}: only http://HOST:PORT is supported")]
    Proxy(String),
    /// A proxy to this machine itself.
    #[error("{0} is on this machine and is never reached through a proxy: leave the proxy out")]
    ProxyToLoopback(String),
    /// Trust roots for an upstream that has no certificate.
    #[error("{0} uses plain http, which has no certificate to check: leave the CA file out")]
    RootsWithoutTls(String),
    /// The CA file cannot be read.
    #[error("CA file {path}: {why}")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// No trust roots to be had.
    #[error("no trust roots: {0}; install the ca-certificates package or name a CA file")]
    Roots(String),
}

/// One server, and the path that every request to it starts with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Whether TLS is spoken.
    pub(crate) tls: bool,
    /// Host name or address, without brackets, in lower case.
    pub(crate) host: String,
    /// TCP port.
    pub(crate) port: u16,
    /// Path without a trailing slash; empty for none.
    pub(crate) base: String,
}

impl Target {
    /// Takes the URL of an upstream apart.
    pub(crate) fn parse(url: &str) -> Result<Self, RouteError> {
        let (tls, rest) = match (strip_scheme(url, "https://"), strip_scheme(url, "http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err(RouteError::Scheme(shown(url))),
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(RouteError::UserInfo("the upstream"));
        }
        if rest.contains(['?', '#']) {
            return Err(RouteError::Extra(shown(url)));
        }
        let base = path.trim_end_matches('/').to_owned();
        if !is_base_path(&base) {
            return Err(RouteError::Path(shown(url)));
        }
        let (host, port) = split_authority(authority).ok_or_else(|| RouteError::Authority(shown(url)))?;
        let target = Self { tls, host, port: port.unwrap_or(if tls { 443 } else { 80 }), base };
        if !tls && !target.is_loopback() {
            return Err(RouteError::PlainRemote(shown(url)));
        }
        Ok(target)
    }

    /// Takes the URL of a proxy apart.
    pub(crate) fn parse_proxy(url: &str) -> Result<Self, RouteError> {
        let refused = || RouteError::Proxy(shown(url));
        if url.contains('@') {
            return Err(RouteError::UserInfo("the proxy"));
        }
        let authority = strip_scheme(url, "http://").ok_or_else(refused)?.trim_end_matches('/');
        let (host, port) = split_authority(authority).ok_or_else(refused)?;
        Ok(Self { tls: false, host, port: port.ok_or_else(refused)?, base: String::new() })
    }

    /// Whether the host is a loopback address or `localhost`.
    pub(crate) fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.address().is_some_and(|address| address.is_loopback())
    }

    /// The host as an address, if it is one.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// `host:port` as a request to a proxy names it.
    pub(crate) fn authority(&self) -> String {
        match self.address() {
            Some(IpAddr::V6(address)) => format!("[{address}]:{}", self.port),
            _ => format!("{}:{}", self.host, self.port),
        }
    }

    /// The value of `Host`: without the port where that is the scheme's own.
    pub(crate) fn host_header(&self) -> String {
        let authority = self.authority();
        let usual = if self.tls { ":443" } else { ":80" };
        authority.strip_suffix(usual).map(ToOwned::to_owned).unwrap_or(authority)
    }
}

fn strip_scheme<'a>(url: &'a str, scheme: &str) -> Option<&'a str> {
    let (start, rest) = url.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

fn split_authority(authority: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => {
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let is_host = authority.starts_with('[') || host.chars().all(is_name);
    if host.is_empty() || host.len() > 253 || !is_host {
        return None;
    }
    let port = port.map(parse_port).transpose().ok()?;
    Some((host.to_ascii_lowercase(), port))
}

fn parse_port(port: &str) -> Result<u16, ()> {
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    port.parse().ok().filter(|port| digits && *port != 0).ok_or(())
}

fn is_base_path(path: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-._~!$&'()*+,;=:@".contains(c);
    path.chars().all(is_plain) && !path.split('/').any(|step| step == "." || step == "..")
}

/// The URL as an error may show it: nothing that a terminal could obey, and never a user name.
fn shown(url: &str) -> String {
    let text = if url.contains('@') { "the URL" } else { url };
    text.chars().take(200).map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Target {
        Target::parse(url).unwrap()
    }

    #[test]
    fn upstreams() {
        let plain = target("https://api.anthropic.com");
        assert_eq!((plain.tls, plain.port, plain.base.as_str()), (true, 443, ""));
        assert_eq!(plain.host_header(), "api.anthropic.com");
        let based = target("HTTPS://Gateway.Example:8443/team/a/");
        assert_eq!((based.host_header().as_str(), based.base.as_str()), ("gateway.example:8443", "/team/a"));
        assert_eq!(target("http://[::1]:8080").authority(), "[::1]:8080");
        assert_eq!(target("http://localhost:80/").host_header(), "localhost");
        assert!(target("http://127.0.0.1:1").is_loopback());
    }

    #[test]
    fn refusals_name_what_is_wrong() {
        let error = |url: &str| Target::parse(url).unwrap_err();
        assert!(matches!(error("ftp://x"), RouteError::Scheme(_)));
        assert!(matches!(error("x"), RouteError::Scheme(_)));
        for url in ["http://example.org", "http://localhost.evil.org", "http://10.0.0.1", "http://127.1"] {
            assert!(matches!(error(url), RouteError::PlainRemote(_)), "{url}");
        }
        assert!(matches!(error("https://user:pw@host"), RouteError::UserInfo(_)));
        assert!(matches!(error("https://host/?a"), RouteError::Extra(_)));
        assert!(matches!(error("https://host#a"), RouteError::Extra(_)));
        for url in [
            "https://",
            "https://host:0",
            "https://host:65536",
            "https://host:+1",
            "https://[::1",
            "https://a b",
        ] {
            assert!(matches!(error(url), RouteError::Authority(_)), "{url}");
        }
        for url in ["https://host/a/../b", "https://host/%2e", "https://host/a\\b", "https://host/a\r\nb"] {
            assert!(matches!(error(url), RouteError::Path(_)), "{url}");
        }
    }

    #[test]
    fn a_refused_proxy_does_not_show_its_password() {
        let error = Target::parse_proxy("http://me:TESTPASSWORD@proxy:3128").unwrap_err();
        assert!(matches!(error, RouteError::UserInfo("the proxy")));
        assert!(!error.to_string().contains("TESTPASSWORD"));
        assert!(
            !Target::parse("ftp://me:TESTPASSWORD@host").unwrap_err().to_string().contains("TESTPASSWORD")
        );
        for url in ["https://proxy:3128", "http://proxy", "socks5://proxy:1", "http://proxy:3128/path"] {
            assert!(matches!(Target::parse_proxy(url), Err(RouteError::Proxy(_))), "{url}");
        }
        assert_eq!(Target::parse_proxy("http://proxy:3128/").unwrap().authority(), "proxy:3128");
    }
}
