//! The files with credentials.

mod claude;
mod others;
mod profiles;

use super::{Base, Form, Seed};

const fn seed(
    system: &'static str,
    place: &'static str,
    base: Base,
    path: &'static str,
    text: &'static str,
) -> Seed {
    Seed { system, place, base, path, text, form: Form::Text }
}

/// A file that is not made of its text alone.
const fn made(form: Form, seed: Seed) -> Seed {
    Seed { form, ..seed }
}

const LOGIN: &str = r#"{"claudeAiOauth":{"accessToken":"{oat}","refreshToken":"{ort}","expiresAt":1764000000000,"scopes":["user:inference"]}}"#;
const MCP: &str = r#"{"mcpServers":{"github":{"command":"gh-mcp","env":{"GITHUB_TOKEN":"{mcp}","MCP_TIMEOUT":"1000000000"}}}}"#;

/// Every seed.
pub fn seeds() -> impl Iterator<Item = &'static Seed> {
    [claude::SEEDS, profiles::SEEDS, others::SEEDS].into_iter().flatten()
}
