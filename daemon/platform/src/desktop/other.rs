//! Nothing is heard here yet, and `status` says so.

use tokio::sync::mpsc;

use super::{Buses, Notice};

/// Keeps the machine awake; there is none on this system.
#[derive(Debug)]
pub enum Delay {}

pub(super) fn listen(_buses: &Buses, notices: mpsc::Sender<Notice>) {
    // The channel stays open, so that silence is not taken for the end.
    tokio::spawn(async move { notices.closed().await });
}
