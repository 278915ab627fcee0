//! When keyboard and pointer were touched (`CoreGraphics/CGEventSource.h`). Asking needs no permission: what was
//! typed is not told.

use std::time::Duration;

use super::session;

/// `kCGEventSourceStateCombinedSessionState`: of this login session, also over screen sharing.
const OF_THE_SESSION: i32 = 0;
/// `kCGAnyInputEventType`.
const ANY_INPUT: u32 = u32::MAX;

#[link(name = "CoreGraphics", kind = "framework")]
unsafe extern "C" {
    fn CGEventSourceSecondsSinceLastEventType(state: i32, event: u32) -> f64;
}

/// How long nobody has touched them; `None` for a process outside a graphical login.
pub(super) fn untouched() -> Option<Duration> {
    session::current()?;
    // SAFETY: two numbers of the header.
    let seconds = unsafe { CGEventSourceSecondsSinceLastEventType(OF_THE_SESSION, ANY_INPUT) };
    Duration::try_from_secs_f64(seconds).ok()
}
