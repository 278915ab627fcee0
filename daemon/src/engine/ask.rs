//! A question of a client, on its way to the engine and back.

use claudectl_core::{command::Command, effect::Answer, error::Refusal};
use claudectl_platform::peer::Peer;
use tokio::sync::mpsc;

use crate::effects::SignIn;

/// What a client wants, and where it waits.
#[derive(Debug)]
pub struct Ask {
    /// Who asks, named by the kernel.
    pub peer: Peer,
    /// What it wants.
    pub command: Command,
    /// Where it waits.
    pub replies: Replies,
}

/// Where a client waits. Closed when the client is gone.
pub type Replies = mpsc::Sender<Reply>;

/// What a client hears.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one a question, on its way at once: a box would cost more")]
pub enum Reply {
    /// Something on the way.
    Progress(Progress),
    /// The end.
    Done(Result<Answer, Refusal>),
}

/// Something on the way to an answer.
#[derive(Debug)]
pub enum Progress {
    /// The credential is awaited on this socket.
    Intake {
        /// Path of the socket.
        path: String,
        /// Seconds it stays open.
        expires_in: u32,
    },
    /// The person has to sign in.
    SignIn(SignIn),
    /// The authorization server answered; tokens are fetched from it.
    Exchanging {
        /// Scheme, host and port of its token endpoint.
        origin: String,
    },
    /// The OS keyring gets its copy, and may ask the person.
    Storing {
        /// Seconds that are waited for.
        expires_in: u32,
    },
    /// The upstream is being asked.
    Checking {
        /// Its base URL.
        upstream: String,
    },
    /// What the session's program has to find in its environment.
    Environment(Vec<(&'static str, String)>),
}
