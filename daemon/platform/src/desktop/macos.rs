//! Distributed notifications for the lock of the screen, I/O Kit for sleep, `CGSession` for whose session is
//! on the console, event sources for whether somebody is there. Of logout and shutdown a launch agent hears by the signal that stops it.

#[path = "macos/input.rs"]
mod input;
#[path = "macos/notification.rs"]
mod notification;
#[path = "macos/power.rs"]
mod power;
#[path = "macos/session.rs"]
mod session;

use std::{ffi::c_void, io, thread};

use core_foundation::{
    base::TCFType as _,
    dictionary::CFDictionaryRef,
    runloop::{CFRunLoopGetCurrent, CFRunLoopRun, CFRunLoopStop},
    string::CFString,
};
use core_foundation_sys::notification_center::{
    CFNotificationCallback, CFNotificationCenterAddObserver, CFNotificationCenterGetDistributedCenter,
    CFNotificationCenterRef, CFNotificationCenterRemoveEveryObserver, CFNotificationName,
    CFNotificationSuspensionBehaviorDeliverImmediately,
};
use tokio::sync::mpsc;

use self::power::Power;
use super::{
    Buses, Notice, presence,
    teller::{self, Teller, Unwanted},
};
use crate::Unsupported;

pub(super) use notification::notify;
pub use power::Delay;

/// Who tells everything here.
pub const MACHINE: &str = "macOS";

/// The notifications of the login window. Apple names them nowhere; they are what everybody observes.
const LOCKED: &str = "com.apple.screenIsLocked";
const UNLOCKED: &str = "com.apple.screenIsUnlocked";

pub(super) fn listen(_buses: &Buses, notices: mpsc::Sender<Notice>) {
    teller::hear("macOS screen", &notices, |teller| hear(&teller));
    teller::hear("macOS console", &notices, |teller| drop(session::hear(&teller)));
    teller::hear("macOS input", &notices, |teller| presence::hear(&teller, input::untouched, thread::sleep));
    // The channel stays open, so that silence is not taken for the end.
    tokio::spawn(async move { notices.closed().await });
}

#[allow(clippy::unused_async, reason = "the interface of systems where it waits")]
pub(super) async fn user_variables(_buses: &Buses) -> io::Result<Vec<zeroize::Zeroizing<String>>> {
    Err(Unsupported("asking for the variables of a user").into())
}

#[allow(clippy::unused_async, reason = "the interface of systems where it waits")]
pub(super) async fn unset_user_variable(_buses: &Buses, _name: &str) -> io::Result<()> {
    Err(Unsupported("changing the variables of a user").into())
}

/// Hears lock and sleep on this thread until nobody wants to know any more.
fn hear(teller: &Teller) {
    let observer: *const c_void = (&raw const *teller).cast();
    observe(observer, LOCKED, locked);
    observe(observer, UNLOCKED, unlocked);
    // The screen is heard even if sleep is not.
    let power = Power::register(teller);
    if begin(teller).is_ok() {
        // SAFETY: always sound. Sources of this thread's loop keep it running: there are observers.
        unsafe { CFRunLoopRun() };
    }
    drop(power);
    // SAFETY: the observer of above; nothing calls back with it after this.
    unsafe { CFNotificationCenterRemoveEveryObserver(CFNotificationCenterGetDistributedCenter(), observer) };
}

/// Listened first, looked then: what happens between the two is heard.
fn begin(teller: &Teller) -> Result<(), Unwanted> {
    // A process outside a graphical login, as one of SSH, is told nothing.
    let heard = session::current().is_some();
    teller.tell(if heard { Notice::Heard(MACHINE) } else { Notice::Lost(MACHINE) })?;
    look(teller)
}

/// What cannot be known changes nothing.
fn look(teller: &Teller) -> Result<(), Unwanted> {
    session::locked().map_or(Ok(()), |locked| teller.screen(locked, "CGSession"))
}

/// The first observer binds all notifications of the process to the loop of its thread.
fn observe(observer: *const c_void, name: &'static str, callback: CFNotificationCallback) {
    let name = CFString::from_static_string(name);
    // SAFETY: the observer is only handed back, on this thread, and until it is removed; the center retains
    // the name. A null object stands for every sender.
    unsafe {
        CFNotificationCenterAddObserver(
            CFNotificationCenterGetDistributedCenter(),
            observer,
            callback,
            name.as_concrete_TypeRef(),
            std::ptr::null(),
            CFNotificationSuspensionBehaviorDeliverImmediately,
        );
    }
}

extern "C" fn locked(
    _center: CFNotificationCenterRef,
    observer: *mut c_void,
    _name: CFNotificationName,
    _object: *const c_void,
    _more: CFDictionaryRef,
) {
    // SAFETY: `hear` keeps it until the observer is removed.
    let teller = unsafe { &*observer.cast::<Teller>() };
    go_on(teller.screen(true, LOCKED));
}

extern "C" fn unlocked(
    _center: CFNotificationCenterRef,
    observer: *mut c_void,
    _name: CFNotificationName,
    _object: *const c_void,
    _more: CFDictionaryRef,
) {
    // SAFETY: `hear` keeps it until the observer is removed.
    let teller = unsafe { &*observer.cast::<Teller>() };
    go_on(teller.screen(false, UNLOCKED));
}

/// Ends the loop of this thread if nobody wants to know any more.
fn go_on(told: Result<(), Unwanted>) {
    if let Err(Unwanted) = told {
        // SAFETY: the loop of the thread that this runs on.
        unsafe { CFRunLoopStop(CFRunLoopGetCurrent()) };
    }
}
