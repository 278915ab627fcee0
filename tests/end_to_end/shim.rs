//! `claude`, the shim: words that mean the daemon, everything else untouched. The genuine client is
//! stood in for by a native program of ours; the real one is in `full`.

use std::{fs, os::unix::fs::symlink};

use claudectl_tests::{
    program::{Output, Program},
    sandbox::{Sandbox, binary},
    upstream::FakeUpstream,
};
use serde_json::Value;

struct Place {
    sandbox: Sandbox,
    upstream: FakeUpstream,
    key: String,
}

impl Place {
    fn new() -> Self {
        let mut sandbox = Sandbox::new();
        for directory in ["bin", "genuine"] {
            fs::create_dir(sandbox.path(directory)).unwrap();
        }
        for name in ["claude", "claudectl", "claudectld"] {
            symlink(binary(name.as_ref()), sandbox.path("bin").join(name)).unwrap();
        }
        fs::copy(binary("session-program".as_ref()), sandbox.path("genuine/claude")).unwrap();
        let (bin, genuine) = (sandbox.path("bin"), sandbox.path("genuine"));
        sandbox.set("PATH", format!("{}:{}:/usr/bin:/bin", bin.display(), genuine.display()));
        let key = sandbox.key();
        let upstream = FakeUpstream::plain([key.as_str()]);
        Self { sandbox, upstream, key }
    }

    fn start(&self, arguments: &[&str]) -> Program {
        let mut command = self.sandbox.command(self.sandbox.path("bin/claude"));
        command.args(arguments);
        self.sandbox.start(command)
    }

    #[track_caller]
    fn claude(&self, arguments: &[&str], input: &str) -> Output {
        let mut program = self.start(arguments);
        program.write(input.as_bytes());
        program.finish()
    }

    fn login(&self) {
        self.sandbox.login("work", &self.key, &self.upstream);
    }
}

#[test]
fn login_logout_and_status_mean_the_daemon() {
    let place = Place::new();
    let url = place.upstream.url();
    place.claude(&["login", "work", "--api-key", "--upstream", &url], &place.key).exited(0);
    for words in [&["status", "--json"][..], &["auth", "status", "--json"]] {
        assert_eq!(place.claude(words, "").exited(0).json()["logged_in"], true);
    }
    for words in [&["logout"][..], &["auth", "logout"], &["/logout"]] {
        place.login();
        place.claude(words, "").exited(0);
        assert_eq!(place.sandbox.ctl(&["status", "--json"]).json()["logged_in"], false, "{words:?}");
    }
    place.sandbox.assert_clean(&[]);
}

#[test]
fn anything_else_is_the_genuine_client_as_a_session() {
    let place = Place::new();
    place.login();
    let mut program = place.start(&["-p", "hi", "--model", "x"]);
    program.write(b"{\"do\": \"environment\"}\n");
    let told: Value = serde_json::from_str(&program.line()).unwrap();
    assert_eq!(told["pid"], program.pid(), "no wrapper stays");
    let variables = &told["variables"];
    assert!(variables["ANTHROPIC_UNIX_SOCKET"].is_string(), "{variables}");
    assert_eq!(variables["ANTHROPIC_BASE_URL"], "http://claudectl.invalid");
    let arguments = fs::read(format!("/proc/{}/cmdline", program.pid())).unwrap();
    let words: Vec<_> = arguments.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    assert!(words.windows(4).any(|words| words == ["-p", "hi", "--model", "x"]), "{words:?}");
    let sessions = place.sandbox.ctl(&["sessions", "--json"]).exited(0).json();
    assert_eq!(sessions["sessions"][0]["pid"], program.pid());
    place.sandbox.assert_clean(&[program.pid()]);
}

#[test]
fn not_logged_in_is_said_and_nothing_runs() {
    let place = Place::new();
    let output = place.claude(&["-p", "hi"], "{\"do\": \"environment\"}\n").exited(5);
    assert!(output.stdout.is_empty() && output.stderr.contains("claudectl login"), "{output:?}");
}

#[test]
fn without_the_genuine_client_it_says_so_and_does_not_call_itself() {
    let place = Place::new();
    place.login();
    fs::remove_file(place.sandbox.path("genuine/claude")).unwrap();
    symlink(binary("claude".as_ref()), place.sandbox.path("genuine/claude")).unwrap();
    let output = place.claude(&["-p", "hi"], "").exited(127);
    assert!(output.stderr.contains("not found"), "{output:?}");
}
