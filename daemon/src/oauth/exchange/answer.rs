//! What came back.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::proxy::head::response::Response;

/// An answer. Its body is overwritten when it goes.
pub(in crate::oauth) struct Answer {
    status: u16,
    retry_after: Option<Duration>,
    is_json: bool,
    pub(super) body: Zeroizing<Vec<u8>>,
}

impl Answer {
    /// The answer that this head begins, with room for its body.
    pub(super) fn new(head: &Response<'_>) -> Self {
        Self {
            status: head.status(),
            retry_after: head.field("retry-after").and_then(seconds),
            is_json: head.field("content-type").is_some_and(is_json),
            body: Zeroizing::new(Vec::with_capacity(super::BODY)),
        }
    }

    /// HTTP status.
    pub(in crate::oauth) fn status(&self) -> u16 {
        self.status
    }

    /// How long the server asks to wait (RFC 9110 section 10.2.3; only in seconds).
    pub(in crate::oauth) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The body, if it says that it is JSON.
    pub(in crate::oauth) fn json(&self) -> Option<&[u8]> {
        self.is_json.then_some(self.body.as_slice())
    }

    pub(super) fn body_mut(&mut self) -> &mut [u8] {
        &mut self.body
    }
}

fn seconds(value: &[u8]) -> Option<Duration> {
    /// No server's word keeps an account waiting for longer.
    const MOST: u64 = 3600;
    let seconds: u64 = std::str::from_utf8(value).ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(MOST)))
}

/// `application/json` and everything that is JSON in disguise (RFC 6839 section 3.1).
fn is_json(value: &[u8]) -> bool {
    let Ok(value) = std::str::from_utf8(value) else { return false };
    let kind = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_json() {
        for kind in ["application/json", "Application/JSON; charset=utf-8", "application/problem+json"] {
            assert!(is_json(kind.as_bytes()), "{kind}");
        }
        for kind in ["text/html", "text/json", "application/jsonp", "", "application/x; application/json"] {
            assert!(!is_json(kind.as_bytes()), "{kind}");
        }
    }

    #[test]
    fn waiting_is_bounded() {
        assert_eq!(seconds(b"5"), Some(Duration::from_secs(5)));
        assert_eq!(seconds(b"99999999999"), Some(Duration::from_hours(1)));
        assert_eq!(seconds(b"-1"), None);
        assert_eq!(seconds(b"Wed, 21 Oct 2015 07:28:00 GMT"), None);
    }
}
