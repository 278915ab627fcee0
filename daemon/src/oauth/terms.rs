//! Words that the core shares.

pub use claudectl_core::{
    account::Profile,
    credential::{Header, Part},
    event::Revocation,
};
