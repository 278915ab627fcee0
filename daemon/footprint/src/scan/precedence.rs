//! Which credential the genuine client would send, if it were started here outside a session.
//!
//! Two slots, not one list (section 8.1 of the facts, observed for all pairs): Bearer is the auth
//! token, else the helper's, else - if there is no API key and no helper - the OAuth token, else the stored
//! login. `x-api-key` is the API key, else the helper's, else the stored Console key unless an OAuth
//! source is active. Settings files set variables over those of the shell (8.2). A cloud provider that
//! is switched on comes before both: then it bills, and neither slot is sent.

use std::path::Path;

use super::Scope;
use crate::{
    catalog::environment::SWITCHES,
    finding::{Effect, Finding, Holder, Kind, Location, Slot, Structure},
};

/// What a finding is to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    AuthToken,
    ApiKey,
    Helper,
    OauthToken,
    /// A descriptor with an OAuth token.
    OauthDescriptor,
    /// A descriptor with an API key.
    KeyDescriptor,
    StoredLogin,
    StoredKey,
}

/// How a source is in force: the smallest wins within a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    ProjectLocal,
    Project,
    User,
    Shell,
    Stored,
    /// In a profile: it is in force in the next shell.
    Next,
}

/// Says of every finding what it does.
pub(super) fn apply(findings: &mut [Finding], scope: &Scope<'_>) {
    let sources: Vec<_> = findings.iter().map(|finding| source(finding, scope)).collect();
    let active = |source: Source| {
        let ranks = sources.iter().flatten().filter(|(found, _)| *found == source).map(|(_, rank)| *rank);
        ranks.filter(|rank| *rank != Rank::Next).min()
    };
    let slots = if is_a_provider_on(scope) { Vec::new() } else { slots(&|source| active(source).is_some()) };
    for (finding, source) in findings.iter_mut().zip(&sources) {
        let Some((source, rank)) = source else { continue };
        let pays =
            slots.iter().find(|(_, winner)| winner == source).filter(|_| active(*source) == Some(*rank));
        finding.effect = match pays {
            Some((slot, _)) => Effect::Pays(*slot),
            None => Effect::Waits(natural(*source)),
        };
    }
}

/// Whether a variable of the shell switches a cloud provider on. A value that may not mean yes counts as
/// no: it is worse to miss what pays than to tell too much.
fn is_a_provider_on(scope: &Scope<'_>) -> bool {
    let values = SWITCHES.iter().filter_map(|name| scope.variable(name)?.to_str());
    values
        .map(str::trim)
        .any(|value| ["1", "true", "yes", "on"].iter().any(|yes| value.eq_ignore_ascii_case(yes)))
}

/// Who is sent in which slot, given what is there.
fn slots(has: &dyn Fn(Source) -> bool) -> Vec<(Slot, Source)> {
    let first = |sources: &[Source]| sources.iter().copied().find(|source| has(*source));
    let oauth = first(&[Source::OauthToken, Source::OauthDescriptor, Source::StoredLogin]);
    let has_key = has(Source::ApiKey) || has(Source::KeyDescriptor);
    let bearer = first(&[Source::AuthToken, Source::Helper]).or(oauth.filter(|_| !has_key));
    let key = first(&[Source::ApiKey, Source::KeyDescriptor, Source::Helper]);
    let key = key.or_else(|| first(&[Source::StoredKey]).filter(|_| oauth.is_none()));
    let bearer = bearer.map(|source| (Slot::Bearer, source));
    bearer.into_iter().chain(key.map(|source| (Slot::ApiKey, source))).collect()
}

fn natural(source: Source) -> Slot {
    match source {
        Source::ApiKey | Source::KeyDescriptor | Source::StoredKey => Slot::ApiKey,
        _ => Slot::Bearer,
    }
}

fn source(finding: &Finding, scope: &Scope<'_>) -> Option<(Source, Rank)> {
    match &finding.location {
        Location::Variable { holder: Holder::ThisShell, name } => Some((of_variable(name)?, Rank::Shell)),
        Location::Variable { holder, name } => {
            let inherited = !matches!(holder, Holder::Process { .. });
            Some((of_variable(name)?, Rank::Next)).filter(|_| inherited)
        }
        Location::Registry { value, .. } => Some((of_variable(value)?, Rank::Next)),
        Location::Stored(stored) => match &stored.structure {
            Structure::Assignment { variable, .. }
                if finding.place.id.starts_with("profiles.")
                    || finding.place.id.starts_with("environment.") =>
            {
                Some((of_variable(variable)?, Rank::Next))
            }
            Structure::Json { pointer } => stored_source(finding, &stored.path, pointer, scope),
            _ => None,
        },
        Location::Keychain { service, .. } => match service.as_str() {
            "Claude Code-credentials" => Some((Source::StoredLogin, Rank::Stored)),
            "Claude Code" => Some((Source::StoredKey, Rank::Stored)),
            _ => None,
        },
        Location::CredentialManager { .. } => Some((Source::StoredLogin, Rank::Stored)),
    }
}

fn stored_source(finding: &Finding, path: &Path, pointer: &str, scope: &Scope<'_>) -> Option<(Source, Rank)> {
    let parent = path.parent()?;
    let chosen = |name: &str| scope.directory(name).and_then(|path| path.canonicalize().ok());
    let home = scope.home.canonicalize().ok()?;
    let config = chosen("CLAUDE_CONFIG_DIR");
    let secure =
        chosen("CLAUDE_SECURESTORAGE_CONFIG_DIR").or(config.clone()).unwrap_or_else(|| home.join(".claude"));
    match (finding.place.id, pointer) {
        ("claude.credentials", "/claudeAiOauth/accessToken") => {
            (parent == secure).then_some((Source::StoredLogin, Rank::Stored))
        }
        ("claude.config" | "claude.home-config", "/primaryApiKey") => {
            (parent == config.unwrap_or(home)).then_some((Source::StoredKey, Rank::Stored))
        }
        ("claude.settings" | "project.claude-settings", _) => {
            let is_project = finding.place.id == "project.claude-settings";
            let in_force = is_project || parent == config.unwrap_or_else(|| home.join(".claude"));
            let is_local = path.file_name().is_some_and(|name| name == "settings.local.json");
            let is_settings = is_local || path.file_name().is_some_and(|name| name == "settings.json");
            let rank = match (is_project, is_local) {
                (true, true) => Rank::ProjectLocal,
                (true, false) => Rank::Project,
                _ => Rank::User,
            };
            let source = match pointer.strip_prefix("/env/") {
                Some(name) => of_variable(name)?,
                None if pointer == "/apiKeyHelper" && finding.kind == Kind::Command => Source::Helper,
                None => return None,
            };
            (in_force && is_settings).then_some((source, rank))
        }
        _ => None,
    }
}

fn of_variable(name: &str) -> Option<Source> {
    match name {
        "ANTHROPIC_AUTH_TOKEN" => Some(Source::AuthToken),
        "ANTHROPIC_API_KEY" => Some(Source::ApiKey),
        "CLAUDE_CODE_OAUTH_TOKEN" => Some(Source::OauthToken),
        "CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR" => Some(Source::OauthDescriptor),
        "CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR" => Some(Source::KeyDescriptor),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Letters as in the facts: K `API_KEY`, T `AUTH_TOKEN`, O `OAUTH_TOKEN`, H helper, F stored login, P
    /// `primaryApiKey`, o and k descriptors.
    fn of_letter(letter: char) -> Source {
        match letter {
            'K' => Source::ApiKey,
            'T' => Source::AuthToken,
            'O' => Source::OauthToken,
            'H' => Source::Helper,
            'F' => Source::StoredLogin,
            'P' => Source::StoredKey,
            'o' => Source::OauthDescriptor,
            _ => Source::KeyDescriptor,
        }
    }

    /// Every observed pair: what is there, what Bearer is, what `x-api-key` is.
    const OBSERVED: &[(&str, &str, &str)] = &[
        ("KO", "", "K"),
        ("KF", "", "K"),
        ("KP", "", "K"),
        ("Ko", "", "K"),
        ("Kk", "", "K"),
        ("TO", "T", ""),
        ("TF", "T", ""),
        ("To", "T", ""),
        ("KT", "T", "K"),
        ("TP", "T", "P"),
        ("TH", "T", "H"),
        ("KH", "H", "K"),
        ("Tk", "T", "k"),
        ("Hk", "H", "k"),
        ("OH", "H", "H"),
        ("HF", "H", "H"),
        ("HP", "H", "H"),
        ("Ho", "H", "H"),
        ("OF", "O", ""),
        ("OP", "O", ""),
        ("Oo", "O", ""),
        ("Fo", "o", ""),
        ("Po", "o", ""),
        ("Ok", "", "k"),
        ("Fk", "", "k"),
        ("Pk", "", "k"),
        ("FP", "F", ""),
    ];

    #[test]
    fn all_observed_pairs() {
        for (there, bearer, key) in OBSERVED {
            let slots = slots(&|source| there.chars().any(|letter| of_letter(letter) == source));
            let in_slot = |slot| slots.iter().find(|found| found.0 == slot).map(|found| found.1);
            assert_eq!(in_slot(Slot::Bearer), bearer.chars().next().map(of_letter), "{there}");
            assert_eq!(in_slot(Slot::ApiKey), key.chars().next().map(of_letter), "{there}");
        }
    }
}
