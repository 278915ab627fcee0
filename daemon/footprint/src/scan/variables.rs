//! What a variable's value is.

use std::ops::Range;

use super::{format, placeholder::is_placeholder};
pub(super) use crate::catalog::environment::CONFIG_DIRECTORIES as DIRECTORIES;
use crate::{catalog::environment::kind, finding::Kind};

/// Whether a scan wants to know of this variable.
pub(super) fn is_known(name: &[u8]) -> bool {
    std::str::from_utf8(name).is_ok_and(|name| kind(name).is_some() || DIRECTORIES.contains(&name))
}

/// The kind of credential that this value is in a variable of this name; `None` if it is none.
pub(super) fn credential(name: &str, value: &[u8]) -> Option<Kind> {
    if let Some(token) = format::tokens(value).next() {
        return Some(token.kind);
    }
    match kind(name)? {
        Kind::Pointer => {
            (!value.trim_ascii().is_empty() && !value.starts_with(b"$")).then_some(Kind::Pointer)
        }
        named if name == "ANTHROPIC_CUSTOM_HEADERS" => header_values(value).next().map(|_| named),
        named => (!is_placeholder(value)).then_some(named),
    }
}

/// The credential's own bytes of a value: without `Bearer `, without the header that carries it.
pub(super) fn part(name: &str, value: &[u8]) -> Range<usize> {
    if let Some(token) = format::tokens(value).next() {
        return token.bytes;
    }
    let header = header_values(value).next().filter(|_| name == "ANTHROPIC_CUSTOM_HEADERS");
    let carried = header.unwrap_or(value);
    let bare = carried.strip_prefix(b"Bearer ").unwrap_or(carried).trim_ascii();
    let start = memchr::memmem::find(value, bare).unwrap_or(0);
    start..start + bare.len()
}

/// The values of headers that authenticate, one header a line.
fn header_values(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b'\n').filter_map(|line| {
        let colon = memchr::memchr(b':', line)?;
        let (name, value) = line.split_at_checked(colon)?;
        let value = value.get(1..)?.trim_ascii();
        (is_header(name.trim_ascii()) && !is_placeholder(value)).then_some(value)
    })
}

fn is_header(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    let ends =
        [b"authorization".as_slice(), b"api-key", b"apikey", b"token", b"secret", b"cookie", b"credential"];
    ends.iter().any(|end| name.ends_with(end))
}

/// Whether a member of this name holds a credential: `accessToken`, `client_secret`, `API_KEY`.
pub(super) fn is_named_like_one(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let ends = [
        "token",
        "secret",
        "key",
        "password",
        "_pat",
        "authorization",
        "credential",
        "cookie",
        "access",
        "refresh",
    ];
    let not = ["public_key", "publickey", "publicapikey", "keyboard", "monkey"];
    ends.iter().any(|end| lower.ends_with(end)) && !not.iter().any(|end| lower.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_says_more_than_a_name() {
        let key = b"sk-ant-oat01-TESTabcdefghij0123456789-_klmnop";
        assert_eq!(credential("ANTHROPIC_API_KEY", key), Some(Kind::AccessToken));
        assert_eq!(credential("MY_OWN_NAME", key), Some(Kind::AccessToken));
        assert_eq!(credential("ANTHROPIC_AUTH_TOKEN", b"gateway-0123456789"), Some(Kind::GatewayToken));
        assert_eq!(credential("MY_OWN_NAME", b"gateway-0123456789"), None);
        assert_eq!(credential("ANTHROPIC_AUTH_TOKEN", b"ssh-placeholder"), None);
        assert_eq!(credential("CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR", b"3"), Some(Kind::Pointer));
        assert_eq!(credential("CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR", b""), None);
    }

    #[test]
    fn custom_headers_count_if_they_authenticate() {
        let name = "ANTHROPIC_CUSTOM_HEADERS";
        assert_eq!(credential(name, b"X-Team: blue\nX-Tenant: 12345678901"), None);
        assert_eq!(credential(name, b"X-Team: blue\nX-Gateway-Token: 12345678901"), Some(Kind::GatewayToken));
        assert_eq!(credential(name, b"Authorization: ${TOKEN}"), None);
    }

    #[test]
    fn only_the_credential_itself_is_it() {
        let table = [
            ("X", "Bearer gateway-0123456789", "gateway-0123456789"),
            ("X", "gateway-0123456789", "gateway-0123456789"),
            ("ANTHROPIC_CUSTOM_HEADERS", "X-A: b\nX-Token: gateway-0123456789\n", "gateway-0123456789"),
            ("ANTHROPIC_CUSTOM_HEADERS", "Authorization: Bearer gateway-0123456789", "gateway-0123456789"),
        ];
        for (name, value, expected) in table {
            assert_eq!(&value[part(name, value.as_bytes())], expected);
        }
    }

    #[test]
    fn names_of_credentials() {
        for name in ["accessToken", "client_secret", "API_KEY", "GITHUB_PAT", "Authorization", "refresh"] {
            assert!(is_named_like_one(name), "{name}");
        }
        for name in ["expiresAt", "scopes", "tokenType", "PATH", "MAX_TOKENS", "publicKey", "url"] {
            assert!(!is_named_like_one(name), "{name}");
        }
    }
}
