//! The tables of places.

pub mod environment;
