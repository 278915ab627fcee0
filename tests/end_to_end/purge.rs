//! No trace left. Each test runs in a process namespace of its own: a purge looks at running programs.

mod encodings;
mod hostile;
mod live;
mod seeded;
mod stored;

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _, path::Path};

use claudectl_tests::{isolation::private_processes, json, need, sandbox::Sandbox, upstream::FakeUpstream};
use serde_json::Value;

/// Files below the home; `@@` stands for the key.
const FILES: &[(&str, &str)] = &[
    (".bashrc", "alias ll='ls -l'\nexport A=1; export ANTHROPIC_API_KEY=\"@@\"; export B=2\n"),
    (".zshrc", "if true; then\n  export ANTHROPIC_API_KEY=@@\nfi\n# it's mine\n"),
    (".config/fish/config.fish", "set -gx ANTHROPIC_API_KEY @@\nset -gx A 1\n"),
    (".bash_history", "ls\nANTHROPIC_API_KEY=@@ claude -p hi\ncd\n"),
    (".claude.json", "{\n  \"numStartups\": 3,\n  \"primaryApiKey\": \"@@\"\n}\n"),
    (".claude/backups/.claude.json.backup.1763800000000", "{\"primaryApiKey\":\"@@\"}"),
    (
        ".claude/settings.json",
        "{\r\n  \"env\": { \"ANTHROPIC_API_KEY\": \"@@\", \"A\": \"1\" },\r\n  \"model\": \"opus\"\r\n}\r\n",
    ),
    (".claude/projects/p/1.jsonl", "{\"type\":\"user\"}\n{\"text\":\"the key is @@\\n\"}\n"),
];

/// The same, when all of it is gone; `xx` stands for what the key was overwritten with.
const PURGED: &[(&str, &str)] = &[
    (".bash_history", "ls\nANTHROPIC_API_KEY=xx claude -p hi\ncd\n"),
    (".bashrc", "alias ll='ls -l'\nexport A=1; export B=2\n"),
    (".claude.json", "{\n  \"numStartups\": 3\n}\n"),
    (".claude/projects/p/1.jsonl", "{\"type\":\"user\"}\n{\"text\":\"the key is xx\\n\"}\n"),
    (".claude/settings.json", "{\r\n  \"env\": { \"A\": \"1\" },\r\n  \"model\": \"opus\"\r\n}\r\n"),
    (".config/fish/config.fish", "set -gx A 1\n"),
    (".zshrc", "if true; then\n  :\nfi\n# it's mine\n"),
];

fn seed(sandbox: &Sandbox, key: &str) {
    for (name, text) in FILES {
        let path = sandbox.home().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text.replace("@@", key)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    }
}

/// Every file below the home but the sandbox's own mark.
fn tree(home: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut directories = vec![home.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if !path.ends_with(".claudectl-test-home") {
                let name = path.strip_prefix(home).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

fn purged(key: &str) -> BTreeMap<String, String> {
    let filler = "x".repeat(key.len());
    PURGED.iter().map(|(name, text)| ((*name).to_owned(), text.replace("xx", &filler))).collect()
}

fn outcomes(receipt: &Value) -> Vec<&str> {
    receipt["items"].as_array().unwrap().iter().map(|item| item["outcome"].as_str().unwrap()).collect()
}

#[test]
fn every_trace_goes_and_every_other_byte_stays() {
    if !need!(private_processes("purge::every_trace_goes_and_every_other_byte_stays")) {
        return;
    }
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    seed(&sandbox, &key);
    let before = tree(&sandbox.home());
    let plan = sandbox.ctl(&["purge", "--dry-run", "--json"]).exited(0).json();
    assert!(json::count(&plan["steps"]) >= FILES.len(), "{plan}");
    assert_eq!(tree(&sandbox.home()), before, "a dry run changes nothing");

    let receipt = sandbox.ctl(&["purge", "--yes", "--json"]).exited(0).json();
    assert_eq!(receipt["proven"], true, "{receipt}");
    assert!(json::count(&receipt["media"]) >= 1, "what overwriting is worth: {receipt}");
    let site =
        receipt["items"].as_array().unwrap().iter().find(|item| item["outcome"] == "out-of-reach").unwrap();
    assert!(site["by"].as_str().unwrap().contains("https://platform.claude.com/settings/keys"), "{receipt}");
    assert_eq!(tree(&sandbox.home()), purged(&key));
    for name in [".bashrc", ".claude/settings.json"] {
        let mode = sandbox.home().join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640, "{name}");
    }
    sandbox.assert_clean(&[]);

    let again = sandbox.ctl(&["purge", "--yes", "--json"]).exited(0).json();
    assert_eq!(json::count(&again["steps"]), 0, "{again}");
    assert_eq!(tree(&sandbox.home()), purged(&key));
}

/// What could not be looked at may hold a credential.
#[test]
fn nothing_found_is_not_proven_where_something_was_not_looked_at() {
    if !need!(private_processes("purge::nothing_found_is_not_proven_where_something_was_not_looked_at")) {
        return;
    }
    let sandbox = Sandbox::new();
    let outside = sandbox.path("outside.json");
    fs::write(&outside, "{}").unwrap();
    fs::create_dir(sandbox.home().join(".claude")).unwrap();
    std::os::unix::fs::symlink(&outside, sandbox.home().join(".claude/settings.json")).unwrap();
    let done = sandbox.ctl(&["purge", "--yes"]).exited(6);
    assert!(
        done.stderr.contains("not looked at: ") && done.stderr.contains(".claude/settings.json"),
        "{done:?}"
    );
    sandbox.ctl(&["purge", "--dry-run"]).exited(0);
}

#[test]
fn nothing_is_removed_that_nobody_agreed_to() {
    if !need!(private_processes("purge::nothing_is_removed_that_nobody_agreed_to")) {
        return;
    }
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    seed(&sandbox, &key);
    let before = tree(&sandbox.home());
    let refused = sandbox.ctl(&["purge"]).exited(2);
    assert!(refused.stderr.contains("nobody was asked"), "{refused:?}");
    sandbox.ctl(&["purge", "--json"]).exited(2);
    sandbox.ctl(&["purge", "--yes", "--only", "histroy"]).exited(2);
    assert_eq!(tree(&sandbox.home()), before);

    let mut command = sandbox.command("claudectl");
    command.args(["purge"]);
    let mut terminal = claudectl_tests::terminal::Terminal::start(&command);
    terminal.wait_for("Type yes:");
    terminal.write("no\n");
    assert_eq!(terminal.wait(), 2);
    assert_eq!(tree(&sandbox.home()), before);
}

/// The client is not there to log out: its login is removed, but nobody revoked it.
#[test]
fn a_login_that_nobody_revoked_is_not_called_proven() {
    if !need!(private_processes("purge::a_login_that_nobody_revoked_is_not_called_proven")) {
        return;
    }
    let sandbox = Sandbox::new();
    let token = sandbox.key().replace("api03", "oat01");
    let path = sandbox.home().join(".claude/.credentials.json");
    fs::create_dir(path.parent().unwrap()).unwrap();
    let text =
        |login: &str| format!("{{{login}\"mcpOAuth\":{{\"s\":{{\"accessToken\":\"of-another-service\"}}}}}}");
    fs::write(&path, text(&format!("\"claudeAiOauth\":{{\"accessToken\":\"{token}\",\"expiresAt\":1}},")))
        .unwrap();
    let receipt = sandbox.ctl(&["purge", "--yes", "--json"]).exited(6).json();
    let login =
        receipt["items"].as_array().unwrap().iter().find(|item| item["outcome"] == "unproven").unwrap();
    assert_eq!(login["what"], "login of Claude Code", "{receipt}");
    assert!(login["by"].as_str().unwrap().contains("https://claude.ai/settings/claude-code"), "{receipt}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text(""), "grants of other services stay");
    // As a purge leaves it that is killed while the client logs out.
    fs::rename(&path, path.with_file_name(".credentials.json.claudectl-kept")).unwrap();
    sandbox.ctl(&["purge", "--yes"]).exited(0);
    assert_eq!(fs::read_to_string(&path).unwrap(), text(""), "and come back");
    sandbox.ctl(&["purge", "--yes", "--everything"]).exited(0);
    assert!(!fs::read_to_string(&path).unwrap_or_default().contains("of-another-service"));
}

#[test]
fn words_choose_what_goes() {
    if !need!(private_processes("purge::words_choose_what_goes")) {
        return;
    }
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    seed(&sandbox, &key);
    let before = tree(&sandbox.home());
    let said = sandbox.ctl(&["purge", "--yes", "--only", "profiles"]).exited(0).stdout;
    assert!(said.contains("Overwritten ") && said.contains("revocation is what counts"), "{said}");
    let after = tree(&sandbox.home());
    let changed: Vec<_> = before
        .iter()
        .filter(|(name, text)| after.get(*name) != Some(text))
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(changed, [".bashrc", ".config/fish/config.fish", ".zshrc"]);

    let receipt = sandbox.ctl(&["purge", "--yes", "--json", "--keep", "transcripts,history"]).json();
    assert_eq!(outcomes(&receipt).iter().filter(|outcome| **outcome == "kept").count(), 2, "{receipt}");
    let after = tree(&sandbox.home());
    let left: Vec<_> =
        after.iter().filter(|(_, text)| text.contains(&key)).map(|(name, _)| name.as_str()).collect();
    assert_eq!(left, [".bash_history", ".claude/projects/p/1.jsonl"]);
}

#[test]
fn the_accounts_of_the_daemon_go_too() {
    if !need!(private_processes("purge::the_accounts_of_the_daemon_go_too")) {
        return;
    }
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    sandbox.login("work", &key, &upstream);
    sandbox.ctl(&["purge", "--yes", "--only", "profiles"]).exited(0);
    assert_eq!(sandbox.ctl(&["status", "--json"]).exited(0).json()["logged_in"], true);
    let plan = sandbox.ctl(&["purge", "--dry-run", "--json"]).exited(0).json();
    assert_eq!(plan["accounts"][0], "work");
    let receipt = sandbox.ctl(&["purge", "--yes", "--json"]).exited(0).json();
    assert_eq!(outcomes(&receipt), ["proven", "out-of-reach"], "{receipt}");
    assert_eq!(sandbox.ctl(&["status", "--json"]).exited(0).json()["logged_in"], false);
    sandbox.assert_clean(&[]);
}

#[test]
fn a_running_program_is_named_with_its_number() {
    if !need!(private_processes("purge::a_running_program_is_named_with_its_number")) {
        return;
    }
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("/bin/sleep");
    command.arg("600").env("ANTHROPIC_API_KEY", sandbox.key());
    let mut program = sandbox.start(command);
    let receipt = sandbox.ctl(&["purge", "--yes", "--json"]).exited(6).json();
    let by = receipt["items"][0]["by"].as_str().unwrap_or_default();
    assert!(by.contains(&program.pid().to_string()), "{receipt}");
    program.signal(nix::sys::signal::Signal::SIGKILL);
    program.wait();
    sandbox.ctl(&["purge", "--yes"]).exited(0);
}

/// The client names the directory of a project's transcripts after the project's path.
#[test]
fn a_key_in_the_name_of_a_directory_is_in_nothing_that_is_told() {
    if !need!(private_processes("purge::a_key_in_the_name_of_a_directory_is_in_nothing_that_is_told")) {
        return;
    }
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let directory = sandbox.home().join(format!(".claude/projects/-home-{key}"));
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("1.jsonl"), format!("{{\"text\":\"{key}\"}}\n")).unwrap();
    for arguments in [
        ["audit"].as_slice(),
        &["audit", "--json"],
        &["audit", "--sarif"],
        &["purge", "--dry-run"],
        &["purge", "--dry-run", "--json"],
        &["purge", "--yes", "--json"],
        &["purge", "--yes"],
    ] {
        let output = sandbox.ctl(arguments);
        let said = "a credential is part of its name";
        let told = output.stdout + &output.stderr;
        assert!(told.contains(said), "{arguments:?}: {told}");
        assert!(!told.contains(&key), "{arguments:?}: it tells the key");
    }
    assert!(!fs::read_to_string(directory.join("1.jsonl")).unwrap().contains(&key));
    // Its name is still there.
    sandbox.ctl(&["purge", "--yes"]).exited(6);
    fs::remove_dir_all(directory).unwrap();
    sandbox.ctl(&["purge", "--yes"]).exited(0);
}
