//! What `claudectld` decides.
//!
//! [`Engine::handle`](engine::Engine::handle) turns one [`Event`](event::Event) and the time into
//! [`Effect`](effect::Effect)s. It is pure: no clock, no I/O, no async, no `cfg`, no `unsafe`. The
//! shell around it (the daemon's engine task) carries the effects out and feeds their results back
//! as events.

pub mod account;
pub mod command;
pub mod credential;
pub mod effect;
pub mod engine;
pub mod error;
pub mod event;
pub mod footprint;
pub mod ids;
pub mod policy;
pub mod receipt;
pub mod secret;
pub mod sentence;
pub mod session;
pub mod time;
