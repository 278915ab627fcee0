//! `claudectl logout --all-users`: every user's daemon of a shared machine. Root only reads the list of
//! users; each daemon is asked over its own socket by a child process that is that user and nobody else,
//! because a daemon answers nobody else. No credential is read on the way.

use std::{fmt::Write as _, process::Stdio};

use claudectl_platform::users::{self, User};
use serde::Serialize;
use serde_json::Value;
use tokio::{process::Command, task::JoinSet};

use crate::{
    Context, args,
    error::Error,
    exit::Exit,
    output::{
        Waiting,
        text::{BAD, DIM, GOOD, Plain, styled},
    },
};

/// What became of one user.
#[derive(Debug, Serialize)]
struct Answer {
    user: String,
    uid: u32,
    /// Whether a daemon of this user runs; null if that could not be found out.
    daemon: Option<bool>,
    /// How the logout ended; null if there was none.
    exit: Option<i32>,
    /// Its receipt; null if there is none.
    receipt: Option<Value>,
}

impl Answer {
    /// Nothing is held, or everything is proven gone.
    fn is_proven(&self) -> bool {
        self.daemon == Some(false) || self.exit == Some(0)
    }
}

#[derive(Debug, Serialize)]
struct Body {
    proven: bool,
    users: Vec<Answer>,
}

/// Logs every user out.
pub(super) async fn run(context: &Context) -> Result<Exit, Error> {
    if !users::is_administrator() {
        return Err(Error::new("only root can log every user out").hint("sudo claudectl logout --all-users"));
    }
    let users = users::all().map_err(|error| Error::new("the users are not known").because(&error))?;
    let waiting = Waiting::new("logging every user out");
    // All at once: nobody's slow server holds up the others.
    let mut asking = JoinSet::new();
    for user in users {
        asking.spawn(log_out(user));
    }
    let mut answers = Vec::new();
    while let Some(answer) = asking.join_next().await {
        answers.push(answer.map_err(|error| Error::new("a user was not asked").because(&error))??);
    }
    drop(waiting);
    answers.sort_by_key(|answer| answer.uid);
    let body = Body { proven: answers.iter().all(Answer::is_proven), users: answers };
    context.output.show("claudectl.logout-all-users/1", &body, || told(&body.users))?;
    Ok(if body.proven { Exit::Ok } else { Exit::Unproven })
}

async fn log_out(user: User) -> Result<Answer, Error> {
    let (_, status) = ask(&user, &["status", "--json"]).await?;
    let daemon = status.as_ref().and_then(|status| status.get("daemon")).map(|daemon| !daemon.is_null());
    let mut answer = Answer { user: user.name.clone(), uid: user.uid, daemon, exit: None, receipt: None };
    if daemon != Some(false) {
        (answer.exit, answer.receipt) = ask(&user, &["logout", "--all", "--json"]).await?;
    }
    Ok(answer)
}

/// Runs this program as the user; how it ended, and its document.
async fn ask(user: &User, arguments: &[&str]) -> Result<(Option<i32>, Option<Value>), Error> {
    let mut command = std::process::Command::new(args::own_program()?);
    users::become_user(&mut command, user)
        .map_err(|error| Error::new("nobody can act as another user here").because(&error))?;
    command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
    let Ok(output) = Command::from(command).kill_on_drop(true).output().await else {
        return Ok((None, None));
    };
    Ok((output.status.code(), serde_json::from_slice(&output.stdout).ok()))
}

fn told(answers: &[Answer]) -> String {
    let mut text = String::new();
    for answer in answers {
        let verdict = match (answer.daemon, answer.exit) {
            (Some(false), _) => styled(DIM, "no daemon runs: nothing is held"),
            (_, Some(0)) => styled(GOOD, format!("logged out{}", names(answer))),
            (_, Some(6)) => styled(BAD, format!("logged out{}, but not all of it is proven", names(answer))),
            (_, Some(code)) => styled(BAD, format!("failed (exit code {code})")),
            (_, None) => styled(BAD, "could not be asked"),
        };
        let _ = writeln!(text, "{}: {verdict}", Plain(&answer.user));
        for item in list(answer, "items").iter().filter(|item| item["outcome"] == "unproven") {
            let word = |name: &str| Plain(item[name].as_str().unwrap_or_default()).to_string();
            let _ = writeln!(text, "  unproven  {} in {}: {}", word("what"), word("where"), word("proof"));
        }
    }
    text
}

/// Whose accounts: `: work, private`.
fn names(answer: &Answer) -> String {
    let names: Vec<_> = list(answer, "accounts").iter().filter_map(Value::as_str).collect();
    if names.is_empty() { String::new() } else { format!(": {}", Plain(&names.join(", "))) }
}

fn list<'a>(answer: &'a Answer, field: &str) -> &'a [Value] {
    let found = answer.receipt.as_ref().and_then(|receipt| receipt.get(field)?.as_array());
    found.map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(daemon: Option<bool>, exit: Option<i32>) -> Answer {
        let receipt = exit.map(|_| {
            json!({"accounts": ["work"], "items": [
                {"what": "access token", "where": "https://as.example", "proof": "no answer", "outcome": "unproven"},
            ]})
        });
        Answer { user: "jane".into(), uid: 1000, daemon, exit, receipt }
    }

    #[test]
    fn only_a_daemon_that_is_not_there_or_a_proven_logout_is_proven() {
        assert!(answer(Some(false), None).is_proven() && answer(Some(true), Some(0)).is_proven());
        for doubtful in [answer(None, None), answer(Some(true), None), answer(Some(true), Some(6))] {
            assert!(!doubtful.is_proven(), "{doubtful:?}");
        }
    }

    #[test]
    fn says_what_is_not_proven_and_whose() {
        let text = anstream::adapter::strip_str(&told(&[answer(Some(true), Some(6))])).to_string();
        assert_eq!(
            text,
            "jane: logged out: work, but not all of it is proven\n  unproven  access token in https://as.example: no answer\n"
        );
    }
}
