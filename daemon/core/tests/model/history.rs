//! The steps of a history, one after the other.

use std::time::Duration;

use claudectl_core::{
    account::{Grant, Holding, Route, Way},
    command::{BeginLogin, Command, OpenSession, Selection},
    credential::CredentialKind,
    event::{DesktopEvent, Event},
    ids::{AccountName, RequestId, SessionId},
    policy::reactions::{Reaction, Trigger},
    sentence::Cause,
    session::{Process, Transport},
};

use crate::{
    steps::{RefreshAnswer, Step},
    world::{World, named},
};

fn selected(name: Option<u8>) -> Selection {
    name.map_or(Selection::All, |name| Selection::Named(vec![named(name)]))
}

impl World {
    pub(crate) fn apply(&mut self, step: Step) {
        self.now.since_boot += Duration::from_millis(7);
        match step {
            Step::BeginLogin { name, check, keep } => {
                self.begin_login(name, check, keep);
            }
            Step::Obtain { which, arrives } => self.obtain(which, arrives),
            Step::Check { which, accepted } => self.check_login(which, accepted),
            Step::Refresh { which, answer } => self.refresh(which, answer),
            Step::Revoke { which } => self.revoke(which),
            Step::Keyring { works } => self.keyring(works),
            Step::Start { which, works } => self.start(which, works),
            Step::AccessRefused { name } => self.refuse_access(name),
            Step::Wait { seconds } => self.wait(Duration::from_secs(seconds.into())),
            Step::SetClock { by } => self.set_clock(by.into()),
            Step::Locked { purges, footprints } => self.lock(purges, footprints),
            Step::LockToldAgain => self.told_of(Event::LockToldAgain, Cause::ScreenLocked),
            Step::FootprintsNoted => self.footprints_noted(),
            Step::FootprintsRemoved => self.footprints_removed(),
            Step::Unlocked => self.unlock(),
            Step::Suspending => {
                self.asleep = true;
                self.desktop(DesktopEvent::Suspending, Cause::Suspending);
            }
            Step::Resumed => self.resume(),
            Step::Stop { told } => {
                self.is_stopping = true;
                self.feed(Event::StopRequested);
                self.after_stop(told);
            }
            Step::Crash { told } => self.crash(told),
            Step::Exit { id } => self.exit(id),
            asked => self.apply_asked(asked),
        }
        self.ring();
    }

    fn apply_asked(&mut self, step: Step) {
        match step {
            Step::Switch { name } => self.ask(Command::SwitchAccount { account: named(name) }),
            Step::LogOut { name: None } => self.ask(Command::LogOut(Selection::Default)),
            Step::LogOut { name: Some(name) } => {
                self.ask(Command::LogOut(Selection::Named(vec![named(name), named(name)])))
            }
            Step::LogOutAll => self.ask(Command::LogOut(Selection::All)),
            Step::Seal { name } => self.seal(&selected(name)),
            Step::Unseal { name } => self.ask(Command::Unseal(selected(name))),
            Step::Open { id, pid, name } => self.open(id, pid, name),
            Step::Move { id, name } => {
                self.ask(Command::MoveSession { session: SessionId(id.into()), account: named(name) })
            }
            Step::End { id } => self.ask(Command::EndSession { session: SessionId(id.into()) }),
            _ => return,
        };
    }

    fn exit(&mut self, id: u8) {
        let session = SessionId(id.into());
        self.starting.retain(|(starting, _)| *starting != session);
        self.feed(Event::ProcessExited { session });
    }

    pub(crate) fn begin_login(&mut self, name: u8, check: bool, keep: bool) -> RequestId {
        self.ask(Command::BeginLogin(BeginLogin {
            name: named(name),
            kind: CredentialKind::Oauth,
            way: Way::Authorize { authority: "server".into(), grant: Grant::Browser },
            route: Route { upstream: Route::ANTHROPIC.into(), proxy: None, ca_file: None },
            plan: None,
            check,
            keep,
        }))
    }

    pub(crate) fn open(&mut self, id: u8, pid: u8, name: Option<u8>) -> RequestId {
        self.ask(Command::OpenSession(OpenSession {
            id: SessionId(id.into()),
            process: Process { pid: pid.into(), started: 1 },
            terminal: None,
            account: name.map(named),
            transport: Transport::Unix,
            children: false,
            genuine: true,
            program: "claude".into(),
            directory: "/".into(),
        }))
    }

    pub(crate) fn refuse_access(&mut self, name: u8) {
        if let Some(account) = self.account(name) {
            self.feed(Event::AccessRefused { account: account.name, generation: account.generation });
        }
    }

    pub(crate) fn wait(&mut self, time: Duration) {
        self.now.since_boot += time;
        self.now.wall += i64::try_from(time.as_secs()).unwrap();
    }

    pub(crate) fn set_clock(&mut self, by: i64) {
        self.now.wall += by;
        self.set_back += by.min(0).unsigned_abs();
    }

    pub(crate) fn seal(&mut self, selection: &Selection) -> RequestId {
        let before = self.seen().accounts;
        let request = self.ask(Command::Seal(selection.clone()));
        let meant = |name: &AccountName| match selection {
            Selection::Named(names) => names.contains(name),
            _ => true,
        };
        for (name, account) in before.iter().filter(|(name, account)| meant(name) && account.kept) {
            // Unless its copy was lost to a login that was not finished.
            let now = self.seen().accounts[name].holding.clone();
            let by_hand = matches!(now, Holding::Sealed { cause: Cause::Asked, loading: false, .. });
            assert!(by_hand || matches!(now, Holding::Rejected { .. }), "{account:?} became {now:?}");
        }
        request
    }

    fn lock(&mut self, purges: bool, footprints: bool) {
        let reaction = if purges { Reaction::Purge } else { Reaction::Seal };
        self.policy.reactions.general.insert(Trigger::ScreenLock, reaction);
        self.policy.footprints = footprints;
        self.feed(Event::PolicyLoaded(self.policy.clone()));
        self.removal.due |= purges && footprints;
        self.desktop(DesktopEvent::ScreenLocked, Cause::ScreenLocked);
        assert!(!self.removal.due || self.removal.running, "nothing is done about footprints");
        assert!(!purges || self.seen().accounts.is_empty(), "an account outlived the lock");
    }

    /// Kept accounts are sealed, the others are gone; who sealed one before still did.
    pub(crate) fn desktop(&mut self, event: DesktopEvent, cause: Cause) {
        self.locked |= event == DesktopEvent::ScreenLocked;
        self.told_of(Event::Desktop(event), cause);
    }

    fn told_of(&mut self, event: Event, cause: Cause) {
        let before = self.seen().accounts;
        self.feed(event);
        assert!(self.of_logins.keys().all(|login| !self.is_under_way(*login)), "a login outlived the lock");
        for (name, account) in self.seen().accounts {
            let was = &before[&name].holding;
            match (was, &account.holding) {
                (Holding::Sealed { loading: false, cause: Cause::Suspending, .. }, now)
                    if cause == Cause::ScreenLocked =>
                {
                    let locked =
                        matches!(now, Holding::Sealed { cause: Cause::ScreenLocked, loading: false, .. });
                    assert!(locked, "{name} thaws behind a locked screen: {now:?}");
                }
                (Holding::Sealed { loading: false, .. }, now) if now == was => {}
                (
                    Holding::Held { .. } | Holding::Sealed { loading: true, .. },
                    Holding::Sealed { cause: now, loading: false, .. },
                ) => assert_eq!(*now, cause),
                (Holding::Held { .. } | Holding::Sealed { .. }, Holding::Rejected { .. }) => {}
                (was, now) => panic!("{was:?} became {now:?}"),
            }
        }
    }

    fn resume(&mut self) {
        self.asleep = false;
        let (before, locked) = (self.seen().accounts, self.locked);
        self.feed(Event::Desktop(DesktopEvent::Resumed { locked }));
        for (name, account) in self.seen().accounts {
            let was = before.get(&name).map(|account| &account.holding);
            let Some(Holding::Sealed { cause, loading: false, .. }) = was else { continue };
            let Holding::Sealed { loading, .. } = account.holding else { continue };
            let thaws = !locked && *cause == Cause::Suspending;
            assert_eq!(loading, thaws, "{name} on waking, sealed {cause:?}");
        }
    }

    pub(crate) fn unlock(&mut self) {
        let before = self.seen().accounts;
        self.locked = false;
        self.feed(Event::Desktop(DesktopEvent::ScreenUnlocked));
        for (name, account) in self.seen().accounts {
            match (&before[&name].holding, &account.holding) {
                (Holding::Sealed { cause: Cause::ScreenLocked, .. }, now) if self.asleep => {
                    let waits =
                        matches!(now, Holding::Sealed { cause: Cause::Suspending, loading: false, .. });
                    assert!(waits, "{name} does not wait for the wake: {now:?}");
                }
                (before, now) if self.asleep => assert_eq!(before, now, "it thaws while the machine sleeps"),
                (
                    Holding::Sealed { cause: Cause::ScreenLocked | Cause::Suspending, .. },
                    Holding::Sealed { loading, .. },
                ) => assert!(loading, "{name} does not thaw"),
                (before, now) => assert_eq!(before, now, "it was sealed by somebody else"),
            }
        }
    }

    /// The engine's deadline has come as soon as it has.
    fn ring(&mut self) {
        if self.engine.deadline().is_some_and(|deadline| deadline <= self.now.since_boot) {
            self.feed(Event::DeadlineReached);
            let next = self.engine.deadline();
            assert!(next.is_none_or(|next| next > self.now.since_boot), "the deadline stays in the past");
            if self.is_stopping {
                self.after_stop(0);
            }
        }
    }

    /// The shell may still hear of what was under way; the keyring did so much of it.
    fn after_stop(&mut self, told: u8) {
        assert!(self.filled.is_empty(), "a credential outlived the daemon: {:?}", self.filled);
        for which in 0..3 {
            let token = crate::steps::Token { lifetime: Some(9), renewable: true, revocable: true };
            self.obtain(which, Some(token));
            self.check_login(which, true);
            self.refresh(which, RefreshAnswer::Renewed { lifetime: Some(9), renewable: true });
            self.revoke(which);
        }
        for _ in 0..told % 8 {
            self.keyring(true);
        }
        while !self.starting.is_empty() {
            self.start(0, true);
        }
        assert!(self.filled.is_empty(), "what came late outlived the daemon: {:?}", self.filled);
        assert!(self.unanswered.is_empty(), "unanswered after the stop: {:?}", self.unanswered);
        self.lose_what_is_under_way();
    }

    fn crash(&mut self, told: u8) {
        for _ in 0..told % 8 {
            if let Some(told) = self.told.pop_front() {
                let _unheard = self.obey(told, true);
            }
        }
        self.lose_what_is_under_way();
    }

    fn lose_what_is_under_way(&mut self) {
        // Tokens that were renewed and not stored are lost: the next refresh asks for a login.
        self.bereft.extend(self.tokens.iter().map(|token| token.family));
        self.obtaining.clear();
        self.checking.clear();
        self.refreshing.clear();
        self.revoking.clear();
        self.told.clear();
        self.starting.clear();
        self.start_again();
    }
}
