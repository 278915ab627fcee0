//! A logind that does what the test says: one user, ours; its sessions; its delay inhibitors.
#![allow(
    clippy::disallowed_types,
    clippy::unused_self,
    clippy::used_underscore_binding,
    reason = "what zbus's macro writes, and what it wants"
)]

use std::{
    collections::BTreeMap,
    os::fd::OwnedFd,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::runtime::Runtime;
use zbus::{
    Connection, fdo, interface,
    zvariant::{self, OwnedObjectPath, Value},
};

use super::Bus;
use crate::wait::{PATIENCE, Watched};

const PATH: &str = "/org/freedesktop/login1";
const SESSION: &str = "org.freedesktop.login1.Session";
const USER: &str = "org.freedesktop.login1.User";

/// What is true of a session.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Its type: `wayland`, `tty`.
    pub kind: &'static str,
    /// Its desktop, as the login told: `gnome`, `i3`.
    pub desktop: &'static str,
    /// Its seat; empty for none.
    pub seat: &'static str,
    /// Whether its seat shows it.
    pub active: bool,
    /// Whether its desktop says that it is locked.
    pub locked: bool,
    /// `active`, `online`, `closing`.
    pub state: &'static str,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            kind: "wayland",
            desktop: "gnome",
            seat: "seat0",
            active: true,
            locked: false,
            state: "active",
        }
    }
}

#[derive(Debug, Default)]
struct State {
    sessions: BTreeMap<String, Facts>,
    idle: bool,
    sleeping: bool,
    /// What the delays that a test is given are for: `sleep`, `shutdown`.
    delays_of: &'static str,
}

/// What the objects on the bus share with the test.
#[derive(Debug, Clone, Default)]
struct Shared {
    state: Arc<Mutex<State>>,
    /// The other ends of the delays that were given out.
    delays: Arc<Watched<Vec<OwnedFd>>>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The stand-in.
#[derive(Debug)]
pub struct Logind {
    connection: Connection,
    runtime: Arc<Runtime>,
    shared: Shared,
}

impl Logind {
    /// Takes its name on a bus; this user has one session, `_31`, with a screen.
    pub fn start(bus: &Bus) -> Self {
        Self::giving_delays_of(bus, "sleep")
    }

    /// The same, whose [`delay`](Self::delay) is that of `what`: `sleep`, `shutdown`.
    pub fn giving_delays_of(bus: &Bus, what: &'static str) -> Self {
        let logind =
            Self { connection: bus.connect(), runtime: Arc::clone(&bus.runtime), shared: Shared::default() };
        logind.shared.state().delays_of = what;
        logind.serve();
        logind.add_session("_31", Facts::default());
        logind
            .runtime
            .block_on(logind.connection.request_name("org.freedesktop.login1"))
            .expect("a free name");
        logind
    }

    /// The same logind on a bus that came back; what is true is remembered.
    pub fn return_to(&mut self, bus: &Bus) {
        self.connection = bus.connect();
        self.serve();
        let sessions: Vec<_> = self.shared.state().sessions.keys().cloned().collect();
        for session in sessions {
            self.serve_session(&session);
        }
        self.runtime.block_on(self.connection.request_name("org.freedesktop.login1")).expect("a free name");
    }

    /// It stops; the bus goes on.
    pub fn stop(&self) {
        let released = self.runtime.block_on(self.connection.release_name("org.freedesktop.login1"));
        assert!(released.expect("a bus"), "it had the name");
    }

    /// It is started anew, on the same bus.
    pub fn restart(&self) {
        self.runtime.block_on(self.connection.request_name("org.freedesktop.login1")).expect("a free name");
    }

    fn serve(&self) {
        self.runtime.block_on(async {
            let server = self.connection.object_server();
            let _ = server.at(PATH, Manager(self.shared.clone())).await.expect("a place");
            let _ = server.at(user_path(), User(self.shared.clone())).await.expect("a place");
        });
    }

    fn serve_session(&self, name: &str) {
        let session = Session { name: name.to_owned(), shared: self.shared.clone() };
        let server = self.connection.object_server();
        let _ = self.runtime.block_on(server.at(session_path(name), session)).expect("a place");
    }

    /// A session of this user begins.
    pub fn add_session(&self, name: &str, facts: Facts) {
        self.shared.state().sessions.insert(name.to_owned(), facts);
        self.serve_session(name);
        self.manager("SessionNew", &(name, session_path(name)));
    }

    /// A session of this user ends.
    pub fn remove_session(&self, name: &str) {
        self.shared.state().sessions.remove(name);
        self.manager("SessionRemoved", &(name, session_path(name)));
    }

    /// Changes what is true of a session, and tells nobody.
    pub fn change(&self, name: &str, change: impl FnOnce(&mut Facts)) {
        change(self.shared.state().sessions.get_mut(name).expect("a session"));
    }

    /// Asks the desktop to lock, or to unlock: `Lock`, `Unlock`.
    pub fn ask(&self, name: &str, what: &str) {
        self.emit(&session_path(name), SESSION, what, &());
    }

    /// The desktop says whether it is locked.
    pub fn hint(&self, name: &str, locked: bool) {
        self.change(name, |facts| facts.locked = locked);
        self.tell_change(&session_path(name), SESSION, "LockedHint", locked);
    }

    /// The seat shows the session, or another one.
    pub fn show(&self, name: &str, active: bool) {
        self.change(name, |facts| facts.active = active);
        self.tell_change(&session_path(name), SESSION, "Active", active);
    }

    /// The desktop says whether anybody is there.
    pub fn set_idle(&self, idle: bool) {
        self.shared.state().idle = idle;
        self.tell_change(&user_path(), USER, "IdleHint", idle);
    }

    /// The machine is about to sleep, or awake again.
    pub fn prepare_for_sleep(&self, begins: bool) {
        self.shared.state().sleeping = begins;
        self.manager("PrepareForSleep", &begins);
    }

    /// The machine is about to stop.
    pub fn prepare_for_shutdown(&self) {
        self.manager("PrepareForShutdown", &true);
    }

    /// Waits until somebody delays the next sleep; its other end, which is hung up when it is let go.
    pub fn delay(&self) -> OwnedFd {
        self.shared.delays.wait("a delay inhibitor", Vec::pop)
    }

    /// Waits until a delay is let go.
    pub fn is_let_go(delay: &OwnedFd) -> bool {
        super::hung_up(delay, PATIENCE)
    }

    fn manager<B: serde::Serialize + zvariant::DynamicType>(&self, signal: &str, body: &B) {
        self.emit(PATH, "org.freedesktop.login1.Manager", signal, body);
    }

    fn tell_change(&self, path: &str, interface: &str, name: &str, value: bool) {
        let changed = BTreeMap::from([(name, Value::Bool(value))]);
        let body = (interface, changed, Vec::<&str>::new());
        self.emit(path, "org.freedesktop.DBus.Properties", "PropertiesChanged", &body);
    }

    fn emit<B: serde::Serialize + zvariant::DynamicType>(
        &self,
        path: &str,
        interface: &str,
        member: &str,
        body: &B,
    ) {
        let signal = self.connection.emit_signal(None::<&str>, path, interface, member, body);
        self.runtime.block_on(signal).expect("the bus listens");
    }
}

fn uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn session_path(name: &str) -> String {
    format!("{PATH}/session/{name}")
}

fn user_path() -> String {
    format!("{PATH}/user/_{}", uid())
}

fn object(path: String) -> OwnedObjectPath {
    path.try_into().expect("a path")
}

struct Manager(Shared);

#[interface(name = "org.freedesktop.login1.Manager")]
impl Manager {
    fn list_sessions(&self) -> Vec<(String, u32, String, String, OwnedObjectPath)> {
        let state = self.0.state();
        let ours = state.sessions.iter().map(|(name, facts)| {
            (name.clone(), uid(), "me".to_owned(), facts.seat.to_owned(), object(session_path(name)))
        });
        let other =
            ("c9".to_owned(), uid() + 1, "other".to_owned(), "seat0".to_owned(), object(session_path("c9")));
        ours.chain([other]).collect()
    }

    fn get_user(&self, user: u32) -> fdo::Result<OwnedObjectPath> {
        if user == uid() {
            Ok(object(user_path()))
        } else {
            Err(fdo::Error::Failed("no such user".to_owned()))
        }
    }

    fn inhibit(&self, what: &str, _who: &str, _why: &str, mode: &str) -> zvariant::OwnedFd {
        assert_eq!(mode, "delay");
        let (kept, given) = rustix::pipe::pipe().expect("a pipe");
        if what == self.0.state().delays_of {
            self.0.delays.change(|delays| delays.push(kept));
        }
        zvariant::OwnedFd::from(given)
    }

    #[zbus(property)]
    fn preparing_for_sleep(&self) -> bool {
        self.0.state().sleeping
    }
}

struct User(Shared);

#[interface(name = "org.freedesktop.login1.User")]
impl User {
    #[zbus(property)]
    fn idle_hint(&self) -> bool {
        self.0.state().idle
    }
}

struct Session {
    name: String,
    shared: Shared,
}

impl Session {
    fn facts(&self) -> Facts {
        self.shared.state().sessions.get(&self.name).cloned().unwrap_or_default()
    }
}

#[interface(name = "org.freedesktop.login1.Session")]
impl Session {
    #[zbus(property, name = "Type")]
    fn kind(&self) -> String {
        self.facts().kind.to_owned()
    }

    #[zbus(property)]
    fn desktop(&self) -> String {
        self.facts().desktop.to_owned()
    }

    #[zbus(property)]
    fn class(&self) -> String {
        "user".to_owned()
    }

    #[zbus(property)]
    fn state(&self) -> String {
        self.facts().state.to_owned()
    }

    #[zbus(property)]
    fn active(&self) -> bool {
        self.facts().active
    }

    #[zbus(property)]
    fn locked_hint(&self) -> bool {
        self.facts().locked
    }

    #[zbus(property)]
    fn seat(&self) -> (String, OwnedObjectPath) {
        (self.facts().seat.to_owned(), object("/org/freedesktop/login1/seat/seat0".to_owned()))
    }
}

/// Notifications that were shown.
pub(super) struct Shown(pub(super) Arc<Watched<Vec<String>>>);

#[interface(name = "org.freedesktop.Notifications")]
impl Shown {
    #[allow(clippy::too_many_arguments, reason = "as the specification has it")]
    fn notify(
        &self,
        _application: &str,
        _replaces: u32,
        _icon: &str,
        _summary: &str,
        body: String,
        _actions: Vec<String>,
        _hints: BTreeMap<String, zvariant::OwnedValue>,
        _timeout: i32,
    ) -> u32 {
        self.0.change(|shown| shown.push(body));
        1
    }
}
