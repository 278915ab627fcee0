//! What is kept is there without a daemon, too, and no command says otherwise.

use std::{fs, path::PathBuf};

use claudectl_tests::{
    authority::FakeAuthority, isolation::private_processes, json, keyring::PrivateBus, need,
    sandbox::Sandbox, upstream::FakeUpstream,
};
use serde_json::Value;

use super::Place;

fn list(sandbox: &Sandbox) -> PathBuf {
    sandbox.home().join(".local/state/claudectl/kept.json")
}

fn unproven(receipt: &Value) -> Vec<&Value> {
    receipt["items"].as_array().unwrap().iter().filter(|item| item["outcome"] == "unproven").collect()
}

#[test]
fn it_is_told_as_sealed_and_logged_out_for_certain() {
    let place = need!(Place::kept());
    place.stop();
    let status = place.sandbox.ctl(&["status"]).exited(0).stdout;
    assert!(status.contains("work is kept in the keyring, sealed: claudectl unseal"), "{status}");
    let status = place.sandbox.ctl(&["status", "--json"]).exited(0).json();
    assert_eq!((&status["logged_in"], &status["daemon"]), (&true.into(), &Value::Null), "{status}");
    let listed = place.sandbox.ctl(&["accounts", "--json"]).exited(0).json();
    for accounts in [&status["accounts"], &listed["accounts"]] {
        let account = json::by(accounts, "name", "work");
        assert_eq!((&account["state"], &account["kept"]), (&"sealed".into(), &true.into()), "{account}");
    }
    place.sandbox.ctl(&["status", "--check"]).exited(4);
    assert_eq!(place.sandbox.daemon_pid(), None, "looking starts none");

    let sealed = place.sandbox.ctl(&["seal", "work"]).exited(0).stdout;
    assert!(sealed.contains("work"), "{sealed}");
    place.stop();
    place.sandbox.ctl(&["logout", "other"]).exited(1);
    place.stop();
    let receipt = place.sandbox.ctl(&["logout", "work", "--json"]).exited(0).json();
    let keyring = json::by(&receipt["items"], "where", "the OS keyring");
    assert_eq!((&keyring["action"], &keyring["outcome"]), (&"deleted".into(), &"proven".into()), "{receipt}");
    assert_eq!(place.others_read(), "");
    place.stop();
    place.sandbox.ctl(&["status", "--check"]).exited(5);
    let receipt = place.sandbox.ctl(&["logout", "--all", "--json"]).exited(0).json();
    assert_eq!((&receipt["items"], place.sandbox.daemon_pid()), (&Value::Array(Vec::new()), None));
}

#[test]
fn its_tokens_are_revoked() {
    let mut sandbox = Sandbox::new();
    let mut bus = need!(PrivateBus::start(&mut sandbox));
    bus.start_keyring(&sandbox, true);
    let (server, upstream) = (FakeAuthority::plain(), FakeUpstream::plain([]));
    upstream.accept_everything();
    sandbox.configure(&server.configuration("acme", &upstream.url()));
    let mut login = sandbox.command("claudectl");
    login.args(["login", "work", "--via", "acme", "--device", "--keep"]);
    let login = sandbox.start(login);
    login.wait_for_error("WDJB-0000");
    server.approve("WDJB-0000");
    login.finish().exited(0);
    let place = Place { sandbox, bus, key: String::new(), upstream };
    place.stop();
    let receipt = place.sandbox.ctl(&["logout", "--all", "--json"]).exited(0).json();
    assert_eq!(receipt["accounts"][0], "work", "{receipt}");
    let tokens = [server.access_tokens(), server.refresh_tokens()].concat();
    assert!(!tokens.is_empty() && tokens.iter().all(|token| !server.is_live(token)), "{receipt}");
    assert_eq!(place.others_read(), "");
}

#[test]
fn a_purge_takes_it_along() {
    if !need!(private_processes("kept::daemonless::a_purge_takes_it_along")) {
        return;
    }
    let place = need!(Place::kept());
    place.stop();
    let plan = place.sandbox.ctl(&["purge", "--only=daemon", "--dry-run", "--json"]).exited(0).json();
    assert_eq!((&plan["accounts"][0], place.sandbox.daemon_pid()), (&"work".into(), None), "{plan}");
    let receipt = place.sandbox.ctl(&["purge", "--only=daemon", "--yes", "--json"]).exited(0).json();
    assert_eq!(json::by(&receipt["items"], "where", "the OS keyring")["outcome"], "proven", "{receipt}");
    assert_eq!(place.others_read(), "");
}

#[test]
fn a_list_that_cannot_be_read_is_never_taken_for_an_empty_one() {
    let place = need!(Place::kept());
    place.stop();
    let list = list(&place.sandbox);
    let torn = fs::read_to_string(&list).unwrap().split_at(20).0.to_owned();
    fs::write(&list, &torn).unwrap();
    let told = |receipt: &Value, file: &PathBuf| {
        let items = unproven(receipt);
        assert_eq!(items.len(), 1, "{receipt}");
        assert_eq!(items[0]["where"], file.to_str().unwrap(), "{receipt}");
    };
    told(&place.sandbox.ctl(&["logout", "--all", "--json"]).exited(6).json(), &list);
    let status = place.sandbox.ctl(&["status"]).exited(0).stdout;
    assert!(status.contains(list.to_str().unwrap()), "{status}");

    // Another account is kept: the list is written anew, and what it was stays.
    let url = place.upstream.url();
    let login = ["login", "other", "--keep", "--upstream", &url];
    place.sandbox.ctl_with(&login, place.key.as_bytes()).exited(0);
    let aside = list.with_file_name("kept.damaged-1");
    assert_eq!(fs::read_to_string(&aside).unwrap(), torn);
    assert!(fs::read_to_string(&list).unwrap().contains("other"));
    let receipt = place.sandbox.ctl(&["logout", "--all", "--json"]).exited(6).json();
    told(&receipt, &aside);
    assert_eq!(receipt["accounts"], serde_json::json!(["other"]), "{receipt}");
    fs::remove_file(&aside).unwrap();
    place.sandbox.ctl(&["logout", "--all"]).exited(0);
}

#[test]
fn a_fifo_in_its_place_holds_nobody_up() {
    let place = need!(Place::new());
    let list = list(&place.sandbox);
    fs::create_dir_all(list.parent().unwrap()).unwrap();
    nix::unistd::mkfifo(&list, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let receipt = place.sandbox.ctl(&["logout", "--all", "--json"]).exited(6).json();
    assert_eq!(unproven(&receipt)[0]["where"], list.to_str().unwrap(), "{receipt}");
    assert!(place.sandbox.daemon_pid().is_some(), "it started");
}
