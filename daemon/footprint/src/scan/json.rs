//! The strings of a JSON text with where they are. Reads what readers of settings read (comments,
//! trailing commas, a byte order mark, bytes that are no UTF-8) and stops where it is no JSON: what was
//! told until then is right.

use std::ops::Range;

use zeroize::Zeroizing;

/// The deepest nesting that is read.
const DEPTH: usize = 128;

/// It is no JSON from this byte on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken(pub usize);

/// A string that is a value.
#[derive(Debug)]
pub struct Text<'a> {
    /// The names that lead to it; numbers for elements.
    pub path: &'a [String],
    /// Its bytes between the quotes, as they are written.
    pub bytes: Range<usize>,
}

impl Text<'_> {
    /// Its JSON pointer (RFC 6901).
    pub fn pointer(&self) -> String {
        let part = |part: &String| format!("/{}", part.replace('~', "~0").replace('/', "~1"));
        self.path.iter().map(part).collect()
    }
}

/// Tells every string that is a value, in order.
///
/// # Errors
/// Where it stops to be JSON.
pub fn strings(text: &[u8], mut each: impl FnMut(&Text<'_>)) -> Result<(), Broken> {
    let start = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let mut reader = Reader { text, at: start, path: Vec::new(), open: Vec::new() };
    reader.skip()?;
    while reader.at < text.len() {
        reader.value(&mut each)?;
        reader.skip()?;
    }
    Ok(())
}

/// What a string means, and for each byte of that the place where it is written.
#[derive(Debug, Default)]
pub struct Decoded {
    /// The bytes that are meant.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Where each is written; one more for the end. Empty if it is written as it is meant.
    places: Vec<usize>,
}

impl Decoded {
    /// Where these bytes of the meaning are written, from the start of the string.
    pub fn written(&self, meant: Range<usize>) -> Range<usize> {
        let place = |index: usize| self.places.get(index).copied().unwrap_or(index);
        place(meant.start)..place(meant.end)
    }
}

/// What the bytes between two quotes mean.
pub fn decode(written: &[u8]) -> Decoded {
    let mut decoded =
        Decoded { bytes: Zeroizing::new(Vec::with_capacity(written.len())), places: Vec::new() };
    if memchr::memchr(b'\\', written).is_none() {
        decoded.bytes.extend_from_slice(written);
        return decoded;
    }
    let mut at = 0;
    while let Some(byte) = written.get(at) {
        let rest = written.get(at..).unwrap_or_default();
        let (meaning, length) = if *byte == b'\\' { escape(rest) } else { (None, 1) };
        let mut buffer = [0; 4];
        let meant = match meaning {
            Some(letter) => letter.encode_utf8(&mut buffer).as_bytes(),
            None => rest.get(..length).unwrap_or(rest),
        };
        decoded.bytes.extend_from_slice(meant);
        decoded.places.extend(meant.iter().map(|_| at));
        at += length;
    }
    decoded.places.push(written.len());
    decoded
}

/// What an escape means (`None`: itself), and how long it is.
fn escape(rest: &[u8]) -> (Option<char>, usize) {
    let letter = match rest.get(1) {
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'u') => {
            let hex = rest.get(2..6).and_then(|hex| std::str::from_utf8(hex).ok());
            let unit = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok());
            return unit.map_or((None, 1), |unit| (Some(char::from_u32(unit).unwrap_or('\u{fffd}')), 6));
        }
        Some(byte) if byte.is_ascii() => char::from(*byte),
        _ => return (None, 1),
    };
    (Some(letter), 2)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Object,
    Array(usize),
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    path: Vec<String>,
    open: Vec<Open>,
}

impl Reader<'_> {
    /// A whole value, whatever is in it.
    fn value(&mut self, each: &mut impl FnMut(&Text<'_>)) -> Result<(), Broken> {
        let outside = self.open.len();
        loop {
            let opened = self.scalar_or_open(each)?;
            if !opened && !self.close_or_next(outside)? {
                return Ok(());
            }
        }
    }

    /// Reads a scalar, or steps into what opens here (true) as far as its first value.
    fn scalar_or_open(&mut self, each: &mut impl FnMut(&Text<'_>)) -> Result<bool, Broken> {
        match self.peek() {
            Some(b'{') => self.step_in(Open::Object),
            Some(b'[') => self.step_in(Open::Array(0)),
            Some(b'"') => {
                let bytes = self.string()?;
                each(&Text { path: &self.path, bytes });
                Ok(false)
            }
            _ => self.word().map(|()| false),
        }
    }

    fn step_in(&mut self, open: Open) -> Result<bool, Broken> {
        if self.open.len() >= DEPTH {
            return Err(self.broken());
        }
        self.at += 1;
        self.skip()?;
        let end = if open == Open::Object { b'}' } else { b']' };
        if self.take(end) {
            return Ok(false);
        }
        self.open.push(open);
        self.path.push(String::new());
        self.name()?;
        Ok(true)
    }

    /// After a value: closes what closes here, and steps to the next value. False if all is closed.
    fn close_or_next(&mut self, outside: usize) -> Result<bool, Broken> {
        while self.open.len() > outside {
            self.skip()?;
            let comma = self.take(b',');
            self.skip()?;
            let end = if matches!(self.open.last(), Some(Open::Object)) { b'}' } else { b']' };
            if self.take(end) {
                self.open.pop();
                self.path.pop();
            } else if comma {
                if let Some(Open::Array(index)) = self.open.last_mut() {
                    *index += 1;
                }
                self.name()?;
                return Ok(true);
            } else {
                return Err(self.broken());
            }
        }
        Ok(false)
    }

    /// The name of the next member, with its colon; of an element, its number.
    fn name(&mut self) -> Result<(), Broken> {
        let name = if let Some(Open::Array(index)) = self.open.last() {
            index.to_string()
        } else {
            let bytes = self.string()?;
            self.skip()?;
            if !self.take(b':') {
                return Err(self.broken());
            }
            self.skip()?;
            let name = decode(self.text.get(bytes).unwrap_or_default());
            String::from_utf8_lossy(&name.bytes).into_owned()
        };
        if let Some(last) = self.path.last_mut() {
            *last = name;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<Range<usize>, Broken> {
        if !self.take(b'"') {
            return Err(self.broken());
        }
        let start = self.at;
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let next = memchr::memchr2(b'"', b'\\', rest).ok_or(Broken(start))?;
            self.at += next + 1;
            if rest.get(next) == Some(&b'"') {
                return Ok(start..self.at - 1);
            }
            self.at += 1;
        }
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<(), Broken> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let length = rest.iter().take_while(|byte| is_part(byte)).count();
        self.at += length;
        if length == 0 { Err(self.broken()) } else { Ok(()) }
    }

    /// White space and comments.
    fn skip(&mut self) -> Result<(), Broken> {
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            match rest {
                [b' ' | b'\t' | b'\r' | b'\n', ..] => self.at += 1,
                [b'/', b'/', ..] => self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len()),
                [b'/', b'*', inside @ ..] => {
                    self.at += memchr::memmem::find(inside, b"*/").ok_or(Broken(self.at))? + 4;
                }
                _ => return Ok(()),
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn broken(&self) -> Broken {
        Broken(self.at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(text: &str) -> (Vec<(String, String)>, bool) {
        let mut found = Vec::new();
        let outcome = strings(text.as_bytes(), |string| {
            let value = decode(&text.as_bytes()[string.bytes.clone()]);
            found.push((string.pointer(), String::from_utf8_lossy(&value.bytes).into_owned()));
        });
        (found, outcome.is_ok())
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn tells_where_each_string_is() {
        let text = "\u{feff}{ // comment\n\"a\": {\"b/c\": [\"x\", 1, [], {}, {\"d~\": \"y\\n\"}], \"e\": \"\"}, /* \" */ \"f\": null, \"g\": \"z\",\r\n}\n";
        assert_eq!(
            all(text),
            (pairs(&[("/a/b~1c/0", "x"), ("/a/b~1c/4/d~0", "y\n"), ("/a/e", ""), ("/g", "z")]), true)
        );
    }

    #[test]
    fn lines_of_json_are_read_one_after_the_other() {
        assert_eq!(all("{\"a\":\"1\"}\n{\"a\":\"2\"}\n"), (pairs(&[("/a", "1"), ("/a", "2")]), true));
    }

    #[test]
    fn what_was_read_before_it_breaks_is_told() {
        assert_eq!(all("{\"a\":\"1\",\"b\":\"unclosed"), (pairs(&[("/a", "1")]), false));
        assert_eq!(all("{\"a\":\"1\" \"b\":\"2\"}"), (pairs(&[("/a", "1")]), false));
        assert_eq!(all(&"[".repeat(1000)), (Vec::new(), false));
    }

    #[test]
    fn escapes_are_understood_and_placed() {
        let written = br"ab\u002dc\n\u00e9d";
        let decoded = decode(written);
        assert_eq!(*decoded.bytes, "ab-c\néd".as_bytes());
        assert_eq!(decoded.written(2..3), 2..8);
        assert_eq!(decoded.written(0..8), 0..written.len());
        assert_eq!(decode(b"plain").written(1..3), 1..3);
    }

    fn value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            ".*".prop_map(serde_json::Value::String)
        ];
        leaf.prop_recursive(5, 40, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::Array),
                proptest::collection::btree_map(".{0,6}", inner, 0..6)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn count(value: &serde_json::Value) -> usize {
        match value {
            serde_json::Value::String(_) => 1,
            serde_json::Value::Array(items) => items.iter().map(count).sum(),
            serde_json::Value::Object(items) => items.values().map(count).sum(),
            _ => 0,
        }
    }

    proptest! {
        #[test]
        fn every_string_of_every_value_is_told(value in value(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            let (found, whole) = all(&text);
            prop_assert!(whole);
            prop_assert_eq!(found.len(), count(&value));
            for (pointer, text) in found {
                prop_assert_eq!(value.pointer(&pointer).and_then(|value| value.as_str()), Some(text.as_str()));
            }
        }

        #[test]
        fn no_bytes_break_it(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'"'), Just(b'\\'), Just(b'{'), Just(b'['), Just(b','), Just(b':')], 0..64)) {
            let _ = strings(&bytes, |string| {
                let decoded = decode(&bytes[string.bytes.clone()]);
                let end = decoded.written(0..decoded.bytes.len()).end;
                assert!(end <= string.bytes.len());
            });
        }
    }
}
