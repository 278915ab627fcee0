//! What looking again says about each copy. Pure.

use std::collections::BTreeMap;

use claudectl_footprint::{
    Finding, Location,
    plan::{ClientStep, Plan},
    purge,
    receipt::{Item, Outcome},
    scan::Gap,
};

/// The latest word on each copy, by what and where.
#[derive(Debug, Default)]
pub(super) struct Verdict(BTreeMap<(String, String), Item>);

impl Verdict {
    /// Says this of a copy, instead of what was said of it before.
    pub(super) fn put(&mut self, item: Item) {
        self.0.insert((item.what.clone(), item.place.clone()), item);
    }

    pub(super) fn into_items(self) -> impl Iterator<Item = Item> {
        self.0.into_values()
    }

    /// Looking again has the last word: what is still there is not proven, what is gone is - if it was looked at.
    pub(super) fn judge(&mut self, shown: &Plan, left: &Plan, gaps: &[Gap]) {
        let is_unseen = |item: &Item| gaps.iter().any(|gap| item.place.contains(&gap.what));
        for finding in shown.findings() {
            self.0.entry(id(finding)).or_insert_with(|| {
                let item = gone(finding);
                if is_unseen(&item) { not_seen(item) } else { item }
            });
        }
        let still_there: Vec<_> = left.findings().map(id).collect();
        for (id, item) in &mut self.0 {
            if !still_there.contains(id) {
                if item.outcome == Outcome::Unproven && !is_unseen(item) {
                    "gone when it was looked at again".clone_into(&mut item.proof);
                    item.by = None;
                    item.outcome = Outcome::Proven;
                }
            } else if item.outcome == Outcome::Proven {
                "it is there when it is looked at again".clone_into(&mut item.proof);
                item.outcome = Outcome::Unproven;
                item.by = Some("you: end what writes it, then claudectl purge again".to_owned());
            }
        }
        for item in purge::left(left).into_iter().filter(|item| item.outcome != Outcome::Kept) {
            self.put(item);
        }
    }
}

fn id(finding: &Finding) -> (String, String) {
    (purge::what(finding), purge::place(finding))
}

fn gone(finding: &Finding) -> Item {
    let (what, place) = id(finding);
    Item {
        what,
        place,
        action: "removed by the program that had it".to_owned(),
        proof: "gone when it was looked at again".to_owned(),
        outcome: Outcome::Proven,
        by: None,
    }
}

fn not_seen(item: Item) -> Item {
    Item {
        action: "none".to_owned(),
        proof: "it could not be looked at again".to_owned(),
        outcome: Outcome::Unproven,
        by: Some("you: look at it, then claudectl purge again".to_owned()),
        ..item
    }
}

/// What the operating system keeps of a client's login.
pub(super) fn kept_by_the_system(step: &ClientStep) -> Vec<&Finding> {
    step.findings.iter().filter(|finding| !matches!(finding.location, Location::Stored(_))).collect()
}

/// Whether any of it is still there.
pub(super) fn is_any_left(kept: &[&Finding], seen: &[Finding]) -> bool {
    kept.iter().any(|finding| seen.iter().any(|other| other.location == finding.location))
}

#[cfg(test)]
mod tests {
    use claudectl_footprint::{
        Kind, catalog,
        finding::{Effect, FileIdentity, FingerprintKey, Severity, Stored, Structure, Tail},
        plan::Choice,
    };

    use super::*;

    fn finding(place: &str, location: Location) -> Finding {
        Finding {
            place: catalog::place(place).unwrap(),
            location,
            kind: Kind::RefreshToken,
            tail: Tail::default(),
            fingerprint: FingerprintKey::random().unwrap().of(b"token"),
            severity: Severity::High,
            effect: Effect::None,
            changed_at: None,
            account: None,
            cure: String::new(),
            leads: false,
        }
    }

    fn in_file(path: &str) -> Finding {
        let file =
            FileIdentity { device: 1, inode: 1, size: 9, modified: 0, owner: 0, mode: 0o600, links: 1 };
        let stored = Stored {
            path: path.into(),
            file,
            occurrences: Vec::new(),
            structure: Structure::Text { line: 1 },
        };
        finding("claude.transcripts", Location::Stored(stored))
    }

    fn in_keychain(service: &str) -> Finding {
        finding("keychain.claude", Location::Keychain { service: service.into(), account: "jane".into() })
    }

    fn plan(findings: Vec<Finding>) -> Plan {
        Plan::new(findings, &Choice::default(), "/home/jane".as_ref())
    }

    fn item(finding: &Finding, outcome: Outcome) -> Item {
        let by = (outcome == Outcome::Unproven).then(|| "you".to_owned());
        Item { outcome, by, ..gone(finding) }
    }

    /// What is said of a file after looking again, if this was said before.
    fn outcome(said: Option<Outcome>, is_left: bool, gaps: &[&str]) -> (Outcome, bool) {
        let found = in_file("/home/jane/.claude/projects/x/1.jsonl");
        let left = plan(if is_left { vec![found.clone()] } else { Vec::new() });
        let gap = |what: &&str| Gap { what: (*what).to_owned(), why: "closed".to_owned() };
        let gaps: Vec<_> = gaps.iter().map(gap).collect();
        let mut verdict = Verdict::default();
        if let Some(outcome) = said {
            verdict.put(item(&found, outcome));
        }
        verdict.judge(&plan(vec![found]), &left, &gaps);
        let items: Vec<_> = verdict.into_items().collect();
        assert_eq!(items.len(), 1, "{items:?}");
        (items[0].outcome, items[0].by.is_some())
    }

    #[test]
    fn what_is_gone_is_proven_only_where_everything_was_looked_at() {
        let here = "/home/jane/.claude/projects/x/1.jsonl";
        assert_eq!(outcome(Some(Outcome::Unproven), false, &[]), (Outcome::Proven, false));
        assert_eq!(outcome(Some(Outcome::Unproven), false, &["/home/jane/.zshrc"]), (Outcome::Proven, false));
        // It was not seen again, because nobody could look.
        assert_eq!(outcome(Some(Outcome::Unproven), false, &[here]), (Outcome::Unproven, true));
        assert_eq!(
            outcome(Some(Outcome::Unproven), false, &["/home/jane/.claude/projects/x"]),
            (Outcome::Unproven, true)
        );
        // Whatever else took it.
        assert_eq!(outcome(None, false, &[]), (Outcome::Proven, false));
        assert_eq!(outcome(None, false, &[here]), (Outcome::Unproven, true));
    }

    #[test]
    fn what_is_still_there_is_not_proven_whatever_was_said() {
        assert_eq!(outcome(Some(Outcome::Proven), true, &[]), (Outcome::Unproven, true));
        assert_eq!(outcome(Some(Outcome::Unproven), true, &[]), (Outcome::Unproven, true));
        assert_eq!(outcome(None, true, &[]), (Outcome::Unproven, true));
    }

    #[test]
    fn a_client_that_says_it_logged_out_is_believed_only_if_the_system_keeps_nothing() {
        let (file, login) =
            (in_file("/home/jane/.claude/.credentials.json"), in_keychain("Claude Code-credentials"));
        let step = ClientStep { directory: None, findings: vec![file.clone(), login.clone()] };
        let kept = kept_by_the_system(&step);
        assert_eq!(kept, [&login]);
        assert!(is_any_left(&kept, &[file.clone(), login.clone()]));
        assert!(!is_any_left(&kept, &[file, in_keychain("Claude Code-credentials-0a1b2c3d")]));
        assert!(!is_any_left(&kept, &[]));
    }
}
