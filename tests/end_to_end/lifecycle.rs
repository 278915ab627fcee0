//! The daemon comes, one at a time, and goes without a trace.

use std::{
    fs,
    os::unix::net::{UnixListener, UnixStream},
};

use claudectl_tests::{
    json, need, require,
    sandbox::{Sandbox, binary},
    session::Session,
    upstream::{FakeUpstream, Reply},
};
use nix::sys::signal::Signal;

#[test]
fn fifty_clients_that_start_it_at_once_start_one() {
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let clients: Vec<_> = (0..50)
        .map(|number| {
            let mut command = sandbox.command("claudectl");
            command.args(["login", &format!("account{number}"), "--api-key", "--offline"]);
            let mut program = sandbox.start(command);
            program.write(key.as_bytes());
            program.close_input();
            program
        })
        .collect();
    for client in clients {
        client.finish().exited(0);
    }
    let status = sandbox.ctl(&["status", "--json"]).exited(0).json();
    assert_eq!(json::count(&status["accounts"]), 50, "they all speak to the same one");
    assert_eq!(status["daemon"]["pid"], sandbox.daemon_pid().unwrap());
    sandbox.assert_clean(&[]);
}

#[test]
fn a_client_that_only_looks_starts_nothing() {
    let sandbox = Sandbox::new();
    let status = sandbox.ctl(&["status", "--json"]).exited(0).json();
    assert!(status["daemon"].is_null() && status["safe_to_leave"] == true, "{status}");
    assert_eq!(sandbox.daemon_pid(), None);
}

#[test]
fn a_second_daemon_says_who_runs() {
    let sandbox = Sandbox::new();
    let first = sandbox.daemon();
    let output = sandbox.start(sandbox.command("claudectld")).finish();
    assert_ne!(output.code, 0);
    assert!(output.stderr.contains(&first.pid().to_string()), "{output:?}");
    assert_eq!(sandbox.daemon_pid(), Some(first.pid()));
}

#[test]
fn after_a_kill_the_next_one_takes_the_stale_sockets_away() {
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    let mut first = sandbox.daemon();
    sandbox.login("work", &key, &upstream);
    let mut session = Session::open(&sandbox, &[]);
    let socket = session.socket();
    first.signal(Signal::SIGKILL);
    assert_eq!(first.wait(), 128 + 9);
    assert!(sandbox.control_socket().exists() && socket.exists(), "a killed daemon cleans nothing up");
    assert!(session.message()["error"].is_string(), "nobody answers");

    sandbox.login("work", &key, &upstream);
    assert!(!socket.exists());
    let status = sandbox.ctl(&["status", "--json"]).exited(0).json();
    assert_eq!((json::count(&status["accounts"]), json::count(&status["sessions"])), (1, 0), "{status}");
    sandbox.assert_clean(&[session.pid()]);
}

#[test]
fn a_socket_that_somebody_else_listens_at_is_not_taken_over() {
    let sandbox = Sandbox::new();
    drop(sandbox.daemon());
    fs::remove_file(sandbox.control_socket()).unwrap();
    let _squatter = UnixListener::bind(sandbox.control_socket()).unwrap();
    let output = sandbox.start(sandbox.command("claudectld")).finish();
    assert_ne!(output.code, 0);
    assert!(output.stderr.contains(&std::process::id().to_string()), "{output:?}");
}

fn stops_cleanly(signal: Signal) {
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    let mut daemon = sandbox.daemon();
    sandbox.login("work", &key, &upstream);
    let mut session = Session::open(&sandbox, &[]);
    upstream.next([Reply::held()]);
    assert_eq!(session.open_stream()["status"], 200);
    let socket = session.socket();
    daemon.signal(signal);
    assert_eq!(daemon.wait(), 0);
    upstream.wait_for_cuts(1);
    assert!(session.drain()["end"].as_str().unwrap().starts_with("cut"));
    assert!(!socket.exists() && !sandbox.control_socket().exists());
    let left = sockets_below(&sandbox.sockets());
    assert!(left.is_empty(), "{left:?}");
    let record = sandbox.ctl(&["log"]).exited(0).stdout;
    assert!(record.contains("work because claudectld stopped; 1 session ended"), "{record}");
    sandbox.assert_clean(&[session.pid()]);
}

fn sockets_below(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(sockets_below(&entry.path()));
        } else if std::os::unix::fs::FileTypeExt::is_socket(&kind) {
            found.push(entry.path());
        }
    }
    found
}

#[test]
fn sigterm_cuts_wipes_and_cleans_up() {
    stops_cleanly(Signal::SIGTERM);
}

#[test]
fn sigint_cuts_wipes_and_cleans_up() {
    stops_cleanly(Signal::SIGINT);
}

#[test]
fn a_restart_remembers_nothing() {
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    let mut daemon = sandbox.daemon();
    sandbox.login("work", &key, &upstream);
    daemon.signal(Signal::SIGTERM);
    daemon.wait();
    let _daemon = sandbox.daemon();
    assert_eq!(sandbox.ctl(&["status", "--json"]).exited(0).json()["logged_in"], false);
}

#[test]
fn socket_activation_works_at_the_first_connection() {
    let launcher = need!(require::program("systemd-socket-activate"));
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    fs::create_dir(sandbox.sockets()).unwrap();
    fs::set_permissions(sandbox.sockets(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let mut command = sandbox.command(&launcher);
    command.arg("--listen").arg(sandbox.control_socket());
    for name in sandbox.environment().keys() {
        command.arg("-E").arg(name);
    }
    let activated = sandbox.start({
        command.arg(binary("claudectld".as_ref()));
        command
    });
    // The path is there before anybody listens.
    activated.wait_for_error("Listening on");
    sandbox.login("work", &key, &upstream);
    let status = sandbox.ctl(&["status", "--json"]).exited(0).json();
    assert_eq!(status["daemon"]["pid"], activated.pid(), "the launcher became the daemon");
    let mut session = Session::open(&sandbox, &[]);
    assert_eq!(session.message()["status"], 200);
}

#[test]
fn a_daemon_whose_socket_a_supervisor_took_stops_and_wipes() {
    let launcher = need!(require::program("systemd-socket-activate"));
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    let mut before = sandbox.daemon();
    sandbox.login("work", &key, &upstream);
    let mut session = Session::open(&sandbox, &[]);
    upstream.next([Reply::held()]);
    assert_eq!(session.open_stream()["status"], 200);
    let mut command = sandbox.command(&launcher);
    command.arg("--listen").arg(sandbox.control_socket());
    for name in sandbox.environment().keys() {
        command.arg("-E").arg(name);
    }
    command.arg(binary("claudectld".as_ref()));
    let after = sandbox.start(command);
    after.wait_for_error("Listening on");
    let status = sandbox.ctl(&["status", "--json"]).exited(0).json();
    assert_eq!(status["daemon"]["pid"], after.pid());
    assert_eq!(json::count(&status["accounts"]), 0, "nothing is held where nobody can reach it: {status}");
    assert_eq!(before.wait(), 0);
    after.wait_for_error("is told to stop");
    upstream.wait_for_cuts(1);
    assert!(session.drain()["end"].as_str().unwrap().starts_with("cut"));
    assert!(sandbox.control_socket().exists(), "the supervisor's socket stays");
    sandbox.login("work", &key, &upstream);
    sandbox.assert_clean(&[session.pid()]);
}

#[test]
fn a_handed_over_socket_that_no_client_looks_for_is_refused() {
    let launcher = need!(require::program("systemd-socket-activate"));
    let sandbox = Sandbox::new();
    let elsewhere = sandbox.path("elsewhere.sock");
    let mut command = sandbox.command(&launcher);
    command.arg("--listen").arg(&elsewhere);
    for name in sandbox.environment().keys() {
        command.arg("-E").arg(name);
    }
    command.arg(binary("claudectld".as_ref()));
    let mut refusing = sandbox.start(command);
    refusing.wait_for_error("Listening on");
    let _client = UnixStream::connect(&elsewhere).unwrap();
    refusing.wait_for_error("the supervisor listens on");
    assert_eq!(refusing.wait(), 1);
    assert!(!sandbox.control_socket().exists());
}

#[test]
fn a_bad_configuration_keeps_the_old_one_and_names_the_line() {
    let sandbox = Sandbox::new();
    sandbox.configure("[limits]\naccounts = 1\n");
    let daemon = sandbox.daemon();
    let (one, two) = (sandbox.key(), sandbox.key());
    let offline = |name: &str, key: &str| {
        sandbox.ctl_with(&["login", name, "--api-key", "--offline", "--json"], key.as_bytes())
    };
    offline("one", &one).exited(0);
    assert_eq!(offline("two", &two).exited(1).json()["reason"], "limit-reached");

    sandbox.configure("[limits]\naccounts = 5\nnonsense = 1\n");
    let error = sandbox.ctl(&["reload", "--json"]).exited(1).json();
    assert_eq!(error["reason"], "bad-configuration", "{error}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("config.toml:3") && message.contains("nonsense"), "{error}");
    assert_eq!(offline("two", &two).exited(1).json()["reason"], "limit-reached", "the old one is in force");
    let status = sandbox.ctl(&["status", "--json"]).exited(0).json();
    assert!(status["configuration"]["error"].as_str().unwrap().contains("config.toml:3"), "{status}");

    sandbox.configure("[limits]\naccounts = 2\n");
    daemon.signal(Signal::SIGHUP);
    // The next call is served after the signal: the daemon does one thing after the other. The signal
    // itself may be on its way still, so the status is watched until it says so.
    watch_until(&sandbox, |status| status["configuration"]["error"].is_null());
    offline("two", &two).exited(0);
}

/// Follows `status --watch --json` until it says what is wanted.
fn watch_until(sandbox: &Sandbox, wanted: impl Fn(&serde_json::Value) -> bool) {
    let mut command = sandbox.command("claudectl");
    command.args(["status", "--watch", "--json"]);
    let mut watch = sandbox.start(command);
    watch.json_until(wanted);
}

#[test]
fn sighup_with_a_bad_configuration_keeps_the_old_one() {
    let sandbox = Sandbox::new();
    let daemon = sandbox.daemon();
    sandbox.configure("[limits\n");
    daemon.signal(Signal::SIGHUP);
    watch_until(&sandbox, |status| {
        status["configuration"]["error"].as_str().is_some_and(|error| error.contains("config.toml:1"))
    });
}

#[test]
fn a_daemon_does_not_start_with_a_bad_configuration() {
    let sandbox = Sandbox::new();
    sandbox.configure("log = \"info\"\nunknown = true\n");
    let output = sandbox.start(sandbox.command("claudectld")).finish();
    assert_ne!(output.code, 0);
    assert!(output.stderr.contains("config.toml:2") && output.stderr.contains("unknown"), "{output:?}");
    let output = sandbox.ctl_with(&["login", "--api-key", "--offline"], sandbox.key().as_bytes());
    assert_eq!(output.code, 3, "{output:?}");
    assert!(
        output.stderr.contains("config.toml:2"),
        "the client says why it could not start one: {output:?}"
    );
}

#[test]
fn status_watches_what_happens() {
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    let _daemon = sandbox.daemon();
    let mut command = sandbox.command("claudectl");
    command.args(["status", "--watch", "--json"]);
    let mut watch = sandbox.start(command);
    let mut next = |wanted: &dyn Fn(&serde_json::Value) -> bool| drop(watch.json_until(wanted));
    next(&|status| status["logged_in"] == false);
    sandbox.login("work", &key, &upstream);
    next(&|status| status["logged_in"] == true);
    let session = Session::open(&sandbox, &[]);
    next(&|status| json::count(&status["sessions"]) == 1);
    session.finish().exited(0);
    next(&|status| json::count(&status["sessions"]) == 0);
    sandbox.ctl(&["logout"]).exited(0);
    next(&|status| status["logged_in"] == false);
}
