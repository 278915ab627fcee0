//! Relays a session's requests to its account's upstream, byte for byte, with the credential put in
//! on the way.
//!
//! A connection is one task. Heads are parsed strictly and rebuilt without what must not pass; bodies
//! pass verbatim, framing included, while a parser follows them to know where they end. Bytes go
//! through one scratch buffer per thread and stay with a connection only while they cannot be sent.

pub mod allowance;
mod answer;
pub mod body;
pub mod check;
mod client;
mod deadline;
pub mod head;
mod inject;
pub mod limits;
mod relay;
pub(crate) mod scratch;
pub mod scrub;
mod serve;
pub mod upstream;
pub mod usage;

use std::{sync::Arc, time::Duration};

use claudectl_core::{event::Event, ids::SessionId, secret::Secret, session::Process};
use tokio::sync::mpsc;

use self::allowance::Allowance;
pub use self::serve::{serve_tcp, serve_unix};
use crate::{gate::Gate, meter::Meter};

/// What the connections of one session share.
#[derive(Debug)]
pub struct ApiSession {
    /// Which session.
    pub id: SessionId,
    /// The process it belongs to.
    pub process: Process,
    /// Whether descendants of that process may use it too.
    pub children: bool,
    /// What every request has to carry (`Authorization: Bearer` or `x-api-key`) where the kernel
    /// cannot name the peer: over TCP.
    pub capability: Option<Secret<String>>,
    /// Whether requests go through, and with which credential.
    pub gate: Gate,
    /// What the session used so far.
    pub meter: Meter,
    /// What requests of all sessions together may keep to be sent again.
    pub allowance: Arc<Allowance>,
    /// How long a request waits for a thaw.
    pub patience: Duration,
    /// Where a refused peer and a refused access token are told to. Bounded and never lossy.
    pub events: mpsc::Sender<Event>,
}
