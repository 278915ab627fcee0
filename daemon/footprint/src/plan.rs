//! What is going to be removed, how, and in which order. Pure: findings in, steps out.

mod choice;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

pub use choice::{Choice, UnknownWord, Why};

use crate::{
    Finding, Kind, Location, Remedy,
    edit::is_property_list,
    finding::{FileIdentity, Holder, Stored, Structure},
};

/// How one credential is taken out of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// The member at this JSON pointer is taken out.
    Member(String),
    /// The assignment in which it is, is taken out.
    Assignment,
    /// Only its own characters are overwritten.
    Overwrite,
}

/// Everything that happens to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStep {
    /// Where it is.
    pub path: PathBuf,
    /// As it was when it was looked at.
    pub file: FileIdentity,
    /// What goes, and how.
    pub removals: Vec<(Finding, Removal)>,
    /// Whether the file goes with it: it holds nothing else that stays.
    pub delete: bool,
}

impl FileStep {
    /// Whether a file that is open is the one that was looked at, and nobody has written to it since.
    pub fn is_of(&self, now: &FileIdentity) -> bool {
        let known = &self.file;
        (known.device, known.inode, known.owner) == (now.device, now.inode, now.owner)
            && (known.size, known.modified) == (now.size, now.modified)
    }
}

/// The genuine client's own log-out, in one of its configuration directories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientStep {
    /// The directory for `CLAUDE_CONFIG_DIR`; `None` for the one that the client uses without it.
    pub directory: Option<PathBuf>,
    /// What it is expected to remove and revoke.
    pub findings: Vec<Finding>,
}

/// All of it, in order: clients, files, stores, and what is left to people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Logins of the genuine client.
    pub clients: Vec<ClientStep>,
    /// Files, in the order of their paths.
    pub files: Vec<FileStep>,
    /// Variables and items that a program of the operating system removes.
    pub stores: Vec<Finding>,
    /// What only a person can do.
    pub persons: Vec<Finding>,
    /// What stays, and why.
    pub kept: Vec<(Finding, Why)>,
}

impl Plan {
    /// The plan for these findings of the user whose home this is.
    pub fn new(findings: Vec<Finding>, choice: &Choice, home: &Path) -> Self {
        let mut plan = Self::default();
        let mut files: BTreeMap<PathBuf, FileStep> = BTreeMap::new();
        for finding in findings {
            if let Some(why) = choice.keeps(&finding) {
                plan.kept.push((finding, why));
                continue;
            }
            match finding.location.clone() {
                _ if finding.place.remedy == Remedy::Person => plan.persons.push(finding),
                Location::Stored(stored) => {
                    plan.log_out(&finding, &stored, home);
                    add(&mut files, finding, stored);
                }
                Location::Variable { holder: Holder::ThisShell | Holder::Process { .. }, .. } => {
                    plan.persons.push(finding);
                }
                _ => plan.stores.push(finding),
            }
        }
        plan.files = files.into_values().collect();
        plan.spare_files_with_what_stays();
        plan.spare_logins_that_stay();
        plan
    }

    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty() && self.files.is_empty() && self.stores.is_empty() && self.persons.is_empty()
    }

    /// Every finding that is to go.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        let in_files = self.files.iter().flat_map(|file| &file.removals).map(|(finding, _)| finding);
        in_files.chain(&self.stores).chain(&self.persons)
    }

    fn log_out(&mut self, finding: &Finding, stored: &Stored, home: &Path) {
        // Grants of other services are not its login: it deletes them, but revokes none. A file of another name,
        // to which a link led, it would not find.
        let is_its = stored.path.file_name().is_some_and(|name| name == ".credentials.json");
        if finding.place.remedy != Remedy::ClientLogout || finding.kind == Kind::McpSecret || !is_its {
            return;
        }
        let directory = configuration_of(&stored.path, home);
        match self.clients.iter_mut().find(|client| client.directory == directory) {
            Some(client) => client.findings.push(finding.clone()),
            None => self.clients.push(ClientStep { directory, findings: vec![finding.clone()] }),
        }
    }

    /// A file in which something stays is edited, not deleted.
    fn spare_files_with_what_stays(&mut self) {
        for step in &mut self.files {
            step.delete &= !self.kept.iter().any(|(finding, _)| is_in(finding, &step.path));
        }
    }

    /// The client's log-out revokes a login whole: not if a part of it is to stay.
    fn spare_logins_that_stay(&mut self) {
        let kept = &self.kept;
        let stays = |finding: &Finding| match &finding.location {
            Location::Stored(stored) => {
                kept.iter().any(|(kept, why)| *why != Why::OtherService && is_in(kept, &stored.path))
            }
            _ => false,
        };
        self.clients.retain(|client| !client.findings.iter().any(stays));
    }
}

fn is_in(finding: &Finding, path: &Path) -> bool {
    matches!(&finding.location, Location::Stored(stored) if stored.path == path)
}

fn add(files: &mut BTreeMap<PathBuf, FileStep>, finding: Finding, stored: Stored) {
    let removal = removal(&finding, &stored);
    let step = files.entry(stored.path.clone()).or_insert(FileStep {
        path: stored.path,
        file: stored.file,
        removals: Vec::new(),
        delete: true,
    });
    step.delete &= finding.place.remedy == Remedy::DeleteFile;
    step.removals.push((finding, removal));
}

fn removal(finding: &Finding, stored: &Stored) -> Removal {
    match (finding.place.remedy, &stored.structure) {
        // A login is one member with many parts: the token alone would leave a broken one behind.
        (Remedy::ClientLogout, Structure::Json { pointer }) => {
            let top = pointer.split('/').nth(1).unwrap_or_default();
            Removal::Member(format!("/{top}"))
        }
        (Remedy::EditJson | Remedy::DeleteFile, Structure::Json { pointer }) => {
            Removal::Member(pointer.clone())
        }
        (Remedy::EditStatement | Remedy::DeleteFile, Structure::Assignment { .. }) => Removal::Assignment,
        // So that it is said why, where it is in none.
        (Remedy::EditStatement, _) if is_property_list(&stored.path) => Removal::Assignment,
        _ => Removal::Overwrite,
    }
}

/// The configuration directory of the client that a file of it belongs to.
fn configuration_of(path: &Path, home: &Path) -> Option<PathBuf> {
    let default = home.join(".claude");
    let parent = path.parent()?;
    (parent != default && parent != home).then(|| parent.to_owned())
}
