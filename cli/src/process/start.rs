//! Starting the daemon when a command needs it.

use std::{
    ffi::{OsStr, OsString},
    io::{BufRead as _, BufReader, Read as _},
    path::PathBuf,
    process::Child,
    sync::mpsc,
    time::Duration,
};

use claudectl_platform::{
    permissions::{LockError, LockFile},
    process::spawn_detached,
};
use claudectl_proto::endpoint::Endpoints;

use super::search;
use crate::{
    args::{self, Environment},
    error::Error,
    exit::Exit,
};

/// How long a daemon may take until it listens.
const PATIENCE: Duration = Duration::from_secs(15);

/// The most of a daemon's last words that is shown, in bytes.
const LAST_WORDS: u64 = 4096;

/// Variables that the daemon gets. No credential, no provider, nothing of the project that the
/// client happens to stand in.
const PASSED_ON: &[&str] = &[
    "HOME",
    "USERPROFILE",
    "SYSTEMROOT",
    "PATH",
    "LANG",
    "DBUS_SESSION_BUS_ADDRESS",
    "DBUS_SYSTEM_BUS_ADDRESS",
];

/// Makes sure that one client starts the daemon, however many want to.
///
/// # Errors
/// If another one holds the lock for too long, or it cannot be had.
pub fn lock(endpoints: &Endpoints) -> Result<LockFile, Error> {
    let own = std::process::id().to_string();
    LockFile::acquire_within(&endpoints.start_lock(), &own, PATIENCE).map_err(|error| {
        let hint = match &error {
            LockError::Held { .. } => "another client is starting it and does not get on: end that client",
            _ => "look at that directory: claudectl doctor",
        };
        not_started(&error).hint(hint)
    })
}

/// Starts the daemon and waits until it listens. It outlives this process.
///
/// # Errors
/// If it is not found, or what it said instead of that it is ready.
pub fn start(environment: &Environment) -> Result<(), Error> {
    let child = spawn(environment)?;
    wait_until_ready(child, PATIENCE).map(drop)
}

/// Starts the daemon and does not wait.
///
/// # Errors
/// If it is not found or cannot be executed.
pub fn spawn(environment: &Environment) -> Result<Child, Error> {
    let program = find(environment)?;
    let arguments = [OsString::from("--on-demand")];
    spawn_detached(&program, &arguments, &cleaned(environment))
        .map_err(|error| not_started(&format!("{}: {error}", program.display())))
}

/// `claudectld` beside our own program, then where an installation has it, then on `PATH`.
fn find(environment: &Environment) -> Result<PathBuf, Error> {
    let own = args::own_program()?;
    let beside = own.parent().into_iter();
    let installed = beside.flat_map(|bin| [bin.to_owned(), bin.join("../libexec"), bin.join("../../bin")]);
    let directories: Vec<_> = installed.chain(environment.search_path()).collect();
    search::all(OsStr::new("claudectld"), &directories).next().ok_or_else(|| {
        not_started(&"it is neither beside this program nor on PATH").hint("install it again: ./setup")
    })
}

fn cleaned(environment: &Environment) -> Vec<(OsString, OsString)> {
    let passes = |name: &OsStr| {
        name.to_str().is_some_and(|name| PASSED_ON.contains(&name) || name.starts_with("XDG_"))
    };
    environment
        .iter()
        .filter(|(name, _)| passes(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Waits for the line that says that the daemon listens.
///
/// # Errors
/// What it said instead, or that it took too long (then it is ended).
pub fn wait_until_ready(mut child: Child, patience: Duration) -> Result<Child, Error> {
    let stdout = child.stdout.take().ok_or_else(|| not_started(&"it has no stdout"))?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let outcome = BufReader::new(stdout.take(LAST_WORDS)).read_line(&mut line).map(|_| line);
        // If nobody waits any more, nobody wants to know.
        let _ = sender.send(outcome);
    });
    match receiver.recv_timeout(patience) {
        Ok(Ok(line)) if line.trim_end() == "ready" => Ok(child),
        Ok(Ok(line)) => Err(last_words(child, &line)),
        Ok(Err(error)) => Err(not_started(&error)),
        Err(_) => {
            // Whether it could be ended or not: it is not ready.
            let _ = child.kill();
            let _ = child.wait();
            Err(not_started(&format!("it was not ready within {} seconds", patience.as_secs())))
        }
    }
}

/// What a daemon that did not get ready said about it.
fn last_words(mut child: Child, first: &str) -> Error {
    let mut text = first.to_owned();
    if let Some(stderr) = child.stderr.take() {
        // What could be read is shown.
        let _ = stderr.take(LAST_WORDS).read_to_string(&mut text);
    }
    let _ = child.wait();
    let said = text.trim();
    if said.is_empty() {
        not_started(&"it ended without a word")
    } else {
        not_started(&said.replace('\n', "; "))
    }
}

fn not_started(why: &impl std::fmt::Display) -> Error {
    Error::new("claudectld could not be started")
        .because(why)
        .exiting(Exit::NoDaemon)
        .hint("claudectl doctor")
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::Path,
        process::{Command, Stdio},
    };

    use super::*;

    fn daemon(directory: &Path, script: &str) -> Child {
        let path = directory.join("claudectld");
        fs::write(&path, script).unwrap();
        Command::new("sh")
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    #[test]
    fn a_daemon_that_says_ready_is_ready() {
        let directory = tempfile::tempdir().unwrap();
        let child = daemon(directory.path(), "echo ready; exec cat");
        wait_until_ready(child, PATIENCE).unwrap().kill().unwrap();
    }

    #[test]
    fn what_it_says_instead_is_the_error() {
        let directory = tempfile::tempdir().unwrap();
        let child = daemon(directory.path(), "echo 'claudectld: the lock is held' >&2; exit 1");
        let error = wait_until_ready(child, PATIENCE).unwrap_err();
        assert_eq!(error.exit(), Exit::NoDaemon);
        assert!(error.text().contains("the lock is held"), "{}", error.text());
    }

    #[test]
    fn one_that_hangs_is_ended() {
        let directory = tempfile::tempdir().unwrap();
        let child = daemon(directory.path(), "exec sleep 60");
        let error = wait_until_ready(child, Duration::from_millis(50)).unwrap_err();
        assert!(error.text().contains("not ready within"), "{}", error.text());
    }

    #[test]
    fn the_daemon_gets_a_cleaned_environment() {
        let ambient = Environment::from_iter([
            ("HOME", "/home/a"),
            ("XDG_RUNTIME_DIR", "/run/user/7"),
            ("ANTHROPIC_API_KEY", "sk-ant-api03-TEST"),
            ("HTTPS_PROXY", "http://user:secret@proxy"),
            ("LD_PRELOAD", "/tmp/evil.so"),
        ]);
        let names: Vec<_> = cleaned(&ambient).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["HOME", "XDG_RUNTIME_DIR"]);
    }
}
