//! Plans, and what doing them leaves - also when the process is killed at any step.
#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod again;
mod database;
mod files;
mod interrupted;
mod plan;
mod property;
mod scan;
mod seeded;
