//! Doing what a plan says. Interrupted anywhere it can be run again: a credential's own characters are
//! overwritten in place before anything else, so that no leftover of a run that was killed has any; then
//! the file is replaced or removed in one step; and a journal says which files were begun.

mod aside;
mod database;
mod file;
mod journal;
mod store;

pub use aside::{put_back, set_aside};
pub use file::{Done, edit_of, goes_whole, run_file};
pub use journal::Journal;
pub use store::{Program, activation, program};

use crate::{
    Finding, Location,
    catalog::At,
    finding::Holder,
    plan::{Plan, Why, item},
    receipt::{Item, Outcome, advice},
    scan::Gap,
};

/// What a finding is called in a receipt.
pub fn what(finding: &Finding) -> String {
    match finding.tail.as_str() {
        "" => finding.kind.label().to_owned(),
        tail => format!("{} …{tail}", finding.kind.label()),
    }
}

/// Where it is, in words.
pub fn place(finding: &Finding) -> String {
    match &finding.location {
        Location::Stored(stored) => stored.path.display().to_string(),
        Location::Variable { holder, name } => match holder {
            Holder::ThisShell => format!("{name} in this shell"),
            Holder::Process { pid, program, .. } => format!("{name} in {program} (pid {pid})"),
            Holder::SystemdUser => format!("{name} in the systemd user manager"),
            Holder::Tmux { socket, .. } => format!("{name} in the tmux server at {}", socket.display()),
            Holder::Launchd => format!("{name} in launchd"),
        },
        Location::Keychain { service, .. } => format!("keychain item {service}"),
        Location::CredentialManager { target } => format!("Credential Manager entry {target}"),
        Location::Registry { key, value } => format!("{key}\\{value}"),
    }
}

/// Why something stays, in words.
pub fn why(why: Why) -> &'static str {
    match why {
        Why::Kept => "--keep names it",
        Why::NotChosen => "--only does not name it",
        Why::OtherService => "it is a grant of another service: --everything removes it",
    }
}

/// The items of what stays and of what only a person can do.
pub fn left(plan: &Plan) -> Vec<Item> {
    let kept = plan.kept.iter().map(|(finding, why)| Item {
        what: what(finding),
        place: place(finding),
        action: "none".to_owned(),
        proof: self::why(*why).to_owned(),
        outcome: Outcome::Kept,
        by: None,
    });
    let persons = plan.persons.iter().map(|finding| Item {
        what: what(finding),
        place: place(finding),
        action: "none".to_owned(),
        proof: "nobody can take it from there but you".to_owned(),
        outcome: Outcome::Unproven,
        by: Some(by_whom(finding)),
    });
    kept.chain(persons).collect()
}

/// The item of what could not be looked at: nothing is known about it.
pub fn unseen(gap: &Gap) -> Item {
    Item {
        what: "not looked at".to_owned(),
        place: gap.what.clone(),
        action: "none".to_owned(),
        proof: gap.why.clone(),
        outcome: Outcome::Unproven,
        by: Some("you, or root if it is not yours: look at it".to_owned()),
    }
}

fn by_whom(finding: &Finding) -> String {
    match &finding.location {
        _ if finding.leads => {
            "you: see to the file that it names, or take it out yourself, then claudectl purge again"
                .to_owned()
        }
        Location::Stored(stored) if finding.place.at == At::NamedByVariable => {
            format!("you: delete it, or the credential in it: {}", stored.path.display())
        }
        Location::Variable { holder: Holder::Process { pid, program, .. }, .. } => {
            format!("you: end {program} (pid {pid})")
        }
        Location::Variable { holder: Holder::ThisShell, name } => format!("you: unset {name}"),
        Location::Stored(stored) => {
            let (title, path) = (finding.place.title, stored.path.display());
            format!("you: log out or remove it in the program that it belongs to ({title}): {path}")
        }
        _ => format!("you: {}", finding.cure),
    }
}

/// One item for each distinct credential that goes on working wherever a copy of it is, until it is
/// revoked: `is_revoked` says for which that was done.
pub fn in_force(findings: &[&Finding], is_revoked: impl Fn(&Finding) -> bool) -> Vec<Item> {
    let mut seen = Vec::new();
    let mut items = Vec::new();
    for finding in findings {
        let Some(revocation) = finding.revocation().filter(|_| !is_revoked(finding)) else { continue };
        if seen.contains(&finding.fingerprint) {
            continue;
        }
        seen.push(finding.fingerprint);
        // A login of this machine that nobody logged out.
        let is_login = item(&finding.location).is_some();
        items.push(Item {
            what: what(finding),
            place: "at its issuer".to_owned(),
            action: "none".to_owned(),
            proof: "it works until it is revoked, wherever a copy of it is".to_owned(),
            outcome: if is_login { Outcome::Unproven } else { Outcome::OutOfReach },
            by: Some(advice(revocation)),
        });
    }
    items
}
