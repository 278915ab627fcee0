//! Looking into the places of the catalogue.

pub mod assignment;
pub mod format;
pub mod json;
pub mod placeholder;
pub mod word;
