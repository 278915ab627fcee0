//! Variables and items that a program of the operating system removes.

use std::{process::Stdio, time::Duration};

use claudectl_footprint::{
    Finding, Location,
    finding::Holder,
    purge,
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
        Ok(()) => (format!("{name} says so{}", note(finding)), Outcome::Proven, None),
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

/// What else there is to know about it.
fn note(finding: &Finding) -> &'static str {
    match finding.location {
        Location::Registry { .. } => {
            "; programs that run keep it, and the desktop may hand it on until you sign in again"
        }
        Location::Variable {
            holder: Holder::Tmux { .. } | Holder::SystemdUser | Holder::Launchd, ..
        } => "; what was started from there before keeps it until it ends",
        _ => "",
    }
}

/// Keeps the session bus from giving variables on that a program which it started has. What the bus would give
/// cannot be read, so that its own word is all there is.
pub(super) async fn clear_activation(findings: &[Finding], context: &Context) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for (variable, program) in findings.iter().filter_map(purge::activation) {
        let place = format!("{variable} in the session bus's activation environment");
        if items.iter().any(|item| item.place == place) {
            continue;
        }
        let command = format!("{} {variable}=", program.name);
        let (proof, outcome, by) = match run(&program, context).await {
            Ok(()) => {
                let proof = format!("{} says so; it can only be set, not taken out", program.name);
                (proof, Outcome::Proven, None)
            }
            Err(why) => (why, Outcome::Unproven, Some(format!("you: {command}"))),
        };
        let what = "what the bus gives to the programs that it starts".to_owned();
        items.push(Item { what, place, action: "set to nothing".to_owned(), proof, outcome, by });
    }
    items
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
