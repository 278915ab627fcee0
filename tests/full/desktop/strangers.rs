//! Screen savers of desktops that cannot run here, by python-dbusmock: somebody else's idea of what they tell,
//! beside that of the tests' own `Locker`.

use std::path::Path;

use claudectl_tests::{
    desktop::{Bus, VENDORS, Vendor, sightings, status_until},
    need,
    program::Program,
    require::Missing,
    sandbox::Sandbox,
    upstream::FakeUpstream,
};

use super::is_logged_out;

/// Debian's, which has its modules.
const PYTHON: &str = "/usr/bin/python3";

struct Stranger(Program);

impl Stranger {
    fn start(sandbox: &Sandbox, vendor: Vendor) -> Self {
        let mut command = sandbox.command(PYTHON);
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("full/desktop/screensaver.py"));
        command.args([vendor.name, vendor.path, vendor.interface]);
        let mut program = sandbox.start(command);
        assert_eq!(program.line().trim(), "ready");
        Self(program)
    }

    fn says(&mut self, word: &str) {
        self.0.write(format!("{word}\n").as_bytes());
        assert_eq!(self.0.line().trim(), "done");
    }
}

fn dbusmock() -> Result<(), Missing> {
    let place = Path::new("/usr/lib/python3/dist-packages/dbusmock");
    if place.is_dir() { Ok(()) } else { Err("needs python3-dbusmock: run tests/prepare as root".into()) }
}

#[test]
fn a_screen_saver_that_somebody_else_wrote_is_heard_and_asked() {
    need!(dbusmock());
    // The last one is nobody's.
    for vendor in &VENDORS[..VENDORS.len() - 1] {
        let mut sandbox = Sandbox::new();
        let _bus = need!(Bus::start(&mut sandbox, "DBUS_SESSION_BUS_ADDRESS"));
        let mut stranger = Stranger::start(&sandbox, *vendor);
        // Nobody tells a daemon that starts behind a locked screen: it asks.
        stranger.says("lock");
        let _daemon = sandbox.daemon();
        let found = status_until(&sandbox, |status| sightings(status, "screen-locked") == 1);
        assert_eq!(found["desktop_watched"], true, "{vendor:?}: {found}");
        stranger.says("unlock");
        status_until(&sandbox, |status| sightings(status, "screen-unlocked") == 1);
        // And it hears what is told.
        let key = sandbox.key();
        let upstream = FakeUpstream::plain([key.as_str()]);
        sandbox.login("work", &key, &upstream);
        stranger.says("lock");
        let status = status_until(&sandbox, is_logged_out);
        assert_eq!(
            status["sightings"].as_array().unwrap().last().unwrap()["by"],
            vendor.interface,
            "{status}"
        );
        sandbox.assert_clean(&[]);
    }
}
