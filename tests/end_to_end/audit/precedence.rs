//! Which of what was found would pay instead of the daemon's account.

use claudectl_tests::{sandbox::Sandbox, seed::write_private};
use serde_json::Value;

/// Places with the slot in which they are sent.
fn pays(document: &Value) -> Vec<(String, String)> {
    let findings = document["findings"].as_array().unwrap().iter();
    let mut pays: Vec<_> = findings
        .filter_map(|one| Some((one["place"].as_str()?.to_owned(), one["pays"].as_str()?.to_owned())))
        .collect();
    pays.sort();
    pays
}

#[test]
fn a_stored_login_pays_until_a_variable_does() {
    let mut sandbox = Sandbox::new();
    let keys = [sandbox.key(), sandbox.key(), sandbox.key()];
    let login =
        format!("{{\"claudeAiOauth\":{{\"accessToken\":\"{}\"}}}}", keys[0].replace("api03", "oat01"));
    write_private(&sandbox.home().join(".claude/.credentials.json"), login.as_bytes());
    write_private(
        &sandbox.home().join(".claude.json"),
        format!("{{\"primaryApiKey\":\"{}\"}}", keys[1]).as_bytes(),
    );
    let run = |sandbox: &Sandbox| pays(&sandbox.ctl(&["audit", "--files-only", "--json"]).exited(1).json());
    let row = |place: &str, slot: &str| (place.to_owned(), slot.to_owned());
    assert_eq!(run(&sandbox), [row("claude.credentials", "bearer")]);
    sandbox.set("ANTHROPIC_API_KEY", &keys[2]);
    assert_eq!(run(&sandbox), [row("environment.shell", "x-api-key")]);
    sandbox.set("ANTHROPIC_AUTH_TOKEN", format!("gw-{}", &keys[2][20..60]));
    assert_eq!(run(&sandbox), [row("environment.shell", "bearer"), row("environment.shell", "x-api-key")]);
    // The project's settings come before the shell.
    let settings = format!("{{\"env\":{{\"ANTHROPIC_AUTH_TOKEN\":\"gw-{}\"}}}}", &keys[2][20..59]);
    write_private(&sandbox.path("work/.claude/settings.json"), settings.as_bytes());
    assert_eq!(
        run(&sandbox),
        [row("environment.shell", "x-api-key"), row("project.claude-settings", "bearer")]
    );
}

#[test]
fn another_configuration_directory_is_the_one_in_force() {
    let mut sandbox = Sandbox::new();
    let keys = [sandbox.key(), sandbox.key()].map(|key| key.replace("api03", "oat01"));
    for (directory, key) in [".claude", "other"].iter().zip(&keys) {
        let login = format!("{{\"claudeAiOauth\":{{\"accessToken\":\"{key}\"}}}}");
        write_private(&sandbox.home().join(directory).join(".credentials.json"), login.as_bytes());
    }
    sandbox.set("CLAUDE_CONFIG_DIR", sandbox.home().join("other"));
    let document = sandbox.ctl(&["audit", "--files-only", "--json"]).exited(1).json();
    let findings = document["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 2, "{document}");
    let paying = findings.iter().find(|one| one["pays"] == "bearer").unwrap();
    assert_eq!(paying["location"]["path"], sandbox.home().join("other/.credentials.json").to_str().unwrap());
}

#[test]
fn nothing_here_pays_while_a_cloud_provider_does() {
    let mut sandbox = Sandbox::new();
    let login =
        format!("{{\"claudeAiOauth\":{{\"accessToken\":\"{}\"}}}}", sandbox.key().replace("api03", "oat01"));
    write_private(&sandbox.home().join(".claude/.credentials.json"), login.as_bytes());
    let run = |sandbox: &Sandbox| sandbox.ctl(&["audit", "--files-only", "--json"]).exited(1).json();
    for (value, is_paying) in [("0", true), ("1", false), ("", true), ("true", false)] {
        sandbox.set("CLAUDE_CODE_USE_BEDROCK", value);
        let document = run(&sandbox);
        assert_eq!(!pays(&document).is_empty(), is_paying, "{value:?}: {document}");
        assert_eq!(document["findings"][0]["waits"].is_null(), is_paying, "{value:?}: {document}");
    }
}

#[test]
fn a_directory_for_logins_alone_is_the_one_in_force_for_them() {
    let mut sandbox = Sandbox::new();
    let names = ["configuration", "logins"];
    for name in names {
        let key = sandbox.key().replace("api03", "oat01");
        let login = format!("{{\"claudeAiOauth\":{{\"accessToken\":\"{key}\"}}}}");
        write_private(&sandbox.home().join(name).join(".credentials.json"), login.as_bytes());
    }
    let paying = |sandbox: &Sandbox| {
        let document = sandbox.ctl(&["audit", "--files-only", "--json"]).exited(1).json();
        let findings = document["findings"].as_array().unwrap().clone();
        let paying: Vec<_> = findings.into_iter().filter(|one| one["pays"] == "bearer").collect();
        assert_eq!(paying.len(), 1, "{document}");
        paying[0]["location"]["path"].as_str().unwrap().to_owned()
    };
    let in_directory = |sandbox: &Sandbox, name: &str| {
        sandbox.home().join(name).join(".credentials.json").display().to_string()
    };
    sandbox.set("CLAUDE_CONFIG_DIR", sandbox.home().join(names[0]));
    assert_eq!(paying(&sandbox), in_directory(&sandbox, names[0]));
    sandbox.set("CLAUDE_SECURESTORAGE_CONFIG_DIR", sandbox.home().join(names[1]));
    assert_eq!(paying(&sandbox), in_directory(&sandbox, names[1]));
}
