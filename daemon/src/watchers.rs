//! Turn what the operating system reports into events.

pub mod processes;
pub mod signals;
