//! The audit in words.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use claudectl_footprint::{
    catalog::Group,
    finding::{Effect, Finding, Holder, Location, Severity, Slot, Structure},
    scan::{Audit, Meter, format::masked},
};

use crate::{
    daemon::Recognition,
    output::text::{BAD, BOLD, DIM, GOOD, Plain, WARN, ago, columns, count, styled},
};

/// As many processes with the same credential are named one by one.
const NAMED: usize = 3;

/// How far it has got.
pub(super) fn progress(meter: &Meter) -> String {
    format!("{} files, {} MB looked at", meter.files(), meter.bytes() / 1_000_000)
}

/// All of it.
pub(super) fn told(
    audit: &Audit,
    recognition: Option<&Recognition>,
    meter: &Meter,
    home: &Path,
    now: i64,
) -> String {
    let mut sections = vec![headline(audit, meter)];
    sections.extend(recognition.and_then(doubt));
    let groups: BTreeSet<Group> = audit.findings.iter().map(|finding| finding.place.group).collect();
    for group in groups {
        let of_group = audit.findings.iter().filter(|finding| finding.place.group == group);
        let rows = rows(&of_group.collect::<Vec<_>>(), home, now);
        sections.push(format!("{}\n{}", styled(BOLD, title(group)), columns(&rows)));
    }
    sections.extend(what_to_do(audit));
    if !audit.gaps.is_empty() {
        let gap = |gap: &claudectl_footprint::scan::Gap| {
            let what = short(&gap.what, home);
            [Plain(&masked(&what)).to_string(), Plain(&gap.why).to_string()]
        };
        let rows: Vec<_> = audit.gaps.iter().map(gap).collect();
        sections.push(format!("{}\n{}", styled(WARN, "Not looked at"), columns(&rows)));
    }
    sections.join("\n")
}

fn headline(audit: &Audit, meter: &Meter) -> String {
    let looked = styled(DIM, format!("{} files, {} processes looked at.", meter.files(), meter.processes()));
    if audit.findings.is_empty() {
        let clean =
            if audit.gaps.is_empty() { styled(GOOD, "Clean.") } else { styled(WARN, "Nothing found.") };
        return format!("{clean}  No credential outside the daemon.  {looked}\n");
    }
    let different: BTreeSet<_> = audit.findings.iter().map(|finding| finding.fingerprint).collect();
    let places: BTreeSet<_> = audit.findings.iter().map(|finding| finding.place.id).collect();
    let pays = audit.findings.iter().filter(|finding| matches!(finding.effect, Effect::Pays(_))).count();
    let found =
        format!("{} in {}.", count(different.len(), "credential"), count(places.len(), "kind of place"));
    let found = found.replace("kind of places", "kinds of places");
    let style = if pays > 0 { BAD } else { WARN };
    let pays = match pays {
        0 => String::new(),
        1 => "  1 would pay instead of the daemon's account outside a session.".to_owned(),
        _ => format!("  {pays} would pay instead of the daemon's account outside a session."),
    };
    format!("{}{pays}  {looked}\n", styled(style, found))
}

/// Why a credential may be an account's although it is not called so.
fn doubt(recognition: &Recognition) -> Option<String> {
    let told = match (&recognition.error, recognition.unknown.as_slice()) {
        (Some(error), _) => {
            format!("Whether it is an account of claudectld is not known: {}", error.sentence())
        }
        (None, []) => return None,
        (None, [one]) => {
            format!("Whether it is account {one} is not known: its credential is not in memory.")
        }
        (None, some) => {
            let names = some.join(", ");
            format!("Whether it is one of {names} is not known: their credentials are not in memory.")
        }
    };
    Some(format!("{}\n", styled(WARN, Plain(&told))))
}

fn title(group: Group) -> &'static str {
    match group {
        Group::ClaudeCode => "Claude Code",
        Group::Environment => "Variables",
        Group::Profiles => "Profiles",
        Group::Histories => "Histories",
        Group::Neighbours => "Other programs",
        Group::Project => "This project",
        Group::Processes => "Running programs",
        Group::Keychains => "Keychains",
    }
}

fn rows(findings: &[&Finding], home: &Path, now: i64) -> Vec<[String; 4]> {
    let mut rows = Vec::new();
    let mut processes: BTreeMap<(&str, String), Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        match &finding.location {
            Location::Variable { holder: Holder::Process { .. }, name } => {
                let same = format!("{name} {:?} {}", finding.kind, finding.tail);
                processes.entry((finding.place.id, same)).or_default().push(finding);
            }
            _ => rows.push(row(finding, place(finding, home), now)),
        }
    }
    for same in processes.into_values() {
        let Some(first) = same.first() else { continue };
        rows.push(row(first, of_processes(&same), now));
    }
    rows
}

fn row(finding: &Finding, place: String, now: i64) -> [String; 4] {
    let (style, word) = match finding.severity {
        Severity::High => (BAD, "high"),
        Severity::Medium => (WARN, "medium"),
        Severity::Low => (DIM, "low"),
    };
    let tail = if finding.tail.as_str().is_empty() { String::new() } else { format!(" {}", finding.tail) };
    let what = format!("{}{tail}", finding.kind.label());
    [styled(style, word), Plain(&what).to_string(), place, notes(finding, now)]
}

fn notes(finding: &Finding, now: i64) -> String {
    let mut notes = Vec::new();
    match finding.effect {
        Effect::Pays(Slot::Bearer) => notes.push("pays here (Bearer)".to_owned()),
        Effect::Pays(Slot::ApiKey) => notes.push("pays here (x-api-key)".to_owned()),
        Effect::Waits(_) => notes.push("next in line".to_owned()),
        Effect::None => {}
    }
    if let Location::Stored(stored) = &finding.location {
        if finding.is_open_to_others() {
            notes.push(format!("others can read it ({:04o})", stored.file.mode & 0o7777));
        }
        if stored.occurrences.len() > 1 {
            notes.push(format!("{} times", stored.occurrences.len()));
        }
    }
    notes.extend(finding.account.as_ref().map(|account| format!("is the key of account {}", Plain(account))));
    notes.extend(finding.changed_at.map(|then| ago(then, now)));
    styled(DIM, notes.join(", "))
}

fn place(finding: &Finding, home: &Path) -> String {
    let place = match &finding.location {
        Location::Stored(stored) => {
            let path = short(&stored.path.to_string_lossy(), home);
            match &stored.structure {
                Structure::Json { pointer } => format!("{path}  {pointer}"),
                Structure::Assignment { line, variable, .. } => format!("{path}:{line}  {variable}"),
                Structure::Text { line } => format!("{path}:{line}"),
            }
        }
        Location::Variable { holder, name } => format!("{}  {name}", held_by(holder)),
        Location::Keychain { service, account } => format!("keychain item \"{service}\" of {account}"),
        Location::CredentialManager { target } => format!("Credential Manager entry {target}"),
        Location::Registry { key, value } => format!("{key}  {value}"),
    };
    Plain(&masked(&place)).to_string()
}

fn held_by(holder: &Holder) -> String {
    match holder {
        Holder::ThisShell => "this shell".to_owned(),
        Holder::Process { pid, program, .. } => format!("{program} (pid {pid})"),
        Holder::SystemdUser => "systemd user manager".to_owned(),
        Holder::Tmux { socket, session: None } => format!("tmux {}", socket.display()),
        Holder::Tmux { socket, session: Some(session) } => {
            format!("tmux {} session {session}", socket.display())
        }
        Holder::Launchd => "launchd".to_owned(),
    }
}

/// Processes that inherited the same variable, the first ones by name.
fn of_processes(same: &[&Finding]) -> String {
    let one = |finding: &&Finding| match &finding.location {
        Location::Variable { holder, .. } => held_by(holder),
        _ => String::new(),
    };
    let named: Vec<_> = same.iter().take(NAMED).map(one).collect();
    let more = same.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let name = match same.first().map(|finding| &finding.location) {
        Some(Location::Variable { name, .. }) => name.as_str(),
        _ => "",
    };
    Plain(&masked(&format!("{}{more}  {name}", named.join(", ")))).to_string()
}

/// A path below the home, the short way.
fn short(path: &str, home: &Path) -> String {
    match path.strip_prefix(&*home.to_string_lossy()).filter(|rest| rest.starts_with('/')) {
        Some(rest) => format!("~{rest}"),
        None => path.to_owned(),
    }
}

/// The commands that remove it all, and where what was found is taken out of force.
fn what_to_do(audit: &Audit) -> Option<String> {
    if audit.findings.is_empty() {
        return None;
    }
    let cures: BTreeSet<String> = audit.findings.iter().map(|finding| finding.cure.clone()).collect();
    let mut lines = vec![styled(BOLD, "To remove them")];
    lines.extend(cures.iter().map(|cure| format!("  {}", Plain(&masked(cure)))));
    let revocations: BTreeSet<_> = audit
        .findings
        .iter()
        .filter_map(|finding| Some((finding.kind, finding.revocation()?)))
        .map(|(kind, to)| {
            [kind.label().to_owned(), to.what.to_owned(), to.url.unwrap_or_default().to_owned()]
        })
        .collect();
    let rows: Vec<_> = revocations.into_iter().collect();
    if !rows.is_empty() {
        lines.push(format!("\n{}", styled(BOLD, "To take them out of force, which no removal does")));
        lines.push(columns(&rows).trim_end().to_owned());
    }
    Some(format!("{}\n", lines.join("\n")))
}
