//! The least that a client can be: an echo over a Unix socket, in C.

use super::Peer;
use crate::place::{self, Place, built};

pub(super) fn dynamic() -> Option<Peer> {
    peer("C echo, dynamic", "ECHO_CLIENT")
}

pub(super) fn musl() -> Option<Peer> {
    peer("C echo, static musl", "ECHO_CLIENT_MUSL")
}

fn peer(name: &'static str, client: &str) -> Option<Peer> {
    let (client, server) = (built(client)?, built("ECHO_SERVER")?);
    let place = Place::new();
    let socket = place.path("echo");
    let mut command = place.command(server);
    command.arg(&socket);
    let servers = vec![place::server(command, &socket)?];
    let ask = Box::new(move |place: &Place| {
        let mut command = place.command(&client);
        command.arg(&socket);
        command
    });
    Peer { name, place, servers, ask, refuses: false }.once_it_answers()
}
