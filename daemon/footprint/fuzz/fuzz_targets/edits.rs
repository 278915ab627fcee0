//! Edits of other programs' files: for any bytes either a refusal, or an edit that fits the text, takes out what it
//! was told, and leaves JSON that can be read - in every encoding.
#![no_main]

use claudectl_footprint::{
    edit::{
        json,
        profile::{Dialect, remove},
    },
    encoding::Encoding,
};
use libfuzzer_sys::fuzz_target;

const DIALECTS: [Dialect; 6] =
    [Dialect::Shell, Dialect::Fish, Dialect::Nushell, Dialect::PowerShell, Dialect::Lines, Dialect::Unit];

fuzz_target!(|input: (&[u8], u16, u8, u8)| {
    let (text, start, length, which) = input;
    let start = usize::from(start).min(text.len());
    let span = start..(start + usize::from(length)).min(text.len());
    if let Ok(edit) = remove(text, DIALECTS[usize::from(which) % DIALECTS.len()], &span) {
        assert!(edit.covers(&span) || span.is_empty());
        assert!(edit.apply(text).is_some());
    }
    if let Some(encoding) = Encoding::of(text) {
        let read = encoding.read(text);
        let span = start.min(read.len())..(start + usize::from(length)).min(read.len());
        assert_eq!(encoding.of_written(&encoding.written(&span)), span);
        if let Ok(edit) = remove(&read, DIALECTS[usize::from(which) % DIALECTS.len()], &span) {
            let edited = encoding.edit(&edit).apply(text).expect("it was made for this text");
            let wanted = edit.apply(&read).expect("it was made for this text");
            assert_eq!(*encoding.read(&edited), *wanted);
        }
    }
    if let Ok(edit) = json::remove(text, &["/k", "/a/k"]) {
        let edited = edit.apply(text).expect("it was made for this text");
        assert!(edited.len() < text.len());
        // What could be read before can be read afterwards.
        if serde_json::from_slice::<serde_json::Value>(text).is_ok() {
            serde_json::from_slice::<serde_json::Value>(&edited).expect("still JSON");
        }
    }
});
