//! The daemon's library: everything but `main`.
//!
//! `transport` accepts, `service` and `proxy` translate, `engine` owns the state, `effects` act,
//! `watchers` report. See `daemon/README.md` for the map.

pub mod app;
pub mod args;
pub mod config;
pub mod effects;
pub mod engine;
pub mod footprints;
pub mod gate;
pub mod guard;
pub mod keyring;
pub mod logging;
pub mod meter;
pub mod notify;
pub mod oauth;
pub mod proxy;
pub mod random;
pub mod record;
pub mod service;
pub mod transport;
pub mod watchers;
