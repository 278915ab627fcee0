//! What is going to be removed, how, and in which order. Pure: findings in, steps out.

mod choice;
mod login;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

pub use choice::{Choice, UnknownWord, Why};
pub(crate) use login::item;
use login::{Directory, Logins};

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
        let logins = Logins::new(&findings, home);
        let mut files: BTreeMap<PathBuf, FileStep> = BTreeMap::new();
        for finding in findings {
            if let Some(why) = choice.keeps(&finding) {
                plan.kept.push((finding, why));
                continue;
            }
            match finding.location.clone() {
                _ if finding.place.remedy == Remedy::Person || finding.leads => plan.persons.push(finding),
                Location::Stored(stored) => {
                    plan.log_out(&finding, &logins);
                    add(&mut files, finding, stored);
                }
                Location::Variable { holder: Holder::ThisShell | Holder::Process { .. }, .. } => {
                    plan.persons.push(finding);
                }
                _ => {
                    plan.log_out(&finding, &logins);
                    plan.stores.push(finding);
                }
            }
        }
        plan.files = files.into_values().collect();
        plan.spare_files_with_what_stays();
        plan.spare_logins_that_stay(&logins);
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

    fn log_out(&mut self, finding: &Finding, logins: &Logins<'_>) {
        // Grants of other services are not its login: it deletes them, but revokes none.
        let directory = logins.directory(finding).filter(|_| finding.kind != Kind::McpSecret);
        let Some(Directory(directory)) = directory else { return };
        match self.clients.iter_mut().find(|client| client.directory == directory) {
            Some(client) => client.findings.push(finding.clone()),
            None => self.clients.push(ClientStep { directory, findings: vec![finding.clone()] }),
        }
    }

    /// A file in which something stays is edited, not deleted.
    fn spare_files_with_what_stays(&mut self) {
        for step in &mut self.files {
            let mut staying = self.kept.iter().map(|(finding, _)| finding).chain(&self.persons);
            step.delete &= !staying.any(|finding| is_in(finding, &step.path));
        }
    }

    /// The client's log-out takes all that is in a directory: not if a part of it is to stay. Grants of other
    /// services are saved first, where their file is one of those that are edited.
    fn spare_logins_that_stay(&mut self, logins: &Logins<'_>) {
        let (kept, files) = (&self.kept, &self.files);
        let is_saved = |finding: &Finding, why: Why| {
            why == Why::OtherService && files.iter().any(|file| is_in(finding, &file.path))
        };
        let stays = |client: &ClientStep| {
            kept.iter().any(|(finding, why)| {
                let is_there = logins.directory(finding).is_some_and(|Directory(of)| of == client.directory);
                is_there && !is_saved(finding, *why)
            })
        };
        self.clients.retain(|client| !stays(client));
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
