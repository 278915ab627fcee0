//! What was done about every copy, and what proves it.

use claudectl_platform::erasure::Medium;

use crate::finding::Revocation;

/// How certain it is that a copy is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It is gone, and that was looked at.
    Proven,
    /// It was to stay.
    Kept,
    /// Nobody here can reach it; `by` says who can.
    OutOfReach,
    /// It is still there, or nobody can tell; `by` says who can remove it.
    Unproven,
}

impl Outcome {
    /// Its name in `--json`; never changed.
    pub fn id(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Kept => "kept",
            Self::OutOfReach => "out-of-reach",
            Self::Unproven => "unproven",
        }
    }
}

/// One copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is, with no more of it than its last characters.
    pub what: String,
    /// Where it is, or was.
    pub place: String,
    /// What was done.
    pub action: String,
    /// What proves it, or what is in the way.
    pub proof: String,
    /// How certain it is.
    pub outcome: Outcome,
    /// By whom, and how, the rest can be done.
    pub by: Option<String>,
}

/// All copies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// One for each copy.
    pub items: Vec<Item>,
    /// On what kinds of media bytes were overwritten.
    pub media: Vec<Medium>,
}

impl Receipt {
    /// Whether nothing is left that was to go.
    pub fn is_proven(&self) -> bool {
        self.items.iter().all(|item| item.outcome != Outcome::Unproven)
    }

    /// Notes a medium that was written to.
    pub fn note(&mut self, medium: Medium) {
        if !self.media.contains(&medium) {
            self.media.push(medium);
            self.media.sort();
        }
    }
}

/// What overwriting is worth on a medium, for people.
pub fn worth(medium: Medium) -> &'static str {
    match medium {
        Medium::Memory => "in memory: what was overwritten is gone",
        Medium::Disk => {
            "on a disk that is written in place: the old bytes are gone from the file, but not from a journal, a backup or a snapshot"
        }
        Medium::Flash => "on flash: the drive may keep the old blocks until it needs them",
        Medium::CopyOnWrite => {
            "on a copy-on-write file system: the old blocks stay until they are reused, and snapshots keep them"
        }
        Medium::Layered => "on a layered file system: a layer below may keep an older copy",
        Medium::Network => "on another machine: what that keeps is not known here",
        Medium::Unknown => "on a file system that is not known here: the old blocks may remain",
    }
}

/// How to take a credential out of force where only its issuer can.
pub fn advice(revocation: Revocation) -> String {
    match revocation.url {
        Some(url) => format!("you, at {url}: {}", revocation.what),
        None => format!("you: {}", revocation.what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_in_memory_is_called_gone() {
        let all = [
            Medium::Memory,
            Medium::Disk,
            Medium::Flash,
            Medium::CopyOnWrite,
            Medium::Layered,
            Medium::Network,
            Medium::Unknown,
        ];
        for medium in all {
            let said = worth(medium);
            let doubts = ["but not from", "may keep", "stay until", "not known", "may remain"];
            let is_doubtful = doubts.iter().any(|doubt| said.contains(doubt));
            assert_eq!(is_doubtful, medium != Medium::Memory, "{said}");
            assert_eq!(all.iter().filter(|other| worth(**other) == said).count(), 1, "{said}");
        }
    }

    #[test]
    fn each_medium_is_noted_once() {
        let mut receipt = Receipt::default();
        for medium in [Medium::Flash, Medium::Memory, Medium::Flash] {
            receipt.note(medium);
        }
        assert_eq!(receipt.media, [Medium::Memory, Medium::Flash]);
    }
}
