//! Names and numbers that identify things.

use std::{fmt, str::FromStr};

/// The name of an account: 1 to 64 characters of `a-z A-Z 0-9 . _ - @ +`, the first one a letter
/// or a digit. Nothing that a terminal could take for a control sequence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountName(String);

/// Why a name is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing there.
    #[error("the account name is empty")]
    Empty,
    /// Over 64 characters.
    #[error("the account name is longer than 64 characters")]
    TooLong,
    /// A character that is not allowed there.
    #[error("an account name takes letters, digits and . _ - @ + and starts with a letter or a digit")]
    Character,
}

impl AccountName {
    /// The name that a login without one gives.
    pub const DEFAULT: &'static str = "default";

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-@+".contains(c);
        match name.chars().next() {
            None => Err(NameError::Empty),
            Some(_) if name.len() > 64 => Err(NameError::TooLong),
            Some(first) if first.is_ascii_alphanumeric() && name.chars().all(allowed) => {
                Ok(Self(name.to_owned()))
            }
            Some(_) => Err(NameError::Character),
        }
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A session. The shell draws it at random, so that identifiers of an earlier daemon mean nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u32);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl FromStr for SessionId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u32::from_str_radix(text, 16).map(Self)
    }
}

/// A question of a client that still wants its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// A login in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoginId(pub u64);

/// A secret page in the shell's vault. The core never sees what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretId(pub u64);

/// Changes whenever an account changes, so that a stale result cannot write back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_fool_a_terminal_or_a_path_are_refused() {
        for bad in ["", ".", "..", "-rf", "a/b", "a b", "a\n", "a\u{1b}[31m", "\u{202e}evil", &"x".repeat(65)]
        {
            assert!(bad.parse::<AccountName>().is_err(), "{bad:?}");
        }
        for good in ["work", "me@example.org", "Team-1_b", "0"] {
            assert_eq!(good.parse::<AccountName>().unwrap().to_string(), good);
        }
    }

    #[test]
    fn session_ids_read_back() {
        let id = SessionId(0x00c0_ffee);
        assert_eq!(id.to_string(), "00c0ffee");
        assert_eq!(id.to_string().parse(), Ok(id));
    }
}
