//! OAuth against an authorization server of ours on loopback, good and hostile.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "a failed step is a failed test, and nothing here is an interface"
)]

mod agreement;
mod browser;
mod device;
mod discovery;
mod gateway;
mod hostile;
mod paste;
mod refresh;
mod revoke;
mod rig;
