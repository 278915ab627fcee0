//! While the daemon runs, a credential that a program leaves in a file is noticed at once.

use std::{fs, path::PathBuf};

use claudectl_tests::{json, sandbox::Sandbox};
use serde_json::Value;

fn settings(sandbox: &Sandbox) -> PathBuf {
    fs::create_dir_all(sandbox.home().join(".claude")).unwrap();
    sandbox.home().join(".claude.json")
}

/// The status when the guard has told of something.
fn told(sandbox: &Sandbox, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut command = sandbox.command("claudectl");
    command.args(["status", "--watch", "--json"]);
    let mut watching = sandbox.start(command);
    let status = watching.json_until(|status| wanted(&status["strays"]));
    watching.signal(nix::sys::signal::Signal::SIGTERM);
    watching.wait();
    status
}

#[test]
fn a_credential_that_appears_is_reported_and_left_there() {
    let sandbox = Sandbox::new();
    let path = settings(&sandbox);
    // What was there before is for the audit.
    let old = sandbox.home().join(".pam_environment");
    fs::write(&old, format!("ANTHROPIC_API_KEY={}\n", sandbox.key())).unwrap();
    let hour_ago = std::time::SystemTime::now() - std::time::Duration::from_hours(1);
    fs::File::options().write(true).open(&old).unwrap().set_modified(hour_ago).unwrap();
    let daemon = sandbox.daemon();
    let key = sandbox.key();
    let text = format!("{{\"primaryApiKey\":\"{key}\"}}");
    fs::write(&path, &text).unwrap();
    let status = told(&sandbox, |strays| json::count(strays) == 1);
    let tail = &key[key.len() - 4..];
    assert_eq!(status["strays"][0]["what"], format!("API key …{tail}"), "{status}");
    assert_eq!(status["strays"][0]["removed"], false);
    assert!(sandbox.ctl(&["status"]).exited(0).stdout.contains("Credentials were left in files"));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    daemon.wait_for_error(&format!("…{tail}"));

    fs::remove_file(&path).unwrap();
    fs::write(sandbox.home().join("anything"), "").unwrap();
    let status = told(&sandbox, |strays| json::count(strays) == 0);
    assert_eq!(json::count(&status["strays"]), 0);
    fs::remove_file(old).unwrap();
    sandbox.assert_clean(&[]);
}

#[test]
fn where_the_configuration_says_so_it_is_removed() {
    let sandbox = Sandbox::new();
    sandbox.configure("[guard]\nstray = \"purge\"\n");
    let path = settings(&sandbox);
    let _daemon = sandbox.daemon();
    fs::write(&path, format!("{{\n  \"numStartups\": 1,\n  \"primaryApiKey\": \"{}\"\n}}\n", sandbox.key()))
        .unwrap();
    let status = told(&sandbox, |strays| strays[0]["removed"] == true);
    assert_eq!(status["strays"][0]["done"], "/primaryApiKey taken out", "{status}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\n  \"numStartups\": 1\n}\n");
    sandbox.assert_clean(&[]);
}
