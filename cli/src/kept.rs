//! The accounts that the OS keyring keeps, as far as that is known without a daemon. None runs after a
//! restart, and what is kept is there all the same.

use claudectl_platform::directories;
use claudectl_proto::{
    kept::{File, Line},
    v1::{
        Account, AccountState, CredentialKind, Here, Outcome, Profile, Receipt, ReceiptItem, Route, Status,
    },
};

use crate::args::Environment;

/// What the list of kept accounts says, and what nobody knows because it does not.
#[derive(Debug, Default)]
pub struct Kept {
    accounts: Vec<Account>,
    default: String,
    doubts: Vec<Doubt>,
}

/// A list that cannot be read: the keyring may keep more than is known.
#[derive(Debug)]
pub struct Doubt {
    /// Where the list is.
    pub place: String,
    /// Why it cannot be read.
    pub why: String,
}

impl Doubt {
    /// What it is that nobody knows.
    pub const WHAT: &'static str = "accounts that the OS keyring may keep";

    /// Why that is not proven gone, and what to do.
    pub fn proof(&self) -> String {
        format!(
            "this list of them cannot be read: {}; delete the entries of the service claudectl in the keyring, then this file",
            self.why
        )
    }
}

impl Kept {
    /// Reads the list. That it cannot be read is a doubt, no error.
    pub fn look(environment: &Environment) -> Self {
        let directory = directories::state(environment.get("XDG_STATE_HOME"), environment.home());
        let file = match directory {
            Ok(directory) => File::within(directory),
            Err(error) => {
                let doubt = Doubt { place: "the state directory".to_owned(), why: error.to_string() };
                return Self { doubts: vec![doubt], ..Self::default() };
            }
        };
        let aside = file.set_aside().into_iter().map(|path| (path, "it is damaged".to_owned()));
        let mut doubts: Vec<_> =
            aside.map(|(path, why)| Doubt { place: path.display().to_string(), why }).collect();
        let list = file.read().unwrap_or_else(|error| {
            doubts.push(Doubt { place: file.path().display().to_string(), why: error.to_string() });
            claudectl_proto::kept::List::default()
        });
        let default = list.default.unwrap_or_default();
        let accounts = list.accounts.into_iter().map(|line| account(line, &default)).collect();
        Self { accounts, default, doubts }
    }

    /// The accounts, each sealed.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// What is not known.
    pub fn doubts(&self) -> &[Doubt] {
        &self.doubts
    }

    /// Whether it is known that nothing is kept.
    pub fn is_nothing(&self) -> bool {
        self.accounts.is_empty() && self.doubts.is_empty()
    }

    /// What a daemon that is started now would hold: these accounts, sealed. `None` if there are none.
    pub fn status(&self, asked_for: &str) -> Option<Status> {
        if self.accounts.is_empty() {
            return None;
        }
        let meant = if asked_for.is_empty() { &self.default } else { asked_for };
        let names: Vec<_> = self.accounts.iter().map(|account| account.name.as_str()).collect();
        let here = Here {
            why: format!("no daemon runs, and {} kept in the keyring, sealed", listed(&names)),
            is_sealed: names.contains(&meant),
            ..Here::default()
        };
        Some(Status {
            accounts: self.accounts.clone(),
            default_account: self.default.clone(),
            here: Some(here),
            ..Status::default()
        })
    }

    /// Has the receipt of a logout of these accounts (none for all) say what it cannot know of: lists that
    /// cannot be read, and accounts that are listed after it and that it does not speak of.
    pub fn complete(&self, receipt: &mut Receipt, meant: &[String], all: bool) {
        let is_left = |name: &String| (all || meant.contains(name)) && !receipt.accounts.contains(name);
        let left = self.accounts.iter().map(|account| account.name.clone()).filter(is_left);
        let mut items: Vec<_> = left
            .map(|account| ReceiptItem {
                account,
                what: "credential".to_owned(),
                r#where: "the OS keyring".to_owned(),
                action: "not deleted".to_owned(),
                proof: "the list of kept accounts still names it, and claudectld does not know it".to_owned(),
                outcome: Outcome::Unproven.into(),
            })
            .collect();
        items.extend(self.doubts.iter().map(|doubt| ReceiptItem {
            account: String::new(),
            what: Doubt::WHAT.to_owned(),
            r#where: doubt.place.clone(),
            action: "not deleted".to_owned(),
            proof: doubt.proof(),
            outcome: Outcome::Unproven.into(),
        }));
        receipt.items.extend(items);
    }
}

/// `work is`, `work, private are`.
fn listed(names: &[&str]) -> String {
    format!("{} {}", names.join(", "), if names.len() == 1 { "is" } else { "are" })
}

fn account(line: Line, default: &str) -> Account {
    let kind = match line.kind.as_str() {
        "api_key" => CredentialKind::ApiKey,
        "oauth" => CredentialKind::Oauth,
        "subscription" => CredentialKind::Subscription,
        _ => CredentialKind::Unspecified,
    };
    Account {
        is_default: line.name == default,
        name: line.name,
        kind: kind.into(),
        route: Some(Route { upstream: line.upstream, ..Route::default() }),
        logged_in_at: line.logged_in_at,
        checked: true,
        state: AccountState::Sealed.into(),
        why: "no daemon runs".to_owned(),
        kept: true,
        authority: line.authority.unwrap_or_default(),
        profile: Some(Profile {
            email: line.email.unwrap_or_default(),
            organization: line.organization.unwrap_or_default(),
            plan: line.plan.unwrap_or_default(),
            scopes: Vec::new(),
        }),
        renewable: line.renewable,
        ..Account::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(names: &[&str], doubts: Vec<Doubt>) -> Kept {
        let account = |name: &&str| Account { name: (*name).to_owned(), ..Account::default() };
        Kept { accounts: names.iter().map(account).collect(), doubts, ..Kept::default() }
    }

    #[test]
    fn what_is_still_listed_and_not_spoken_of_is_not_proven() {
        let told = || Receipt { accounts: vec!["work".into()], ..Receipt::default() };
        let completed = |kept: Kept, meant: &[&str], all| {
            let mut receipt = told();
            let meant: Vec<_> = meant.iter().map(|name| (*name).to_owned()).collect();
            kept.complete(&mut receipt, &meant, all);
            receipt.items.into_iter().map(|item| item.account).collect::<Vec<_>>()
        };
        assert_eq!(completed(kept(&["work", "other"], Vec::new()), &["work"], false), [""; 0]);
        assert_eq!(completed(kept(&["work", "other"], Vec::new()), &["other"], false), ["other"]);
        assert_eq!(completed(kept(&["work", "other"], Vec::new()), &[], true), ["other"]);
        let doubt = Doubt { place: "/state/kept.json".into(), why: "damaged".into() };
        assert_eq!(completed(kept(&[], vec![doubt]), &["work"], false), [""]);
    }
}
