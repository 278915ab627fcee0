//! `termios(3)` on `/dev/tty`, with the signals that would skip the restoring held back.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    mem::{self, MaybeUninit},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI32, Ordering::SeqCst},
    },
};

use rustix::{
    buffer::spare_capacity,
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    termios::{LocalModes, OptionalActions, Termios},
};

/// What ends or stops a process from its terminal.
const SIGNALS: [i32; 5] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT, libc::SIGTSTP];

/// How long a signal waits at most. It interrupts the wait, unless it hit another thread.
const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// The last signal that was held back; 0 for none.
static NOTED: AtomicI32 = AtomicI32::new(0);

/// There is one terminal and one set of signals.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

pub(super) fn read_hidden(prompt: &str, into: &mut Vec<u8>) -> io::Result<()> {
    let tty = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    loop {
        let signals = HeldBack::new()?;
        let answered = ask(&tty, prompt, &signals, into);
        let noted = signals.noted();
        drop(signals);
        let Some(signal) = noted else { return answered };
        // SAFETY: takes its course now, as if it had just come: handled, stopped or ended.
        unsafe { libc::raise(signal) };
        if signal != libc::SIGTSTP {
            return Err(io::ErrorKind::Interrupted.into());
        }
        into.clear();
    }
}

/// Returns early, with nothing, when a signal is noted.
fn ask(mut tty: &File, prompt: &str, signals: &HeldBack, into: &mut Vec<u8>) -> io::Result<()> {
    let _silence = Silence::new(tty)?;
    tty.write_all(prompt.as_bytes())?;
    while signals.noted().is_none() {
        let mut sources = [PollFd::new(tty, PollFlags::IN)];
        match poll(&mut sources, Some(&PATIENCE)) {
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return read_line(tty, into),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn read_line(tty: &File, into: &mut Vec<u8>) -> io::Result<()> {
    match rustix::io::retry_on_intr(|| rustix::io::read(tty, spare_capacity(into)))? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

/// The terminal does not show what is typed for as long as this lives.
struct Silence<'a> {
    tty: &'a File,
    before: Termios,
}

impl<'a> Silence<'a> {
    fn new(tty: &'a File) -> io::Result<Self> {
        let before = rustix::termios::tcgetattr(tty)?;
        let mut silent = before.clone();
        silent.local_modes -= LocalModes::ECHO | LocalModes::ECHOE | LocalModes::ECHOK | LocalModes::ECHONL;
        // In whole lines and with signals, whatever a program before left behind.
        silent.local_modes |= LocalModes::ICANON | LocalModes::ISIG;
        rustix::termios::tcsetattr(tty, OptionalActions::Flush, &silent)?;
        Ok(Self { tty, before })
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        // Nothing can be done about a terminal that is gone.
        let _ = rustix::termios::tcsetattr(self.tty, OptionalActions::Flush, &self.before);
        let _ = self.tty.write_all(b"\n");
    }
}

/// The signals are noted instead of obeyed for as long as this lives; whichever thread they hit.
struct HeldBack {
    /// What they did before; not those that were ignored, which still are.
    before: Vec<(i32, libc::sigaction)>,
    _only: MutexGuard<'static, ()>,
}

impl HeldBack {
    fn new() -> io::Result<Self> {
        let only = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        NOTED.store(0, SeqCst);
        let mut held = Self { before: Vec::with_capacity(SIGNALS.len()), _only: only };
        for signal in SIGNALS {
            let before = replace(signal, noting())?;
            if before.sa_sigaction == libc::SIG_IGN {
                replace(signal, before)?;
            } else {
                held.before.push((signal, before));
            }
        }
        Ok(held)
    }

    /// The last of the signals that came.
    fn noted(&self) -> Option<i32> {
        let signal = NOTED.load(SeqCst);
        self.before.iter().map(|(number, _)| *number).find(|number| *number == signal)
    }
}

impl Drop for HeldBack {
    fn drop(&mut self) {
        for (signal, before) in &self.before {
            // It was there before, so that it cannot be refused.
            let _ = replace(*signal, *before);
        }
    }
}

/// All that a signal may do: any thread may be in the middle of anything.
extern "C" fn note(signal: libc::c_int) {
    NOTED.store(signal, SeqCst);
}

fn noting() -> libc::sigaction {
    // SAFETY: all zeroes is a valid `sigaction`: no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    #[allow(clippy::as_conversions, reason = "the C library's type for it is a number")]
    let note = note as *const () as libc::sighandler_t;
    action.sa_sigaction = note;
    action
}

fn replace(signal: i32, action: libc::sigaction) -> io::Result<libc::sigaction> {
    let mut before = MaybeUninit::uninit();
    // SAFETY: the action is one the kernel gave before, or `note`, which is safe in a signal; `before`
    // is filled in if the call succeeds, and only then read.
    unsafe {
        match libc::sigaction(signal, &raw const action, before.as_mut_ptr()) {
            0 => Ok(before.assume_init()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}
