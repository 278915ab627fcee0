//! Desktops that cannot run here: message buses of a test's own, with a screen saver or a logind on them
//! that does what the test says.

mod logind;
mod systemd;

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::runtime::Runtime;
use zbus::{Connection, connection};

pub use logind::{Facts, Logind};
pub use systemd::UserSystemd;

use crate::{
    program::Program,
    require::{self, Missing},
    sandbox::Sandbox,
    wait,
};

/// A message bus of its own, which can die and come back at the same address.
#[derive(Debug)]
pub struct Bus {
    daemon: Option<Program>,
    address: String,
    runtime: Arc<Runtime>,
}

impl Bus {
    /// Starts one; `variable` names it to everything that the sandbox starts from now on.
    ///
    /// # Errors
    /// No `dbus-daemon`.
    pub fn start(sandbox: &mut Sandbox, variable: &str) -> Result<Self, Missing> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let socket = sandbox.path("tmp").join(variable.to_lowercase());
        let address = format!("unix:path={}", socket.display());
        let runtime = Arc::new(runtime.expect("a runtime"));
        let mut bus = Self { daemon: None, address, runtime };
        bus.revive(sandbox)?;
        sandbox.set(variable, &bus.address);
        Ok(bus)
    }

    /// Starts it again, empty.
    ///
    /// # Errors
    /// No `dbus-daemon`.
    pub fn revive(&mut self, sandbox: &Sandbox) -> Result<(), Missing> {
        let mut command = sandbox.command(require::program("dbus-daemon")?);
        command.args(["--session", "--nofork", "--print-address", "--address", &self.address]);
        let mut daemon = sandbox.start(command);
        // Once it says where it is, it listens.
        daemon.line();
        self.daemon = Some(daemon);
        Ok(())
    }

    /// Kills it.
    pub fn kill(&mut self) {
        let mut daemon = self.daemon.take().expect("a bus that runs");
        daemon.signal(nix::sys::signal::Signal::SIGKILL);
        daemon.wait();
    }

    /// A new connection to it.
    pub fn connect(&self) -> Connection {
        let builder = connection::Builder::address(self.address.as_str()).expect("an address");
        self.runtime.block_on(builder.build()).expect("the bus listens")
    }

    /// Runs what speaks on it.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }
}

/// What a desktop calls its screen saver: the name on the bus, the object, the interface.
#[derive(Debug, Clone, Copy)]
pub struct Vendor {
    /// The name on the bus.
    pub name: &'static str,
    /// Path of the object.
    pub path: &'static str,
    /// The interface that has `ActiveChanged`.
    pub interface: &'static str,
}

/// What the desktops call theirs.
pub const VENDORS: [Vendor; 8] = [
    Vendor::of("org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver"),
    Vendor::of("org.freedesktop.ScreenSaver", "/ScreenSaver"),
    Vendor::of("org.gnome.ScreenSaver", "/org/gnome/ScreenSaver"),
    Vendor { name: "org.kde.screensaver", path: "/ScreenSaver", interface: "org.freedesktop.ScreenSaver" },
    Vendor::of("org.mate.ScreenSaver", "/org/mate/ScreenSaver"),
    Vendor::of("org.cinnamon.ScreenSaver", "/org/cinnamon/ScreenSaver"),
    Vendor::of("org.xfce.ScreenSaver", "/org/xfce/ScreenSaver"),
    // Nobody's: what is called like one is heard.
    Vendor { name: "org.example.Desktop", path: "/lock", interface: "org.example.Screensaver" },
];

impl Vendor {
    const fn of(name: &'static str, path: &'static str) -> Self {
        Self { name, path, interface: name }
    }
}

/// Somebody on a session bus who can lock the screen.
#[derive(Debug)]
pub struct Locker {
    connection: Connection,
    vendor: Vendor,
    runtime: Arc<Runtime>,
    active: Arc<std::sync::atomic::AtomicBool>,
}

impl Locker {
    /// Takes the name of a vendor's screen saver, which is not active.
    pub fn start(bus: &Bus, vendor: Vendor) -> Self {
        let active = Arc::default();
        let locker = Self { connection: bus.connect(), vendor, runtime: Arc::clone(&bus.runtime), active };
        locker.offer();
        locker
    }

    /// Takes the name.
    pub fn offer(&self) {
        self.runtime.block_on(async {
            let screen = logind::Screen(Arc::clone(&self.active));
            // Only one interface can be asked; the others only tell.
            if self.vendor.interface == "org.freedesktop.ScreenSaver" {
                let server = self.connection.object_server();
                let _ = server.at(self.vendor.path, screen).await.expect("a place for the object");
            }
            self.connection.request_name(self.vendor.name).await.expect("the name is free");
        });
    }

    /// Gives the name back.
    pub fn withdraw(&self) {
        self.runtime.block_on(self.connection.release_name(self.vendor.name)).expect("the name was ours");
    }

    /// Says nothing, but answers like that from now on.
    pub fn become_active(&self, active: bool) {
        self.active.store(active, std::sync::atomic::Ordering::SeqCst);
    }

    /// Locks the screen, or unlocks it.
    pub fn lock(&self, active: bool) {
        self.become_active(active);
        let Vendor { path, interface, .. } = self.vendor;
        let signal = self.connection.emit_signal(None::<&str>, path, interface, "ActiveChanged", &active);
        self.runtime.block_on(signal).expect("the bus listens");
    }
}

/// Somebody who shows notifications.
#[derive(Debug)]
pub struct Notifications {
    shown: Arc<wait::Watched<Vec<String>>>,
    _connection: Connection,
}

impl Notifications {
    /// Takes the name on a session bus.
    pub fn start(bus: &Bus) -> Self {
        let (connection, shown) = (bus.connect(), Arc::default());
        bus.block_on(async {
            let server = logind::Shown(Arc::clone(&shown));
            let _ = connection
                .object_server()
                .at("/org/freedesktop/Notifications", server)
                .await
                .expect("a place");
            connection.request_name("org.freedesktop.Notifications").await.expect("a free name");
        });
        Self { shown, _connection: connection }
    }

    /// The body of the first one.
    pub fn wait(&self) -> String {
        self.shown.wait("a notification", |shown| shown.first().cloned())
    }

    /// Returns once one has this body.
    pub fn wait_for(&self, body: &str) {
        self.shown.wait(body, |shown| shown.iter().any(|one| one == body).then_some(()));
    }

    /// How many there were.
    pub fn count(&self) -> usize {
        self.shown.lock().len()
    }
}

/// Follows the status until it is as wanted, and returns it.
#[track_caller]
pub fn status_until(sandbox: &Sandbox, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut command = sandbox.command("claudectl");
    command.args(["status", "--watch", "--json"]);
    sandbox.start(command).json_until(wanted)
}

/// How often the sources told of something: `screen-locked`.
pub fn sightings(status: &Value, what: &str) -> usize {
    let sightings = status["sightings"].as_array().map(Vec::as_slice).unwrap_or_default();
    sightings.iter().filter(|sighting| sighting["what"] == what).count()
}

/// Fails the test unless a descriptor is hung up within this time.
pub(crate) fn hung_up(fd: impl std::os::fd::AsFd, patience: Duration) -> bool {
    wait::readable(fd, patience).expect("poll")
}
