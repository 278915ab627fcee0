//! Desktops that cannot run here: message buses of a test's own, with a screen saver or a logind on them
//! that does what the test says.

mod locker;
mod logind;
mod systemd;

use std::{path::PathBuf, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::runtime::Runtime;
use zbus::{Connection, connection};

pub use locker::{Locker, VENDORS, Vendor};
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
    configuration: PathBuf,
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
        let configuration = socket.with_extension("conf");
        let services = sandbox.path(SERVICES);
        let services = services.to_str().expect("a path of ours");
        std::fs::write(
            &configuration,
            CONFIGURATION.replace("ADDRESS", &address).replace("SERVICES", services),
        )
        .expect("a file");
        let mut bus = Self { daemon: None, address, configuration, runtime };
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
        command.arg("--config-file").arg(&self.configuration).args(["--nofork", "--print-address"]);
        let mut daemon = sandbox.start(command);
        // Once it says where it is, it listens.
        daemon.line();
        self.daemon = Some(daemon);
        Ok(())
    }

    /// Where it is.
    pub fn address(&self) -> &str {
        &self.address
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

    /// Takes a name on it, and never answers.
    pub fn take(&self, name: &'static str) -> Connection {
        let connection = self.connect();
        self.block_on(connection.request_name(name)).expect("a free name");
        connection
    }

    /// Runs what speaks on it.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }
}

/// What a bus starts when somebody asks for it, below the sandbox: service files of the test's own.
pub const SERVICES: &str = "tmp/services";

/// Without the machine's service files nothing is started that the test did not ask for.
const CONFIGURATION: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>ADDRESS</listen>
  <servicedir>SERVICES</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

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
    status_within(wait::PATIENCE, sandbox, wanted)
}

/// The same, with more patience.
#[track_caller]
pub fn status_within(patience: Duration, sandbox: &Sandbox, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut command = sandbox.command("claudectl");
    command.args(["status", "--watch", "--json"]);
    sandbox.start(command).json_within(patience, wanted)
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
