//! While the daemon runs, a credential that a program leaves in a file is noticed at once.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use claudectl_tests::{
    desktop::{Bus, Notifications, UserSystemd},
    isolation::private_processes,
    json, need,
    program::Program,
    sandbox::Sandbox,
    session::Session,
    terminal::Terminal,
    upstream::FakeUpstream,
};
use serde_json::Value;

fn settings(sandbox: &Sandbox) -> PathBuf {
    fs::create_dir_all(sandbox.home().join(".claude")).unwrap();
    sandbox.home().join(".claude.json")
}

/// A file that was written an hour ago.
fn write_old(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    let hour_ago = SystemTime::now() - Duration::from_hours(1);
    fs::File::options().write(true).open(path).unwrap().set_modified(hour_ago).unwrap();
}

/// Somebody who watches the status.
struct Watcher(Program);

impl Watcher {
    fn new(sandbox: &Sandbox) -> Self {
        let mut command = sandbox.command("claudectl");
        command.args(["status", "--watch", "--json"]);
        Self(sandbox.start(command))
    }

    /// The strays as soon as they are as wanted.
    fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        self.0.json_until(|status| wanted(&status["strays"]))["strays"].clone()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.0.signal(nix::sys::signal::Signal::SIGTERM);
    }
}

/// The status when the guard has told of something.
fn told(sandbox: &Sandbox, wanted: impl Fn(&Value) -> bool) -> Value {
    Watcher::new(sandbox).until(wanted)
}

/// What a line of a profile looks like, with the key in place of `@@`.
const LINES: [(&str, &str); 6] = [
    (".bashrc", "alias l=ls\nexport ANTHROPIC_API_KEY=@@\nPS1='$ '\n"),
    (".config/environment.d/50-key.conf", "A=1\nANTHROPIC_API_KEY=@@\nB=2\n"),
    (".pam_environment", "A=1\nANTHROPIC_API_KEY=@@\n"),
    (".config/fish/conf.d/key.fish", "set -x A 1\nset -gx ANTHROPIC_API_KEY @@\n"),
    (
        ".config/systemd/user/work.service",
        "[Service]\nExecStart=/bin/true\nEnvironment=ANTHROPIC_API_KEY=@@\n",
    ),
    (
        ".claude/settings.json",
        "{\n  \"env\": {\n    \"ANTHROPIC_API_KEY\": \"@@\",\n    \"A\": \"1\"\n  }\n}\n",
    ),
];

fn write(sandbox: &Sandbox, name: &str, text: &str) -> PathBuf {
    let path = sandbox.home().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_credential_that_appears_is_reported_and_left_there() {
    let sandbox = Sandbox::new();
    let path = settings(&sandbox);
    // What was there before is for the audit.
    let old = sandbox.home().join(".pam_environment");
    write_old(&old, &format!("ANTHROPIC_API_KEY={}\n", sandbox.key()));
    let daemon = sandbox.daemon();
    let key = sandbox.key();
    let text = format!("{{\"primaryApiKey\":\"{key}\"}}");
    fs::write(&path, &text).unwrap();
    let strays = told(&sandbox, |strays| json::count(strays) == 1);
    let tail = &key[key.len() - 4..];
    assert_eq!(strays[0]["what"], format!("API key …{tail}"), "{strays}");
    assert_eq!((&strays[0]["removed"], &strays[0]["account"]), (&false.into(), &Value::Null));
    assert!(sandbox.ctl(&["status"]).exited(0).stdout.contains("Credentials were left outside the daemon"));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    daemon.wait_for_error(&format!("…{tail}"));

    fs::remove_file(&path).unwrap();
    told(&sandbox, |strays| json::count(strays) == 0);
    fs::remove_file(old).unwrap();
    sandbox.assert_clean(&[]);
}

#[test]
fn a_credential_that_appears_is_shown_on_the_desktop() {
    for (configuration, said) in [
        ("", "claudectl audit shows it, claudectl purge removes it."),
        ("[guard]\nstray = \"purge\"\n", "It was to be removed: claudectl status."),
    ] {
        let mut sandbox = Sandbox::new();
        sandbox.configure(configuration);
        let bus = need!(Bus::start(&mut sandbox, "DBUS_SESSION_BUS_ADDRESS"));
        let notifications = Notifications::start(&bus);
        let path = settings(&sandbox);
        let _daemon = sandbox.daemon();
        fs::write(&path, format!("{{\"primaryApiKey\":\"{}\"}}", sandbox.key())).unwrap();
        notifications.wait_for(said);
        fs::write(path, "{}").unwrap();
        sandbox.assert_clean(&[]);
    }
}

#[test]
fn where_the_configuration_says_so_it_is_removed() {
    let sandbox = Sandbox::new();
    sandbox.configure("[guard]\nstray = \"purge\"\n");
    let path = settings(&sandbox);
    let _daemon = sandbox.daemon();
    fs::write(&path, format!("{{\n  \"numStartups\": 1,\n  \"primaryApiKey\": \"{}\"\n}}\n", sandbox.key()))
        .unwrap();
    let strays = told(&sandbox, |strays| strays[0]["removed"] == true);
    assert_eq!(strays[0]["done"], "/primaryApiKey taken out", "{strays}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\n  \"numStartups\": 1\n}\n");
    sandbox.assert_clean(&[]);
}

/// Variables that are set by files: each is noticed in a directory that is made for it, and only its line goes.
#[test]
fn a_variable_in_a_file_is_told_and_only_its_line_is_removed() {
    let sandbox = Sandbox::new();
    sandbox.configure("[guard]\nstray = \"purge\"\n");
    let _daemon = sandbox.daemon();
    let mut watcher = Watcher::new(&sandbox);
    for (number, (name, text)) in LINES.iter().enumerate() {
        let key = sandbox.key();
        let path = write(&sandbox, name, &text.replace("@@", &key));
        let strays = watcher.until(|strays| json::count(strays) > number);
        assert_eq!(strays[number]["removed"], true, "{name}: {strays}");
        let kept: String = text.split_inclusive('\n').filter(|line| !line.contains("@@")).collect();
        assert_eq!(fs::read_to_string(path).unwrap(), kept, "{name}");
    }
    sandbox.assert_clean(&[]);
}

#[test]
fn what_only_looks_like_one_is_not_told_and_neither_is_an_old_one_in_a_file_that_is_written_again() {
    let sandbox = Sandbox::new();
    sandbox.configure("[guard]\nstray = \"purge\"\n");
    let old = format!("export ANTHROPIC_API_KEY={}\n", sandbox.key());
    write_old(&sandbox.home().join(".bashrc"), &old);
    let _daemon = sandbox.daemon();
    let mut watcher = Watcher::new(&sandbox);
    // Once this one is told, it knows what was there before.
    write(&sandbox, ".zshenv", &format!("export ANTHROPIC_API_KEY={}\n", sandbox.key()));
    watcher.until(|strays| json::count(strays) == 1);
    for (name, text) in LINES.iter().skip(1) {
        write(&sandbox, name, &text.replace("@@", "your-key-here"));
    }
    let longer = format!("{old}alias l=ls\n");
    write(&sandbox, ".bashrc", &longer);
    // A link out of the home is not followed, whatever is there.
    fs::write(sandbox.path("outside"), &old).unwrap();
    std::os::unix::fs::symlink(sandbox.path("outside"), sandbox.home().join(".zshrc")).unwrap();
    // This one is told; so what was written before it has been looked at.
    let last = write(&sandbox, ".profile", &format!("export ANTHROPIC_API_KEY={}\n", sandbox.key()));
    let strays = watcher.until(|strays| json::count(strays) > 1);
    assert_eq!((json::count(&strays), &strays[1]["removed"]), (2, &true.into()), "{strays}");
    assert_eq!(fs::read_to_string(last).unwrap(), "");
    assert_eq!(fs::read_to_string(sandbox.home().join(".bashrc")).unwrap(), longer);
    assert_eq!(fs::read_to_string(sandbox.path("outside")).unwrap(), old);
    for (name, text) in LINES.iter().skip(1) {
        let path = sandbox.home().join(name);
        assert_eq!(fs::read_to_string(path).unwrap(), text.replace("@@", "your-key-here"), "{name}");
    }
}

/// Directories of Claude Code that nobody guesses: one that a profile names, before and after it is there, and
/// one that only a session was started with.
#[test]
fn other_configuration_directories_are_watched_too() {
    let mut sandbox = Sandbox::new();
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    write_old(&sandbox.home().join(".profile"), "export CLAUDE_CONFIG_DIR=$HOME/deep/below/claude\n");
    let _daemon = sandbox.daemon();
    let mut watcher = Watcher::new(&sandbox);
    let leave = |directory: &Path| {
        let key = sandbox.key().replace("api03", "oat01");
        fs::create_dir_all(directory).unwrap();
        let text = format!("{{\"claudeAiOauth\":{{\"accessToken\":\"{key}\"}}}}");
        fs::write(directory.join(".credentials.json"), text).unwrap();
    };
    // Once this one is told, it knows what to wait for.
    write(&sandbox, ".zshenv", &format!("export ANTHROPIC_API_KEY={}\n", sandbox.key()));
    watcher.until(|strays| json::count(strays) == 1);
    leave(&sandbox.home().join("deep/below/claude"));
    watcher.until(|strays| json::count(strays) == 2);
    // A profile that names another one from now on.
    write(&sandbox, ".bashrc", "export CLAUDE_CONFIG_DIR=~/second\n");
    leave(&sandbox.home().join("second"));
    watcher.until(|strays| json::count(strays) == 3);

    sandbox.login("work", &key, &upstream);
    let third = sandbox.path("third");
    fs::create_dir_all(&third).unwrap();
    sandbox.set("CLAUDE_CONFIG_DIR", &third);
    let mut session = Session::open(&sandbox, &[]);
    assert_eq!(session.message()["status"], 200);
    let settings = format!("{{\"env\":{{\"ANTHROPIC_API_KEY\":\"{key}\"}}}}");
    fs::write(third.join("settings.json"), settings).unwrap();
    let strays = watcher.until(|strays| json::count(strays) == 4);
    assert_eq!(strays[3]["account"], "work", "{strays}");
    assert!(sandbox.ctl(&["status"]).stdout.contains("the key of account work"));
}

/// Of its variables nobody tells: it is asked at every look, and when a session is started.
#[test]
fn a_variable_of_the_users_systemd_is_told_and_unset() {
    let mut sandbox = Sandbox::new();
    sandbox.configure("[guard]\nstray = \"purge\"\n");
    let bus = need!(Bus::start(&mut sandbox, "DBUS_SESSION_BUS_ADDRESS"));
    let before = vec![format!("ANTHROPIC_AUTH_TOKEN={}", sandbox.key()), "PATH=/usr/bin".to_owned()];
    let systemd = UserSystemd::start(&bus, &before);
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    sandbox.login("work", &key, &upstream);
    let mut watcher = Watcher::new(&sandbox);
    // Once this one is told, it knows what was there before.
    write(&sandbox, ".zshenv", &format!("export ANTHROPIC_API_KEY={}\n", sandbox.key()));
    watcher.until(|strays| json::count(strays) == 1);
    systemd.set("ANTHROPIC_LOG=debug".to_owned());
    systemd.set(format!("ANTHROPIC_API_KEY={key}"));
    let _session = Session::open(&sandbox, &[]);
    let strays = watcher.until(|strays| json::count(strays) == 2);
    assert_eq!((&strays[1]["removed"], &strays[1]["account"]), (&true.into(), &"work".into()), "{strays}");
    assert_eq!(systemd.variables(), [before, vec!["ANTHROPIC_LOG=debug".to_owned()]].concat());
}

#[test]
fn the_guard_changes_nothing_while_a_purge_asks() {
    if !need!(private_processes("guard::the_guard_changes_nothing_while_a_purge_asks")) {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.configure("[guard]\nstray = \"purge\"\n");
    write_old(&sandbox.home().join(".zshrc"), &format!("export ANTHROPIC_API_KEY={}\n", sandbox.key()));
    let _daemon = sandbox.daemon();
    let mut watcher = Watcher::new(&sandbox);
    let mut command = sandbox.command("claudectl");
    command.args(["purge", "--keep", "daemon"]);
    let mut terminal = Terminal::start(&command);
    terminal.wait_for("Type yes:");
    let text = format!("{{\"primaryApiKey\":\"{}\"}}", sandbox.key());
    let path = settings(&sandbox);
    fs::write(&path, &text).unwrap();
    let strays = watcher.until(|strays| json::count(strays) == 1);
    let done = strays[0]["done"].as_str().unwrap();
    assert!(done.contains("another purge runs"), "{strays}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    terminal.write("no\n");
    assert_eq!(terminal.wait(), 2);
    write(&sandbox, ".bashrc", &format!("export ANTHROPIC_API_KEY={}\n", sandbox.key()));
    watcher.until(|strays| strays.as_array().unwrap().iter().any(|stray| stray["removed"] == true));
}
