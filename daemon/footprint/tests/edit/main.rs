//! Edits take out what they are told, and not a byte more.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod json;
mod overwrite;
mod plist;
mod profile;
mod shell;

/// What stands for a credential.
const KEY: &str = "sk-ant-api03-TEST0123456789";

/// Where it is.
fn span(text: &str) -> std::ops::Range<usize> {
    let start = text.find(KEY).unwrap();
    start..start + KEY.len()
}
