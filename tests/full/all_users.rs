//! T24: root logs every user of a shared machine out, over each one's own socket, and reads no credential.

use std::{
    fmt::Write as _,
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
};

use claudectl_tests::{
    isolation, need,
    program::{Output, Program},
    require::{self, Missing},
    sandbox::{Sandbox, binary},
};

/// Users that nobody else has. They exist only in the list that this thread sees.
const USERS: [(&str, u32); 2] = [("cct-ada", 61_061), ("cct-bob", 61_062)];

/// A machine with two users, of whom the first is logged in with a daemon of her own.
struct Machine {
    sandbox: Sandbox,
    key: String,
    client: PathBuf,
}

fn machine() -> Result<Machine, Missing> {
    require::root()?;
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
    for (name, uid) in USERS {
        let home = homes.join(name);
        fs::create_dir(&home).unwrap();
        chown(&home, Some(uid), Some(uid)).unwrap();
        writeln!(list, "{name}:x:{uid}:{uid}::{}:/usr/sbin/nologin", home.display()).unwrap();
    }
    let passwd = sandbox.path("passwd");
    fs::write(&passwd, list).unwrap();
    isolation::private_users(&passwd)?;
    let (key, client) = (sandbox.key(), bin.join("claudectl"));
    Ok(Machine { sandbox, key, client })
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

impl Drop for Machine {
    fn drop(&mut self) {
        for (_, uid) in USERS {
            let _ = fs::remove_dir_all(format!("/tmp/claudectl-{uid}"));
        }
    }
}

#[test]
fn root_logs_every_user_out_and_reads_no_credential() {
    let machine = need!(machine());
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
    let machine = need!(machine());
    let refused = machine.start(USERS[1], &["logout", "--all-users"]).finish().exited(1);
    assert!(refused.stderr.contains("only root"), "{}", refused.stderr);
}
