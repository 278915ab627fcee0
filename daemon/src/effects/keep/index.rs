//! The list of kept accounts (`claudectl_proto::kept`), for a daemon that starts.

use claudectl_core::{
    account::{Account, Kept, Obtained, Profile, Route},
    ids::AccountName,
};
use claudectl_proto::kept::{File, Line, List};

use super::record;

/// The file, and what it says.
#[derive(Debug)]
pub(super) struct Index {
    file: Option<File>,
    list: List,
    /// What is in the place of the list could not be read, and is not written over.
    is_damaged: bool,
}

impl Index {
    /// Reads the file. One that cannot be read is told and taken for an empty one; it stays, because
    /// what it lists is in the keyring all the same.
    pub(super) fn open(file: Option<File>) -> Self {
        let read = file.as_ref().map(|file| file.read().map_err(|error| (file.path(), error))).transpose();
        let is_damaged = read.is_err();
        let list = read.unwrap_or_else(|(path, error)| {
            tracing::error!("{}: {error}; kept accounts have to be logged in again", path.display());
            None
        });
        Self { file, list: list.unwrap_or_default(), is_damaged }
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
    fn write(&mut self) {
        let Some(file) = &self.file else {
            tracing::warn!(
                "without a home directory the next claudectld does not know which accounts are kept"
            );
            return;
        };
        if self.is_damaged {
            match file.put_aside() {
                Ok(aside) => tracing::warn!("what could not be read is {} now", aside.display()),
                Err(error) => return tracing::error!("{}: {error}", file.path().display()),
            }
            self.is_damaged = false;
        }
        if let Err(error) = file.write(&self.list) {
            tracing::error!("{}: {error}", file.path().display());
        }
    }
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
