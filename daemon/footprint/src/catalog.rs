//! The tables of places.

pub mod environment;
mod place;

pub use place::{Group, Place, Platforms, Remedy};
