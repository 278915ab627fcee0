//! What the window server says of the login session of this process (`CoreGraphics/CGSession.h`), and that
//! another one was switched to, by `notify(3)`.

use std::{
    ffi::{c_char, c_int},
    fs::File,
    io::{self, Read as _},
    os::fd::{FromRawFd as _, OwnedFd},
};

use core_foundation::{
    base::{CFType, TCFType as _},
    boolean::CFBoolean,
    dictionary::{CFDictionary, CFDictionaryRef},
    number::CFNumber,
    string::CFString,
};

use super::super::teller::Teller;

/// `kCGSessionOnConsoleKey`: whether the session is the one that is seen.
const ON_CONSOLE: &str = "kCGSSessionOnConsoleKey";
/// There only while the screen is locked. Apple names it nowhere.
const SCREEN_LOCKED: &str = "CGSSessionScreenIsLocked";
/// `kCGNotifyGUIConsoleSessionChanged`.
const CONSOLE_CHANGED: &std::ffi::CStr = c"com.apple.coregraphics.GUIConsoleSessionChanged";

#[link(name = "CoreGraphics", kind = "framework")]
unsafe extern "C" {
    fn CGSessionCopyCurrentDictionary() -> CFDictionaryRef;
}

// notify.h, of the system library.
unsafe extern "C" {
    fn notify_register_file_descriptor(
        name: *const c_char,
        descriptor: *mut c_int,
        flags: c_int,
        token: *mut c_int,
    ) -> u32;
}

/// The session as it is now; `None` for a process outside a graphical login.
pub(super) fn current() -> Option<CFDictionary<CFString, CFType>> {
    // SAFETY: takes nothing; what it returns is ours.
    let session = unsafe { CGSessionCopyCurrentDictionary() };
    // SAFETY: a dictionary that we own, whose keys are strings.
    (!session.is_null()).then(|| unsafe { CFDictionary::wrap_under_create_rule(session) })
}

/// Whether the screen is locked; `None` if nobody says.
pub(super) fn locked() -> Option<bool> {
    current().map(|session| is_set(&session, SCREEN_LOCKED))
}

/// Hears that another session is switched to, which leaves this one as good as locked. Returns when nobody
/// wants to know any more.
pub(super) fn hear(teller: &Teller) -> io::Result<()> {
    let mut changes = changes()?;
    // Each change is the number of our registration, 4 bytes.
    let mut change = [0; 4];
    loop {
        let away = current().is_some_and(|session| !is_set(&session, ON_CONSOLE));
        if teller.screen(away, "CGSession").is_err() {
            return Ok(());
        }
        changes.read_exact(&mut change)?;
    }
}

/// Something to read at each change of the console.
fn changes() -> io::Result<File> {
    let (mut descriptor, mut token) = (-1, 0);
    // SAFETY: the name ends with a null byte; places for the descriptor and the token.
    let status = unsafe {
        notify_register_file_descriptor(CONSOLE_CHANGED.as_ptr(), &raw mut descriptor, 0, &raw mut token)
    };
    if status != 0 {
        return Err(io::Error::other(format!("notify: status {status}")));
    }
    // SAFETY: the registration opened it for us, and nobody else closes it.
    Ok(File::from(unsafe { OwnedFd::from_raw_fd(descriptor) }))
}

/// The window server says it as a truth value or as a number.
fn is_set(session: &CFDictionary<CFString, CFType>, key: &'static str) -> bool {
    let Some(value) = session.find(CFString::from_static_string(key)) else { return false };
    let number = || value.downcast::<CFNumber>().and_then(|number| number.to_i32());
    value.downcast::<CFBoolean>().map_or_else(|| number().is_some_and(|number| number != 0), bool::from)
}
