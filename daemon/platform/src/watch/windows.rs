//! `FindFirstChangeNotificationW`: a directory tells that something in it changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::c_void,
    fs, io, mem,
    os::windows::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    ptr,
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use tokio::sync::Notify;
use windows_sys::Win32::{
    Foundation::{HANDLE, INVALID_HANDLE_VALUE},
    Storage::FileSystem::{
        FILE_NOTIFY_CHANGE_DIR_NAME, FILE_NOTIFY_CHANGE_FILE_NAME, FILE_NOTIFY_CHANGE_LAST_WRITE,
        FILE_NOTIFY_CHANGE_SIZE, FindCloseChangeNotification, FindFirstChangeNotificationW,
        FindNextChangeNotification,
    },
    System::Threading::{INFINITE, RegisterWaitForSingleObject, UnregisterWaitEx, WT_EXECUTEDEFAULT},
};

#[derive(Debug, Default)]
pub(super) struct Watch {
    changes: Arc<Changes>,
    watched: Mutex<BTreeMap<PathBuf, Directory>>,
}

#[derive(Debug, Default)]
struct Changes {
    paths: Mutex<BTreeSet<PathBuf>>,
    one_more: Notify,
}

#[derive(Debug)]
struct Directory {
    /// When it was made: another one in its place is another one.
    created: Option<SystemTime>,
    wait: HANDLE,
    context: Box<Context>,
}

#[derive(Debug)]
struct Context {
    changes: Arc<Changes>,
    path: PathBuf,
    notification: HANDLE,
}

// SAFETY: a wait and a notification can be given up from any thread.
unsafe impl Send for Directory {}
// SAFETY: nothing can be done with a shared one.
unsafe impl Sync for Directory {}

impl Watch {
    #[allow(clippy::unnecessary_wraps, reason = "other systems can fail here")]
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self::default())
    }

    pub(super) fn add(&self, directory: &Path) -> io::Result<bool> {
        let found = fs::symlink_metadata(directory)?;
        if !found.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let created = found.created().ok();
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.get(directory).is_some_and(|known| known.created == created) {
            return Ok(false);
        }
        watched.insert(directory.to_owned(), Directory::open(directory, created, &self.changes)?);
        Ok(true)
    }

    #[allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "the interface of macOS")]
    pub(super) fn add_file(&self, _file: &Path) -> io::Result<bool> {
        Ok(false)
    }

    pub(super) async fn changed(&self) -> io::Result<Vec<PathBuf>> {
        loop {
            let paths = mem::take(&mut *self.changes.paths.lock().unwrap_or_else(PoisonError::into_inner));
            if !paths.is_empty() {
                return Ok(paths.into_iter().collect());
            }
            self.changes.one_more.notified().await;
        }
    }
}

impl Directory {
    fn open(path: &Path, created: Option<SystemTime>, changes: &Arc<Changes>) -> io::Result<Self> {
        let name: Vec<u16> = path.as_os_str().encode_wide().chain([0]).collect();
        let what = FILE_NOTIFY_CHANGE_FILE_NAME
            | FILE_NOTIFY_CHANGE_DIR_NAME
            | FILE_NOTIFY_CHANGE_LAST_WRITE
            | FILE_NOTIFY_CHANGE_SIZE;
        // SAFETY: a string that ends in a zero.
        let notification = unsafe { FindFirstChangeNotificationW(name.as_ptr(), 0, what) };
        if notification == INVALID_HANDLE_VALUE {
            return Err(io::Error::last_os_error());
        }
        let changes = Arc::clone(changes);
        // From here on the drop gives up the notification.
        let context = Box::new(Context { changes, path: path.to_owned(), notification });
        let mut directory = Self { created, wait: ptr::null_mut(), context };
        let context: *const Context = &raw const *directory.context;
        // SAFETY: the handle and the context live as long as the directory, which ends the wait first.
        let registered = unsafe {
            RegisterWaitForSingleObject(
                &raw mut directory.wait,
                notification,
                Some(note),
                context.cast(),
                INFINITE,
                WT_EXECUTEDEFAULT,
            )
        };
        if registered == 0 { Err(io::Error::last_os_error()) } else { Ok(directory) }
    }
}

unsafe extern "system" fn note(context: *mut c_void, _timed_out: bool) {
    // SAFETY: the directory keeps it until this has returned.
    let context = unsafe { &*context.cast::<Context>() };
    context.changes.paths.lock().unwrap_or_else(PoisonError::into_inner).insert(context.path.clone());
    context.changes.one_more.notify_one();
    // SAFETY: our own notification, given up only when no callback runs any more.
    unsafe { FindNextChangeNotification(context.notification) };
}

impl Drop for Directory {
    fn drop(&mut self) {
        if !self.wait.is_null() {
            // SAFETY: our own wait, given up once; returns when no callback runs any more.
            unsafe { UnregisterWaitEx(self.wait, INVALID_HANDLE_VALUE) };
        }
        // SAFETY: our own notification, given up once.
        unsafe { FindCloseChangeNotification(self.context.notification) };
    }
}
