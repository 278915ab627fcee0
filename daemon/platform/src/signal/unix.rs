//! `SIGTERM`, `SIGINT` and `SIGHUP` (`signal(7)`).

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Order;

/// The orders, as they come.
#[derive(Debug)]
pub struct Orders {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Orders {
    /// Listens from now on.
    ///
    /// # Errors
    /// What `sigaction(2)` says.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// The next one.
    pub async fn next(&mut self) -> Order {
        tokio::select! {
            _ = self.terminate.recv() => Order::Stop,
            _ = self.interrupt.recv() => Order::Stop,
            _ = self.hang_up.recv() => Order::Reload,
        }
    }
}
