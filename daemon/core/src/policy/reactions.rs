//! What desktop events do to the accounts.

use std::collections::BTreeMap;

use crate::ids::AccountName;

/// What makes the daemon let go of an account without being asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trigger {
    /// The screen was locked.
    ScreenLock,
    /// The machine goes to sleep.
    Suspend,
    /// Nobody has used the account for a while.
    Idle,
    /// The last desktop or login session of the user has ended.
    DesktopEnd,
}

impl Trigger {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::ScreenLock, Self::Suspend, Self::Idle, Self::DesktopEnd];

    /// What it is called.
    pub fn word(self) -> &'static str {
        match self {
            Self::ScreenLock => "screen-lock",
            Self::Suspend => "suspend",
            Self::Idle => "idle",
            Self::DesktopEnd => "desktop-end",
        }
    }
}

/// What is done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// The account is logged out, even if it is kept.
    Purge,
    /// An account that is kept is sealed; one that only memory has is logged out.
    Seal,
    /// Nothing.
    Ignore,
}

impl Reaction {
    /// What it is called.
    pub fn word(self) -> &'static str {
        match self {
            Self::Purge => "purge",
            Self::Seal => "seal",
            Self::Ignore => "ignore",
        }
    }
}

/// What the configuration says about one trigger after the other; what it does not say is as it is
/// without it.
pub type Chosen = BTreeMap<Trigger, Reaction>;

/// What is done about each trigger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reactions {
    /// For every account.
    pub general: Chosen,
    /// For these accounts, before what is said for every account.
    pub of_account: BTreeMap<AccountName, Chosen>,
}

impl Reactions {
    /// What a trigger does to an account.
    pub fn to(&self, trigger: Trigger, account: &AccountName) -> Reaction {
        let own = self.of_account.get(account).and_then(|chosen| chosen.get(&trigger));
        own.copied().unwrap_or_else(|| self.in_general(trigger))
    }

    /// What a trigger does to an account of which nothing special is said.
    pub fn in_general(&self, trigger: Trigger) -> Reaction {
        self.general.get(&trigger).copied().unwrap_or(match trigger {
            // Who has left does not come back to unlock.
            Trigger::DesktopEnd => Reaction::Purge,
            Trigger::ScreenLock | Trigger::Suspend | Trigger::Idle => Reaction::Seal,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_an_account_comes_first_and_only_for_what_it_says() {
        let work: AccountName = "work".parse().unwrap();
        let other: AccountName = "other".parse().unwrap();
        let reactions = Reactions {
            general: BTreeMap::from([(Trigger::Idle, Reaction::Ignore)]),
            of_account: BTreeMap::from([(
                work.clone(),
                BTreeMap::from([(Trigger::Idle, Reaction::Purge), (Trigger::ScreenLock, Reaction::Ignore)]),
            )]),
        };
        assert_eq!(reactions.to(Trigger::Idle, &work), Reaction::Purge);
        assert_eq!(reactions.to(Trigger::ScreenLock, &work), Reaction::Ignore);
        assert_eq!(reactions.to(Trigger::Suspend, &work), Reaction::Seal);
        assert_eq!(reactions.to(Trigger::Idle, &other), Reaction::Ignore);
        assert_eq!(reactions.to(Trigger::ScreenLock, &other), Reaction::Seal);
        assert_eq!(reactions.to(Trigger::DesktopEnd, &other), Reaction::Purge);
    }
}
