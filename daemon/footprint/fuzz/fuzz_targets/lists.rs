//! Whatever a property list holds: variables are in it and in order, and taking one out takes out that one only.
#![no_main]

use claudectl_footprint::edit::plist;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (bool, &[u8])| {
    let (wrapped, inner) = input;
    let text = if wrapped {
        [b"<plist><dict><key>EnvironmentVariables</key><dict><key>A</key><string>", inner].concat()
    } else {
        inner.to_vec()
    };
    for bytes in plist::strings(&text) {
        assert!(bytes.end <= text.len());
    }
    let found = plist::variables(&text);
    let mut end = 0;
    for variable in &found {
        assert!(variable.entry.start >= end && variable.entry.end <= text.len());
        assert!(variable.entry.start < variable.name.start && variable.name.end < variable.value.start + 1);
        assert!(variable.value.end <= variable.entry.end);
        end = variable.entry.end;
        let Ok(edit) = plist::remove(&text, &variable.value) else { continue };
        let edited = edit.apply(&text).expect("it was made for this text");
        if !variable.value.is_empty() {
            assert_eq!(plist::variables(&edited).len(), found.len() - 1);
        }
    }
});
