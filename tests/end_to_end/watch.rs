//! What watches the watchers: `doctor lock`, `drill`, notifications, the idle minute.

use claudectl_tests::{
    desktop::{Bus, Locker, Notifications, VENDORS, status_until},
    need, require,
    sandbox::Sandbox,
    upstream::FakeUpstream,
};

#[test]
fn doctor_lock_says_who_told_and_offers_the_line_where_nobody_does() {
    let mut sandbox = Sandbox::new();
    let bus = need!(Bus::start(&mut sandbox, "DBUS_SESSION_BUS_ADDRESS"));
    sandbox.set("WAYLAND_DISPLAY", "wayland-0");
    let mut command = sandbox.command("claudectl");
    command.args(["doctor", "lock", "--wait", "1", "--json"]);
    let silent = sandbox.start(command).finish().exited(1).json();
    assert_eq!((&silent["heard"], &silent["hooks"][0]["program"]), (&false.into(), &"swayidle".into()));
    let (one, other) = (Locker::start(&bus, VENDORS[2]), Locker::start(&bus, VENDORS[4]));
    status_until(&sandbox, |status| status["desktop_watched"] == true);
    let mut command = sandbox.command("claudectl");
    command.args(["doctor", "lock", "--json"]);
    let asking = sandbox.start(command);
    asking.wait_for_error("Lock the screen now");
    one.lock(true);
    other.lock(true);
    let heard = asking.finish().exited(0).json();
    let by: Vec<_> =
        heard["sources"].as_array().unwrap().iter().map(|one| one["by"].as_str().unwrap()).collect();
    assert_eq!(by, ["org.gnome.ScreenSaver", "org.mate.ScreenSaver"]);
}

#[test]
fn the_drill_passes_and_leaves_nothing() {
    let sandbox = Sandbox::new();
    for program in ["dbus-daemon", "dbus-send", "script"] {
        need!(require::program(program));
    }
    let output = sandbox.ctl(&["drill", "--quick", "--json"]).exited(0);
    let drill = output.json();
    assert_eq!(drill["passed"], true, "{drill}");
    let steps = drill["steps"].as_array().unwrap();
    let steps: Vec<_> = steps
        .iter()
        .map(|step| [&step["name"], &step["outcome"]].map(|text| text.as_str().unwrap()))
        .collect();
    let expected =
        [["screen lock", "pass"], ["closed terminal", "pass"], ["kill -9", "pass"], ["idle", "skip"]];
    assert_eq!(steps, expected, "{drill}");
    let left = std::fs::read_dir(sandbox.path("tmp")).unwrap().count();
    assert_eq!(left, 0, "the drill left something");
    assert!(sandbox.daemon_pid().is_none(), "the drill started a daemon of the user's");
}

#[test]
fn a_notification_says_what_was_done_unless_it_is_switched_off() {
    let mut sandbox = Sandbox::new();
    sandbox.configure("[notify]\ndesktop = false\n");
    let bus = need!(Bus::start(&mut sandbox, "DBUS_SESSION_BUS_ADDRESS"));
    let notifications = Notifications::start(&bus);
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    sandbox.login("me@example.org", &key, &upstream);
    let locker = Locker::start(&bus, VENDORS[2]);
    // A lock before anybody listens is told to nobody.
    status_until(&sandbox, |status| status["desktop_watched"] == true);
    locker.lock(true);
    status_until(&sandbox, |status| status["logged_in"] == false);
    sandbox.configure("");
    sandbox.ctl(&["reload"]).exited(0);
    sandbox.login("me@example.org", &key, &upstream);
    locker.lock(true);
    let body = notifications.wait();
    assert_eq!(body, "1 account was logged out because the screen was locked. 0 sessions ended.");
    // They come in order: one of the first lock would have been there before.
    assert_eq!(notifications.count(), 1);
}
