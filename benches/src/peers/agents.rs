//! Agents: ssh, `GnuPG`, git, pizauth, rbw.

use std::process::{Command, Stdio};

use super::{Peer, feed};
use crate::place::{self, Place, Running, find};

pub(super) fn ssh() -> Option<Peer> {
    let (agent, add, keygen) = (find("ssh-agent")?, find("ssh-add")?, find("ssh-keygen")?);
    let place = Place::new();
    let socket = place.path("agent");
    let mut command = place.command(agent);
    command.arg("-D").arg("-a").arg(&socket);
    let servers = vec![place::server(command, &socket)?];
    let key = place.path("key");
    place.command(keygen).args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status().ok()?;
    let client = move |place: &Place| {
        let mut command = place.command(&add);
        command.env("SSH_AUTH_SOCK", &socket);
        command
    };
    client(&place).arg(&key).status().ok()?;
    let ask = Box::new(move |place: &Place| {
        let mut command = client(place);
        command.arg("-l");
        command
    });
    Peer { name: "ssh-add -l", place, servers, ask, refuses: false }.once_it_answers()
}

pub(super) fn gnupg() -> Option<Peer> {
    let (agent, connect) = (find("gpg-agent")?, find("gpg-connect-agent")?);
    let place = Place::new();
    place.write("gnupg/gpg-agent.conf", "");
    let command = |place: &Place, program: &std::path::Path| {
        let mut command = place.command(program);
        command.env("GNUPGHOME", place.path("gnupg"));
        command
    };
    let server = command(&place, &agent).args(["--daemon", "--no-detach"]).spawn().ok()?;
    let servers = vec![Running(server)];
    let ask = Box::new(move |place: &Place| {
        let mut command = command(place, &connect);
        command.args(["--no-autostart", "GETINFO pid", "/bye"]);
        command
    });
    Peer { name: "gpg-connect-agent", place, servers, ask, refuses: false }.once_it_answers()
}

pub(super) fn git() -> Option<Peer> {
    let git = find("git")?;
    let place = Place::new();
    let directory = place.path("run/git");
    let socket = directory.join("socket");
    let mut server = place.command(&git);
    server.arg("credential-cache--daemon").arg(&socket);
    std::fs::DirBuilder::new().create(&directory).ok()?;
    std::fs::set_permissions(&directory, std::os::unix::fs::PermissionsExt::from_mode(0o700)).ok()?;
    let servers = vec![place::server(server, &socket)?];
    let query = place.write("query", "protocol=https\nhost=api.test\n\n");
    let client = move |place: &Place, action: &str| {
        let mut command = place.command(&git);
        command.arg("credential-cache").arg("--socket").arg(&socket).arg(action);
        command
    };
    feed(client(&place, "store"), "protocol=https\nhost=api.test\nusername=bench\npassword=TEST\n\n");
    let ask = Box::new(move |place: &Place| {
        let mut command = client(place, "get");
        command.stdin(std::fs::File::open(&query).map_or_else(|_| Stdio::null(), Stdio::from));
        command
    });
    Peer { name: "git credential-cache", place, servers, ask, refuses: false }.once_it_answers()
}

/// With an account that has no token yet: `pizauth status` is the same round trip as `show`.
pub(super) fn pizauth() -> Option<Peer> {
    let pizauth = find("pizauth")?;
    let place = Place::new();
    let configuration = place.write(
        "config/pizauth.conf",
        "account \"bench\" { auth_uri = \"http://127.0.0.1:9/a\"; token_uri = \"http://127.0.0.1:9/t\"; client_id = \"bench\"; }\n",
    );
    let mut server = place.command(&pizauth);
    server.arg("server").arg("-d").arg("-c").arg(configuration);
    let servers = vec![Running(server.spawn().ok()?)];
    let ask = Box::new(move |place: &Place| -> Command {
        let mut command = place.command(&pizauth);
        command.arg("status");
        command
    });
    Peer { name: "pizauth show", place, servers, ask, refuses: false }.once_it_answers()
}

/// A locked vault: the answer is `no`, on the same way as `yes`.
pub(super) fn rbw() -> Option<Peer> {
    let (rbw, agent) = (find("rbw")?, find("rbw-agent")?);
    let place = Place::new();
    place
        .write("config/rbw/config.json", r#"{"email":"bench@example.test","base_url":"http://127.0.0.1:9"}"#);
    let mut server = place.command(&agent);
    server.arg("--no-daemonize");
    let servers = vec![place::server(server, &place.path("run/rbw/socket"))?];
    let ask = Box::new(move |place: &Place| {
        let mut command = place.command(&rbw);
        command.arg("unlocked");
        command
    });
    Peer { name: "rbw unlocked", place, servers, ask, refuses: true }.once_it_answers()
}
