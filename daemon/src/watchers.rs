//! Turn what the operating system reports into events.

pub mod desktop;
pub mod processes;
pub mod signals;
