//! What was held back is answered.

use std::time::Duration;

use claudectl_core::{
    account::{Obtained, Profile, Route},
    credential::{Header, Part},
    error::Refusal,
    event::{Event, Loaded, Refreshed, Revocation},
    ids::SecretId,
};

use crate::{
    steps::{self, RefreshAnswer},
    world::{Record, Refreshing, Token, Told, World},
};

const SERVER: &str = "https://login.example/revoke";

/// Takes one of what is pending.
fn take<T>(pending: &mut Vec<T>, which: u8) -> Option<T> {
    if pending.is_empty() { None } else { Some(pending.remove(usize::from(which) % pending.len())) }
}

fn seconds(lifetime: Option<u16>) -> Option<Duration> {
    lifetime.map(|seconds| Duration::from_secs(seconds.into()))
}

impl World {
    pub(crate) fn obtain(&mut self, which: u8, arrives: Option<steps::Token>) {
        let Some(login) = take(&mut self.obtaining, which) else { return };
        let Some(steps::Token { lifetime, renewable, revocable }) = arrives else {
            self.feed(Event::LoginFailed { login, why: Refusal::IntakeFailed("gone".into()) });
            return;
        };
        let family = self.tokens.len();
        let lifetime = seconds(lifetime);
        let secret = self.mint(self.fresh(family, 0, lifetime, renewable, revocable));
        self.of_logins.insert(login, secret);
        let obtained = Obtained {
            header: Header::Bearer,
            route: Route { upstream: Route::ANTHROPIC.into(), proxy: None, ca_file: None },
            profile: Profile::default(),
            lifetime,
            renewable,
            revocable,
        };
        self.feed(Event::CredentialReceived { login, secret, obtained });
    }

    fn fresh(
        &self,
        family: usize,
        number: u32,
        lifetime: Option<Duration>,
        renewable: bool,
        revocable: bool,
    ) -> Token {
        let end = lifetime.map(|lifetime| self.now.since_boot + lifetime);
        Token { family, number, end, obtained: (self.set_back, self.run), renewable, revocable }
    }

    pub(crate) fn check_login(&mut self, which: u8, accepted: bool) {
        let Some(login) = take(&mut self.checking, which) else { return };
        let refused = Refusal::CredentialRefused { upstream: "u".into(), status: 401 };
        self.feed(Event::CredentialChecked { login, verdict: if accepted { Ok(()) } else { Err(refused) } });
    }

    /// The server takes each refresh token once, and never again when one is used twice.
    pub(crate) fn refresh(&mut self, which: u8, answer: RefreshAnswer) {
        let Some(Refreshing { account, login, token }) = take(&mut self.refreshing, which) else { return };
        let Token { family, number, revocable, .. } = self.tokens[token].clone();
        let is_taken = self.newest(family) == token && !self.revoked.contains(&family);
        let mut came = None;
        let outcome = match answer {
            RefreshAnswer::Transient { retry_after } => {
                let retry_after = seconds(retry_after.map(u16::from));
                Refreshed::Transient { why: "busy".into(), retry_after }
            }
            RefreshAnswer::Renewed { lifetime, renewable } if is_taken => {
                let lifetime = seconds(lifetime);
                let secret = self.mint(self.fresh(family, number + 1, lifetime, renewable, revocable));
                self.renewed.insert((account.clone(), login), secret);
                came = Some(secret);
                Refreshed::Renewed { secret, lifetime, renewable, scopes: Vec::new() }
            }
            RefreshAnswer::Renewed { .. } | RefreshAnswer::Rejected => {
                Refreshed::Rejected { why: "invalid_grant".into() }
            }
        };
        let is_wanted = self.seen().accounts.get(&account).is_some_and(|held| {
            held.login == login && !matches!(held.holding, claudectl_core::account::Holding::Rejected { .. })
        });
        let (was_kept, name) = (self.seen().accounts.get(&account).is_some_and(|a| a.kept), account.clone());
        self.feed(Event::CredentialRefreshed { account, generation: login, outcome });
        if let Some(secret) = came {
            self.check_came(secret, is_wanted, was_kept);
            let stored =
                self.told.iter().any(|told| matches!(told, Told::Store { secret: s, .. } if *s == secret));
            assert_eq!(stored, is_wanted && was_kept, "tokens of {name} that the keyring does not get");
        }
    }

    fn check_came(&self, secret: SecretId, is_wanted: bool, was_kept: bool) {
        let used = self.seen().accounts.values().any(|account| account.secret() == Some(secret));
        if is_wanted {
            let is_over = !self.filled.contains(&secret) || self.revoking.contains(&secret);
            assert!(used != was_kept || is_over, "used before it is stored, or not used");
        } else {
            assert!(!used, "tokens of another login are used");
            let revocable = self.token(secret).revocable;
            assert!(!revocable || self.revoking.contains(&secret) || self.is_stopping, "not revoked");
        }
    }

    pub(crate) fn revoke(&mut self, which: u8) {
        let Some(secret) = take(&mut self.revoking, which) else { return };
        let refused = |works: bool| if works { Ok(200) } else { Err("HTTP 503".to_owned()) };
        let parts = self.parts(secret).into_iter().rev();
        let revocations: Vec<_> = parts
            .map(|part| {
                let works = !secret.0.is_multiple_of(if part == Part::Access { 5 } else { 7 });
                Revocation { part, endpoint: SERVER.into(), outcome: refused(works) }
            })
            .collect();
        if revocations.iter().any(|revocation| revocation.outcome.is_ok()) {
            self.revoked.insert(self.token(secret).family);
        }
        self.revocations.insert(secret, revocations.clone());
        self.feed(Event::CredentialRevoked { secret, revocations });
    }

    /// The keyring carries out the oldest thing that it was told, and answers.
    pub(crate) fn keyring(&mut self, works: bool) {
        if let Some(told) = self.told.pop_front() {
            let event = self.obey(told, works);
            self.feed(event);
        }
    }

    pub(crate) fn obey(&mut self, told: Told, works: bool) -> Event {
        let refused = || Refusal::Keyring { why: "it is locked".into(), hint: "unlock it" };
        match told {
            Told::Store { secret, record, copied } => {
                self.unstored.remove(&secret);
                // Pages of a login that were wiped meanwhile are refused.
                let works = works && (copied || self.filled.contains(&secret));
                let name = record.account.name.clone();
                if works {
                    self.keyring.insert(name, *record);
                } else {
                    self.disobeyed.insert(name);
                    self.bereft.insert(self.token(secret).family);
                }
                Event::CredentialStored { secret, outcome: if works { Ok(()) } else { Err(refused()) } }
            }
            Told::Load { account, generation, before } => {
                let record = self.keyring.get(&account).cloned().filter(|_| works);
                let outcome = record.map(|record| self.read(&record)).ok_or_else(refused);
                if let (Ok(loaded), true) = (&outcome, before) {
                    self.before.insert(loaded.secret, account.clone());
                }
                Event::CredentialLoaded { account, generation, outcome }
            }
            Told::Delete { account } => {
                if works {
                    self.keyring.remove(&account);
                } else {
                    self.disobeyed.insert(account.clone());
                }
                self.deleted.push((account.clone(), works));
                Event::StoredDeleted { account, outcome: if works { Ok(()) } else { Err("locked".into()) } }
            }
        }
    }

    fn read(&mut self, Record { account, token }: &Record) -> Loaded {
        let secret = self.fill(*token);
        let obtained_at = account.expiry.map_or(account.logged_in_at, |expiry| expiry.obtained_at);
        Loaded { secret, obtained: account.obtained.clone(), obtained_at }
    }

    pub(crate) fn start(&mut self, which: u8, works: bool) {
        let Some((session, request)) = take(&mut self.starting, which) else { return };
        // Another one may have the same identifier by now.
        if !works && self.askers.get(&session) == Some(&request) {
            self.gates.remove(&session);
        }
        let outcome = if works { Ok(()) } else { Err(Refusal::Resource("no socket".into())) };
        self.feed(Event::SessionStarted { session, request, outcome });
    }

    /// Answers everything that is pending, and what comes of it.
    pub(crate) fn answer_all(&mut self) {
        for round in 0.. {
            assert!(round < 1_000, "it never ends");
            self.obtain(0, None);
            self.check_login(0, true);
            self.refresh(0, RefreshAnswer::Transient { retry_after: None });
            self.revoke(0);
            self.keyring(true);
            self.start(0, true);
            self.footprints_removed();
            if self.is_quiet() {
                return;
            }
        }
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.obtaining.is_empty()
            && self.checking.is_empty()
            && self.refreshing.is_empty()
            && self.revoking.is_empty()
            && self.told.is_empty()
            && self.starting.is_empty()
            && !self.removal.running
    }
}
