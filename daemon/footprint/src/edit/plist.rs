//! Property lists of launchd: the variables that a job gets. Byte-exact, as all edits; in a binary one
//! strings are only found, because to take one out would move everything behind it.

mod binary;

use std::ops::Range;

pub use binary::strings;

use super::{
    Change, Edit, Refusal,
    profile::{blanks_after, blanks_before, line_end},
};

/// The member of a job whose members are the variables.
const VARIABLES: &[u8] = b"EnvironmentVariables";
/// Deeper than any reasonable list.
const DEPTH: usize = 256;

/// A variable of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The bytes of its name.
    pub name: Range<usize>,
    /// The bytes of its value, as they are written.
    pub value: Range<usize>,
    /// Both elements, and what is between them.
    pub entry: Range<usize>,
}

/// Whether it is a binary one.
pub fn is_binary(text: &[u8]) -> bool {
    text.starts_with(b"bplist")
}

/// Removes the variable in whose value these bytes are, with its lines if it stands alone on them.
///
/// # Errors
/// If the bytes are in none, or the list is binary. They can be overwritten all the same.
pub fn remove(text: &[u8], span: &Range<usize>) -> Result<Edit, Refusal> {
    if is_binary(text) {
        return Err(Refusal::BinaryList);
    }
    let holds = |variable: &Variable| variable.value.start <= span.start && span.end <= variable.value.end;
    let found = variables(text).into_iter().find(holds).ok_or(Refusal::NotAVariable)?.entry;
    let start = blanks_before(text, found.start);
    let starts_line = start == 0 || text.get(start - 1) == Some(&b'\n');
    let lines = line_end(text, blanks_after(text, found.end)).filter(|_| starts_line).map(|end| start..end);
    Ok(Edit::new(vec![Change::remove(lines.unwrap_or(found))]))
}

/// An element that is not closed yet.
struct Open<'a> {
    name: &'a [u8],
    start: usize,
    content: usize,
    /// In a dictionary, the key that waits for its value.
    key: Option<Range<usize>>,
    key_start: usize,
    /// Whether it is the value of the member that holds the variables.
    holds_variables: bool,
}

/// Every variable of an XML property list, as far as it is one.
pub fn variables(text: &[u8]) -> Vec<Variable> {
    let mut found = Vec::new();
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut at = 0;
    while let Some(tag) = next_tag(text, at) {
        at = tag.bytes.end;
        if tag.closes {
            let Some(closed) = open.pop().filter(|last| last.name == tag.name) else { break };
            end(text, &closed, &tag.bytes, open.last_mut(), &mut found);
        } else if open.len() < DEPTH {
            let above = open.last();
            let holds_variables =
                above.and_then(|above| text.get(above.key.clone()?)).is_some_and(|key| key == VARIABLES);
            let this = Open {
                name: tag.name,
                start: tag.bytes.start,
                content: tag.bytes.end,
                key: None,
                key_start: 0,
                holds_variables,
            };
            if tag.is_empty {
                end(text, &this, &(at..at), open.last_mut(), &mut found);
            } else {
                open.push(this);
            }
        } else {
            break;
        }
    }
    found
}

/// An element has ended: it is a key, or the value of one.
fn end(
    text: &[u8],
    closed: &Open<'_>,
    tag: &Range<usize>,
    above: Option<&mut Open<'_>>,
    found: &mut Vec<Variable>,
) {
    let Some(above) = above.filter(|above| above.name == b"dict") else { return };
    let content = closed.content..tag.start.max(closed.content);
    if closed.name == b"key" {
        above.key = Some(trimmed(text, content));
        above.key_start = closed.start;
    } else if let Some(name) = above.key.take()
        && above.holds_variables
        && closed.name == b"string"
    {
        found.push(Variable { name, value: content, entry: above.key_start..tag.end });
    }
}

fn trimmed(text: &[u8], range: Range<usize>) -> Range<usize> {
    let inner = text.get(range.clone()).unwrap_or_default();
    let start = range.start + (inner.len() - inner.trim_ascii_start().len());
    start..start + inner.trim_ascii().len()
}

struct Tag<'a> {
    name: &'a [u8],
    bytes: Range<usize>,
    closes: bool,
    is_empty: bool,
}

/// The next tag from here on that is no comment, instruction or declaration.
fn next_tag(text: &[u8], mut at: usize) -> Option<Tag<'_>> {
    loop {
        let start = at + memchr::memchr(b'<', text.get(at..)?)?;
        let rest = text.get(start..)?;
        let skipped =
            [(b"<!--".as_slice(), b"-->".as_slice()), (b"<![CDATA[", b"]]>"), (b"<?", b"?>"), (b"<!", b">")];
        if let Some((_, close)) = skipped.iter().find(|(begin, _)| rest.starts_with(begin)) {
            at = start + memchr::memmem::find(rest, close)? + close.len();
            continue;
        }
        let end = start + memchr::memchr(b'>', rest)? + 1;
        let inner = text.get(start + 1..end - 1)?;
        let (closes, inner) = inner.strip_prefix(b"/").map_or((false, inner), |inner| (true, inner));
        let (is_empty, inner) = inner.strip_suffix(b"/").map_or((false, inner), |inner| (true, inner));
        let name = inner.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        return Some(Tag { name, bytes: start..end, closes, is_empty });
    }
}
