//! `[authorization_server.NAME]`: where an account can sign in.

use serde::{Deserialize, Serialize};

/// An authorization server (RFC 6749), found by its issuer or by its endpoints.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorizationServer {
    /// Issuer identifier (RFC 8414); its metadata names the endpoints.
    pub issuer: Option<String>,
    /// Instead of what the metadata says: where people sign in.
    pub authorization_endpoint: Option<String>,
    /// Instead of what the metadata says: where codes become tokens.
    pub token_endpoint: Option<String>,
    /// Instead of what the metadata says: where device codes come from (RFC 8628).
    pub device_authorization_endpoint: Option<String>,
    /// Instead of what the metadata says: where tokens are revoked (RFC 7009).
    pub revocation_endpoint: Option<String>,
    /// Instead of what the metadata says: who signed in (OpenID Connect).
    pub userinfo_endpoint: Option<String>,
    /// The page of the server that shows the code to paste; registered there as redirect URI.
    pub paste_redirect_uri: Option<String>,
    /// As the server knows claudectl: a public client.
    pub client_id: String,
    /// What to ask for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Base URL of the API that takes the tokens.
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
