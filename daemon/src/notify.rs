//! Tells the user on the desktop what was done without being asked.

use claudectl_core::{footprint::Removal, sentence::Cause};
use claudectl_platform::desktop::{self, Buses};
use tokio::sync::mpsc;

use crate::record::{Departure, News};

/// Notifications that may wait; more than that nobody reads.
const QUEUE: usize = 4;

/// The way to the desktop. Never waits.
#[derive(Debug)]
pub struct Notifier(mpsc::Sender<Notification>);

#[derive(Debug)]
struct Notification {
    summary: &'static str,
    body: String,
}

impl Notifier {
    /// Starts the task that waits for the desktop instead.
    pub fn start(buses: Buses) -> Self {
        let (notifications, mut queue) = mpsc::channel::<Notification>(QUEUE);
        tokio::spawn(async move {
            while let Some(Notification { summary, body }) = queue.recv().await {
                let shown = desktop::notify(&buses, summary, &body).await;
                // Nobody shows notifications on most servers: that is nothing to complain of.
                if let Err(error) = shown {
                    tracing::debug!("no notification: {error}");
                }
            }
        });
        Self(notifications)
    }

    /// Tells what happened. What does not fit is left out: the record has it.
    pub fn tell(&self, news: &News) {
        let notification = match news {
            // Who stops or shuts down is not at the screen any more, or knows.
            News::Departed(Departure {
                cause: Cause::Asked | Cause::Stopping | Cause::ShuttingDown, ..
            }) => None,
            News::Departed(departure) => {
                Some(Notification { summary: "claudectl let go", body: told(departure) })
            }
            News::Removed(removal) => {
                left(removal).map(|body| Notification { summary: "claudectl: credentials are left", body })
            }
        };
        if let Some(notification) = notification {
            let _ = self.0.try_send(notification);
        }
    }
}

/// What is still there although it should not be; nothing if all of it is gone. Without places, as above.
fn left(removal: &Removal) -> Option<String> {
    match &removal.outcome {
        Ok(removed) if removed.remaining == 0 => None,
        Ok(removed) => {
            let copies = match removed.remaining {
                1 => "1 copy of a credential is".to_owned(),
                many => format!("{many} copies of credentials are"),
            };
            Some(format!("{copies} left outside claudectl. claudectl status says where and why."))
        }
        Err(_) => Some(
            "What other programs left of credentials was not removed. claudectl status says why.".to_owned(),
        ),
    }
}

/// Without names: a notification may be shown on a locked screen.
fn told(departure: &Departure) -> String {
    let count = |number: usize, one: &str| match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {one}s"),
    };
    let were = |number: usize| if number == 1 { "was" } else { "were" };
    let logged_out = departure.accounts.saturating_sub(departure.sealed);
    let mut what = Vec::new();
    if logged_out > 0 {
        let (accounts, sessions) = (count(logged_out, "account"), count(departure.sessions, "session"));
        let why = departure.cause.words();
        what.push(format!("{accounts} {} logged out{why}. {sessions} ended.", were(logged_out)));
    }
    if departure.sealed > 0 {
        let accounts = count(departure.sealed, "account");
        let why = departure.cause.words();
        what.push(format!("{accounts} {} sealed{why}; the sessions wait.", were(departure.sealed)));
    }
    what.join(" ")
}

#[cfg(test)]
mod tests {
    use claudectl_core::footprint::{Left, Removed};

    use super::*;

    #[test]
    fn says_what_is_left_and_not_where() {
        let removal = |outcome| Removal { cause: Cause::ScreenLocked, at: 0, outcome };
        let removed = |remaining| {
            let place = "/home/jane/.zshrc".to_owned();
            let left = Left { what: "API key …abcd".to_owned(), place, why: "read-only".to_owned() };
            removal(Ok(Removed { gone: 3, remaining, left: vec![left; remaining] }))
        };
        assert_eq!(left(&removed(0)), None, "what went well is no news");
        let one = "1 copy of a credential is left outside claudectl. claudectl status says where and why.";
        assert_eq!(left(&removed(1)).as_deref(), Some(one));
        assert!(left(&removed(2)).unwrap().starts_with("2 copies of credentials are left"));
        let failed = left(&removal(Err("/home/jane: no".to_owned()))).unwrap();
        assert!(failed.starts_with("What other programs left") && !failed.contains("jane"), "{failed}");
    }

    #[test]
    fn says_what_was_done_and_names_nobody() {
        let one = Departure { accounts: 1, sealed: 0, cause: Cause::ScreenLocked, sessions: 2 };
        assert_eq!(told(&one), "1 account was logged out because the screen was locked. 2 sessions ended.");
        let two = Departure { accounts: 2, sealed: 0, cause: Cause::Idle, sessions: 1 };
        assert_eq!(told(&two), "2 accounts were logged out after a while without use. 1 session ended.");
        let both = Departure { accounts: 2, sealed: 1, cause: Cause::Suspending, sessions: 0 };
        assert_eq!(
            told(&both),
            "1 account was logged out because the machine went to sleep. 0 sessions ended. \
             1 account was sealed because the machine went to sleep; the sessions wait."
        );
    }
}
