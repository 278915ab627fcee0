//! The list of kept accounts, for a daemon that starts: a locked keyring does not tell whose entries it
//! has. Holds no credential, and nothing that a held credential goes by: that is in the keyring.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use claudectl_core::{
    account::{Account, Kept, Obtained, Profile, Route},
    ids::AccountName,
};
use claudectl_platform::permissions;
use serde::{Deserialize, Serialize};

use super::record;

/// The file, and what it says.
#[derive(Debug)]
pub(super) struct Index {
    path: Option<PathBuf>,
    list: List,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct List {
    /// The account that is the default, if it is kept.
    default: Option<String>,
    accounts: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    name: String,
    kind: String,
    header: String,
    authority: Option<String>,
    upstream: String,
    email: Option<String>,
    organization: Option<String>,
    plan: Option<String>,
    renewable: bool,
    revocable: bool,
    logged_in_at: i64,
}

impl Index {
    /// Reads the file. A damaged one is told and taken for an empty one: the entries themselves are in
    /// the keyring, and a login finds them.
    pub(super) fn open(path: Option<PathBuf>) -> Self {
        let list = path.as_deref().map(read).unwrap_or_default();
        Self { path, list }
    }

    pub(super) fn kept(&self) -> Vec<Kept> {
        self.list.accounts.iter().filter_map(|line| kept(line, self.list.default.as_deref())).collect()
    }

    /// Notes an account; whether it is new.
    pub(super) fn note(&mut self, account: &Account) -> bool {
        let line = line(account);
        let known = self.list.accounts.iter_mut().find(|known| known.name == line.name);
        let is_new = known.is_none();
        match known {
            Some(known) if *known == line => return false,
            Some(known) => *known = line,
            None => self.list.accounts.push(line),
        }
        self.write();
        is_new
    }

    pub(super) fn forget(&mut self, account: &AccountName) {
        let before = self.list.accounts.len();
        self.list.accounts.retain(|line| line.name != account.as_str());
        if self.list.accounts.len() < before {
            self.write();
        }
    }

    pub(super) fn set_default(&mut self, account: Option<&AccountName>) {
        let name = account.map(|account| account.as_str().to_owned());
        let is_listed = self.list.accounts.iter().any(|line| Some(&line.name) == name.as_ref());
        let default = name.filter(|_| is_listed);
        if self.list.default != default {
            self.list.default = default;
            self.write();
        }
    }

    /// Replaces the file at once. What cannot be written is told; the keyring has what counts.
    fn write(&self) {
        let Some(path) = &self.path else {
            tracing::warn!(
                "without a home directory the next claudectld does not know which accounts are kept"
            );
            return;
        };
        if let Err(error) = replace(path, &self.list) {
            tracing::error!("{}: {error}", path.display());
        }
    }
}

fn read(path: &Path) -> List {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
            tracing::error!("{}: {error}; kept accounts have to be logged in again", path.display());
            List::default()
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => List::default(),
        Err(error) => {
            tracing::error!("{}: {error}", path.display());
            List::default()
        }
    }
}

fn replace(path: &Path, list: &List) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory.parent().unwrap_or(directory))?;
        permissions::private_directory(directory).map_err(io::Error::other)?;
    }
    let new = path.with_extension("new");
    fs::write(&new, serde_json::to_vec(list)?)?;
    fs::rename(new, path)
}

fn line(account: &Account) -> Line {
    let Obtained { header, route, profile, renewable, revocable, .. } = &account.obtained;
    Line {
        name: account.name.to_string(),
        kind: record::kind_name(account.kind).to_owned(),
        header: record::header_name(*header).to_owned(),
        authority: account.authority.clone(),
        upstream: route.upstream.clone(),
        email: profile.email.clone(),
        organization: profile.organization.clone(),
        plan: profile.plan.clone(),
        renewable: *renewable,
        revocable: *revocable,
        logged_in_at: account.logged_in_at,
    }
}

fn kept(line: &Line, default: Option<&str>) -> Option<Kept> {
    Some(Kept {
        name: line.name.parse().ok()?,
        kind: record::kind(&line.kind)?,
        authority: line.authority.clone(),
        obtained: Obtained {
            header: record::header(&line.header)?,
            // Shown only: requests go where the entry in the keyring says.
            route: Route { upstream: line.upstream.clone(), proxy: None, ca_file: None },
            profile: Profile {
                email: line.email.clone(),
                organization: line.organization.clone(),
                plan: line.plan.clone(),
                scopes: Vec::new(),
            },
            lifetime: None,
            renewable: line.renewable,
            revocable: line.revocable,
        },
        logged_in_at: line.logged_in_at,
        is_default: default == Some(line.name.as_str()),
    })
}
