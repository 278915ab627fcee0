//! What an authorization server says about itself (RFC 8414, OpenID Connect Discovery 1.0).

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{
    AuthorityError, Feature, Network,
    endpoint::{EndpointUrl, Ways},
};
use crate::oauth::{
    exchange::{self, ExchangeError},
    json, text,
};

/// The part of the metadata that is used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Metadata {
    pub(super) issuer: String,
    pub(super) authorization_endpoint: Option<String>,
    pub(crate) token_endpoint: Option<String>,
    pub(crate) device_authorization_endpoint: Option<String>,
    pub(crate) revocation_endpoint: Option<String>,
    pub(crate) userinfo_endpoint: Option<String>,
    pub(super) code_challenge_methods_supported: Option<Vec<String>>,
    pub(super) response_modes_supported: Vec<String>,
    pub(super) authorization_response_iss_parameter_supported: bool,
}

impl Metadata {
    /// Asks `issuer` for its metadata.
    pub(super) async fn fetch(
        issuer: &str,
        network: &Network,
        ways: &mut Ways,
    ) -> Result<Self, AuthorityError> {
        let wrong = |why: String| AuthorityError::Metadata { issuer: issuer.into(), why };
        let [place, other] = places(issuer)?;
        let metadata = match Self::ask(issuer, &place, network, ways).await? {
            Ok(metadata) => metadata,
            Err(first) => Self::ask(issuer, &other, network, ways).await?.map_err(|second| {
                wrong(format!(
                    "could not be found: {first}; {second}; name the endpoints in the configuration instead"
                ))
            })?,
        };
        // Section 3.3: identical, or else somebody else's metadata could be served here.
        if metadata.issuer != issuer {
            let named = text::harmless(&metadata.issuer);
            return Err(wrong(format!(
                "are those of \"{named}\": the configured issuer has to be exactly that"
            )));
        }
        Ok(metadata)
    }

    /// Asks a gateway for its metadata. They are below its base URL; who they are by is not asked,
    /// because nobody else but it is ever used.
    pub(crate) async fn of_gateway(
        base: &str,
        network: &Network,
        ways: &mut Ways,
    ) -> Result<Self, AuthorityError> {
        let place = format!("{base}/.well-known/oauth-authorization-server");
        Self::ask(base, &place, network, ways).await?.map_err(|why| AuthorityError::Metadata {
            issuer: base.into(),
            why: format!("could not be found: {why}; is it a Claude apps gateway?"),
        })
    }

    /// The metadata in this place, or what is there instead: another status than 200, a redirect, a page. A
    /// document that cannot be read is an error: it may be the one that counts.
    async fn ask(
        issuer: &str,
        place: &str,
        network: &Network,
        ways: &mut Ways,
    ) -> Result<Result<Self, String>, AuthorityError> {
        let endpoint = ways.to(place, network).await?;
        let answer = match exchange::get(&endpoint, None, exchange::TIME).await {
            Ok(answer) => answer,
            Err(error @ ExchangeError::Redirect(..)) => return Ok(Err(error.to_string())),
            Err(error) => {
                let why = error.to_string();
                return Err(AuthorityError::Unreachable { issuer: issuer.into(), why });
            }
        };
        if answer.status() != 200 {
            return Ok(Err(format!("{place} answered {}", answer.status())));
        }
        let Some(body) = answer.json() else { return Ok(Err(format!("{place} is not JSON"))) };
        let metadata = json::read(body).map_err(|error| AuthorityError::Metadata {
            issuer: issuer.into(),
            why: format!("cannot be read: {place} is {error}"),
        })?;
        Ok(Ok(metadata))
    }

    /// Refuses endpoints on another host without TLS, and plain ones of a server that has TLS itself.
    pub(super) fn check_endpoints(&self) -> Result<(), AuthorityError> {
        let wrong = |why: String| AuthorityError::Metadata { issuer: self.issuer.clone(), why };
        let issuer = EndpointUrl::parse(&self.issuer)?;
        let named = [
            &self.authorization_endpoint,
            &self.token_endpoint,
            &self.device_authorization_endpoint,
            &self.revocation_endpoint,
            &self.userinfo_endpoint,
        ];
        for url in named.into_iter().flatten() {
            let endpoint = EndpointUrl::parse(url)
                .map_err(|error| wrong(format!("name an endpoint that is not used: {error}")))?;
            if !endpoint.is_tls() && endpoint.origin() != issuer.origin() {
                return Err(wrong(format!("lead to {}, which has no TLS", endpoint.origin())));
            }
        }
        Ok(())
    }

    /// What is special about the server.
    pub(super) fn features(&self) -> BTreeSet<Feature> {
        let names = |modes: &[String], wanted: &str| modes.iter().any(|mode| mode == wanted);
        // Silence is no refusal: many servers take it and do not say so.
        let methods = self.code_challenge_methods_supported.as_deref();
        [
            (Feature::NamesIssuer, self.authorization_response_iss_parameter_supported),
            (Feature::FormPost, names(&self.response_modes_supported, "form_post")),
            (Feature::RefusesS256, methods.is_some_and(|methods| !names(methods, "S256"))),
        ]
        .into_iter()
        .filter_map(|(feature, is_there)| is_there.then_some(feature))
        .collect()
    }
}

/// Where metadata may be: RFC 8414 section 3.1, then OpenID Connect Discovery section 4.
fn places(issuer: &str) -> Result<[String; 2], AuthorityError> {
    let url = EndpointUrl::parse(issuer)?;
    if url.path().contains('?') {
        let why = "an issuer has no query".into();
        return Err(AuthorityError::Metadata { issuer: issuer.into(), why });
    }
    let (origin, path) = (url.origin(), url.path().trim_end_matches('/'));
    Ok([
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
        format!("{origin}{path}/.well-known/openid-configuration"),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_places() {
        assert_eq!(
            places("https://example.com").unwrap(),
            [
                "https://example.com/.well-known/oauth-authorization-server",
                "https://example.com/.well-known/openid-configuration"
            ]
        );
        assert_eq!(
            places("https://example.com/issuer1/").unwrap(),
            [
                "https://example.com/.well-known/oauth-authorization-server/issuer1",
                "https://example.com/issuer1/.well-known/openid-configuration"
            ]
        );
        assert!(places("https://example.com/?a").is_err());
        assert!(places("http://example.com").is_err());
    }

    #[test]
    fn endpoints_elsewhere_need_tls() {
        let metadata = |issuer: &str, token: &str| Metadata {
            issuer: issuer.into(),
            token_endpoint: Some(token.into()),
            ..Metadata::default()
        };
        let verdict =
            |issuer, token| metadata(issuer, token).check_endpoints().map_err(|error| error.to_string());
        assert!(verdict("https://a.example", "https://b.example/token").is_ok());
        assert!(verdict("http://127.0.0.1:1", "http://127.0.0.1:1/token").is_ok());
        assert!(verdict("http://127.0.0.1:1", "https://b.example/token").is_ok());
        for (issuer, token) in [
            ("https://a.example", "http://127.0.0.1:1/token"),
            ("http://127.0.0.1:1", "http://127.0.0.1:2/token"),
            ("https://a.example", "http://a.example/token"),
            ("https://a.example", "/token"),
            ("https://a.example", "https://b.example/token#x"),
        ] {
            assert!(verdict(issuer, token).is_err(), "{issuer} {token}");
        }
    }

    #[test]
    fn pkce_is_refused_only_by_words() {
        let says = |methods: Option<&[&str]>| Metadata {
            code_challenge_methods_supported: methods
                .map(|methods| methods.iter().map(|method| (*method).to_owned()).collect()),
            ..Metadata::default()
        };
        let refuses = |methods| says(methods).features().contains(&Feature::RefusesS256);
        assert!(!refuses(None) && !refuses(Some(&["plain", "S256"])));
        assert!(refuses(Some(&["plain"])) && refuses(Some(&[])));
    }
}
