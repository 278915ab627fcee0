//! Whatever a JSON file holds: every string that serde_json reads is told, with the same meaning and the
//! pointer that leads to it, and its bytes are where it says.
#![no_main]

use claudectl_footprint::scan::json::{decode, strings};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let mut told = Vec::new();
    let outcome = strings(bytes, |string| {
        let written = &bytes[string.bytes.clone()];
        let decoded = decode(written);
        assert!(decoded.written(0..decoded.bytes.len()).end <= written.len());
        told.push((string.pointer(), decoded.bytes.to_vec(), written.to_vec()));
    });
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return };
    // A name that is there twice leads to the last one only, and serde_json goes as deep as we do.
    if outcome.is_err() {
        return;
    }
    assert!(told.len() >= count(&value));
    for (pointer, meaning, written) in told {
        // Halves of surrogate pairs are read one by one.
        if written.windows(2).any(|pair| pair == br"\u") {
            continue;
        }
        if let Some(Value::String(text)) = value.pointer(&pointer) {
            let twice = std::str::from_utf8(&meaning).is_ok_and(|meaning| meaning != text);
            assert!(!twice || has_doubles(bytes), "{pointer}");
        }
    }
});

fn has_doubles(bytes: &[u8]) -> bool {
    // Only then can another value stand at the same pointer.
    bytes.iter().filter(|byte| **byte == b':').count() >= 2
}

fn count(value: &Value) -> usize {
    match value {
        Value::String(_) => 1,
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(items) => items.values().map(count).sum(),
        _ => 0,
    }
}
