//! The authorization response (RFC 6749 section 4.1.2), as a query or as a form.

use std::io;

use claudectl_platform::memory::{MemoryError, SecretPage};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::LoginError;
use crate::oauth::{Authority, authority::Feature, text};

/// Longest value that is no code, in bytes.
const VALUE: usize = 2048;

/// What came back from the page where the person signed in.
#[derive(Debug, Default)]
pub struct Response {
    code: Option<SecretPage>,
    state: Option<Zeroizing<Vec<u8>>>,
    issuer: Option<String>,
    error: Option<String>,
    description: Option<String>,
}

/// Why something is no authorization response.
#[derive(Debug, thiserror::Error)]
pub enum ResponseError {
    /// A parameter is there twice (section 3.1).
    #[error("a parameter is there twice")]
    Repeated,
    /// A value is too long, or not encoded as a form is.
    #[error("a value is not encoded as it should be")]
    Encoding,
    /// No secret page.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

/// What to make of a response.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The code to exchange.
    Code(SecretPage),
    /// The end of the sign-in.
    Over(LoginError),
    /// It belongs to another sign-in, or to none: nothing follows from it.
    Stranger,
}

impl Response {
    /// Reads `name=value&…` (RFC 6749 appendix B). Parameters that nobody knows are ignored.
    ///
    /// # Errors
    /// [`ResponseError`]
    pub fn parse(encoded: &[u8]) -> Result<Self, ResponseError> {
        let mut response = Self::default();
        for pair in encoded.split(|byte| *byte == b'&') {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (name, value) = pair.split_at(at);
            let value = value.get(1..).unwrap_or_default();
            match name {
                b"code" => set(&mut response.code, code(value)?)?,
                b"state" => set(&mut response.state, decode(value)?)?,
                b"iss" => set(&mut response.issuer, words(value)?)?,
                b"error" => set(&mut response.error, words(value)?)?,
                b"error_description" => set(&mut response.description, words(value)?)?,
                _ => {}
            }
        }
        Ok(response)
    }

    /// The response that is nothing but this code.
    pub(super) fn of_code(code: SecretPage) -> Self {
        Self { code: Some(code), ..Self::default() }
    }

    /// The same with a state.
    pub(super) fn with_state(self, state: &[u8]) -> Self {
        Self { state: Some(Zeroizing::new(state.to_vec())), ..self }
    }

    /// Its code, whatever else it says.
    pub(super) fn into_code(self) -> Option<SecretPage> {
        self.code
    }

    /// Whether it carries the state of this sign-in; `None` if it carries none at all.
    pub(super) fn has_state(&self, expected: &str) -> Option<bool> {
        self.state.as_ref().map(|state| bool::from(state.as_slice().ct_eq(expected.as_bytes())))
    }

    /// Judges it, once its state is known to be ours (RFC 9207 section 2.4, RFC 6749 section 4.1.2.1).
    pub(super) fn judge(self, authority: &Authority) -> Verdict {
        let ours = authority.description();
        match (&ours.issuer, &self.issuer) {
            (Some(expected), Some(named)) if expected != named => {
                let why =
                    format!("the answer comes from another authorization server ({})", text::harmless(named));
                return Verdict::Over(LoginError::Answer(why));
            }
            (_, None) if ours.has(Feature::NamesIssuer) => {
                let why = "the answer does not say which authorization server it comes from, as this one always does";
                return Verdict::Over(LoginError::Answer(why.into()));
            }
            _ => {}
        }
        match (self.error, self.code) {
            (Some(error), _) => {
                let description = self.description.as_deref().and_then(text::harmless_or_none);
                Verdict::Over(LoginError::said(&text::harmless(&error), description.as_deref()))
            }
            (None, Some(code)) => Verdict::Code(code),
            (None, None) => Verdict::Stranger,
        }
    }
}

fn set<T>(place: &mut Option<T>, value: Option<T>) -> Result<(), ResponseError> {
    if place.is_some() {
        return Err(ResponseError::Repeated);
    }
    *place = value;
    Ok(())
}

/// A code: visible ASCII (appendix A.11), moved straight to its page. An empty one is none.
fn code(value: &[u8]) -> Result<Option<SecretPage>, ResponseError> {
    let mut rest = value;
    let page = SecretPage::fill(|free| {
        let mut written = 0;
        for room in free.iter_mut() {
            let Some((byte, after)) = next(rest).ok_or(io::ErrorKind::InvalidData)? else { break };
            if !byte.is_ascii_graphic() && byte != b' ' {
                return Err(io::ErrorKind::InvalidData.into());
            }
            (*room, rest) = (byte, after);
            written += 1;
        }
        Ok(written)
    });
    match page {
        Ok(page) if page.is_empty() => Ok(None),
        Ok(page) => Ok(Some(page)),
        Err(MemoryError::Kernel(error)) if error.kind() == io::ErrorKind::InvalidData => {
            Err(ResponseError::Encoding)
        }
        Err(error) => Err(error.into()),
    }
}

fn decode(value: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, ResponseError> {
    if value.len() > VALUE {
        return Err(ResponseError::Encoding);
    }
    let mut decoded = Zeroizing::new(Vec::with_capacity(value.len()));
    let mut rest = value;
    while let Some((byte, after)) = next(rest).ok_or(ResponseError::Encoding)? {
        decoded.push(byte);
        rest = after;
    }
    Ok(Some(decoded))
}

fn words(value: &[u8]) -> Result<Option<String>, ResponseError> {
    let decoded = decode(value)?.unwrap_or_default();
    String::from_utf8(decoded.to_vec()).map(Some).map_err(|_| ResponseError::Encoding)
}

/// The next byte of an encoded value and what follows it; `None` for what is no encoding.
#[allow(clippy::option_option, reason = "the end is not the same as a flaw")]
fn next(encoded: &[u8]) -> Option<Option<(u8, &[u8])>> {
    match encoded {
        [] => Some(None),
        [b'%', high, low, rest @ ..] => {
            let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            Some(Some((digit(*high)? << 4 | digit(*low)?, rest)))
        }
        [b'%', ..] => None,
        [b'+', rest @ ..] => Some(Some((b' ', rest))),
        [byte, rest @ ..] => Some(Some((*byte, rest))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::oauth::exchange::{Form, Value};

    fn code_of(encoded: &str) -> Option<Vec<u8>> {
        Response::parse(encoded.as_bytes()).unwrap().code.map(|code| code.expose(<[u8]>::to_vec).unwrap())
    }

    #[test]
    fn queries() {
        let response =
            Response::parse(b"code=a%2Fb&state=x%20y&iss=https%3A%2F%2Fa.example&session_state=z").unwrap();
        assert_eq!(response.has_state("x y"), Some(true));
        assert_eq!(response.has_state("x"), Some(false));
        assert_eq!(response.issuer.as_deref(), Some("https://a.example"));
        assert_eq!(code_of("state=1&code=a%2Fb"), Some(b"a/b".to_vec()));
        assert_eq!(code_of("code="), None);
        assert!(Response::parse(b"").unwrap().into_code().is_none());
        assert_eq!(Response::parse(b"code=a").unwrap().has_state(""), None);
    }

    #[test]
    fn refusals() {
        for encoded in ["code=a&code=b", "state=a&state=a", "iss=a&iss=b", "error=a&error=b"] {
            assert!(matches!(Response::parse(encoded.as_bytes()), Err(ResponseError::Repeated)), "{encoded}");
        }
        for encoded in
            ["code=%", "code=%4", "code=%zz", "state=%0", "code=%0d%0a", "code=%00", "code=%e9", "error=%ff"]
        {
            assert!(matches!(Response::parse(encoded.as_bytes()), Err(ResponseError::Encoding)), "{encoded}");
        }
        let long = format!("state={}", "x".repeat(VALUE + 1));
        assert!(matches!(Response::parse(long.as_bytes()), Err(ResponseError::Encoding)));
        let long = format!("code={}", "x".repeat(SecretPage::LIMIT));
        assert!(matches!(Response::parse(long.as_bytes()), Err(ResponseError::Memory(_))));
    }

    proptest! {
        #[test]
        fn what_a_form_says_is_read_back(code in "[ -~]{1,60}", state in "\\PC{0,30}") {
            let form = Form::encode(&[("code", Value::Plain(&code)), ("state", Value::Plain(&state))]).unwrap();
            let response = Response::parse(form.bytes()).unwrap();
            prop_assert_eq!(response.has_state(&state), Some(true));
            prop_assert_eq!(response.code.unwrap().expose(<[u8]>::to_vec).unwrap(), code.as_bytes());
        }

        #[test]
        fn nonsense_is_no_panic(encoded in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Response::parse(&encoded);
        }
    }
}
