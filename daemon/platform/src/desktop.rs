//! What the desktop tells: the screen is locked, the machine goes to sleep, nobody is there.

#[cfg(any(test, not(target_os = "linux")))]
#[path = "desktop/presence.rs"]
mod presence;
#[cfg(any(test, target_os = "macos"))]
#[path = "desktop/program.rs"]
mod program;
#[cfg_attr(target_os = "linux", path = "desktop/linux.rs")]
#[cfg_attr(target_os = "macos", path = "desktop/macos.rs")]
#[cfg_attr(windows, path = "desktop/windows.rs")]
mod sys;
#[cfg(any(test, not(target_os = "linux")))]
#[path = "desktop/teller.rs"]
mod teller;
#[cfg(any(test, windows))]
#[path = "desktop/utf16.rs"]
mod utf16;

use std::io;

use tokio::sync::mpsc;
use zeroize::Zeroizing;

pub use sys::{Delay, MACHINE};

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
    /// A screen was locked, or is found to be.
    ScreenLocked(Sighting),
    /// A screen that was locked is not any more.
    ScreenUnlocked(Sighting),
    /// A screen that was locked is not there any more. That unlocks nothing.
    ScreenGone(String),
    /// The machine is about to sleep, and waits until the delay is dropped (a few seconds at most).
    Suspending(Option<Delay>),
    /// The machine is awake, and every source was asked whether the screen is locked.
    Resumed,
    /// The machine is about to stop, and waits until the delay is dropped (a few seconds at most).
    ShuttingDown(Option<Delay>),
    /// Nobody has touched keyboard and pointer for as long as the desktop calls idle; or somebody has
    /// (`false`). A desktop that does not know says nothing.
    Idle(bool),
    /// The last desktop or login session of this user has ended.
    DesktopEnded,
}

/// Who said that a screen is locked, or is not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sighting {
    /// What is locked: it stays so until the same screen is said to be unlocked. One lock may be told
    /// of several screens, by several sources.
    pub screen: String,
    /// How it was told: `logind Lock`, `logind LockedHint`, `org.gnome.ScreenSaver`. The name of an
    /// interface is the sender's choice, within the letters that D-Bus allows.
    pub by: String,
}

/// Listens until the receiver is dropped, on the async runtime that this is called on. A source that
/// goes away is looked for again, and asked what it would have told. Nothing is ever left out: a
/// source waits while the channel is full. What one source tells stays in order.
pub fn listen(buses: &Buses) -> mpsc::Receiver<Notice> {
    let (notices, receiver) = mpsc::channel(32);
    sys::listen(buses, notices);
    receiver
}

/// The variables that the systemd of this user gives to all that it starts, `NAME=value` each. Asked at the time;
/// waits a second at most.
///
/// # Errors
/// If there is none, or it does not answer.
pub async fn user_variables(buses: &Buses) -> io::Result<Vec<Zeroizing<String>>> {
    sys::user_variables(buses).await
}

/// Takes a variable out of them, and looks whether it is gone.
///
/// # Errors
/// If it is not, or nobody answers.
pub async fn unset_user_variable(buses: &Buses, name: &str) -> io::Result<()> {
    sys::unset_user_variable(buses, name).await
}

/// Shows a notification; waits a few seconds at most. The text is shown as it is.
///
/// # Errors
/// If nobody shows notifications here.
pub async fn notify(buses: &Buses, summary: &str, body: &str) -> io::Result<()> {
    sys::notify(buses, summary, body).await
}
