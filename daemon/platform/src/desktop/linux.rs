//! D-Bus: logind on the system bus, screen savers on the session bus.

#[path = "linux/logind.rs"]
mod logind;
#[path = "linux/screensaver.rs"]
mod screensaver;

use std::{os::fd::OwnedFd, time::Duration};

use tokio::sync::mpsc;

use super::{Buses, Notice};

/// logind's delay inhibitor: the machine does not sleep while this is open, for as long as logind
/// allows (`InhibitDelayMaxSec`, 5 seconds unless changed).
#[derive(Debug)]
pub struct Delay {
    #[allow(dead_code, reason = "holds the machine awake for as long as it is open")]
    inhibitor: OwnedFd,
}

/// How long to wait before a source that went away is looked for again; twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest of these pauses.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// Where the system bus is (D-Bus specification, "System message bus").
const SYSTEM_BUS: &str = "unix:path=/run/dbus/system_bus_socket";

/// Why a source cannot be heard.
type Silence = Box<dyn std::error::Error + Send + Sync>;

pub(super) fn listen(buses: &Buses, notices: mpsc::Sender<Notice>) {
    let system = buses.system.clone().unwrap_or_else(|| SYSTEM_BUS.to_owned());
    tokio::spawn(forever(logind::SOURCE, notices.clone(), move |notices| {
        logind::hear(system.clone(), notices)
    }));
    if let Some(session) = buses.session.clone() {
        tokio::spawn(forever(screensaver::SOURCE, notices, move |notices| {
            screensaver::hear(session.clone(), notices)
        }));
    }
}

/// Hears a source, again and again, for as long as anybody wants to know.
async fn forever<F>(
    source: &'static str,
    notices: mpsc::Sender<Notice>,
    hear: impl Fn(mpsc::Sender<Notice>) -> F,
) where
    F: Future<Output = Result<(), Silence>>,
{
    let mut pause = FIRST_PAUSE;
    while !notices.is_closed() {
        tokio::select! {
            // `Ok` means that it was heard until the bus went away.
            heard = hear(notices.clone()) => if heard.is_ok() { pause = FIRST_PAUSE },
            () = notices.closed() => return,
        }
        if notices.send(Notice::Lost(source)).await.is_err() {
            return;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
