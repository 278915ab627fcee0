//! What of a credential may be shown.

use std::fmt;

/// At most this many characters of a credential are ever kept or shown.
const SHOWN: usize = 4;
/// A credential shorter than this shows nothing: four characters of it would be too much.
const SHORT: usize = 20;

/// The last characters of a credential, for people who want to know which one it is. Empty where
/// that would give too much away, and where there is nothing to show.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Tail([u8; SHOWN]);

impl Tail {
    /// That of this credential.
    pub fn of(credential: &[u8]) -> Self {
        let shown = credential.last_chunk::<SHOWN>().copied().unwrap_or_default();
        if credential.len() < SHORT || !shown.iter().all(u8::is_ascii_graphic) {
            return Self::default();
        }
        Self(shown)
    }

    /// The characters; empty if none may be shown.
    pub fn as_str(&self) -> &str {
        if self.0 == [0; SHOWN] { "" } else { std::str::from_utf8(&self.0).unwrap_or_default() }
    }
}

impl fmt::Display for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "…{}", self.as_str())
    }
}

impl fmt::Debug for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tail({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_more_than_four_characters() {
        assert_eq!(Tail::of(b"sk-ant-api03-TEST0123456789wxyz").to_string(), "…wxyz");
        assert_eq!(Tail::of(b"short-secret").to_string(), "…");
        assert_eq!(Tail::of(b"").to_string(), "…");
        assert_eq!(Tail::of("aaaaaaaaaaaaaaaaaaaaaaaaaaaaé".as_bytes()).to_string(), "…");
        assert_eq!(Tail::of(b"aaaaaaaaaaaaaaaaaaaaaaaaa\x1b[0m").to_string(), "…");
    }
}
