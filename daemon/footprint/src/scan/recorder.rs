//! From a credential to a finding: the last step at which the credential is known.

use std::ops::Range;

use super::format;
use crate::{
    catalog::Place,
    finding::{
        Effect, Finding, Fingerprint, FingerprintKey, Kind, Location, Occurrence, Severity, Structure, Tail,
    },
};

/// A credential in a file, without the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) kind: Kind,
    pub(super) tail: Tail,
    pub(super) fingerprint: Fingerprint,
    pub(super) occurrences: Vec<Occurrence>,
    pub(super) structure: Structure,
}

/// Where something stands in a file, and as what.
pub(super) struct Written<'a> {
    /// Offset of the text in the file.
    pub(super) base: u64,
    pub(super) text: &'a [u8],
    pub(super) bytes: Range<usize>,
    pub(super) structure: Structure,
}

/// Takes note of this credential.
pub(super) fn seen(key: &FingerprintKey, kind: Kind, value: &[u8], written: Written<'_>) -> Seen {
    let raw = written.text.get(written.bytes.clone()).unwrap_or_default();
    let offset = |at: usize| written.base + u64::try_from(at).unwrap_or(u64::MAX);
    Seen {
        kind,
        tail: if kind.works_alone() { Tail::of(value) } else { Tail::default() },
        fingerprint: key.of(value),
        occurrences: vec![Occurrence {
            bytes: offset(written.bytes.start)..offset(written.bytes.end),
            raw: key.of(raw),
        }],
        structure: written.structure,
    }
}

/// The kind of a value: what its form says, else what its name says.
pub(super) fn kind_of(value: &[u8], named: Kind) -> Kind {
    let value = value.strip_prefix(b"Bearer ").unwrap_or(value);
    match format::tokens(value).next() {
        Some(token) if token.bytes == (0..value.len()) => token.kind,
        _ => named,
    }
}

/// A finding that nobody has weighed yet.
pub(super) fn finding(
    place: &'static Place,
    location: Location,
    seen: &Seen,
    changed_at: Option<i64>,
) -> Finding {
    Finding {
        place,
        location,
        kind: seen.kind,
        tail: seen.tail,
        fingerprint: seen.fingerprint,
        severity: Severity::Low,
        effect: Effect::None,
        changed_at,
        account: None,
        cure: String::new(),
        leads: false,
    }
}
