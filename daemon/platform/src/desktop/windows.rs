//! A window that nobody sees: lock and unlock by `WM_WTSSESSION_CHANGE`, sleep by `WM_POWERBROADCAST`, the
//! end of the session by `WM_ENDSESSION`; beside it `GetLastInputInfo` for whether somebody is there. Windows waits until such a message is answered.

#[path = "windows/input.rs"]
mod input;
#[path = "windows/notification.rs"]
mod notification;
#[path = "windows/window.rs"]
mod window;

use std::{
    io,
    sync::mpsc::{Sender, channel},
    thread,
    time::Duration,
};

use tokio::sync::mpsc;

use self::window::Told;
use super::{
    Buses, Notice, presence,
    teller::{self, Teller, Unwanted},
};
use crate::Unsupported;

pub(super) use notification::notify;

/// Who tells everything here.
pub const MACHINE: &str = "Windows";

/// How long a message waits for its answer: that is how long Windows lets one wait before sleep.
const LONGEST_DELAY: Duration = Duration::from_secs(2);

/// Keeps a message of Windows unanswered, 2 seconds at most.
#[derive(Debug)]
pub struct Delay {
    #[allow(dead_code, reason = "the window waits until it is closed")]
    unanswered: Sender<()>,
}

pub(super) fn listen(_buses: &Buses, notices: mpsc::Sender<Notice>) {
    teller::hear("Windows session", &notices, |teller| window::open(teller, tell));
    teller::hear("Windows input", &notices, |teller| {
        presence::hear(&teller, input::untouched, thread::sleep)
    });
    // The channel stays open, so that silence is not taken for the end.
    tokio::spawn(async move { notices.closed().await });
}

#[allow(clippy::unused_async, reason = "the interface of systems where it waits")]
pub(super) async fn user_variables(_buses: &Buses) -> io::Result<Vec<zeroize::Zeroizing<String>>> {
    Err(Unsupported("asking for the variables of a user").into())
}

#[allow(clippy::unused_async, reason = "the interface of systems where it waits")]
pub(super) async fn unset_user_variable(_buses: &Buses, _name: &str) -> io::Result<()> {
    Err(Unsupported("changing the variables of a user").into())
}

fn tell(teller: &Teller, told: Told) -> Result<(), Unwanted> {
    match told {
        Told::Listening(true) => {
            teller.tell(Notice::Heard(MACHINE))?;
            look(teller)
        }
        Told::Listening(false) => teller.tell(Notice::Lost(MACHINE)),
        Told::Locked => teller.screen(true, "WTS_SESSION_LOCK"),
        Told::Unlocked => teller.screen(false, "WTS_SESSION_UNLOCK"),
        Told::LoggedOff => teller.tell(Notice::DesktopEnded),
        Told::Suspending => wait(teller, Notice::Suspending),
        Told::Resumed => {
            look(teller)?;
            teller.tell(Notice::Resumed)
        }
        // After this is answered Windows may end the process at any time.
        Told::Ending => wait(teller, Notice::ShuttingDown),
    }
}

/// What cannot be known changes nothing.
fn look(teller: &Teller) -> Result<(), Unwanted> {
    window::locked().map_or(Ok(()), |locked| teller.screen(locked, "WTSSessionInfoEx"))
}

fn wait(teller: &Teller, notice: fn(Option<Delay>) -> Notice) -> Result<(), Unwanted> {
    let (unanswered, answered) = channel();
    teller.tell(notice(Some(Delay { unanswered })))?;
    // Nothing is ever sent: it ends when the delay is dropped, or now.
    let _ = answered.recv_timeout(LONGEST_DELAY);
    Ok(())
}
