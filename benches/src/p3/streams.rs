//! Memory of each front for a stream that is open and quiet.

use super::fronts::{Front, Fronts};
use crate::{
    client::{Connection, Request},
    memory,
    sample::Scale,
    table::{Table, Target, note, number},
};

/// Each row with fronts of its own: memory that an earlier one has freed would be used again.
pub(super) fn measure(scale: Scale) {
    let count = scale.pick(400, 100);
    let names = ["nginx", "haproxy", "claudectld"];
    let mut columns = vec!["P3: memory of an open SSE stream, KB"];
    columns.extend(names);
    columns.extend(["target", ""]);
    let table = Table::start("", &columns);
    for (name, tls, most) in [("plain", false, 6.0), ("TLS", true, 14.0)] {
        let fronts = Fronts::start();
        let each = names.map(|name| fronts.named(name).map_or(f64::NAN, |front| cost(front, tls, count)));
        let mut cells = vec![name.to_owned()];
        cells.extend(each.map(number));
        cells.extend([format!("≤ {most:.0}"), Target::at_most(most, each[2]).verdict().to_owned()]);
        table.row(&cells);
    }
    note(&format!(
        "Growth of the private memory of the process by {count} streams; the kernel's buffers are not in it."
    ));
}

fn cost(front: &Front, tls: bool, count: usize) -> f64 {
    let way = if tls { front.tls.as_ref() } else { Some(&front.plain) };
    let Some(way) = way else { return f64::NAN };
    let request = Request::new("hold", 1024);
    let dirty = || memory::of(way.pid).map_or(f64::NAN, |memory| memory.dirty);
    let hold = || {
        let mut connection = Connection::open(&way.address).expect("it listens");
        connection.send(&request);
        connection.receive_first_event();
        connection
    };
    let _first = hold();
    let before = dirty();
    let streams: Vec<Connection> = (0..count).map(|_| hold()).collect();
    let grown = dirty() - before;
    grown / streams.len() as f64
}
