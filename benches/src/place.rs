//! A place of its own for everything that is measured: home, runtime and configuration directories
//! that are gone afterwards, and a cleared environment.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{fs::DirBuilderExt as _, net::UnixStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// How long anything may take to come up.
const PATIENCE: Duration = Duration::from_secs(20);

/// A temporary directory, and the environment that names it.
#[derive(Debug)]
pub(crate) struct Place {
    root: TempDir,
}

impl Place {
    /// An empty one, with a path that is short enough for sockets.
    pub(crate) fn new() -> Self {
        let root = tempfile::Builder::new().prefix("ccb-").tempdir_in("/tmp").expect("room in /tmp");
        for directory in ["home", "run", "config"] {
            fs::DirBuilder::new().mode(0o700).create(root.path().join(directory)).expect("a directory");
        }
        Self { root }
    }

    /// A path in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// The same as text.
    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("a plain path").to_owned()
    }

    /// Writes a file in it.
    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(&path, content).expect("a file");
        path
    }

    /// A command in it, silent.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.path("home"))
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
            .current_dir(self.root.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }
}

/// Starts a server, and waits until it listens at `socket`.
pub(crate) fn server(mut command: Command, socket: &Path) -> Option<Running> {
    let running = Running(command.spawn().ok()?);
    wait_until(|| UnixStream::connect(socket).is_ok()).then_some(running)
}

/// A server that is killed when dropped.
#[derive(Debug)]
pub(crate) struct Running(pub(crate) Child);

impl Running {
    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that is gone already is gone as well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether `condition` comes true in time.
pub(crate) fn wait_until(mut condition: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if condition() {
            return true;
        }
        thread::sleep(Duration::from_millis(5));
    }
    false
}

/// Where a program is, if this machine has it.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let own = std::env::var_os("BENCHES_CACHE").map(|cache| PathBuf::from(cache).join("peers/bin"));
    let usual = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin"].map(PathBuf::from);
    own.into_iter().chain(usual).map(|directory| directory.join(program)).find(|path| path.exists())
}

/// A program that `benches/run` has built.
pub(crate) fn built(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from).filter(|path| path.exists())
}

/// Pins this process, and whatever it starts from now on, to the last processor it may use.
pub(crate) fn pin() {
    let allowed = rustix::thread::sched_getaffinity(None).expect("the processors");
    let last = (0..rustix::thread::CpuSet::MAX_CPU).rfind(|cpu| allowed.is_set(*cpu)).expect("a processor");
    let mut set = rustix::thread::CpuSet::new();
    set.set(last);
    rustix::thread::sched_setaffinity(None, &set).expect("our own process");
}
