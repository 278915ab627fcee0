//! The keyring of kept accounts against a real gnome-keyring on a bus of the test's own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test: a failure here is a failed test, and its report goes to the terminal"
)]

mod crash;
mod outcomes;
mod person;
mod probe;
mod rig;
