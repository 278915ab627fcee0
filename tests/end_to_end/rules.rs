//! Which account a directory uses, and which it must not.

use claudectl_tests::{
    sandbox::Sandbox,
    session::{Session, message},
    upstream::FakeUpstream,
};

/// Two accounts, `personal` the default, and a directory that belongs to `work`.
fn ruled() -> (Sandbox, FakeUpstream, [String; 2]) {
    let sandbox = Sandbox::new();
    let keys = [sandbox.key(), sandbox.key()];
    let upstream = FakeUpstream::plain(keys.iter().map(String::as_str));
    let directory = sandbox.path("work");
    sandbox.configure(&format!(
        "[[rule]]\ndirectory = \"{}\"\naccount = \"work\"\ndeny = [\"personal\"]\n",
        directory.display()
    ));
    for (name, key) in ["personal", "work"].into_iter().zip(&keys) {
        sandbox.login(name, key, &upstream).exited(0);
    }
    (sandbox, upstream, keys)
}

#[test]
fn a_directory_has_its_account_and_a_forgotten_flag_bills_nobody_else() {
    let (sandbox, upstream, [_, work]) = ruled();
    // Programs of the sandbox run in its work directory.
    let here = sandbox.ctl(&["status", "--json"]).exited(0).json();
    assert_eq!(here["here"]["name"], "work");
    assert!(here["here_why"].as_str().unwrap().starts_with("the rule for "), "{here}");
    Session::open(&sandbox, &[]).message();
    assert_eq!(upstream.messages()[0].credentials(), [("x-api-key".to_owned(), work)]);
    // Logged out there means nobody else pays: the default account is no substitute.
    sandbox.ctl(&["logout", "work"]).exited(0);
    let refused = sandbox.ctl(&["run", "--", "true"]).exited(5);
    assert!(refused.stderr.contains("account \"work\" is not logged in"), "{}", refused.stderr);
}

#[test]
fn a_denied_account_is_refused_even_by_name_and_by_a_move() {
    let (sandbox, upstream, _) = ruled();
    let refused = sandbox.ctl(&["run", "--account", "personal", "--", "true"]).exited(1);
    assert!(refused.stderr.contains("may not be used below"), "{}", refused.stderr);
    let mut session = Session::open(&sandbox, &[]);
    let id = sandbox.ctl(&["sessions", "--json"]).exited(0).json()["sessions"][0]["id"].clone();
    let id = id.as_str().unwrap();
    let refused = sandbox.ctl(&["sessions", "--move", id, "personal"]).exited(1);
    assert!(refused.stderr.contains("may not be used below"), "{}", refused.stderr);
    assert_eq!(session.message()["status"], 200);
    assert_eq!(upstream.messages().len(), 1);
}

#[test]
fn a_moved_session_uses_the_other_account_and_goes_on() {
    let (sandbox, upstream, keys) = ruled();
    sandbox.configure("");
    sandbox.ctl(&["reload"]).exited(0);
    let mut session = Session::open(&sandbox, &[]);
    session.message();
    let id = sandbox.ctl(&["sessions", "--json"]).exited(0).json()["sessions"][0]["id"].clone();
    let moved = sandbox.ctl(&["sessions", "--move", id.as_str().unwrap(), "work", "--json"]).exited(0).json();
    assert_eq!(moved["session"]["account"], "work");
    assert_eq!(session.ask(&message("request"))["status"], 200);
    let used: Vec<_> = upstream.messages().iter().map(|request| request.credentials()[0].1.clone()).collect();
    assert_eq!(used, keys);
}
