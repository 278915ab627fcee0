//! D-Bus: logind on the system bus, screen savers and notifications on the session bus.

#[path = "linux/logind.rs"]
mod logind;
#[path = "linux/notification.rs"]
mod notification;
#[path = "linux/screensaver.rs"]
mod screensaver;
#[path = "linux/systemd.rs"]
mod systemd;

use std::{os::fd::OwnedFd, time::Duration};

use tokio::sync::{mpsc, oneshot};

use self::{logind::Logind, screensaver::ScreenSavers};
use super::{Buses, Notice};

pub(super) use notification::notify;
pub(super) use systemd::{unset_user_variable, user_variables};

/// Who tells of sleep, shutdown, idleness and the end of the desktop.
pub const MACHINE: &str = Logind::NAME;

/// logind's delay inhibitors: the machine does not sleep or stop while they are open, for as long as
/// logind allows (`InhibitDelayMaxSec`, 5 seconds unless changed).
#[derive(Debug)]
pub struct Delay {
    #[allow(dead_code, reason = "holds the machine awake for as long as it is open")]
    inhibitors: Vec<OwnedFd>,
}

/// How long to wait before a source that went away is looked for again; twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest of these pauses.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// Where the system bus is (D-Bus specification, "System message bus").
const SYSTEM_BUS: &str = "unix:path=/run/dbus/system_bus_socket";
/// How long a question may take on which something waits.
const ANSWER: Duration = Duration::from_secs(1);

/// Why a source cannot be heard.
type Silence = Box<dyn std::error::Error + Send + Sync>;

/// Asks the screen savers whether they are active; answered when they have said.
type Recheck = oneshot::Sender<()>;

/// Something on a bus that tells. What it knows outlives a connection.
trait Source: Send + 'static {
    /// What it is called.
    const NAME: &'static str;

    /// Hears it until the bus goes away.
    fn hear(&mut self) -> impl Future<Output = Result<(), Silence>> + Send;
}

pub(super) fn listen(buses: &Buses, notices: mpsc::Sender<Notice>) {
    let (rechecks, asked) = mpsc::channel(1);
    let system = buses.system.clone().unwrap_or_else(|| SYSTEM_BUS.to_owned());
    tokio::spawn(forever(Logind::new(system, notices.clone(), rechecks), notices.clone()));
    if let Some(session) = buses.session.clone() {
        tokio::spawn(forever(ScreenSavers::new(session, notices.clone(), asked), notices));
    }
}

/// Hears a source, again and again, for as long as anybody wants to know.
async fn forever<S: Source>(mut source: S, notices: mpsc::Sender<Notice>) {
    let mut pause = FIRST_PAUSE;
    while !notices.is_closed() {
        tokio::select! {
            // `Ok` means that it was heard until the bus went away.
            heard = source.hear() => if heard.is_ok() { pause = FIRST_PAUSE },
            () = notices.closed() => return,
        }
        if notices.send(Notice::Lost(S::NAME)).await.is_err() {
            return;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
