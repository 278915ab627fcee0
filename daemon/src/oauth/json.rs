//! JSON from a server: bounded in depth, secrets taken out of it without a copy, and errors that say
//! where but never what.

use std::{fmt, io};

use claudectl_platform::memory::{MemoryError, SecretPage};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Why a text is not what was expected. Serde's own words would quote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct JsonError {
    is_syntax: bool,
    line: usize,
    column: usize,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.is_syntax { "not JSON" } else { "not of the form that the standard asks for" };
        write!(f, "{what} (line {}, column {})", self.line, self.column)
    }
}

/// Reads a document. Nesting is bounded by the parser (128 levels), repeated fields are refused.
pub(super) fn read<'a, T: Deserialize<'a>>(document: &'a [u8]) -> Result<T, JsonError> {
    serde_json::from_slice(document).map_err(|error| JsonError {
        is_syntax: !error.is_data(),
        line: error.line(),
        column: error.column(),
    })
}

/// Why a field cannot be a secret.
#[derive(Debug, thiserror::Error)]
pub(super) enum SecretError {
    /// Not a string, empty, or with characters that no token has (RFC 6749 appendix A.12: visible
    /// ASCII).
    #[error("it is not a text of visible characters")]
    Form,
    /// No page.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

/// A string in a document that is a secret: still quoted and escaped, and still where it came.
#[derive(Clone, Copy, Deserialize)]
#[serde(transparent)]
pub(super) struct SecretText<'a>(#[serde(borrow)] &'a RawValue);

impl SecretText<'_> {
    /// Moves it to a page of its own.
    pub(super) fn page(self) -> Result<SecretPage, SecretError> {
        let quoted = self.0.get().as_bytes();
        let [b'"', inner @ .., b'"'] = quoted else { return Err(SecretError::Form) };
        let mut rest = inner;
        let page = SecretPage::fill(|free| {
            let mut written = 0;
            for room in free.iter_mut() {
                let Some((byte, after)) = next(rest)? else { break };
                (*room, rest) = (byte, after);
                written += 1;
            }
            Ok(written)
        });
        match page {
            Ok(page) if page.is_empty() => Err(SecretError::Form),
            Err(MemoryError::Kernel(error)) if error.kind() == io::ErrorKind::InvalidData => {
                Err(SecretError::Form)
            }
            page => Ok(page?),
        }
    }
}

/// The next character, and what follows it.
fn next(escaped: &[u8]) -> io::Result<Option<(u8, &[u8])>> {
    let odd = || io::Error::from(io::ErrorKind::InvalidData);
    let (byte, rest) = match escaped {
        [] => return Ok(None),
        [b'\\', b'u', b'0', b'0', high, low, rest @ ..] => {
            let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            (digit(*high).ok_or_else(odd)? << 4 | digit(*low).ok_or_else(odd)?, rest)
        }
        [b'\\', sign @ (b'"' | b'\\' | b'/'), rest @ ..] => (*sign, rest),
        [b'\\', ..] => return Err(odd()),
        [byte, rest @ ..] => (*byte, rest),
    };
    if byte.is_ascii_graphic() { Ok(Some((byte, rest))) } else { Err(odd()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secret(document: &str) -> Result<Vec<u8>, SecretError> {
        let text: SecretText<'_> = read(document.as_bytes()).unwrap();
        Ok(text.page()?.expose(<[u8]>::to_vec).unwrap())
    }

    #[test]
    fn secrets() {
        assert_eq!(secret(r#""abc-._~+/=""#).unwrap(), b"abc-._~+/=");
        assert_eq!(secret(r#" "a\/b\"\\\u0041\u007e" "#).unwrap(), br#"a/b"\A~"#);
        for odd in [
            r#""""#,
            "null",
            "7",
            "[]",
            r#"{"a":1}"#,
            r#""a b""#,
            r#""a\r\nb""#,
            r#""\u000a""#,
            r#""\u00e9""#,
            r#""\u0141""#,
            "\"\u{e9}\"",
        ] {
            assert!(matches!(secret(odd), Err(SecretError::Form)), "{odd}");
        }
        let long = format!("\"{}\"", "x".repeat(SecretPage::LIMIT));
        assert!(matches!(secret(&long), Err(SecretError::Memory(MemoryError::TooLong { .. }))));
    }

    #[test]
    fn errors_say_where_and_never_what() {
        #[derive(Debug, Deserialize)]
        struct Wanted {
            #[allow(dead_code, reason = "it is never there")]
            number: u64,
        }
        let error = read::<Wanted>(b"{\n\"number\": \"TESTSECRET\"}").unwrap_err();
        assert_eq!(error.to_string(), "not of the form that the standard asks for (line 2, column 22)");
        assert!(!format!("{error:?}").contains("TESTSECRET"));
        assert!(read::<Wanted>(b"{\"number\":1,\"number\":2}").is_err());
        assert!(read::<serde_json::Value>("[".repeat(100_000).as_bytes()).unwrap_err().is_syntax);
    }

    proptest! {
        #[test]
        fn every_visible_text_comes_through(text in "[!-~]{1,80}") {
            let document = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(secret(&document).unwrap(), text.as_bytes());
        }

        #[test]
        fn nonsense_is_no_panic(document in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read::<SecretText<'_>>(&document).map(SecretText::page);
        }
    }
}
