//! The local record: what happened to accounts, sessions and the desktop. The daemon writes it, the
//! client reads it; no daemon is needed for that.
//!
//! It is a file of lines, each a JSON object with the SHA-256 of the line before it (`previous`), so that a
//! line that was changed, removed or put elsewhere shows. What was cut off at the end shows as long as
//! the daemon runs that wrote it: its `status` has the number and the hash of the last line. Somebody
//! who writes the whole file anew while no daemon runs is not seen: it is a record, not a seal.

mod chain;
mod entry;

use std::path::{Path, PathBuf};

pub use chain::{Chain, Fault, Head, Origin, Verdict, verify};
pub use entry::{Entry, What};

/// The names of the record's files in the state directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    directory: PathBuf,
}

impl Files {
    /// The longest that a file gets, in bytes. Then it becomes the older one, and the older one goes.
    pub const LIMIT: u64 = 1024 * 1024;

    /// Those in this state directory.
    pub fn within(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// The directory that they are in.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The file that is written.
    pub fn current(&self) -> PathBuf {
        self.directory.join("record.jsonl")
    }

    /// The one before it.
    pub fn older(&self) -> PathBuf {
        self.directory.join("record.1.jsonl")
    }
}
