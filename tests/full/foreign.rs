//! Programs that we did not write: a Python gRPC client, the SDKs of two languages.

use std::path::{Path, PathBuf};

use claudectl_tests::{need, require, sandbox::Sandbox, upstream::FakeUpstream};
use serde_json::Value;

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("full/foreign").join(name)
}

#[test]
fn a_python_client_finds_its_way_by_reflection() {
    let python = need!(require::cached("python/bin/python"));
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let daemon = sandbox.daemon();
    sandbox.ctl_with(&["login", "work", "--api-key", "--offline"], key.as_bytes()).exited(0);
    let mut command = sandbox.command(python);
    command.arg(script("reflect.py")).arg(sandbox.control_socket());
    let told = sandbox.start(command).finish().exited(0).json();
    let services: Vec<_> = told["services"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for service in ["AccountService", "DaemonService", "SessionService"] {
        assert!(services.contains(&format!("claudectl.v1.{service}").as_str()), "{told}");
    }
    assert!(services.contains(&"grpc.health.v1.Health"), "{told}");
    assert_eq!(told["health"], "SERVING", "{told}");
    assert_eq!(told["status"]["pid"], daemon.pid(), "{told}");
    assert_eq!(told["status"]["accounts"][0]["name"], "work", "{told}");
    assert_eq!(told["watched"], 1, "the first message is the state now: {told}");
    assert_eq!(told["error"]["code"], "NOT_FOUND", "{told}");
    sandbox.assert_clean(&[]);
}

/// Streams through `run --tcp` with an SDK; nothing but the environment tells it where to.
fn streams_with(program: PathBuf, arguments: &[PathBuf], variables: &[(&str, PathBuf)]) {
    let mut sandbox = Sandbox::new();
    for (name, value) in variables {
        sandbox.set(name, value);
    }
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    sandbox.login("work", &key, &upstream);
    let mut command = sandbox.command("claudectl");
    command.args(["run", "--tcp", "--"]).arg(program).args(arguments);
    let output = sandbox.start(command).finish().exited(0);
    let told = output.stdout.lines().last().unwrap();
    assert_eq!(told, "Hello from the fake upstream. 19 7", "{output:?}");
    let messages = upstream.messages();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].credentials(), [("x-api-key".to_owned(), key)]);
    assert_eq!(messages[0].json()["stream"], true);
    sandbox.assert_clean(&[]);
}

#[test]
fn the_python_sdk_streams() {
    let python = need!(require::cached("python/bin/python"));
    streams_with(python, &[script("sdk.py")], &[]);
}

#[test]
fn the_node_sdk_streams() {
    let modules = need!(require::cached("node-sdk/node_modules"));
    let node = need!(require::program("node"));
    streams_with(node, &[script("sdk.cjs")], &[("NODE_PATH", modules)]);
}
