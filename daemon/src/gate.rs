//! What a request of a session reads, without asking anybody.
//!
//! The engine publishes; requests [`load`](Gate::load) without a lock or a message, and open
//! streams wait for [`superseded`](Gate::superseded). The credential itself stays in its secret page, which
//! is wiped in place: a request that still holds an old [`Access`] then reads nothing.

use std::{sync::Arc, time::Duration};

use arc_swap::{ArcSwap, Guard};
use claudectl_core::{
    credential::Header,
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
    /// Of the login: open streams go on for as long as this stays.
    pub login: Generation,
    /// How to inject the credential.
    pub header: Header,
    /// Since when a refused request may be answered by a renewal, since boot; `None` if never.
    pub renewable_from: Option<Duration>,
    /// Whether it may be sealed.
    pub is_kept: bool,
    /// Where the request goes; fixed at login.
    pub upstream: Arc<Upstream>,
}

impl Access {
    /// Whether a request may have to be sent again with another credential of the same login.
    pub fn may_change(&self) -> bool {
        self.renewable_from.is_some() || self.is_kept
    }

    /// Whether both are of one login.
    pub fn is_of(&self, account: &AccountName, login: Generation) -> bool {
        self.login == login && self.account == *account
    }
}

/// Whether requests go through.
#[derive(Debug)]
pub enum GateState {
    /// They do, with this.
    Open(Arc<Access>),
    /// They wait for the thaw, and open streams stand still; after too long they get this sentence.
    Frozen {
        /// The account.
        account: AccountName,
        /// Of the login that is frozen: its streams go on after the thaw.
        login: Generation,
        /// Which account, why, since when, and the command that fixes it.
        sentence: String,
    },
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

    /// Completes once the gate is neither open nor frozen for the login of this access: it was closed, or
    /// opened for another login. At once if that is so already.
    pub async fn superseded(&self, access: &Access) {
        self.until(|state| match state {
            GateState::Open(now) => (!access.is_of(&now.account, now.login)).then_some(()),
            GateState::Frozen { account, login, .. } => (!access.is_of(account, *login)).then_some(()),
            GateState::Closed { .. } => Some(()),
        })
        .await;
    }

    /// Completes once the gate is not frozen; at once if it is not.
    pub async fn thawed(&self) {
        self.until(|state| (!matches!(state, GateState::Frozen { .. })).then_some(())).await;
    }

    /// Completes once the gate is open with another credential of the same login, which is returned; or
    /// with `None` once it never will be.
    pub async fn renewed(&self, access: &Access) -> Option<Arc<Access>> {
        self.until(|state| match state {
            GateState::Open(now) if !access.is_of(&now.account, now.login) => Some(None),
            GateState::Open(now) if now.generation != access.generation => Some(Some(Arc::clone(now))),
            GateState::Open(_) => None,
            GateState::Frozen { account, login, .. } if access.is_of(account, *login) => None,
            GateState::Frozen { .. } | GateState::Closed { .. } => Some(None),
        })
        .await
    }

    async fn until<T>(&self, look: impl Fn(&GateState) -> Option<T>) -> T {
        loop {
            // Made before the look, so that no change after it is missed.
            let changed = self.changed.notified();
            if let Some(found) = look(&self.load()) {
                return found;
            }
            changed.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn access(login: u64, generation: u64) -> Arc<Access> {
        let upstream = "http://127.0.0.1:1".to_owned();
        let route = claudectl_core::account::Route { upstream, proxy: None, ca_file: None };
        Arc::new(Access {
            account: "work".parse().unwrap(),
            secret: Arc::new(SecretPage::new().unwrap()),
            generation: Generation(generation),
            login: Generation(login),
            header: Header::Bearer,
            renewable_from: Some(Duration::ZERO),
            is_kept: true,
            upstream: Arc::new(Upstream::build(&route).await.unwrap()),
        })
    }

    fn frozen(login: u64) -> GateState {
        let (account, sentence) = ("work".parse().unwrap(), "sealed".into());
        GateState::Frozen { account, login: Generation(login), sentence }
    }

    /// Whether something completes without anything more happening.
    async fn is_ready(work: impl Future) -> bool {
        tokio::select! { biased; _ = work => true, () = tokio::task::yield_now() => false }
    }

    #[tokio::test]
    async fn a_stream_outlives_the_freeze_and_the_thaw_of_its_login_and_nothing_else() {
        let stream = access(1, 1).await;
        let gate = Gate::new(GateState::Open(Arc::clone(&stream)));
        assert!(!is_ready(gate.superseded(&stream)).await);
        gate.publish(frozen(1));
        assert!(!is_ready(gate.superseded(&stream)).await && !is_ready(gate.thawed()).await);
        gate.publish(GateState::Open(access(1, 2).await));
        assert!(!is_ready(gate.superseded(&stream)).await && is_ready(gate.thawed()).await);
        gate.publish(frozen(3));
        assert!(is_ready(gate.superseded(&stream)).await, "frozen for another login");
        gate.publish(GateState::Open(access(3, 3).await));
        assert!(is_ready(gate.superseded(&stream)).await, "open for another login");
        gate.publish(GateState::Closed { sentence: "out".into() });
        assert!(is_ready(gate.superseded(&stream)).await, "closed");
    }

    #[tokio::test]
    async fn a_renewal_is_a_new_credential_of_the_same_login() {
        let old = access(1, 1).await;
        let gate = Arc::new(Gate::new(GateState::Open(Arc::clone(&old))));
        assert!(!is_ready(gate.renewed(&old)).await);
        let waiting = tokio::spawn({
            let (gate, old) = (Arc::clone(&gate), Arc::clone(&old));
            async move { gate.renewed(&old).await }
        });
        tokio::task::yield_now().await;
        gate.publish(frozen(1));
        gate.publish(GateState::Open(access(1, 2).await));
        assert_eq!(waiting.await.unwrap().unwrap().generation, Generation(2));
        gate.publish(GateState::Open(access(5, 5).await));
        assert!(gate.renewed(&old).await.is_none(), "of another login");
        gate.publish(GateState::Closed { sentence: "out".into() });
        assert!(gate.renewed(&old).await.is_none(), "closed");
    }
}
