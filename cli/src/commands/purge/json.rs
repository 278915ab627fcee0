//! A plan and a receipt as JSON: what a user's purge says of itself, and what a purge of every user reads from it.

use claudectl_footprint::{
    Finding,
    plan::{Plan, Removal, Why},
    purge,
    receipt::{Item, Outcome, Receipt, worth},
    scan::format::masked,
};
use serde::{Deserialize, Serialize};

use super::daemon::Accounts;

/// One step of a plan.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Step {
    pub(super) what: String,
    pub(super) r#where: String,
    pub(super) account: Option<String>,
    kind: String,
    place: String,
    pub(super) action: String,
}

/// What stays, and why.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    #[serde(flatten)]
    pub(super) step: Step,
    pub(super) why: String,
}

/// `claudectl.plan/1`
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PlanBody {
    pub(super) accounts: Vec<String>,
    pub(super) clients: Vec<Option<String>>,
    pub(super) steps: Vec<Step>,
    pub(super) kept: Vec<Kept>,
}

impl PlanBody {
    pub(super) fn new(plan: &Plan, accounts: &Accounts) -> Self {
        let directory = |directory: &std::path::PathBuf| masked(&directory.display().to_string());
        let kept = |(finding, why): &(Finding, Why)| Kept {
            step: step(finding, "keep"),
            why: purge::why(*why).to_owned(),
        };
        Self {
            accounts: accounts.names.clone(),
            clients: plan.clients.iter().map(|step| step.directory.as_ref().map(directory)).collect(),
            steps: steps(plan).into_iter().map(|(finding, action)| step(finding, action)).collect(),
            kept: plan.kept.iter().map(kept).collect(),
        }
    }

    /// Whether nothing is to be done.
    pub(super) fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.clients.is_empty() && self.steps.is_empty()
    }
}

fn step(finding: &Finding, action: &str) -> Step {
    Step {
        what: purge::what(finding),
        r#where: masked(&purge::place(finding)),
        account: finding.account.clone(),
        kind: finding.kind.id().to_owned(),
        place: finding.place.id.to_owned(),
        action: action.to_owned(),
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

/// A copy.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Copy {
    pub(super) what: String,
    pub(super) r#where: String,
    pub(super) action: String,
    pub(super) proof: String,
    pub(super) outcome: String,
    pub(super) by: Option<String>,
}

impl Copy {
    fn new(item: &Item) -> Self {
        Self {
            what: item.what.clone(),
            r#where: masked(&item.place),
            action: item.action.clone(),
            proof: item.proof.clone(),
            outcome: item.outcome.id().to_owned(),
            by: item.by.clone(),
        }
    }

    pub(super) fn is(&self, outcome: Outcome) -> bool {
        self.outcome == outcome.id()
    }
}

/// `claudectl.purge/1`
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ReceiptBody {
    pub(super) proven: bool,
    pub(super) items: Vec<Copy>,
    pub(super) media: Vec<String>,
}

impl ReceiptBody {
    pub(super) fn new(receipt: &Receipt) -> Self {
        Self {
            proven: receipt.is_proven(),
            items: receipt.items.iter().map(Copy::new).collect(),
            media: receipt.media.iter().map(|medium| worth(*medium).to_owned()).collect(),
        }
    }
}
