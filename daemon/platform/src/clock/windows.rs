//! `GetTickCount64`, which counts through sleep.

use std::{io, time::Duration};

use windows_sys::Win32::System::SystemInformation::GetTickCount64;

pub(super) fn since_boot() -> Duration {
    // SAFETY: takes nothing and cannot fail.
    Duration::from_millis(unsafe { GetTickCount64() })
}

/// The timers of the runtime stand still while the machine sleeps, so the clock is looked at now and then.
#[derive(Debug)]
pub(super) struct Alarm;

/// How late an alarm may go off after a sleep.
const LOOK: Duration = Duration::from_secs(10);

impl Alarm {
    #[allow(clippy::unnecessary_wraps, reason = "the interface of systems where it can fail")]
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) async fn wait_until(&mut self, deadline: Duration) {
        while since_boot() < deadline {
            tokio::time::sleep(deadline.saturating_sub(since_boot()).min(LOOK)).await;
        }
    }
}
