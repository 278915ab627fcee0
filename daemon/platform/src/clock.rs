//! The two clocks. Time is an argument everywhere else.

#[cfg_attr(target_os = "linux", path = "clock/linux.rs")]
#[cfg_attr(target_os = "macos", path = "clock/macos.rs")]
#[cfg_attr(windows, path = "clock/windows.rs")]
mod sys;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Time since the machine started, suspend included: no wall clock jump and no sleep bends it.
pub fn since_boot() -> Duration {
    sys::since_boot()
}

/// Seconds since the Unix epoch by the wall clock, to show to people.
pub fn wall() -> i64 {
    #[allow(clippy::disallowed_methods, reason = "this is the clock that everything else is given")]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or(0)
}
