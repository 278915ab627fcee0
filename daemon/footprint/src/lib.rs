//! Credential traces outside the daemon: where they are and what they mean. Used by the daemon and
//! by the client; needs no daemon.
//!
//! `catalog` is the table of places, `scan` looks into them, a [`finding`] is one credential at one
//! place: everything that a removal needs, and nothing of the credential itself.

pub mod adopt;
pub mod catalog;
pub mod database;
pub mod edit;
pub mod encoding;
pub mod finding;
pub mod plan;
pub mod purge;
pub mod receipt;
pub mod scan;

pub use catalog::{Place, Remedy};
pub use finding::{Finding, Kind, Location};
