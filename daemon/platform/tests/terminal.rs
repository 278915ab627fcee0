//! Threat T29: what is typed is not shown, and the terminal is as before afterwards, always.
//!
//! The prompt runs in this test binary again (the ignored test), on a terminal of its own.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "test code")]

use std::{
    fs::File,
    io::{Read, Write},
    os::{
        fd::{AsFd, FromRawFd, OwnedFd},
        unix::process::{CommandExt, ExitStatusExt},
    },
    process::{Child, Command, ExitStatus, Stdio},
};

use claudectl_platform::terminal::read_hidden;
use rustix::termios::LocalModes;
use zeroize::Zeroizing;

const PROMPT: &str = "API key: ";

/// A terminal with the prompt on it.
struct Asking {
    screen: File,
    tty: OwnedFd,
    child: Child,
}

impl Asking {
    fn new() -> Self {
        let (screen, tty) = terminal();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "subject_asks", "--ignored", "--nocapture"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let controlling = tty.try_clone().unwrap();
        // SAFETY: two plain system calls.
        unsafe {
            command.pre_exec(move || {
                rustix::process::setsid()?;
                Ok(rustix::process::ioctl_tiocsctty(&controlling)?)
            });
        }
        let mut asking = Self { child: command.spawn().unwrap(), screen, tty };
        asking.prompted();
        asking
    }

    /// Reads the screen up to the prompt.
    fn prompted(&mut self) {
        self.shown_until(PROMPT);
        assert!(!self.shows_typing());
    }

    fn shown_until(&mut self, text: &str) -> String {
        let mut shown = Vec::new();
        while !shown.ends_with(text.as_bytes()) {
            let mut byte = [0];
            self.screen.read_exact(&mut byte).unwrap();
            shown.extend(byte);
        }
        String::from_utf8(shown).unwrap()
    }

    fn shows_typing(&self) -> bool {
        rustix::termios::tcgetattr(self.tty.as_fd()).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    fn type_in(&mut self, keys: &str) {
        self.screen.write_all(keys.as_bytes()).unwrap();
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// How it ended, what it printed, and what was on the screen after the prompt.
    fn end(mut self) -> (ExitStatus, String, String) {
        let mut printed = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
        let status = self.child.wait().unwrap();
        assert!(self.shows_typing(), "restored");
        let screen = self.shown_until("\n");
        (status, printed, screen)
    }
}

fn terminal() -> (File, OwnedFd) {
    let (mut primary, mut secondary) = (-1, -1);
    let none = std::ptr::null_mut();
    // SAFETY: openpty fills in the two descriptors, which nothing else owns.
    unsafe {
        let made =
            libc::openpty(&raw mut primary, &raw mut secondary, none, std::ptr::null(), std::ptr::null());
        assert_eq!(made, 0);
        for descriptor in [primary, secondary] {
            libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC);
        }
        (File::from(OwnedFd::from_raw_fd(primary)), OwnedFd::from_raw_fd(secondary))
    }
}

#[test]
fn what_is_typed_is_read_and_not_shown() {
    let mut asking = Asking::new();
    asking.type_in("sk-ant-api03-TESTX\x7fTEST\n");
    let (status, printed, screen) = asking.end();
    assert!(status.success());
    assert!(printed.contains("read:Ok([115, 107, 45"), "{printed}");
    assert!(printed.contains("length:21"), "one character was taken back: {printed}");
    assert_eq!(screen.trim(), "");
}

#[test]
fn a_signal_ends_it_and_the_terminal_shows_typing_again() {
    let mut typed = Asking::new();
    typed.type_in("sk-ant\x03");
    assert_eq!(typed.end().0.signal(), Some(libc::SIGINT));
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::HUP] {
        let asking = Asking::new();
        asking.signal(signal);
        assert_eq!(asking.end().0.signal(), Some(signal.as_raw()));
    }
}

#[test]
fn after_a_stop_it_asks_again() {
    let mut asking = Asking::new();
    // A process group without a shell to resume it does not really stop: no CONT is needed, and one
    // would only take the signal back.
    asking.signal(rustix::process::Signal::TSTP);
    asking.prompted();
    asking.type_in("key\n");
    assert!(asking.end().1.contains("length:3"));
}

#[test]
fn a_closed_terminal_is_an_error() {
    let mut asking = Asking::new();
    asking.type_in("\x04");
    let (status, printed, _) = asking.end();
    assert!(status.success());
    assert!(printed.contains("read:Err(Kind(UnexpectedEof))"), "{printed}");
}

#[test]
fn without_a_terminal_it_says_so() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "subject_asks", "--ignored", "--nocapture"]).stdin(Stdio::null());
    // SAFETY: a plain system call.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            Ok(())
        });
    }
    let printed = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(printed.contains("read:Err(Os"), "{printed}");
}

#[test]
#[ignore = "a process that the other tests start"]
fn subject_asks() {
    let mut key = Zeroizing::new(Vec::new());
    let outcome = read_hidden(PROMPT, &mut key);
    println!("read:{:?} length:{}", outcome.map(|()| key.to_vec()), key.len());
}
