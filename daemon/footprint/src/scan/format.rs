//! The forms of Anthropic's own credentials, precisely: a prefix, a type, two digits, a body.

use std::ops::Range;

use memchr::memmem::Finder;

use crate::finding::Kind;

/// What all of them start with.
pub const PREFIX: &[u8] = b"sk-ant-";
/// The longest that is taken for one; real ones have about 110 characters.
pub const LONGEST: usize = 2048;
/// The shortest body; real ones have about 95 characters.
const SHORTEST_BODY: usize = 20;
/// So many different characters at least: `xxxxxxxx` and `abababab` are placeholders.
const VARIETY: usize = 8;
/// A body up to this length can be a word to be replaced: real ones are longer.
const SHORT_BODY: usize = 60;

/// A credential in running text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its bytes.
    pub bytes: Range<usize>,
    /// What it is.
    pub kind: Kind,
}

/// Every credential in running text, in order.
pub fn tokens(text: &[u8]) -> impl Iterator<Item = Token> + '_ {
    find(text, is_boundary)
}

/// Every credential in what is left of a record, where another value can stand right before it.
pub(super) fn tokens_in_remains(text: &[u8]) -> impl Iterator<Item = Token> + '_ {
    find(text, |_| true)
}

fn find(text: &[u8], may_follow: fn(&[u8]) -> bool) -> impl Iterator<Item = Token> + '_ {
    let finder = Finder::new(PREFIX);
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let start = from + finder.find(text.get(from..)?)?;
            from = start + PREFIX.len();
            if let Some(token) =
                text.get(..start).filter(|before| may_follow(before)).and_then(|_| at(text, start))
            {
                from = token.bytes.end;
                return Some(token);
            }
        }
    })
}

/// A text with every credential in it cut to its type: names of files and sessions can be anything. Also where
/// another word runs into it: Claude Code makes `-home-sk-ant-…` of a path for the name of a directory.
pub fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut from = 0;
    for token in tokens_in_remains(text.as_bytes()) {
        shown.push_str(text.get(from..token.bytes.start + PREFIX.len()).unwrap_or_default());
        shown.push('…');
        from = token.bytes.end;
    }
    shown.push_str(text.get(from..).unwrap_or_default());
    shown
}

/// The credential that starts here, where the prefix is.
fn at(text: &[u8], start: usize) -> Option<Token> {
    let rest = text.get(start + PREFIX.len()..)?;
    let (kind, head) = kind_of(rest)?;
    let with_dots = kind == Kind::ServiceToken;
    let is_part = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || (with_dots && *byte == b'.')
    };
    let body = rest.get(head..)?;
    let length = body.iter().take(LONGEST).take_while(|byte| is_part(byte)).count();
    let body = trimmed(body.get(..length)?);
    // What goes on is cut short by somebody: `sk-ant-api03-abc…xyz`, `sk-ant-api03-${KEY}`.
    let bytes = start..start + PREFIX.len() + head + body.len();
    (body.len() >= SHORTEST_BODY && !is_made_up(body)).then_some(Token { bytes, kind })
}

/// A full stop at the end belongs to the sentence.
fn trimmed(body: &[u8]) -> &[u8] {
    let dots = body.iter().rev().take_while(|byte| **byte == b'.').count();
    body.get(..body.len() - dots).unwrap_or(body)
}

/// What stands before may not be part of the same word, unless it is the end of an escape sequence:
/// `\n`, `\u001b[0m`, `%3D`.
fn is_boundary(before: &[u8]) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    match before {
        [.., last] if !is_word(*last) => true,
        [] | [.., b'\\', b'n' | b't' | b'r' | b'b' | b'f' | b'v' | b'a' | b'e' | b'0'] => true,
        [.., b'%', a, b] | [.., b'\\', b'x', a, b] | [.., b'\\', b'u', _, _, a, b] => {
            a.is_ascii_hexdigit() && b.is_ascii_hexdigit()
        }
        [head @ .., b'm'] => ends_in_color(head),
        _ => false,
    }
}

/// `ESC [ 1 ; 31`, before the `m`.
fn ends_in_color(head: &[u8]) -> bool {
    let numbers =
        head.iter().rev().take(12).take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
    matches!(head.get(..head.len() - numbers), Some([.., b'[']))
}

/// The kind, by the type that follows the prefix, and how many bytes that type has.
fn kind_of(rest: &[u8]) -> Option<(Kind, usize)> {
    if rest.starts_with(b"si-") {
        return Some((Kind::ServiceToken, 3));
    }
    let letters = rest.iter().take(9).take_while(|byte| byte.is_ascii_lowercase()).count();
    let digits = rest.get(letters..)?.iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    let is_typed = digits == 2 && rest.get(letters + digits) == Some(&b'-');
    let kind = match rest.get(..letters)? {
        b"api" if is_typed => Kind::ApiKey,
        b"admin" if is_typed => Kind::AdminKey,
        // The first admin keys had no number.
        b"admin" if digits == 0 && rest.get(letters) == Some(&b'-') => {
            return Some((Kind::AdminKey, letters + 1));
        }
        b"oat" if is_typed => Kind::AccessToken,
        b"ort" if is_typed => Kind::RefreshToken,
        b"sid" if is_typed => Kind::SessionCookie,
        word if is_typed && word.len() >= 2 => Kind::ServiceToken,
        _ => return None,
    };
    Some((kind, letters + digits + 1))
}

/// Whether a body is a placeholder that somebody wrote for others to replace.
fn is_made_up(body: &[u8]) -> bool {
    let mut seen = [false; 256];
    for byte in body {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    if seen.iter().filter(|seen| **seen).count() < VARIETY {
        return true;
    }
    // Words in a random body of real length are possible, in a short one they are a message.
    body.len() < SHORT_BODY && super::placeholder::has_word(body)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BODY: &str =
        "TESTabcdefghij0123456789-_klmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghAA";

    fn found(text: &str) -> Vec<(String, Kind)> {
        tokens(text.as_bytes()).map(|token| (text[token.bytes].to_owned(), token.kind)).collect()
    }

    #[test]
    fn every_type_is_known() {
        let table = [
            ("api03", Kind::ApiKey),
            ("api01", Kind::ApiKey),
            ("admin01", Kind::AdminKey),
            ("admin", Kind::AdminKey),
            ("oat01", Kind::AccessToken),
            ("ort01", Kind::RefreshToken),
            ("sid01", Kind::SessionCookie),
            ("sid02", Kind::SessionCookie),
            ("si", Kind::ServiceToken),
            ("usr01", Kind::ServiceToken),
        ];
        for (word, kind) in table {
            let token = format!("sk-ant-{word}-{BODY}");
            for text in
                [token.clone(), format!("a \"{token}\", b"), format!("={token}\r\n"), format!("{token}.")]
            {
                assert_eq!(found(&text), [(token.clone(), kind)], "{text}");
            }
        }
    }

    #[test]
    fn escapes_before_it_are_no_word() {
        let token = format!("sk-ant-api03-{BODY}");
        for before in
            ["\\n", "\\t", "%3D", "%22", "\\u001b[0m", "\u{1b}[1;31m", "\\x1b", "\\u0022", "Bearer ", "é"]
        {
            assert_eq!(found(&format!("x{before}{token}")), [(token.clone(), Kind::ApiKey)], "{before}");
        }
    }

    #[test]
    fn look_alikes_are_left_alone() {
        let table = [
            "sk-ant-...",
            "sk-ant-api03-...",
            "sk-ant-api03-…",
            "sk-ant-api03-your-key-here",
            "sk-ant-api03-YOUR_ANTHROPIC_API_KEY_GOES_HERE",
            "sk-ant-api03-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "sk-ant-api03-XXXX-XXXX-XXXX-XXXX-XXXX-XXXX",
            "sk-ant-api03-aBcD...wXyZ",
            "sk-ant-api03-${ANTHROPIC_KEY_FROM_THE_VAULT}",
            "sk-ant-api03-<paste your key between these>",
            "sk-ant-api03-********************************",
            "the prefix sk-ant-api03- is followed by the body",
            "task-ant-api03-TESTabcdefghij0123456789-_klmnop",
            "sk-ant-hill-simulation-of-a-colony-with-pheromones",
            "sk-ant-api-TESTabcdefghij0123456789-_klmnop",
            "sk-proj-TESTabcdefghij0123456789-_klmnopqrstuvwxyz",
            "sk-antapi03-TESTabcdefghij0123456789-_klmnopqrstuvwxyz",
            "sk-ant-api03-example-key-do-not-use-1234567890",
            "sk-ant-api03-REDACTED-REDACTED-REDACTED-1234567",
        ];
        for text in table {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn a_name_that_is_a_credential_is_masked() {
        let text = format!("/home/jane/{}/x", ["sk-ant-api03-", BODY].concat());
        assert_eq!(masked(&text), "/home/jane/sk-ant-…/x");
        assert_eq!(masked(&text.replace('/', "-")), "-home-jane-sk-ant-…");
        assert_eq!(masked("/home/jäne/x"), "/home/jäne/x");
    }

    #[test]
    fn one_after_the_other() {
        let (one, two) = (format!("sk-ant-api03-{BODY}1"), format!("sk-ant-oat01-{BODY}2"));
        let expected = [(one.clone(), Kind::ApiKey), (two.clone(), Kind::AccessToken)];
        assert_eq!(found(&format!("sk-ant-api03-... {one} sk-ant-{two}")), expected[..1]);
        assert_eq!(found(&format!("sk-ant-api03-... {one} sk-ant-\"{two}")), expected);
    }

    proptest! {
        #[test]
        fn every_random_one_is_found(body in "[A-Za-z0-9_-]{80,100}", before in "[ =:\"'(\\[,]", after in "[ \"',;\\])\r\n]") {
            prop_assume!(!is_made_up(body.as_bytes()));
            let token = format!("sk-ant-api03-{body}");
            prop_assert_eq!(found(&format!("{before}{token}{after}")), [(token, Kind::ApiKey)]);
        }

        #[test]
        fn no_bytes_break_it(bytes in proptest::collection::vec(any::<u8>(), 0..64), body in proptest::collection::vec(any::<u8>(), 0..64)) {
            let text = [bytes.as_slice(), b"sk-ant-", &body, b"sk-ant-api03-", &bytes].concat();
            for token in tokens(&text) {
                prop_assert!(text[token.bytes].starts_with(PREFIX));
            }
        }
    }
}
