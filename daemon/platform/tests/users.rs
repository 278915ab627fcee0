//! Who is on this machine, and what a program gets that runs as one of them.
#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use std::process::Command;

use claudectl_platform::users::{User, all, become_user, is_administrator};

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
