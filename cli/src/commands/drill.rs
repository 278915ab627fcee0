//! `claudectl drill`: does it let go when it should? Tried on a private daemon with a made-up key.

mod bus;
mod events;
mod stand;

use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde::Serialize;

use crate::{
    Context,
    error::Error,
    exit::Exit,
    output::{
        complain,
        text::{BAD, GOOD, Plain, WARN, styled},
    },
};

/// Its command line.
pub fn build(command: Command) -> Command {
    command
        .about("Try lock, idle, kill -9 and a closed terminal on a private daemon; yours is not touched")
        .arg(Arg::new("quick").long("quick").action(ArgAction::SetTrue).help("Leave out the idle minute"))
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Pass,
    Fail,
    Skip,
}

/// One thing that was tried.
#[derive(Debug, Serialize)]
struct Step {
    name: &'static str,
    outcome: Outcome,
    milliseconds: Option<u128>,
    detail: String,
}

impl Step {
    fn passed(name: &'static str, took: Duration, detail: &str) -> Self {
        Self { name, outcome: Outcome::Pass, milliseconds: Some(took.as_millis()), detail: detail.to_owned() }
    }

    fn skipped(name: &'static str, why: &str) -> Self {
        Self { name, outcome: Outcome::Skip, milliseconds: None, detail: why.to_owned() }
    }

    fn of(name: &'static str, outcome: Result<Self, Error>) -> Self {
        let failed =
            |error: Error| Self { name, outcome: Outcome::Fail, milliseconds: None, detail: error.text() };
        outcome.unwrap_or_else(failed)
    }
}

#[derive(Serialize)]
struct Body {
    passed: bool,
    steps: Vec<Step>,
}

/// Tries everything. Whatever happens, nothing of it stays.
///
/// # Errors
/// If there is no private daemon to be had.
pub async fn run(matches: &ArgMatches, context: &Context) -> Result<Exit, Error> {
    complain("A private daemon, an API on loopback and a made-up key. Your own daemon is not touched.");
    let quick = matches.get_flag("quick");
    // The idle minute passes while the rest is tried.
    let (mut steps, idle) = tokio::join!(events::others(context), events::idle(context, quick));
    steps.push(idle);
    let passed = steps.iter().all(|step| step.outcome != Outcome::Fail);
    let body = Body { passed, steps };
    context.output.show("claudectl.drill/1", &body, || told(&body))?;
    Ok(if passed { Exit::Ok } else { Exit::Failed })
}

fn told(body: &Body) -> String {
    let line = |step: &Step| {
        let mark = match step.outcome {
            Outcome::Pass => styled(GOOD, "pass"),
            Outcome::Fail => styled(BAD, "FAIL"),
            Outcome::Skip => styled(WARN, "skip"),
        };
        let took = step.milliseconds.map(|milliseconds| format!("{milliseconds} ms")).unwrap_or_default();
        format!("{mark}  {:<16} {took:>8}  {}", step.name, Plain(&step.detail))
    };
    body.steps.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_for_each_step() {
        let steps = vec![
            Step::passed("screen lock", Duration::from_millis(12), "cut, refused, wiped"),
            Step::skipped("terminal", "no program `script` here"),
            Step::of("kill -9", Err(Error::new("it is still there"))),
        ];
        let text = anstream::adapter::strip_str(&told(&Body { passed: false, steps })).to_string();
        assert_eq!(
            text,
            "pass  screen lock         12 ms  cut, refused, wiped\n\
             skip  terminal                   no program `script` here\n\
             FAIL  kill -9                    error: it is still there"
        );
    }
}
