//! P2: the daemon: a warm call, idle memory, many sessions, the end of a session.

mod idle;
mod rpc;
mod sessions;

use crate::{sample::Scale, table::Table};

/// Measures and prints.
pub(crate) fn run(scale: Scale) {
    let table = Table::start("P2 The daemon", &["P2", "measured", "×anchor", "target", ""]);
    idle::measure(&table);
    sessions::measure(&table, scale);
    rpc::measure(&table, scale);
}
