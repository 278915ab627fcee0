//! The genuine Claude Code, frozen by a seal and thawed by the unseal in one running process.

use claudectl_tests::{
    genuine::{Genuine, is_conversation},
    keyring::PrivateBus,
    need,
    upstream::Reply,
};

#[test]
fn a_running_client_waits_through_a_seal_and_goes_on_without_noticing() {
    let mut place = need!(Genuine::new());
    let mut bus = need!(PrivateBus::start(&mut place.sandbox));
    bus.start_keyring(&place.sandbox, true);
    let upstream = place.upstream();
    let login = ["login", "work", "--keep", "--upstream", &upstream.url()];
    place.sandbox.ctl_with(&login, place.key.as_bytes()).exited(0);
    need!(place.open_terminal("claude"));
    place.wait_for("claudectl:");
    place.enter("first prompt");
    place.wait_for("Hello from the fake upstream.");
    let asked = upstream.messages().len();

    place.sandbox.ctl(&["seal", "work"]).exited(0);
    upstream.model(|request| is_conversation(request).then(|| Reply::message("Back again.")));
    place.enter("second prompt");
    let screen = place.wait_for("interrupt");
    assert!(!screen.contains("401") && !screen.contains("API Error"), "{screen}");
    assert_eq!(upstream.messages().len(), asked, "a request left while its account was sealed");

    place.sandbox.ctl(&["unseal", "work"]).exited(0);
    let screen = place.wait_for("Back again.");
    assert!(!screen.contains("401") && !screen.contains("API Error"), "{screen}");
    place.sandbox.assert_clean(&[]);
}
