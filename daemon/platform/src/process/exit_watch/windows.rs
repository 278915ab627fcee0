//! `RegisterWaitForSingleObject` on process handles.

use std::{
    ffi::c_void,
    io, mem,
    os::windows::io::{AsRawHandle, OwnedHandle},
    ptr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Notify;
use windows_sys::Win32::{
    Foundation::{HANDLE, INVALID_HANDLE_VALUE},
    System::Threading::{INFINITE, RegisterWaitForSingleObject, UnregisterWaitEx, WT_EXECUTEONLYONCE},
};

use super::super::{Process, recycled, sys};

#[derive(Debug, Default)]
pub(super) struct ExitWatch(Arc<Ended>);

#[derive(Debug, Default)]
struct Ended {
    tokens: Mutex<Vec<u64>>,
    one_more: Notify,
}

#[derive(Debug)]
struct Watched {
    ended: Arc<Ended>,
    token: u64,
}

#[derive(Debug)]
pub(super) struct Key {
    wait: HANDLE,
    watched: Box<Watched>,
    #[allow(dead_code, reason = "waited for for as long as it is open")]
    process: OwnedHandle,
}

// SAFETY: a wait can be given up from any thread.
unsafe impl Send for Key {}
// SAFETY: nothing can be done with a shared key.
unsafe impl Sync for Key {}

impl ExitWatch {
    #[allow(clippy::unnecessary_wraps, reason = "other systems can fail here")]
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self::default())
    }

    pub(super) fn add(&self, process: Process, token: u64) -> io::Result<Key> {
        let handle = sys::open(process.pid)?;
        if sys::started(&handle)? != process.started {
            return Err(recycled(process.pid));
        }
        let watched = Box::new(Watched { ended: Arc::clone(&self.0), token });
        let context: *const Watched = &raw const *watched;
        let mut wait = ptr::null_mut();
        // SAFETY: the handle and the context live as long as the key, which ends the wait first.
        let registered = unsafe {
            RegisterWaitForSingleObject(
                &raw mut wait,
                handle.as_raw_handle(),
                Some(note),
                context.cast(),
                INFINITE,
                WT_EXECUTEONLYONCE,
            )
        };
        if registered == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Key { wait, watched, process: handle })
    }

    #[allow(clippy::unnecessary_wraps, reason = "other systems can fail here")]
    pub(super) fn ready(&self) -> io::Result<Vec<u64>> {
        Ok(mem::take(&mut *self.0.tokens.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    pub(super) async fn wait(&self) -> io::Result<Vec<u64>> {
        loop {
            let tokens = self.ready()?;
            if !tokens.is_empty() {
                return Ok(tokens);
            }
            self.0.one_more.notified().await;
        }
    }
}

unsafe extern "system" fn note(context: *mut c_void, _timed_out: bool) {
    // SAFETY: the key keeps it until this has returned.
    let watched = unsafe { &*context.cast::<Watched>() };
    watched.ended.tokens.lock().unwrap_or_else(PoisonError::into_inner).push(watched.token);
    watched.ended.one_more.notify_one();
}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: our own wait, given up once; returns when no callback runs any more.
        unsafe { UnregisterWaitEx(self.wait, INVALID_HANDLE_VALUE) };
        let token = self.watched.token;
        let mut tokens = self.watched.ended.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|ready| *ready != token);
    }
}
