//! What there is in the cheap places, and what is done about it.

use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
};

use claudectl_footprint::{
    Finding, Location,
    finding::FingerprintKey,
    plan::{Choice, Plan},
    purge::{self, run_file},
    receipt::Outcome,
    scan::{Audit, Meter, Scope, audit_with, format::masked},
};
use claudectl_platform::clock;

use super::{Stray, alone::Alone};

/// What is looked at.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) home: PathBuf,
    /// `XDG_CONFIG_HOME`.
    pub(super) config: Option<OsString>,
    /// Claude Code's configuration directories that sessions were started with.
    pub(super) directories: Vec<PathBuf>,
    pub(super) key: FingerprintKey,
    /// Where a purge notes what it has begun.
    pub(super) state: Option<PathBuf>,
}

/// Looks into the cheap places; of what is there only credentials in files that work.
pub(super) fn look(view: &View) -> Option<Audit> {
    let config = view.config.as_deref().map(|path| (OsStr::new("XDG_CONFIG_HOME"), path));
    let scope = Scope {
        home: &view.home,
        variables: config.into_iter().collect(),
        directories: &view.directories,
        working_directory: None,
        processes: None,
        programs: Vec::new(),
        system: std::env::consts::OS,
        cheap_only: true,
    };
    let mut audit = audit_with(&scope, &Meter::default(), view.key.clone()).ok()?;
    let is_file = |finding: &Finding| matches!(finding.location, Location::Stored(_));
    audit.findings.retain(|finding| is_file(finding) && finding.kind.works_alone());
    Some(audit)
}

/// Reports what appeared, or takes it out of the files just as `claudectl purge` does.
pub(super) fn act(view: &View, appeared: Vec<Finding>, purges: bool) -> Vec<Stray> {
    let plan = Plan::new(appeared, &Choice::default(), &view.home);
    let by_hand = "nothing was done: only you know what else is in it";
    let mut strays: Vec<_> =
        plan.persons.iter().map(|finding| stray(finding, false, by_hand.to_owned())).collect();
    if plan.files.is_empty() {
        return strays;
    }
    let alone = purges.then(|| Alone::begin(view, &plan.files));
    for step in &plan.files {
        let findings = step.removals.iter().map(|(finding, _)| finding);
        if let Some(Err(why)) = &alone {
            strays.extend(findings.map(|finding| stray(finding, false, why.clone())));
        } else if purges {
            let done = run_file(step, &view.key, &mut |_| {});
            strays.extend(findings.zip(done.items).map(|(finding, item)| {
                let done = if item.outcome == Outcome::Proven { item.action } else { item.proof };
                stray(finding, item.outcome == Outcome::Proven, done)
            }));
        } else {
            strays.extend(findings.map(left));
        }
    }
    if let Some(Ok(alone)) = alone {
        alone.end();
    }
    strays
}

/// What is reported if nothing is done.
pub(super) fn left(finding: &Finding) -> Stray {
    stray(finding, false, "nothing was done; claudectl purge removes it".to_owned())
}

pub(super) fn stray(finding: &Finding, removed: bool, done: String) -> Stray {
    Stray {
        what: purge::what(finding),
        place: masked(&purge::place(finding)),
        account: finding.account.clone(),
        noticed_at: clock::wall(),
        removed,
        done,
    }
}
