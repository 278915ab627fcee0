//! The screen lock, heard on a real message bus of the test's own.

use std::time::{Duration, Instant};

use claudectl_tests::{
    need,
    program::Program,
    require,
    sandbox::Sandbox,
    session::Session,
    upstream::{FakeUpstream, Reply},
};
use serde_json::Value;
use tokio::runtime::Runtime;
use zbus::{Connection, connection};

const SCREEN_SAVER: &str = "org.freedesktop.ScreenSaver";
const PATH: &str = "/org/freedesktop/ScreenSaver";

/// A session bus, and somebody on it who can lock the screen.
struct Desktop {
    bus: Program,
    locker: Connection,
    runtime: Runtime,
}

impl Desktop {
    fn start(sandbox: &mut Sandbox) -> Result<Self, require::Missing> {
        let mut command = sandbox.command(require::program("dbus-daemon")?);
        command.args(["--session", "--nofork", "--print-address"]);
        let mut bus = sandbox.start(command);
        let address = bus.line();
        sandbox.set("DBUS_SESSION_BUS_ADDRESS", &address);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let locker = connection::Builder::address(address.as_str()).unwrap();
        let locker = runtime.block_on(locker.build()).unwrap();
        Ok(Self { bus, locker, runtime })
    }

    fn offer(&self) {
        self.runtime.block_on(self.locker.request_name(SCREEN_SAVER)).unwrap();
    }

    fn withdraw(&self) {
        self.runtime.block_on(self.locker.release_name(SCREEN_SAVER)).unwrap();
    }

    fn lock(&self) {
        let signal = self.locker.emit_signal(None::<&str>, PATH, SCREEN_SAVER, "ActiveChanged", &true);
        self.runtime.block_on(signal).unwrap();
    }
}

/// A sandbox with a desktop, a daemon and an account.
fn logged_in(configuration: &str) -> Result<(Sandbox, Desktop, FakeUpstream), require::Missing> {
    let mut sandbox = Sandbox::new();
    sandbox.configure(configuration);
    let desktop = Desktop::start(&mut sandbox)?;
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    sandbox.login("work", &key, &upstream).exited(0);
    Ok((sandbox, desktop, upstream))
}

/// Follows the status until it is as wanted, and returns it.
fn status_until(sandbox: &Sandbox, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut command = sandbox.command("claudectl");
    command.args(["status", "--watch", "--json"]);
    let mut watching = sandbox.start(command);
    loop {
        let status: Value = serde_json::from_str(&watching.line()).unwrap();
        if wanted(&status) {
            return status;
        }
    }
}

fn is_watched(status: &Value) -> bool {
    status["desktop_watched"] == true
}

#[test]
fn locking_the_screen_cuts_the_streams_and_logs_every_account_out() {
    let (sandbox, desktop, upstream) = need!(logged_in(""));
    desktop.offer();
    assert_eq!(status_until(&sandbox, is_watched)["safe_to_leave"], true);
    let mut session = Session::open(&sandbox, &[]);
    upstream.next([Reply::held()]);
    assert_eq!(session.open_stream()["status"], 200);
    #[allow(clippy::disallowed_methods, reason = "a test measures")]
    let locked = Instant::now();
    desktop.lock();
    let end = session.drain();
    let took = locked.elapsed();
    assert!(end["end"].as_str().unwrap().starts_with("cut"), "{end}");
    let refused = session.message();
    assert_eq!(refused["status"], 401, "{refused}");
    assert!(refused["body"].as_str().unwrap().contains("because the screen was locked"), "{refused}");
    let status = sandbox.ctl(&["status", "--json"]).exited(0).json();
    assert_eq!(status["logged_in"], false, "{status}");
    eprintln!("signal to cut stream: {took:?}");
    assert!(took < Duration::from_millis(500), "{took:?}");
}

#[test]
fn the_configuration_can_ignore_the_lock_and_status_says_so() {
    let (sandbox, desktop, _upstream) = need!(logged_in("[policy]\nscreen_lock = \"ignore\"\n"));
    desktop.offer();
    let heard = |status: &Value| {
        sandbox.ctl(&["doctor"]).stdout.contains("the configuration ignores it") || {
            assert_eq!(status["safe_to_leave"], false);
            false
        }
    };
    status_until(&sandbox, heard);
    desktop.lock();
    // What comes from one connection stays in order: once the second is seen, the first was heard.
    desktop.withdraw();
    let lost = |_: &Value| sandbox.ctl(&["doctor"]).stdout.contains("nobody here tells");
    let status = status_until(&sandbox, lost);
    assert_eq!(status["logged_in"], true, "{status}");
}

#[test]
fn without_a_bus_or_a_screen_saver_nobody_is_told_to_be_safe() {
    let (sandbox, mut desktop, _upstream) = need!(logged_in(""));
    let status = sandbox.ctl(&["status", "--json"]).exited(0).json();
    assert_eq!((&status["desktop_watched"], &status["safe_to_leave"]), (&false.into(), &false.into()));
    desktop.offer();
    status_until(&sandbox, is_watched);
    desktop.bus.signal(nix::sys::signal::Signal::SIGKILL);
    desktop.bus.wait();
    let status = status_until(&sandbox, |status| !is_watched(status));
    assert_eq!((&status["logged_in"], &status["safe_to_leave"]), (&true.into(), &false.into()));
}

#[test]
fn a_screen_that_is_locked_already_when_the_bus_comes_back_counts() {
    let mut sandbox = Sandbox::new();
    let desktop = need!(Desktop::start(&mut sandbox));
    {
        let _inside = desktop.runtime.enter();
        desktop.runtime.block_on(desktop.locker.object_server().at(PATH, locked::Screen)).unwrap();
    }
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    sandbox.login("work", &key, &upstream).exited(0);
    desktop.offer();
    status_until(&sandbox, |status| is_watched(status) && status["logged_in"] == false);
}

#[allow(clippy::disallowed_types, clippy::unused_self, reason = "what the macro writes, and what it wants")]
mod locked {
    /// A screen saver that is active.
    pub(super) struct Screen;

    #[zbus::interface(name = "org.freedesktop.ScreenSaver")]
    impl Screen {
        fn get_active(&self) -> bool {
            true
        }
    }
}
