//! What the daemon answers by itself, in the shape of the Anthropic API's own answers.

pub(super) mod send;

use super::head::{Flaw, request::Request};

/// A complete answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    status: &'static str,
    body: String,
    retry: Option<bool>,
}

impl Answer {
    /// What is answered without asking the upstream: the client's first sign of life, and the
    /// organisation's policy, which is only asked for over the API socket and has nothing to say.
    pub(super) fn local(request: &Request<'_>) -> Option<Self> {
        let body = match (request.method(), request.path()) {
            ("HEAD", "/api/hello") => String::new(),
            ("GET", "/api/claude_code/policy_limits") => r#"{"restrictions":{}}"#.to_owned(),
            _ => return None,
        };
        Some(Self { status: "200 OK", body, retry: None })
    }

    /// The session is logged out or ended. The client shows the sentence and does not try again.
    pub(super) fn closed(sentence: &str) -> Self {
        Self::error("401 Unauthorized", "authentication_error", sentence, false)
    }

    /// A request without the session's capability.
    pub(super) fn no_capability() -> Self {
        let sentence = "claudectl: this port belongs to a session and the request does not carry its capability. \
            Use the ANTHROPIC_AUTH_TOKEN that `claudectl run --tcp` sets.";
        Self::error("401 Unauthorized", "authentication_error", sentence, false)
    }

    /// Another process than the session's.
    pub(super) fn not_yours() -> Self {
        let sentence = claudectl_core::sentence::not_yours();
        Self::error("403 Forbidden", "permission_error", sentence, false)
    }

    /// A request that is not relayed.
    pub(super) fn flaw(flaw: Flaw) -> Self {
        let status = match flaw {
            Flaw::TooLarge | Flaw::TooManyFields => "431 Request Header Fields Too Large",
            Flaw::Version => "505 HTTP Version Not Supported",
            _ => "400 Bad Request",
        };
        let sentence = format!("claudectl: this request is not relayed: {flaw}.");
        Self::error(status, "invalid_request_error", &sentence, false)
    }

    /// The client did not send its request in time.
    pub(super) fn too_slow() -> Self {
        let sentence = "claudectl: the request did not arrive in time.";
        Self::error("408 Request Timeout", "invalid_request_error", sentence, true)
    }

    /// The upstream cannot be reached, or its answer cannot be relayed.
    pub(super) fn no_upstream(why: &str) -> Self {
        Self::error("502 Bad Gateway", "api_error", &format!("claudectl: {why}."), true)
    }

    fn error(status: &'static str, kind: &str, message: &str, retry: bool) -> Self {
        let message = escaped(message);
        let body = format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"{message}"}}}}"#);
        Self { status, body, retry: Some(retry) }
    }

    /// The answer as bytes; without its body for a `HEAD` request.
    pub(super) fn encode(&self, answers_head: bool, close: bool) -> Vec<u8> {
        let retry = self.retry.map_or(String::new(), |retry| format!("x-should-retry: {retry}\r\n"));
        let close = if close { "Connection: close\r\n" } else { "" };
        let body = if answers_head { "" } else { self.body.as_str() };
        format!(
            "HTTP/1.1 {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{retry}{close}\r\n{body}",
            self.status,
            self.body.len(),
        )
        .into_bytes()
    }
}

/// Text as it may stand in a JSON string.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&control(c)),
            c => out.push(c),
        }
    }
    out
}

fn control(c: char) -> String {
    format!("\\u{:04x}", u32::from(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_in_the_shape_of_the_api() {
        let answer = Answer::closed("account \"work\"\n\\");
        let expected = "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: 97\r\n\
            x-should-retry: false\r\nConnection: close\r\n\r\n";
        let body = r#"{"type":"error","error":{"type":"authentication_error","message":"account \"work\"\u000a\\"}}"#;
        assert_eq!(answer.body, body);
        let text = String::from_utf8(answer.encode(false, true)).unwrap();
        assert_eq!(text, expected.replace("97", &body.len().to_string()) + body);
        assert!(String::from_utf8(answer.encode(true, false)).unwrap().ends_with("false\r\n\r\n"));
    }
}
