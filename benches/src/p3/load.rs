//! Processor time of each front for a request, with many clients at once.

use super::fronts::{Front, Fronts};
use crate::{
    client::{Connection, Request},
    memory::processor_time,
    sample::{Scale, median},
    table::{Table, Target, number},
};

pub(super) fn measure(fronts: &Fronts, scale: Scale) {
    let loaded: Vec<&Front> = fronts.all.iter().filter(|front| front.name != "direct").collect();
    let mut columns = vec!["P3: processor time, µs/request"];
    columns.extend(loaded.iter().map(|front| front.name));
    columns.extend(["×nginx", "target", ""]);
    let table = Table::start("", &columns);
    for (clients, target) in [(16, 0.85), (256, 0.70)] {
        row(&table, &loaded, clients, target, scale);
    }
}

fn row(table: &Table, fronts: &[&Front], clients: usize, target: f64, scale: Scale) {
    let request = Request::new("json", 1024);
    let open = |front: &&Front| {
        (0..clients).map(|_| Connection::open(&front.plain.address).expect("it listens")).collect()
    };
    let mut connections: Vec<Vec<Connection>> = fronts.iter().map(open).collect();
    let waves = scale.pick(4000, 1000) / clients;
    let mut costs = vec![Vec::new(); fronts.len()];
    // The first round only warms up.
    for round in 0..scale.pick(16, 6) {
        for (index, front) in fronts.iter().enumerate() {
            let cost = cost(front, &mut connections[index], &request, waves);
            if round > 0 {
                costs[index].push(cost);
            }
        }
    }
    let medians: Vec<f64> = costs.into_iter().map(median).collect();
    let of = |name: &str| {
        fronts.iter().position(|front| front.name == name).map_or(f64::NAN, |index| medians[index])
    };
    let ratio = of("claudectld") / of("nginx");
    let mut cells = vec![format!("{clients} clients")];
    cells.extend(medians.iter().map(|median| number(*median)));
    cells.extend([
        number(ratio),
        format!("≤ {target:.2} × nginx"),
        Target::at_most(target, ratio).verdict().to_owned(),
    ]);
    table.row(&cells);
}

/// Everybody asks, then everybody listens, and again.
fn cost(front: &Front, connections: &mut [Connection], request: &Request, waves: usize) -> f64 {
    let pid = front.plain.pid;
    let before = processor_time(pid);
    for _ in 0..waves {
        for connection in &mut *connections {
            connection.send(request);
        }
        connections.iter_mut().for_each(Connection::receive);
    }
    (processor_time(pid) - before) / (waves * connections.len()) as f64
}
