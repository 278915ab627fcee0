//! The environment of a session: what the daemon sets, without what would override it.

use std::ffi::{OsStr, OsString};

use claudectl_footprint::catalog::environment::{CONFIG_DIRECTORIES, Role, Variable, lookup};
use claudectl_proto::v1::EnvironmentVariable;

use crate::{
    args::{self, Environment},
    output::complain,
};

/// A variable that says that this process is in a session already.
pub const SESSION: &str = "CLAUDECTL_SESSION";

/// What a program gets.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its environment.
    pub environment: Vec<(OsString, OsString)>,
    /// Names of the variables that it would have got, and that carry a credential or choose who
    /// pays or where requests go.
    pub removed: Vec<&'static str>,
}

/// Plans the environment of a session.
pub fn plan(ambient: &Environment, set: &[EnvironmentVariable]) -> Plan {
    let is_set = |name: &OsStr| set.iter().any(|variable| OsStr::new(&variable.name) == name);
    // In a session these hold what an outer session set: nothing of the user's is lost.
    let nested = ambient.get(SESSION).is_some();
    let mut environment = Vec::new();
    let mut removed = Vec::new();
    for (name, value) in ambient.iter() {
        match known(name) {
            Some(variable) if variable.role != Role::Login && !(nested && is_set(name)) => {
                removed.push(variable.name);
            }
            Some(_) => {}
            None if is_set(name) => {}
            None => environment.push((name.clone(), value.clone())),
        }
    }
    environment.extend(set.iter().map(|variable| ((&variable.name).into(), (&variable.value).into())));
    Plan { environment, removed }
}

/// Variables here that would override the account, or pay instead, outside a session.
pub fn overriding(ambient: &Environment) -> Vec<&'static Variable> {
    let outer = ambient.get(SESSION).is_some();
    let known = ambient.iter().filter(|(_, value)| !value.is_empty()).filter_map(|(name, _)| known(name));
    known.filter(|variable| variable.role != Role::Login && !(outer && is_of_a_session(variable))).collect()
}

/// Where Claude Code is told to keep its files, as absolute paths.
pub fn config_directories(ambient: &Environment) -> Vec<String> {
    let named = CONFIG_DIRECTORIES.iter().filter_map(|name| ambient.path(name));
    let absolute = named.map(|path| args::working_directory().join(path));
    absolute.map(|path| path.to_string_lossy().into_owned()).collect()
}

/// Those that a session sets itself.
fn is_of_a_session(variable: &Variable) -> bool {
    matches!(variable.name, "ANTHROPIC_AUTH_TOKEN" | "ANTHROPIC_BASE_URL" | "ANTHROPIC_UNIX_SOCKET")
}

fn known(name: &OsStr) -> Option<&'static Variable> {
    name.to_str().and_then(lookup)
}

/// Tells the user, once, what a session does not get.
pub fn tell(removed: &[&str]) {
    if !removed.is_empty() {
        complain(&format!(
            "claudectl: this session does not get {} from your environment; its account pays",
            removed.join(", ")
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(pairs: &[(&str, &str)]) -> Vec<EnvironmentVariable> {
        let variable = |(name, value): &(&str, &str)| EnvironmentVariable {
            name: (*name).to_owned(),
            value: (*value).to_owned(),
        };
        pairs.iter().map(variable).collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
        pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn credentials_and_providers_go_and_the_placeholder_comes() {
        let ambient = Environment::from_iter([
            ("HOME", "/home/a"),
            ("ANTHROPIC_API_KEY", "sk-ant-api03-TEST"),
            ("CLAUDE_CODE_USE_BEDROCK", "1"),
            ("ANTHROPIC_BASE_URL", "https://elsewhere"),
            ("DISABLE_LOGOUT_COMMAND", "1"),
        ]);
        let plan = plan(&ambient, &set(&[("ANTHROPIC_BASE_URL", "http://claudectl.invalid")]));
        assert_eq!(
            plan.environment,
            pairs(&[("HOME", "/home/a"), ("ANTHROPIC_BASE_URL", "http://claudectl.invalid")])
        );
        assert_eq!(plan.removed, ["ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "CLAUDE_CODE_USE_BEDROCK"]);
    }

    #[test]
    fn a_session_in_a_session_replaces_the_placeholder_without_a_word() {
        let ambient = Environment::from_iter([
            (SESSION, "1"),
            ("ANTHROPIC_AUTH_TOKEN", "old"),
            ("ANTHROPIC_API_KEY", "x"),
        ]);
        let plan = plan(&ambient, &set(&[(SESSION, "2"), ("ANTHROPIC_AUTH_TOKEN", "new")]));
        assert_eq!(plan.environment, pairs(&[(SESSION, "2"), ("ANTHROPIC_AUTH_TOKEN", "new")]));
        assert_eq!(plan.removed, ["ANTHROPIC_API_KEY"]);
    }

    #[test]
    fn names_what_would_override_but_not_what_a_session_set() {
        let names = |ambient: &Environment| -> Vec<_> {
            overriding(ambient).into_iter().map(|variable| variable.name).collect()
        };
        let outside = Environment::from_iter([("ANTHROPIC_AUTH_TOKEN", "x"), ("ANTHROPIC_API_KEY", "")]);
        assert_eq!(names(&outside), ["ANTHROPIC_AUTH_TOKEN"]);
        let inside = Environment::from_iter([
            (SESSION, "1"),
            ("ANTHROPIC_AUTH_TOKEN", "placeholder"),
            ("CLAUDE_CODE_OAUTH_TOKEN", "x"),
        ]);
        assert_eq!(names(&inside), ["CLAUDE_CODE_OAUTH_TOKEN"]);
    }
}
