//! T24: root logs every user of a shared machine out, over each one's own socket, and reads no credential.

use std::{
    fmt::Write as _,
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
};

use claudectl_tests::{
    isolation::{self, PrivateMachine},
    need,
    program::{Output, Program},
    require::{self, Missing},
    sandbox::{Sandbox, binary},
};

/// Users that nobody else has. They exist only in the list that this thread sees.
const USERS: [(&str, u32); 2] = [("cct-ada", 61_061), ("cct-bob", 61_062)];

/// One of a directory service that does not list its users: the machine has only their number.
const UNLISTED: (&str, u32) = ("cct-eve", 61_063);

/// A machine with two users, and nobody else's processes.
struct Machine {
    /// Dropped before the sandbox, which it keeps.
    _private: PrivateMachine,
    sandbox: Sandbox,
    key: String,
    client: PathBuf,
}

/// `None` outside the process namespace in which the test runs again.
fn machine(test: &str) -> Result<Option<Machine>, Missing> {
    if !isolation::private_processes(&format!("all_users::{test}"))? {
        return Ok(None);
    }
    require::program("setpriv")?;
    let sandbox = Sandbox::new();
    let public = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    public(&sandbox.path("."));
    let (bin, homes) = (sandbox.path("bin"), sandbox.path("homes"));
    for directory in [&bin, &homes] {
        fs::create_dir_all(directory).unwrap();
        public(directory);
    }
    for name in ["claudectl", "claudectld"] {
        fs::copy(binary(name.as_ref()), bin.join(name)).unwrap();
    }
    let mut list = String::new();
    for (name, uid) in [USERS[0], USERS[1], UNLISTED] {
        let home = homes.join(name);
        fs::create_dir(&home).unwrap();
        chown(&home, Some(uid), Some(uid)).unwrap();
        if uid == UNLISTED.1 {
            continue;
        }
        writeln!(list, "{name}:x:{uid}:{uid}::{}:/usr/sbin/nologin", home.display()).unwrap();
    }
    let private = isolation::private_machine(&sandbox.path(""), &list)?;
    let (key, client) = (sandbox.key(), bin.join("claudectl"));
    Ok(Some(Machine { _private: private, sandbox, key, client }))
}

impl Machine {
    /// The client, run by one of the users as after a login without `/run/user`.
    fn start(&self, (name, uid): (&str, u32), arguments: &[&str]) -> Program {
        let mut command = self.sandbox.command("/usr/bin/setpriv");
        let uid = uid.to_string();
        command.args(["--reuid", &uid, "--regid", &uid, "--clear-groups", "--inh-caps=-all", "--"]);
        command.arg(&self.client).args(arguments);
        command.env("HOME", self.sandbox.path("homes").join(name));
        for name in
            ["XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"]
        {
            command.env_remove(name);
        }
        self.sandbox.start(command)
    }

    fn log_in(&self, user: (&str, u32)) {
        let mut login = self.start(user, &["login", "work", "--offline"]);
        login.write(self.key.as_bytes());
        login.finish().exited(0);
    }

    fn everybody(&self) -> Output {
        let mut command = self.sandbox.command(&self.client);
        command.args(["logout", "--all-users", "--json"]);
        self.sandbox.start(command).finish()
    }
}

#[test]
fn root_logs_every_user_out_and_reads_no_credential() {
    let Some(machine) = need!(machine("root_logs_every_user_out_and_reads_no_credential")) else { return };
    let [ada, bob] = USERS;
    machine.log_in(ada);
    let done = machine.everybody().exited(0);
    let said = done.json();
    assert_eq!(said["proven"], true, "{said}");
    let users = said["users"].as_array().unwrap();
    assert_eq!(users.len(), 2, "{said}");
    assert_eq!((&users[0]["user"], &users[0]["daemon"]), (&ada.0.into(), &true.into()), "{said}");
    assert_eq!(users[0]["receipt"]["accounts"][0], "work");
    assert_eq!((&users[1]["user"], &users[1]["daemon"]), (&bob.0.into(), &false.into()), "{said}");
    assert!(!done.stdout.contains(&machine.key) && !done.stderr.contains(&machine.key));
    let status = machine.start(ada, &["status", "--json"]).finish().exited(0).json();
    assert_eq!(status["logged_in"], false, "{status}");
    end(&status);
}

/// Ends the daemon that the login started.
fn end(status: &serde_json::Value) {
    let pid = i32::try_from(status["daemon"]["pid"].as_i64().unwrap()).unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM).unwrap();
    claudectl_tests::wait::process_exit(pid.cast_unsigned());
}

#[test]
fn anybody_else_is_refused() {
    let Some(machine) = need!(machine("anybody_else_is_refused")) else { return };
    let refused = machine.start(USERS[1], &["logout", "--all-users"]).finish().exited(1);
    assert!(refused.stderr.contains("only root"), "{}", refused.stderr);
}

fn of(said: &serde_json::Value, uid: u32) -> &serde_json::Value {
    let users = said["users"].as_array().unwrap();
    users.iter().find(|user| user["uid"] == uid).unwrap_or_else(|| panic!("{uid} in {said}"))
}

#[test]
fn a_user_whom_nobody_lists_is_logged_out_and_never_called_proven() {
    let Some(machine) = need!(machine("a_user_whom_nobody_lists_is_logged_out_and_never_called_proven"))
    else {
        return;
    };
    machine.log_in(UNLISTED);
    let said = machine.everybody().exited(6).json();
    let answer = of(&said, UNLISTED.1);
    assert_eq!(
        (&answer["daemon"], &answer["receipt"]["accounts"][0]),
        (&true.into(), &"work".into()),
        "{said}"
    );
    assert_eq!(answer["exit"], 6, "nobody knows their home, so nobody knows what is kept: {said}");
    let status = machine.start(UNLISTED, &["status", "--json"]).finish().exited(0).json();
    assert_eq!(status["logged_in"], false, "{status}");
    end(&status);
}

#[test]
fn a_daemon_whose_socket_is_gone_is_never_called_proven() {
    let Some(machine) = need!(machine("a_daemon_whose_socket_is_gone_is_never_called_proven")) else {
        return;
    };
    let [ada, bob] = USERS;
    machine.log_in(ada);
    let status = machine.start(ada, &["status", "--json"]).finish().exited(0).json();
    fs::remove_dir_all(format!("/tmp/claudectl-{}", ada.1)).unwrap();
    let said = machine.everybody().exited(6).json();
    let answer = of(&said, ada.1);
    let pids = serde_json::json!([status["daemon"]["pid"]]);
    assert_eq!((&answer["daemon"], &answer["unreached"]), (&serde_json::Value::Null, &pids), "{said}");
    assert_eq!(of(&said, bob.1)["daemon"], false, "{said}");
    end(&status);
    machine.everybody().exited(0);
}
