//! A recycled process number is another process (T6).

use std::{fs, process::Command};

use claudectl_tests::{
    isolation::private_processes,
    need,
    sandbox::{Sandbox, binary},
    session::{Session, message},
    upstream::FakeUpstream,
};

/// Starts programs until one gets this number.
fn recycle(
    pid: u32,
    mut start: impl FnMut() -> claudectl_tests::program::Program,
) -> claudectl_tests::program::Program {
    for _ in 0..200 {
        fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()).unwrap();
        let program = start();
        if program.pid() == pid {
            return program;
        }
    }
    panic!("the number {pid} did not come again");
}

#[test]
fn the_number_of_a_finished_session_opens_nothing() {
    if !need!(private_processes("processes::the_number_of_a_finished_session_opens_nothing")) {
        return;
    }
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    // A daemon that stands still learns of the end of the process only when the number is in use again.
    let daemon = sandbox.daemon();
    sandbox.login("work", &key, &upstream);
    let mut session = Session::open(&sandbox, &[]);
    let (pid, socket) = (session.pid(), session.socket());
    daemon.signal(nix::sys::signal::Signal::SIGSTOP);
    session.finish().exited(0);
    let mut impostor = recycle(pid, || {
        let mut command: Command = sandbox.command(binary("session-program".as_ref()));
        command.env("ANTHROPIC_UNIX_SOCKET", &socket).env("ANTHROPIC_BASE_URL", "http://claudectl.invalid");
        sandbox.start(command)
    });
    impostor.write(format!("{}\n", message("request")).as_bytes());
    daemon.signal(nix::sys::signal::Signal::SIGCONT);
    let answer: serde_json::Value = serde_json::from_str(&impostor.line()).unwrap();
    assert!(answer["error"].is_string() || answer["status"] == 403, "{answer}");
    assert_eq!(upstream.messages().len(), 0);
}
