//! The shape of an audit.

use std::{collections::BTreeMap, time::Duration};

use claudectl_footprint::{
    catalog::Group,
    finding::{Effect, Finding, Fingerprint, Holder, Location as Where, Severity, Slot, Structure},
    scan::{Audit as Found, Meter, format::masked},
};
use serde::Serialize;

use crate::{daemon::Recognition, error::Error};

/// More occurrences of one credential in one file are only counted.
const LISTED: usize = 50;

/// The audit.
#[derive(Debug, Serialize)]
pub struct Audit {
    clean: bool,
    complete: bool,
    findings: Vec<Item>,
    gaps: Vec<Gap>,
    accounts: Option<Accounts>,
    looked_at: LookedAt,
}

/// What the daemon said about its accounts.
#[derive(Debug, Serialize)]
struct Accounts {
    unknown: Vec<String>,
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct LookedAt {
    files: u64,
    bytes: u64,
    processes: u64,
    milliseconds: u64,
}

#[derive(Debug, Serialize)]
struct Gap {
    what: String,
    why: String,
}

#[derive(Debug, Serialize)]
struct Item {
    place: &'static str,
    title: &'static str,
    group: &'static str,
    severity: &'static str,
    kind: &'static str,
    credential: usize,
    tail: String,
    location: Location,
    mode: Option<String>,
    open_to_others: bool,
    changed_at: Option<i64>,
    pays: Option<&'static str>,
    waits: Option<&'static str>,
    account: Option<String>,
    power: &'static str,
    cure: String,
    revoke: Option<Revoke>,
}

#[derive(Debug, Serialize)]
struct Revoke {
    what: &'static str,
    url: Option<&'static str>,
}

#[derive(Debug, Default, Serialize)]
struct Location {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variable: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    occurrences: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<Vec<[u64; 2]>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

impl Audit {
    /// The shape of what was found.
    pub fn new(audit: &Found, recognition: Option<&Recognition>, meter: &Meter, took: Duration) -> Self {
        let mut credentials = BTreeMap::new();
        let findings = audit.findings.iter().map(|finding| item(finding, &mut credentials)).collect();
        let gap =
            |gap: &claudectl_footprint::scan::Gap| Gap { what: masked(&gap.what), why: gap.why.clone() };
        Self {
            clean: audit.findings.is_empty(),
            complete: audit.gaps.is_empty(),
            findings,
            gaps: audit.gaps.iter().map(gap).collect(),
            accounts: recognition.map(|recognition| Accounts {
                unknown: recognition.unknown.clone(),
                error: recognition.error.as_ref().map(Error::sentence),
            }),
            looked_at: LookedAt {
                files: meter.files(),
                bytes: meter.bytes(),
                processes: meter.processes(),
                milliseconds: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            },
        }
    }
}

/// What a severity is called.
fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
    }
}

fn group(group: Group) -> &'static str {
    match group {
        Group::ClaudeCode => "claude-code",
        Group::Environment => "environment",
        Group::Profiles => "profiles",
        Group::Histories => "histories",
        Group::Neighbours => "neighbours",
        Group::Project => "project",
        Group::Processes => "processes",
        Group::Keychains => "keychains",
    }
}

fn slot(slot: Slot) -> &'static str {
    match slot {
        Slot::Bearer => "bearer",
        Slot::ApiKey => "x-api-key",
    }
}

/// One finding; equal credentials get equal numbers, and the fingerprints stay here.
fn item(finding: &Finding, credentials: &mut BTreeMap<Fingerprint, usize>) -> Item {
    let next = credentials.len() + 1;
    let mode = match &finding.location {
        Where::Stored(stored) if stored.file.mode != 0 => Some(format!("{:04o}", stored.file.mode & 0o7777)),
        _ => None,
    };
    let (pays, waits) = match finding.effect {
        Effect::Pays(to) => (Some(slot(to)), None),
        Effect::Waits(to) => (None, Some(slot(to))),
        Effect::None => (None, None),
    };
    Item {
        place: finding.place.id,
        title: finding.place.title,
        group: group(finding.place.group),
        severity: severity(finding.severity),
        kind: finding.kind.id(),
        credential: *credentials.entry(finding.fingerprint).or_insert(next),
        tail: finding.tail.as_str().to_owned(),
        location: location(&finding.location),
        mode,
        open_to_others: finding.is_open_to_others(),
        changed_at: finding.changed_at,
        pays,
        waits,
        account: finding.account.clone(),
        power: finding.place.power,
        cure: masked(&finding.cure),
        revoke: finding.revocation().map(|to| Revoke { what: to.what, url: to.url }),
    }
}

fn location(location: &Where) -> Location {
    match location {
        Where::Stored(stored) => {
            let bytes =
                stored.occurrences.iter().take(LISTED).map(|found| [found.bytes.start, found.bytes.end]);
            let mut location = Location {
                kind: "file",
                path: Some(masked(&stored.path.to_string_lossy())),
                occurrences: Some(stored.occurrences.len()),
                bytes: Some(bytes.collect()),
                ..Location::default()
            };
            match &stored.structure {
                Structure::Json { pointer } => location.pointer = Some(masked(pointer)),
                Structure::Text { line } => location.line = Some(*line),
                Structure::Assignment { line, variable, .. } => {
                    (location.line, location.variable) = (Some(*line), Some(variable.clone()));
                }
            }
            location
        }
        Where::Variable { holder, name } => {
            Location { kind: "variable", variable: Some(name.clone()), ..held(holder) }
        }
        Where::Keychain { service, account } => Location {
            kind: "keychain",
            name: Some(masked(service)),
            holder: None,
            program: Some(masked(account)),
            ..Location::default()
        },
        Where::CredentialManager { target } => {
            Location { kind: "credential-manager", name: Some(masked(target)), ..Location::default() }
        }
        Where::Registry { key, value } => Location {
            kind: "registry",
            path: Some(key.clone()),
            variable: Some(value.clone()),
            ..Location::default()
        },
    }
}

fn held(holder: &Holder) -> Location {
    let by = |holder| Location { holder: Some(holder), ..Location::default() };
    match holder {
        Holder::ThisShell => by("shell"),
        Holder::SystemdUser => by("systemd"),
        Holder::Launchd => by("launchd"),
        Holder::Process { pid, program, .. } => {
            Location { pid: Some(*pid), program: Some(masked(program)), ..by("process") }
        }
        Holder::Tmux { socket, session } => Location {
            path: Some(masked(&socket.to_string_lossy())),
            name: session.as_deref().map(masked),
            ..by("tmux")
        },
    }
}
