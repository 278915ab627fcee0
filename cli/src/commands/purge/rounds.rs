//! The work itself: log out, remove, look again - until nothing that was shown is left, or nothing more
//! can be done.

use std::path::PathBuf;

use claudectl_footprint::{
    Finding, Kind, Location,
    finding::Fingerprint,
    plan::{Choice, ClientStep, FileStep, Plan},
    purge,
    receipt::{Item, Outcome, Receipt},
};
use claudectl_platform::clock;

use super::{
    clients,
    daemon::Accounts,
    look::Looker,
    stores,
    verdict::{Verdict, is_any_left, kept_by_the_system},
};
use crate::{Context, commands::audit, error::Error};

/// A file that changes while it is purged is tried so often.
const MOST_ROUNDS: usize = 3;

/// One purge.
pub(super) struct Rounds<'a> {
    pub(super) context: &'a Context,
    pub(super) looker: &'a Looker,
    pub(super) choice: &'a Choice,
    /// What the person saw: nothing else is removed.
    pub(super) shown: &'a Plan,
}

impl Rounds<'_> {
    pub(super) async fn run(&self, accounts: Accounts) -> Result<Receipt, Error> {
        let mut receipt = Receipt { items: accounts.log_out(self.context).await, media: Vec::new() };
        let revoked = self.log_out_clients(&mut receipt).await;
        let mut verdict = Verdict::default();
        let mut plan = if self.shown.clients.is_empty() { self.shown.clone() } else { self.plan_again()? };
        for finding in &self.shown.stores {
            verdict.put(stores::remove(finding, self.context).await);
        }
        receipt.items.extend(stores::clear_activation(&self.shown.persons, self.context).await);
        let mut round = 1;
        let seen = loop {
            self.remove_files(&plan.files, &mut verdict, &mut receipt)?;
            let seen = self.looker.look(self.context)?;
            plan = Plan::new(self.those_shown(&seen.findings), self.choice, self.looker.home());
            if plan.files.is_empty() || round == MOST_ROUNDS {
                break seen;
            }
            round += 1;
        };
        audit::remember(self.context, &seen, clock::wall());
        verdict.judge(self.shown, &plan, &seen.gaps);
        receipt.items.extend(verdict.into_items());
        receipt
            .items
            .extend(purge::left(self.shown).into_iter().filter(|item| item.outcome == Outcome::Kept));
        receipt.items.extend(self.not_shown(&seen.findings));
        receipt.items.extend(seen.gaps.iter().filter(|_| !self.choice.is_nothing()).map(purge::unseen));
        receipt.items.extend(self.in_force(&revoked));
        Ok(receipt)
    }

    /// Logs the genuine client out everywhere; the fingerprints of what is certainly revoked, and of what
    /// the receipt already says is not.
    async fn log_out_clients(&self, receipt: &mut Receipt) -> Vec<Fingerprint> {
        let mut told = Vec::new();
        for step in &self.shown.clients {
            let files = self.shown.files.iter().filter(|file| belongs(file, step));
            let aside: Result<Vec<_>, _> =
                files.map(|file| purge::set_aside(file).map(|()| file.path.clone())).collect();
            let done = match aside {
                Ok(aside) => {
                    let done = clients::log_out(step, self.context).await;
                    put_back(&aside);
                    if done.is_revoked && self.is_left(step) { clients::not_found(step) } else { done }
                }
                Err(error) => clients::spared(step, &error),
            };
            if done.is_revoked || done.item.outcome == Outcome::Unproven {
                let of_login =
                    |finding: &&Finding| matches!(finding.kind, Kind::RefreshToken | Kind::AccessToken);
                told.extend(step.findings.iter().filter(of_login).map(|finding| finding.fingerprint));
            }
            receipt.items.push(done.item);
        }
        told
    }

    /// Whether the operating system still keeps a login that the client says it logged out: it says so of one
    /// that it did not find, too.
    fn is_left(&self, step: &ClientStep) -> bool {
        let kept = kept_by_the_system(step);
        if kept.is_empty() {
            return false;
        }
        // What could not be looked at may be there.
        let Ok(seen) = self.looker.look(self.context) else { return true };
        is_any_left(&kept, &seen.findings)
    }

    fn remove_files(
        &self,
        files: &[FileStep],
        verdict: &mut Verdict,
        receipt: &mut Receipt,
    ) -> Result<(), Error> {
        self.looker.begin(files)?;
        for file in files {
            let done = purge::run_file(file, self.looker.key(), &mut |_| {});
            done.medium.into_iter().for_each(|medium| receipt.note(medium));
            done.items.into_iter().for_each(|item| verdict.put(item));
        }
        self.looker.end()
    }

    fn plan_again(&self) -> Result<Plan, Error> {
        let seen = self.looker.look(self.context)?;
        Ok(Plan::new(self.those_shown(&seen.findings), self.choice, self.looker.home()))
    }

    /// Of what is found now, what the person saw: the same credential anywhere, or one in the same place.
    fn those_shown(&self, found: &[Finding]) -> Vec<Finding> {
        found.iter().filter(|finding| self.was_shown(finding)).cloned().collect()
    }

    fn was_shown(&self, finding: &Finding) -> bool {
        self.shown.findings().any(|shown| {
            shown.fingerprint == finding.fingerprint || purge::place(shown) == purge::place(finding)
        })
    }

    /// What appeared in the meantime.
    fn not_shown(&self, found: &[Finding]) -> Vec<Item> {
        let is_new = |finding: &&Finding| self.choice.keeps(finding).is_none() && !self.was_shown(finding);
        let item = |finding: &Finding| Item {
            what: purge::what(finding),
            place: purge::place(finding),
            action: "none".to_owned(),
            proof: "it appeared while the purge ran, and was not shown".to_owned(),
            outcome: Outcome::Unproven,
            by: Some("you: claudectl purge again".to_owned()),
        };
        found.iter().filter(is_new).map(item).collect()
    }

    fn in_force(&self, told: &[Fingerprint]) -> Vec<Item> {
        let findings: Vec<_> = self.shown.findings().collect();
        purge::in_force(&findings, |finding| told.contains(&finding.fingerprint))
    }
}

/// Whether it is a file that the client's log-out deletes.
fn belongs(file: &FileStep, step: &ClientStep) -> bool {
    let holds =
        |finding: &Finding| matches!(&finding.location, Location::Stored(stored) if stored.path == file.path);
    file.path.ends_with(".credentials.json") && step.findings.iter().any(holds)
}

fn put_back(paths: &[PathBuf]) {
    for path in paths {
        // The next purge finds what waits; nothing is lost.
        let _ = purge::put_back(path);
    }
}
