//! Programs under test: what they write is kept in files for the canary search, and can be waited for.

use std::{
    fs::File,
    io::{Read, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{
    isolation,
    wait::{self, PATIENCE, Watched},
};

/// How a program ended, and what it wrote.
#[derive(Debug, Clone)]
pub struct Output {
    /// Its exit code; 128 and the signal if one ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// Fails the test unless the program ended with `code`.
    #[track_caller]
    pub fn exited(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\nstdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Standard output as JSON; fails the test if it is none.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in {:?}\nstderr: {}", self.stdout, self.stderr))
    }
}

/// A stream of a program that is read as it comes.
#[derive(Debug, Clone)]
struct Captured(Arc<Watched<(String, bool)>>);

impl Captured {
    fn start(mut from: impl Read + Send + 'static, mut file: File) -> (Self, JoinHandle<()>) {
        let captured = Self(Arc::default());
        let shared = Arc::clone(&captured.0);
        let reader = thread::spawn(move || {
            let mut buffer = [0; 16 * 1024];
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                file.write_all(&buffer[..count]).expect("room for a log");
                let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
                shared.change(|(all, _)| all.push_str(&text));
            }
            shared.change(|(_, ended)| *ended = true);
        });
        (captured, reader)
    }
}

/// A running program. Killed when dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    name: String,
    stdin: Option<ChildStdin>,
    stdout: Captured,
    stderr: Captured,
    readers: Vec<JoinHandle<()>>,
    /// How much of standard output was handed out as lines.
    told: usize,
}

impl Program {
    /// Starts it; its output goes to `LOG.out` and `LOG.err`, too.
    #[track_caller]
    pub fn start(mut command: Command, log: &Path) -> Self {
        isolation::assert_looks_at_no_foreign_process(&command);
        let name = format!("{command:?}");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let file = |kind| File::create(log.with_extension(kind)).expect("a log file");
        let (stdout, out) = Captured::start(child.stdout.take().expect("a pipe"), file("out"));
        let (stderr, err) = Captured::start(child.stderr.take().expect("a pipe"), file("err"));
        Self { stdin: child.stdin.take(), child, name, stdout, stderr, readers: vec![out, err], told: 0 }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Writes to its standard input.
    pub fn write(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("its input was not closed");
        // A program that ended already says so by its code.
        let _ = stdin.write_all(bytes).and_then(|()| stdin.flush());
    }

    /// Closes its standard input.
    pub fn close_input(&mut self) {
        self.stdin = None;
    }

    /// The next line of its standard output; fails the test if it ends first.
    #[track_caller]
    pub fn line(&mut self) -> String {
        self.line_within(PATIENCE)
    }

    #[track_caller]
    fn line_within(&mut self, patience: Duration) -> String {
        let told = self.told;
        let line = self.stdout.0.wait_within(patience, |(all, ended)| {
            let rest = &all[told..];
            match rest.find('\n') {
                Some(end) => Some(Some(rest[..end].to_owned())),
                None => ended.then_some(None),
            }
        });
        let line = line.unwrap_or_else(|| panic!("waited {patience:?} in vain for a line of {}", self.name));
        let errors = || self.stderr.0.lock().0.clone();
        let line = line.unwrap_or_else(|| panic!("{} ended its output\nstderr: {}", self.name, errors()));
        self.told += line.len() + 1;
        line
    }

    /// Reads lines of JSON until one says what is `wanted`; fails the test if none does in time, however many
    /// come.
    #[track_caller]
    pub fn json_until(&mut self, wanted: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        self.json_within(PATIENCE, wanted)
    }

    /// The same, with more patience.
    #[track_caller]
    pub fn json_within(
        &mut self,
        patience: Duration,
        wanted: impl Fn(&serde_json::Value) -> bool,
    ) -> serde_json::Value {
        let deadline = Instant::now() + patience;
        loop {
            let line = self.line_within(deadline.saturating_duration_since(Instant::now()));
            let value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line:?}"));
            if wanted(&value) {
                return value;
            }
            assert!(Instant::now() < deadline, "waited {patience:?} in vain; the last line was {line}");
        }
    }

    /// Waits until its standard error holds `text`.
    pub fn wait_for_error(&self, text: &str) {
        self.stderr
            .0
            .wait(&format!("{text:?} of {}", self.name), |(all, _)| all.contains(text).then_some(()));
    }

    /// Its standard output so far.
    pub fn stdout(&self) -> String {
        self.stdout.0.lock().0.clone()
    }

    /// Its standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.0.lock().0.clone()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(self.child.id().cast_signed());
        nix::sys::signal::kill(pid, signal).expect("a running program");
    }

    /// Closes its input, waits for its end and for the end of its output.
    #[track_caller]
    pub fn finish(mut self) -> Output {
        self.stdin = None;
        let code = self.wait();
        let deadline = Instant::now() + PATIENCE;
        for stream in [&self.stdout, &self.stderr] {
            let left = deadline.saturating_duration_since(Instant::now());
            // A daemon that inherited the stream would keep it open: that is a bug of its own.
            let ended = stream.0.wait_within(left, |(_, ended)| ended.then_some(()));
            assert!(ended.is_some(), "{} ended, but its output stays open", self.name);
        }
        for reader in self.readers.drain(..) {
            reader.join().expect("a reader");
        }
        let text = |stream: &Captured| stream.0.lock().0.clone();
        Output { code, stdout: text(&self.stdout), stderr: text(&self.stderr) }
    }

    /// Waits for its end; its code, or 128 and its signal.
    #[track_caller]
    pub fn wait(&mut self) -> i32 {
        wait::process_exit(self.child.id());
        let status = self.child.wait().expect("its status");
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        status.code().or_else(|| signal.map(|signal| 128 + signal)).expect("a code or a signal")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
