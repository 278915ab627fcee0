//! What must hold after every step, and what must hold when everything was answered.

use std::{collections::BTreeSet, time::Duration};

use claudectl_core::{
    account::{Account, Holding},
    ids::{AccountName, LoginId, SecretId, SessionId},
    session::{Gate, Session, SessionState},
};

use crate::world::{Token, Told, World, named};

impl World {
    /// Whether a login still waits for something.
    pub(crate) fn is_under_way(&self, login: LoginId) -> bool {
        let Some(secret) = self.of_logins.get(&login) else { return self.obtaining.contains(&login) };
        let stores = |told: &Told| matches!(told, Told::Store { secret: its, .. } if its == secret);
        let reads = |told: &Told| matches!(told, Told::Load { account, before: true, .. } if *account == self.names[&login]);
        self.filled.contains(secret)
            && !self.revoking.contains(secret)
            && (self.checking.contains(&login) || self.told.iter().any(|told| stores(told) || reads(told)))
    }

    /// What must hold after every step.
    pub(crate) fn check(&mut self) {
        self.check_pages();
        let seen = self.seen();
        assert!(seen.accounts.len() <= 6 && seen.sessions.len() <= 4, "over a limit");
        assert_eq!(self.default, seen.default, "the next daemon has another default");
        if let Some(default) = &seen.default {
            assert!(seen.accounts.contains_key(default), "the default is not logged in");
        }
        for account in seen.accounts.values() {
            self.check_tokens(account);
        }
        let sessions: Vec<_> = seen.sessions.keys().collect();
        assert_eq!(sessions, self.gates.keys().collect::<Vec<_>>(), "sessions and gates differ");
        for (id, session) in &seen.sessions {
            self.check_session(*id, session, seen.accounts.get(&session.account));
        }
        let deadline = self.engine.deadline();
        assert!(deadline.is_none_or(|at| at > self.now.since_boot), "the deadline was not heard");
        assert!(self.is_quiet() <= self.unanswered.is_empty(), "somebody waits for ever");
    }

    /// Every page that is filled is accounted for.
    fn check_pages(&self) {
        let seen = self.seen();
        let held: Vec<_> = seen.accounts.values().filter_map(Account::secret).collect();
        let mut known: BTreeSet<SecretId> = held.iter().copied().collect();
        assert_eq!(held.len(), known.len(), "two accounts share a page");
        assert!(known.is_subset(&self.filled), "an account holds a wiped page");
        known.extend(&self.revoking);
        known.extend(&self.unstored);
        known.extend(
            self.of_logins.iter().filter(|(login, _)| self.is_under_way(**login)).map(|(_, page)| *page),
        );
        let waits =
            |name: &AccountName| self.names.iter().any(|(login, of)| of == name && self.is_under_way(*login));
        known.extend(self.before.iter().filter(|(_, name)| waits(name)).map(|(page, _)| *page));
        let astray: Vec<_> = self.filled.difference(&known).collect();
        assert!(astray.is_empty(), "nobody accounts for {astray:?}");
        let needed = self.revoking.iter().filter(|page| self.filled.contains(page));
        let unsettled = needed.count() + self.unstored.len();
        assert!(!seen.is_settled || unsettled == 0, "settled, though something waits for its wipe");
        let is_lost = self.removal.running && !self.removal.noted;
        assert!(!seen.is_settled || !is_lost, "settled, though nobody would know what is to be removed");
    }

    /// An account has the tokens of its own login, and never for longer than they live.
    fn check_tokens(&mut self, account: &Account) {
        let Some(secret) = account.secret() else { return };
        let Token { family, number, end, obtained: (set_back, run), .. } = self.token(secret).clone();
        let of_login = (account.name.clone(), account.login);
        let known = self.families.entry(of_login).or_insert((family, number));
        assert_eq!(known.0, family, "{} has tokens of another login", account.name);
        assert!(known.1 <= number || self.bereft.contains(&family), "{} has outdated tokens", account.name);
        known.1 = number;
        let said = account.expiry.map(|expiry| expiry.at);
        assert_eq!(end.is_some(), said.is_some(), "the end of {} is not known", account.name);
        let (Some(end), Some(said)) = (end, said) else { return };
        // Over a restart only the wall clock tells, in seconds.
        let slack = if run == self.run { 0 } else { 1 + self.set_back - set_back };
        let is_over = said <= self.now.since_boot;
        let is_short = said <= end + Duration::from_secs(slack);
        assert!(is_over || is_short, "{} lives longer than its token", account.name);
    }

    fn check_session(&self, id: SessionId, session: &Session, account: Option<&Account>) {
        assert_ne!(session.account, named(3), "a session uses an account that a rule denies");
        let holding = account.map(|account| &account.holding);
        match (&self.gates[&id], &session.state, holding) {
            (Gate::Closed { sentence }, SessionState::Ended { .. }, _) => {
                assert!(sentence.contains("ended"));
            }
            (
                Gate::Closed { sentence },
                SessionState::LoggedOut { .. },
                None | Some(Holding::Rejected { .. }),
            ) => {
                assert!(sentence.contains(session.account.as_str()));
            }
            (Gate::Frozen { login, .. }, SessionState::Frozen, Some(Holding::Sealed { .. })) => {
                assert_eq!(account.map(|account| account.login), Some(*login));
            }
            (Gate::Frozen { login, .. }, SessionState::Frozen, Some(Holding::Held { .. })) => {
                let waits = account.is_some_and(|account| account.is_waiting && account.login == *login);
                assert!(waits, "frozen although its account is usable");
            }
            (
                Gate::Open { secret, generation, login, .. },
                SessionState::Open,
                Some(Holding::Held { .. }),
            ) => {
                let account = account.unwrap();
                let now = (account.secret().unwrap(), account.generation, account.login);
                assert_eq!(now, (*secret, *generation, *login), "the gate is of another time");
                assert!(
                    !account.is_waiting && !account.is_expired(self.now.since_boot),
                    "open after the end"
                );
                assert!(!self.unstored.contains(secret), "used before it is stored");
            }
            unfit => panic!("does not fit: {unfit:?}"),
        }
    }

    /// What must hold when everything that was pending was answered.
    pub(crate) fn check_quiet(&mut self) {
        self.check();
        let seen = self.seen();
        assert!(self.unanswered.is_empty(), "never answered: {:?}", self.unanswered);
        assert!(seen.is_settled, "never settled");
        assert_eq!(seen.removing, None, "footprints are being removed for ever");
        let held: BTreeSet<_> = seen.accounts.values().filter_map(Account::secret).collect();
        assert_eq!(self.filled, held, "filled pages and held accounts differ");
        for (name, record) in &self.keyring {
            let token = &self.tokens[record.token];
            match seen.accounts.get(name).filter(|account| account.kept) {
                None => {
                    assert!(self.disobeyed.contains(name), "{name} is not kept, and left an entry behind");
                }
                Some(account) => {
                    let family = self.families.get(&(name.clone(), account.login)).map(|known| known.0);
                    let is_its = family == Some(token.family) || self.disobeyed.contains(name);
                    assert!(is_its, "the keyring has another login of {name}");
                }
            }
        }
        for (name, account) in seen.accounts.iter().filter(|(_, account)| account.kept) {
            if self.disobeyed.contains(name) {
                continue;
            }
            assert_eq!(account.kept_stale, None, "nothing went wrong");
            let record =
                self.keyring.get(name).unwrap_or_else(|| panic!("the keyring has nothing of {name}"));
            if let Some(secret) = account.secret() {
                assert_eq!(record.token, self.contents[&secret], "the copy of {name} is out of date");
            }
        }
    }
}
