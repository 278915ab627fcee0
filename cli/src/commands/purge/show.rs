//! The plan and the receipt, for people and as JSON.

use std::fmt::Write as _;

use claudectl_footprint::{
    Finding,
    plan::{Plan, Removal},
    purge,
    receipt::{Item, Outcome, Receipt, worth},
};
use serde::Serialize;

use super::daemon::Accounts;
use crate::output::text::{BAD, BOLD, DIM, GOOD, Plain, WARN, columns, count, styled};

/// One step of a plan.
#[derive(Debug, Serialize)]
struct StepBody {
    what: String,
    r#where: String,
    account: Option<String>,
    kind: &'static str,
    place: &'static str,
    action: &'static str,
}

/// A plan as JSON.
#[derive(Debug, Serialize)]
pub(super) struct PlanBody {
    accounts: Vec<String>,
    clients: Vec<Option<String>>,
    steps: Vec<StepBody>,
    kept: Vec<StepBody>,
}

impl PlanBody {
    pub(super) fn new(plan: &Plan, accounts: &Accounts) -> Self {
        let directory = |directory: &std::path::PathBuf| directory.display().to_string();
        Self {
            accounts: accounts.names.clone(),
            clients: plan.clients.iter().map(|step| step.directory.as_ref().map(directory)).collect(),
            steps: steps(plan).into_iter().map(|(finding, action)| step(finding, action)).collect(),
            kept: plan.kept.iter().map(|(finding, _)| step(finding, "keep")).collect(),
        }
    }
}

fn step(finding: &Finding, action: &'static str) -> StepBody {
    StepBody {
        what: purge::what(finding),
        r#where: purge::place(finding),
        account: finding.account.clone(),
        kind: finding.kind.id(),
        place: finding.place.id,
        action,
    }
}

/// Every finding with the word for what happens to it.
fn steps(plan: &Plan) -> Vec<(&Finding, &'static str)> {
    let mut steps = Vec::new();
    for file in &plan.files {
        for (finding, removal) in &file.removals {
            let action = match removal {
                _ if file.delete => "delete the file",
                Removal::Member(_) => "take the key out of the file",
                Removal::Assignment => "take the assignment out of the file",
                Removal::Overwrite => "overwrite its characters",
            };
            steps.push((finding, action));
        }
    }
    steps.extend(plan.stores.iter().map(|finding| (finding, "remove")));
    steps.extend(plan.persons.iter().map(|finding| (finding, "left to you")));
    steps
}

/// A plan in words.
pub(super) fn plan(plan: &Plan, accounts: &Accounts) -> String {
    if plan.is_empty() && accounts.is_empty() {
        return format!("Nothing to remove.{}", kept(plan));
    }
    let mut text = format!("{}\n", styled(BOLD, "To be removed, in this order:"));
    for account in &accounts.names {
        let _ = writeln!(text, "  log out the account {} of claudectld", Plain(account));
    }
    for client in &plan.clients {
        let directory = client.directory.as_ref().map(|directory| directory.display().to_string());
        let of = directory.map(|directory| format!(" in {}", Plain(&directory))).unwrap_or_default();
        let _ = writeln!(text, "  log out Claude Code{of} by its own `claude auth logout`");
    }
    let rows: Vec<_> = steps(plan)
        .into_iter()
        .map(|(finding, action)| {
            [
                action.to_owned(),
                Plain(&purge::what(finding)).to_string(),
                Plain(&purge::place(finding)).to_string(),
                finding
                    .account
                    .as_ref()
                    .map(|name| format!("the key of account {}", Plain(name)))
                    .unwrap_or_default(),
            ]
        })
        .collect();
    text.push_str(&columns(&rows));
    text.push_str(&kept(plan));
    text
}

fn kept(plan: &Plan) -> String {
    if plan.kept.is_empty() {
        return String::new();
    }
    let rows: Vec<_> = purge::left(plan)
        .into_iter()
        .filter(|item| item.outcome == Outcome::Kept)
        .map(|item| [Plain(&item.what).to_string(), Plain(&item.place).to_string(), item.proof])
        .collect();
    format!("\n{}\n{}", styled(BOLD, "What stays:"), columns(&rows))
}

/// A copy as JSON.
#[derive(Debug, Serialize)]
struct ItemBody<'a> {
    what: &'a str,
    r#where: &'a str,
    action: &'a str,
    proof: &'a str,
    outcome: &'static str,
    by: Option<&'a str>,
}

/// A receipt as JSON.
#[derive(Debug, Serialize)]
pub(super) struct ReceiptBody<'a> {
    proven: bool,
    items: Vec<ItemBody<'a>>,
    media: Vec<&'static str>,
}

impl<'a> ReceiptBody<'a> {
    pub(super) fn new(receipt: &'a Receipt) -> Self {
        let body = |item: &'a Item| ItemBody {
            what: &item.what,
            r#where: &item.place,
            action: &item.action,
            proof: &item.proof,
            outcome: item.outcome.id(),
            by: item.by.as_deref(),
        };
        Self {
            proven: receipt.is_proven(),
            items: receipt.items.iter().map(body).collect(),
            media: receipt.media.iter().map(|medium| worth(*medium)).collect(),
        }
    }
}

/// A receipt in words.
pub(super) fn receipt(receipt: &Receipt) -> String {
    let gone = receipt.items.iter().filter(|item| item.outcome == Outcome::Proven).count();
    let verdict = if receipt.is_proven() {
        styled(GOOD, "Purged")
    } else {
        styled(BAD, "Purged, but not all of it is proven")
    };
    let mut text = format!("{verdict}: {} gone.\n", count(gone, "trace"));
    for item in &receipt.items {
        let _ = write!(text, "{}", told(item));
    }
    for medium in &receipt.media {
        let _ = writeln!(text, "{}", styled(DIM, format!("Overwritten {}.", worth(*medium))));
    }
    if !receipt.media.is_empty() {
        let _ = writeln!(
            text,
            "Whoever took a copy before can use it until it is revoked: revocation is what counts."
        );
    }
    text
}

fn told(item: &Item) -> String {
    let style = match item.outcome {
        Outcome::Proven => GOOD,
        Outcome::Kept => DIM,
        Outcome::OutOfReach => WARN,
        Outcome::Unproven => BAD,
    };
    let outcome = styled(style, format!("{:<12}", item.outcome.id()));
    let preposition = if item.place.starts_with("at ") { "" } else { "in " };
    let mut text = format!("  {outcome}  {} {preposition}{}\n", Plain(&item.what), Plain(&item.place));
    let action = if item.action == "none" { "nothing was done" } else { &item.action };
    let _ = writeln!(text, "  {:<12}  {}: {}", "", Plain(action), Plain(&item.proof));
    if let Some(by) = &item.by {
        let _ = writeln!(text, "  {:<12}  to be done by {}", "", Plain(by));
    }
    text
}
