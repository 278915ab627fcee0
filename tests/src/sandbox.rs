//! A place of its own for every test: home, runtime and configuration directories, a cleared
//! environment, its own daemon. Nothing in it touches the invoking user.

mod binaries;
mod leftovers;

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs,
    os::unix::{
        fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
        net::{UnixDatagram, UnixStream},
    },
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

pub use binaries::{binary, directory as binaries};
use nix::sys::{
    signal::{Signal, kill},
    socket::{getsockopt, sockopt::PeerCredentials},
};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    canary::{self, Search},
    program::{Output, Program},
    upstream::FakeUpstream,
    wait,
};

/// The file that makes a directory a home that tests may use.
const MARKER: &str = ".claudectl-test-home";

/// Fails the test unless a sandbox made this home directory: no test may ever run with another.
#[track_caller]
pub fn assert_private_home(home: &Path) {
    // Root may have given the whole sandbox to another user.
    let user = rustix::process::geteuid();
    let ours = home.join(MARKER).metadata().is_ok_and(|file| user.is_root() || file.uid() == user.as_raw());
    let inherited = std::env::var_os("HOME").is_some_and(|inherited| Path::new(&inherited) == home);
    assert!(ours && !inherited && home.is_absolute(), "{} is not a test's own home", home.display());
}

/// A place of its own.
#[derive(Debug)]
pub struct Sandbox {
    root: TempDir,
    environment: BTreeMap<OsString, OsString>,
    logs: AtomicUsize,
    keys: Mutex<Vec<String>>,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Sandbox {
    /// An empty one. Its path is short, because a socket path has at most 107 bytes.
    pub fn new() -> Self {
        leftovers::remove();
        let root =
            tempfile::Builder::new().prefix(leftovers::PREFIX).tempdir_in("/tmp").expect("room in /tmp");
        let path = |name: &str| root.path().join(name);
        for directory in ["home", "run", "config", "tmp", "log", "work"] {
            fs::DirBuilder::new().mode(0o700).create(path(directory)).expect("a directory");
        }
        fs::write(path("home").join(MARKER), "").expect("a marker");
        leftovers::claim(root.path());
        let environment = [
            ("HOME", path("home").into_os_string()),
            ("XDG_RUNTIME_DIR", path("run").into_os_string()),
            ("XDG_CONFIG_HOME", path("config").into_os_string()),
            ("TMPDIR", path("tmp").into_os_string()),
            ("PATH", "/usr/local/bin:/usr/bin:/bin".into()),
            ("LANG", "C.UTF-8".into()),
            // An audit asks the user's terminals.
            ("TMUX_TMPDIR", path("tmp").into_os_string()),
            // The screen lock of the machine's own user is no business of a test.
            ("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent".into()),
        ];
        let environment = environment.into_iter().map(|(name, value)| (name.into(), value)).collect();
        Self { root, environment, logs: AtomicUsize::new(0), keys: Mutex::default() }
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Its home directory.
    pub fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// The directory of the daemon's sockets.
    pub fn sockets(&self) -> PathBuf {
        self.path("run/claudectl")
    }

    /// The daemon's control socket.
    pub fn control_socket(&self) -> PathBuf {
        self.sockets().join("claudectld.sock")
    }

    /// The daemon's configuration file.
    pub fn configuration(&self) -> PathBuf {
        self.path("config/claudectl/config.toml")
    }

    /// Writes the daemon's configuration file.
    pub fn configure(&self, toml: &str) {
        let path = self.configuration();
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, toml).expect("a file");
    }

    /// Sets a variable for everything it starts from now on.
    pub fn set(&mut self, name: &str, value: impl AsRef<OsStr>) {
        self.environment.insert(name.into(), value.as_ref().into());
    }

    /// Removes a variable for everything it starts from now on.
    pub fn unset(&mut self, name: &str) {
        self.environment.remove(OsStr::new(name));
    }

    /// The whole environment of everything it starts.
    pub fn environment(&self) -> &BTreeMap<OsString, OsString> {
        &self.environment
    }

    /// A new key, which [`assert_clean`](Self::assert_clean) looks for.
    pub fn key(&self) -> String {
        let key = canary::key();
        self.keys.lock().expect("no panic before").push(key.clone());
        key
    }

    /// Has [`assert_clean`](Self::assert_clean) look for this, too.
    pub fn look_for(&self, secret: &str) {
        self.keys.lock().expect("no panic before").push(secret.to_owned());
    }

    /// The processes of this name that have the home of this sandbox.
    pub fn processes(&self, name: &str) -> Vec<i32> {
        let home = [b"HOME=", self.home().as_os_str().as_encoded_bytes(), b"\0"].concat();
        let is_here = |pid: &i32| {
            let read = |file| fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
            // The kernel keeps 15 bytes of a name.
            let called = read("comm").trim_ascii_end() == &name.as_bytes()[..name.len().min(15)];
            called && read("environ").windows(home.len()).any(|part| part == home)
        };
        let all = fs::read_dir("/proc").expect("the kernel's list").flatten();
        all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_here).collect()
    }

    /// A search for every key of this sandbox.
    pub fn search(&self) -> Search {
        Search::new(self.keys.lock().expect("no panic before").iter().map(String::as_str))
    }

    /// A program in this place: our own by its name, another by its path.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        assert_private_home(Path::new(&self.environment[OsStr::new("HOME")]));
        let program = program.as_ref();
        let path = if Path::new(program).is_absolute() { program.into() } else { binary(program) };
        let mut command = Command::new(path);
        command.env_clear().envs(&self.environment).current_dir(self.path("work"));
        command
    }

    /// Starts a command of this place; what it writes is kept.
    #[track_caller]
    pub fn start(&self, command: Command) -> Program {
        let number = self.logs.fetch_add(1, Ordering::Relaxed);
        Program::start(command, &self.path(&format!("log/{number:04}")))
    }

    /// Runs `claudectl` with nothing on its input.
    #[track_caller]
    pub fn ctl(&self, arguments: &[&str]) -> Output {
        self.ctl_with(arguments, b"")
    }

    /// Runs `claudectl` with this input.
    #[track_caller]
    pub fn ctl_with(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut command = self.command("claudectl");
        command.args(arguments);
        let mut program = self.start(command);
        program.write(input);
        program.finish()
    }

    /// What the record says of this event, once it says anything: its writer is a thread of its own.
    #[track_caller]
    pub fn recorded(&self, event: &str) -> Vec<Value> {
        let deadline = Instant::now() + wait::PATIENCE;
        loop {
            let log = self.ctl(&["log", "--json", "--lines", "0"]).exited(0).json();
            let entries = log["entries"].as_array().expect("a list").iter();
            let found: Vec<_> = entries.filter(|entry| entry["event"] == event).cloned().collect();
            if !found.is_empty() {
                return found;
            }
            assert!(Instant::now() < deadline, "no {event} in {log}");
        }
    }

    /// Logs `account` in at `upstream` with this key, which has to work.
    #[track_caller]
    pub fn login(&self, account: &str, key: &str, upstream: &FakeUpstream) -> Output {
        let url = upstream.url();
        self.ctl_with(&["login", account, "--api-key", "--upstream", &url], key.as_bytes()).exited(0)
    }

    /// Starts `claudectld` and waits until it says that it is ready.
    #[track_caller]
    pub fn daemon(&self) -> Program {
        self.daemon_with(self.command("claudectld"))
    }

    /// As [`daemon`](Self::daemon), from a command with arguments or variables of its own.
    #[track_caller]
    pub fn daemon_with(&self, mut command: Command) -> Program {
        let path = self.path("tmp/notify");
        let _ = fs::remove_file(&path);
        let notify = UnixDatagram::bind(&path).expect("a socket");
        // For a daemon of another user, too; the directory is private.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("our own socket");
        let program = self.start({
            command.env("NOTIFY_SOCKET", &path);
            command
        });
        let mut message = [0; 4096];
        loop {
            let told = wait::readable(&notify, wait::PATIENCE).expect("poll");
            assert!(told, "the daemon is not ready\nstderr: {}", program.stderr());
            let count = notify.recv(&mut message).expect("a message");
            if String::from_utf8_lossy(&message[..count]).lines().any(|line| line == "READY=1") {
                return program;
            }
        }
    }

    /// The process that listens at the control socket, if any.
    pub fn daemon_pid(&self) -> Option<u32> {
        listener(&self.control_socket())
    }

    /// Fails the test if a key of this sandbox is in any file of it, or in what the kernel shows of
    /// `processes` (and of the daemon).
    #[track_caller]
    pub fn assert_clean(&self, processes: &[u32]) {
        let search = self.search();
        let mut found = search.files(self.root.path());
        for pid in processes.iter().copied().chain(self.daemon_pid()) {
            found.extend(search.process(pid));
        }
        assert!(found.is_empty(), "a key was found in {found:?}");
    }

    /// Opens the directories for every other user, for the tests that want a kernel check to be the
    /// only one left.
    pub fn open_to_everybody(&self) {
        for path in [self.root.path().to_owned(), self.path("run")] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o777)).expect("our own directory");
        }
        open_below(&self.sockets());
    }
}

fn open_below(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o777)).expect("our own file");
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        open_below(&entry.path());
    }
}

impl Drop for Sandbox {
    /// Ends the daemon that a client started on demand.
    fn drop(&mut self) {
        end_daemon(&self.control_socket());
    }
}

/// Ends the daemon that listens at this socket of a sandbox, if any.
fn end_daemon(socket: &Path) {
    let Some(pid) = listener(socket).filter(|pid| *pid != std::process::id()) else { return };
    let Ok(raw) = i32::try_from(pid) else { return };
    let _ = kill(nix::unistd::Pid::from_raw(raw), Signal::SIGKILL);
    wait::process_exit(pid);
}

/// The process that listens at a Unix socket, as the kernel names it.
pub fn listener(path: &Path) -> Option<u32> {
    let stream = UnixStream::connect(path).ok()?;
    let peer = getsockopt(&stream, PeerCredentials).ok()?;
    u32::try_from(peer.pid()).ok().filter(|pid| *pid != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_real_home_is_refused() {
        let home = std::env::var_os("HOME").unwrap_or_else(|| "/".into());
        for home in [Path::new(&home), Path::new("/"), Path::new("/tmp")] {
            assert!(std::panic::catch_unwind(|| assert_private_home(home)).is_err(), "{}", home.display());
        }
        assert_private_home(&Sandbox::new().home());
    }

    #[test]
    fn nothing_of_the_environment_gets_in() {
        let sandbox = Sandbox::new();
        let output = sandbox.start(sandbox.command("/usr/bin/env")).finish().exited(0);
        let names: Vec<_> = output.stdout.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
        assert_eq!(
            names,
            [
                "DBUS_SYSTEM_BUS_ADDRESS",
                "HOME",
                "LANG",
                "PATH",
                "TMPDIR",
                "TMUX_TMPDIR",
                "XDG_CONFIG_HOME",
                "XDG_RUNTIME_DIR"
            ]
        );
    }

    #[test]
    fn a_key_in_a_log_is_found() {
        let sandbox = Sandbox::new();
        let key = sandbox.key();
        let mut command = sandbox.command("/bin/sh");
        command.args(["-c", "read line; echo $line"]);
        let mut program = sandbox.start(command);
        program.write(format!("{key}\n").as_bytes());
        program.finish().exited(0);
        assert!(std::panic::catch_unwind(|| sandbox.assert_clean(&[])).is_err());
    }
}
