//! End-to-end tests with the real binaries: what an ordinary user on an ordinary machine can run.
//! README.md says which of them proves which answer to which threat.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::as_conversions,
    clippy::disallowed_methods,
    reason = "tests: a failure here is a failed test"
)]

mod accounts;
mod adopt;
mod audit;
mod authorization;
mod control_plane;
mod crash;
mod desktop;
mod directories;
mod footprints;
mod frozen;
mod guard;
mod kept;
mod launchd;
mod lifecycle;
mod logind;
mod purge;
mod record;
mod relay;
mod renewal;
mod routes;
mod rules;
mod sessions;
mod shim;
mod subscription;
mod traffic;
mod watch;
