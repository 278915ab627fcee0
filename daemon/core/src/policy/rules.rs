//! Which account a directory uses, and which it must not.

use crate::{error::Refusal, ids::AccountName};

/// A rule of the configuration for one directory and everything below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Absolute path without a trailing slash (`/` itself is the empty string).
    pub directory: String,
    /// The account that sessions there use when they name none.
    pub account: Option<AccountName>,
    /// Accounts that sessions there must not use, named or not.
    pub deny: Vec<AccountName>,
}

/// Why an account was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It was named.
    Named,
    /// The rule for this directory names it.
    Rule(String),
    /// It is the default account.
    Default,
}

/// An account that was chosen; whether it is logged in is another question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Its name.
    pub name: AccountName,
    /// Why it was chosen.
    pub why: Why,
}

impl Rule {
    /// Whether a directory is this rule's or below it.
    fn covers(&self, directory: &str) -> bool {
        directory
            .strip_prefix(self.directory.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// The account for a session in `directory`: the one it names, else the one of the nearest rule, else
/// the default; `None` if there is none of these. A rule that denies it has the last word, wherever
/// the name came from.
///
/// # Errors
/// [`Refusal::Denied`].
pub fn choose(
    rules: &[Rule],
    directory: &str,
    named: Option<&AccountName>,
    default: Option<&AccountName>,
) -> Result<Option<Choice>, Refusal> {
    let by_rule = || {
        let named = |rule: &&Rule| rule.account.is_some() && rule.covers(directory);
        let nearest = rules.iter().filter(named).max_by_key(|rule| rule.directory.len())?;
        Some(Choice { name: nearest.account.clone()?, why: Why::Rule(shown(&nearest.directory)) })
    };
    let choice = named
        .map(|name| Choice { name: name.clone(), why: Why::Named })
        .or_else(by_rule)
        .or_else(|| default.map(|name| Choice { name: name.clone(), why: Why::Default }));
    if let Some(choice) = &choice {
        permit(rules, directory, &choice.name)?;
    }
    Ok(choice)
}

/// Whether a session in `directory` may use an account.
///
/// # Errors
/// [`Refusal::Denied`].
pub fn permit(rules: &[Rule], directory: &str, name: &AccountName) -> Result<(), Refusal> {
    match rules.iter().find(|rule| rule.deny.contains(name) && rule.covers(directory)) {
        Some(rule) => Err(Refusal::Denied { account: name.clone(), directory: shown(&rule.directory) }),
        None => Ok(()),
    }
}

fn shown(directory: &str) -> String {
    if directory.is_empty() { "/".to_owned() } else { directory.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> AccountName {
        name.parse().unwrap()
    }

    fn rule(directory: &str, account: Option<&str>, deny: &[&str]) -> Rule {
        Rule {
            directory: directory.into(),
            account: account.map(name),
            deny: deny.iter().map(|denied| name(denied)).collect(),
        }
    }

    fn chosen(directory: &str, named: Option<&str>) -> Result<(String, Why), Refusal> {
        let rules = [
            rule("/home/me", Some("personal"), &[]),
            rule("/home/me/work", Some("work"), &["personal"]),
            rule("/home/me/work/lab", None, &["work"]),
        ];
        let named = named.map(name);
        choose(&rules, directory, named.as_ref(), Some(&name("spare")))
            .map(|choice| choice.map(|choice| (choice.name.to_string(), choice.why)).unwrap())
    }

    #[test]
    fn the_nearest_rule_wins_over_the_default_and_a_name_over_both() {
        assert_eq!(chosen("/tmp", None).unwrap(), ("spare".into(), Why::Default));
        assert_eq!(chosen("/home/me/x", None).unwrap(), ("personal".into(), Why::Rule("/home/me".into())));
        assert_eq!(chosen("/home/me/work", None).unwrap().0, "work");
        assert_eq!(chosen("/home/me/work/a/b", None).unwrap().0, "work");
        assert_eq!(chosen("/home/me/x", Some("work")).unwrap(), ("work".into(), Why::Named));
    }

    #[test]
    fn names_are_compared_by_component() {
        assert_eq!(chosen("/home/me/workshop", None).unwrap().0, "personal");
        assert_eq!(chosen("/home/meander", None).unwrap().0, "spare");
    }

    #[test]
    fn a_denied_account_is_refused_wherever_its_name_came_from() {
        let denied = |account: &str, directory: &str| {
            Err(Refusal::Denied { account: name(account), directory: directory.into() })
        };
        assert_eq!(chosen("/home/me/work/x", Some("personal")), denied("personal", "/home/me/work"));
        assert_eq!(chosen("/home/me/work/lab/y", None), denied("work", "/home/me/work/lab"));
        assert_eq!(chosen("/home/me/work/lab/y", Some("spare")).unwrap().0, "spare");
    }

    #[test]
    fn the_root_covers_everything() {
        let rules = [rule("", None, &["personal"])];
        assert!(permit(&rules, "/anywhere", &name("personal")).is_err());
        assert!(permit(&rules, "/", &name("personal")).is_err());
    }
}
