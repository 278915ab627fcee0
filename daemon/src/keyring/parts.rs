//! A record that is longer than an entry may be (Credential Manager: 2,560 bytes).
//!
//! The parts are entries of their own, named after a random cut; the account's entry only names the
//! cut. It is written last and replaced at once, so that a crash at any step leaves the old record or
//! the new one, and parts that nothing names.

use std::io;

use super::record::RecordError;
use crate::random;

/// What the account's entry starts with if the record is in parts.
const MAGIC: &str = "claudectl-parts/1 ";
/// What no account name has: it stands between the account and the cut.
const MARK: char = '#';
/// The longest record, in bytes.
const LONGEST: usize = 128 * 1024;

/// How a record was cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cut {
    id: String,
    pub(super) count: usize,
    /// Of the whole record, in bytes.
    pub(super) length: usize,
}

impl Cut {
    pub(super) fn new(length: usize, limit: usize) -> io::Result<Self> {
        Ok(Self { id: random::hexadecimal(8)?, count: length.div_ceil(limit), length })
    }

    /// The entry of one part.
    pub(super) fn name(&self, account: &str, part: usize) -> String {
        format!("{account}{MARK}{}.{part}", self.id)
    }

    /// Whether the entry is one of this cut's parts.
    pub(super) fn names(&self, entry: &str) -> bool {
        let cut = entry.split_once(MARK).and_then(|(_, part)| part.split_once('.'));
        cut.is_some_and(|(id, _)| id == self.id)
    }

    /// What is written into the account's entry.
    pub(super) fn line(&self) -> String {
        format!("{MAGIC}{} {} {}", self.id, self.count, self.length)
    }

    /// Reads it back; `None` if the entry is no such line.
    pub(super) fn parse(entry: &[u8]) -> Result<Option<Self>, RecordError> {
        let damaged = || RecordError::Damaged("its list of parts");
        let Some(line) = entry.strip_prefix(MAGIC.as_bytes()) else { return Ok(None) };
        let line = str::from_utf8(line).map_err(|_| damaged())?;
        let fields: Vec<&str> = line.split(' ').collect();
        let [id, count, length] = fields[..] else { return Err(damaged()) };
        let (Ok(count), Ok(length)) = (count.parse(), length.parse()) else { return Err(damaged()) };
        let possible = (1..=length).contains(&count) && length <= LONGEST;
        if !possible || id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(damaged());
        }
        Ok(Some(Self { id: id.to_owned(), count, length }))
    }
}

/// The account that an entry is of, and whether it is a part.
pub(super) fn account_of(entry: &str) -> (&str, bool) {
    entry.split_once(MARK).map_or((entry, false), |(account, _)| (account, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_reads_back_and_knows_its_parts() {
        let cut = Cut::new(6000, 2560).unwrap();
        assert_eq!(cut.count, 3);
        assert_eq!(Cut::parse(cut.line().as_bytes()).unwrap(), Some(cut.clone()));
        let part = cut.name("work", 2);
        assert!(cut.names(&part) && !Cut::new(6000, 2560).unwrap().names(&part) && !cut.names("work"));
        assert_eq!((account_of(&part), account_of("work")), (("work", true), ("work", false)));
    }

    #[test]
    fn what_is_no_list_of_parts_is_told_apart_from_a_damaged_one() {
        assert!(Cut::parse(b"claudectl-account/1 2 3 4\n").unwrap().is_none());
        for damaged in ["", "ab 1", "ab 0 5", "ab 6 5", "ab 1 999999", "zz 1 5", " 1 5", "ab 1 5 7"] {
            assert!(Cut::parse(format!("{MAGIC}{damaged}").as_bytes()).is_err(), "{damaged:?}");
        }
    }
}
