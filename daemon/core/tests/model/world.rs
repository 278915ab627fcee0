//! The world around the engine: it plays the shell, the servers, the keyring and the clocks, and it
//! knows what is true of each token.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use claudectl_core::{
    account::{Account, Holding, Kept},
    command::Command,
    credential::Part,
    effect::{Answer, Effect},
    engine::{Engine, Snapshot},
    error::Refusal,
    event::{Event, Revocation, WipedPage},
    ids::{AccountName, Generation, LoginId, RequestId, SecretId, SessionId},
    policy::{Policy, rules::Rule},
    session::Gate,
    time::Now,
};

use crate::{footprints::Removal, leaving::Leaving};

/// A token set that a server gave.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    /// The login that it goes back to.
    pub(crate) family: usize,
    /// How many refreshes it is away from it.
    pub(crate) number: u32,
    /// When its access token ends, since boot.
    pub(crate) end: Option<Duration>,
    /// How far the wall clock had been set back by then, in seconds, and by which daemon it was obtained.
    pub(crate) obtained: (u64, u32),
    pub(crate) renewable: bool,
    pub(crate) revocable: bool,
}

/// What the keyring has of an account.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) account: Account,
    pub(crate) token: usize,
}

/// What the keyring was told, in order.
#[derive(Debug)]
pub(crate) enum Told {
    /// `copied`: the copy was made when it was told; else it is made when its turn comes.
    Store {
        secret: SecretId,
        record: Box<Record>,
        copied: bool,
    },
    /// `before`: for a login that takes the place of the account.
    Load {
        account: AccountName,
        generation: Generation,
        before: bool,
    },
    Delete {
        account: AccountName,
    },
}

/// A refresh that is on its way.
#[derive(Debug)]
pub(crate) struct Refreshing {
    pub(crate) account: AccountName,
    pub(crate) login: Generation,
    pub(crate) token: usize,
}

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) now: Now,
    pub(crate) policy: Policy,
    /// How far the wall clock was set back in all, in seconds.
    pub(crate) set_back: u64,
    /// Which daemon it is.
    pub(crate) run: u32,
    next: u64,
    pub(crate) tokens: Vec<Token>,
    /// What is in the pages, and what was in them.
    pub(crate) contents: BTreeMap<SecretId, usize>,
    pub(crate) filled: BTreeSet<SecretId>,
    /// Families that the server does not take any more.
    pub(crate) revoked: BTreeSet<usize>,
    /// Families whose newest tokens were lost to a crash or a keyring that refused them.
    pub(crate) bereft: BTreeSet<usize>,
    pub(crate) keyring: BTreeMap<AccountName, Record>,
    /// Accounts of which the keyring did not do what it was told.
    pub(crate) disobeyed: BTreeSet<AccountName>,
    pub(crate) obtaining: Vec<LoginId>,
    pub(crate) checking: Vec<LoginId>,
    pub(crate) refreshing: Vec<Refreshing>,
    pub(crate) revoking: Vec<SecretId>,
    pub(crate) told: VecDeque<Told>,
    pub(crate) starting: Vec<(SessionId, RequestId)>,
    /// Who asked for each session.
    pub(crate) askers: BTreeMap<SessionId, RequestId>,
    pub(crate) removal: Removal,
    pub(crate) gates: BTreeMap<SessionId, Gate>,
    /// The pages of logins that were not answered yet.
    pub(crate) of_logins: BTreeMap<LoginId, SecretId>,
    pub(crate) names: BTreeMap<LoginId, AccountName>,
    /// Pages of sealed accounts that were read for the login that takes their place.
    pub(crate) before: BTreeMap<SecretId, AccountName>,
    /// Renewed tokens of kept accounts that the keyring has not answered for.
    pub(crate) unstored: BTreeSet<SecretId>,
    pub(crate) unanswered: BTreeSet<RequestId>,
    pub(crate) answers: Vec<(RequestId, Result<Answer, Refusal>)>,
    pub(crate) leaving: BTreeMap<RequestId, Vec<Leaving>>,
    /// Answers to deletions: of whom, and whether it worked.
    pub(crate) deleted: Vec<(AccountName, bool)>,
    /// Answers to revocations.
    pub(crate) revocations: BTreeMap<SecretId, Vec<Revocation>>,
    /// What came of refreshes.
    pub(crate) renewed: BTreeMap<(AccountName, Generation), SecretId>,
    /// What each login of each account is the family of.
    pub(crate) families: BTreeMap<(AccountName, Generation), (usize, u32)>,
    happened: VecDeque<Event>,
    /// What the next daemon is told of.
    pub(crate) default: Option<AccountName>,
    /// Whether the machine sleeps, as far as anybody was told.
    pub(crate) asleep: bool,
    /// Whether the screen is locked.
    pub(crate) locked: bool,
    pub(crate) is_stopping: bool,
}

pub(crate) fn named(name: u8) -> AccountName {
    format!("account{name}").parse().unwrap()
}

/// Small limits, so that they are met; sessions run in `/`, where one account is denied.
pub(crate) fn policy() -> Policy {
    let denied = Rule { directory: String::new(), account: None, deny: vec![named(3)] };
    Policy { max_sessions: 4, max_accounts: 3, rules: vec![denied], ..Policy::default() }
}

impl World {
    pub(crate) fn new() -> Self {
        let now = Now { since_boot: Duration::from_secs(100), wall: 1_000_000 };
        Self {
            engine: Engine::new(policy(), now),
            now,
            policy: policy(),
            set_back: 0,
            run: 0,
            next: 0,
            tokens: Vec::new(),
            contents: BTreeMap::new(),
            filled: BTreeSet::new(),
            revoked: BTreeSet::new(),
            bereft: BTreeSet::new(),
            keyring: BTreeMap::new(),
            disobeyed: BTreeSet::new(),
            obtaining: Vec::new(),
            checking: Vec::new(),
            refreshing: Vec::new(),
            revoking: Vec::new(),
            told: VecDeque::new(),
            starting: Vec::new(),
            askers: BTreeMap::new(),
            removal: Removal::default(),
            gates: BTreeMap::new(),
            of_logins: BTreeMap::new(),
            names: BTreeMap::new(),
            before: BTreeMap::new(),
            unstored: BTreeSet::new(),
            unanswered: BTreeSet::new(),
            answers: Vec::new(),
            leaving: BTreeMap::new(),
            deleted: Vec::new(),
            revocations: BTreeMap::new(),
            renewed: BTreeMap::new(),
            families: BTreeMap::new(),
            happened: VecDeque::new(),
            default: None,
            asleep: false,
            locked: false,
            is_stopping: false,
        }
    }

    pub(crate) fn seen(&self) -> Snapshot {
        self.engine.snapshot()
    }

    pub(crate) fn account(&self, name: u8) -> Option<Account> {
        self.seen().accounts.get(&named(name)).cloned()
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Tells the engine, and plays along until nothing more happens by itself.
    pub(crate) fn feed(&mut self, event: Event) {
        self.happened.push_back(event);
        while let Some(event) = self.happened.pop_front() {
            for effect in self.engine.handle(event, self.now) {
                self.carry_out(effect);
            }
        }
    }

    pub(crate) fn ask(&mut self, command: Command) -> RequestId {
        let request = RequestId(self.next());
        self.unanswered.insert(request);
        if let Command::LogOut(selection) = &command {
            let leaving = self.about_to_leave(selection);
            self.leaving.insert(request, leaving);
        }
        self.feed(Event::Asked { request, command });
        request
    }

    /// What a question was answered.
    pub(crate) fn answer(&self, request: RequestId) -> Option<&Result<Answer, Refusal>> {
        self.answers.iter().find(|(asked, _)| *asked == request).map(|(_, answer)| answer)
    }

    /// A token set in pages of its own.
    pub(crate) fn mint(&mut self, token: Token) -> SecretId {
        self.tokens.push(token);
        self.fill(self.tokens.len() - 1)
    }

    pub(crate) fn fill(&mut self, token: usize) -> SecretId {
        let secret = SecretId(self.next());
        self.contents.insert(secret, token);
        self.filled.insert(secret);
        secret
    }

    /// The tokens in a page.
    pub(crate) fn token(&self, secret: SecretId) -> &Token {
        &self.tokens[self.contents[&secret]]
    }

    /// The last token set of a family.
    pub(crate) fn newest(&self, family: usize) -> usize {
        self.tokens.iter().rposition(|token| token.family == family).unwrap()
    }

    /// Whether pages read back as zeros.
    pub(crate) fn is_proven(secret: SecretId) -> bool {
        !secret.0.is_multiple_of(11)
    }

    pub(crate) fn parts(&self, secret: SecretId) -> Vec<Part> {
        if self.token(secret).renewable { vec![Part::Access, Part::Refresh] } else { vec![Part::Access] }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Answer { request, answer } => {
                assert!(self.unanswered.remove(&request), "answered twice, or unasked: {answer:?}");
                self.check_answer(request, &answer);
                self.answers.push((request, answer));
            }
            Effect::ObtainCredential { login, details } => {
                self.names.insert(login, details.name);
                self.obtaining.push(login);
            }
            Effect::CheckCredential { login, secret, .. } => {
                assert!(self.filled.contains(&secret), "asks with a page that is not filled");
                self.checking.push(login);
            }
            Effect::StoreCredential { account, secret, request } => {
                self.tell_to_store(*account, secret, request.is_none());
            }
            Effect::LoadCredential { account, generation } => {
                let sealed = self.seen().accounts.get(&account).map(|sealed| sealed.generation);
                let before = sealed.is_some_and(|sealed| sealed != generation);
                self.told.push_back(Told::Load { account, generation, before });
            }
            Effect::DeleteStored { account } => self.told.push_back(Told::Delete { account }),
            Effect::RefreshCredential { account, generation, secret } => {
                self.begin_refresh(account, generation, secret);
            }
            Effect::RevokeCredential { secret, .. } => {
                assert!(self.filled.contains(&secret), "revokes what is not there");
                assert!(!self.revoking.contains(&secret), "revoked twice");
                self.assert_unused(secret);
                self.revoking.push(secret);
            }
            Effect::WipeCredential { secret } => self.wipe(secret),
            Effect::StartSession { request, session, gate, .. } => {
                assert!(self.gates.insert(session.id, gate).is_none(), "started twice");
                self.starting.push((session.id, request));
                self.askers.insert(session.id, request);
            }
            Effect::PublishGate { session, gate } => {
                assert!(self.gates.insert(session, gate).is_some(), "a gate of no session");
            }
            Effect::RemoveSession { session } => {
                assert!(self.gates.remove(&session.id).is_some(), "removed twice");
            }
            Effect::NoteDefault { account } => self.default = account,
            Effect::RemoveFootprints { .. } => self.begin_removal(),
            Effect::Stop => {
                self.is_stopping = true;
                assert!(self.filled.is_empty(), "a credential outlived the daemon: {:?}", self.filled);
            }
        }
    }

    fn tell_to_store(&mut self, account: Account, secret: SecretId, copied: bool) {
        assert!(self.filled.contains(&secret), "stores what is not there");
        let token = self.contents[&secret];
        if self.token(secret).number > 0 && account.secret() != Some(secret) {
            self.unstored.insert(secret);
        }
        let stored = self.told.iter().rev().find_map(|told| match told {
            Told::Store { record, .. } if record.account.name == account.name => Some(Some(record.token)),
            Told::Delete { account: of } if *of == account.name => Some(None),
            _ => None,
        });
        let stored = stored.unwrap_or_else(|| self.keyring.get(&account.name).map(|record| record.token));
        assert!(stored != Some(token) || self.disobeyed.contains(&account.name), "stored twice for nothing");
        let record = Box::new(Record { account, token });
        self.told.push_back(Told::Store { secret, record, copied });
    }

    fn begin_refresh(&mut self, account: AccountName, login: Generation, secret: SecretId) {
        assert!(!self.asleep, "a refresh before the lock is known");
        assert!(self.filled.contains(&secret), "refreshes with a page that is not filled");
        let twice = |other: &Refreshing| other.account == account && other.login == login;
        assert!(!self.refreshing.iter().any(twice), "two refreshes of {account} at once");
        let (token, family) = (self.contents[&secret], self.token(secret).family);
        let is_newest = self.newest(family) == token;
        assert!(is_newest || self.bereft.contains(&family), "a refresh token of {account} is used twice");
        self.refreshing.push(Refreshing { account, login, token });
    }

    fn assert_unused(&self, secret: SecretId) {
        let open = |gate: &Gate| matches!(gate, Gate::Open { secret: held, .. } if *held == secret);
        assert!(!self.gates.values().any(open), "wiped under an open gate: close first, then wipe");
    }

    fn wipe(&mut self, secret: SecretId) {
        assert!(self.filled.remove(&secret), "wiped twice, or never filled");
        self.assert_unused(secret);
        self.unstored.remove(&secret);
        let proven = Self::is_proven(secret);
        let pages = self.parts(secret).into_iter().map(|part| WipedPage { part, bytes: 30, proven });
        let event = Event::CredentialWiped { secret, pages: pages.collect() };
        self.happened.push_back(event);
    }

    /// A new daemon finds what the keyring has.
    pub(crate) fn start_again(&mut self) {
        self.run += 1;
        self.engine = Engine::new(self.policy.clone(), self.now);
        self.gates.clear();
        self.filled.clear();
        self.unanswered.clear();
        self.leaving.clear();
        self.families.clear();
        self.renewed.clear();
        self.unstored.clear();
        self.of_logins.clear();
        self.before.clear();
        self.disobeyed.clear();
        (self.asleep, self.locked, self.is_stopping) = (false, false, false);
        let kept: Vec<_> = self.keyring.values().map(|record| self.found(&record.account)).collect();
        let before = self.default.take().filter(|name| self.keyring.contains_key(name));
        self.feed(Event::KeptFound(kept));
        self.finish_removal_of_before();
        self.default = self.seen().default;
        assert_eq!(self.default, before, "another default than before");
        for (name, account) in self.seen().accounts {
            assert!(matches!(account.holding, Holding::Sealed { .. }), "{name} is in memory unasked");
            let token = &self.tokens[self.keyring[&name].token];
            self.families.insert((name, account.login), (token.family, token.number));
        }
    }

    fn found(&self, account: &Account) -> Kept {
        Kept {
            name: account.name.clone(),
            kind: account.kind,
            authority: account.authority.clone(),
            obtained: account.obtained.clone(),
            logged_in_at: account.logged_in_at,
            is_default: self.default.as_ref() == Some(&account.name),
        }
    }
}
