//! `CLOCK_BOOTTIME`: monotonic and counting through suspend (`clock_gettime(2)`, `timerfd_create(2)`).

use std::{io, os::fd::OwnedFd, time::Duration};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;

pub(super) fn since_boot() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// A timer of the kernel, which looks at the clock when the machine wakes.
#[derive(Debug)]
pub(super) struct Alarm {
    timer: AsyncFd<OwnedFd>,
    set_to: Option<Duration>,
}

impl Alarm {
    pub(super) fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Boottime, flags)?;
        // SAFETY: the descriptor is owned by the registration, which is dropped before it is closed.
        let timer = unsafe { AsyncFd::register(timer)? };
        Ok(Self { timer, set_to: None })
    }

    pub(super) async fn wait_until(&mut self, deadline: Duration) {
        // A timer that cannot be set would be a lifetime that never ends.
        if self.set(deadline).is_err() {
            return tokio::time::sleep(deadline.saturating_sub(since_boot())).await;
        }
        while since_boot() < deadline {
            match self.timer.readable().await {
                Ok(mut ready) => {
                    let mut expirations = [0; 8];
                    // Read by somebody before us or not: the clock has the last word.
                    let _ = ready.try_io(|timer| Ok(rustix::io::read(timer.get_ref(), &mut expirations)?));
                }
                Err(_) => tokio::time::sleep(deadline.saturating_sub(since_boot())).await,
            }
        }
    }

    fn set(&mut self, deadline: Duration) -> io::Result<()> {
        if self.set_to != Some(deadline) {
            let timespec = |time: Duration| Timespec {
                tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: time.subsec_nanos().into(),
            };
            // Zero would switch it off.
            let at = Itimerspec {
                it_interval: timespec(Duration::ZERO),
                it_value: timespec(deadline.max(Duration::from_nanos(1))),
            };
            timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &at)?;
            self.set_to = Some(deadline);
        }
        Ok(())
    }
}
