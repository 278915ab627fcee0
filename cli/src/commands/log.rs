//! `claudectl log`

mod words;

use std::{fs, io, path::Path};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use claudectl_platform::directories;
use claudectl_proto::{
    record::{Entry, Fault, Files, Head, Verdict, verify},
    v1,
};
use serde::Serialize;

use crate::{
    Context,
    daemon::Daemon,
    error::Error,
    exit::Exit,
    output::{
        complain,
        text::{Plain, WARN, styled},
    },
};

/// Its command line.
pub fn build(command: Command) -> Command {
    command
        .about("Show what happened: desktop events, logins, logouts, sessions, refusals")
        .arg(
            Arg::new("lines")
                .long("lines")
                .short('n')
                .value_name("N")
                .value_parser(value_parser!(u32))
                .default_value("50")
                .help("The last N entries; 0 for all"),
        )
        .arg(
            Arg::new("verify")
                .long("verify")
                .action(ArgAction::SetTrue)
                .help("Say whether the record is as it was written"),
        )
}

#[derive(Serialize)]
struct Listed<'a> {
    number: u64,
    #[serde(flatten)]
    entry: &'a Entry,
}

#[derive(Serialize)]
struct Log<'a> {
    whole: bool,
    entries: Vec<Listed<'a>>,
}

#[derive(Serialize)]
struct Checked {
    whole: bool,
    entries: usize,
    first: Option<u64>,
    last: Option<u64>,
    compared: bool,
    torn: usize,
    faults: Vec<FaultShape>,
}

#[derive(Serialize)]
struct FaultShape {
    file: String,
    line: usize,
    what: &'static str,
}

/// Shows the record. It is read from its files, with or without a daemon; a running one says what its
/// last line is.
///
/// # Errors
/// If it cannot be read.
pub async fn run(matches: &ArgMatches, context: &Context) -> Result<Exit, Error> {
    let known = match Daemon::find(&context.environment).await? {
        Some(daemon) => daemon.status().await?.record,
        None => None,
    };
    let files = files(known.as_ref(), context)?;
    let older = read(&files.older())?;
    let current = read(&files.current())?;
    let mut verdict = verify([&older, &current]);
    let head = known.as_ref().filter(|record| record.number > 0).map(head);
    if let Some(head) = &head {
        verdict.compare([&older, &current], head);
    }
    if let Some(error) = known.map(|record| record.error).filter(|error| !error.is_empty()) {
        complain(&format!("{} nothing is written now: {}", styled(WARN, "record:"), Plain(&error)));
    }
    if matches.get_flag("verify") {
        return check(&verdict, head.is_some(), context);
    }
    let lines = matches.get_one::<u32>("lines").copied().unwrap_or_default();
    show(&verdict, usize::try_from(lines).unwrap_or(usize::MAX), context)?;
    Ok(Exit::Ok)
}

/// Where a running daemon writes, else where one would that is started here.
fn files(known: Option<&v1::Record>, context: &Context) -> Result<Files, Error> {
    if let Some(record) = known.filter(|record| !record.directory.is_empty()) {
        return Ok(Files::within(record.directory.clone().into()));
    }
    let environment = &context.environment;
    Ok(Files::within(directories::state(environment.get("XDG_STATE_HOME"), environment.home())?))
}

fn head(record: &v1::Record) -> Head {
    Head { number: record.number, hash: record.hash.clone() }
}

fn read(file: &Path) -> Result<Vec<u8>, Error> {
    match fs::read(file) {
        Ok(content) => Ok(content),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Error::new(format!("{} could not be read", file.display())).because(&error)),
    }
}

fn show(verdict: &Verdict, lines: usize, context: &Context) -> Result<(), Error> {
    let all = verdict.entries.len();
    let skipped = if lines == 0 { 0 } else { all.saturating_sub(lines) };
    let entries: Vec<_> = verdict
        .entries
        .iter()
        .skip(skipped)
        .map(|(number, entry)| Listed { number: *number, entry })
        .collect();
    let whole = verdict.faults.is_empty();
    if !whole {
        complain(&format!("{} it is not as it was written: claudectl log --verify", styled(WARN, "record:")));
    }
    let body = Log { whole, entries };
    context.output.show("claudectl.log/1", &body, || {
        if body.entries.is_empty() {
            return "Nothing has happened yet.".to_owned();
        }
        words::table(body.entries.iter().map(|listed| listed.entry))
    })
}

fn check(verdict: &Verdict, compared: bool, context: &Context) -> Result<Exit, Error> {
    let whole = verdict.faults.is_empty();
    let shape =
        |fault: &Fault| FaultShape { file: fault.file.to_string(), line: fault.line, what: fault.what };
    let body = Checked {
        whole,
        entries: verdict.entries.len(),
        first: verdict.entries.first().map(|(number, _)| *number),
        last: verdict.entries.last().map(|(number, _)| *number),
        compared,
        torn: verdict.torn,
        faults: verdict.faults.iter().map(shape).collect(),
    };
    context.output.show("claudectl.record/1", &body, || words::checked(verdict, compared))?;
    Ok(if whole { Exit::Ok } else { Exit::Failed })
}
