//! Where everything is in a JSON text. Reads what readers of settings files read: comments, trailing
//! commas, a byte order mark, and strings that are not valid UTF-8.

use std::ops::Range;

use crate::edit::Refusal;

/// The deepest nesting that is read.
pub const DEPTH: usize = 128;

/// A value.
#[derive(Debug)]
pub(super) struct Node {
    /// Its bytes.
    pub(super) span: Range<usize>,
    /// What is in it, if it is an object or an array.
    pub(super) items: Vec<Item>,
}

/// A member or an element.
#[derive(Debug)]
pub(super) struct Item {
    /// The bytes of its name between the quotes; an element has none.
    pub(super) key: Option<Range<usize>>,
    /// Its value.
    pub(super) value: Node,
    /// Where the comma after it is.
    pub(super) comma: Option<usize>,
}

impl Item {
    /// From the first quote of its name to the end of its value.
    pub(super) fn span(&self) -> Range<usize> {
        let start = self.key.as_ref().map_or(self.value.span.start, |key| key.start.saturating_sub(1));
        start..self.value.span.end
    }
}

/// Reads a whole text.
pub(super) fn parse(text: &[u8]) -> Result<Node, Refusal> {
    let start = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let mut reader = Reader { text, at: start };
    reader.skip()?;
    let node = reader.value(0)?;
    reader.skip()?;
    if reader.at == text.len() { Ok(node) } else { Err(reader.wrong()) }
}

/// Whether it is nothing but white space.
pub(super) fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| is_space(*byte))
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// The name at these bytes. What cannot be a name that anybody looks for becomes one that nobody does.
pub(super) fn name(text: &[u8], key: &Range<usize>) -> String {
    let quoted = key.start.saturating_sub(1)..key.end + 1;
    let quoted = text.get(quoted).unwrap_or_default();
    serde_json::from_slice(quoted).unwrap_or_else(|_| String::from_utf8_lossy(quoted).into_owned())
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn wrong(&self) -> Refusal {
        Refusal::NotJson(self.at)
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// White space and comments.
    fn skip(&mut self) -> Result<(), Refusal> {
        loop {
            let rest = self.rest();
            if rest.first().copied().is_some_and(is_space) {
                self.at += 1;
            } else if rest.starts_with(b"//") {
                self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            } else if rest.starts_with(b"/*") {
                let end = rest.get(2..).and_then(|rest| memchr::memmem::find(rest, b"*/"));
                self.at += end.ok_or_else(|| self.wrong())? + 4;
            } else {
                return Ok(());
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, Refusal> {
        let start = self.at;
        let items = match self.peek() {
            _ if depth > DEPTH => return Err(Refusal::TooDeep),
            Some(b'{') => self.items(b'}', depth)?,
            Some(b'[') => self.items(b']', depth)?,
            Some(b'"') => {
                self.string()?;
                Vec::new()
            }
            _ => {
                self.word()?;
                Vec::new()
            }
        };
        Ok(Node { span: start..self.at, items })
    }

    fn items(&mut self, end: u8, depth: usize) -> Result<Vec<Item>, Refusal> {
        let mut items = Vec::new();
        self.at += 1;
        self.skip()?;
        while !self.take(end) {
            let key = if end == b'}' { Some(self.name()?) } else { None };
            let value = self.value(depth + 1)?;
            self.skip()?;
            let comma = self.take(b',').then(|| self.at - 1);
            self.skip()?;
            items.push(Item { key, value, comma });
            if comma.is_none() && self.peek() != Some(end) {
                return Err(self.wrong());
            }
        }
        Ok(items)
    }

    /// A name with its colon.
    fn name(&mut self) -> Result<Range<usize>, Refusal> {
        let key = self.string()?;
        self.skip()?;
        if !self.take(b':') {
            return Err(self.wrong());
        }
        self.skip()?;
        Ok(key)
    }

    /// A string; what is between its quotes.
    fn string(&mut self) -> Result<Range<usize>, Refusal> {
        if !self.take(b'"') {
            return Err(self.wrong());
        }
        let start = self.at;
        loop {
            match self.peek() {
                None => return Err(self.wrong()),
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        Ok(start..self.at - 1)
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<(), Refusal> {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let length = self.rest().iter().take_while(|byte| is_part(byte)).count();
        self.at += length;
        if length == 0 { Err(self.wrong()) } else { Ok(()) }
    }
}
