//! Logs: to standard error, without a credential ever (nothing that is logged can hold one).

use std::io;

use tracing::Level;

/// Starts logging at this level.
pub fn start(level: Level) {
    // A second start, in a test, changes nothing.
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false)
        .with_ansi(false)
        .with_writer(io::stderr)
        .log_internal_errors(false)
        .try_init();
}
