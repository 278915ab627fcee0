//! Tells the user on the desktop what was done without being asked.

use claudectl_core::sentence::Cause;
use claudectl_platform::desktop::{self, Buses};
use tokio::sync::mpsc;

use crate::record::Departure;

/// Notifications that may wait; more than that nobody reads.
const QUEUE: usize = 4;

/// The way to the desktop. Never waits.
#[derive(Debug)]
pub struct Notifier(mpsc::Sender<Departure>);

impl Notifier {
    /// Starts the task that waits for the desktop instead.
    pub fn start(buses: Buses) -> Self {
        let (departures, mut queue) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            while let Some(departure) = queue.recv().await {
                let shown = desktop::notify(&buses, "claudectl let go", &told(&departure)).await;
                // Nobody shows notifications on most servers: that is nothing to complain of.
                if let Err(error) = shown {
                    tracing::debug!("no notification: {error}");
                }
            }
        });
        Self(departures)
    }

    /// Tells of accounts that were let go. One that does not fit is left out: the record has it.
    pub fn tell(&self, departure: Departure) {
        // Who stops or shuts down is not at the screen any more, or knows.
        if !matches!(departure.cause, Cause::Asked | Cause::Stopping | Cause::ShuttingDown) {
            let _ = self.0.try_send(departure);
        }
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
    use super::*;

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
