//! A home in which the genuine client was really used, purged. In namespaces of its own: no network but
//! loopback, no processes but its own.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use claudectl_tests::{
    genuine::{Genuine, runs_bash},
    isolation::private_processes,
    need,
    program::Output,
    sandbox::{self, Sandbox},
    upstream::FakeUpstream,
};
use serde_json::{Value, json};

/// Runs the genuine client itself, not the shim.
fn client(place: &Genuine, upstream: &FakeUpstream, arguments: &[&str]) -> Output {
    let mut command = place.sandbox.command(place.sandbox.path("genuine/claude"));
    command.args(arguments).env("ANTHROPIC_BASE_URL", upstream.url());
    command.env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1");
    place.sandbox.start(command).finish()
}

/// Adds these members to the client's state, as a Console login does.
fn change_state(place: &Genuine, members: &Value) {
    let path = place.sandbox.home().join(".claude.json");
    let mut state: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for (name, value) in members.as_object().unwrap() {
        state[name] = value.clone();
    }
    fs::write(path, serde_json::to_string_pretty(&state).unwrap()).unwrap();
}

#[test]
fn a_home_in_which_the_genuine_client_was_used_keeps_no_trace() {
    if !need!(private_processes("purge::a_home_in_which_the_genuine_client_was_used_keeps_no_trace")) {
        return;
    }
    let place = need!(Genuine::new());
    let home = place.sandbox.home();
    let token = |form: &str| place.sandbox.key().replace("api03", form);
    let (access, refresh, long_lived) = (token("oat01"), token("ort01"), token("oat01"));
    let upstream = FakeUpstream::plain([place.key.as_str(), access.as_str()]);
    upstream.model(runs_bash("cat ~/.claude.json ~/.claude/.credentials.json 2>/dev/null"));

    // A Console login: the key is in the client's state. A tool prints it into the transcript.
    let account = json!({"emailAddress": "somebody@example.com", "organizationUuid": "1"});
    change_state(&place, &json!({"primaryApiKey": place.key, "oauthAccount": account}));
    let answered = client(&place, &upstream, &["-p", "look", "--allowedTools", "Bash"]).exited(0);
    assert_eq!(answered.stdout.trim(), "I have looked.", "{answered:?}");
    // What the client keeps of its state once a minute.
    fs::create_dir_all(home.join(".claude/backups")).unwrap();
    fs::copy(home.join(".claude.json"), home.join(".claude/backups/.claude.json.backup.1763900000000"))
        .unwrap();

    // A subscription login beside it, and the grant of an MCP server.
    let login = json!({"accessToken": access, "refreshToken": refresh, "expiresAt": 4_102_444_800_000_u64,
        "scopes": ["user:inference", "user:profile"], "subscriptionType": "max"});
    let grants = json!({"server": {"accessToken": "grant-of-another-service"}});
    let credentials = home.join(".claude/.credentials.json");
    fs::write(&credentials, json!({"claudeAiOauth": login, "mcpOAuth": grants}).to_string()).unwrap();
    client(&place, &upstream, &["-p", "look again", "--allowedTools", "Bash"]).exited(0);
    fs::write(home.join(".profile"), format!("umask 077\nexport CLAUDE_CODE_OAUTH_TOKEN={long_lived}\n"))
        .unwrap();
    let transcripts: String = place.transcripts().into_iter().map(|(_, text)| text).collect();
    assert!(transcripts.contains(&place.key) && transcripts.contains(&refresh), "it was really used");

    let receipt = place.sandbox.ctl(&["purge", "--yes", "--json"]).exited(6).json();
    let unproven: Vec<_> =
        receipt["items"].as_array().unwrap().iter().filter(|item| item["outcome"] == "unproven").collect();
    // Nobody can be reached to revoke it, and the receipt says that, and nothing else is open.
    assert_eq!(unproven.len(), 1, "{receipt}");
    assert_eq!(unproven[0]["action"], "its own `claude auth logout`", "{receipt}");
    assert!(unproven[0]["proof"].as_str().unwrap().contains("did not confirm"), "{receipt}");

    place.sandbox.assert_clean(&[]);
    for (path, text) in place.transcripts() {
        for line in text.lines().filter(|line| !line.is_empty()) {
            serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
    }
    assert_eq!(fs::read_to_string(home.join(".profile")).unwrap(), "umask 077\n");
    let kept: Value = serde_json::from_slice(&fs::read(&credentials).unwrap()).unwrap();
    assert_eq!(kept, json!({"mcpOAuth": grants}));
    let status = client(&place, &upstream, &["auth", "status"]).exited(1);
    assert_eq!(status.json()["loggedIn"], false, "{status:?}");
    let refused = client(&place, &upstream, &["-p", "hi"]);
    assert!(refused.code != 0 && format!("{refused:?}").contains("Not logged in"), "{refused:?}");
    place.sandbox.assert_clean(&[]);
}

/// Two users who are on this machine only inside this test's own namespace, where `/etc/passwd` is another.
fn users(sandbox: &Sandbox) -> Vec<(PathBuf, String)> {
    let mut passwd = String::new();
    let mut homes = Vec::new();
    for (name, number) in [("alice", 64_123), ("bob", 64_124)] {
        let (home, key) = (sandbox.path(name), sandbox.key());
        fs::create_dir(&home).unwrap();
        fs::write(home.join(".bashrc"), format!("umask 077\nexport ANTHROPIC_API_KEY={key}\n")).unwrap();
        for path in [home.join(".bashrc"), home.clone()] {
            std::os::unix::fs::chown(path, Some(number), Some(number)).unwrap();
        }
        passwd.extend([format!("{name}:x:{number}:{number}::{}:/bin/sh\n", home.display())]);
        homes.push((home, key));
    }
    let file = sandbox.path("passwd");
    fs::write(&file, passwd).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let nothing: Option<&str> = None;
    nix::mount::mount(Some(&file), "/etc/passwd", nothing, nix::mount::MsFlags::MS_BIND, nothing).unwrap();
    homes
}

#[test]
fn root_purges_every_user_as_that_user() {
    if !need!(private_processes("purge::root_purges_every_user_as_that_user")) {
        return;
    }
    let sandbox = Sandbox::new();
    let homes = users(&sandbox);
    // Where the users can run it.
    let program = sandbox.path("claudectl");
    fs::copy(sandbox::binary("claudectl".as_ref()), &program).unwrap();
    let root = program.parent().unwrap();
    fs::set_permissions(root, fs::Permissions::from_mode(0o755)).unwrap();
    // What only root may read, in a home: never touched, because nobody is root there.
    let foreign = homes[0].0.join(".profile");
    fs::write(&foreign, format!("export ANTHROPIC_API_KEY={}\n", homes[0].1)).unwrap();
    fs::set_permissions(&foreign, fs::Permissions::from_mode(0o600)).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = sandbox.command(&program);
        command.args(["purge", "--system", "--json"]).args(arguments);
        sandbox.start(command).finish()
    };

    let list = run(&["--dry-run"]).exited(0).json();
    let names: Vec<_> =
        list["users"].as_array().unwrap().iter().map(|user| user["user"].as_str().unwrap()).collect();
    // Whoever else is listed has a home that is none of this test's business.
    assert_eq!(names, ["alice", "bob"], "{list}");
    run(&[]).exited(2);
    assert!(fs::read_to_string(homes[1].0.join(".bashrc")).unwrap().contains(&homes[1].1), "nobody said yes");

    let done = run(&["--yes"]).exited(6).json();
    for (home, key) in &homes {
        assert_eq!(fs::read_to_string(home.join(".bashrc")).unwrap(), "umask 077\n");
        assert!(!done.to_string().contains(key));
    }
    assert!(
        fs::read_to_string(&foreign).unwrap().contains(&homes[0].1),
        "root's file in a home is left alone"
    );
    let exits: Vec<_> = done["users"].as_array().unwrap().iter().map(|user| &user["exit"]).collect();
    assert_eq!(exits, [6, 0], "and the receipt of that user says so: {done}");
    fs::remove_file(foreign).unwrap();
    run(&["--yes"]).exited(0);
    sandbox.assert_clean(&[]);
}
