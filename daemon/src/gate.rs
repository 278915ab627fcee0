//! What a request of a session reads, without asking anybody.
//!
//! The engine publishes; requests [`load`](Gate::load) without a lock or a message, and open
//! streams wait for [`closed`](Gate::closed). The credential itself stays in its secret page, which
//! is wiped in place: a request that still holds an old [`Access`] then reads nothing.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use claudectl_core::{
    credential::CredentialKind,
    ids::{AccountName, Generation},
};
use claudectl_platform::memory::SecretPage;
use tokio::sync::Notify;

use crate::proxy::upstream::Upstream;

/// What a request needs to go through.
#[derive(Debug)]
pub struct Access {
    /// The account, for sentences and logs.
    pub account: AccountName,
    /// The page that holds its credential.
    pub secret: Arc<SecretPage>,
    /// Of the account, when the gate was opened.
    pub generation: Generation,
    /// How to inject the credential.
    pub kind: CredentialKind,
    /// Where the request goes; fixed at login.
    pub upstream: Arc<Upstream>,
}

/// Whether requests go through.
#[derive(Debug)]
pub enum GateState {
    /// They do, with this.
    Open(Arc<Access>),
    /// They get `401` and this sentence.
    Closed {
        /// Which account, why, since when, and the command that fixes it.
        sentence: String,
    },
}

/// The gate of one session.
#[derive(Debug)]
pub struct Gate {
    state: ArcSwap<GateState>,
    /// A few words where a `watch` channel takes 400 bytes: every idle session has a gate.
    changed: Notify,
}

impl Gate {
    /// A gate in this state.
    pub fn new(state: GateState) -> Self {
        Self { state: ArcSwap::from_pointee(state), changed: Notify::new() }
    }

    /// The state now. Wait-free.
    pub fn load(&self) -> Guard<Arc<GateState>> {
        self.state.load()
    }

    /// Replaces the state and wakes whoever waits for it.
    pub fn publish(&self, state: GateState) {
        self.state.store(Arc::new(state));
        self.changed.notify_waiters();
    }

    /// Completes once requests no longer go through with this access: the gate was closed, or opened
    /// again for another login. At once if that is so already.
    pub async fn superseded(&self, access: &Access) {
        loop {
            // Made before the look, so that no change after it is missed.
            let changed = self.changed.notified();
            if !self.is_open_for(access) {
                return;
            }
            changed.await;
        }
    }

    fn is_open_for(&self, access: &Access) -> bool {
        match &**self.load() {
            GateState::Open(now) => now.generation == access.generation && now.account == access.account,
            GateState::Closed { .. } => false,
        }
    }

    /// Completes once the gate is closed; at once if it is.
    pub async fn closed(&self) {
        loop {
            let changed = self.changed.notified();
            if matches!(**self.load(), GateState::Closed { .. }) {
                return;
            }
            changed.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn closing_wakes_a_stream_and_later_ones_find_it_closed() {
        let gate = Arc::new(Gate::new(GateState::Closed { sentence: "first".into() }));
        gate.closed().await;
        gate.publish(GateState::Closed { sentence: "second".into() });
        gate.closed().await;
        assert!(matches!(&**gate.load(), GateState::Closed { sentence } if sentence == "second"));
    }
}
