//! `CLOCK_MONOTONIC`, which counts through sleep on macOS (`clock_gettime(3)`).

use std::{io, time::Duration};

pub(super) fn since_boot() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
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
