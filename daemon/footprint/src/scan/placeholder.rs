//! What stands where a credential would be, and is none.

/// Shorter than this it protects nothing: `dummy`, `ollama`, `1234`.
const SHORTEST: usize = 8;

/// Words that only somebody who explains would write.
const WORDS: &[&str] = &[
    "your",
    "example",
    "placeholder",
    "redacted",
    "replace",
    "changeme",
    "change-me",
    "change_me",
    "insert",
    "dummy",
    "goes-here",
    "goes_here",
    "key-here",
    "key_here",
    "token-here",
    "token_here",
    "secret-here",
    "fake-key",
    "fake_key",
    "xxxx",
    "not-a-real",
    "not_a_real",
    "notreal",
    "my-api-key",
    "my_api_key",
    "my-key",
    "paste",
    "todo",
];

/// Values that programs set where they need any.
const VALUES: &[&str] = &[
    "ssh-placeholder",
    "anthropic_api_key",
    "anthropic_auth_token",
    "undefined",
    "disabled",
    "not-needed",
    "not-used",
    "unused-key",
    "no-key-required",
    "sk-no-key-required",
    "lm-studio",
    "lmstudio",
    "local-key",
    "localhost",
    "test-key",
    "test-token",
    "api-key",
    "apikey",
    "password",
    "sk-ant-test",
];

/// Whether one of the words is in it, whatever its case.
pub(super) fn has_word(text: &[u8]) -> bool {
    let lower = text.to_ascii_lowercase();
    WORDS.iter().any(|word| memchr::memmem::find(&lower, word.as_bytes()).is_some())
}

/// Whether a value that is known only by its name is no credential: empty, too short, to be
/// replaced, or the name of where it comes from.
pub fn is_placeholder(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    let bare = value.strip_prefix(b"Bearer ").unwrap_or(value).trim_ascii();
    bare.len() < SHORTEST
        || bare.iter().any(|byte| byte.is_ascii_whitespace() || *byte < 0x20)
        || VALUES.iter().any(|known| bare.eq_ignore_ascii_case(known.as_bytes()))
        || is_masked(bare)
        || is_reference(bare)
        || is_repeated(bare)
        || has_word(bare)
}

/// `abcd…wxyz`, `****wxyz`, `<key>`.
fn is_masked(value: &[u8]) -> bool {
    let has = |part: &[u8]| memchr::memmem::find(value, part).is_some();
    has(b"...")
        || has("…".as_bytes())
        || has(b"***")
        || has("•".as_bytes())
        || matches!(value, [b'<', .., b'>'] | [b'[', .., b']'])
}

/// `${VAR}`, `$(command)`, `{{ secret }}`, `%VAR%`, `op://vault/item`, `keychain:item`.
fn is_reference(value: &[u8]) -> bool {
    const STARTS: &[&[u8]] = &[
        b"$",
        b"{{",
        b"@",
        b"`",
        b"op://",
        b"vault:",
        b"keychain:",
        b"env:",
        b"secret:",
        b"secrets.",
        b"arn:",
        b"ssm:",
        b"file:",
        b"ref+",
        b"projects/",
        b"!",
        b"*",
    ];
    let has = |part: &[u8]| memchr::memmem::find(value, part).is_some();
    STARTS.iter().any(|start| value.starts_with(start))
        || has(b"${")
        || has(b"$(")
        || has(b"{{")
        || matches!(value, [b'%', .., b'%'] | [b'{', .., b'}'])
}

fn is_repeated(value: &[u8]) -> bool {
    let first = value.first();
    value.iter().all(|byte| Some(byte) == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_none() {
        let table = [
            "",
            "   ",
            "dummy",
            "ollama",
            "ssh-placeholder",
            "${ANTHROPIC_API_KEY}",
            "$ANTHROPIC_API_KEY",
            "$(pass anthropic)",
            "`cat key`",
            "your-key-here",
            "YOUR_API_KEY",
            "<your key>",
            "<token>",
            "sk-ant-...",
            "abcd…wxyz",
            "************wxyz",
            "${{ secrets.ANTHROPIC_API_KEY }}",
            "{{ lookup('env', 'KEY') }}",
            "%ANTHROPIC_API_KEY%",
            "op://Private/anthropic/key",
            "changeme",
            "xxxxxxxxxxxxxxxx",
            "0000000000000000",
            "this is a sentence",
            "Bearer ${TOKEN}",
            "arn:aws:secretsmanager:x",
            "ANTHROPIC_API_KEY",
        ];
        for value in table {
            assert!(is_placeholder(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn what_may_be_one() {
        for value in [
            "gw-7f3a9c2e51d04b",
            "Bearer gw-7f3a9c2e51d04b",
            "TESTtoken0123456789",
            "eyJhbGciOi.J9.x-y_z",
            "a+b/c+d/e==",
        ] {
            assert!(!is_placeholder(value.as_bytes()), "{value}");
        }
    }
}
