//! `machine NAME login NAME password SECRET`, in any order of words over any number of lines.

use std::ops::Range;

/// The passwords for hosts that `is_wanted`.
pub fn passwords(text: &[u8], is_wanted: impl Fn(&[u8]) -> bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut wanted = false;
    let mut words = words(text);
    while let Some(word) = words.next() {
        match text.get(word).unwrap_or_default() {
            b"machine" => wanted = words.next().and_then(|host| text.get(host)).is_some_and(&is_wanted),
            b"default" => wanted = false,
            b"password" => found.extend(words.next().filter(|password| wanted && !password.is_empty())),
            _ => {}
        }
    }
    found
}

fn words(text: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        at += text.get(at..)?.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let rest = text.get(at..)?;
        let length = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        at += length;
        Some(at - length..at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_of_the_wanted_host() {
        let text = b"machine example.com login a password one\nmachine api.anthropic.com\n  login x\r\n  password two\r\ndefault password three\n";
        let found = passwords(text, |host| host == b"api.anthropic.com");
        assert_eq!(found.into_iter().map(|range| &text[range]).collect::<Vec<_>>(), [b"two"]);
        assert!(passwords(b"machine api.anthropic.com password", |_| true).is_empty());
    }
}
