//! Reads the whole memory of another process, as root, and looks for keys in it.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt as _,
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    canary::{Copy, Form, Search},
    wait::PATIENCE,
};

/// One copy of a key in a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Its address.
    pub address: u64,
    /// Its length in bytes.
    pub length: usize,
    /// How it is written.
    pub form: Form,
    /// The mapping it is in, as `/proc/PID/maps` names it.
    pub mapping: String,
}

/// One look at a process.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// Every copy.
    pub hits: Vec<Hit>,
    /// Bytes that were read.
    pub read: u64,
    /// Mappings that the kernel does not let even root read (`memfd_secret`).
    pub unreadable: Vec<String>,
}

/// Stops the process, reads all of its readable memory, lets it go on.
///
/// # Errors
/// Those of `/proc`: not root, no such process.
pub fn look(pid: u32, search: &Search) -> io::Result<Look> {
    let _stopped = Stopped::new(pid)?;
    look_at_running(pid, search)
}

/// As [`look`], without stopping it first.
///
/// # Errors
/// Those of `/proc`: not root, no such process.
pub fn look_at_running(pid: u32, search: &Search) -> io::Result<Look> {
    let memory = File::open(format!("/proc/{pid}/mem"))?;
    let mut look = Look::default();
    for line in fs::read_to_string(format!("/proc/{pid}/maps"))?.lines() {
        let Some(mapping) = Mapping::parse(line) else { continue };
        if mapping.is_readable {
            mapping.read(&memory, search, &mut look);
        }
    }
    Ok(look)
}

struct Mapping {
    start: u64,
    end: u64,
    is_readable: bool,
    name: String,
}

impl Mapping {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let modes = words.next()?;
        let name = words.nth(3).unwrap_or("[anonymous]").to_owned();
        let hexadecimal = |text| u64::from_str_radix(text, 16).ok();
        // The kernel's own pages hold nothing of the process, and cannot all be read.
        let is_readable = modes.starts_with('r') && !name.starts_with("[v");
        Some(Self { start: hexadecimal(start)?, end: hexadecimal(end)?, is_readable, name })
    }

    /// Reads page runs of 1 MiB that overlap, so that no copy hides on a border.
    fn read(&self, memory: &File, search: &Search, look: &mut Look) {
        const STEP: u64 = 1 << 20;
        const OVERLAP: u64 = 4096;
        let mut buffer = vec![0; usize::try_from(STEP + OVERLAP).unwrap()];
        let mut at = self.start;
        while at < self.end {
            let length = usize::try_from((self.end - at).min(STEP + OVERLAP)).unwrap();
            let buffer = &mut buffer[..length];
            if memory.read_exact_at(buffer, at).is_err() {
                look.unreadable.push(format!("{:x}-{:x} {}", self.start, self.end, self.name));
                return;
            }
            look.read += length as u64;
            for Copy { offset, length, form } in search.copies(buffer) {
                let hit = Hit { address: at + offset as u64, length, form, mapping: self.name.clone() };
                let known =
                    |other: &Hit| other.address + other.length as u64 >= hit.address + hit.length as u64;
                if !look.hits.last().is_some_and(known) {
                    look.hits.push(hit);
                }
            }
            at += STEP;
        }
    }
}

/// A process that stands still for as long as this lives.
struct Stopped(Pid);

impl Stopped {
    fn new(pid: u32) -> io::Result<Self> {
        let stopped = Self(Pid::from_raw(i32::try_from(pid).map_err(io::Error::other)?));
        kill(stopped.0, Signal::SIGSTOP)?;
        let deadline = Instant::now() + PATIENCE;
        // The kernel tells a stop only to the parent, so the state is read until it has come.
        while !is_stopped(pid)? {
            if Instant::now() > deadline {
                return Err(io::Error::other(format!("process {pid} does not stop")));
            }
            thread::sleep(Duration::from_micros(50));
        }
        Ok(stopped)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = kill(self.0, Signal::SIGCONT);
    }
}

fn is_stopped(pid: u32) -> io::Result<bool> {
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let stat = fs::read_to_string(task?.path().join("stat"))?;
        let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
        if state != Some('T') {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The resident memory of a process, in bytes.
pub fn resident(pid: u32) -> u64 {
    status_kib(pid, "VmRSS:") * 1024
}

/// The most that was ever resident, in bytes.
pub fn peak(pid: u32) -> u64 {
    status_kib(pid, "VmHWM:") * 1024
}

fn status_kib(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;
    use crate::{canary, need, require};

    /// A shell that waits on its input with the key in one of its variables.
    fn planted(key: &str) -> Child {
        let mut child = Command::new("sh")
            .args(["-c", "read key; echo got; read never"])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        io::Write::write_all(child.stdin.as_mut().unwrap(), format!("{key}\n").as_bytes()).unwrap();
        io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0; 4]).unwrap();
        child
    }

    #[test]
    fn finds_what_was_planted_in_a_child_and_nothing_else() {
        need!(require::root());
        let (key, other) = (canary::key(), canary::key());
        let mut child = planted(&key);
        let found = look(child.id(), &Search::new([key.as_str()])).unwrap();
        let none = look(child.id(), &Search::new([other.as_str()])).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found.hits.iter().any(|hit| hit.length == 91 && hit.mapping == "[heap]"), "{found:?}");
        assert!(none.hits.is_empty() && none.read > 100_000, "{none:?}");
    }

    #[test]
    fn a_process_goes_on_after_a_look() {
        need!(require::root());
        let mut child = planted("x");
        look(child.id(), &Search::new([canary::key().as_str()])).unwrap();
        drop(child.stdin.take());
        assert!(child.wait().unwrap().code().is_some());
    }
}
