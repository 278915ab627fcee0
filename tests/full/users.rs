//! Another user cannot connect (T1), and a program of the same user cannot look in (T2).

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::Command,
};

use claudectl_tests::{
    json, need,
    require::{self, Missing},
    sandbox::{Sandbox, binary},
    session::{Session, message},
    upstream::FakeUpstream,
};

/// A user who has a number and nothing else: no name, as one of a directory service that is away.
struct User(u32);

impl User {
    fn new() -> Result<Self, Missing> {
        require::root()?;
        require::program("setpriv")?;
        // Nobody else's: tests run at once, and what a user may do depends on what else that user runs.
        Ok(Self(100_000 + std::process::id()))
    }

    /// The same program, run by this user.
    fn runs(&self, sandbox: &Sandbox, command: &Command) -> Command {
        let mut wrapped = sandbox.command("/usr/bin/setpriv");
        let number = self.0.to_string();
        wrapped.args(["--reuid", &number, "--regid", &number, "--clear-groups", "--inh-caps=-all", "--"]);
        wrapped.arg(command.get_program()).args(command.get_args());
        wrapped.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        wrapped
    }
}

/// A copy of a program where every user can run it (the target directory may be private).
fn public_copy(sandbox: &Sandbox, name: &str) -> PathBuf {
    let directory = sandbox.path("bin");
    fs::create_dir_all(&directory).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
    let copy = directory.join(name);
    fs::copy(binary(name.as_ref()), &copy).unwrap();
    copy
}

fn give(path: &Path, user: u32) {
    chown(path, Some(user), Some(user)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap().flatten() {
            give(&entry.path(), user);
        }
    }
}

/// What a program of `user` gets when it sends a request to this socket.
fn ask_as(user: &User, sandbox: &Sandbox, program: &Path, socket: &Path) -> String {
    let mut command = sandbox.command(program);
    command.env("ANTHROPIC_UNIX_SOCKET", socket).env("ANTHROPIC_BASE_URL", "http://claudectl.invalid");
    let mut program = sandbox.start(user.runs(sandbox, &command));
    program.write(format!("{}\n", message("request")).as_bytes());
    program.line()
}

#[test]
fn another_user_cannot_connect_even_with_open_modes() {
    let user = need!(User::new());
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    let daemon = sandbox.daemon();
    sandbox.login("work", &key, &upstream);
    let mut session = Session::open(&sandbox, &["--children"]);
    let (control, api) = (sandbox.control_socket(), session.socket());
    let program = public_copy(&sandbox, "session-program");
    fs::set_permissions(sandbox.path("."), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(sandbox.path("run"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(sandbox.path("work"), fs::Permissions::from_mode(0o755)).unwrap();
    for socket in [&control, &api] {
        let answer = ask_as(&user, &sandbox, &program, socket);
        assert!(answer.contains("Permission denied"), "the directory keeps it out: {answer}");
    }
    sandbox.open_to_everybody();
    for socket in [&control, &api] {
        let answer = ask_as(&user, &sandbox, &program, socket);
        assert!(!answer.contains("Permission denied"), "the modes are open: {answer}");
        let kept_out = answer.contains("closed")
            || answer.contains("reset")
            || answer.contains("\"status\":403")
            || answer.contains("Broken pipe");
        assert!(kept_out && !answer.contains("\"status\":200"), "{answer}");
    }
    assert_eq!(upstream.messages().len(), 0);
    assert_eq!(session.message()["status"], 200, "the owner is served all the time");
    sandbox.assert_clean(&[daemon.pid(), session.pid()]);
}

#[test]
fn a_program_of_the_same_user_cannot_look_in() {
    let user = need!(User::new());
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let (daemon, client) = (public_copy(&sandbox, "claudectld"), public_copy(&sandbox, "claudectl"));
    let root = sandbox.path(".");
    give(&root, user.0);
    let daemon = sandbox.daemon_with(user.runs(&sandbox, &sandbox.command(daemon)));
    let mut login = sandbox.command(client);
    login.args(["login", "--api-key", "--offline"]);
    let mut login = sandbox.start(user.runs(&sandbox, &login));
    login.write(key.as_bytes());
    login.finish().exited(0);
    let mut ordinary = sandbox.command("/bin/sh");
    ordinary.args(["-c", "echo ready; read end"]);
    let mut ordinary = sandbox.start(user.runs(&sandbox, &ordinary));
    // Until it has become the user's own program, nobody of that user can look into it either.
    assert_eq!(ordinary.line().trim(), "ready");

    let read = |pid: u32, file: &str| {
        let mut command = sandbox.command("/bin/sh");
        command.args([
            "-c",
            &format!("exec 3< /proc/{pid}/{file} && head -c 1 <&3 >/dev/null 2>&1; echo opened"),
        ]);
        sandbox.start(user.runs(&sandbox, &command)).finish().stdout
    };
    for file in ["mem", "environ", "maps"] {
        assert!(
            read(ordinary.pid(), file).contains("opened"),
            "an ordinary program of the user can be read: {file}"
        );
        assert!(!read(daemon.pid(), file).contains("opened"), "the daemon cannot: {file}");
    }
    if let Ok(strace) = require::program("strace") {
        let mut command = sandbox.command(strace);
        command.args(["-p", &daemon.pid().to_string(), "-e", "trace=none"]);
        let output = sandbox.start(user.runs(&sandbox, &command)).finish();
        assert!(output.code != 0 && output.stderr.contains("not permitted"), "{output:?}");
    }
}

/// Without `XDG_RUNTIME_DIR` and without `/run/user/UID` the daemon is in `/tmp/claudectl-UID`, its own.
#[test]
fn without_a_runtime_directory_it_makes_its_own() {
    let user = need!(User::new());
    let mut sandbox = Sandbox::new();
    let key = sandbox.key();
    public_copy(&sandbox, "claudectld");
    let client = public_copy(&sandbox, "claudectl");
    sandbox.unset("XDG_RUNTIME_DIR");
    give(&sandbox.path("."), user.0);
    let directory = PathBuf::from(format!("/tmp/claudectl-{}", user.0));
    let run = |arguments: &[&str], input: &str| {
        let mut command = sandbox.command(&client);
        command.args(arguments);
        let mut program = sandbox.start(user.runs(&sandbox, &command));
        program.write(input.as_bytes());
        program.finish()
    };
    // Somebody else was there first: refused.
    fs::create_dir(&directory).unwrap();
    let output = run(&["login", "--api-key", "--offline"], &key);
    assert!(output.code != 0 && output.stderr.contains(directory.to_str().unwrap()), "{output:?}");
    fs::remove_dir(&directory).unwrap();

    run(&["login", "--api-key", "--offline"], &key).exited(0);
    let status = run(&["status", "--json"], "").exited(0).json();
    assert_eq!(json::count(&status["accounts"]), 1, "{status}");
    assert_eq!(directory.metadata().unwrap().permissions().mode() & 0o7777, 0o700);
    let pid = i32::try_from(status["daemon"]["pid"].as_i64().unwrap()).unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM).unwrap();
    claudectl_tests::wait::process_exit(u32::try_from(pid).unwrap());
    let search = sandbox.search();
    assert!(search.files(&directory).is_empty());
    fs::remove_dir_all(&directory).unwrap();
    sandbox.assert_clean(&[]);
}
