use proptest::prelude::*;

use super::*;

/// What it means, what of the text is the word, what of it is the value, whether it is dynamic.
fn read(text: &str, dialect: Dialect) -> (String, &str, &str, bool) {
    let word = word(text.as_bytes(), 0, dialect, None);
    let value = String::from_utf8_lossy(&word.value).into_owned();
    (value, &text[word.whole], &text[word.inner], word.dynamic)
}

#[test]
fn shells_of_the_bourne_family() {
    let table = [
        ("abc def", "abc", "abc", "abc"),
        ("'a b' c", "a b", "'a b'", "a b"),
        ("\"a b\"; x", "a b", "\"a b\"", "a b"),
        ("a\"b\"'c'd\n", "abcd", "a\"b\"'c'd", "a\"b\"'c'd"),
        ("\"abc\"\r\n", "abc", "\"abc\"", "abc"),
        ("ab\\\ncd", "abcd", "ab\\\ncd", "ab\\\ncd"),
        ("a\\ b", "a b", "a\\ b", "a\\ b"),
        ("$'a\\x62c'", "abc", "$'a\\x62c'", "$'a\\x62c'"),
        ("$\"abc\"", "abc", "$\"abc\"", "abc"),
        ("abc&", "abc", "abc", "abc"),
        ("'abc)", "abc)", "'abc)", "abc)"),
        ("\"unclosed\nnext", "unclosed", "\"unclosed", "unclosed"),
        ("", "", "", ""),
    ];
    for (text, value, whole, inner) in table {
        assert_eq!(read(text, Dialect::Posix), (value.to_owned(), whole, inner, false), "{text}");
    }
    for text in ["$X", "${X:-y}", "$(pass show x)", "`pass x`", "\"$X\"", "\"$(a \"b\")\""] {
        assert!(read(text, Dialect::Posix).3, "{text}");
    }
    assert_eq!(read("'$X'", Dialect::Posix), ("$X".to_owned(), "'$X'", "$X", false));
}

#[test]
fn the_other_dialects() {
    let table = [
        (Dialect::Fish, "'a\\'b' c", "a'b"),
        (Dialect::Fish, "a\"b\"c", "abc"),
        (Dialect::FishUniversal, "sk\\x2dant\n", "sk-ant"),
        (Dialect::Nu, "\"a\\nb\" ", "a\nb"),
        (Dialect::Nu, "'a\\n'", "a\\n"),
        (Dialect::Nu, "`a b`", "a b"),
        (Dialect::Nu, "abc}", "abc"),
        (Dialect::PowerShell, "\"a`\"b\"", "a\"b"),
        (Dialect::PowerShell, "'a''b'", "a'b"),
        (Dialect::PowerShell, "'abc')", "abc"),
        (Dialect::Dotenv, "a b  # comment", "a b"),
        (Dialect::Dotenv, "\"a\\nb\" # comment", "a\nb"),
        (Dialect::Dotenv, "'a$b'", "a$b"),
        (Dialect::Dotenv, "a$1b\r\n", "a$1b"),
        (Dialect::Unit, "a#$b c", "a#$b"),
        (Dialect::Unit, "\"a b\" c", "a b"),
        (Dialect::Yaml, "a b  # comment\n", "a b"),
        (Dialect::Yaml, "'a''b', c", "a'b"),
        (Dialect::Yaml, "abc, d: e}", "abc"),
        (Dialect::Yaml, "|\n    abc\n", "abc"),
        (Dialect::Toml, "\"a\\tb\" # comment", "a\tb"),
        (Dialect::Toml, "\"\"\"abc\"\"\"", "abc"),
        (Dialect::Toml, "abc ; comment\n", "abc ; comment"),
    ];
    for (dialect, text, value) in table {
        let (read, _, _, dynamic) = read(text, dialect);
        assert_eq!((read.as_str(), dynamic), (value, false), "{dialect:?} {text}");
    }
    for (dialect, text) in [
        (Dialect::Fish, "(cat key)"),
        (Dialect::Nu, "(open key)"),
        (Dialect::Nu, "$env.X"),
        (Dialect::PowerShell, "(Get-Content key)"),
        (Dialect::PowerShell, "\"$x\""),
        (Dialect::PowerShell, "$env:OTHER"),
        (Dialect::Dotenv, "${OTHER}"),
        (Dialect::Yaml, "${{ secrets.X }}"),
        (Dialect::Yaml, "*anchor"),
        (Dialect::Yaml, "!vault x"),
    ] {
        assert!(read(text, dialect).3, "{dialect:?} {text}");
    }
}

#[test]
fn a_quote_that_was_open_before_ends_it() {
    let word = word(b"abc\" more", 0, Dialect::Posix, Some(b'"'));
    assert_eq!((word.value.as_slice(), word.whole), (b"abc".as_slice(), 0..3));
}

const DIALECTS: [Dialect; 8] = [
    Dialect::Posix,
    Dialect::Fish,
    Dialect::Nu,
    Dialect::PowerShell,
    Dialect::Dotenv,
    Dialect::Unit,
    Dialect::Yaml,
    Dialect::Toml,
];

proptest! {
    #[test]
    fn no_bytes_break_it(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'"'), Just(b'\''), Just(b'\\'), Just(b'$'), Just(b'`'), Just(b'\n'), Just(b' ')], 0..48), start in 0_usize..50) {
        for dialect in DIALECTS {
            let word = word(&bytes, start.min(bytes.len()), dialect, None);
            prop_assert!(word.whole.end <= bytes.len() && word.inner.start >= word.whole.start);
            prop_assert!(word.inner.end <= word.whole.end, "{:?}", word);
        }
    }

    #[test]
    fn every_quoted_credential_is_read_as_it_is(value in "[A-Za-z0-9_.~+/=-]{8,40}", dialect in 0_usize..8) {
        for text in [format!("\"{value}\"\n"), format!("'{value}'\r\n"), format!("{value}\n")] {
            let word = word(text.as_bytes(), 0, DIALECTS[dialect], None);
            prop_assert_eq!(word.value.as_slice(), value.as_bytes());
            prop_assert_eq!(&text[word.inner], value.as_str());
        }
    }
}
