//! Directories that are not ours alone are refused, with a reason (T16).

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
};

use claudectl_tests::sandbox::Sandbox;

/// Both programs refuse, and say why.
#[track_caller]
fn refused(sandbox: &Sandbox, why: &[&str]) {
    let daemon = sandbox.start(sandbox.command("claudectld")).finish();
    let client = sandbox.ctl_with(&["login", "--api-key", "--offline"], sandbox.key().as_bytes());
    for output in [daemon, client] {
        assert!(output.code == 1 || output.code == 3, "{output:?}");
        assert!(why.iter().any(|why| output.stderr.contains(why)), "{output:?}");
    }
    sandbox.assert_clean(&[]);
}

#[test]
fn a_directory_that_others_may_enter() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.sockets()).unwrap();
    fs::set_permissions(sandbox.sockets(), fs::Permissions::from_mode(0o755)).unwrap();
    refused(&sandbox, &["0755", "755", "others"]);
}

#[test]
fn a_symlink_in_place_of_the_directory() {
    let sandbox = Sandbox::new();
    let elsewhere = sandbox.path("work/elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o700)).unwrap();
    symlink(&elsewhere, sandbox.sockets()).unwrap();
    refused(&sandbox, &["link"]);
    assert_eq!(fs::read_dir(elsewhere).unwrap().count(), 0);
}

#[test]
fn a_file_in_place_of_the_directory() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.sockets(), "").unwrap();
    refused(&sandbox, &["directory"]);
}

#[test]
fn a_path_over_the_limit_of_sockets() {
    let mut sandbox = Sandbox::new();
    let long = sandbox.path(&format!("run/{}", "x".repeat(100)));
    fs::create_dir(&long).unwrap();
    fs::set_permissions(&long, fs::Permissions::from_mode(0o700)).unwrap();
    sandbox.set("XDG_RUNTIME_DIR", &long);
    refused(&sandbox, &["107", "long"]);
}

#[test]
fn a_runtime_directory_that_is_not_there_or_relative() {
    let mut sandbox = Sandbox::new();
    sandbox.set("XDG_RUNTIME_DIR", sandbox.path("nowhere"));
    refused(&sandbox, &["nowhere"]);
    sandbox.set("XDG_RUNTIME_DIR", "work");
    refused(&sandbox, &["absolute", "relative"]);
}

#[test]
fn a_wide_umask_opens_nothing() {
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let mut shell = sandbox.command("/bin/sh");
    let client = sandbox.command("claudectl").get_program().to_owned();
    shell.args(["-c", "umask 000; exec \"$0\" login --api-key --offline"]).arg(client);
    let mut program = sandbox.start(shell);
    program.write(key.as_bytes());
    program.finish().exited(0);
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&sandbox.sockets()), 0o700);
    assert_eq!(mode(&sandbox.control_socket()), 0o600);
    for entry in fs::read_dir(sandbox.sockets()).unwrap().flatten() {
        assert_eq!(mode(&entry.path()) & 0o077, 0, "{}", entry.path().display());
    }
}
