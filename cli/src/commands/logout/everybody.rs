//! `claudectl logout --all-users`: every user's daemon of a shared machine. Root only reads the list of
//! users; each daemon is asked over its own socket by a child process that is that user and nobody else,
//! because a daemon answers nobody else. No credential is read on the way.

use std::{fmt::Write as _, io, time::Duration};

use claudectl_platform::users::{self, User};
use serde::Serialize;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{
    Context,
    error::Error,
    exit::Exit,
    output::{
        Waiting,
        text::{BAD, DIM, GOOD, Plain, styled},
    },
    process::as_user,
};

/// What the program is called that holds credentials.
const DAEMON: &str = "claudectld";

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
    /// Daemons of this user that run and could not be asked.
    unreached: Vec<u32>,
    /// Nothing is held, and it is known that nothing is kept.
    #[serde(skip)]
    is_idle: bool,
}

impl Answer {
    /// There was nothing, or everything is proven gone.
    fn is_proven(&self) -> bool {
        self.is_idle || (self.exit == Some(0) && self.unreached.is_empty())
    }
}

#[derive(Debug, Serialize)]
struct Body {
    proven: bool,
    users: Vec<Answer>,
}

/// The longest that a status, and that a logout may take: as `logout` itself waits, and some more.
const PATIENCE: [Duration; 2] = [Duration::from_secs(30), Duration::from_secs(150)];

/// Logs every user out.
pub(super) async fn run(context: &Context) -> Result<Exit, Error> {
    if !users::is_administrator() {
        return Err(Error::new("only root can log every user out").hint("sudo claudectl logout --all-users"));
    }
    let mut users = users::all().map_err(unknown)?;
    let daemons = users::running(DAEMON).map_err(unknown)?;
    for daemon in &daemons {
        // Without a home nothing is kept, but something may be held.
        if !users.iter().any(|user| user.uid == daemon.uid) {
            users.push(users::of(*daemon));
        }
    }
    let waiting = Waiting::new("logging every user out");
    // All at once: nobody's slow server holds up the others.
    let mut asking = JoinSet::new();
    for user in users {
        let own = daemons.iter().filter(|daemon| daemon.uid == user.uid).map(|daemon| daemon.pid).collect();
        asking.spawn(log_out(user, own));
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

#[allow(clippy::needless_pass_by_value, reason = "an error, on its way to another one")]
fn unknown(error: io::Error) -> Error {
    Error::new("the users are not known").because(&error)
}

/// `running` are the user's daemons, as the system says.
async fn log_out(user: User, running: Vec<u32>) -> Result<Answer, Error> {
    let status = as_user::run(&user, ["status", "--json"], PATIENCE[0]).await?.document;
    let status = status.as_ref();
    let found = status.and_then(|status| status.get("daemon"));
    let answering = found.and_then(|daemon| daemon.get("pid")?.as_u64());
    let mut daemon = found.map(|daemon| !daemon.is_null());
    let has_none =
        |field: &str| status.and_then(|status| status.get(field)?.as_array()).is_some_and(Vec::is_empty);
    // One whose socket is gone, or that listens where nobody asks, holds whatever it holds.
    let is_other = |pid: &u32| answering != Some(u64::from(*pid));
    let mut unreached: Vec<_> = running.into_iter().filter(is_other).collect();
    if !unreached.is_empty() {
        // It may have ended meanwhile, having nothing to do.
        let now = users::running(DAEMON).map_err(unknown)?;
        unreached.retain(|pid| now.iter().any(|daemon| daemon.pid == *pid));
    }
    if !unreached.is_empty() && daemon == Some(false) {
        daemon = None;
    }
    let is_idle = daemon == Some(false) && has_none("accounts") && has_none("kept_doubts");
    let (name, uid) = (user.name.clone(), user.uid);
    let mut answer = Answer { user: name, uid, daemon, exit: None, receipt: None, unreached, is_idle };
    if !is_idle {
        let said = as_user::run(&user, ["logout", "--all", "--json"], PATIENCE[1]).await?;
        (answer.exit, answer.receipt) = (said.exit, said.document);
    }
    Ok(answer)
}

fn told(answers: &[Answer]) -> String {
    let mut text = String::new();
    for answer in answers {
        let verdict = match (answer.is_idle, answer.exit) {
            (true, _) => styled(DIM, "no daemon runs, and nothing is kept"),
            (_, Some(0)) => styled(GOOD, format!("logged out{}", names(answer))),
            (_, Some(6)) => styled(BAD, format!("logged out{}, but not all of it is proven", names(answer))),
            (_, Some(code)) => styled(BAD, format!("failed (exit code {code})")),
            (_, None) => styled(BAD, "could not be asked"),
        };
        let _ = writeln!(text, "{}: {verdict}", Plain(&answer.user));
        for pid in &answer.unreached {
            let what = styled(BAD, "not reached");
            let _ = writeln!(
                text,
                "  {what}  {DAEMON} (pid {pid}) runs and does not listen: kill {pid} wipes what it holds"
            );
        }
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
        let is_idle = daemon == Some(false) && exit.is_none();
        Answer { user: "jane".into(), uid: 1000, daemon, exit, receipt, unreached: Vec::new(), is_idle }
    }

    #[test]
    fn only_a_daemon_that_is_not_there_or_a_proven_logout_is_proven() {
        assert!(answer(Some(false), None).is_proven() && answer(Some(true), Some(0)).is_proven());
        for doubtful in [answer(None, None), answer(Some(true), None), answer(Some(true), Some(6))] {
            assert!(!doubtful.is_proven(), "{doubtful:?}");
        }
        assert!(!Answer { unreached: vec![42], ..answer(Some(true), Some(0)) }.is_proven());
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
