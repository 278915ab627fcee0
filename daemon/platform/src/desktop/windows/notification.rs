//! A balloon of an icon in the notification area (`Shell_NotifyIconW`), which newer versions of Windows show as a
//! toast. A toast of our own would need an installed shortcut.

use std::{io, ptr, thread, time::Duration};

use tokio::sync::oneshot;
use windows_sys::{
    Win32::UI::{
        Shell::{
            NIF_ICON, NIF_INFO, NIIF_INFO, NIIF_RESPECT_QUIET_TIME, NIM_ADD, NIM_DELETE, NOTIFYICONDATAW,
            Shell_NotifyIconW,
        },
        WindowsAndMessaging::{CreateWindowExW, DestroyWindow, HWND_MESSAGE, IDI_INFORMATION, LoadIconW},
    },
    w,
};

use super::super::{Buses, utf16};

/// How long the icon stays: with it the balloon goes.
const SHOWN: Duration = Duration::from_secs(10);

pub(in super::super) async fn notify(_buses: &Buses, summary: &str, body: &str) -> io::Result<()> {
    let (title, text) = (utf16::filled(summary), utf16::filled(body));
    let (outcome, shown) = oneshot::channel();
    // The window belongs to the thread that makes it.
    thread::Builder::new().name("notification".to_owned()).spawn(move || show(&title, &text, outcome))?;
    shown.await.map_err(io::Error::other)?
}

fn show(title: &[u16; 64], text: &[u16; 256], outcome: oneshot::Sender<io::Result<()>>) {
    let (class, none) = (w!("STATIC"), ptr::null_mut());
    // SAFETY: a class of the system's; nulls stand for no name, menu, program and parameter. A window for
    // messages only is never seen, and nobody waits for its answers.
    let window = unsafe {
        CreateWindowExW(0, class, ptr::null(), 0, 0, 0, 0, 0, HWND_MESSAGE, none, none, ptr::null())
    };
    let icon = NOTIFYICONDATAW {
        cbSize: u32::try_from(size_of::<NOTIFYICONDATAW>()).unwrap_or_default(),
        hWnd: window,
        uFlags: NIF_ICON | NIF_INFO,
        // SAFETY: an icon of the system's, which is never given back.
        hIcon: unsafe { LoadIconW(none, IDI_INFORMATION) },
        szInfo: *text,
        szInfoTitle: *title,
        dwInfoFlags: NIIF_INFO | NIIF_RESPECT_QUIET_TIME,
        ..NOTIFYICONDATAW::default()
    };
    // SAFETY: the icon says its own size, and its texts end in a zero.
    let is_shown = unsafe { Shell_NotifyIconW(NIM_ADD, &raw const icon) } != 0;
    let refusal = || io::Error::other("there is no notification area");
    // Whoever does not wait any more does not want to know.
    let _ = outcome.send(if is_shown { Ok(()) } else { Err(refusal()) });
    if is_shown {
        thread::sleep(SHOWN);
    }
    // SAFETY: our own icon and window, given back once, on the thread of the window.
    unsafe {
        Shell_NotifyIconW(NIM_DELETE, &raw const icon);
        DestroyWindow(window);
    }
}
