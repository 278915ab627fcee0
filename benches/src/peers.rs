//! The peers: daemons that hold secrets for a user, and what their users type.

mod agents;
mod echo;
mod keyring;

use std::process::{Command, Stdio};

use crate::{
    place::{Place, Running, wait_until},
    sample,
};

/// What somebody types, with the daemon that answers it running.
pub(crate) struct Peer {
    /// What is typed.
    pub(crate) name: &'static str,
    place: Place,
    /// The last one answers.
    servers: Vec<Running>,
    ask: Box<dyn Fn(&Place) -> Command>,
    /// Whether a refusal is the answer that is expected.
    refuses: bool,
}

/// A peer that may not be on this machine.
pub(crate) type Candidate = (&'static str, fn() -> Option<Peer>);

/// All of them, the measure of all things first.
pub(crate) const ALL: [Candidate; 8] = [
    ("C echo, dynamic", echo::dynamic),
    ("C echo, static musl", echo::musl),
    ("git credential-cache", agents::git),
    ("pizauth show", agents::pizauth),
    ("gpg-connect-agent", agents::gnupg),
    ("rbw unlocked", agents::rbw),
    ("ssh-add -l", agents::ssh),
    ("secret-tool lookup", keyring::secret_tool),
];

impl Peer {
    /// Waits until the daemon answers; `None` if it does not.
    fn once_it_answers(self) -> Option<Self> {
        wait_until(|| self.answers()).then_some(self)
    }

    /// The process that answers.
    pub(crate) fn server(&self) -> Option<u32> {
        self.servers.last().map(Running::pid)
    }

    /// The command, as it is typed.
    pub(crate) fn command(&self) -> Command {
        (self.ask)(&self.place)
    }

    fn answers(&self) -> bool {
        self.command().status().is_ok_and(|status| status.success() != self.refuses)
    }
}

/// Runs a command to its end; returns how long that took, or nothing if it failed.
pub(crate) fn once(mut command: Command, refuses: bool) -> Option<std::time::Duration> {
    let mut succeeded = false;
    let took = sample::time(|| succeeded = command.status().is_ok_and(|status| status.success()));
    (succeeded != refuses).then_some(took)
}

impl Peer {
    /// Times it once.
    pub(crate) fn once(&self) -> Option<std::time::Duration> {
        once(self.command(), self.refuses)
    }
}

/// Runs a command with this input; whether it succeeded.
fn feed(mut command: Command, input: &str) -> bool {
    use std::io::Write as _;
    let Ok(mut child) = command.stdin(Stdio::piped()).spawn() else { return false };
    let written = child.stdin.take().is_some_and(|mut pipe| pipe.write_all(input.as_bytes()).is_ok());
    child.wait().is_ok_and(|status| written && status.success())
}
