//! Locking the screen also removes what other programs left. Each test runs in a process namespace of its
//! own: a purge looks at running programs.

mod events;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use claudectl_tests::{
    desktop::{Bus, Locker, Notifications, VENDORS, status_until},
    isolation::private_processes,
    need, require,
    sandbox::Sandbox,
    session::Session,
    upstream::{FakeUpstream, Reply},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

const PURGES: &str = "[policy]\nscreen_lock = \"purge\"\nfootprints = true\n";

fn desktop(configuration: &str) -> Result<(Sandbox, Bus), require::Missing> {
    let mut sandbox = Sandbox::new();
    sandbox.configure(configuration);
    let bus = Bus::start(&mut sandbox, "DBUS_SESSION_BUS_ADDRESS")?;
    Ok((sandbox, bus))
}

/// Leaves a key in a file of the home.
fn seed(sandbox: &Sandbox, name: &str, text: &str) -> PathBuf {
    let path = sandbox.home().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text.replace("@@", &sandbox.key())).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    path
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn is_watched(status: &Value) -> bool {
    status["desktop_watched"] == true
}

/// Whether a removal is over, and no other one runs.
fn is_over(status: &Value) -> bool {
    status["footprints"]["at"].is_number() && status["footprints"]["running"] == false
}

fn recorded(sandbox: &Sandbox) -> Vec<Value> {
    sandbox.recorded("footprints-removed")
}

#[test]
fn a_locked_screen_purges_the_accounts_and_then_what_other_programs_left() {
    if !need!(private_processes(
        "footprints::a_locked_screen_purges_the_accounts_and_then_what_other_programs_left"
    )) {
        return;
    }
    let (sandbox, bus) = need!(desktop(PURGES));
    let profile = seed(&sandbox, ".bashrc", "A=1\nexport ANTHROPIC_API_KEY=@@\n");
    let settings = seed(&sandbox, ".claude.json", "{\n  \"primaryApiKey\": \"@@\",\n  \"n\": 1\n}\n");
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    sandbox.login("work", &key, &upstream).exited(0);
    let (one, other) = (Locker::start(&bus, VENDORS[2]), Locker::start(&bus, VENDORS[4]));
    let before = status_until(&sandbox, is_watched);
    assert_eq!(before["footprints"]["enabled"], true, "{before}");
    let mut session = Session::open(&sandbox, &[]);
    upstream.next([Reply::held()]);
    session.open_stream();
    one.lock(true);
    other.lock(true);
    assert!(session.drain()["end"].as_str().unwrap().starts_with("cut"));
    let status = status_until(&sandbox, is_over);
    assert_eq!(status["logged_in"], false, "{status}");
    let done = &status["footprints"];
    assert_eq!(
        (&done["removed"], &done["left"]),
        (&2.into(), &0.into()),
        "{status} {:?}",
        recorded(&sandbox)
    );
    let took = status["sightings"][0]["took_microseconds"].as_u64().unwrap();
    // Not for the removal, which takes seconds here; how fast it is, benches/ measures.
    assert!(Duration::from_micros(took) < Duration::from_secs(2), "the wipe waited: {took} µs");

    assert_eq!(read(&profile), "A=1\n");
    assert_eq!(read(&settings), "{\n  \"n\": 1\n}\n");
    assert_eq!(profile.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    let text = sandbox.ctl(&["status"]).exited(0).stdout;
    let line = "Footprints:  2 copies removed, none left, just now because the screen was locked.";
    assert!(text.contains(line), "{text}");
    let recorded = recorded(&sandbox);
    assert_eq!(recorded.len(), 1, "two sources, one lock, one removal: {recorded:?}");
    assert_eq!((&recorded[0]["removed"], &recorded[0]["left"]), (&2.into(), &0.into()), "{recorded:?}");
    assert_eq!(recorded[0]["why"], "because the screen was locked");
    assert!(!sandbox.path("home/.local/state/claudectl/footprints.owed").exists());
    assert!(!sandbox.sockets().join("footprints.json").exists());
    sandbox.assert_clean(&[]);
}

#[test]
fn without_the_key_a_lock_removes_nothing_and_a_seal_does_not_either() {
    if !need!(private_processes(
        "footprints::without_the_key_a_lock_removes_nothing_and_a_seal_does_not_either"
    )) {
        return;
    }
    for configuration in ["[policy]\nscreen_lock = \"purge\"\n", "[policy]\nfootprints = true\n"] {
        let (sandbox, bus) = need!(desktop(configuration));
        let profile = seed(&sandbox, ".bashrc", "export ANTHROPIC_API_KEY=@@\n");
        let before = read(&profile);
        let key = sandbox.key();
        let upstream = FakeUpstream::plain([key.as_str()]);
        sandbox.login("work", &key, &upstream);
        let locker = Locker::start(&bus, VENDORS[2]);
        status_until(&sandbox, is_watched);
        locker.lock(true);
        let status = status_until(&sandbox, |status| status["logged_in"] == false);
        let footprints = &status["footprints"];
        assert_eq!((&footprints["running"], &footprints["at"]), (&false.into(), &Value::Null), "{status}");
        assert_eq!(read(&profile), before, "{configuration}");
    }
}

#[test]
fn what_cannot_be_removed_is_named_wherever_the_user_looks() {
    // Whom a mount keeps from writing where permissions do not.
    need!(require::root());
    if !need!(private_processes("footprints::what_cannot_be_removed_is_named_wherever_the_user_looks")) {
        return;
    }
    let (sandbox, bus) = need!(desktop(PURGES));
    let profile = seed(&sandbox, ".bashrc", "export ANTHROPIC_API_KEY=@@\n");
    let stuck = seed(&sandbox, ".config/fish/config.fish", "set -gx ANTHROPIC_API_KEY @@\n");
    let before = read(&stuck);
    make_read_only(stuck.parent().unwrap());
    let notifications = Notifications::start(&bus);
    let daemon = sandbox.daemon();
    let locker = Locker::start(&bus, VENDORS[2]);
    status_until(&sandbox, is_watched);
    locker.lock(true);
    let status = status_until(&sandbox, is_over);
    let done = &status["footprints"];
    assert_eq!((&done["removed"], &done["left"]), (&1.into(), &1.into()), "{status}");
    assert_eq!((read(&profile).as_str(), read(&stuck)), ("", before));
    let text = sandbox.ctl(&["status"]).exited(0).stdout;
    assert!(text.contains("Footprints:  1 copy removed, 1 left"), "{text}");
    assert!(text.contains(&format!("in {}: ", stuck.display())), "{text}");
    assert!(text.contains("Read-only file system"), "{text}");
    let recorded = recorded(&sandbox);
    let named = recorded[0]["named"][0].as_str().unwrap();
    assert!(named.contains(stuck.to_str().unwrap()) && named.contains("Read-only"), "{recorded:?}");
    notifications
        .wait_for("1 copy of a credential is left outside claudectl. claudectl status says where and why.");
    daemon.wait_for_error("footprints: 1 removed, 1 left");
}

/// Mounts a directory over itself, read-only: not even root writes there. In a mount namespace of this test.
fn make_read_only(directory: &Path) {
    use nix::mount::{MsFlags, mount};
    let none = None::<&str>;
    mount(Some(directory), directory, none, MsFlags::MS_BIND, none).unwrap();
    let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    mount(none, directory, none, flags, none).unwrap();
}

/// The genuine client stands still in the middle of its log-out: then the daemon and the purge are killed, as
/// by a power cut. A daemon that is started later does it all.
#[test]
fn a_removal_that_is_killed_in_the_middle_is_done_by_the_next_daemon() {
    if !need!(private_processes(
        "footprints::a_removal_that_is_killed_in_the_middle_is_done_by_the_next_daemon"
    )) {
        return;
    }
    let (mut sandbox, bus) = need!(desktop(PURGES));
    let client = StuckClient::in_path(&mut sandbox);
    let profile = seed(&sandbox, ".bashrc", "export ANTHROPIC_API_KEY=@@\n");
    let login = seed_login(&sandbox);

    let mut daemon = sandbox.daemon();
    let locker = Locker::start(&bus, VENDORS[2]);
    status_until(&sandbox, is_watched);
    locker.lock(true);
    client.wait();
    let running = sandbox.ctl(&["status", "--json"]).exited(0).json();
    assert_eq!(running["footprints"]["running"], true, "{running}");
    assert!(sandbox.ctl(&["status"]).stdout.contains("what other programs left is being removed"));
    daemon.signal(Signal::SIGKILL);
    daemon.wait();
    kill_removals(&sandbox);
    assert!(login.exists() && read(&profile).contains("ANTHROPIC_API_KEY"), "it was killed too late");
    let owed = sandbox.home().join(".local/state/claudectl/footprints.owed");
    assert_eq!(fs::metadata(&owed).unwrap().permissions().mode() & 0o777, 0o600);

    client.log_out(&login);
    locker.withdraw();
    let _daemon = sandbox.daemon();
    let status = status_until(&sandbox, is_over);
    let done = &status["footprints"];
    assert_eq!((&done["why"], &done["left"]), (&"because it was interrupted before".into(), &0.into()));
    assert_eq!(read(&profile), "", "{status}");
    assert!(!login.exists() && !owed.exists());
    assert_eq!(recorded(&sandbox).len(), 1);
    sandbox.assert_clean(&[]);
}

/// The genuine client, which stands still in the middle of its log-out.
struct StuckClient {
    directory: PathBuf,
    begun: PathBuf,
}

impl StuckClient {
    fn in_path(sandbox: &mut Sandbox) -> Self {
        let directory = sandbox.path("tmp/client");
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("package.json"), "{\"version\":\"2.1.300\"}").unwrap();
        sandbox.set("PATH", format!("{}:/usr/bin:/bin", directory.display()));
        let (begun, never) = (directory.join("begun"), directory.join("never"));
        for pipe in [&begun, &never] {
            nix::unistd::mkfifo(pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        }
        let client = Self { directory, begun };
        client.does(&format!("echo > {}; cat {}", client.begun.display(), never.display()));
        client
    }

    fn does(&self, script: &str) {
        let path = self.directory.join("claude");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Returns once it has been started.
    fn wait(&self) {
        fs::read(&self.begun).unwrap();
    }

    /// From now on it does log out.
    fn log_out(&self, login: &Path) {
        self.does(&format!("rm {}; echo Successfully logged out", login.display()));
    }
}

/// What a power cut does to them.
fn kill_removals(sandbox: &Sandbox) {
    for name in ["claudectl", "claude", "cat"] {
        for pid in sandbox.processes(name) {
            // One may have ended with another.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

/// A login of the genuine client.
fn seed_login(sandbox: &Sandbox) -> PathBuf {
    let token = |kind: &str| sandbox.key().replace("api03", kind);
    let login = format!(
        "{{\"claudeAiOauth\":{{\"accessToken\":\"{}\",\"refreshToken\":\"{}\",\"expiresAt\":1}}}}",
        token("oat01"),
        token("ort01")
    );
    seed(sandbox, ".claude/.credentials.json", &login)
}

#[test]
fn that_nothing_could_be_removed_is_said_and_owed() {
    if !need!(private_processes("footprints::that_nothing_could_be_removed_is_said_and_owed")) {
        return;
    }
    let (sandbox, bus) = need!(desktop(PURGES));
    let profile = seed(&sandbox, ".bashrc", "export ANTHROPIC_API_KEY=@@\n");
    let alone = sandbox.path("tmp/claudectld");
    fs::copy(claudectl_tests::sandbox::binary("claudectld".as_ref()), &alone).unwrap();
    let daemon = sandbox.daemon_with(sandbox.command(&alone));
    let locker = Locker::start(&bus, VENDORS[2]);
    status_until(&sandbox, is_watched);
    locker.lock(true);
    let status = status_until(&sandbox, is_over);
    let error = status["footprints"]["error"].as_str().unwrap();
    assert!(error.contains("claudectl was not found: it is not beside"), "{status}");
    assert!(recorded(&sandbox)[0]["error"].as_str().unwrap().contains("not found"));
    assert!(sandbox.ctl(&["status"]).stdout.contains("Footprints:  not removed, just now"));
    assert!(sandbox.ctl(&["log"]).stdout.contains("not at all, because the screen was locked: "));
    drop(daemon);

    let _daemon = sandbox.daemon();
    let status = status_until(&sandbox, is_over);
    assert_eq!(status["footprints"]["error"], Value::Null, "{status}");
    assert_eq!(read(&profile), "");
}
