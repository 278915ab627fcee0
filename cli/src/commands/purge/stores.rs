//! Variables and items that a program of the operating system removes.

use std::{process::Stdio, time::Duration};

use claudectl_footprint::{
    Finding, purge,
    receipt::{Item, Outcome},
};
use tokio::process::Command;

use crate::{Context, process::search};

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the program for it. That it is gone is proven by looking again.
pub(super) async fn remove(finding: &Finding, context: &Context) -> Item {
    let program = purge::program(finding);
    let name = program.as_ref().map_or("none", |program| program.name);
    let outcome = match &program {
        None => Err("no program is known that could".to_owned()),
        Some(program) => run(program, context).await,
    };
    let by = format!("you: {}", finding.cure);
    let (proof, outcome, by) = match outcome {
        Ok(()) => (format!("{name} says so"), Outcome::Proven, None),
        Err(why) => (why, Outcome::Unproven, Some(by)),
    };
    Item {
        what: purge::what(finding),
        place: purge::place(finding),
        action: if program.is_some() { format!("removed by {name}") } else { "none".to_owned() },
        proof,
        outcome,
        by,
    }
}

async fn run(program: &purge::Program, context: &Context) -> Result<(), String> {
    let path = search::program(program.name.as_ref(), &context.environment.search_path())
        .ok_or_else(|| format!("{} was not found", program.name))?;
    let mut command = Command::new(path);
    command.args(&program.arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match tokio::time::timeout(PATIENCE, command.kill_on_drop(true).status()).await {
        Err(_) => Err(format!("{} did not end within {} seconds", program.name, PATIENCE.as_secs())),
        Ok(Err(error)) => Err(format!("{} could not be run: {error}", program.name)),
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(format!("{} failed ({status})", program.name)),
    }
}
