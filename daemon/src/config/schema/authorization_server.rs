//! `[authorization_server.NAME]`: where an account can sign in.

use std::collections::BTreeMap;

use claudectl_core::ids::AccountName;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::{oauth::authority::EndpointUrl, proxy::upstream::Target};

/// An authorization server (RFC 6749), found by its issuer or by its endpoints.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorizationServer {
    /// Issuer identifier (RFC 8414); its metadata names the endpoints.
    #[serde(default, deserialize_with = "endpoint")]
    pub issuer: Option<String>,
    /// Instead of what the metadata says: where people sign in.
    #[serde(default, deserialize_with = "endpoint")]
    pub authorization_endpoint: Option<String>,
    /// Instead of what the metadata says: where codes become tokens.
    #[serde(default, deserialize_with = "endpoint")]
    pub token_endpoint: Option<String>,
    /// Instead of what the metadata says: where device codes come from (RFC 8628).
    #[serde(default, deserialize_with = "endpoint")]
    pub device_authorization_endpoint: Option<String>,
    /// Instead of what the metadata says: where tokens are revoked (RFC 7009).
    #[serde(default, deserialize_with = "endpoint")]
    pub revocation_endpoint: Option<String>,
    /// Instead of what the metadata says: who signed in (OpenID Connect).
    #[serde(default, deserialize_with = "endpoint")]
    pub userinfo_endpoint: Option<String>,
    /// The page of the server that shows the code to paste; registered there as redirect URI.
    #[serde(default)]
    pub paste_redirect_uri: Option<String>,
    /// As the server knows claudectl: a public client.
    #[serde(deserialize_with = "client_id")]
    pub client_id: String,
    /// What to ask for.
    #[serde(default, deserialize_with = "scopes")]
    pub scopes: Vec<String>,
    /// Base URL of the API that takes the tokens.
    #[serde(deserialize_with = "upstream")]
    pub upstream: String,
    /// How a token is put into a request.
    #[serde(default)]
    pub inject: Inject,
}

/// How a token is put into a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
pub enum Inject {
    /// `Authorization: Bearer …`
    #[default]
    #[serde(rename = "bearer")]
    Bearer,
    /// `x-api-key: …`
    #[serde(rename = "x-api-key")]
    XApiKey,
}

/// The servers, by names that can stand on a command line.
pub(super) fn by_name<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, AuthorizationServer>, D::Error> {
    let servers = BTreeMap::<String, AuthorizationServer>::deserialize(deserializer)?;
    match servers.keys().find(|name| name.parse::<AccountName>().is_err()) {
        None => Ok(servers),
        Some(name) => Err(D::Error::custom(format!("{name:?}: a name takes letters, digits and . _ - @ +"))),
    }
}

fn endpoint<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let url = String::deserialize(deserializer)?;
    EndpointUrl::parse(&url).map_err(D::Error::custom)?;
    Ok(Some(url))
}

fn upstream<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let url = String::deserialize(deserializer)?;
    Target::parse(&url).map_err(D::Error::custom)?;
    Ok(url)
}

fn client_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let id = String::deserialize(deserializer)?;
    let is_one = !id.is_empty() && id.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if is_one {
        Ok(id)
    } else {
        Err(D::Error::custom("a client_id is visible ASCII (RFC 6749, appendix A.1)"))
    }
}

fn scopes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let scopes = Vec::<String>::deserialize(deserializer)?;
    let is_one = |scope: &String| {
        !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte))
    };
    if scopes.iter().all(is_one) {
        Ok(scopes)
    } else {
        Err(D::Error::custom("a scope is visible ASCII without spaces (RFC 6749, section 3.3)"))
    }
}
