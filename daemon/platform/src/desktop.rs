//! What the desktop tells: the screen is locked, the machine goes to sleep.

#[cfg_attr(target_os = "linux", path = "desktop/linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "desktop/other.rs")]
mod sys;

use tokio::sync::mpsc;

pub use sys::Delay;

/// Where the message buses are, as the environment says; `None` for the usual place.
#[derive(Debug, Clone, Default)]
pub struct Buses {
    /// Address of the system bus.
    pub system: Option<String>,
    /// Address of the session bus.
    pub session: Option<String>,
}

/// One thing that the desktop tells.
#[derive(Debug)]
pub enum Notice {
    /// This source would tell when the screen is locked. Told again is the same.
    Heard(&'static str),
    /// This source would not, or not any more.
    Lost(&'static str),
    /// The screen was locked.
    ScreenLocked,
    /// The machine is about to sleep, and waits until the delay is dropped (a few seconds at most).
    Suspending(Option<Delay>),
}

/// Listens until the receiver is dropped, on the async runtime that this is called on. A source that
/// goes away is looked for again. Nothing is ever left out: a source waits while the channel is full.
pub fn listen(buses: &Buses) -> mpsc::Receiver<Notice> {
    let (notices, receiver) = mpsc::channel(32);
    sys::listen(buses, notices);
    receiver
}
