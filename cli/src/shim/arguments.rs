//! What the arguments of `claude` mean.

use std::ffi::{OsStr, OsString};

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// A command of claudectl, with these words.
    Ours(Vec<OsString>),
    /// The genuine client, as it is: it needs no session for this.
    Untouched,
    /// The genuine client as a session.
    Session,
}

/// Commands and options of the genuine client that never talk to the API with a credential.
const UNTOUCHED: &[&str] = &[
    "--help",
    "--version",
    "-h",
    "-v",
    "config",
    "doctor",
    "help",
    "install",
    "mcp",
    "migrate-installer",
    "plugin",
    "plugins",
    "setup-token",
    "update",
    "upgrade",
];

/// Options of `claude auth …` that choose a way to log in or to write that claudectl does not have.
const DROPPED: &[&str] = &["--claudeai", "--console", "--sso", "--text"];

/// What these arguments mean.
pub fn meaning(arguments: &[OsString]) -> Meaning {
    let words: Vec<_> = arguments.iter().map(|word| word.to_str().unwrap_or_default()).collect();
    match words.as_slice() {
        ["auth", command @ ("login" | "logout" | "status"), ..] => ours(command, arguments.get(2..)),
        [command @ ("login" | "logout" | "status"), ..] => ours(command, arguments.get(1..)),
        ["/login"] => ours("login", None),
        ["/logout"] => ours("logout", None),
        ["/status"] => ours("status", None),
        ["purge", ..] => ours("purge", arguments.get(1..)),
        ["/purge"] => ours("purge", None),
        [first, ..] if UNTOUCHED.contains(first) => Meaning::Untouched,
        _ => Meaning::Session,
    }
}

fn ours(command: &str, rest: Option<&[OsString]>) -> Meaning {
    let kept = rest.unwrap_or_default().iter().filter(|word| !DROPPED.iter().any(|dropped| word == dropped));
    Meaning::Ours([OsStr::new(command).to_owned()].into_iter().chain(kept.cloned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Meaning {
        meaning(&words.iter().map(OsString::from).collect::<Vec<_>>())
    }

    fn ours(words: &[&str]) -> Meaning {
        Meaning::Ours(words.iter().map(OsString::from).collect())
    }

    #[test]
    fn the_words_that_people_know_mean_claudectl() {
        let table: &[(&[&str], &[&str])] = &[
            (&["login"], &["login"]),
            (&["login", "work", "--offline"], &["login", "work", "--offline"]),
            (&["/login"], &["login"]),
            (&["logout"], &["logout"]),
            (&["/logout"], &["logout"]),
            (&["status"], &["status"]),
            (&["/status"], &["status"]),
            (&["purge", "--dry-run"], &["purge", "--dry-run"]),
            (&["/purge"], &["purge"]),
            (&["auth", "login", "--console"], &["login"]),
            (&["auth", "logout"], &["logout"]),
            (&["auth", "status", "--json"], &["status", "--json"]),
            (&["auth", "status", "--text"], &["status"]),
        ];
        for (given, expected) in table {
            assert_eq!(of(given), ours(expected), "{given:?}");
        }
    }

    #[test]
    fn what_needs_no_session_is_untouched() {
        for first in ["--version", "-v", "--help", "doctor", "update", "mcp"] {
            assert_eq!(of(&[first, "anything"]), Meaning::Untouched, "{first}");
        }
    }

    #[test]
    fn everything_else_is_a_session() {
        for words in
            [&[][..], &["-p", "login"], &["hello"], &["/login now"], &["/logout", "x"], &["auth"], &["--"]]
        {
            assert_eq!(of(words), Meaning::Session, "{words:?}");
        }
    }
}
