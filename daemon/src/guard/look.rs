//! What changed, and what is done about it.

use std::path::{Path, PathBuf};

use claudectl_footprint::{
    Finding, Location,
    catalog::{self, At},
    finding::FingerprintKey,
    plan::{Choice, Plan},
    purge::{self, run_file},
    receipt::Outcome,
    scan::{Meter, Scope, audit_with},
};
use claudectl_platform::clock;

use super::Stray;

/// The directories in which the cheap places are.
pub(super) fn directories(home: &Path) -> Vec<PathBuf> {
    let mut directories = vec![home.to_owned(), home.join(".claude")];
    for place in catalog::places().filter(|place| place.cheap) {
        let (base, patterns) = match place.at {
            At::Home(patterns) => (home.to_owned(), patterns),
            At::ConfigDirectory(patterns) => (home.join(".claude"), patterns),
            _ => continue,
        };
        let parents = patterns.iter().filter_map(|pattern| Path::new(pattern).parent());
        let plain = parents.filter(|parent| !parent.to_string_lossy().contains('*'));
        directories.extend(plain.map(|parent| base.join(parent)));
    }
    directories.sort();
    directories.dedup();
    directories
}

/// Looks into the cheap places; what is there that was written since, and is a credential that works.
pub(super) fn look(home: &Path, key: FingerprintKey, since: i64, purges: bool) -> Vec<Stray> {
    let scope = Scope {
        home,
        variables: Vec::new(),
        working_directory: None,
        processes: None,
        programs: Vec::new(),
        system: std::env::consts::OS,
        cheap_only: true,
    };
    let Ok(audit) = audit_with(&scope, &Meter::default(), key) else { return Vec::new() };
    let is_new = |finding: &Finding| {
        let is_file = matches!(finding.location, Location::Stored(_));
        is_file && finding.kind.works_alone() && finding.changed_at.is_some_and(|at| at >= since)
    };
    let plan = Plan::new(audit.findings.into_iter().filter(is_new).collect(), &Choice::default(), home);
    plan.files
        .iter()
        .flat_map(|step| {
            if purges {
                let done = run_file(step, &audit.key, &mut |_| {});
                done.items
                    .into_iter()
                    .map(|item| stray(item.what, item.place, item.outcome, item.action))
                    .collect()
            } else {
                step.removals.iter().map(|(finding, _)| reported(finding)).collect::<Vec<_>>()
            }
        })
        .collect()
}

fn reported(finding: &Finding) -> Stray {
    let done = "nothing was done; claudectl purge removes it".to_owned();
    stray(purge::what(finding), purge::place(finding), Outcome::Unproven, done)
}

fn stray(what: String, place: String, outcome: Outcome, done: String) -> Stray {
    Stray { what, place, noticed_at: clock::wall(), removed: outcome == Outcome::Proven, done }
}
