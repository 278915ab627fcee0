//! A program of the system that does one thing and ends.

use std::{ffi::OsStr, io, path::Path, process::Stdio, time::Duration};

use tokio::process::Command;

/// Runs it with these arguments, nothing of our environment and nothing to read or write, and waits until it ends;
/// it is killed if it takes longer.
pub(super) async fn run(program: &Path, arguments: &[&OsStr], patience: Duration) -> io::Result<()> {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut running = command.spawn()?;
    let status = tokio::time::timeout(patience, running.wait()).await??;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{}: {status}", program.display()))) }
}

#[cfg(all(test, unix))]
mod tests {
    use std::{fs, future::poll_fn, os::fd::AsRawFd as _, pin::pin, task::Poll};

    use super::*;

    const SHELL: &str = "/bin/sh";
    /// Never waited for.
    const LONG: Duration = Duration::from_mins(5);

    #[tokio::test]
    async fn the_arguments_arrive_as_they_are_and_nothing_else_does() {
        let place = tempfile::tempdir().unwrap();
        let said = place.path().join("said");
        let script = r#"{ printf '<%s>' "$@"; /usr/bin/env; cat; } >"$0""#;
        let body = "1 \"account\" & $HOME `id` \\ \n<b>";
        let arguments = ["-c".as_ref(), script.as_ref(), said.as_os_str(), "a title".as_ref(), body.as_ref()];
        run(Path::new(SHELL), &arguments, LONG).await.unwrap();
        let said = fs::read_to_string(said).unwrap();
        let environment = said.strip_prefix(&format!("<a title><{body}>")).unwrap();
        // What a shell sets by itself.
        let own =
            |line: &&str| !["PWD=", "SHLVL=", "_=", "OLDPWD="].iter().any(|name| line.starts_with(name));
        assert_eq!(environment.lines().filter(own).collect::<Vec<_>>(), [""; 0]);
    }

    #[tokio::test]
    async fn one_that_fails_or_is_not_there_is_an_error() {
        let error = run(Path::new(SHELL), &["-c", "exit 3"].map(OsStr::new), LONG).await.unwrap_err();
        assert!(error.to_string().contains('3'), "{error}");
        let place = tempfile::tempdir().unwrap();
        let missing = run(&place.path().join("missing"), &[], LONG).await.unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn one_that_hangs_is_killed() {
        // Nothing that another test starts meanwhile has it.
        let (lives, ends) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        let script =
            format!("exec >/proc/{}/fd/{}; echo; exec sleep 600", std::process::id(), ends.as_raw_fd());
        let arguments = ["-c", &script].map(OsStr::new);
        let mut running = pin!(run(Path::new(SHELL), &arguments, LONG));
        assert!(poll_fn(|context| Poll::Ready(running.as_mut().poll(context).is_pending())).await);
        let mut byte = [0];
        assert_eq!(rustix::io::read(&lives, &mut byte).unwrap(), 1, "it has the other end");
        tokio::time::pause();
        tokio::time::advance(LONG).await;
        assert_eq!(running.await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(ends);
        // Nobody has it any more.
        assert_eq!(rustix::io::read(&lives, &mut byte).unwrap(), 0);
    }
}
