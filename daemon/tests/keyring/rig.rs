//! A sandbox with a bus, and a process with a keyring in it.

use claudectl_tests::{keyring::PrivateBus, program::Program, require::Missing, sandbox::Sandbox};
use serde_json::{Value, json};

use crate::probe::fingerprint;

pub(crate) struct Rig {
    pub(crate) bus: PrivateBus,
    pub(crate) sandbox: Sandbox,
}

impl Rig {
    /// A bus without a keyring.
    pub(crate) fn new() -> Result<Self, Missing> {
        let mut sandbox = Sandbox::new();
        let bus = PrivateBus::start(&mut sandbox)?;
        Ok(Self { bus, sandbox })
    }

    /// A bus with an unlocked keyring.
    pub(crate) fn unlocked() -> Result<Self, Missing> {
        let mut rig = Self::new()?;
        rig.bus.start_keyring(&rig.sandbox, true);
        Ok(rig)
    }

    /// A process with a keyring, which is this patient.
    pub(crate) fn probe(&self, settings: &[(&str, u64)]) -> Probe {
        let mut command = self.sandbox.command(std::env::current_exe().unwrap());
        command.args(["--exact", "probe::program", "--ignored", "--nocapture"]);
        command.envs(settings.iter().map(|(name, value)| (name, value.to_string())));
        let mut probe = Probe { program: self.sandbox.start(command) };
        assert_eq!(probe.answer()["ready"], true);
        probe
    }
}

pub(crate) struct Probe {
    pub(crate) program: Program,
}

impl Probe {
    pub(crate) fn send(&mut self, command: &Value) {
        self.program.write(format!("{command}\n").as_bytes());
    }

    pub(crate) fn answer(&mut self) -> Value {
        loop {
            let line = self.program.line();
            if let Some(start) = line.find('{') {
                return serde_json::from_str(&line[start..]).unwrap();
            }
        }
    }

    pub(crate) fn ask(&mut self, command: &Value) -> Value {
        self.send(command);
        self.answer()
    }

    #[track_caller]
    pub(crate) fn store(&mut self, account: &str, access: &str) {
        let stored = self.ask(&store(account, access));
        assert_eq!(stored["outcome"], "done", "{stored}");
    }

    /// Fails the test unless this is what the account's record holds.
    #[track_caller]
    pub(crate) fn assert_kept(&mut self, account: &str, access: &str) {
        let loaded = self.ask(&load(account));
        assert_eq!(loaded["secrets"]["access"], fingerprint(access.as_bytes()), "{loaded}");
    }
}

pub(crate) fn store(account: &str, access: &str) -> Value {
    json!({"do": "store", "account": account, "access": access})
}

pub(crate) fn load(account: &str) -> Value {
    json!({"do": "load", "account": account})
}

pub(crate) fn delete(account: &str) -> Value {
    json!({"do": "delete", "account": account})
}

pub(crate) fn asking(mut command: Value) -> Value {
    command["ask"] = true.into();
    command
}

pub(crate) fn list() -> Value {
    json!({"do": "list"})
}
