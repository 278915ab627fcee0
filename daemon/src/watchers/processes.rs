//! Processes and terminals of sessions that end.

use std::{io, sync::Arc};

use claudectl_core::{event::Event, ids::SessionId};
use claudectl_platform::process::ExitWatch;

use crate::engine::Mailbox;

/// What is being watched for a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Its process.
    Process,
    /// The leader of its terminal's session.
    Terminal,
}

/// The number under which the watch reports it.
pub fn token(session: SessionId, subject: Subject) -> u64 {
    u64::from(session.0) << 1 | u64::from(subject == Subject::Terminal)
}

/// Reports every end until the engine is gone.
///
/// # Errors
/// What the kernel says when there is no waiting any more.
pub async fn watch(exits: Arc<ExitWatch>, mailbox: Mailbox) -> io::Result<()> {
    loop {
        for token in exits.wait().await? {
            mailbox.tell(event(token)).await;
        }
    }
}

fn event(token: u64) -> Event {
    let session = SessionId(u32::try_from(token >> 1).unwrap_or(0));
    if token & 1 == 0 { Event::ProcessExited { session } } else { Event::TerminalClosed { session } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_read_back() {
        let session = SessionId(u32::MAX);
        assert_eq!(event(token(session, Subject::Process)), Event::ProcessExited { session });
        assert_eq!(event(token(session, Subject::Terminal)), Event::TerminalClosed { session });
    }
}
