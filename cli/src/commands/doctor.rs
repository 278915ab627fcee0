//! `claudectl doctor`

mod checks;
mod lock;

use clap::{Arg, ArgMatches, Command, value_parser};
use serde::Serialize;

use crate::{
    Context,
    error::Error,
    exit::Exit,
    output::text::{BAD, GOOD, Plain, WARN, styled},
};

/// Its command line.
pub fn build(command: Command) -> Command {
    command.about("Check everything that can go wrong here, and say how to put it right").subcommand(
        Command::new("lock").about("Ask to lock the screen once, and say who told of it").arg(
            Arg::new("wait")
                .long("wait")
                .value_name("SECONDS")
                .value_parser(value_parser!(u32).range(1..=600))
                .default_value("60")
                .help("How long to wait for it"),
        ),
    )
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// As it should be.
    Ok,
    /// Works, but look at it.
    Warn,
    /// Does not work.
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    name: &'static str,
    grade: Grade,
    finding: String,
    cure: Option<String>,
}

impl Check {
    fn new(name: &'static str, grade: Grade, finding: impl Into<String>) -> Self {
        Self { name, grade, finding: finding.into(), cure: None }
    }

    fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }
}

#[derive(Serialize)]
struct Body {
    healthy: bool,
    checks: Vec<Check>,
}

/// Looks at everything; fails if something does not work.
///
/// # Errors
/// If stdout cannot be written.
pub async fn run(matches: &ArgMatches, context: &Context) -> Result<Exit, Error> {
    if let Some(("lock", matches)) = matches.subcommand() {
        return lock::run(matches.get_one("wait").copied().unwrap_or(60), context).await;
    }
    let checks = checks::all(&context.environment).await;
    let healthy = checks.iter().all(|check| check.grade != Grade::Fail);
    let body = Body { healthy, checks };
    context.output.show("claudectl.doctor/1", &body, || told(&body.checks))?;
    Ok(if healthy { Exit::Ok } else { Exit::Failed })
}

fn told(checks: &[Check]) -> String {
    let lines = checks.iter().map(|check| {
        let mark = match check.grade {
            Grade::Ok => styled(GOOD, "ok  "),
            Grade::Warn => styled(WARN, "warn"),
            Grade::Fail => styled(BAD, "FAIL"),
        };
        let line = format!("{mark}  {:<14} {}\n", check.name, Plain(&check.finding));
        match &check.cure {
            Some(cure) => format!("{line}      {:<14} → {}\n", "", Plain(cure)),
            None => line,
        }
    });
    lines.collect()
}
