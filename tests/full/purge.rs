//! Purges of more than one user's home, and (`logins`) of one in which the genuine client was really used. In
//! namespaces of their own.

mod killed;
mod logins;

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use claudectl_tests::{
    isolation::private_processes,
    need,
    sandbox::{self, Sandbox},
};

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
