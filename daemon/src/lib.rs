//! The daemon's library: everything but `main`.
//!
//! `transport` accepts, `service` and `proxy` translate, `engine` owns the state, `effects` act.
//! See `daemon/README.md` for the map.

pub mod gate;
pub mod meter;
pub mod proxy;
