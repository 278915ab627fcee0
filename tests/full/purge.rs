//! Purges of more than one user's home, and (`logins`) of one in which the genuine client was really used. In
//! namespaces of their own.

mod killed;
mod logins;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use claudectl_tests::{
    isolation::{self, PrivateMachine, private_processes},
    need,
    require::Missing,
    sandbox::{self, Sandbox},
    terminal::Terminal,
};

/// Two users whom only this test sees, and nobody else.
fn users(sandbox: &Sandbox) -> Result<(PrivateMachine, Vec<(PathBuf, String)>), Missing> {
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
    Ok((isolation::private_machine(&sandbox.path(""), &passwd)?, homes))
}

/// The list is what each user's own purge shows, and nothing happens before somebody who saw it agrees.
fn assert_nothing_without_a_yes(sandbox: &Sandbox, program: &Path, homes: &[(PathBuf, String)]) {
    let mut command = sandbox.command(program);
    command.args(["purge", "--system"]);
    let mut terminal = Terminal::start(&command);
    let shown = terminal.wait_for("Type yes:");
    terminal.write("no\n");
    assert_eq!(terminal.wait(), 2);
    let mut rest = shown.as_str();
    for (name, (home, key)) in ["alice", "bob"].iter().zip(homes) {
        let (heading, path) = (format!("({})", home.display()), home.join(".bashrc").display().to_string());
        let place = |rest: &str, what: &str| {
            rest.find(what).unwrap_or_else(|| panic!("no {what:?} after the user before {name}: {shown}"))
        };
        rest = &rest[place(rest, &heading)..];
        let line = &rest[place(rest, "take the assignment out of the file")..];
        let line = line.lines().next().unwrap();
        assert!(line.contains(&path) && line.contains(&format!("…{}", &key[key.len() - 4..])), "{shown}");
        assert!(fs::read_to_string(home.join(".bashrc")).unwrap().contains(key), "nobody said yes");
    }
    assert!(sandbox.search().copies(shown.as_bytes()).is_empty(), "{shown}");
}

#[test]
fn root_purges_every_user_as_that_user() {
    if !need!(private_processes("purge::root_purges_every_user_as_that_user")) {
        return;
    }
    let sandbox = Sandbox::new();
    // Where the users can run it.
    let program = sandbox.path("claudectl");
    fs::copy(sandbox::binary("claudectl".as_ref()), &program).unwrap();
    let (_private, homes) = need!(users(&sandbox));
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
    for (user, (home, key)) in list["users"].as_array().unwrap().iter().zip(&homes) {
        let path = home.join(".bashrc").display().to_string();
        let steps = user["said"]["steps"].as_array().unwrap();
        let what = format!("API key …{}", &key[key.len() - 4..]);
        assert!(steps.iter().any(|step| step["where"] == path && step["what"] == what), "{list}");
    }
    run(&[]).exited(2);
    assert_nothing_without_a_yes(&sandbox, &program, &homes);

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

    // In words: for each user what that user's own receipt says.
    let key = sandbox.key();
    fs::write(homes[1].0.join(".bashrc"), format!("export ANTHROPIC_API_KEY={key}\n")).unwrap();
    std::os::unix::fs::chown(homes[1].0.join(".bashrc"), Some(64_124), Some(64_124)).unwrap();
    let mut command = sandbox.command(&program);
    command.args(["purge", "--system", "--yes"]);
    let told = sandbox.start(command).finish().exited(0).stdout;
    let (alice, bob) = told.split_once("bob (").unwrap();
    assert!(alice.starts_with("alice (") && alice.contains("Nothing to remove."), "{told}");
    assert!(bob.contains("Purged: 1 trace gone.") && bob.contains("its assignment taken out"), "{told}");
    assert!(bob.contains("https://platform.claude.com/settings/keys"), "{told}");
    sandbox.assert_clean(&[]);
}
