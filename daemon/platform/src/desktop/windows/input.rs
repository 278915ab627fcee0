//! When keyboard and pointer of this session were touched (`GetLastInputInfo`).

use std::time::Duration;

use windows_sys::Win32::{
    System::SystemInformation::GetTickCount,
    UI::Input::KeyboardAndMouse::{GetLastInputInfo, LASTINPUTINFO},
};

use super::super::presence;

/// How long nobody has touched them; `None` if Windows does not say.
pub(super) fn untouched() -> Option<Duration> {
    let size = u32::try_from(size_of::<LASTINPUTINFO>()).ok()?;
    let mut last = LASTINPUTINFO { cbSize: size, dwTime: 0 };
    // SAFETY: a place for what is told, which says its own size.
    if unsafe { GetLastInputInfo(&raw mut last) } == 0 {
        return None;
    }
    // SAFETY: always sound. Asked after the other, so that it is not before it.
    Some(presence::since(last.dwTime, unsafe { GetTickCount() }))
}
