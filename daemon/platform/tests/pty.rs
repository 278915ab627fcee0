//! A program on a private terminal.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "test code")]

use std::process::Command;

use claudectl_platform::pty::{Pty, Size};

/// Reads until this was shown; all of it.
async fn shown_until(pty: &Pty, text: &str) -> String {
    let mut shown = String::new();
    while !shown.contains(text) {
        let mut bytes = [0; 256];
        let count = pty.read(&mut bytes).await.unwrap();
        assert!(count > 0, "it ended: {shown:?}");
        shown.push_str(str::from_utf8(&bytes[..count]).unwrap());
    }
    shown
}

#[tokio::test]
async fn a_program_leads_a_session_on_a_terminal_of_its_own() {
    let script = "ps -o sid= -p $$ | tr -d ' '; echo $$; tty; stty size; \
                  trap 'stty size; exit 0' WINCH; read line; echo read $line; while :; do sleep 0.01; done";
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    let pty = Pty::lend(&mut command, Size { rows: 40, columns: 123 }).unwrap();
    let mut child = command.spawn().unwrap();
    // It has the other side open, too, for as long as it is there.
    drop(command);
    let shown = shown_until(&pty, "40 123").await;
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines[0], lines[1], "it leads its session: {shown:?}");
    assert!(lines[2].starts_with("/dev/pts/"), "{shown:?}");
    pty.write_all(b"word\n").await.unwrap();
    shown_until(&pty, "read word").await;
    pty.resize(Size { rows: 50, columns: 80 }).unwrap();
    shown_until(&pty, "50 80").await;
    let mut rest = [0; 256];
    while pty.read(&mut rest).await.unwrap() > 0 {}
    assert!(child.wait().unwrap().success());
}
