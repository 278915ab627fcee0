//! What is compared: nothing, a TCP copy, nginx, haproxy, and the product's API socket.

mod identity;
mod text;

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use crate::{
    client::Address,
    place::{self, Place, Running, find},
    product::Product,
};

/// Something that is sent requests.
pub(crate) struct Front {
    pub(crate) name: &'static str,
    /// To the plain upstream.
    pub(crate) plain: Way,
    /// To the TLS upstream, if it speaks TLS.
    pub(crate) tls: Option<Way>,
}

/// Where requests go, and the process that takes them there.
pub(crate) struct Way {
    pub(crate) address: Address,
    pub(crate) pid: u32,
}

/// All that are here, and what they need to live.
pub(crate) struct Fronts {
    pub(crate) all: Vec<Front>,
    /// Those that are not here.
    pub(crate) absent: Vec<&'static str>,
    _place: Place,
    _running: Vec<Running>,
    _products: Vec<Product>,
}

/// Ports and certificate of the two upstreams.
struct Upstreams {
    plain: u16,
    tls: u16,
    authority: String,
}

impl Fronts {
    /// Starts the upstreams, and everything that is here in front of them.
    pub(crate) fn start() -> Self {
        let place = Place::new();
        let identity = identity::write(&place);
        let (plain, server) = upstream(&place, &[]);
        let (tls, tls_server) = upstream(&place, &[&identity.certificate, &identity.key]);
        let upstreams = Upstreams { plain, tls, authority: identity.authority };
        let direct = Way { address: Address::Port(plain), pid: server.pid() };
        let mut all = vec![Front { name: "direct", plain: direct, tls: None }];
        let (mut running, mut absent) = (vec![server, tls_server], Vec::new());
        for (name, start) in [("TCP copy", copy as Start), ("nginx", nginx), ("haproxy", haproxy)] {
            match start(&place, &upstreams) {
                Some((front, server)) => {
                    all.push(front);
                    running.push(server);
                }
                None => absent.push(name),
            }
        }
        let products: Vec<Product> = (0..2).filter_map(|_| Product::start()).collect();
        match products.as_slice() {
            [first, second] => all.push(own(first, second, &upstreams)),
            _ => absent.push("claudectld"),
        }
        Self { all, absent, _place: place, _running: running, _products: products }
    }

    /// One of them.
    pub(crate) fn named(&self, name: &str) -> Option<&Front> {
        self.all.iter().find(|front| front.name == name)
    }
}

type Start = fn(&Place, &Upstreams) -> Option<(Front, Running)>;

fn upstream(place: &Place, arguments: &[&str]) -> (u16, Running) {
    let mut command = place.command(std::env::current_exe().expect("this program"));
    command.arg("upstream").args(arguments).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = command.spawn().expect("this program");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a port");
    (line.trim().parse().expect("a port"), Running(child))
}

fn copy(place: &Place, upstreams: &Upstreams) -> Option<(Front, Running)> {
    let mut command = place.command(std::env::current_exe().ok()?);
    let socket = place.path("copy");
    command.arg("copy").arg(&socket).arg(upstreams.plain.to_string());
    let running = place::server(command, &socket)?;
    Some((front("TCP copy", place, "copy", None, &running), running))
}

fn nginx(place: &Place, upstreams: &Upstreams) -> Option<(Front, Running)> {
    let program = find("nginx")?;
    let file = place.write("nginx.conf", &text::nginx(place, upstreams));
    std::fs::create_dir_all(place.path("nginx")).ok()?;
    let mut command = place.command(program);
    command
        .arg("-p")
        .arg(place.path("nginx"))
        .arg("-e")
        .arg(place.path("nginx/error.log"))
        .arg("-c")
        .arg(file);
    let running = place::server(command, &place.path("nginx-tls"))?;
    Some((front("nginx", place, "nginx-plain", Some("nginx-tls"), &running), running))
}

fn haproxy(place: &Place, upstreams: &Upstreams) -> Option<(Front, Running)> {
    let program = find("haproxy")?;
    let file = place.write("haproxy.cfg", &text::haproxy(place, upstreams));
    let mut command = place.command(program);
    command.arg("-db").arg("-f").arg(file);
    let running = place::server(command, &place.path("haproxy-tls"))?;
    Some((front("haproxy", place, "haproxy-plain", Some("haproxy-tls"), &running), running))
}

fn front(name: &'static str, place: &Place, plain: &str, tls: Option<&str>, running: &Running) -> Front {
    let way = |name: &str| Way { address: Address::Socket(place.path(name)), pid: running.pid() };
    Front { name, plain: way(plain), tls: tls.map(way) }
}

/// Two daemons: a process has one session, and this process is the client.
fn own(plain: &Product, tls: &Product, upstreams: &Upstreams) -> Front {
    plain.login("bench", &format!("http://127.0.0.1:{}", upstreams.plain), "");
    tls.login("bench", &format!("https://127.0.0.1:{}", upstreams.tls), &upstreams.authority);
    let way = |product: &Product| Way {
        address: Address::Socket(product.session("bench")),
        pid: product.daemon.pid(),
    };
    Front { name: "claudectld", plain: way(plain), tls: Some(way(tls)) }
}
