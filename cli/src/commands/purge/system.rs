//! `claudectl purge --system`: the same for every user of the machine. Root only reads the list of users;
//! each home is looked at and changed by a child process that is that user and nobody else.

use std::{fmt::Write as _, process::Stdio};

use clap::ArgMatches;
use claudectl_platform::users::{self, User};
use serde::Serialize;
use serde_json::Value;
use tokio::process::Command;

use super::confirm;
use crate::{
    Context, args,
    error::Error,
    exit::Exit,
    output::text::{BAD, BOLD, GOOD, Plain, columns, count, styled},
};

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
        return show(context, seen, list);
    }
    confirm(matches, context, || list(&seen))?;
    let mut done = Vec::new();
    for user in &users {
        done.push(ask(user, matches, &["--yes"]).await?);
    }
    show(context, done, told)
}

fn show(context: &Context, answers: Vec<Answer>, words: fn(&[Answer]) -> String) -> Result<Exit, Error> {
    let proven = answers.iter().all(|answer| answer.exit == Some(0));
    let body = Body { proven, users: answers };
    context.output.show("claudectl.system/1", &body, || words(&body.users))?;
    Ok(if proven { Exit::Ok } else { Exit::Unproven })
}

/// Runs this program as the user.
async fn ask(user: &User, matches: &ArgMatches, words: &[&str]) -> Result<Answer, Error> {
    let mut command = std::process::Command::new(args::own_program()?);
    users::become_user(&mut command, user)
        .map_err(|error| Error::new("nobody can act as another user here").because(&error))?;
    command.args(["purge", "--json"]).args(words);
    for name in ["only", "keep"] {
        for word in matches.get_many::<String>(name).into_iter().flatten() {
            command.arg(format!("--{name}={word}"));
        }
    }
    if matches.get_flag("everything") {
        command.arg("--everything");
    }
    command.stdin(Stdio::null()).stderr(Stdio::null());
    let output = Command::from(command).kill_on_drop(true).output().await.ok();
    Ok(Answer {
        user: user.name.clone(),
        uid: user.uid,
        home: user.home.display().to_string(),
        exit: output.as_ref().and_then(|output| output.status.code()),
        said: output.and_then(|output| serde_json::from_slice(&output.stdout).ok()),
    })
}

/// How many there are of something in what was said.
fn size(answer: &Answer, field: &str) -> usize {
    let said = answer.said.as_ref().and_then(|said| said.get(field)?.as_array());
    said.map_or(0, Vec::len)
}

fn list(answers: &[Answer]) -> String {
    let row = |answer: &Answer| {
        let what = match answer.exit {
            Some(0) => format!(
                "{}, {}, {}",
                count(size(answer, "accounts"), "account"),
                count(size(answer, "clients"), "login"),
                count(size(answer, "steps"), "trace")
            ),
            _ => "could not be looked at".to_owned(),
        };
        [Plain(&answer.user).to_string(), Plain(&answer.home).to_string(), what]
    };
    let rows: Vec<_> = answers.iter().map(row).collect();
    format!("{}\n{}", styled(BOLD, "The users of this machine:"), columns(&rows))
}

fn told(answers: &[Answer]) -> String {
    let mut text = String::new();
    for answer in answers {
        let verdict = match answer.exit {
            Some(0) => styled(GOOD, "purged"),
            Some(6) => styled(BAD, "purged, but not all of it is proven"),
            Some(code) => styled(BAD, format!("failed (exit code {code})")),
            None => styled(BAD, "could not be run"),
        };
        let _ = writeln!(text, "{}: {verdict}", Plain(&answer.user));
        let items = answer.said.as_ref().and_then(|said| said.get("items")?.as_array());
        for item in items.into_iter().flatten() {
            let word =
                |name: &str| Plain(item.get(name).and_then(Value::as_str).unwrap_or_default()).to_string();
            let _ = writeln!(
                text,
                "  {:<12}  {} in {}: {}",
                word("outcome"),
                word("what"),
                word("where"),
                word("proof")
            );
        }
    }
    text
}
