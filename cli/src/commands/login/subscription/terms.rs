//! The note on the provider's terms: shown once, its acceptance recorded.

use std::{
    fs,
    io::{BufRead as _, Write as _},
    path::{Path, PathBuf},
};

use claudectl_platform::{clock, directories, erasure::create_private};

use crate::{
    args::Environment,
    error::Error,
    output::{can_ask, complain},
};

/// Changes when the note says something else: it is shown again then.
const VERSION: u32 = 1;
/// The record of the acceptance, in the directory of the configuration.
const FILE: &str = "subscription-terms.json";

const NOTE: &str = "\
Logging in with a Claude subscription

The Claude Code that you installed signs you in, unmodified: `claude
setup-token`, with your browser. The token that it makes is valid for about a
year. claudectl hands it to claudectld instead of showing it, and sessions of
this account use it.

claudectl makes no request of its own to Anthropic's sign-in, uses no client
id of Claude Code, and is not made or approved by Anthropic.

Anthropic's terms, which you accepted with your account, decide whether and
how a subscription may be used. Read them first; breaking them can cost you
the account:
  https://www.anthropic.com/legal/consumer-terms
  https://code.claude.com/docs/en/legal-and-compliance

So use it only with your own account, on your own machine, with the genuine
Claude Code. For anything else, log in with an API key.";

/// Goes on if the note was accepted, now or before.
pub(super) fn accept(environment: &Environment, accepted: bool) -> Result<(), Error> {
    let file = file(environment)?;
    if is_recorded(&file) {
        return Ok(());
    }
    if !accepted {
        ask()?;
    }
    record(&file).map_err(|error| {
        Error::new(format!("the acceptance could not be recorded in {}", file.display())).because(&error)
    })
}

fn ask() -> Result<(), Error> {
    complain(NOTE);
    if !can_ask() {
        return Err(Error::usage("the note on Anthropic's terms above was not accepted yet")
            .hint("accept it on a terminal, or with --accept-terms"));
    }
    let mut stderr = anstream::stderr();
    write!(stderr, "\nType yes if you have read this and go on: ")?;
    stderr.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if answer.trim().eq_ignore_ascii_case("yes") {
        return Ok(());
    }
    Err(Error::new("the note was not accepted, so nothing was done"))
}

fn file(environment: &Environment) -> Result<PathBuf, Error> {
    let directory = directories::config(environment.get("XDG_CONFIG_HOME"), environment.home())?;
    Ok(directory.join(FILE))
}

fn is_recorded(file: &Path) -> bool {
    let recorded =
        fs::read(file).ok().and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
    recorded.is_some_and(|recorded| recorded["note"] == VERSION)
}

fn record(file: &Path) -> std::io::Result<()> {
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory)?;
    }
    // One of an older note, perhaps.
    let _ = fs::remove_file(file);
    let text = serde_json::json!({"note": VERSION, "accepted_at": clock::wall()});
    create_private(file, format!("{text}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_accepted_once_and_again_only_if_it_changes() {
        let home = tempfile::tempdir().unwrap();
        let environment = Environment::from_iter([("XDG_CONFIG_HOME", home.path().as_os_str())]);
        let file = file(&environment).unwrap();
        assert!(!is_recorded(&file));
        accept(&environment, true).unwrap();
        accept(&environment, false).unwrap();
        fs::write(&file, r#"{"note":0,"accepted_at":1}"#).unwrap();
        assert!(!is_recorded(&file));
        accept(&environment, true).unwrap();
        assert!(is_recorded(&file));
        fs::write(&file, "garbage").unwrap();
        assert!(!is_recorded(&file));
    }
}
