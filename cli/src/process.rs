//! Processes: starting the daemon, and turning this one into a session.

pub mod as_user;
pub mod environment;
pub mod search;
pub mod session;
pub mod start;
