//! A program on a terminal of its own.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use crate::{
    isolation,
    wait::{self, Watched},
};

/// A terminal, and the program that leads its session.
#[derive(Debug)]
pub struct Terminal {
    side: Option<File>,
    child: Child,
    screen: Arc<Watched<String>>,
}

impl Terminal {
    /// Starts `command` as the leader of a new terminal session (with `setsid --ctty`, which keeps the pid).
    #[track_caller]
    pub fn start(command: &Command) -> Self {
        isolation::assert_looks_at_no_foreign_process(command);
        let side = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a pty");
        grantpt(&side).and_then(|()| unlockpt(&side)).expect("a pty");
        let name = ptsname(&side, Vec::new()).expect("its name").into_string().expect("an ASCII name");
        let open =
            || Stdio::from(File::options().read(true).write(true).open(&name).expect("its other side"));
        let mut leader = Command::new("setsid");
        leader.arg("--ctty").arg(command.get_program()).args(command.get_args()).env_clear();
        leader.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("TERM", "xterm");
        if let Some(directory) = command.get_current_dir() {
            leader.current_dir(directory);
        }
        let child = leader.stdin(open()).stdout(open()).stderr(open()).spawn().expect("setsid runs");
        let side = File::from(side);
        let screen = Arc::new(Watched::new(String::new()));
        let (shared, mut reader) = (Arc::clone(&screen), side.try_clone().expect("a descriptor"));
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while wait::readable(&reader, wait::PATIENCE).unwrap_or(false) {
                let Ok(count @ 1..) = reader.read(&mut buffer) else { return };
                shared.change(|screen| screen.push_str(&String::from_utf8_lossy(&buffer[..count])));
            }
        });
        Self { side: Some(side), child, screen }
    }

    /// The process that leads the session.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Types.
    pub fn write(&mut self, text: &str) {
        self.side.as_mut().expect("an open terminal").write_all(text.as_bytes()).expect("an open terminal");
    }

    /// Waits until `text` was shown.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        let found =
            self.screen.wait_within(wait::PATIENCE, |screen| screen.contains(text).then(|| screen.clone()));
        found.unwrap_or_else(|| panic!("{text:?} was not shown, but: {:?}", self.shown()))
    }

    /// Waits until a line that starts with `start` is complete; the rest of it.
    #[track_caller]
    pub fn wait_for_line(&self, start: &str) -> String {
        let rest = |line: &str| Some(line.strip_prefix(start)?.strip_suffix('\n')?.trim_end().to_owned());
        let found =
            self.screen.wait_within(wait::PATIENCE, |screen| screen.split_inclusive('\n').find_map(rest));
        found.unwrap_or_else(|| panic!("no line {start:?} was shown, but: {:?}", self.shown()))
    }

    /// Waits until the terminal shows no longer what is typed.
    #[track_caller]
    pub fn wait_for_hidden_input(&self) {
        let side = self.side.as_ref().expect("an open terminal");
        let deadline = Instant::now() + wait::PATIENCE;
        // Nothing tells that a mode of a terminal has changed.
        while tcgetattr(side).expect("a terminal").local_modes.contains(LocalModes::ECHO) {
            assert!(Instant::now() < deadline, "the input is not hidden: {:?}", self.shown());
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Everything that was shown so far.
    pub fn shown(&self) -> String {
        self.screen.lock().clone()
    }

    /// Waits for the end of the program; its code, or 128 and its signal.
    pub fn wait(&mut self) -> i32 {
        wait::process_exit(self.child.id());
        let status = self.child.wait().expect("its status");
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        status.code().or_else(|| signal.map(|signal| 128 + signal)).expect("a code or a signal")
    }

    /// Kills the leader, as a terminal that crashes does not even hang up.
    pub fn kill_leader(&mut self) {
        self.child.kill().expect("a running leader");
        self.child.wait().expect("its status");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_has_a_terminal_and_its_pid() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "test -t 0 && echo terminal $$ >/dev/tty; read line; echo read $line; exit 3"]);
        let mut terminal = Terminal::start(&command);
        terminal.wait_for(&format!("terminal {}", terminal.pid()));
        terminal.write("word\n");
        terminal.wait_for("read word");
        assert_eq!(terminal.wait(), 3);
    }
}
