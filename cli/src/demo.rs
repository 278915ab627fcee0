//! The parts of the demonstration: its stage, its API, its client.

pub mod client;
pub mod stage;
pub mod upstream;
