//! What each front adds to the time of one request.

use std::time::Duration;

use super::fronts::{Front, Fronts};
use crate::{
    client::{Address, Connection, Request},
    sample::{self, Samples, Scale},
    table::{Table, Target, note, number},
};

/// One kind of request.
struct Work {
    name: &'static str,
    request: Request,
    kind: Kind,
    tls: bool,
    /// The product's share of what nginx adds, at most.
    target: Option<f64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A whole answer on a connection that stays.
    Kept,
    /// The first event, on a new connection.
    First,
    /// The same, after a pause: a person thinks, and meanwhile the processor does something else.
    Cold,
}

fn works() -> [Work; 6] {
    let work = |name, query, body, kind, target| Work {
        name,
        request: Request::new(query, body),
        kind,
        tls: false,
        target,
    };
    let tls =
        Work { tls: true, ..work("1 KiB JSON, TLS 1.3 upstream", "json", 1024, Kind::Kept, Some(0.65)) };
    [
        work("1 KiB JSON", "json", 1024, Kind::Kept, Some(0.80)),
        work("32 KiB POST", "json", 32 * 1024, Kind::Kept, Some(0.80)),
        tls,
        work("SSE first event, new connection, after a pause", "sse", 1024, Kind::Cold, Some(0.55)),
        work("SSE first event, new connection, in a row", "sse", 1024, Kind::First, None),
        work("SSE burst of 200 events", "burst", 1024, Kind::Kept, Some(0.5)),
    ]
}

/// Requests in a row, before it is the next one's turn.
const BLOCK: usize = 40;

/// Between two requests of a person who thinks, shortened.
const PAUSE: Duration = Duration::from_millis(5);

pub(super) fn measure(fronts: &Fronts, scale: Scale) {
    let mut columns = vec!["P3: added to p50, µs"];
    columns.extend(fronts.all.iter().map(|front| front.name));
    columns.extend(["×nginx", "target", ""]);
    let table = Table::start("P3 The proxy", &columns);
    for work in works() {
        row(&table, fronts, &work, scale);
    }
    note(
        "`direct` is the whole time without anything between; with TLS, too, it is that of the plain upstream.",
    );
    for name in &fronts.absent {
        note(&format!("{name}: not here"));
    }
}

fn row(table: &Table, fronts: &Fronts, work: &Work, scale: Scale) {
    let mut samples = vec![Samples::default(); fronts.all.len()];
    let mut kept: Vec<Option<Connection>> = fronts.all.iter().map(|_| None).collect();
    sample::interleave(
        fronts.all.len(),
        scale.pick(100, 15),
        scale.pick(Duration::from_secs(20), Duration::from_secs(4)),
        |index| {
            let Some(address) = address(&fronts.all[index], work.tls) else { return };
            let block = if work.kind == Kind::Cold { BLOCK / 8 } else { BLOCK };
            for _ in 0..block {
                let took = match work.kind {
                    Kind::Kept => exchange(kept[index].get_or_insert_with(|| open(address)), &work.request),
                    Kind::First => first_event(address, &work.request),
                    Kind::Cold => {
                        std::thread::sleep(PAUSE);
                        first_event(address, &work.request)
                    }
                };
                samples[index].push(took);
            }
        },
    );
    let direct = samples[0].median();
    let mut cells = vec![work.name.to_owned(), number(direct)];
    cells.extend(samples[1..].iter().map(|samples| number(samples.median() - direct)));
    let added = |name: &str| {
        let index = fronts.all.iter().position(|front| front.name == name);
        index.map_or(f64::NAN, |index| samples[index].median() - direct)
    };
    let ratio = added("claudectld") / added("nginx");
    cells.push(number(ratio));
    if let Some(most) = work.target {
        cells.extend([format!("≤ {most:.2} × nginx"), Target::at_most(most, ratio).verdict().to_owned()]);
    }
    table.row(&cells);
}

/// Without a front the plain upstream is asked, for TLS as well: so no client's TLS is left out of
/// what a front adds.
fn address(front: &Front, tls: bool) -> Option<&Address> {
    let way = if tls && front.name != "direct" { front.tls.as_ref() } else { Some(&front.plain) };
    way.map(|way| &way.address)
}

fn open(address: &Address) -> Connection {
    Connection::open(address).expect("it listens")
}

fn exchange(connection: &mut Connection, request: &Request) -> Duration {
    sample::time(|| {
        connection.send(request);
        connection.receive();
    })
}

fn first_event(address: &Address, request: &Request) -> Duration {
    let mut connection = None;
    let took = sample::time(|| {
        let connection = connection.insert(open(address));
        connection.send(request);
        connection.receive_first_event();
    });
    // The rest is read, so that whoever keeps connections to the upstream can keep this one.
    if let Some(connection) = &mut connection {
        connection.receive();
    }
    took
}
