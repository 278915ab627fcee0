//! `claudectl purge --system`: the same for every user of the machine. Root only reads the list of users;
//! each home is looked at and changed by a child process that is that user and nobody else.

use std::time::Duration;

use clap::ArgMatches;
use claudectl_platform::users::{self, User};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    confirm,
    json::{PlanBody, ReceiptBody},
    show,
};
use crate::{
    Context,
    error::Error,
    exit::Exit,
    output::text::{BAD, BOLD, Plain, styled},
    process::as_user,
};

/// The longest that one user's purge may take: reading a home, and servers that are asked to revoke.
const PATIENCE: Duration = Duration::from_mins(10);

/// What a user's own purge said.
#[derive(Debug, Serialize)]
struct Answer {
    user: String,
    uid: u32,
    home: String,
    /// How it ended; null if it could not be run.
    exit: Option<i32>,
    /// Its document; null if there is none.
    said: Option<Value>,
}

impl Answer {
    /// What it said, if that was this.
    fn said<T: DeserializeOwned>(&self) -> Option<T> {
        T::deserialize(self.said.as_ref()?).ok()
    }
}

#[derive(Debug, Serialize)]
struct Body {
    proven: bool,
    users: Vec<Answer>,
}

/// Purges every user.
pub(super) async fn run(matches: &ArgMatches, context: &Context) -> Result<Exit, Error> {
    if !users::is_administrator() {
        return Err(Error::new("only root can purge for every user").hint("sudo claudectl purge --system"));
    }
    let users = users::all().map_err(|error| Error::new("the users are not known").because(&error))?;
    let mut seen = Vec::new();
    for user in &users {
        seen.push(ask(user, matches, &["--dry-run"]).await?);
    }
    if matches.get_flag("dry-run") {
        return tell(context, seen, list);
    }
    confirm(matches, context, || list(&seen))?;
    let mut done = Vec::new();
    for (user, seen) in users.iter().zip(seen) {
        // What was not shown is not removed.
        let is_shown = seen.exit == Some(0) && seen.said::<PlanBody>().is_some_and(|plan| !plan.is_empty());
        done.push(if is_shown { ask(user, matches, &["--yes"]).await? } else { seen });
    }
    tell(context, done, told)
}

fn tell(context: &Context, answers: Vec<Answer>, words: fn(&[Answer]) -> String) -> Result<Exit, Error> {
    let proven = answers.iter().all(|answer| answer.exit == Some(0));
    let body = Body { proven, users: answers };
    context.output.show("claudectl.system/1", &body, || words(&body.users))?;
    Ok(if proven { Exit::Ok } else { Exit::Unproven })
}

/// Runs this program as the user.
async fn ask(user: &User, matches: &ArgMatches, words: &[&str]) -> Result<Answer, Error> {
    let mut arguments: Vec<_> = ["purge", "--json"].iter().chain(words).map(ToString::to_string).collect();
    for name in ["only", "keep"] {
        for word in matches.get_many::<String>(name).into_iter().flatten() {
            arguments.push(format!("--{name}={word}"));
        }
    }
    if matches.get_flag("everything") {
        arguments.push("--everything".to_owned());
    }
    let said = as_user::run(user, arguments, PATIENCE).await?;
    Ok(Answer {
        user: user.name.clone(),
        uid: user.uid,
        home: user.home.display().to_string(),
        exit: said.exit,
        said: said.document,
    })
}

fn list(answers: &[Answer]) -> String {
    let mut text = String::new();
    for answer in answers {
        text.push_str(&heading(answer));
        let plan = answer.said::<PlanBody>().filter(|_| answer.exit == Some(0));
        match plan {
            Some(plan) => text.push_str(&indented(&show::plan(&plan))),
            None => text.push_str(&indented(&styled(BAD, "could not be looked at"))),
        }
    }
    text
}

fn told(answers: &[Answer]) -> String {
    let mut text = String::new();
    for answer in answers {
        text.push_str(&heading(answer));
        let said = match (answer.said::<ReceiptBody>(), answer.said::<PlanBody>(), answer.exit) {
            (Some(receipt), ..) => show::receipt(&receipt),
            // It says so where there is nothing to do.
            (None, Some(plan), Some(0)) => show::plan(&plan),
            (_, _, Some(code)) => styled(BAD, format!("nothing was removed: failed (exit code {code})")),
            (_, _, None) => styled(BAD, "could not be run"),
        };
        text.push_str(&indented(&said));
    }
    text
}

fn heading(answer: &Answer) -> String {
    format!("{} ({})\n", styled(BOLD, Plain(&answer.user)), Plain(&answer.home))
}

fn indented(text: &str) -> String {
    text.trim_end().lines().fold(String::new(), |text, line| format!("{text}  {line}\n"))
}
