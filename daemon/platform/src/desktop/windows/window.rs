//! The window and its messages (Windows API: `WindowsAndMessaging`, `RemoteDesktop`, `Power`).

use std::{cell::OnceCell, ptr};

use windows_sys::{
    Win32::{
        Foundation::{HWND, LPARAM, LRESULT, WPARAM},
        System::{
            LibraryLoader::GetModuleHandleW,
            Power::{RegisterSuspendResumeNotification, UnregisterSuspendResumeNotification},
            RemoteDesktop::{
                NOTIFY_FOR_THIS_SESSION, WTS_CURRENT_SERVER_HANDLE, WTS_CURRENT_SESSION,
                WTS_SESSIONSTATE_LOCK, WTS_SESSIONSTATE_UNLOCK, WTSFreeMemory, WTSINFOEXW,
                WTSQuerySessionInformationW, WTSRegisterSessionNotification, WTSSessionInfoEx,
                WTSUnRegisterSessionNotification,
            },
        },
        UI::WindowsAndMessaging::{
            CreateWindowExW, DEVICE_NOTIFY_WINDOW_HANDLE, DefWindowProcW, DestroyWindow, DispatchMessageW,
            GetMessageW, MSG, PBT_APMRESUMEAUTOMATIC, PBT_APMSUSPEND, PostQuitMessage, RegisterClassW,
            WM_ENDSESSION, WM_POWERBROADCAST, WM_WTSSESSION_CHANGE, WNDCLASSW, WTS_SESSION_LOCK,
            WTS_SESSION_LOGOFF, WTS_SESSION_UNLOCK,
        },
    },
    w,
};

use super::super::teller::{Teller, Unwanted};

/// What a message says.
#[derive(Debug, Clone, Copy)]
pub(super) enum Told {
    /// Whether a lock of this session would be told.
    Listening(bool),
    Locked,
    Unlocked,
    LoggedOff,
    Suspending,
    Resumed,
    /// The session ends, as does every process in it.
    Ending,
}

/// Does what a message asks for; the message is answered when this returns.
type Tell = fn(&Teller, Told) -> Result<(), Unwanted>;

thread_local! {
    /// Whom the window of this thread tells: Windows calls its procedure on the thread that opened it.
    static TELLER: OnceCell<(Teller, Tell)> = const { OnceCell::new() };
}

/// Opens the window on this thread; returns when nobody wants to know any more, or if there can be none.
pub(super) fn open(teller: Teller, tell: Tell) {
    TELLER.with(|ours| drop(ours.set((teller, tell))));
    let Some(window) = create() else {
        say(Told::Listening(false));
        return;
    };
    // SAFETY: our own window; both are given back before it goes.
    let (power, listening) = unsafe {
        // Broadcasts say as much, but not on a machine with modern standby.
        let power = RegisterSuspendResumeNotification(window, DEVICE_NOTIFY_WINDOW_HANDLE);
        (power, WTSRegisterSessionNotification(window, NOTIFY_FOR_THIS_SESSION) != 0)
    };
    say(Told::Listening(listening));
    take_messages();
    // SAFETY: what was registered above, given back once, on the same thread; a refused one is an error and
    // no more.
    unsafe {
        UnregisterSuspendResumeNotification(power);
        WTSUnRegisterSessionNotification(window);
        DestroyWindow(window);
    }
}

/// Until somebody posts that it is enough.
fn take_messages() {
    let mut message = MSG::default();
    // SAFETY: a place for one message; a null window asks for those of the whole thread.
    while unsafe { GetMessageW(&raw mut message, ptr::null_mut(), 0, 0) } > 0 {
        // SAFETY: the message that was just received.
        unsafe { DispatchMessageW(&raw const message) };
    }
}

/// A top-level window: one for messages only is told neither of sleep nor of the end.
fn create() -> Option<HWND> {
    let name = w!("claudectl desktop");
    // SAFETY: a null name is this program, which is never unloaded.
    let program = unsafe { GetModuleHandleW(ptr::null()) };
    let class = WNDCLASSW {
        lpfnWndProc: Some(take),
        hInstance: program,
        lpszClassName: name,
        ..WNDCLASSW::default()
    };
    // SAFETY: the class and its name outlive the calls, `take` is a window procedure, and nulls stand for
    // no parent, no menu and no parameter. Without `WS_VISIBLE` it is not shown.
    let window = unsafe {
        RegisterClassW(&raw const class);
        CreateWindowExW(0, name, name, 0, 0, 0, 0, 0, ptr::null_mut(), ptr::null_mut(), program, ptr::null())
    };
    (!window.is_null()).then_some(window)
}

unsafe extern "system" fn take(window: HWND, message: u32, what: WPARAM, more: LPARAM) -> LRESULT {
    if let Some(told) = read(message, what) {
        say(told);
    }
    // SAFETY: the arguments are those of the message. What is asked is agreed to, as anybody does.
    unsafe { DefWindowProcW(window, message, what, more) }
}

/// What a message says, if it is one of ours. That a session may be about to end says nothing yet.
fn read(message: u32, what: WPARAM) -> Option<Told> {
    match (message, u32::try_from(what).ok()?) {
        (WM_WTSSESSION_CHANGE, WTS_SESSION_LOCK) => Some(Told::Locked),
        (WM_WTSSESSION_CHANGE, WTS_SESSION_UNLOCK) => Some(Told::Unlocked),
        (WM_WTSSESSION_CHANGE, WTS_SESSION_LOGOFF) => Some(Told::LoggedOff),
        (WM_POWERBROADCAST, PBT_APMSUSPEND) => Some(Told::Suspending),
        (WM_POWERBROADCAST, PBT_APMRESUMEAUTOMATIC) => Some(Told::Resumed),
        (WM_ENDSESSION, 1..) => Some(Told::Ending),
        _ => None,
    }
}

fn say(told: Told) {
    let said = TELLER.try_with(|ours| ours.get().map_or(Ok(()), |(teller, tell)| tell(teller, told)));
    if let Ok(Err(Unwanted)) = said {
        // SAFETY: always sound; ends the loop of this thread.
        unsafe { PostQuitMessage(0) };
    }
}

/// Whether the session of this process is locked; `None` if Windows does not say.
pub(super) fn locked() -> Option<bool> {
    let (mut found, mut length) = (ptr::null_mut(), 0);
    // SAFETY: places for the address and the length of what is found.
    let answered = unsafe {
        WTSQuerySessionInformationW(
            WTS_CURRENT_SERVER_HANDLE,
            WTS_CURRENT_SESSION,
            WTSSessionInfoEx,
            &raw mut found,
            &raw mut length,
        )
    };
    if answered == 0 || found.is_null() {
        return None;
    }
    let whole = usize::try_from(length).is_ok_and(|length| length >= size_of::<WTSINFOEXW>());
    // SAFETY: as many bytes as that were found, of which any make a value.
    let session = whole.then(|| unsafe { found.cast::<WTSINFOEXW>().read_unaligned() });
    // SAFETY: what the question returned, freed once and not used after this.
    unsafe { WTSFreeMemory(found.cast()) };
    let session = session.filter(|session| session.Level == 1)?;
    // SAFETY: the union has this one variant, at level 1.
    match unsafe { session.Data.WTSInfoExLevel1.SessionFlags }.cast_unsigned() {
        WTS_SESSIONSTATE_LOCK => Some(true),
        WTS_SESSIONSTATE_UNLOCK => Some(false),
        _ => None,
    }
}
