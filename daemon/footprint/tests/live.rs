//! What no file tells: a made-up `/proc`, and programs that answer as systemctl, launchctl, security, reg and
//! cmdkey do. Nothing of the machine is looked at.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

use std::{
    ffi::OsStr,
    fs,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _},
        net::UnixListener,
    },
    path::{Path, PathBuf},
};

use claudectl_footprint::{
    finding::{Effect, Finding, Holder, Kind, Location, Slot},
    scan::{Audit, Meter, Scope, audit},
};

const KEY: &str =
    "sk-ant-api03-TESTabcdefghij0123456789-_klmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghAA";

/// A home, a `/proc`, a directory of programs.
struct Machine {
    root: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for directory in ["home", "proc", "bin", "run/systemd"] {
            fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        Self { root }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// A program that prints this, and notes how it was called.
    fn program(&self, name: &str, says: &str) {
        let script = format!(
            "#!/bin/sh\necho \"$@\" >> {0}\ncat <<'EOF'\n{says}\nEOF\n",
            self.path("asked").display()
        );
        let path = self.path("bin").join(name);
        fs::write(&path, script).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn process(&self, pid: u32, parent: u32, name: &str, command: &str, environment: &[&str]) {
        let directory = self.path("proc").join(pid.to_string());
        fs::create_dir(&directory).unwrap();
        let rest = "0 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0";
        fs::write(directory.join("stat"), format!("{pid} ({name}) S {parent} {rest}")).unwrap();
        fs::write(directory.join("cmdline"), command.replace(' ', "\0")).unwrap();
        let entries = environment.join("\0") + "\0";
        fs::write(directory.join("environ"), entries).unwrap();
    }

    fn audit(&self, system: &str, variables: &[(&str, &str)]) -> Audit {
        let (home, run, processes) = (self.path("home"), self.path("run"), self.path("proc"));
        let mut all: Vec<(&OsStr, &OsStr)> =
            variables.iter().map(|(name, value)| (OsStr::new(*name), OsStr::new(*value))).collect();
        all.push((OsStr::new("XDG_RUNTIME_DIR"), run.as_os_str()));
        all.push((OsStr::new("TMUX_TMPDIR"), run.as_os_str()));
        all.push((OsStr::new("PATH"), OsStr::new("/usr/bin:/bin")));
        let scope = Scope {
            home: &home,
            variables: all,
            directories: &[],
            working_directory: None,
            processes: Some(&processes),
            programs: vec![self.path("bin")],
            system,
            cheap_only: false,
        };
        audit(&scope, &Meter::default()).unwrap()
    }
}

fn places(audit: &Audit) -> Vec<&str> {
    audit.findings.iter().map(|finding| finding.place.id).collect()
}

#[test]
fn processes_are_sorted_by_what_they_are() {
    let machine = Machine::new();
    let key = format!("ANTHROPIC_API_KEY={KEY}");
    machine.process(10, 1, "dbus-daemon", "/usr/bin/dbus-daemon --session", &["A=b"]);
    machine.process(11, 10, "evil) S 1 (x", "/usr/libexec/service", &[&key]);
    machine.process(
        12,
        1,
        "node",
        "node /opt/node_modules/@anthropic-ai/claude-code/cli.js",
        &[&key, "CLAUDE_CONFIG_DIR=/none"],
    );
    machine.process(13, 1, "bash", "-bash", &["X=1", "MY_SECRET_NAME=--key", &format!("OTHER=--key={KEY}")]);
    machine.process(14, 1, "bash", "-bash", &["ANTHROPIC_API_KEY=", "ANTHROPIC_AUTH_TOKEN=ssh-placeholder"]);
    machine.process(
        15,
        1,
        "claude",
        "claude",
        &["CLAUDECTL_SESSION=1", &format!("ANTHROPIC_AUTH_TOKEN={}", "0123456789abcdef".repeat(4))],
    );
    fs::create_dir(machine.path("proc/not-a-process")).unwrap();
    let audit = machine.audit("linux", &[]);
    let mut found: Vec<_> = audit
        .findings
        .iter()
        .map(|finding| match &finding.location {
            Location::Variable { holder: Holder::Process { pid, started, program }, name } => {
                assert_eq!(*started, 4711);
                (finding.place.id, *pid, program.as_str(), name.as_str())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    found.sort_unstable();
    let expected = [
        ("processes.bus", 11, "evil) S 1 (x", "ANTHROPIC_API_KEY"),
        ("processes.claude", 12, "node", "ANTHROPIC_API_KEY"),
        ("processes.others", 13, "bash", "OTHER"),
    ];
    assert_eq!(found, expected);
    assert!(audit.findings.windows(2).all(|pair| pair[0].fingerprint == pair[1].fingerprint));
}

#[test]
fn the_user_manager_is_asked_where_there_is_one() {
    let machine = Machine::new();
    machine.program("systemctl", &format!("HOME=/home/jane\nANTHROPIC_API_KEY={KEY}\nANTHROPIC_AUTH_TOKEN=$'gateway-0123\\x34567'\nPATH=/bin"));
    assert_eq!(places(&machine.audit("linux", &[])), [""; 0]);
    fs::write(machine.path("run/systemd/private"), "").unwrap();
    let audit = machine.audit("linux", &[]);
    assert_eq!(places(&audit), ["environment.systemd", "environment.systemd"]);
    assert_eq!(audit.findings[0].cure, "systemctl --user unset-environment ANTHROPIC_API_KEY");
    assert_eq!(fs::read_to_string(machine.path("asked")).unwrap(), "--user show-environment\n");
}

#[test]
fn a_manager_that_does_not_answer_is_a_gap() {
    let machine = Machine::new();
    fs::write(machine.path("run/systemd/private"), "").unwrap();
    let path = machine.path("bin/systemctl");
    fs::write(&path, "#!/bin/sh\nexec sleep 600\n").unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    let audit = machine.audit("linux", &[]);
    assert!(audit.gaps.iter().any(|gap| gap.what.contains("systemd") && gap.why.contains("does not answer")));
}

#[test]
fn keychain_items_are_listed_by_name_and_never_read() {
    let machine = Machine::new();
    let item = |service: &str| {
        format!(
            "keychain: \"/Users/jane/Library/Keychains/login.keychain-db\"\nversion: 512\nclass: \"genp\"\nattributes:\n    0x00000007 <blob>=\"{service}\"\n    \"acct\"<blob>=\"jane\"\n    \"svce\"<blob>=\"{service}\"\n"
        )
    };
    let text =
        ["Claude Code", "Claude Code-credentials-0a1b2c3d", "Claude Codex", "Wi-Fi"].map(item).concat();
    machine.program("security", &text);
    machine.program("launchctl", "");
    let audit = machine.audit("macos", &[]);
    let cures: Vec<_> = audit.findings.iter().map(|finding| finding.cure.as_str()).collect();
    let expected = [
        "security delete-generic-password -s 'Claude Code' -a jane",
        "security delete-generic-password -s 'Claude Code-credentials-0a1b2c3d' -a jane",
    ];
    assert_eq!(cures, expected);
    assert!(audit.findings.iter().all(|finding| finding.tail.as_str().is_empty()));
    let asked = fs::read_to_string(machine.path("asked")).unwrap();
    assert!(asked.lines().any(|line| line == "dump-keychain"), "{asked}");
    assert!(!asked.contains("-d") && !asked.contains("-w") && !asked.contains("-g"), "{asked}");
}

#[test]
fn the_variables_of_launchd_are_asked_for_one_by_one() {
    let machine = Machine::new();
    let script = format!("#!/bin/sh\n[ \"$2\" = ANTHROPIC_API_KEY ] && echo {KEY}\nexit 0\n");
    let path = machine.path("bin/launchctl");
    fs::write(&path, script).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    let audit = machine.audit("macos", &[]);
    assert_eq!(places(&audit), ["environment.launchd"]);
    assert_eq!(audit.findings[0].cure, "launchctl unsetenv ANTHROPIC_API_KEY");
}

#[test]
fn the_registry_and_the_credential_manager_of_windows() {
    let machine = Machine::new();
    machine.program("reg", &format!("\r\nHKEY_CURRENT_USER\\Environment\r\n    Path    REG_EXPAND_SZ    C:\\bin\r\n    ANTHROPIC_API_KEY    REG_SZ    {KEY}\r\n    ANTHROPIC_AUTH_TOKEN    REG_SZ    %OTHER%\r\n"));
    machine.program("cmdkey.exe", "Currently stored credentials:\r\n\r\n    Target: LegacyGeneric:target=Claude Code-credentials\r\n    Type: Generic\r\n    User: jane\r\n\r\n    Target: LegacyGeneric:target=git:https://github.com\r\n");
    let audit = machine.audit("windows", &[]);
    let mut cures: Vec<_> = audit.findings.iter().map(|finding| finding.cure.as_str()).collect();
    cures.sort_unstable();
    let expected = [
        "cmdkey /delete:\"Claude Code-credentials\"",
        r"reg delete HKCU\Environment /v ANTHROPIC_API_KEY /f",
    ];
    assert_eq!(cures, expected);
}

#[test]
fn this_shell_and_what_it_would_pay_with() {
    let machine = Machine::new();
    let audit =
        machine.audit("linux", &[("ANTHROPIC_API_KEY", KEY), ("ANTHROPIC_CUSTOM_HEADERS", "X-Team: blue")]);
    let [Finding { kind: Kind::ApiKey, effect: Effect::Pays(Slot::ApiKey), cure, tail, .. }] =
        audit.findings.as_slice()
    else {
        panic!("{:?}", audit.findings);
    };
    assert_eq!((cure.as_str(), tail.as_str()), ("unset ANTHROPIC_API_KEY", "ghAA"));
    let in_session = [("CLAUDECTL_SESSION", "1"), ("ANTHROPIC_AUTH_TOKEN", "ssh-placeholder")];
    assert_eq!(places(&machine.audit("linux", &in_session)), [""; 0]);
}

#[test]
fn only_the_cheap_places_when_that_is_asked_for() {
    let machine = Machine::new();
    let home = machine.path("home");
    fs::create_dir_all(home.join(".claude/projects/x")).unwrap();
    fs::write(home.join(".bashrc"), format!("export ANTHROPIC_API_KEY={KEY}\n")).unwrap();
    fs::write(home.join(".claude/projects/x/1.jsonl"), KEY).unwrap();
    machine.process(10, 1, "bash", "bash", &[&format!("ANTHROPIC_API_KEY={KEY}")]);
    let processes = machine.path("proc");
    let scope = |cheap_only| Scope {
        home: &home,
        variables: Vec::new(),
        directories: &[],
        working_directory: None,
        processes: Some(Path::new(&processes)),
        programs: Vec::new(),
        system: "linux",
        cheap_only,
    };
    assert_eq!(places(&audit(&scope(true), &Meter::default()).unwrap()), ["profiles.bash"]);
    assert_eq!(audit(&scope(false), &Meter::default()).unwrap().findings.len(), 3);
}

#[test]
fn a_real_credential_in_the_place_of_a_placeholder_is_found() {
    let machine = Machine::new();
    let token = format!("ANTHROPIC_AUTH_TOKEN={KEY}");
    machine.process(20, 1, "claude", "claude", &["CLAUDECTL_SESSION=1", &token]);
    let shell = [("CLAUDECTL_SESSION", "1"), ("ANTHROPIC_AUTH_TOKEN", KEY)];
    let mut found: Vec<_> = places(&machine.audit("linux", &shell)).into_iter().map(str::to_owned).collect();
    found.sort();
    assert_eq!(found, ["environment.shell", "processes.claude"]);
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// What answers on a socket can have the one who asks run programs.
#[test]
fn a_tmux_server_that_others_can_put_there_is_not_asked() {
    let machine = Machine::new();
    machine.program("tmux", "");
    let uid = machine.root.path().metadata().unwrap().uid();
    let directory = machine.path("run").join(format!("tmux-{uid}"));
    fs::create_dir(&directory).unwrap();
    let _socket = UnixListener::bind(directory.join("default")).unwrap();
    let asked = || fs::read_to_string(machine.path("asked")).unwrap_or_default();
    for open in [0o777, 0o770, 0o701] {
        mode(&directory, open);
        let audit = machine.audit("linux", &[]);
        assert_eq!(asked(), "", "{open:o}");
        assert!(
            audit.gaps.iter().any(|gap| gap.why.contains("others can reach into it")),
            "{:?}",
            audit.gaps
        );
    }
    let elsewhere = machine.path("run/elsewhere");
    mode(&directory, 0o700);
    fs::rename(&directory, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &directory).unwrap();
    assert!(machine.audit("linux", &[]).gaps.iter().any(|gap| gap.why.contains("symbolic link")));
    assert_eq!(asked(), "", "a link");
    fs::remove_file(&directory).unwrap();
    fs::rename(&elsewhere, &directory).unwrap();
    assert_eq!(machine.audit("linux", &[]).gaps, []);
    assert!(asked().contains("list-sessions"), "{}", asked());
}

#[test]
fn a_keychain_that_cannot_be_read_is_a_gap() {
    let machine = Machine::new();
    for (program, system) in [("security", "macos"), ("cmdkey", "windows"), ("reg", "windows")] {
        let path = machine.path("bin").join(program);
        fs::write(&path, "#!/bin/sh\nexit 1\n").unwrap();
        mode(&path, 0o755);
        let audit = machine.audit(system, &[]);
        assert!(audit.gaps.iter().any(|gap| gap.what == program), "{program}: {:?}", audit.gaps);
    }
}
