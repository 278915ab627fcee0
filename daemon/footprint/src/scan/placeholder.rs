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
    "xxxxxxxx",
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

/// Words of four letters are in one of ten thousand random values, in some case: they have to be written as
/// somebody writes (`your`, `YOUR`, `Your`), and where a word begins.
const SHORT_WORD: usize = 4;
/// Longer ones than this are in no random value, however they are written.
const LONG_WORD: usize = 5;

/// Whether one of the words is in it.
pub(super) fn has_word(text: &[u8]) -> bool {
    let lower = text.to_ascii_lowercase();
    let mut words = WORDS.iter();
    words.any(|word| memchr::memmem::find_iter(&lower, word).any(|at| is_word(text, at, word.len())))
}

fn is_word(text: &[u8], at: usize, length: usize) -> bool {
    let (before, rest) = text.split_at(at);
    let begins = before.last().is_none_or(|byte| !byte.is_ascii_alphanumeric());
    length > LONG_WORD || (length > SHORT_WORD || begins) && rest.get(..length).is_some_and(is_written)
}

/// Whether its letters are all small, or all capital, or small after a capital.
fn is_written(word: &[u8]) -> bool {
    let all = |letters: &[u8], is: fn(&u8) -> bool| {
        letters.iter().all(|byte| is(byte) || !byte.is_ascii_alphabetic())
    };
    all(word, u8::is_ascii_uppercase) || word.get(1..).is_some_and(|rest| all(rest, u8::is_ascii_lowercase))
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
            "abcdXXXXXXXXwxyz",
            "sk-xxxx",
            "Your-Key-4711",
            "someExAmPle-4711",
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

    /// One in eight thousand was a placeholder when words counted in any case and place.
    #[test]
    fn random_characters_are_none_of_the_words() {
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut state = 1_u64;
        for _ in 0..50_000 {
            let token: Vec<u8> = std::iter::repeat_with(|| {
                // Knuth's MMIX generator: the same values in every run.
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                letters[usize::try_from(state >> 33).unwrap() % letters.len()]
            })
            .take(40)
            .collect();
            assert!(!is_placeholder(&token), "{}", String::from_utf8_lossy(&token));
        }
    }

    #[test]
    fn what_may_be_one() {
        for value in [
            "ghp_scT58uAa23fxXxxRbfyTk4hE1NTLaYTeL7Fog7ZT",
            "ghp_scT58uAa23fxxxxRbfyTk4hE1NTLaYTeL7Fog7ZT",
            "ghp_scT58uAa23f7yourbfyTk4hE1NTLaYTeL7FodUmMy",
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
