//! The two clocks, and an alarm. Time is an argument everywhere else.

#[cfg_attr(target_os = "linux", path = "clock/linux.rs")]
#[cfg_attr(target_os = "macos", path = "clock/macos.rs")]
#[cfg_attr(windows, path = "clock/windows.rs")]
mod sys;

use std::{
    io,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Time since the machine started, suspend included: no wall clock jump and no sleep bends it.
pub fn since_boot() -> Duration {
    sys::since_boot()
}

/// Seconds since the Unix epoch by the wall clock, to show to people.
pub fn wall() -> i64 {
    wall_milliseconds().div_euclid(1000)
}

/// The same in milliseconds.
pub fn wall_milliseconds() -> i64 {
    #[allow(clippy::disallowed_methods, reason = "this is the clock that everything else is given")]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0)
}

/// Goes off at a time since boot: on time though the machine slept through it.
#[derive(Debug)]
pub struct Alarm(sys::Alarm);

impl Alarm {
    /// An alarm, for a tokio runtime with I/O and time enabled.
    ///
    /// # Errors
    /// If the kernel has none to give.
    pub fn new() -> io::Result<Self> {
        sys::Alarm::new().map(Self)
    }

    /// Waits until that time; for ever if there is none. Safe to cancel.
    pub async fn wait_until(&mut self, deadline: Option<Duration>) {
        match deadline {
            Some(deadline) => self.0.wait_until(deadline).await,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_alarm_goes_off_at_its_time_and_not_before() {
        let mut alarm = Alarm::new().unwrap();
        for wait in [Duration::ZERO, Duration::from_millis(30), Duration::from_millis(5)] {
            let deadline = since_boot() + wait;
            alarm.wait_until(Some(deadline)).await;
            assert!(since_boot() >= deadline);
        }
        // One that was called off does not go off at the next wait.
        let (soon, later) =
            (since_boot() + Duration::from_millis(5), since_boot() + Duration::from_millis(40));
        drop(tokio::time::timeout(Duration::from_millis(1), alarm.wait_until(Some(soon))).await);
        alarm.wait_until(Some(later)).await;
        assert!(since_boot() >= later);
    }
}
