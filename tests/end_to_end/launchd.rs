//! What the agent of launchd says. No macOS runs here: read, not tried.

const PLIST: &str = include_str!("../../launchd/org.claudectl.claudectld.plist");

/// What stands after this key, without the room between the elements.
fn value(key: &str) -> String {
    let text: String = PLIST.lines().map(str::trim).collect();
    let (_, rest) = text.split_once(&format!("<key>{key}</key>")).unwrap_or_default();
    rest.to_owned()
}

fn assert_says(key: &str, wanted: &str) {
    assert!(value(key).starts_with(wanted), "{key}: {}", value(key));
}

#[test]
fn the_agent_lives_in_one_login_session_and_stays_down_when_it_is_stopped() {
    assert_says("Label", "<string>org.claudectl.claudectld</string>");
    assert_says("ProgramArguments", "<array><string>@bindir@/claudectld</string></array>");
    assert_says("LimitLoadToSessionType", "<string>Aqua</string>");
    // After a crash it comes back, empty; after a stop it does not.
    assert_says("KeepAlive", "<dict><key>SuccessfulExit</key><false/></dict>");
    assert_says("Umask", &format!("<integer>{}</integer>", 0o077));
    for limits in ["HardResourceLimits", "SoftResourceLimits"] {
        assert_says(limits, "<dict><key>Core</key><integer>0</integer></dict>");
    }
    // launchd would hold a socket that nobody asks it for: clients would wait at it for ever.
    assert_eq!(value("Sockets"), "");
}
