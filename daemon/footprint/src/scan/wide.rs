//! Anthropic's own credentials where each character has two bytes: UTF-16 of either order, with a mark at the
//! start of the file or, as in the databases of some programs, without.

use std::ops::Range;

use memchr::memmem::{Finder, find_iter};
use zeroize::Zeroizing;

use super::{
    format::{self, LONGEST},
    needle::Needles,
};
use crate::finding::Kind;

/// `sk-ant-`, from its first character to its last, in either order.
const PREFIX: &[u8] = b"s\0k\0-\0a\0n\0t\0-";
/// So many characters before it say whether it is one.
const BEFORE: usize = 8;

/// A credential that is written so.
pub(super) struct Wide {
    /// From its first character to its last.
    pub(super) bytes: Range<usize>,
    /// What it is.
    pub(super) value: Zeroizing<Vec<u8>>,
    pub(super) kind: Kind,
}

/// Every one in a text. Nothing is searched in a text without empty bytes.
pub(super) fn tokens(text: &[u8]) -> Vec<Wide> {
    if memchr::memchr(0, text).is_none() {
        return Vec::new();
    }
    let mut from = 0;
    let mut found = Vec::new();
    for start in Finder::new(PREFIX).find_iter(text).filter_map(|start| at(text, start)) {
        if start.bytes.start >= from {
            from = start.bytes.end;
            found.push(start);
        }
    }
    found
}

/// The one that starts here, where the prefix is.
fn at(text: &[u8], start: usize) -> Option<Wide> {
    let byte = |at: Option<usize>| at.and_then(|at| text.get(at)).copied();
    let before = (1..=BEFORE).map_while(|back| {
        let at = start.checked_sub(2 * back);
        byte(at.map(|at| at + 1)).filter(|half| *half == 0).and(byte(at)).filter(|char| *char != 0)
    });
    let mut read = Zeroizing::new(Vec::with_capacity(BEFORE + LONGEST + PREFIX.len()));
    read.extend(before);
    read.reverse();
    let skipped = read.len();
    read.extend(byte(Some(start)));
    let after = (1..LONGEST + PREFIX.len()).map_while(|on| {
        byte(Some(start + 2 * on - 1)).filter(|half| *half == 0).and(byte(Some(start + 2 * on)))
    });
    read.extend(after);
    let token = format::tokens(&read).find(|token| token.bytes.start == skipped)?;
    let length = token.bytes.len();
    let mut value = Zeroizing::new(Vec::with_capacity(length));
    value.extend_from_slice(read.get(token.bytes)?);
    Some(Wide { bytes: start..start + 2 * length - 1, value, kind: token.kind })
}

/// Every place of a credential that was found elsewhere, written so.
pub(super) fn needles(text: &[u8], needles: &Needles) -> Vec<Wide> {
    if memchr::memchr(0, text).is_none() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (needle, kind) in needles.iter() {
        let mut wide = Zeroizing::new(Vec::with_capacity(2 * needle.len()));
        wide.extend(needle.iter().flat_map(|byte| [*byte, 0]));
        wide.pop();
        found.extend(find_iter(text, wide.as_slice()).map(|start| Wide {
            bytes: start..start + wide.len(),
            value: Zeroizing::new(needle.to_vec()),
            kind,
        }));
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "sk-ant-api03-TESTabcdefghij0123456789-_klmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghAA";

    fn both(text: &str) -> [Vec<u8>; 2] {
        [
            text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        ]
    }

    #[test]
    fn in_either_order_from_the_first_character_to_the_last() {
        for (order, text) in both(&format!("ä\"{KEY}\" and é{KEY}")).iter().enumerate() {
            let found = tokens(text);
            assert_eq!(found.len(), 2, "{order}");
            for (one, place) in found.iter().zip([2, 9 + KEY.len()]) {
                assert_eq!((one.value.as_slice(), one.kind), (KEY.as_bytes(), Kind::ApiKey));
                assert_eq!(one.bytes.start, 2 * place + order, "{order}");
                let characters: Vec<u8> = text[one.bytes.clone()].iter().copied().step_by(2).collect();
                assert_eq!(characters, KEY.as_bytes());
            }
        }
    }

    #[test]
    fn look_alikes_are_left_alone() {
        for text in ["risk-ant-api03-TESTabcdefghij0123456789-_klmnop", "sk-ant-api03-...", "sk-ant-"] {
            for text in both(text) {
                assert!(tokens(&text).is_empty());
            }
        }
        assert!(tokens(KEY.as_bytes()).is_empty(), "that one is found as what it is");
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(
            bytes in proptest::collection::vec(any::<u8>(), 0..40), body in "[A-Za-z0-9_-]{0,60}", odd in any::<bool>(),
        ) {
            let wide: Vec<u8> = format!("sk-ant-api03-{body}").bytes().flat_map(|byte| [byte, 0]).collect();
            let text = [&bytes[..], &wide[usize::from(odd)..], &bytes[..]].concat();
            for found in tokens(&text) {
                let characters: Vec<u8> = text[found.bytes.clone()].iter().copied().step_by(2).collect();
                prop_assert_eq!(found.value.as_slice(), characters);
            }
        }
    }

    #[test]
    fn what_has_no_form_is_found_by_its_characters() {
        let mut known = Needles::default();
        known.add(b"gateway-0123456789", Kind::GatewayToken);
        for text in both("x gateway-0123456789 gateway-01234") {
            let found = needles(&text, &known);
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].value.as_slice(), b"gateway-0123456789");
        }
    }
}
