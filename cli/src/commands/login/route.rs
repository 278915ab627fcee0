//! The way to the upstream, as this shell has it.

use std::{net::IpAddr, path::PathBuf};

use claudectl_proto::v1::Route;

use crate::{args::Environment, error::Error};

/// The route that the daemon fixes for the account.
///
/// # Errors
/// If the file of trust roots is not there, or a URL carries a password: it would be shown.
pub(super) fn route(
    upstream: String,
    proxy: Option<String>,
    ca_file: Option<PathBuf>,
) -> Result<Route, Error> {
    let proxy = proxy.unwrap_or_default();
    for (what, url) in [("upstream", &upstream), ("proxy", &proxy)] {
        if authority(url).contains('@') {
            return Err(Error::usage(format!("the URL of the {what} carries a user name or password"))
                .hint("it would be shown by `claudectl status`; leave it out"));
        }
    }
    let ca_file = match ca_file {
        None => String::new(),
        Some(path) => {
            let found = path.canonicalize().map_err(|error| {
                Error::usage(format!("the file of trust roots {}", path.display())).because(&error)
            })?;
            found
                .to_str()
                .map(str::to_owned)
                .ok_or_else(|| Error::usage("the path of the trust roots is not text"))?
        }
    };
    Ok(Route { upstream, proxy, ca_file })
}

/// The proxy that other programs in this shell would use for `upstream` (empty: the Anthropic API).
/// Plain HTTP upstreams are on loopback, where there is no proxy.
pub(super) fn ambient_proxy(environment: &Environment, upstream: &str) -> Option<String> {
    if upstream.starts_with("http://") {
        return None;
    }
    let host = if upstream.is_empty() { "api.anthropic.com" } else { host(upstream) };
    let first = |names: [&str; 2]| names.into_iter().find_map(|name| environment.text(name));
    let exempt = first(["NO_PROXY", "no_proxy"]).is_some_and(|list| is_exempt(host, list));
    if exempt || is_loopback(host) {
        return None;
    }
    first(["HTTPS_PROXY", "https_proxy"])
        .map(|proxy| if proxy.contains("://") { proxy.to_owned() } else { format!("http://{proxy}") })
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// Whether `NO_PROXY` names the host: itself, a domain that it is in, or everything.
fn is_exempt(host: &str, list: &str) -> bool {
    list.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let domain = entry.trim_start_matches('*').trim_start_matches('.');
        entry == "*" || host.eq_ignore_ascii_case(domain) || is_within(host, domain)
    })
}

fn is_within(host: &str, domain: &str) -> bool {
    let (host, domain) = (host.to_ascii_lowercase(), domain.to_ascii_lowercase());
    !domain.is_empty() && host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'))
}

fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

fn host(url: &str) -> &str {
    let authority = authority(url);
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(no_proxy: &str, upstream: &str) -> Option<String> {
        let environment = Environment::from_iter([("HTTPS_PROXY", "proxy:3128"), ("NO_PROXY", no_proxy)]);
        ambient_proxy(&environment, upstream)
    }

    #[test]
    fn the_proxy_of_the_shell_is_the_accounts_proxy() {
        assert_eq!(proxy("", ""), Some("http://proxy:3128".into()));
        assert_eq!(
            proxy("example.org", "https://gateway.example.com:8443/x"),
            Some("http://proxy:3128".into())
        );
        assert_eq!(ambient_proxy(&Environment::default(), ""), None);
    }

    #[test]
    fn exempt_hosts_and_loopback_have_none() {
        assert_eq!(proxy("anthropic.com", ""), None);
        assert_eq!(proxy("localhost, .anthropic.com", ""), None);
        assert_eq!(proxy("*", ""), None);
        assert_eq!(proxy("gateway.example.com", "https://Gateway.example.com:8443/x"), None);
        assert_eq!(proxy("thropic.com", ""), Some("http://proxy:3128".into()));
        for upstream in
            ["http://127.0.0.1:8080", "https://127.0.0.1", "https://localhost:1", "https://[::1]:2/x"]
        {
            assert_eq!(proxy("", upstream), None, "{upstream}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_refused_and_not_shown() {
        let error = route(String::new(), Some("http://jane:hunter2@proxy:3128".into()), None).unwrap_err();
        assert!(!error.text().contains("hunter2"), "{}", error.text());
        assert!(route("https://jane@gateway".into(), None, None).is_err());
        assert!(route("https://gateway/path@x".into(), None, None).is_ok());
    }
}
