//! `CLOCK_MONOTONIC`, which counts through sleep on macOS (`clock_gettime(3)`).

use std::time::Duration;

pub(super) fn since_boot() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}
