//! A session is its process: it begins and ends with it, and belongs to nobody else.

use claudectl_tests::{
    json,
    sandbox::{Sandbox, binary},
    session::{Session, message},
    terminal::Terminal,
    upstream::{FakeUpstream, Reply},
    wait,
};
use nix::sys::signal::Signal;

/// A sandbox with an account that works.
fn logged_in() -> (Sandbox, FakeUpstream) {
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    sandbox.login("work", &key, &upstream);
    (sandbox, upstream)
}

fn only_session(sandbox: &Sandbox) -> serde_json::Value {
    let sessions = sandbox.ctl(&["sessions", "--json"]).exited(0).json();
    assert_eq!(json::count(&sessions["sessions"]), 1, "{sessions}");
    sessions["sessions"][0].clone()
}

#[test]
fn the_program_takes_the_place_of_the_client() {
    let (sandbox, _upstream) = logged_in();
    let mut session = Session::open(&sandbox, &[]);
    let environment = session.environment();
    assert_eq!(environment["pid"], session.pid(), "no wrapper stays");
    assert_eq!(only_session(&sandbox)["pid"], session.pid());
    let name = std::fs::read_to_string(format!("/proc/{}/comm", session.pid())).unwrap();
    assert_eq!(name.trim(), "session-program");
    sandbox.assert_clean(&[session.pid()]);
}

#[test]
fn its_exit_code_is_the_code() {
    let (sandbox, _upstream) = logged_in();
    sandbox.ctl(&["run", "--", "sh", "-c", "exit 42"]).exited(42);
    sandbox.ctl(&["run", "--", "no-such-program-at-all"]).exited(127);
    sandbox.ctl(&["run", "--", "/etc/passwd"]).exited(126);
    let signalled = sandbox.ctl(&["run", "--", "sh", "-c", "kill -TERM $$"]);
    assert_eq!(signalled.code, 128 + 15);
}

#[test]
fn without_an_account_nothing_runs() {
    let sandbox = Sandbox::new();
    let output = sandbox.ctl(&["run", "--", "sh", "-c", "echo ran"]).exited(5);
    assert!(output.stdout.is_empty() && output.stderr.contains("claudectl login"), "{output:?}");
}

#[test]
fn what_would_pay_instead_is_removed_and_told_once() {
    let (mut sandbox, upstream) = logged_in();
    let stray = sandbox.key();
    let removed = [
        "ANTHROPIC_API_KEY",
        "CLAUDE_CODE_OAUTH_REFRESH_TOKEN",
        "CLAUDE_CODE_USE_BEDROCK",
        "ANTHROPIC_CUSTOM_HEADERS",
    ];
    for name in removed {
        sandbox.set(name, &stray);
    }
    sandbox.set("UNRELATED", "stays");
    let status = sandbox.ctl(&["status", "--json"]).exited(0).json();
    for name in removed {
        json::by(&status["environment"], "name", name);
    }
    let mut session = Session::open(&sandbox, &[]);
    let variables = session.environment()["variables"].clone();
    for name in removed {
        assert!(variables[name].is_null(), "{name} is still there");
        assert_eq!(session.stderr().matches(name).count(), 1, "{name} in {:?}", session.stderr());
    }
    assert_eq!(variables["UNRELATED"], "stays");
    session.message();
    assert!(!format!("{:?}", upstream.messages()).contains(&stray));
    sandbox.assert_clean(&[session.pid()]);
}

/// The socket goes when the process does; the daemon is told by the kernel.
fn ends_with(end: impl FnOnce(&mut Session)) {
    let (sandbox, upstream) = logged_in();
    let mut session = Session::open(&sandbox, &[]);
    let socket = session.socket();
    assert!(socket.exists());
    upstream.next([Reply::held()]);
    session.open_stream();
    end(&mut session);
    wait::path_presence(&socket, false);
    upstream.wait_for_cuts(1);
    let sessions = sandbox.ctl(&["sessions", "--json"]).exited(0).json();
    assert_eq!(json::count(&sessions["sessions"]), 0, "{sessions}");
}

#[test]
fn it_ends_when_its_process_exits() {
    ends_with(|session| session.begin(&serde_json::json!({"do": "exit", "code": 0})));
}

#[test]
fn it_ends_when_its_process_is_killed() {
    ends_with(|session| session.program().signal(Signal::SIGKILL));
}

#[test]
fn it_ends_when_its_terminal_closes_though_its_process_goes_on() {
    let (sandbox, _upstream) = logged_in();
    let mut shell = sandbox.command("/bin/sh");
    let run = sandbox.command("claudectl").get_program().to_owned();
    // The program ignores the hang-up and sits in the background: only the end of the leader tells.
    let inner = "trap '' HUP; echo socket=$ANTHROPIC_UNIX_SOCKET; read -r never < \"$HOME/pipe\"";
    shell
        .args(["-c", "trap '' HUP; mkfifo $HOME/pipe; \"$0\" run -- sh -c \"$1\" & echo child=$!; wait"])
        .arg(run)
        .arg(inner);
    let mut terminal = Terminal::start(&shell);
    let shown = terminal.wait_for_line("socket=");
    let socket = std::path::PathBuf::from(shown);
    let child: u32 = terminal.wait_for_line("child=").parse().unwrap();
    assert!(socket.exists());
    terminal.kill_leader();
    wait::path_presence(&socket, false);
    assert!(std::path::Path::new(&format!("/proc/{child}")).exists(), "the process itself went on");
    std::fs::write(sandbox.home().join("pipe"), "\n").unwrap();
    wait::process_exit(child);
}

#[test]
fn a_child_process_is_refused_and_recorded() {
    let (sandbox, upstream) = logged_in();
    let mut session = Session::open(&sandbox, &[]);
    let answer = session.ask(&message("child"));
    assert_eq!(answer["status"], 403, "{answer}");
    let body: serde_json::Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&body["type"], &body["error"]["type"]),
        (&"error".into(), &"permission_error".into()),
        "{body}"
    );
    assert!(body["error"]["message"].as_str().unwrap().contains("--children"), "{body}");
    assert_eq!(upstream.messages().len(), 0);
    assert_eq!(only_session(&sandbox)["refused_peers"], 1);
    assert_eq!(session.message()["status"], 200, "the session itself still works");
}

#[test]
fn a_child_process_is_served_if_asked_for() {
    let (sandbox, _upstream) = logged_in();
    let mut session = Session::open(&sandbox, &["--children"]);
    assert_eq!(session.ask(&message("child"))["status"], 200);
    assert_eq!(session.message()["status"], 200);
}

#[test]
fn children_does_not_mean_everybody() {
    let (sandbox, _upstream) = logged_in();
    let mut session = Session::open(&sandbox, &["--children"]);
    let socket = session.socket();
    // This test is no descendant of the session.
    let answer = claudectl_tests::session::ask_socket(&socket, "GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

#[test]
fn another_session_is_somebody_else() {
    let (sandbox, upstream) = logged_in();
    let mut one = Session::open(&sandbox, &[]);
    let socket = one.socket();
    let mut command = sandbox.command(binary("session-program".as_ref()));
    command.env("ANTHROPIC_UNIX_SOCKET", socket).env("ANTHROPIC_BASE_URL", "http://claudectl.invalid");
    let mut other = sandbox.start(command);
    other.write(format!("{}\n", message("request")).as_bytes());
    let answer: serde_json::Value = serde_json::from_str(&other.line()).unwrap();
    assert_eq!(answer["status"], 403, "{answer}");
    assert_eq!(upstream.messages().len(), 0);
}

#[test]
fn ending_it_cuts_its_streams_for_good() {
    let (sandbox, upstream) = logged_in();
    let mut session = Session::open(&sandbox, &[]);
    upstream.next([Reply::held()]);
    session.open_stream();
    let id = only_session(&sandbox)["id"].as_str().unwrap().to_owned();
    let told = sandbox.ctl(&["end", &id, "--json"]).exited(0).json();
    assert_eq!(told["session"]["id"], id.as_str());
    assert!(session.drain()["end"].as_str().unwrap().starts_with("cut"));
    let answer = session.message();
    assert_eq!(answer["status"], 401, "{answer}");
    assert!(answer["body"].as_str().unwrap().contains("claudectl end"), "{answer}");
    // A new login does not open it again.
    let key = sandbox.key();
    upstream.accept(&key);
    sandbox.login("work", &key, &upstream);
    assert_eq!(session.message()["status"], 401);
    sandbox.ctl(&["end", "deadbeef"]).exited(1);
}

#[test]
fn over_tcp_the_capability_is_the_ticket() {
    let (sandbox, upstream) = logged_in();
    let mut session = Session::open(&sandbox, &["--tcp"]);
    let variables = session.environment()["variables"].clone();
    assert!(variables["ANTHROPIC_UNIX_SOCKET"].is_null(), "{variables}");
    let base = variables["ANTHROPIC_BASE_URL"].as_str().unwrap();
    assert!(base.starts_with("http://127.0.0.1:"), "{base}");
    assert_eq!(session.message()["status"], 200);
    let mut without = message("request");
    without["credential"] = false.into();
    let answer = session.ask(&without);
    assert!(answer["status"] == 401 || answer["status"] == 403, "{answer}");
    without["fields"] = serde_json::json!([["authorization", "Bearer ssh-placeholder"]]);
    let answer = session.ask(&without);
    assert!(answer["status"] == 401 || answer["status"] == 403, "{answer}");
    assert_eq!(upstream.messages().len(), 1);
    let sent = format!("{:?}", upstream.messages());
    let capability = variables["ANTHROPIC_AUTH_TOKEN"].as_str().unwrap();
    assert!(!sent.contains(capability), "the capability stays here");
    sandbox.assert_clean(&[session.pid()]);
}

#[test]
fn over_tcp_a_port_dies_with_its_process() {
    let (sandbox, _upstream) = logged_in();
    let mut session = Session::open(&sandbox, &["--tcp"]);
    let base = session.environment()["variables"]["ANTHROPIC_BASE_URL"].as_str().unwrap().to_owned();
    let address: std::net::SocketAddr =
        base.trim_start_matches("http://").split('/').next().unwrap().parse().unwrap();
    assert!(std::net::TcpStream::connect(address).is_ok());
    let mut command = sandbox.command("claudectl");
    command.args(["status", "--watch", "--json"]);
    let mut watch = sandbox.start(command);
    session.finish().exited(0);
    watch.json_until(|status| status["sessions"] == serde_json::json!([]));
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn on_a_terminal_a_login_is_offered_and_may_be_declined() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("claudectl");
    command.args(["run", "--", "echo", "it", "ran"]);
    let mut terminal = Terminal::start(&command);
    terminal.wait_for("Log in now?");
    terminal.write("n\n");
    assert_eq!(terminal.wait(), 5);
    assert!(!terminal.shown().contains("it ran"), "{}", terminal.shown());
}

/// The stand-in as a program, as other languages use it.
#[test]
fn the_fake_upstream_serves_as_a_program() {
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let mut fake = sandbox.start(sandbox.command("fake-upstream"));
    fake.write(format!("{key}\n\n").as_bytes());
    let url = fake.line();
    let login = ["login", "--api-key", "--upstream", &url];
    sandbox.ctl_with(&login, sandbox.key().as_bytes()).exited(1);
    sandbox.ctl_with(&login, key.as_bytes()).exited(0);
}
