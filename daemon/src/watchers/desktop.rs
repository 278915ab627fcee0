//! The desktop: screen lock and suspend.

use std::collections::BTreeSet;

use claudectl_core::event::{DesktopEvent, Event};
use claudectl_platform::desktop::{self, Buses, Notice};

use crate::engine::Mailbox;

/// Reports what the desktop tells until the engine is gone.
pub async fn watch(buses: Buses, mailbox: Mailbox) {
    let mut notices = desktop::listen(&buses);
    let mut heard = BTreeSet::new();
    while let Some(notice) = notices.recv().await {
        match notice {
            // What is known already is no event: whoever watches the status would be told for nothing.
            Notice::Heard(source) if heard.insert(source) => {
                mailbox.tell(Event::SourceHeard { source }).await;
            }
            Notice::Lost(source) if heard.remove(source) => {
                mailbox.tell(Event::SourceLost { source }).await;
            }
            Notice::Heard(_) | Notice::Lost(_) => {}
            Notice::ScreenLocked => {
                tracing::info!("the screen was locked");
                mailbox.tell(Event::Desktop(DesktopEvent::ScreenLocked)).await;
            }
            Notice::Suspending(delay) => {
                tracing::info!("the machine goes to sleep");
                mailbox.tell(Event::Desktop(DesktopEvent::Suspending)).await;
                // An answer means that the event before it was carried out: the machine may sleep now.
                let carried_out = mailbox.view(None).await;
                drop((carried_out, delay));
            }
        }
    }
}
