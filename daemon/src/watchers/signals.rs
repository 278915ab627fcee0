//! Signals to the daemon: stop, or read the configuration again.

use std::io;

use claudectl_core::event::Event;
use claudectl_platform::signal::{Order, Orders};

use crate::engine::Mailbox;

/// Reports signals until the engine is gone.
///
/// # Errors
/// If the operating system does not let the process listen.
pub async fn watch(mailbox: Mailbox) -> io::Result<()> {
    let mut orders = Orders::new()?;
    loop {
        match orders.next().await {
            Order::Stop => mailbox.tell(Event::StopRequested).await,
            // What is wrong with the file is in the log and in `status`.
            Order::Reload => drop(mailbox.reload().await),
        }
    }
}
