//! Sleep and wake (`IOKit/pwr_mgt/IOPMLib.h`). The machine waits up to 30 seconds for an answer.

use std::{ffi::c_void, ptr};

use core_foundation::runloop::{
    CFRunLoopAddSource, CFRunLoopGetCurrent, CFRunLoopRemoveSource, CFRunLoopSourceRef, kCFRunLoopCommonModes,
};

use super::{
    super::{Notice, teller::Teller},
    go_on, look,
};

/// `IOKit/IOMessage.h`: the messages of power management.
const CAN_SYSTEM_SLEEP: u32 = 0xE000_0270;
const SYSTEM_WILL_SLEEP: u32 = 0xE000_0280;
const SYSTEM_HAS_POWERED_ON: u32 = 0xE000_0300;

/// `IOServiceInterestCallback`.
type Callback = unsafe extern "C" fn(context: *mut c_void, service: u32, message: u32, argument: *mut c_void);

#[link(name = "IOKit", kind = "framework")]
unsafe extern "C" {
    fn IORegisterForSystemPower(
        context: *mut c_void,
        port: *mut *mut c_void,
        callback: Callback,
        notifier: *mut u32,
    ) -> u32;
    fn IODeregisterForSystemPower(notifier: *mut u32) -> i32;
    fn IOAllowPowerChange(kernel: u32, change: isize) -> i32;
    fn IOServiceClose(kernel: u32) -> i32;
    fn IONotificationPortGetRunLoopSource(port: *mut c_void) -> CFRunLoopSourceRef;
    fn IONotificationPortDestroy(port: *mut c_void);
}

/// Keeps the machine from going to sleep, for as long as it waits.
#[derive(Debug)]
pub struct Delay {
    kernel: u32,
    change: isize,
}

impl Drop for Delay {
    fn drop(&mut self) {
        // SAFETY: a message to the kernel; one that it does not wait for is an error and no more.
        unsafe { IOAllowPowerChange(self.kernel, self.change) };
    }
}

/// What the callback knows.
#[derive(Debug)]
struct Context<'a> {
    teller: &'a Teller,
    kernel: u32,
}

/// Registered with power management, on the loop of one thread.
#[derive(Debug)]
pub(super) struct Power<'a> {
    context: *mut Context<'a>,
    port: *mut c_void,
    notifier: u32,
}

impl<'a> Power<'a> {
    /// `None` if the system refuses.
    pub(super) fn register(teller: &'a Teller) -> Option<Self> {
        let context = Box::into_raw(Box::new(Context { teller, kernel: 0 }));
        let mut power = Self { context, port: ptr::null_mut(), notifier: 0 };
        // SAFETY: places for port and notifier; the context lives until this is dropped, and nothing calls
        // back before the loop runs.
        let kernel = unsafe {
            IORegisterForSystemPower(context.cast(), &raw mut power.port, take, &raw mut power.notifier)
        };
        // SAFETY: our own allocation; nobody else looks at it yet.
        unsafe { (*context).kernel = kernel };
        if kernel == 0 {
            return None;
        }
        // SAFETY: the port is registered; the loop is this thread's.
        unsafe {
            let source = IONotificationPortGetRunLoopSource(power.port);
            CFRunLoopAddSource(CFRunLoopGetCurrent(), source, kCFRunLoopCommonModes);
        }
        Some(power)
    }
}

impl Drop for Power<'_> {
    fn drop(&mut self) {
        // SAFETY: made by `register` and given back once.
        let context = unsafe { Box::from_raw(self.context) };
        if context.kernel == 0 {
            return;
        }
        // SAFETY: all of it is from `register`, on the same thread, and is given back once. Nothing calls
        // back during this: callbacks need the loop of this thread.
        unsafe {
            let source = IONotificationPortGetRunLoopSource(self.port);
            CFRunLoopRemoveSource(CFRunLoopGetCurrent(), source, kCFRunLoopCommonModes);
            IODeregisterForSystemPower(&raw mut self.notifier);
            IOServiceClose(context.kernel);
            IONotificationPortDestroy(self.port);
        }
    }
}

unsafe extern "C" fn take(context: *mut c_void, _service: u32, message: u32, argument: *mut c_void) {
    // SAFETY: `Power` keeps it until it is deregistered, on this thread.
    let context = unsafe { &*context.cast::<Context<'_>>() };
    // The argument is the number of the change and no address.
    let delay = || Delay { kernel: context.kernel, change: argument.addr().cast_signed() };
    match message {
        // Asked before an idle machine sleeps: allowed, as nothing here needs it awake.
        CAN_SYSTEM_SLEEP => drop(delay()),
        SYSTEM_WILL_SLEEP => go_on(context.teller.tell(Notice::Suspending(Some(delay())))),
        SYSTEM_HAS_POWERED_ON => {
            go_on(look(context.teller).and_then(|()| context.teller.tell(Notice::Resumed)));
        }
        _ => {}
    }
}
