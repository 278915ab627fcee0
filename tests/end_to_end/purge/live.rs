//! What is in no file: variables that a terminal multiplexer and a message bus give to what they start. Each
//! with the real program, in a process namespace of its own.

use std::{
    fs,
    path::{Path, PathBuf},
};

use claudectl_tests::{
    desktop::{Bus, SERVICES},
    isolation::private_processes,
    need, require,
    sandbox::Sandbox,
    wait,
};
use serde_json::Value;

fn audit(sandbox: &Sandbox, code: i32) -> Vec<Value> {
    sandbox.ctl(&["audit", "--json"]).exited(code).json()["findings"].as_array().unwrap().clone()
}

fn items<'a>(receipt: &'a Value, place: &str) -> Vec<&'a Value> {
    let is_there = |item: &&Value| item["where"].as_str().unwrap().contains(place);
    receipt["items"].as_array().unwrap().iter().filter(is_there).collect()
}

#[test]
fn a_tmux_server_forgets_in_every_session() {
    if !need!(private_processes("purge::live::a_tmux_server_forgets_in_every_session")) {
        return;
    }
    let tmux = need!(require::program("tmux"));
    let mut sandbox = Sandbox::new();
    sandbox.set("TMUX_TMPDIR", sandbox.path("tmp"));
    let run =
        |arguments: &[&str]| assert!(sandbox.command(&tmux).args(arguments).status().unwrap().success());
    let shown = |arguments: &[&str]| {
        let output = sandbox.command(&tmux).arg("show-environment").args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    run(&["new-session", "-d", "-s", "my work", "sleep 600"]);
    run(&["new-session", "-d", "-s", "other", "sleep 600"]);
    run(&["set-environment", "-g", "ANTHROPIC_API_KEY", &sandbox.key()]);
    run(&["set-environment", "-g", "EDITOR", "vi"]);
    run(&["set-environment", "-t", "my work", "ANTHROPIC_API_KEY", &sandbox.key()]);
    run(&[
        "set-environment",
        "-t",
        "other",
        "CLAUDE_CODE_OAUTH_TOKEN",
        &sandbox.key().replace("api03", "oat01"),
    ]);
    assert_eq!(audit(&sandbox, 1).len(), 3);
    let receipt = sandbox.ctl(&["purge", "--yes", "--json"]).exited(0).json();
    let done = items(&receipt, "in the tmux server");
    assert_eq!(done.len(), 3, "{receipt:#}");
    for item in done {
        assert_eq!(
            (&item["outcome"], &item["action"]),
            (&"proven".into(), &"removed by tmux".into()),
            "{item}"
        );
    }
    for arguments in [["-g"].as_slice(), &["-t", "my work"], &["-t", "other"]] {
        assert!(!shown(arguments).contains("sk-ant-"), "{arguments:?}");
    }
    assert!(shown(&["-g"]).contains("EDITOR=vi"));
    assert_eq!(audit(&sandbox, 0), [] as [Value; 0]);
    run(&["kill-server"]);
    sandbox.assert_clean(&[]);
}

/// A service that the bus can start, which writes its environment into a file.
fn service(sandbox: &Sandbox, name: &str) -> PathBuf {
    let told = sandbox.path("tmp").join(name);
    let services = sandbox.path(SERVICES);
    fs::create_dir_all(&services).unwrap();
    // Nothing but the shell runs once the second file is there: one program with that environment.
    let ready = ready(&told);
    let script = format!("env > {}; : > {}; kill -STOP $$", told.display(), ready.display());
    fs::write(
        services.join(format!("{name}.service")),
        format!("[D-BUS Service]\nName={name}\nExec=/bin/sh -c '{script}'\n"),
    )
    .unwrap();
    told
}

/// What is there once it has written all of it.
fn ready(told: &Path) -> PathBuf {
    told.with_file_name(format!("ready-{}", told.file_name().unwrap().display()))
}

/// Has the bus start it; what it got.
fn start(sandbox: &Sandbox, sender: &Path, name: &str, told: &Path) -> String {
    let mut command = sandbox.command(sender);
    command.args(["--session", "--type=method_call", &format!("--dest={name}"), "/", "org.example.A.B"]);
    assert!(command.status().unwrap().success());
    wait::path_presence(&ready(told), true);
    fs::read_to_string(told).unwrap()
}

#[test]
fn a_message_bus_gives_it_to_nobody_any_more() {
    if !need!(private_processes("purge::live::a_message_bus_gives_it_to_nobody_any_more")) {
        return;
    }
    let sender = need!(require::program("dbus-send"));
    let updater = need!(require::program("dbus-update-activation-environment"));
    let mut sandbox = Sandbox::new();
    // The bus reads them when it starts.
    let services = ["org.example.First", "org.example.Second"].map(|name| (name, service(&sandbox, name)));
    let _bus = need!(Bus::start(&mut sandbox, "DBUS_SESSION_BUS_ADDRESS"));
    let key = sandbox.key();
    let entry = format!("ANTHROPIC_API_KEY={key}");
    assert!(sandbox.command(&updater).arg(&entry).status().unwrap().success());
    let got = start(&sandbox, &sender, services[0].0, &services[0].1);
    assert!(got.lines().any(|line| line == entry), "the bus hands it out");

    let found = audit(&sandbox, 1);
    assert_eq!(found.iter().map(|one| &one["place"]).collect::<Vec<_>>(), ["processes.bus"], "{found:#?}");
    let receipt = sandbox.ctl(&["purge", "--yes", "--json"]).exited(6).json();
    let [of_bus] = items(&receipt, "activation environment")[..] else { panic!("{receipt:#}") };
    assert_eq!((&of_bus["outcome"], &of_bus["action"]), (&"proven".into(), &"set to nothing".into()));
    assert!(of_bus["proof"].as_str().unwrap().contains("not taken out"), "{of_bus}");
    let pid = found[0]["location"]["pid"].as_i64().unwrap();
    let [program] = items(&receipt, &format!("(pid {pid})"))[..] else { panic!("{receipt:#}") };
    assert_eq!(program["outcome"], "unproven");
    assert!(program["by"].as_str().unwrap().starts_with("you: end "), "{program}");

    // What the bus starts from now on gets it empty.
    let got = start(&sandbox, &sender, services[1].0, &services[1].1);
    assert!(got.lines().any(|line| line == "ANTHROPIC_API_KEY="), "{got}");
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
    wait::process_exit(pid.as_raw().unsigned_abs());
    assert_eq!(audit(&sandbox, 0), [] as [Value; 0]);
    let plan = sandbox.ctl(&["purge", "--yes", "--json"]).exited(0).json();
    assert_eq!(plan["steps"], Value::Array(Vec::new()), "{plan}");
}
