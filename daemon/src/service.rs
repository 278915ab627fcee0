//! gRPC: translates requests into commands, and answers into messages. Decides nothing.

mod account;
mod answer;
mod convert;
mod daemon;
mod receipt;
mod recognize;
mod session;
mod status;

use std::sync::Arc;

use claudectl_platform::{hardening::Protection, peer::Peer};
use claudectl_proto::{
    DESCRIPTORS, reason,
    v1::{
        Reason, account_service_server::AccountServiceServer, daemon_service_server::DaemonServiceServer,
        session_service_server::SessionServiceServer,
    },
};
use tonic::{Code, Request, Status, service::Routes};

use crate::{engine::Mailbox, guard};

/// The longest message a client may send, in bytes.
const LONGEST_MESSAGE: usize = 64 * 1024;

/// What every service needs.
#[derive(Debug, Clone)]
pub struct Context {
    /// The way to the engine.
    pub mailbox: Mailbox,
    /// What does not change while the daemon runs.
    pub facts: Arc<Facts>,
    /// Where the guard hears of sessions.
    pub guard: guard::Sessions,
}

/// What does not change while the daemon runs.
#[derive(Debug)]
pub struct Facts {
    /// When it started, wall clock.
    pub started_at: i64,
    /// What protects its memory.
    pub protections: Vec<Protection>,
    /// The directory of the local record; empty for none.
    pub record: String,
}

/// Every service of the control socket: ours, health, and reflection in both of its versions.
///
/// # Errors
/// If the schema that was compiled in is broken.
pub async fn routes(context: Context) -> Result<Routes, tonic_reflection::server::Error> {
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<AccountServiceServer<Context>>().await;
    health.set_serving::<SessionServiceServer<Context>>().await;
    health.set_serving::<DaemonServiceServer<Context>>().await;
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let accounts = AccountServiceServer::new(context.clone()).max_decoding_message_size(LONGEST_MESSAGE);
    let sessions = SessionServiceServer::new(context.clone()).max_decoding_message_size(LONGEST_MESSAGE);
    let daemon = DaemonServiceServer::new(context).max_decoding_message_size(LONGEST_MESSAGE);
    Ok(Routes::new(accounts)
        .add_service(sessions)
        .add_service(daemon)
        .add_service(health_service)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?))
}

/// The process that asks, as the kernel named it when it connected.
fn peer<T>(request: &Request<T>) -> Result<Peer, Status> {
    request.extensions().get::<Peer>().copied().ok_or_else(|| {
        let message = "the asking process could not be identified";
        reason::status(Code::PermissionDenied, Reason::UnknownPeer, message, "")
    })
}
