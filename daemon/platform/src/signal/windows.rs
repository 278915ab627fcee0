//! Console events.

use std::io;

use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown,
};

use super::Order;

/// The orders, as they come. There is none to reload.
#[derive(Debug)]
pub struct Orders {
    interrupt: CtrlC,
    stop: CtrlBreak,
    close: CtrlClose,
    shutdown: CtrlShutdown,
}

impl Orders {
    /// Listens from now on.
    ///
    /// # Errors
    /// What `SetConsoleCtrlHandler` says.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: ctrl_c()?,
            stop: ctrl_break()?,
            close: ctrl_close()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    /// The next one.
    pub async fn next(&mut self) -> Order {
        tokio::select! {
            _ = self.interrupt.recv() => Order::Stop,
            _ = self.stop.recv() => Order::Stop,
            _ = self.close.recv() => Order::Stop,
            _ = self.shutdown.recv() => Order::Stop,
        }
    }
}
