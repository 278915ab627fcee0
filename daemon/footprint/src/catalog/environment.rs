//! Environment variables that carry a credential or choose who pays.
//!
//! A session must not inherit them: its only credential is the placeholder. `status` names those
//! that are set here, because a genuine client that is started *without* a session would use them.

mod kind;

pub use kind::{kind, names_a_file};

/// Variables that name a configuration directory of Claude Code.
pub const CONFIG_DIRECTORIES: [&str; 2] = ["CLAUDE_CONFIG_DIR", "CLAUDE_SECURESTORAGE_CONFIG_DIR"];

/// Variables that have a cloud provider bill, whatever credential is there besides.
pub const SWITCHES: [&str; 7] = [
    "CLAUDE_CODE_USE_ANTHROPIC_AWS",
    "CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_USE_GATEWAY",
    "CLAUDE_CODE_USE_MANTLE",
    "CLAUDE_CODE_USE_VERTEX",
];

/// What a variable does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Its value is a credential, or a number or path that leads to one.
    Credential,
    /// Sends requests to another provider, which then bills.
    Provider,
    /// Sends requests, and the credential with them, to another address.
    Destination,
    /// Is harmless, but changes how a login behaves; a session sets or removes it.
    Login,
}

/// One variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub role: Role,
}

const fn of(role: Role, name: &'static str) -> Variable {
    Variable { name, role }
}

/// Every variable that a session must not inherit, by role and name. Source: section 4 of the facts
/// about Claude Code 2.1.330 that this project was built on.
pub const VARIABLES: &[Variable] = &[
    of(Role::Credential, "AGENT_PROXY_AUTH_TOKEN"),
    of(Role::Credential, "ANTHROPIC_API_KEY"),
    of(Role::Credential, "ANTHROPIC_AUTH_TOKEN"),
    of(Role::Credential, "ANTHROPIC_AWS_API_KEY"),
    of(Role::Credential, "ANTHROPIC_CUSTOM_HEADERS"),
    of(Role::Credential, "ANTHROPIC_ENVIRONMENT_KEY"),
    of(Role::Credential, "ANTHROPIC_FOUNDRY_API_KEY"),
    of(Role::Credential, "ANTHROPIC_FOUNDRY_AUTH_TOKEN"),
    of(Role::Credential, "ANTHROPIC_IDENTITY_TOKEN"),
    of(Role::Credential, "ANTHROPIC_IDENTITY_TOKEN_FILE"),
    of(Role::Credential, "ANTHROPIC_WORK_SECRET"),
    of(Role::Credential, "AWS_BEARER_TOKEN_BEDROCK"),
    of(Role::Credential, "CCR_AGENT_PROXY_TOKEN_FILE_DESCRIPTOR"),
    of(Role::Credential, "CCR_OAUTH_TOKEN_FILE"),
    of(Role::Credential, "CLAUDE_BG_AUTH_SNAPSHOT_PATH"),
    of(Role::Credential, "CLAUDE_BG_CLAIM_AUTH"),
    of(Role::Credential, "CLAUDE_BG_PTY_AUTH"),
    of(Role::Credential, "CLAUDE_BG_RV_AUTH"),
    of(Role::Credential, "CLAUDE_BG_SESSION_CREDENTIAL"),
    of(Role::Credential, "CLAUDE_BG_SOCKET_TOKENS_PATH"),
    of(Role::Credential, "CLAUDE_BRIDGE_OAUTH_TOKEN"),
    of(Role::Credential, "CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR"),
    of(Role::Credential, "CLAUDE_CODE_ARTIFACTS_API_TOKEN"),
    of(Role::Credential, "CLAUDE_CODE_GATEWAY_TOKEN"),
    of(Role::Credential, "CLAUDE_CODE_GATEWAY_TOKEN_FILE_DESCRIPTOR"),
    of(Role::Credential, "CLAUDE_CODE_HFI_BEARER_TOKEN"),
    of(Role::Credential, "CLAUDE_CODE_HOST_AUTH_ENV_VAR"),
    of(Role::Credential, "CLAUDE_CODE_HOST_CREDS_FILE"),
    of(Role::Credential, "CLAUDE_CODE_MCP_SERVE_AUTH_TOKEN"),
    of(Role::Credential, "CLAUDE_CODE_MEMORY_API_TOKEN"),
    of(Role::Credential, "CLAUDE_CODE_OAUTH_REFRESH_TOKEN"),
    of(Role::Credential, "CLAUDE_CODE_OAUTH_TOKEN"),
    of(Role::Credential, "CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR"),
    of(Role::Credential, "CLAUDE_CODE_SESSIONS_OAUTH_TOKEN"),
    of(Role::Credential, "CLAUDE_CODE_SESSION_ACCESS_TOKEN"),
    of(Role::Credential, "CLAUDE_CODE_SLACK_TAG_TOKEN"),
    of(Role::Credential, "CLAUDE_CODE_WEBSOCKET_AUTH_FILE_DESCRIPTOR"),
    of(Role::Credential, "CLAUDE_SESSION_INGRESS_TOKEN_FILE"),
    of(Role::Credential, "CLAUDE_TRUSTED_DEVICE_TOKEN"),
    of(Role::Credential, "ENVIRONMENT_SERVICE_KEY"),
    of(Role::Provider, "ANTHROPIC_CONFIG_DIR"),
    of(Role::Provider, "ANTHROPIC_FEDERATION_RULE_ID"),
    of(Role::Provider, "ANTHROPIC_ORGANIZATION_ID"),
    of(Role::Provider, "ANTHROPIC_PROFILE"),
    of(Role::Provider, "ANTHROPIC_SCOPE"),
    of(Role::Provider, "ANTHROPIC_SERVICE_ACCOUNT_ID"),
    of(Role::Provider, "ANTHROPIC_WORKSPACE_ID"),
    of(Role::Provider, "CLAUDE_CODE_SKIP_ANTHROPIC_AWS_AUTH"),
    of(Role::Provider, "CLAUDE_CODE_SKIP_ANTHROPIC_GOOGLE_CLOUD_AUTH"),
    of(Role::Provider, "CLAUDE_CODE_SKIP_BEDROCK_AUTH"),
    of(Role::Provider, "CLAUDE_CODE_SKIP_FOUNDRY_AUTH"),
    of(Role::Provider, "CLAUDE_CODE_SKIP_MANTLE_AUTH"),
    of(Role::Provider, "CLAUDE_CODE_SKIP_VERTEX_AUTH"),
    of(Role::Provider, "CLAUDE_CODE_USE_ANTHROPIC_AWS"),
    of(Role::Provider, "CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD"),
    of(Role::Provider, "CLAUDE_CODE_USE_BEDROCK"),
    of(Role::Provider, "CLAUDE_CODE_USE_FOUNDRY"),
    of(Role::Provider, "CLAUDE_CODE_USE_GATEWAY"),
    of(Role::Provider, "CLAUDE_CODE_USE_MANTLE"),
    of(Role::Provider, "CLAUDE_CODE_USE_VERTEX"),
    of(Role::Destination, "ANTHROPIC_AWS_BASE_URL"),
    of(Role::Destination, "ANTHROPIC_BASE_URL"),
    of(Role::Destination, "ANTHROPIC_BEDROCK_BASE_URL"),
    of(Role::Destination, "ANTHROPIC_BEDROCK_MANTLE_BASE_URL"),
    of(Role::Destination, "ANTHROPIC_FOUNDRY_BASE_URL"),
    of(Role::Destination, "ANTHROPIC_GOOGLE_CLOUD_BASE_URL"),
    of(Role::Destination, "ANTHROPIC_UNIX_SOCKET"),
    of(Role::Destination, "ANTHROPIC_VERTEX_BASE_URL"),
    of(Role::Destination, "CLAUDE_BRIDGE_BASE_URL"),
    of(Role::Destination, "CLAUDE_CODE_API_BASE_URL"),
    of(Role::Destination, "CLAUDE_CODE_CUSTOM_OAUTH_URL"),
    of(Role::Destination, "CLAUDE_CODE_GB_BASE_URL"),
    of(Role::Destination, "CLAUDE_CODE_RUNNER_MODEL_SOCKET"),
    of(Role::Destination, "CLAUDE_LOCAL_OAUTH_API_BASE"),
    of(Role::Destination, "CLAUDE_LOCAL_OAUTH_APPS_BASE"),
    of(Role::Destination, "CLAUDE_LOCAL_OAUTH_CONSOLE_BASE"),
    of(Role::Login, "CLAUDE_CODE_ACCOUNT_TAGGED_ID"),
    of(Role::Login, "CLAUDE_CODE_ACCOUNT_UUID"),
    of(Role::Login, "CLAUDE_CODE_OAUTH_CLIENT_ID"),
    of(Role::Login, "CLAUDE_CODE_OAUTH_SCOPES"),
    of(Role::Login, "CLAUDE_CODE_ORGANIZATION_UUID"),
    of(Role::Login, "CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST"),
    of(Role::Login, "CLAUDE_CODE_RATE_LIMIT_TIER"),
    of(Role::Login, "CLAUDE_CODE_SUBSCRIPTION_TYPE"),
    of(Role::Login, "CLAUDE_CODE_USER_EMAIL"),
    of(Role::Login, "DISABLE_LOGIN_COMMAND"),
    of(Role::Login, "DISABLE_LOGOUT_COMMAND"),
];

/// What is known about a variable; `None` if a session may keep it.
pub fn lookup(name: &str) -> Option<&'static Variable> {
    VARIABLES.iter().find(|variable| variable.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_without_doubles() {
        assert!(VARIABLES.is_sorted_by(|a, b| (a.role, a.name) < (b.role, b.name)));
    }

    #[test]
    fn the_ones_everybody_knows_are_in_it() {
        for name in ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"] {
            assert_eq!(lookup(name).map(|variable| variable.role), Some(Role::Credential));
        }
        assert_eq!(lookup("PATH"), None);
    }

    #[test]
    fn what_sends_a_session_elsewhere_is_in_it() {
        let table: [(Role, &[&str]); 3] = [
            (Role::Provider, &SWITCHES),
            (Role::Provider, &["ANTHROPIC_CONFIG_DIR", "ANTHROPIC_PROFILE", "CLAUDE_CODE_SKIP_VERTEX_AUTH"]),
            (
                Role::Destination,
                &[
                    "ANTHROPIC_BASE_URL",
                    "ANTHROPIC_BEDROCK_MANTLE_BASE_URL",
                    "ANTHROPIC_GOOGLE_CLOUD_BASE_URL",
                    "CLAUDE_BRIDGE_BASE_URL",
                    "CLAUDE_CODE_API_BASE_URL",
                    "CLAUDE_CODE_CUSTOM_OAUTH_URL",
                    "CLAUDE_CODE_RUNNER_MODEL_SOCKET",
                    "CLAUDE_LOCAL_OAUTH_API_BASE",
                ],
            ),
        ];
        for (role, names) in table {
            for name in names {
                assert_eq!(lookup(name).map(|variable| variable.role), Some(role), "{name}");
            }
        }
    }
}
