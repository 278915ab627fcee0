//! T15: `kill -9` of the real `claudectl purge` before every system call of it that could change anything, and
//! while the client that it runs logs out. No file is half written, no leftover holds a credential, and
//! the next run ends as one that was never killed.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use claudectl_tests::{
    isolation::private_processes, need, program::Program, require, sandbox::Sandbox, upstream::FakeUpstream,
    wait,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, mkfifo},
};
use serde_json::{Value, json};

/// One file for each way in which a credential goes: taken out of a file, overwritten, with its file, by the
/// client. `@@` stands for the key.
const FILES: [(&str, &str); 4] = [
    (".bashrc", "alias ll='ls -l'\nexport A=1; export ANTHROPIC_API_KEY=\"@@\"; export B=2\n"),
    (".bash_history", "ls\nANTHROPIC_API_KEY=@@ claude -p hi\ncd\n"),
    (".claude.json", "{\n  \"numStartups\": 3,\n  \"primaryApiKey\": \"@@\"\n}\n"),
    (".claude/backups/.claude.json.backup.1763800000000", "{\"primaryApiKey\":\"@@\"}"),
];

/// What the genuine client's log-out does to files (section 6 of its facts), with stops in it where a test wants
/// them.
const CLIENT: &str = r#"#!/bin/sh
[ "$*" = "auth logout" ] || exit 9
stop() { [ -e "$HOME/../tmp/stop-$1" ] || return; echo $$ > "$HOME/../tmp/stopped.new"
  mv "$HOME/../tmp/stopped.new" "$HOME/../tmp/stopped"; read go < "$HOME/../tmp/go"; }
stop before
rm -f "$HOME/.claude/.credentials.json"
stop after
echo 'Successfully logged out from your Anthropic account.'
"#;

type Tree = BTreeMap<String, String>;

/// Every file below the home, by its name.
fn tree(home: &Path) -> Tree {
    let (mut found, mut directories) = (Tree::new(), vec![home.to_owned()]);
    while let Some(directory) = directories.pop() {
        for path in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                directories.push(path);
            } else {
                let name = path.strip_prefix(home).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

struct Place {
    sandbox: Sandbox,
    upstream: FakeUpstream,
    secrets: Vec<String>,
    /// The home before a purge, and after one that nobody interrupted.
    before: Tree,
    after: Tree,
}

fn place() -> Place {
    let mut sandbox = Sandbox::new();
    let client = sandbox.path("client");
    fs::create_dir(&client).unwrap();
    // Its file is named like its version, as the native installer does.
    fs::write(client.join("2.1.330"), CLIENT).unwrap();
    fs::set_permissions(client.join("2.1.330"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink("2.1.330", client.join("claude")).unwrap();
    sandbox.set("PATH", format!("{}:/usr/bin:/bin", client.display()));
    // The daemon's own record is no part of what is purged.
    sandbox.set("XDG_STATE_HOME", sandbox.path("state"));
    mkfifo(&sandbox.path("tmp/go"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let token = |form: &str| sandbox.key().replace("api03", form);
    let secrets = vec![sandbox.key(), token("oat01"), token("ort01"), sandbox.key()];
    let upstream = FakeUpstream::plain([secrets[3].as_str()]);
    let mut place = Place { sandbox, upstream, secrets, before: Tree::default(), after: Tree::default() };
    place.sow();
    place.before = tree(&place.sandbox.home());
    place.sandbox.ctl(&["purge", "--yes"]).exited(0);
    place.after = tree(&place.sandbox.home());
    place
}

impl Place {
    /// The home as it was before, and an account in the daemon.
    fn sow(&self) {
        let home = self.sandbox.home();
        for entry in fs::read_dir(&home).unwrap().flatten() {
            if entry.path().is_dir() {
                fs::remove_dir_all(entry.path()).unwrap();
            } else if entry.file_name() != ".claudectl-test-home" {
                fs::remove_file(entry.path()).unwrap();
            }
        }
        for (name, text) in FILES {
            fs::create_dir_all(home.join(name).parent().unwrap()).unwrap();
            fs::write(home.join(name), text.replace("@@", &self.secrets[0])).unwrap();
        }
        let login = format!(
            r#"{{"claudeAiOauth":{{"accessToken":"{}","refreshToken":"{}"}},"mcpOAuth":{{"s":{{"accessToken":"of-another-service"}}}}}}"#,
            self.secrets[1], self.secrets[2]
        );
        fs::write(home.join(".claude/.credentials.json"), login).unwrap();
        if self.sandbox.ctl(&["status", "--json"]).exited(0).json()["logged_in"] != true {
            self.sandbox.login("work", &self.secrets[3], &self.upstream);
        }
    }

    fn masked(&self, text: &str) -> String {
        let fill = |text: String, secret: &String| text.replace(secret, &"x".repeat(secret.len()));
        self.secrets.iter().fold(text.to_owned(), fill)
    }

    /// Every file is as it was (perhaps with `x` for what was to go) or as it was to become, and what lies
    /// beside one has nothing of a credential.
    fn assert_nothing_is_half_written(&self, when: &str) {
        for (name, text) in tree(&self.sandbox.home()) {
            let is_old = self.before.get(&name).is_some_and(|old| self.masked(old) == self.masked(&text));
            let is_new = self.after.get(&name) == Some(&text);
            let is_beside = [".claudectl-purge", ".claudectl-kept"].iter().any(|end| name.ends_with(end));
            let is_clean = self.masked(&text) == text;
            assert!(is_old || is_new || (is_beside && is_clean), "{when}: {name} is half written: {text}");
        }
        let noted = self.sandbox.search().files(&self.sandbox.path("state"));
        assert!(noted.is_empty(), "{when}: {noted:?}");
    }

    /// The next run ends as one that was never interrupted.
    fn assert_the_next_run_ends_it(&self, when: &str) {
        let receipt = self.sandbox.ctl(&["purge", "--yes", "--json"]);
        assert_eq!(receipt.code, 0, "{when}: {receipt:?}");
        // Killed when all was done, there is nothing to do.
        let said = receipt.json();
        let is_nothing = said["schema"] == "claudectl.plan/1" && said["steps"] == json!([]);
        assert!(said["proven"] == true || is_nothing, "{when}: {said}");
        assert_eq!(tree(&self.sandbox.home()), self.after, "{when}");
        assert_eq!(self.sandbox.ctl(&["status", "--json"]).exited(0).json()["logged_in"], false, "{when}");
        assert!(!self.sandbox.path("state/claudectl/purge.journal").exists(), "{when}");
        let left = self.sandbox.search().files(&self.sandbox.path("."));
        assert!(left.is_empty(), "{when}: {left:?}");
    }
}

#[test]
fn before_every_system_call() {
    need!(require::root());
    if !need!(private_processes("purge::killed::before_every_system_call")) {
        return;
    }
    let place = place();
    let product = claudectl_tests::sandbox::binary("claudectl".as_ref());
    let mut calls = Vec::new();
    for number in 0_usize.. {
        place.sow();
        let mut command = place.sandbox.command("killed-at");
        command.arg(number.to_string()).arg(&product).args(["purge", "--yes", "--json"]);
        let output = place.sandbox.start(command).finish().exited(0);
        let told: Value = serde_json::from_str(output.stdout.lines().last().unwrap()).unwrap();
        if told["killed"] != true {
            assert_eq!(told["code"], 0, "{output:?}");
            break;
        }
        let call = told["before"].as_str().unwrap().to_owned();
        let when = format!("killed before call {number} ({call})");
        place.assert_nothing_is_half_written(&when);
        place.assert_the_next_run_ends_it(&when);
        calls.push(call);
    }
    println!("killed {} times: {calls:?}", calls.len());
    assert!(calls.len() > 40, "{calls:?}");
}

/// A purge whose client has stopped where the test wants it.
fn stopped(place: &Place, stop: &str) -> (Program, Pid) {
    place.sow();
    let (wanted, told) = (place.sandbox.path(&format!("tmp/stop-{stop}")), place.sandbox.path("tmp/stopped"));
    fs::write(&wanted, "").unwrap();
    let mut command = place.sandbox.command("claudectl");
    command.args(["purge", "--yes"]);
    let purge = place.sandbox.start(command);
    wait::path_presence(&told, true);
    let client = fs::read_to_string(&told).unwrap().trim().parse().unwrap();
    fs::remove_file(&wanted).unwrap();
    fs::remove_file(&told).unwrap();
    (purge, Pid::from_raw(client))
}

#[test]
fn while_the_client_logs_out() {
    if !need!(private_processes("purge::killed::while_the_client_logs_out")) {
        return;
    }
    let place = place();
    for stop in ["before", "after"] {
        for client_too in [false, true] {
            let when = format!("killed {stop} the client removes its file, the client too: {client_too}");
            let (purge, client) = stopped(&place, stop);
            purge.signal(Signal::SIGKILL);
            assert_eq!(purge.finish().code, 128 + 9);
            if client_too {
                kill(client, Signal::SIGKILL).unwrap();
            } else {
                let go: PathBuf = place.sandbox.path("tmp/go");
                fs::File::options().write(true).open(go).unwrap().write_all(b"go\n").unwrap();
            }
            wait::process_exit(client.as_raw().cast_unsigned());
            place.assert_nothing_is_half_written(&when);
            place.assert_the_next_run_ends_it(&when);
        }
    }
}
