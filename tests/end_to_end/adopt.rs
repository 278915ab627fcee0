//! A key moves from where it was found into the daemon. Each test runs in a process namespace of its own.

use std::{fs, path::PathBuf};

use claudectl_tests::{
    isolation::private_processes,
    json, need,
    sandbox::Sandbox,
    seed::{marked, write_private},
    terminal::Terminal,
    upstream::FakeUpstream,
};

struct Place {
    sandbox: Sandbox,
    key: String,
    upstream: FakeUpstream,
}

impl Place {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let key = sandbox.key();
        let upstream = FakeUpstream::plain([key.as_str()]);
        let place = Self { sandbox, key, upstream };
        place.write(".bashrc", "alias l=ls\nexport A=1; export ANTHROPIC_API_KEY=\"@@\"\n");
        place.write(".claude.json", "{\n  \"primaryApiKey\": \"@@\",\n  \"numStartups\": 3\n}\n");
        place.write(".claude/backups/.claude.json.backup.1763800000000", "{\"primaryApiKey\":\"@@\"}");
        place.write(".bash_history", "export ANTHROPIC_API_KEY=@@\n");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.sandbox.home().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text.replace("@@", &self.key)).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap().replace(&self.key, "@@")
    }
}

#[test]
fn a_key_moves_into_the_daemon_and_back_only_as_a_placeholder() {
    if !need!(private_processes("adopt::a_key_moves_into_the_daemon_and_back_only_as_a_placeholder")) {
        return;
    }
    let place = Place::new();
    let url = place.upstream.url();
    let body = place.sandbox.ctl(&["adopt", "work", "--yes", "--json", "--upstream", &url]).exited(0).json();
    assert_eq!((&body["proven"], json::count(&body["files"])), (&true.into(), 3), "{body}");
    assert_eq!(json::count(&body["left"]), 1, "the history stays, and is named: {body}");
    let status = place.sandbox.ctl(&["status", "--json"]).exited(0).json();
    assert_eq!((&status["here"]["name"], &status["accounts"][0]["checked"]), (&"work".into(), &true.into()));
    assert_eq!(place.read(".bashrc"), "alias l=ls\nexport A=1\n");
    assert_eq!(place.read(".claude.json"), "{\n  \"numStartups\": 3\n}\n");
    assert!(!place.path(".claude/backups/.claude.json.backup.1763800000000").exists());
    assert_eq!(place.read(".bash_history"), "export ANTHROPIC_API_KEY=@@\n");
    fs::remove_file(place.path(".bash_history")).unwrap();
    place.sandbox.assert_clean(&[]);

    place.sandbox.ctl(&["adopt", "--undo", "--json"]).exited(0);
    assert_eq!(
        place.read(".bashrc"),
        "alias l=ls\nexport A=1; export ANTHROPIC_API_KEY=\"paste-your-key-here\"\n"
    );
    assert_eq!(
        place.read(".claude.json"),
        "{\n  \"primaryApiKey\": \"paste-your-key-here\",\n  \"numStartups\": 3\n}\n"
    );
    let audit = place.sandbox.ctl(&["audit", "--json"]).exited(0).json();
    assert_eq!(audit["clean"], true, "a placeholder is no credential: {audit}");
    place.sandbox.ctl(&["adopt", "--undo"]).exited(1);
    place.sandbox.assert_clean(&[]);
}

#[test]
fn a_key_in_a_profile_in_utf_16_moves_and_its_line_comes_back() {
    let name = "adopt::a_key_in_a_profile_in_utf_16_moves_and_its_line_comes_back";
    if !need!(private_processes(name)) {
        return;
    }
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    let path = sandbox.home().join("Documents/WindowsPowerShell/profile.ps1");
    let text = |line: &str| marked(&format!("# größer\r\n{line}$b = 2\r\n"), u16::to_le_bytes);
    let line = |key: &str| format!("$env:ANTHROPIC_API_KEY = \"{key}\"\r\n");
    write_private(&path, &text(&line(&key)));

    // The change is shown as people read it.
    let mut command = sandbox.command("claudectl");
    command.args(["adopt", "work", "--upstream", &upstream.url()]);
    let mut terminal = Terminal::start(&command);
    let shown = terminal.wait_for("Type yes:");
    let masked = format!("$env:ANTHROPIC_API_KEY = \"…{}\"", &key[key.len() - 4..]);
    assert!(shown.contains(&masked) && !shown.contains(&key), "{shown}");
    terminal.write("yes\n");
    assert_eq!(terminal.wait(), 0);
    assert!(fs::read(&path).unwrap() == text(""), "only its line is gone");
    let status = sandbox.ctl(&["status", "--json"]).exited(0).json();
    assert_eq!(status["accounts"][0]["checked"], true, "{status}");

    sandbox.ctl(&["adopt", "--undo"]).exited(0);
    assert!(fs::read(&path).unwrap() == text(&line("paste-your-key-here")), "and nothing else came back");
    sandbox.assert_clean(&[]);
}

#[test]
fn a_key_in_the_settings_goes_with_its_member_alone() {
    if !need!(private_processes("adopt::a_key_in_the_settings_goes_with_its_member_alone")) {
        return;
    }
    let place = Place::new();
    let rest = "\"A\": \"1\" },\n  \"model\": \"opus\"\n}\n";
    place.write(".claude/settings.json", &format!("{{\n  \"env\": {{ \"ANTHROPIC_API_KEY\": \"@@\", {rest}"));
    place.sandbox.ctl(&["adopt", "--yes", "--upstream", &place.upstream.url()]).exited(0);
    assert_eq!(place.read(".claude/settings.json"), format!("{{\n  \"env\": {{ {rest}"));
}

/// A program prints it when it is asked: there is nothing in the settings that could go into the daemon.
#[test]
fn a_helper_that_prints_a_key_stays_and_the_way_out_is_named() {
    if !need!(private_processes("adopt::a_helper_that_prints_a_key_stays_and_the_way_out_is_named")) {
        return;
    }
    let sandbox = Sandbox::new();
    let path = sandbox.home().join(".claude/settings.json");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let settings = "{\"apiKeyHelper\":\"/usr/local/bin/print-a-key\"}";
    fs::write(&path, settings).unwrap();
    let refused = sandbox.ctl(&["adopt", "--yes"]).exited(1).stderr;
    assert!(refused.contains("no API key") && refused.contains("apiKeyHelper"), "{refused}");
    assert!(refused.contains("claudectl login"), "{refused}");
    assert_eq!(fs::read_to_string(path).unwrap(), settings);
}

#[test]
fn a_key_that_is_held_already_is_only_taken_out_of_the_files() {
    if !need!(private_processes("adopt::a_key_that_is_held_already_is_only_taken_out_of_the_files")) {
        return;
    }
    let place = Place::new();
    place.sandbox.login("work", &place.key, &place.upstream);
    let plan = place.sandbox.ctl(&["purge", "--dry-run", "--json"]).exited(0).json();
    let steps = plan["steps"].as_array().unwrap();
    assert!(steps.iter().all(|step| step["account"] == "work"), "{plan}");
    let refused = place.sandbox.ctl(&["adopt", "other", "--yes"]).exited(2).stderr;
    assert!(refused.contains("holds this key already, as account work"), "{refused}");
    let body = place.sandbox.ctl(&["adopt", "--yes", "--json"]).exited(0).json();
    assert_eq!(
        (&body["account"], &body["held"], &body["proven"]),
        (&"work".into(), &true.into(), &true.into())
    );
    assert_eq!(place.read(".claude.json"), "{\n  \"numStartups\": 3\n}\n");
    let status = place.sandbox.ctl(&["status", "--json"]).exited(0).json();
    assert_eq!(json::count(&status["accounts"]), 1, "no second account: {status}");
}

#[test]
fn a_key_that_the_upstream_refuses_stays_where_it_is() {
    if !need!(private_processes("adopt::a_key_that_the_upstream_refuses_stays_where_it_is")) {
        return;
    }
    let place = Place::new();
    let other = FakeUpstream::plain(["sk-ant-api03-another"]);
    let before = [place.read(".bashrc"), place.read(".claude.json")];
    place.sandbox.ctl(&["adopt", "--yes", "--upstream", &other.url()]).exited(1);
    assert_eq!([place.read(".bashrc"), place.read(".claude.json")], before);
    place.sandbox.ctl(&["adopt", "--undo"]).exited(1);
    assert_eq!(place.sandbox.ctl(&["status", "--json"]).exited(0).json()["logged_in"], false);
}

#[test]
fn the_exact_change_is_shown_without_the_key_and_nothing_happens_without_a_yes() {
    let name = "adopt::the_exact_change_is_shown_without_the_key_and_nothing_happens_without_a_yes";
    if !need!(private_processes(name)) {
        return;
    }
    let place = Place::new();
    let before = place.read(".bashrc");
    place.sandbox.ctl(&["adopt"]).exited(2);
    let mut command = place.sandbox.command("claudectl");
    command.args(["adopt", "--upstream", &place.upstream.url()]);
    let mut terminal = Terminal::start(&command);
    let shown = terminal.wait_for("Type yes:");
    terminal.write("no\n");
    assert_eq!(terminal.wait(), 2);
    let tail = &place.key[place.key.len() - 4..];
    assert!(shown.contains(&format!("- export A=1; export ANTHROPIC_API_KEY=\"…{tail}\"")), "{shown}");
    assert!(shown.contains("+ export A=1") && shown.contains("is deleted"), "{shown}");
    assert!(place.sandbox.search().copies(shown.as_bytes()).is_empty(), "{shown}");
    assert_eq!(place.read(".bashrc"), before);
}

#[test]
fn of_several_keys_none_is_guessed() {
    if !need!(private_processes("adopt::of_several_keys_none_is_guessed")) {
        return;
    }
    let place = Place::new();
    let other = place.sandbox.key();
    fs::write(place.path(".profile"), format!("export ANTHROPIC_API_KEY={other}\n")).unwrap();
    let url = place.upstream.url();
    let refused = place.sandbox.ctl(&["adopt", "--yes", "--upstream", &url]).exited(2);
    assert!(refused.stderr.contains("several keys"), "{refused:?}");
    let tail = &place.key[place.key.len() - 4..];
    place.sandbox.ctl(&["adopt", "--yes", "--upstream", &url, "--key", tail]).exited(0);
    assert!(fs::read_to_string(place.path(".profile")).unwrap().contains(&other), "the other one stays");
    assert_eq!(place.read(".bashrc"), "alias l=ls\nexport A=1\n");
}
