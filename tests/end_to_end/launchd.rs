//! The agent of launchd: what its property list says, and how `./setup` puts it in place. No macOS runs here: what
//! setup asks of the system is answered by stand-ins, and the daemon's side of it is proven with systemd's sockets
//! (`lifecycle`).

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use plist::{Dictionary, Value};
use tempfile::TempDir;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const LIST: &str = "Library/LaunchAgents/org.claudectl.claudectld.plist";

/// setup's functions, where `launchctl` remembers in a file what it was told, and in another that the agent is
/// loaded. Nobody has the number 987654321, nor runtime directories of it.
const STAND_INS: &str = r#"
    set -euo pipefail
    umask 0
    uname() { echo Darwin; }
    id() { echo 987654321; }
    getconf() { [ "$1" = DARWIN_USER_CACHE_DIR ] && echo "$HOME/caches/"; }
    systemctl() { return 1; }
    launchctl() {
      echo "$*" >>"$HOME/told"
      case "$1" in
        print) [ -e "$HOME/loaded" ] ;;
        bootstrap) touch "$HOME/loaded" ;;
        bootout) rm "$HOME/loaded" ;;
      esac
    }
    source "$here/ci/install.sh"
    source "$here/ci/agent.sh"
    choose_prefix "$HOME/.local"
    install() { open_manifest; put_agent; close_manifest; start_agent; }
    uninstall() { stop_daemon; remove_runtime; remove_listed; }
"#;

/// A home of its own, in which setup's functions run.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("caches")).unwrap();
        Self(home)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, script: &str, arguments: &[&str]) -> String {
        let mut bash = Command::new("bash");
        bash.env_clear().env("HOME", self.0.path()).env("PATH", "/usr/bin:/bin").env("here", ROOT);
        let output =
            bash.args(["-c", &format!("{STAND_INS}{script}"), "setup"]).args(arguments).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        said
    }

    /// What launchd was told to do, beyond what it was asked.
    fn told(&self) -> Vec<String> {
        let told = fs::read_to_string(self.path("told")).unwrap_or_default();
        told.lines().filter(|line| !line.starts_with("print ")).map(str::to_owned).collect()
    }
}

fn parsed(list: &[u8]) -> Dictionary {
    Value::from_reader_xml(list).unwrap().into_dictionary().unwrap()
}

/// What stands behind these keys.
fn at<'a>(list: &'a Dictionary, keys: &[&str]) -> &'a Value {
    let (wanted, path) = keys.split_last().unwrap();
    let inner = path.iter().fold(list, |inner, key| inner[*key].as_dictionary().unwrap());
    &inner[*wanted]
}

#[test]
fn the_agent_lives_in_one_login_session_and_starts_when_somebody_connects() {
    let list = parsed(&fs::read(Path::new(ROOT).join("launchd/org.claudectl.claudectld.plist")).unwrap());
    assert_eq!(list["Label"].as_string(), Some("org.claudectl.claudectld"));
    assert_eq!(list["LimitLoadToSessionType"].as_string(), Some("Aqua"));
    let sockets = list["Sockets"].as_dictionary().unwrap();
    // The daemon asks for this one, and for no other.
    assert_eq!(sockets.keys().collect::<Vec<_>>(), ["control"]);
    let mode = at(sockets, &["control", "SockPathMode"]);
    assert_eq!(mode.as_unsigned_integer(), Some(0o600), "the list knows only decimal numbers");
    // It is not started with the session, nor after it stopped of its own accord; after a crash it comes back, empty.
    assert!(!list.contains_key("RunAtLoad"));
    let keep_alive: Vec<_> = list["KeepAlive"].as_dictionary().unwrap().iter().collect();
    assert_eq!(keep_alive, [(&"Crashed".to_owned(), &Value::Boolean(true))]);
    assert_eq!(list["Umask"].as_unsigned_integer(), Some(0o077));
    for limits in ["HardResourceLimits", "SoftResourceLimits"] {
        assert_eq!(at(&list, &[limits, "Core"]).as_unsigned_integer(), Some(0));
    }
}

#[test]
fn setup_names_the_paths_whatever_signs_they_have() {
    let home = Home::new();
    let (programs, runtime) = ("/opt/a & b|c/bin", r#"/var/f <x>\1/"it's"&amp;/claudectl"#);
    let list = parsed(home.run(r#"agent_list "$@""#, &[programs, runtime]).as_bytes());
    let arguments: Vec<_> =
        list["ProgramArguments"].as_array().unwrap().iter().map(Value::as_string).collect();
    assert_eq!(arguments, [Some(&*format!("{programs}/claudectld"))]);
    let socket = at(&list, &["Sockets", "control", "SockPathName"]).as_string();
    assert_eq!(socket, Some(&*format!("{runtime}/claudectld.sock")));
    assert_eq!(list["StandardErrorPath"].as_string(), Some(&*format!("{runtime}/claudectld.log")));
}

#[test]
fn setup_makes_the_directory_of_the_socket_and_takes_everything_away_again() {
    let home = Home::new();
    home.run("install", &[]);
    let list = parsed(&fs::read(home.path(LIST)).unwrap());
    let runtime = home.path("caches/claudectl");
    let socket = at(&list, &["Sockets", "control", "SockPathName"]).as_string().unwrap();
    assert_eq!(Path::new(socket), runtime.join("claudectld.sock"));
    assert_eq!(runtime.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let bootstrap = format!("bootstrap gui/987654321 {}", home.path(LIST).display());
    let bootout = "bootout gui/987654321/org.claudectl.claudectld";
    assert_eq!(home.told(), [&*bootstrap]);

    // Again: launchd reads the new list.
    home.run("install", &[]);
    assert_eq!(home.told(), [&*bootstrap, bootout, &bootstrap]);

    fs::write(runtime.join("claudectld.log"), "").unwrap();
    home.run("uninstall", &[]);
    assert_eq!(home.told().last().unwrap(), bootout);
    fs::remove_file(home.path("told")).unwrap();
    let left: Vec<_> = fs::read_dir(home.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["caches"]);
    assert_eq!(fs::read_dir(home.path("caches")).unwrap().count(), 0);
}

#[test]
fn launchd_takes_no_socket_from_a_daemon_that_runs() {
    let home = Home::new();
    let said = home.run("open_manifest; running=1; put_agent; close_manifest; start_agent", &[]);
    assert!(said.contains("from your next login on"), "{said}");
    assert!(home.path(LIST).exists());
    assert_eq!(home.told(), [""; 0]);
}

#[test]
fn without_a_place_that_launchd_knows_there_is_no_agent() {
    for (script, why) in [
        ("XDG_RUNTIME_DIR=/elsewhere; install", "does not know your XDG_RUNTIME_DIR"),
        ("getconf() { return 1; }; install", "no runtime directory of yours"),
        (r#"ln -s / "$HOME/caches/claudectl"; install"#, "no runtime directory of yours"),
    ] {
        let home = Home::new();
        let said = home.run(script, &[]);
        assert!(said.contains(why), "{script}: {said}");
        assert!(!home.path(LIST).exists(), "{script}");
        assert_eq!(home.told(), [""; 0], "{script}");
    }
}
