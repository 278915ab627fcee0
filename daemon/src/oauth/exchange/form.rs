//! The body of a request: `application/x-www-form-urlencoded`, with secrets in it.

use claudectl_platform::memory::SecretPage;
use zeroize::Zeroizing;

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// What a field of a form says.
#[derive(Debug, Clone, Copy)]
pub(in crate::oauth) enum Value<'a> {
    /// Something that everybody may know.
    Plain(&'a str),
    /// A token, a code or a verifier.
    Secret(&'a SecretPage),
}

impl<'a> Value<'a> {
    /// The secret, if it is one.
    pub(super) fn secret(self) -> Option<&'a SecretPage> {
        match self {
            Self::Plain(_) => None,
            Self::Secret(page) => Some(page),
        }
    }

    /// Lends its bytes; `None` for a secret that was wiped.
    fn lend<R>(self, look: impl FnOnce(&[u8]) -> R) -> Option<R> {
        match self {
            Self::Plain(text) => Some(look(text.as_bytes())),
            Self::Secret(page) => page.expose(look),
        }
    }
}

/// An encoded form. Allocated once, at its full size, and overwritten when it goes.
#[derive(Debug)]
pub(in crate::oauth) struct Form(Zeroizing<Vec<u8>>);

impl Form {
    /// Encodes the fields in order; `None` if a secret was wiped.
    pub(in crate::oauth) fn encode(parts: &[(&str, Value<'_>)]) -> Option<Self> {
        let mut length = 0;
        for (name, value) in parts {
            length +=
                value.lend(|bytes| name.len() + 2 + bytes.iter().map(|byte| width(*byte)).sum::<usize>())?;
        }
        let mut form = Zeroizing::new(Vec::with_capacity(length));
        for (name, value) in parts {
            if !form.is_empty() {
                form.push(b'&');
            }
            form.extend_from_slice(name.as_bytes());
            form.push(b'=');
            value.lend(|bytes| bytes.iter().for_each(|byte| encode(*byte, &mut form)))?;
        }
        debug_assert!(form.len() <= length, "the form moved while it was built");
        Some(Self(form))
    }

    pub(in crate::oauth) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"*-._".contains(&byte)
}

fn width(byte: u8) -> usize {
    if is_plain(byte) || byte == b' ' { 1 } else { 3 }
}

fn encode(byte: u8, form: &mut Vec<u8>) {
    let digit = |half: u8| DIGITS.get(usize::from(half)).copied().unwrap_or(b'0');
    match byte {
        b' ' => form.push(b'+'),
        _ if is_plain(byte) => form.push(byte),
        _ => form.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]),
    }
}

/// Appends a query to a URL, encoded the same way.
pub(in crate::oauth) fn with_query(url: &str, parts: &[(&str, &str)]) -> String {
    let parts: Vec<_> = parts.iter().map(|(name, value)| (*name, Value::Plain(value))).collect();
    let query = Form::encode(&parts).map(|form| String::from_utf8_lossy(form.bytes()).into_owned());
    let sign = if url.contains('?') { '&' } else { '?' };
    format!("{url}{sign}{}", query.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn page(mut bytes: &[u8]) -> SecretPage {
        SecretPage::fill(|free| std::io::Read::read(&mut bytes, free)).unwrap()
    }

    #[test]
    fn encodes_in_order_and_never_reallocates() {
        let secret = page(b"a+b/c=d e~");
        let form = Form::encode(&[("code", Value::Secret(&secret)), ("x", Value::Plain("ü&=*-._"))]).unwrap();
        assert_eq!(form.bytes(), b"code=a%2Bb%2Fc%3Dd+e%7E&x=%C3%BC%26%3D*-._");
        secret.wipe();
        assert!(Form::encode(&[("code", Value::Secret(&secret))]).is_none());
    }

    #[test]
    fn a_query_goes_behind_one_that_is_there() {
        assert_eq!(with_query("https://a/b", &[("c", "d e")]), "https://a/b?c=d+e");
        assert_eq!(with_query("https://a/b?x=y", &[("c", "/")]), "https://a/b?x=y&c=%2F");
    }

    proptest! {
        #[test]
        fn what_is_encoded_has_its_exact_room(text in "\\PC{0,40}") {
            let form = Form::encode(&[("a", Value::Plain(&text)), ("b", Value::Plain(&text))]).unwrap();
            let wire = std::str::from_utf8(form.bytes()).unwrap();
            prop_assert!(wire.is_ascii() && !wire.contains(' '));
            prop_assert_eq!(wire.matches('&').count(), 1);
            prop_assert!(form.0.capacity() <= wire.len() + 2);
        }
    }
}
