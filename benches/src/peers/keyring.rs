//! GNOME Keyring on a D-Bus of its own.

use std::process::Stdio;

use super::{Peer, feed};
use crate::place::{self, Place, Running, find};

pub(super) fn secret_tool() -> Option<Peer> {
    let (bus, daemon, tool) = (find("dbus-daemon")?, find("gnome-keyring-daemon")?, find("secret-tool")?);
    let place = Place::new();
    let socket = place.path("bus");
    let address = format!("unix:path={}", place.text("bus"));
    let mut command = place.command(bus);
    command.args(["--session", "--nofork", "--nopidfile", "--address", &address]);
    let bus = place::server(command, &socket)?;
    let on_bus = move |place: &Place, program: &std::path::Path| {
        let mut command = place.command(program);
        command.env("DBUS_SESSION_BUS_ADDRESS", &address);
        command
    };
    let mut keyring = on_bus(&place, &daemon);
    keyring.args(["--foreground", "--unlock", "--components=secrets"]).stdin(Stdio::piped());
    let mut keyring = keyring.spawn().ok()?;
    {
        use std::io::Write as _;
        keyring.stdin.take()?.write_all(b"bench").ok()?;
    }
    let servers = vec![bus, Running(keyring)];
    let store = || {
        let mut command = on_bus(&place, &tool);
        command.args(["store", "--label=bench", "service", "bench"]);
        feed(command, "TEST")
    };
    if !crate::place::wait_until(store) {
        return None;
    }
    let ask = Box::new(move |place: &Place| {
        let mut command = on_bus(place, &tool);
        command.args(["lookup", "service", "bench"]);
        command
    });
    Peer { name: "secret-tool lookup", place, servers, ask, refuses: false }.once_it_answers()
}
