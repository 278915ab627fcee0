//! Keys out of JSON, with or without comments (JSONC), by byte ranges.

mod tree;

use std::ops::Range;

pub use tree::DEPTH;
use tree::{Item, Node, is_blank};

use super::{Change, Edit, Refusal};

/// Removes what these JSON pointers (RFC 6901) lead to, with its name, its comma and the white space that
/// belonged to it. What stands around it, comments included, stays. A name that occurs twice is removed
/// twice. After an element of an array that goes, the others move up.
///
/// # Errors
/// If the text is not JSON, or a pointer leads nowhere.
pub fn remove(text: &[u8], pointers: &[&str]) -> Result<Edit, Refusal> {
    let root = tree::parse(text)?;
    let mut doomed = Vec::new();
    for pointer in pointers {
        let before = doomed.len();
        let tokens: Vec<String> = pointer.split('/').skip(1).map(unescaped).collect();
        if !tokens.is_empty() {
            find(&root, text, &tokens, &mut doomed);
        }
        if doomed.len() == before {
            return Err(Refusal::NoSuchKey);
        }
    }
    let mut changes = Vec::new();
    take_out(&root, text, &doomed, &mut changes);
    Ok(Edit::new(changes))
}

/// Whether the text is an object or an array with nothing in it.
pub fn is_empty(text: &[u8]) -> bool {
    tree::parse(text).is_ok_and(|root| root.items.is_empty())
}

/// The bytes of every value that the pointer leads to, quotes included.
pub fn values(text: &[u8], pointer: &str) -> Vec<Range<usize>> {
    let tokens: Vec<String> = pointer.split('/').skip(1).map(unescaped).collect();
    let mut found = Vec::new();
    if let Ok(root) = tree::parse(text) {
        find(&root, text, &tokens, &mut found);
    }
    found
}

/// The names of the members of the object that the text is; `None` if it is none.
pub fn names(text: &[u8]) -> Option<Vec<String>> {
    let root = tree::parse(text).ok().filter(|root| text.get(root.span.start) == Some(&b'{'))?;
    root.items.iter().map(|item| Some(tree::name(text, item.key.as_ref()?))).collect()
}

fn unescaped(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// Adds the span of every value that the tokens lead to.
fn find(node: &Node, text: &[u8], tokens: &[String], found: &mut Vec<Range<usize>>) {
    let Some((token, rest)) = tokens.split_first() else {
        found.push(node.span.clone());
        return;
    };
    for (place, item) in node.items.iter().enumerate() {
        let leads = match &item.key {
            Some(key) => tree::name(text, key) == *token,
            None => token.parse() == Ok(place),
        };
        if leads {
            find(&item.value, text, rest, found);
        }
    }
}

/// Whether the pointer leads to an element of an array.
pub fn is_element(text: &[u8], pointer: &str) -> bool {
    let Some((parent, place)) = pointer.rsplit_once('/') else { return false };
    let Ok(root) = tree::parse(text) else { return false };
    let tokens: Vec<String> = parent.split('/').skip(1).map(unescaped).collect();
    let mut found = Vec::new();
    find(&root, text, &tokens, &mut found);
    let is_array = |span: &Range<usize>| text.get(span.start) == Some(&b'[');
    found.iter().any(is_array) && place.parse::<usize>().is_ok()
}

fn take_out(node: &Node, text: &[u8], doomed: &[Range<usize>], changes: &mut Vec<Change>) {
    let is_doomed = |item: &Item| doomed.contains(&item.value.span);
    let last_kept = node.items.iter().rposition(|item| !is_doomed(item));
    for (place, item) in node.items.iter().enumerate() {
        if is_doomed(item) {
            remove_item(node, place, text, changes);
        } else {
            take_out(&item.value, text, doomed, changes);
        }
        // The comma of what is now the last one, unless the list ended in a comma before.
        let ended_in_comma = node.items.last().is_some_and(|last| last.comma.is_some());
        let is_now_last = Some(place) == last_kept && place + 1 < node.items.len();
        if let Some(comma) = item.comma.filter(|_| is_now_last && !ended_in_comma) {
            changes.push(Change::remove(comma..comma + 1));
        }
    }
}

/// Removes an item, its comma, and the white space up to the next item - or, of the last one, the white
/// space before it. A comment stays where it is.
fn remove_item(node: &Node, place: usize, text: &[u8], changes: &mut Vec<Change>) {
    let Some(item) = node.items.get(place) else { return };
    let span = item.span();
    changes.push(Change::remove(span.clone()));
    if let Some(comma) = item.comma {
        changes.push(Change::remove(comma..comma + 1));
    }
    let blank = |gap: Range<usize>| Some(gap).filter(|gap| text.get(gap.clone()).is_some_and(is_blank));
    let after = node.items.get(place + 1).map(|next| next.span().start);
    let gaps = if let (Some(next), Some(comma)) = (after, item.comma) {
        [blank(span.end..comma), blank(comma + 1..next)]
    } else {
        let before = place.checked_sub(1).and_then(|before| node.items.get(before)?.comma);
        let before = before.map_or(node.span.start + 1, |comma| comma + 1);
        [blank(before..span.start), item.comma.and_then(|comma| blank(span.end..comma))]
    };
    changes.extend(gaps.into_iter().flatten().map(Change::remove));
}
