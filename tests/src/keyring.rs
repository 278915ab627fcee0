//! A keyring of the test's own: gnome-keyring on a private session bus, in the sandbox's home.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use futures_util::StreamExt as _;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use zbus::{Connection, MatchRule, MessageStream, message, zvariant::ObjectPath};

use crate::{
    desktop::Bus,
    program::Output,
    require::{self, Missing},
    sandbox::Sandbox,
    wait,
};

/// The well-known name of every keyring service.
const NAME: &str = "org.freedesktop.secrets";
/// Where gnome-keyring puts what is stored.
const COLLECTION: &str = "/org/freedesktop/secrets/collection/login";
/// What opens the keyring.
pub const PASSWORD: &str = "TEST-keyring-password";

/// A session bus, with or without a keyring service on it. All of it ends with this.
#[derive(Debug)]
pub struct PrivateBus {
    bus: Bus,
    connection: Connection,
    service: Option<u32>,
    daemon: PathBuf,
    secret_tool: PathBuf,
}

impl PrivateBus {
    /// Starts a bus, and makes it that of everything the sandbox starts from now on. There is no keyring
    /// on it yet.
    ///
    /// # Errors
    /// Something is not installed.
    pub fn start(sandbox: &mut Sandbox) -> Result<Self, Missing> {
        let daemon = require::program("gnome-keyring-daemon")?;
        let secret_tool = require::program("secret-tool")?;
        let bus = Bus::start(sandbox, "DBUS_SESSION_BUS_ADDRESS")?;
        let connection = bus.connect();
        Ok(Self { bus, connection, service: None, daemon, secret_tool })
    }

    /// The bus itself.
    pub fn bus(&self) -> &Bus {
        &self.bus
    }

    /// Where it is.
    pub fn address(&self) -> &str {
        self.bus.address()
    }

    /// The bus dies, and the keyring service with it.
    pub fn kill(&mut self) {
        self.bus.kill();
        self.end_service();
    }

    /// Both are there again, unlocked, at the same address.
    ///
    /// # Errors
    /// Something is not installed.
    pub fn revive(&mut self, sandbox: &Sandbox) -> Result<(), Missing> {
        self.bus.revive(sandbox)?;
        self.connection = self.bus.connect();
        self.start_keyring(sandbox, true);
        Ok(())
    }

    fn end_service(&mut self) {
        if let Some(service) = self.service.take() {
            let _ = kill(Pid::from_raw(service.cast_signed()), Signal::SIGKILL);
            let _ = wait::exits_within(service, wait::PATIENCE);
        }
    }

    /// Starts the keyring service: unlocked, or as it is after a boot without a login.
    pub fn start_keyring(&mut self, sandbox: &Sandbox, unlocked: bool) {
        let mut command = sandbox.command(&self.daemon);
        command.args(["--components=secrets", "--daemonize"]);
        if unlocked {
            command.arg("--unlock");
        }
        let mut starting = sandbox.start(command);
        starting.write(PASSWORD.as_bytes());
        starting.finish().exited(0);
        self.service = Some(self.owner(NAME));
    }

    /// Locks what is stored.
    pub fn lock(&self) {
        let collections = (vec![ObjectPath::try_from(COLLECTION).expect("a path")],);
        let interface = Some("org.freedesktop.Secret.Service");
        let path = "/org/freedesktop/secrets";
        let locking = self.connection.call_method(Some(NAME), path, interface, "Lock", &collections);
        self.bus.block_on(locking).expect("locked");
    }

    /// Becomes the program that asks the person for the password, and never does.
    pub fn ask_nobody(&self) {
        let name = "org.gnome.keyring.SystemPrompter";
        self.bus.block_on(self.connection.request_name(name)).expect("a free name");
    }

    /// Sends the keyring service a signal.
    pub fn signal(&self, signal: Signal) {
        let service = self.service.expect("a keyring service");
        kill(Pid::from_raw(service.cast_signed()), signal).expect("a running keyring service");
    }

    /// What another program of the user reads of an entry, as any may.
    pub fn lookup(&self, sandbox: &Sandbox, service: &str, user: &str) -> Output {
        let mut command = sandbox.command(&self.secret_tool);
        command.args(["lookup", "service", service, "username", user]);
        // What it prints is a secret, and is kept out of the sandbox's logs.
        let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().expect("secret-tool runs");
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        Output { code: output.status.code().unwrap_or(-1), stdout, stderr: String::new() }
    }

    /// What another program of the user stores under the same name.
    pub fn store(&self, sandbox: &Sandbox, attributes: &[&str], secret: &str) {
        let mut command: Command = sandbox.command(&self.secret_tool);
        command.args(["store", "--label", "of another program"]).args(attributes);
        let mut program = sandbox.start(command);
        program.write(secret.as_bytes());
        program.finish().exited(0);
    }

    /// The process that owns a name of the bus, as soon as one does.
    pub fn owner(&self, name: &'static str) -> u32 {
        const BUS: &str = "org.freedesktop.DBus";
        let ask = async |question: &str| {
            let path = "/org/freedesktop/DBus";
            self.connection.call_method(Some(BUS), path, Some(BUS), question, &(name,)).await
        };
        self.bus.block_on(async {
            let changes = MatchRule::builder().msg_type(message::Type::Signal).sender(BUS).unwrap();
            let changes = changes.member("NameOwnerChanged").unwrap().arg(0, name).unwrap().build();
            let mut changes = MessageStream::for_match_rule(changes, &self.connection, None).await.unwrap();
            loop {
                if let Ok(answer) = ask("GetConnectionUnixProcessID").await {
                    return answer.body().deserialize().expect("a process");
                }
                let change = tokio::time::timeout(wait::PATIENCE, changes.next()).await;
                change.unwrap_or_else(|_| panic!("nobody became {name}"));
            }
        })
    }
}

impl Drop for PrivateBus {
    fn drop(&mut self) {
        self.end_service();
    }
}
