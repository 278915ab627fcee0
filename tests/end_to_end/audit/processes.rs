//! Programs that run, in a process namespace of their own: no test looks at the machine's processes.

use std::{
    fs,
    io::Write as _,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    process::Command,
};

use claudectl_tests::{
    isolation::private_processes, need, require, sandbox::Sandbox, seed::write_private, terminal::Terminal,
};
use nix::{sys::stat::Mode, unistd::mkfifo};
use serde_json::Value;

/// Runs the audit with everything; nothing of a credential may be shown.
#[track_caller]
fn full(sandbox: &Sandbox, code: i32) -> Value {
    let output = sandbox.ctl(&["audit", "--json"]).exited(code);
    assert!(sandbox.search().copies(output.stdout.as_bytes()).is_empty(), "{}", output.stdout);
    output.json()
}

fn by_place<'a>(document: &'a Value, place: &str) -> Vec<&'a Value> {
    document["findings"].as_array().unwrap().iter().filter(|one| one["place"] == place).collect()
}

#[test]
fn programs_that_hold_a_credential_are_named() {
    if !need!(private_processes("audit::processes::programs_that_hold_a_credential_are_named")) {
        return;
    }
    let sandbox = Sandbox::new();
    let (key, token) = (sandbox.key(), sandbox.key().replace("api03", "oat01"));
    let sleep = need!(require::program("sleep"));
    let mut other =
        Command::new(&sleep).arg("600").env_clear().env("ANTHROPIC_API_KEY", &key).spawn().unwrap();
    let mut claude = Command::new(&sleep)
        .arg0("claude")
        .arg("600")
        .env_clear()
        .env("CLAUDE_CODE_OAUTH_TOKEN", &token)
        .spawn()
        .unwrap();
    // A session of the daemon holds a capability, which is none.
    let mut session = Command::new(&sleep)
        .arg("600")
        .env_clear()
        .envs([
            ("CLAUDECTL_SESSION", "0a1b"),
            ("ANTHROPIC_AUTH_TOKEN", "0123456789abcdef".repeat(4).as_str()),
        ])
        .spawn()
        .unwrap();
    let document = full(&sandbox, 1);
    let pid = |place: &str| {
        by_place(&document, place)
            .iter()
            .map(|one| one["location"]["pid"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(pid("processes.others"), [u64::from(other.id())], "{document}");
    assert_eq!(pid("processes.claude"), [u64::from(claude.id())], "{document}");
    assert_eq!(by_place(&document, "processes.claude")[0]["cure"], format!("kill {}", claude.id()));
    assert_eq!(document["findings"].as_array().unwrap().len(), 2, "{document}");
    for child in [&mut other, &mut claude, &mut session] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert_eq!(full(&sandbox, 0)["clean"], true);
}

#[test]
fn another_users_programs_are_not_looked_at() {
    need!(require::root());
    if !need!(private_processes("audit::processes::another_users_programs_are_not_looked_at")) {
        return;
    }
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let sleep = need!(require::program("sleep"));
    let mut other = Command::new(sleep)
        .arg("600")
        .env_clear()
        .env("ANTHROPIC_API_KEY", &key)
        .uid(65_534)
        .spawn()
        .unwrap();
    let document = full(&sandbox, 0);
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(document["clean"], true, "{document}");
}

#[test]
fn a_tmux_server_is_asked() {
    if !need!(private_processes("audit::processes::a_tmux_server_is_asked")) {
        return;
    }
    let tmux = need!(require::program("tmux"));
    let sandbox = Sandbox::new();
    let (global, own) = (sandbox.key(), sandbox.key());
    let run =
        |arguments: &[&str]| assert!(sandbox.command(&tmux).args(arguments).status().unwrap().success());
    run(&["new-session", "-d", "-s", "one", "sleep 600"]);
    run(&["set-environment", "-g", "ANTHROPIC_API_KEY", &global]);
    run(&["set-environment", "-t", "one", "ANTHROPIC_API_KEY", &own]);
    let document = full(&sandbox, 1);
    let found = by_place(&document, "environment.tmux");
    assert_eq!(found.len(), 2, "{document}");
    // The cures that it names are right.
    for one in found {
        let cure = one["cure"].as_str().unwrap();
        assert!(sandbox.command("/bin/sh").args(["-c", cure]).status().unwrap().success(), "{cure}");
    }
    assert_eq!(by_place(&full(&sandbox, 0), "environment.tmux").len(), 0);
    run(&["kill-server"]);
}

/// The search waits for a user manager, which answers when it was seen that the person is told of it.
#[test]
fn who_watches_is_told_how_far_it_has_got() {
    if !need!(private_processes("audit::processes::who_watches_is_told_how_far_it_has_got")) {
        return;
    }
    let mut sandbox = Sandbox::new();
    write_private(&sandbox.home().join(".bashrc"), b"alias l=ls\n");
    write_private(&sandbox.path("run/systemd/private"), b"");
    let (programs, go) = (sandbox.path("tmp/programs"), sandbox.path("tmp/go"));
    mkfifo(&go, Mode::S_IRWXU).unwrap();
    write_private(&programs.join("systemctl"), format!("#!/bin/sh\nread go < {}\n", go.display()).as_bytes());
    fs::set_permissions(programs.join("systemctl"), fs::Permissions::from_mode(0o700)).unwrap();
    sandbox.set("PATH", format!("{}:/usr/bin:/bin", programs.display()));
    let mut command = sandbox.command("claudectl");
    command.arg("audit");
    let mut terminal = Terminal::start(&command);
    terminal.wait_for(" MB looked at");
    // Also if nobody reads it any more: a manager that takes its time is a gap.
    fs::File::options().read(true).write(true).open(go).unwrap().write_all(b"go\n").unwrap();
    assert!([0, 6].contains(&terminal.wait()), "{}", terminal.shown());
}
