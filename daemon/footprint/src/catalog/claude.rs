//! What Claude Code itself stores. Source: section 6 of the facts about Claude Code 2.1.330.

use super::place::{At, Group, Means, Place, Platforms, Reader, Remedy, Rule, rule};
use crate::{finding::Kind, scan::word::Dialect};

const BASE: Place = Place {
    id: "",
    title: "",
    group: Group::ClaudeCode,
    at: At::Home(&[]),
    reader: Reader::Text,
    platforms: Platforms::ALL,
    power: "works as you, until it is revoked",
    remedy: Remedy::Overwrite,
    cheap: false,
    seen: true,
};

const CREDENTIALS: &[Rule] = &[
    rule("claudeAiOauth/accessToken", Means::Is(Kind::AccessToken)),
    rule("claudeAiOauth/refreshToken", Means::Is(Kind::RefreshToken)),
    rule("designOauth/accessToken", Means::Is(Kind::AccessToken)),
    rule("designOauth/refreshToken", Means::Is(Kind::RefreshToken)),
    rule("cloudSessionsOauth/accessToken", Means::Is(Kind::AccessToken)),
    rule("cloudSessionsOauth/refreshToken", Means::Is(Kind::RefreshToken)),
    rule("hybridOauth/accessToken", Means::Is(Kind::AccessToken)),
    rule("hybridOauth/refreshToken", Means::Is(Kind::RefreshToken)),
    rule("hybridGatewayAuth/**", Means::NamedLikeOne(Kind::GatewayToken)),
    rule("enterpriseGateway/**", Means::NamedLikeOne(Kind::GatewayToken)),
    rule("mcpOAuth/**", Means::NamedLikeOne(Kind::McpSecret)),
    rule("mcpOAuthClientConfig/**", Means::NamedLikeOne(Kind::McpSecret)),
    rule("mcpXaaIdp/**", Means::NamedLikeOne(Kind::McpSecret)),
    rule("mcpXaaIdpConfig/**", Means::NamedLikeOne(Kind::McpSecret)),
    rule("pluginSecrets/**", Means::Is(Kind::McpSecret)),
    rule("trustedDeviceToken", Means::Is(Kind::ServiceToken)),
    rule("coworkRemoteDevice/**", Means::NamedLikeOne(Kind::ServiceToken)),
    rule("slackTag/**", Means::NamedLikeOne(Kind::ServiceToken)),
];

/// The place of copies of a stored login: any file that is named like one.
const COPIES: &str = "claude.credentials-copies";

/// Whether a file of a place that is deleted with its credential may go, by the names in it: one that is only
/// named like a copy of a login may hold anything.
pub(crate) fn may_go(place: &Place, names: impl FnOnce() -> Option<Vec<String>>) -> bool {
    let is_login =
        |name: &String| CREDENTIALS.iter().any(|rule| rule.path.split('/').next() == Some(name.as_str()));
    place.id != COPIES || names().is_some_and(|names| names.iter().all(is_login))
}

/// `.claude.json`, its backups, and the settings of the desktop application. Its `oauthAccount` is no
/// credential: it says whose the login was (name, e-mail, organisation) and opens nothing. The client's own
/// logout, which a purge of a stored login runs, drops it.
const CONFIG: &[Rule] = &[
    rule("primaryApiKey", Means::Is(Kind::ApiKey)),
    rule("customApiKeyResponses/approved/*", Means::Is(Kind::KeyTail)),
    rule("customApiKeyResponses/rejected/*", Means::Is(Kind::KeyTail)),
    rule("env/*", Means::Variable),
    rule("mcpServers/*/env/*", Means::Variable),
    rule("mcpServers/*/env/*", Means::NamedLikeOne(Kind::McpSecret)),
    rule("mcpServers/*/headers/*", Means::NamedLikeOne(Kind::McpSecret)),
    rule("projects/*/mcpServers/*/env/*", Means::Variable),
    rule("projects/*/mcpServers/*/env/*", Means::NamedLikeOne(Kind::McpSecret)),
    rule("projects/*/mcpServers/*/headers/*", Means::NamedLikeOne(Kind::McpSecret)),
];

/// Settings files: of the user, of a project, of an organisation.
pub(super) const SETTINGS: &[Rule] = &[
    rule("env/*", Means::Variable),
    rule("apiKeyHelper", Means::Is(Kind::Command)),
    rule("mcpServers/*/env/*", Means::Variable),
    rule("mcpServers/*/env/*", Means::NamedLikeOne(Kind::McpSecret)),
    rule("mcpServers/*/headers/*", Means::NamedLikeOne(Kind::McpSecret)),
    rule("servers/*/env/*", Means::Variable),
    rule("servers/*/env/*", Means::NamedLikeOne(Kind::McpSecret)),
    rule("servers/*/headers/*", Means::NamedLikeOne(Kind::McpSecret)),
    rule("pluginConfigs/**", Means::NamedLikeOne(Kind::McpSecret)),
];

/// The rows, in the order in which a file belongs to the first that names it.
pub(super) const PLACES: &[Place] = &[
    Place {
        id: "claude.credentials",
        title: "login that Claude Code stored",
        at: At::ConfigDirectory(&[".credentials.json"]),
        reader: Reader::Json(CREDENTIALS),
        remedy: Remedy::ClientLogout,
        cheap: true,
        ..BASE
    },
    Place {
        id: COPIES,
        title: "copy of a stored login",
        at: At::ConfigDirectory(&[".credentials*", "*credentials*.json*"]),
        reader: Reader::Json(CREDENTIALS),
        remedy: Remedy::DeleteFile,
        seen: false,
        ..BASE
    },
    Place {
        id: "claude.backups",
        title: "backup of Claude Code's configuration",
        at: At::ConfigDirectory(&["backups/.claude.json*", ".claude.json.*"]),
        reader: Reader::Json(CONFIG),
        remedy: Remedy::DeleteFile,
        power: "works as you, and survives Claude Code's own log-out",
        cheap: true,
        ..BASE
    },
    Place {
        id: "claude.home-backups",
        title: "backup of Claude Code's configuration",
        at: At::Home(&[".claude.json.*", ".claude.json~"]),
        reader: Reader::Json(CONFIG),
        remedy: Remedy::DeleteFile,
        power: "works as you, and survives Claude Code's own log-out",
        ..BASE
    },
    Place {
        id: "claude.config",
        title: "Claude Code's configuration",
        at: At::ConfigDirectory(&[".claude.json", ".config.json"]),
        reader: Reader::Json(CONFIG),
        remedy: Remedy::EditJson,
        cheap: true,
        ..BASE
    },
    Place {
        id: "claude.home-config",
        title: "Claude Code's configuration",
        at: At::Home(&[".claude.json"]),
        reader: Reader::Json(CONFIG),
        remedy: Remedy::EditJson,
        cheap: true,
        ..BASE
    },
    Place {
        id: "claude.settings",
        title: "Claude Code's settings",
        at: At::ConfigDirectory(&[
            "settings*.json",
            "remote-settings.json*",
            "settings.json.*",
            ".mcp.json",
            "mcp*.json",
        ]),
        reader: Reader::Json(SETTINGS),
        remedy: Remedy::EditJson,
        power: "is used by every Claude Code that starts here, before any variable",
        cheap: true,
        ..BASE
    },
    Place {
        id: "claude.history",
        title: "what was typed into Claude Code",
        at: At::ConfigDirectory(&["history.jsonl*"]),
        ..BASE
    },
    Place {
        id: "claude.transcripts",
        title: "transcripts of Claude Code",
        at: At::ConfigDirectory(&["projects/**"]),
        ..BASE
    },
    Place {
        id: "claude.logs",
        title: "logs and telemetry of Claude Code",
        at: At::ConfigDirectory(&["debug/**", "telemetry/**", "statsig/**", "logs/**"]),
        ..BASE
    },
    Place {
        id: "claude.snapshots",
        title: "snapshots of your shell by Claude Code",
        at: At::ConfigDirectory(&["shell-snapshots/**", "session-env/**"]),
        reader: Reader::Assignments(Dialect::Posix),
        ..BASE
    },
    Place {
        id: "claude.records",
        title: "other files of Claude Code",
        at: At::ConfigDirectory(&["**"]),
        ..BASE
    },
    Place {
        id: "claude.cache",
        title: "logs of MCP servers by Claude Code",
        at: At::Home(&[
            ".cache/claude*/**",
            "Library/Caches/claude*/**",
            "Library/Logs/Claude/**",
            "AppData/Local/claude*/**",
            ".local/state/claude/**",
            ".local/share/claude/*.log",
        ]),
        seen: false,
        ..BASE
    },
    Place {
        id: "claude.desktop",
        title: "configuration of the Claude desktop application",
        at: At::Home(&[
            ".config/Claude/*.json",
            "Library/Application Support/Claude/*.json",
            "AppData/Roaming/Claude/*.json",
        ]),
        reader: Reader::Json(CONFIG),
        remedy: Remedy::EditJson,
        seen: false,
        ..BASE
    },
    Place {
        id: "claude.profiles",
        title: "credential profiles of Anthropic's SDKs",
        at: At::Home(&[".config/anthropic/**", ".anthropic/**", "AppData/Roaming/anthropic/**"]),
        reader: Reader::Json(&[rule("**", Means::NamedLikeOne(Kind::GatewayToken))]),
        remedy: Remedy::EditJson,
        seen: false,
        ..BASE
    },
];
