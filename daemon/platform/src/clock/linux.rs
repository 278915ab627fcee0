//! `CLOCK_BOOTTIME`: monotonic and counting through suspend (`clock_gettime(2)`).

use std::time::Duration;

pub(super) fn since_boot() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}
