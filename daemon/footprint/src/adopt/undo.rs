//! The way back: where something was taken out of a file, and what stood there, with a placeholder in the
//! place of the key.

use std::{
    fmt::Write as _,
    ops::Range,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::{
    edit::{Change, Edit},
    encoding::Encoding,
    scan::format,
};

/// What stands for the key in a line that was restored. No audit takes it for one.
pub const PLACEHOLDER: &str = "paste-your-key-here";

/// The file is not as the change left it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the file has changed since the key was taken out of it")]
pub struct Changed;

/// How to take back the change of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of the file after the change.
    after: String,
    /// How it is written, if it has a mark.
    encoding: Option<Encoding>,
    /// What to put back, by where it goes in what is read of the file after the change.
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    at: usize,
    /// How many bytes stand there instead now.
    instead: usize,
    text: String,
}

impl Undo {
    /// That of this edit of this text, in which the credentials that are known are at `keys`. Whatever else has
    /// the form of one is left out, too. `None` if what goes is not UTF-8, or holds less than a whole one.
    pub fn of(path: &Path, text: &[u8], edit: &Edit, keys: &[Range<usize>]) -> Option<Self> {
        let after = sum(&edit.apply(text)?);
        let encoding = Encoding::of(text);
        let Some(known) = encoding else {
            return Some(Self {
                path: path.to_owned(),
                after,
                encoding,
                parts: parts(text, edit, keys.to_vec())?,
            });
        };
        let keys = keys.iter().map(|key| known.of_written(key)).collect();
        let parts = parts(&known.read(text), &known.of_edit(edit), keys)?;
        Some(Self { path: path.to_owned(), after, encoding, parts })
    }

    /// The text before the change, with the placeholder.
    ///
    /// # Errors
    /// If the text is not what the change left.
    pub fn apply(&self, text: &[u8]) -> Result<Zeroizing<Vec<u8>>, Changed> {
        if sum(text) != self.after {
            return Err(Changed);
        }
        let mut restored = Zeroizing::new(Vec::with_capacity(text.len() + 4096));
        let mut done = 0;
        for part in &self.parts {
            let read = part.at..part.at + part.instead;
            let written = self.encoding.map_or(read.clone(), |encoding| encoding.written(&read));
            restored.extend_from_slice(text.get(done..written.start).ok_or(Changed)?);
            let back = part.text.as_bytes();
            restored.extend(self.encoding.map_or_else(|| back.to_vec(), |encoding| encoding.write(back)));
            done = written.end;
        }
        restored.extend_from_slice(text.get(done..).ok_or(Changed)?);
        Ok(restored)
    }

    /// What was taken out, with the placeholder: for people who have to put it back by hand.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|part| part.text.as_str())
    }

    /// One line of a journal; `None` if the path is not UTF-8.
    pub fn line(&self) -> Option<String> {
        let part = |part: &Part| json!({ "at": part.at, "instead": part.instead, "text": part.text });
        let parts: Vec<_> = self.parts.iter().map(part).collect();
        let encoding = self.encoding.map(Encoding::name);
        let path = self.path.to_str()?;
        Some(json!({ "path": path, "after": self.after, "encoding": encoding, "parts": parts }).to_string())
    }

    /// From such a line.
    pub fn read(line: &[u8]) -> Option<Self> {
        let noted: Value = serde_json::from_slice(line).ok()?;
        let number = |part: &Value, name: &str| usize::try_from(part.get(name)?.as_u64()?).ok();
        let part = |part: &Value| {
            let text = part.get("text")?.as_str()?.to_owned();
            Some(Part { at: number(part, "at")?, instead: number(part, "instead")?, text })
        };
        Some(Self {
            path: noted.get("path")?.as_str()?.into(),
            after: noted.get("after")?.as_str()?.to_owned(),
            encoding: match noted.get("encoding").and_then(Value::as_str) {
                Some(name) => Some(Encoding::named(name)?),
                None => None,
            },
            parts: noted.get("parts")?.as_array()?.iter().map(part).collect::<Option<_>>()?,
        })
    }
}

/// What an edit takes out of a text.
fn parts(text: &[u8], edit: &Edit, mut keys: Vec<Range<usize>>) -> Option<Vec<Part>> {
    keys.extend(format::tokens(text).map(|token| token.bytes));
    let mut parts = Vec::new();
    let (mut removed, mut added) = (0, 0);
    for change in edit.changes() {
        let at = change.range.start - removed + added;
        parts.push(Part { at, instead: change.with.len(), text: without(text, &change.range, &keys)? });
        removed += change.range.len();
        added += change.with.len();
    }
    Some(parts)
}

/// The bytes of a range with the placeholder for each key.
fn without(text: &[u8], range: &Range<usize>, keys: &[Range<usize>]) -> Option<String> {
    let part = text.get(range.clone())?;
    let mut changes = Vec::new();
    for key in keys.iter().filter(|key| key.start < range.end && range.start < key.end) {
        // A piece of a key must not be written anywhere.
        let inside = key.start.checked_sub(range.start)?..key.end.checked_sub(range.start)?;
        if inside.end > part.len() {
            return None;
        }
        changes.push(Change { range: inside, with: PLACEHOLDER.as_bytes().to_vec() });
    }
    String::from_utf8(Edit::new(changes).apply(part)?.to_vec()).ok()
}

fn sum(text: &[u8]) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut hex, byte| {
        // Writing to a text never fails.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn back_and_forth_only_the_key_differs(
            before in "[a-zé\n ]{0,30}", around in ("[a-z= ]{0,10}", "([ \n][a-z \n]{0,9})?"), after in "(\n[a-zé\n ]{0,30})?",
            instead in prop::sample::select(vec!["", ":"]),
        ) {
            let key = "sk-ant-api03-TEST0123456789";
            let text = format!("{before}{}{key}{}{after}", around.0, around.1);
            let start = before.len() + around.0.len();
            let range = before.len()..start + key.len() + around.1.len();
            let edit = Edit::new(vec![Change { range, with: instead.as_bytes().to_vec() }]);
            let spans: Vec<_> = std::iter::once(start..start + key.len()).collect();
            let undo = Undo::of(Path::new("/f"), text.as_bytes(), &edit, &spans).unwrap();
            let line = undo.line().unwrap();
            prop_assert!(!line.contains("TEST"));
            let undo = Undo::read(line.as_bytes()).unwrap();
            let edited = edit.apply(text.as_bytes()).unwrap();
            let restored = undo.apply(&edited).unwrap();
            prop_assert_eq!(std::str::from_utf8(&restored).unwrap(), text.replace(key, PLACEHOLDER));
            prop_assert_eq!(undo.apply(b"something else"), Err(Changed));
        }
    }

    #[test]
    fn no_credential_is_noted_whether_it_was_adopted_or_not() {
        let other = "sk-ant-api03-TESTabcdefghij0123456789-_klmnop";
        let text = format!("K=\"adopted and {other} and opaque\"\nB=1\n");
        let at = |what: &str| text.find(what).map(|start| start..start + what.len()).unwrap();
        let edit = Edit::new(vec![Change::remove(0..text.len() - 4)]);
        let undo = Undo::of(Path::new("/f"), text.as_bytes(), &edit, &[at("adopted"), at("opaque")]).unwrap();
        let expected = format!("K=\"{PLACEHOLDER} and {PLACEHOLDER} and {PLACEHOLDER}\"\n");
        assert_eq!(undo.texts().collect::<Vec<_>>(), [expected]);
    }

    #[test]
    fn a_piece_of_a_key_is_never_noted() {
        let edit = Edit::new(vec![Change::remove(0..5)]);
        let spans: Vec<_> = std::iter::once(3..9).collect();
        assert_eq!(Undo::of(Path::new("/f"), b"K=aSECRETb", &edit, &spans), None);
    }
}
