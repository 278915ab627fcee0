//! Who is on this machine, and what a program gets that runs as one of them.
#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use std::process::Command;

use claudectl_platform::users::{Daemon, User, all, become_user, is_administrator, of, running};

#[test]
fn every_home_belongs_to_its_user_and_no_user_comes_twice() {
    let users = all().unwrap();
    let mut numbers: Vec<_> = users.iter().map(|user| user.uid).collect();
    numbers.dedup();
    assert_eq!(numbers.len(), users.len());
    for user in &users {
        assert_ne!(user.home.as_os_str(), "/", "{user:?}");
    }
    let own = rustix::process::geteuid().as_raw();
    let has_home = std::env::var_os("HOME").is_some_and(|home| std::path::Path::new(&home).is_dir());
    if has_home && own == 0 {
        assert!(users.iter().any(|user| user.uid == 0), "root is one of them: {users:?}");
    }
}

#[test]
fn a_program_that_runs_as_a_user_has_nothing_of_ours() {
    if !is_administrator() {
        eprintln!("SKIPPED: needs root");
        return;
    }
    let home = tempfile::tempdir_in("/tmp").unwrap();
    let user = User { name: "somebody".into(), uid: 64_123, gid: 64_124, home: home.path().to_owned() };
    std::os::unix::fs::chown(home.path(), Some(user.uid), Some(user.gid)).unwrap();
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "id -u; id -g; id -G; pwd; env; cat /etc/shadow 2>/dev/null | head -c 1"]);
    command.env("ANTHROPIC_API_KEY", "of-the-administrator");
    become_user(&mut command, &user).unwrap();
    let output = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let lines: Vec<_> = output.lines().collect();
    assert_eq!(lines[..3], ["64123", "64124", "64124"]);
    assert_eq!(lines[3], home.path().to_str().unwrap());
    assert!(!output.contains("of-the-administrator") && !output.contains("root"), "{output}");
}

/// A program at a terminal can type into it (`TIOCSTI`), and the user may do with this one as they like.
#[test]
fn a_program_that_runs_as_a_user_reaches_no_terminal_and_becomes_nobody_else() {
    let home = tempfile::tempdir_in("/tmp").unwrap();
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let user = User { name: "somebody".into(), uid, gid, home: home.path().to_owned() };
    let mut command = Command::new("/bin/sh");
    command.args([
        "-c",
        "(: </dev/tty) 2>/dev/null && echo reached; cut -d' ' -f6 /proc/$$/stat; echo $$; grep NoNewPrivs /proc/$$/status",
    ]);
    become_user(&mut command, &user).unwrap();
    // Where the tests run at a terminal, it is there to be reached.
    let output = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let lines: Vec<_> = output.lines().collect();
    assert!(!output.contains("reached"), "{output}");
    assert_eq!(lines[0], lines[1], "a session of its own");
    if cfg!(target_os = "linux") {
        assert_eq!(lines[2], "NoNewPrivs:\t1");
    }
}

#[test]
fn who_runs_a_program_is_known() {
    let mut child = Command::new("/bin/sleep").arg("60").spawn().unwrap();
    // It may not have its name yet.
    let ours = loop {
        let found = running("sleep").unwrap();
        if let Some(ours) = found.into_iter().find(|found| found.pid == child.id()) {
            break ours;
        }
        std::thread::yield_now();
    };
    assert_eq!((ours.uid, of(ours).uid), (rustix::process::getuid().as_raw(), ours.uid));
    child.kill().unwrap();
    // It is there until it is waited for, and does not count.
    let is_gone = || running("sleep").unwrap().iter().all(|found| found.pid != child.id());
    while !is_gone() {
        std::thread::yield_now();
    }
    child.wait().unwrap();
    let nobody = of(Daemon { pid: 1, uid: 64_999, gid: 64_998 });
    assert_eq!(
        (nobody.name.as_str(), nobody.gid, nobody.home.as_os_str().is_empty()),
        ("64999", 64_998, true)
    );
}
