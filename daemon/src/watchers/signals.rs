//! Signals to the daemon: stop, or read the configuration again.

use claudectl_core::event::Event;
use claudectl_platform::signal::{Order, Orders};

use crate::engine::Mailbox;

/// Reports signals until the engine is gone.
pub async fn watch(mut orders: Orders, mailbox: Mailbox) {
    loop {
        match orders.next().await {
            Order::Stop => mailbox.tell(Event::StopRequested).await,
            // What is wrong with the file is in the log and in `status`.
            Order::Reload => drop(mailbox.reload().await),
        }
    }
}
