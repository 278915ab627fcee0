//! A copy of a credential that the daemon holds is called by its account's name.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::{fs::DirBuilderExt as _, net::UnixListener},
};

use claudectl_tests::{
    http2::{self, frame},
    json, memory, require,
    sandbox::Sandbox,
    upstream::FakeUpstream,
};
use serde_json::Value;

use super::audit;

/// A home in which this key is a setting of Claude Code.
fn leave(sandbox: &Sandbox, key: &str) {
    let directory = sandbox.home().join(".claude");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("settings.json"), format!("{{\"env\":{{\"ANTHROPIC_API_KEY\":\"{key}\"}}}}"))
        .unwrap();
}

fn of<'a>(document: &'a Value, place: &str) -> &'a Value {
    &json::by(&document["findings"], "place", place)["account"]
}

#[test]
fn the_key_of_an_account_is_named_and_another_key_is_not() {
    let sandbox = Sandbox::new();
    let (key, other) = (sandbox.key(), sandbox.key());
    let upstream = FakeUpstream::plain([key.as_str()]);
    sandbox.login("work", &key, &upstream);
    leave(&sandbox, &key);
    fs::write(sandbox.home().join(".profile"), format!("export ANTHROPIC_API_KEY={other}\n")).unwrap();
    let document = audit(&sandbox, 1);
    assert_eq!(
        (of(&document, "claude.settings"), of(&document, "profiles.sh")),
        (&"work".into(), &Value::Null)
    );
    assert_eq!(document["accounts"], serde_json::json!({ "unknown": [], "error": null }));
    let text = sandbox.ctl(&["audit", "--files-only"]).exited(1).stdout;
    assert_eq!(text.matches("is the key of account work").count(), 1, "{text}");
    let sarif = sandbox.ctl(&["audit", "--files-only", "--sarif"]).exited(1).json();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let named: Vec<_> = results.iter().map(|result| &result["properties"]["account"]).collect();
    assert!(named.contains(&&"work".into()) && named.contains(&&Value::Null), "{sarif}");

    let daemon = sandbox.daemon_pid().unwrap();
    let copies = || match require::root() {
        Ok(()) => memory::look(daemon, &sandbox.search()).unwrap().hits,
        Err(_) => Vec::new(),
    };
    assert!(copies().len() <= 1, "comparing leaves no copy: {:?}", copies());
    sandbox.ctl(&["logout", "work"]).exited(0);
    assert!(copies().is_empty(), "{:?}", copies());
    let document = audit(&sandbox, 1);
    assert_eq!(of(&document, "claude.settings"), &Value::Null, "nobody holds it any more");
}

#[test]
fn without_a_daemon_none_is_started_and_no_account_is_named() {
    let sandbox = Sandbox::new();
    leave(&sandbox, &sandbox.key());
    let document = audit(&sandbox, 1);
    assert_eq!((of(&document, "claude.settings"), &document["accounts"]), (&Value::Null, &Value::Null));
    assert_eq!(sandbox.daemon_pid(), None);
}

/// What it cannot know it says, and it looks all the same.
#[test]
fn a_daemon_that_is_too_old_to_know_is_called_so() {
    let sandbox = Sandbox::new();
    leave(&sandbox, &sandbox.key());
    fs::DirBuilder::new().recursive(true).mode(0o700).create(sandbox.sockets()).unwrap();
    let listener = UnixListener::bind(sandbox.control_socket()).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.write_all(&frame(http2::SETTINGS, 0, 0, &[])).ok();
            // Whatever it asks: the first stream is answered with trailers alone.
            let answer =
                [b"\x88".as_slice(), b"\0\x0ccontent-type\x10application/grpc", b"\0\x0bgrpc-status\x0212"];
            stream.write_all(&frame(http2::HEADERS, 5, 1, &answer.concat())).ok();
            let mut rest = [0; 4096];
            while stream.read(&mut rest).is_ok_and(|count| count > 0) {}
        }
    });
    let document = audit(&sandbox, 1);
    assert_eq!(of(&document, "claude.settings"), &Value::Null);
    let error = document["accounts"]["error"].as_str().unwrap();
    assert!(error.starts_with("this claudectld does not know that call"), "{error}");
}
