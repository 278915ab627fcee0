//! What kind of credential a variable holds.

use super::{Role, lookup};
use crate::finding::Kind;

/// Other names under which the same credentials are kept. A session may inherit them: no client
/// reads them by itself, or, as with the key of a connection, it needs them for more than its login.
/// What clouds go by (`AWS_SECRET_ACCESS_KEY`, `GOOGLE_APPLICATION_CREDENTIALS` and so on) is none of
/// these: everything else of that cloud uses it, too, and a purge that took it would break it.
const OTHER_NAMES: &[(&str, Kind)] = &[
    ("ANTHROPIC_ADMIN_API_KEY", Kind::AdminKey),
    ("ANTHROPIC_ADMIN_KEY", Kind::AdminKey),
    ("ANTHROPIC_KEY", Kind::ApiKey),
    ("ANTHROPIC_TOKEN", Kind::GatewayToken),
    ("CLAUDE_ACCESS_TOKEN", Kind::AccessToken),
    ("CLAUDE_API_KEY", Kind::ApiKey),
    ("CLAUDE_CODE_CLIENT_KEY", Kind::Pointer),
    ("CLAUDE_CODE_CLIENT_KEY_PASSPHRASE", Kind::ServiceToken),
    ("CLAUDE_KEY", Kind::ApiKey),
    ("CLAUDE_REFRESH_TOKEN", Kind::RefreshToken),
    ("CLAUDE_SESSION_KEY", Kind::SessionCookie),
    ("CLAUDE_TOKEN", Kind::GatewayToken),
    ("MCP_CLIENT_SECRET", Kind::McpSecret),
    ("MCP_XAA_IDP_CLIENT_SECRET", Kind::McpSecret),
];

/// The kind of credential in the variable of this name; `None` if it holds none.
pub fn kind(name: &str) -> Option<Kind> {
    let other = OTHER_NAMES.iter().find(|other| other.0 == name).map(|other| other.1);
    other.or_else(|| (lookup(name)?.role == Role::Credential).then(|| of_a_credential(name)))
}

/// Whether the variable of this name is the path of a file with a credential. Others that lead to one have the number
/// of a descriptor or the name of another variable.
pub fn names_a_file(name: &str) -> bool {
    let is_path = ["_FILE", "_PATH"].iter().any(|end| name.ends_with(end));
    is_path && kind(name) == Some(Kind::Pointer)
}

fn of_a_credential(name: &str) -> Kind {
    let leads_elsewhere =
        ["_FILE", "_FILE_DESCRIPTOR", "_PATH", "_ENV_VAR"].iter().any(|end| name.ends_with(end));
    match name {
        _ if leads_elsewhere => Kind::Pointer,
        "ANTHROPIC_API_KEY" => Kind::ApiKey,
        "ANTHROPIC_AUTH_TOKEN"
        | "ANTHROPIC_CUSTOM_HEADERS"
        | "CLAUDE_CODE_GATEWAY_TOKEN"
        | "ANTHROPIC_IDENTITY_TOKEN" => Kind::GatewayToken,
        "CLAUDE_CODE_OAUTH_TOKEN" | "CLAUDE_CODE_SESSIONS_OAUTH_TOKEN" | "CLAUDE_BRIDGE_OAUTH_TOKEN" => {
            Kind::AccessToken
        }
        "CLAUDE_CODE_OAUTH_REFRESH_TOKEN" => Kind::RefreshToken,
        "ANTHROPIC_AWS_API_KEY"
        | "ANTHROPIC_FOUNDRY_API_KEY"
        | "ANTHROPIC_FOUNDRY_AUTH_TOKEN"
        | "AWS_BEARER_TOKEN_BEDROCK" => Kind::CloudKey,
        _ => Kind::ServiceToken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ones_everybody_knows() {
        let table = [
            ("ANTHROPIC_API_KEY", Some(Kind::ApiKey)),
            ("ANTHROPIC_AUTH_TOKEN", Some(Kind::GatewayToken)),
            ("CLAUDE_CODE_OAUTH_TOKEN", Some(Kind::AccessToken)),
            ("CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR", Some(Kind::Pointer)),
            ("CLAUDE_CODE_HOST_CREDS_FILE", Some(Kind::Pointer)),
            ("AWS_BEARER_TOKEN_BEDROCK", Some(Kind::CloudKey)),
            ("CLAUDE_TRUSTED_DEVICE_TOKEN", Some(Kind::ServiceToken)),
            ("MCP_CLIENT_SECRET", Some(Kind::McpSecret)),
            ("CLAUDE_CODE_CLIENT_KEY", Some(Kind::Pointer)),
            ("CLAUDE_CODE_CLIENT_KEY_PASSPHRASE", Some(Kind::ServiceToken)),
            ("AWS_SECRET_ACCESS_KEY", None),
            ("GOOGLE_APPLICATION_CREDENTIALS", None),
            ("ANTHROPIC_BASE_URL", None),
            ("CLAUDE_CODE_USE_BEDROCK", None),
            ("PATH", None),
        ];
        for (name, expected) in table {
            assert_eq!(kind(name), expected, "{name}");
        }
    }
}
