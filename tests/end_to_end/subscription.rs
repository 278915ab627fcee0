//! `claudectl login --subscription` on a terminal, with a stand-in for the genuine client. With the genuine one:
//! `full subscription`.

use std::{fs, process::Command};

use claudectl_tests::{
    canary,
    sandbox::{Sandbox, binary},
    session::Session,
    terminal::Terminal,
    upstream::FakeUpstream,
};
use nix::sys::signal::Signal;

/// A sandbox in which `claude` is the stand-in, and an account that it can sign in.
struct Place {
    sandbox: Sandbox,
    code: String,
    token: String,
    upstream: FakeUpstream,
}

impl Place {
    fn new() -> Self {
        let mut sandbox = Sandbox::new();
        sandbox.set("CLAUDECTL_CLAUDE", binary("stand-in-client".as_ref()));
        // What the person's shell has of another account is not for the client.
        sandbox.set("ANTHROPIC_API_KEY", sandbox.key());
        let code = sandbox.key()[canary::PREFIX.len()..].to_owned();
        let token = canary::token_of(&code);
        sandbox.look_for(&token);
        let upstream = FakeUpstream::plain([token.as_str()]);
        Self { sandbox, code, token, upstream }
    }

    /// Makes this program the genuine client.
    fn genuine(&mut self, program: &str) {
        self.sandbox.set("CLAUDECTL_CLAUDE", binary(program.as_ref()));
    }

    /// `claudectl login work --subscription`, and then what the shell sees of its terminal.
    fn shell(&self, more: &str) -> Terminal {
        let mut shell: Command = self.sandbox.command("/bin/sh");
        let login = format!(
            "{} login work --subscription --upstream {} {more}",
            self.sandbox.command("claudectl").get_program().display(),
            self.upstream.url()
        );
        shell.args(["-c", &format!("stty cols 80 rows 24; {login}; echo code $?; stty -a; echo over")]);
        Terminal::start(&shell)
    }

    /// Fails the test unless nothing of the token is in what the terminal got, on the disk, or in what the
    /// kernel shows, and the terminal is as it was.
    #[track_caller]
    fn assert_unseen(&self, shown: &str) {
        let search = self.sandbox.search();
        assert!(search.copies(shown.as_bytes()).is_empty(), "{shown}");
        // Rows may end anywhere.
        let joined: String = shown.chars().filter(char::is_ascii_graphic).collect();
        assert!(search.copies(joined.as_bytes()).is_empty(), "{shown}");
        self.sandbox.assert_clean(&[]);
        let modes = shown.rsplit_once("code ").expect("the modes of the terminal").1;
        assert!(modes.contains(" echo ") && modes.contains(" icanon "), "{modes}");
    }

    /// Fails the test unless the directory that the client was shown is gone.
    #[track_caller]
    fn assert_gone(shown: &str) {
        let directory = shown.split_once("configuration ").expect("a directory").1;
        let directory = directory.split_whitespace().next().unwrap();
        assert!(directory.starts_with("/dev/shm/claudectl-login-"), "{directory}");
        assert!(!fs::exists(directory).unwrap(), "{directory} is still there");
    }
}

#[test]
fn the_token_is_never_shown_and_the_account_is_logged_in() {
    let mut place = Place::new();
    let mut terminal = place.shell("--plan max");
    let note = terminal.wait_for("Type yes");
    assert!(note.contains("Anthropic's terms, which you accepted"), "{note}");
    terminal.write("yes\n");
    terminal.wait_for("Paste");
    terminal.write("?");
    terminal.wait_for("size (24, 80)");
    terminal.write(&format!("{}\r", place.code));
    let shown = terminal.wait_for("over\r");
    assert!(shown.contains("code 0"), "{shown}");
    assert!(shown.contains("\u{1b}[38;5;114m✔\u{1b}[4GLong-lived") && shown.contains("sk-ant-[not shown]"));
    assert!(shown.contains("carried []"), "a credential of the shell went to the client: {shown}");
    place.assert_unseen(&shown);
    Place::assert_gone(&shown);
    let status = place.sandbox.ctl(&["status", "--json"]).exited(0).json();
    let account = &status["accounts"][0];
    assert_eq!((&account["kind"], &account["plan"]), (&"subscription".into(), &"max".into()), "{status}");
    place.genuine("session-program");
    let mut session = Session::open(&place.sandbox, &[]);
    assert_eq!(session.message()["status"], 200);
    place.genuine("stand-in-client");
    let seen = place.upstream.messages()[0].credentials();
    assert_eq!(seen, [("Authorization".to_owned(), format!("Bearer {}", place.token))]);
    // The note was accepted for good.
    let mut again = place.shell("");
    again.wait_for("Paste");
    again.write("\u{3}");
    let shown = again.wait_for("over\r");
    assert!(!shown.contains("Type yes"), "{shown}");
    place.sandbox.ctl(&["logout", "--all"]);
    place.assert_unseen(&shown);
}

#[test]
fn the_account_is_for_the_genuine_client_alone() {
    let mut place = Place::new();
    let mut terminal = place.shell("--accept-terms");
    terminal.wait_for("Paste");
    terminal.write(&format!("{}\r", place.code));
    terminal.wait_for("over\r");
    let key = place.sandbox.key();
    let login = ["login", "key", "--offline", "--upstream", &place.upstream.url()];
    place.sandbox.ctl_with(&login, key.as_bytes()).exited(0);
    let program = binary("session-program".as_ref());
    let program = program.to_str().unwrap();
    let refused = |arguments: &[&str]| {
        let refused = place.sandbox.ctl(&[&["run", "--account", "work"], arguments].concat()).exited(2);
        assert!(refused.stderr.contains("for the genuine Claude Code alone"), "{refused:?}");
        assert!(refused.stderr.contains("--account NAME"), "with a hint: {refused:?}");
    };
    refused(&["--", "true"]);
    refused(&["--", program]);
    let other = Session::open(&place.sandbox, &["--account", "key"]);
    let sessions = place.sandbox.ctl(&["sessions", "--json"]).exited(0).json();
    let id = sessions["sessions"][0]["id"].as_str().unwrap();
    place.sandbox.ctl(&["sessions", "--move", id, "work"]).exited(2);
    drop(other);
    // Not even the genuine one, where others could use its session.
    place.genuine("session-program");
    let refused = |flag| {
        let refused = place.sandbox.ctl(&["run", "--account", "work", flag, "--", program]).exited(2);
        assert!(refused.stderr.contains("for the genuine Claude Code alone"), "{refused:?}");
    };
    refused("--tcp");
    refused("--children");
    assert!(place.upstream.messages().is_empty());
}

#[test]
fn control_c_reaches_the_client_and_nothing_is_logged_in() {
    let place = Place::new();
    let mut terminal = place.shell("--accept-terms");
    terminal.wait_for("Paste");
    terminal.write("TEST\u{3}");
    let shown = terminal.wait_for("over\r");
    assert!(shown.contains("cancelled") && shown.contains("code 1"), "{shown}");
    place.assert_unseen(&shown);
    Place::assert_gone(&shown);
    assert_eq!(place.sandbox.ctl(&["status", "--json"]).exited(0).json()["logged_in"], false);
}

#[test]
fn a_termination_ends_the_client_and_puts_the_terminal_back() {
    let place = Place::new();
    let terminal = place.shell("--accept-terms");
    terminal.wait_for("Paste");
    let client = place.sandbox.processes("claudectl").into_iter().next().expect("a client");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(client), Signal::SIGTERM).unwrap();
    let shown = terminal.wait_for("over\r");
    assert!(shown.contains("signing in was cancelled") && shown.contains("code 1"), "{shown}");
    place.assert_unseen(&shown);
    Place::assert_gone(&shown);
    assert!(place.sandbox.processes("stand-in-client").is_empty());
}

#[test]
fn without_a_terminal_or_without_consent_nothing_is_run() {
    let place = Place::new();
    let refused = place.sandbox.ctl(&["login", "--subscription"]).exited(2);
    assert!(refused.stderr.contains("--accept-terms"), "{refused:?}");
    let mut no = place.shell("");
    no.wait_for("Type yes");
    no.write("no\n");
    let shown = no.wait_for("over\r");
    assert!(shown.contains("code 1") && !shown.contains("stand-in"), "{shown}");
    let refused = place.sandbox.ctl(&["login", "--subscription", "--accept-terms"]).exited(1);
    assert!(refused.stderr.contains("needs a terminal"), "{refused:?}");
}
