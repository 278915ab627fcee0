//! Keeps a credential that an upstream echoes from reaching the session (threat T19).

use std::ops::Range;

use memchr::{memchr, memchr_iter};

/// What covers a credential.
const COVER: u8 = b'*';

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scrubbed {
    /// How many bytes may pass. The rest could be the start of the credential: it is to be scrubbed
    /// again, in front of what comes next.
    pub pass: usize,
    /// How often the credential was covered.
    pub hits: usize,
}

/// Covers every copy of the credential in `wire` with asterisks: in one piece anywhere, and across
/// the pieces of content that `runs` lists in order. `last` says that nothing comes after.
pub fn scrub(credential: &[u8], wire: &mut [u8], runs: &[Range<usize>], last: bool) -> Scrubbed {
    let mut hits = cover_whole(credential, wire);
    for (index, run) in runs.iter().enumerate() {
        match across(credential, wire, runs, index, run) {
            Crossing::None => {}
            Crossing::Open(_) if last => break,
            Crossing::Open(start) => return Scrubbed { pass: start, hits },
            Crossing::Whole(start) => {
                cover_across(wire, runs, index, start, credential.len());
                hits += 1;
            }
        }
    }
    Scrubbed { pass: wire.len(), hits }
}

/// Covers every copy that is in one piece.
pub fn cover_whole(credential: &[u8], wire: &mut [u8]) -> usize {
    // Looked for by its first capital letter, which is rare in what is usually said. A prepared search
    // would be no faster for bodies of this size, and would hold a copy or cost its preparation.
    let place = credential.iter().position(u8::is_ascii_uppercase).unwrap_or(0);
    let Some(sign) = credential.get(place) else { return 0 };
    let (mut hits, mut from) = (0, place);
    while let Some(found) = memchr(*sign, wire.get(from..).unwrap_or_default()) {
        let start = from + found - place;
        let end = start + credential.len();
        from += found + 1;
        if let Some(copy) = wire.get_mut(start..end).filter(|piece| *piece == credential) {
            copy.fill(COVER);
            hits += 1;
            from = end + place;
        }
    }
    hits
}

enum Crossing {
    /// No copy begins in this run and leaves it.
    None,
    /// One may: the content ends before it could be told. It begins here.
    Open(usize),
    /// One does. It begins here.
    Whole(usize),
}

/// Looks for a copy that begins in one run and goes on in the next.
fn across(
    credential: &[u8],
    wire: &[u8],
    runs: &[Range<usize>],
    index: usize,
    run: &Range<usize>,
) -> Crossing {
    let content = wire.get(run.clone()).unwrap_or_default();
    let (Some(first), Some(last)) = (credential.first(), content.last()) else { return Crossing::None };
    // Most runs end with a byte that no credential has, such as the line feed of an event.
    if memchr(*last, credential).is_none() {
        return Crossing::None;
    }
    let tail = run.len().saturating_sub(credential.len() - 1);
    for at in memchr_iter(*first, content.get(tail..).unwrap_or_default()) {
        let start = run.start + tail + at;
        match matches_from(credential, wire, runs, index, start) {
            Some(true) => return Crossing::Whole(start),
            Some(false) => {}
            None => return Crossing::Open(start),
        }
    }
    Crossing::None
}

/// Whether the content from `start` on is the credential; `None` if it ends before that can be told.
fn matches_from(
    credential: &[u8],
    wire: &[u8],
    runs: &[Range<usize>],
    index: usize,
    start: usize,
) -> Option<bool> {
    let mut rest = credential;
    for run in runs.get(index..).unwrap_or_default() {
        let content = wire.get(run.start.max(start)..run.end).unwrap_or_default();
        let common = content.len().min(rest.len());
        if content.get(..common) != rest.get(..common) {
            return Some(false);
        }
        rest = rest.get(common..).unwrap_or_default();
        if rest.is_empty() {
            return Some(true);
        }
    }
    None
}

fn cover_across(wire: &mut [u8], runs: &[Range<usize>], index: usize, start: usize, length: usize) {
    let mut left = length;
    for run in runs.get(index..).unwrap_or_default() {
        let content = wire.get_mut(run.start.max(start)..run.end).unwrap_or_default();
        let covered = content.len().min(left);
        content.get_mut(..covered).unwrap_or_default().fill(COVER);
        left -= covered;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::proxy::body::Framing;

    const KEY: &[u8] = b"sk-ant-api03-TEST-sk-ant-api03-TEXT";

    /// Scrubs a chunked body that arrives in pieces, as the relay does, and returns wire and content.
    fn relay(wire: &[u8], pieces: &[usize]) -> (Vec<u8>, Vec<u8>) {
        let (mut framing, mut held, mut passed) = (Framing::response_chunks(), Vec::new(), Vec::new());
        let mut at = 0;
        for piece in pieces.iter().cycle() {
            let end = (at + piece).min(wire.len());
            let mut buffer = std::mem::take(&mut held);
            buffer.extend_from_slice(&wire[at..end]);
            at = end;
            let (before, mut runs) = (framing, Vec::new());
            let taken = framing.advance(&buffer, |run| runs.push(run)).unwrap();
            assert_eq!(taken, buffer.len());
            let pass = scrub(KEY, &mut buffer, &runs, framing.is_done()).pass;
            if pass < buffer.len() {
                framing = before;
                framing.advance(&buffer[..pass], |_| {}).unwrap();
            }
            held = buffer.split_off(pass);
            passed.extend_from_slice(&buffer);
            if framing.is_done() {
                break;
            }
        }
        let (mut framing, mut content) = (Framing::response_chunks(), Vec::new());
        framing.advance(&passed, |run| content.extend_from_slice(&passed[run])).unwrap();
        (passed, content)
    }

    fn encode(content: &[u8], chunks: &[usize]) -> Vec<u8> {
        let (mut wire, mut at) = (Vec::new(), 0);
        for chunk in chunks.iter().cycle() {
            if at == content.len() {
                break;
            }
            let end = (at + chunk).min(content.len());
            wire.extend_from_slice(format!("{:x}\r\n", end - at).as_bytes());
            wire.extend_from_slice(&content[at..end]);
            wire.extend_from_slice(b"\r\n");
            at = end;
        }
        wire.extend_from_slice(b"0\r\n\r\n");
        wire
    }

    fn contains(hay: &[u8], needle: &[u8]) -> bool {
        hay.windows(needle.len()).any(|window| window == needle)
    }

    fn sizes(most: usize) -> impl Strategy<Value = Vec<usize>> {
        prop::collection::vec(1..most, 1..5)
    }

    /// Text that is full of copies, halves and prefixes of the credential.
    fn text() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            Just(KEY.to_vec()),
            (1..KEY.len()).prop_map(|length| KEY[..length].to_vec()),
            (1..KEY.len()).prop_map(|start| KEY[start..].to_vec()),
            "[a-zA-Z\n ]{0,10}".prop_map(String::into_bytes),
        ];
        prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn the_credential_never_passes_for_any_split(text in text(), chunks in sizes(50), pieces in sizes(60)) {
            let (wire, content) = relay(&encode(&text, &chunks), &pieces);
            prop_assert!(!contains(&content, KEY) && !contains(&wire, KEY));
            prop_assert_eq!(content.len(), text.len());
            if !contains(&text, KEY) {
                prop_assert_eq!(content, text);
            }
        }
    }

    #[test]
    fn holds_back_only_what_could_be_the_credential() {
        let mut wire = b"hello sk-an".to_vec();
        let runs = std::slice::from_ref(&(0..11));
        assert_eq!(scrub(KEY, &mut wire, runs, false), Scrubbed { pass: 6, hits: 0 });
        assert_eq!(scrub(KEY, &mut wire, runs, true), Scrubbed { pass: 11, hits: 0 });
        let mut event = b"data: sk\n\n".to_vec();
        let runs = std::slice::from_ref(&(0..10));
        assert_eq!(scrub(KEY, &mut event, runs, false), Scrubbed { pass: 10, hits: 0 });
    }
}
