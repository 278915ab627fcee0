//! What the end-to-end tests stand on: a [`sandbox`] in which nothing touches the invoking user, a
//! [`upstream`] that looks like the Anthropic API, [`canary`] keys and the search for them on disk,
//! in `/proc` and in [`memory`].
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::as_conversions,
    clippy::missing_panics_doc,
    clippy::return_self_not_must_use,
    reason = "test support: a failure here is a failed test, and its report goes to the terminal"
)]

pub mod authority;
pub mod browser;
pub mod canary;
pub mod desktop;
pub mod follow;
pub mod genuine;
pub mod http;
pub mod http2;
pub mod isolation;
pub mod json;
pub mod keyring;
pub mod memory;
pub mod program;
pub mod require;
pub mod sandbox;
pub mod seed;
pub mod session;
pub mod terminal;
pub mod upstream;
pub mod wait;
