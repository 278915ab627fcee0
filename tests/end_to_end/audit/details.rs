//! What is said of each finding, beyond where it is: as JSON, as SARIF and in words.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    time::{Duration, SystemTime},
};

use claudectl_tests::{sandbox::Sandbox, seed::write_private};
use serde_json::{Value, json};

/// When the profile was changed, in seconds since 1970.
const CHANGED_AT: u64 = 1_763_900_000;

/// A profile that others can read with a key on its third line, and a history with another key.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    let profile = sandbox.home().join(".bashrc");
    let text = format!("# mine\nalias ll='ls -l'\nexport ANTHROPIC_API_KEY={}\n", sandbox.key());
    write_private(&profile, text.as_bytes());
    // What others may read they must be able to reach.
    let reach = [(sandbox.path("."), 0o755), (sandbox.home(), 0o755), (profile.clone(), 0o644)];
    for (path, mode) in &reach {
        fs::set_permissions(path, fs::Permissions::from_mode(*mode)).unwrap();
    }
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(CHANGED_AT);
    fs::File::options().write(true).open(&profile).unwrap().set_modified(then).unwrap();
    let typed = format!("ls\necho {}\n", sandbox.key());
    write_private(&sandbox.home().join(".bash_history"), typed.as_bytes());
    sandbox
}

#[track_caller]
fn one<'a>(all: &'a Value, member: &str, id: &str) -> &'a Value {
    let mut found = all.as_array().unwrap().iter().filter(|one| one[member] == id);
    let first = found.next().unwrap_or_else(|| panic!("no {id} in {all}"));
    assert!(found.next().is_none(), "{all}");
    first
}

#[test]
fn what_is_told_of_each() {
    let sandbox = sandbox();
    let document = sandbox.ctl(&["audit", "--files-only", "--json"]).exited(1).json();
    let profile = one(&document["findings"], "place", "profiles.bash");
    for (member, expected) in [
        ("severity", json!("high")),
        ("group", json!("profiles")),
        ("kind", json!("api-key")),
        ("mode", json!("0644")),
        ("open_to_others", json!(true)),
        ("changed_at", json!(CHANGED_AT)),
        ("cure", json!("claudectl purge --only api-key")),
    ] {
        assert_eq!(profile[member], expected, "{member}: {profile}");
    }
    assert_eq!(profile["location"]["line"], 3);
    assert_eq!(profile["location"]["variable"], "ANTHROPIC_API_KEY");
    assert_eq!(profile["revoke"]["url"], "https://platform.claude.com/settings/keys");
    let history = one(&document["findings"], "place", "histories.bash");
    assert_eq!((&history["mode"], &history["open_to_others"]), (&json!("0600"), &json!(false)));
    assert_eq!((&history["location"]["line"], &history["location"]["variable"]), (&json!(2), &Value::Null));
    assert_ne!(history["credential"], profile["credential"]);
}

#[test]
fn the_same_as_sarif() {
    let sandbox = sandbox();
    let log = sandbox.ctl(&["audit", "--files-only", "--sarif"]).exited(1).json();
    let run = &log["runs"][0];
    let result = one(&run["results"], "ruleId", "profiles.bash");
    assert_eq!(result["level"], "error", "{result}");
    let physical = &result["locations"][0]["physicalLocation"];
    assert_eq!(physical["region"]["startLine"], 3, "{result}");
    let path = sandbox.home().join(".bashrc");
    assert_eq!(physical["artifactLocation"]["uri"], format!("file://{}", path.display()));
    let offset = fs::read_to_string(&path).unwrap().find("sk-ant-").unwrap();
    assert_eq!(physical["region"]["byteOffset"], offset, "{result}");
    one(&run["tool"]["driver"]["rules"], "id", "profiles.bash");
    one(&run["results"], "ruleId", "histories.bash");
}

#[test]
fn status_carries_the_line_of_the_last_look() {
    let sandbox = sandbox();
    assert_eq!(sandbox.ctl(&["status", "--json"]).json()["audit"], Value::Null);
    sandbox.ctl(&["audit", "--files-only"]).exited(1);
    let last = sandbox.ctl(&["status", "--json"]).json()["audit"].clone();
    assert_eq!(
        (&last["findings"], &last["high"], &last["gaps"]),
        (&2.into(), &1.into(), &0.into()),
        "{last}"
    );
    let line = "2 copies of credentials outside the daemon, 1 of them severe";
    assert!(sandbox.ctl(&["status"]).stdout.contains(line));
    for name in [".bashrc", ".bash_history"] {
        fs::remove_file(sandbox.home().join(name)).unwrap();
    }
    sandbox.ctl(&["audit", "--files-only"]).exited(0);
    assert!(sandbox.ctl(&["status"]).stdout.contains("No credential outside the daemon"));
}

#[test]
fn in_words_what_weighs_most_comes_first_and_what_to_do_last() {
    let text = sandbox().ctl(&["audit", "--files-only"]).exited(1).stdout;
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("no {part:?} in {text}"));
    let order = [
        "2 credentials in 2 kinds of places.",
        "Profiles\n",
        "~/.bashrc:3",
        "others can read it (0644)",
        "Histories\n",
        "~/.bash_history:2",
        "To remove them\n",
        "claudectl purge --only api-key",
        "To take them out of force, which no removal does\n",
        "https://platform.claude.com/settings/keys",
    ];
    assert!(order.map(at).is_sorted(), "{text}");
}
