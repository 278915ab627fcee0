//! From a command to its one answer.

use claudectl_core::{command::Command, effect::Answer};
use claudectl_platform::peer::Peer;
use tonic::Status;

use super::{Context, status};
use crate::engine::{Progress, Reply};

impl Context {
    /// Asks the engine and waits for the end.
    pub(super) async fn ask(&self, peer: Peer, command: Command) -> Result<Answer, Status> {
        self.ask_with_environment(peer, command).await.map(|(answer, _)| answer)
    }

    /// The same, with the environment that a session's program needs.
    pub(super) async fn ask_with_environment(
        &self,
        peer: Peer,
        command: Command,
    ) -> Result<(Answer, Vec<(&'static str, String)>), Status> {
        let mut replies = self.mailbox.ask(peer, command).await.map_err(status::gone)?;
        let mut environment = Vec::new();
        while let Some(reply) = replies.recv().await {
            match reply {
                Reply::Progress(Progress::Environment(variables)) => environment = variables,
                Reply::Progress(_) => {}
                Reply::Done(Ok(answer)) => return Ok((answer, environment)),
                Reply::Done(Err(refusal)) => return Err(status::refused(&refusal)),
            }
        }
        Err(status::gone(crate::engine::Gone))
    }
}

/// The engine answered a question that was not asked: a bug, said as such.
pub(super) fn unexpected() -> Status {
    Status::internal("claudectld answered another question; this is a bug in claudectld")
}
