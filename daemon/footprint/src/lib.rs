//! Credential traces outside the daemon: where they are and what they mean. Used by the daemon and
//! by the client; needs no daemon.

pub mod catalog;
