//! Whatever a profile holds: what is read stands where it says, in order, in every dialect.
#![no_main]

use claudectl_footprint::scan::{assignment::assignments, word::Dialect};
use libfuzzer_sys::fuzz_target;

const DIALECTS: [Dialect; 9] = [
    Dialect::Posix,
    Dialect::Fish,
    Dialect::FishUniversal,
    Dialect::Nu,
    Dialect::PowerShell,
    Dialect::Dotenv,
    Dialect::Yaml,
    Dialect::Toml,
    Dialect::Unit,
];

fuzz_target!(|bytes: &[u8]| {
    let Some((first, text)) = bytes.split_first() else { return };
    let dialect = DIALECTS[usize::from(*first) % DIALECTS.len()];
    let mut end = 0;
    for found in assignments(text, dialect, |name| name.starts_with(b"ANTHROPIC") || name.len() == 9) {
        let word = &found.word;
        assert!(found.name.start >= end && found.name.end <= word.whole.start);
        assert!(word.whole.start <= word.inner.start && word.inner.end <= word.whole.end);
        assert!(word.whole.end <= text.len());
        if word.inner.len() == word.value.len() && word.inner != word.whole {
            assert_eq!(&text[word.inner.clone()], word.value.as_slice());
        }
        if let Some(statement) = &found.statement {
            assert!(statement.start <= found.name.start && statement.end >= word.whole.end);
            assert!(statement.start == 0 || text[statement.start - 1] == b'\n');
            assert!(statement.end == text.len() || text[statement.end - 1] == b'\n');
        }
        end = if word.dynamic { found.name.end } else { word.whole.end };
    }
});
