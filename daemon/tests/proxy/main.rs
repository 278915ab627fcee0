//! The relay over real sockets, against an upstream whose every byte is scripted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "a failed step is a failed test, and nothing here is an interface"
)]

mod access;
mod bodies;
mod check;
mod cuts;
mod echo;
mod frozen;
mod heads;
mod limits;
mod rig;
mod tls;
mod upstreams;
