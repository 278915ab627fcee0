//! Memory of daemons that wait.

use std::time::Duration;

use crate::{
    memory::{self, Memory},
    peers,
    place::wait_until,
    product::Product,
    table::{Table, Target, number},
};

/// Peers by the command that they answer.
const DAEMONS: [(&str, &str); 4] = [
    ("ssh-add -l", "ssh-agent"),
    ("rbw unlocked", "rbw-agent"),
    ("pizauth show", "pizauth"),
    ("secret-tool lookup", "gnome-keyring-daemon"),
];

pub(super) fn measure(table: &Table) {
    let mut pizauth = None;
    for (command, daemon) in DAEMONS {
        let start = peers::ALL.iter().find(|(name, _)| *name == command).map(|(_, start)| start);
        let peer = start.and_then(|start| start());
        let memory = peer.as_ref().and_then(peers::Peer::server).and_then(settled);
        match memory {
            Some(memory) => table.row(&[format!("idle memory, {daemon}"), megabytes(memory)]),
            None => table.absent(&format!("idle memory, {daemon}")),
        }
        if daemon == "pizauth" {
            pizauth = memory;
        }
    }
    own(table, pizauth);
}

fn own(table: &Table, pizauth: Option<Memory>) {
    let Some(product) = Product::start() else { return table.absent("idle memory, claudectld") };
    let name = "idle memory, claudectld";
    row(table, &format!("{name}, just started"), settled(product.daemon.pid()), pizauth);
    product.login("bench", "http://127.0.0.1:9", "");
    row(table, &format!("{name}, holding a key"), settled(product.daemon.pid()), pizauth);
}

/// Nobody asked anything for so long: a daemon that rests then does so.
const IDLE: Duration = Duration::from_secs(5);

/// The memory once it is idle and does not change any more.
pub(super) fn settled(pid: u32) -> Option<Memory> {
    std::thread::sleep(IDLE);
    let mut last = memory::of(pid)?;
    wait_until(|| {
        std::thread::sleep(Duration::from_millis(200));
        let now = memory::of(pid).unwrap_or(last);
        let still = (now.pss - last.pss).abs() < 1.0;
        last = now;
        still
    });
    Some(last)
}

fn row(table: &Table, name: &str, memory: Option<Memory>, pizauth: Option<Memory>) {
    let Some(memory) = memory else {
        return table.row(&[name.to_owned(), "only root may look".to_owned()]);
    };
    let most =
        pizauth.map_or((4.5, 1.5), |peer| ((peer.pss / 1024.0).min(4.5), (peer.dirty / 1024.0).min(1.5)));
    let worst = (memory.pss / 1024.0 / most.0).max(memory.dirty / 1024.0 / most.1);
    let verdict = Target::at_most(1.0, worst).verdict().to_owned();
    table.row(&[
        name.to_owned(),
        megabytes(memory),
        String::new(),
        "PSS ≤ 4.5, dirty ≤ 1.5 MB, ≤ pizauth".to_owned(),
        verdict,
    ]);
}

fn megabytes(memory: Memory) -> String {
    format!("PSS {} MB, dirty {} MB", number(memory.pss / 1024.0), number(memory.dirty / 1024.0))
}
