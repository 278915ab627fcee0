//! Tests that need root, a download (`tests/prepare`) or minutes. What a machine lacks is said and
//! skipped; with `CLAUDECTL_REQUIRE_ALL=1` it is a failure.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::as_conversions,
    clippy::disallowed_methods,
    reason = "tests: a failure here is a failed test"
)]

mod all_users;
mod authorization;
mod desktop;
mod foreign;
mod frozen;
mod genuine;
mod memory;
mod processes;
mod purge;
mod subscription;
mod users;
