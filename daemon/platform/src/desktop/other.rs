//! Nothing is heard here yet, and `status` says so.

use std::io;

use tokio::sync::mpsc;

use super::{Buses, Notice};
use crate::Unsupported;

/// Keeps the machine awake; there is none on this system.
#[derive(Debug)]
pub enum Delay {}

pub(super) fn listen(_buses: &Buses, notices: mpsc::Sender<Notice>) {
    // The channel stays open, so that silence is not taken for the end.
    tokio::spawn(async move { notices.closed().await });
}

#[allow(clippy::unused_async, reason = "the interface of systems where it waits")]
pub(super) async fn notify(_buses: &Buses, _summary: &str, _body: &str) -> io::Result<()> {
    Err(Unsupported("showing notifications").into())
}
