//! The screens are laid out as the genuine client 2.1.330 was seen to.

use proptest::prelude::*;

use super::*;

/// Columns.
const WIDE: usize = 200;
const TOKEN: &str = "sk-ant-oat01-TESTFSF9WPXENwltI5ejsy5iIdryewKAU1iJxGK01em5nGJfopVWd0qP-tkon-eBFfzaaQhQ9NpWz9OpjMJajUQrT_woMP7";
const BEFORE: &str = "\x1b[2G\x1b[38;5;114m✔\x1b[4GLong-lived\x1b[15Gauthentication\x1b[39m\r\r\n\r\r\n\x1b[2GYour\x1b[7Gtoken:\r\r\n\r\r\n";
const AFTER: &str = "\r\r\n\x1b[2G\x1b[38;5;246mStore\x1b[8Gthis\x1b[13Gtoken\x1b[19Gsecurely.\x1b[39m\r\r\n\x1b[?25h\x1b7\x1b8";

/// The token in rows that are this wide, as the client writes them.
fn rows(token: &str, width: usize) -> String {
    let mut text = String::new();
    for row in token.as_bytes().chunks(width - 1) {
        text += "\x1b[2G\x1b[38;5;220m";
        text += str::from_utf8(row).unwrap();
        text += "\x1b[39m\r\r\n";
    }
    text
}

fn read_at<'a>(
    columns: usize,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Result<Option<String>, Missed>, Vec<u8>) {
    let mut interceptor = Interceptor::new(columns.try_into().unwrap());
    let mut screen = Vec::new();
    for piece in pieces {
        interceptor.take(piece, &mut screen);
    }
    let token = interceptor.finish(&mut screen);
    let token = token.map(|token| token.map(|token| String::from_utf8(token.to_vec()).unwrap()));
    (token, screen)
}

/// On a terminal on which the token takes one row.
fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Result<Option<String>, Missed>, Vec<u8>) {
    read_at(WIDE, pieces)
}

fn whole_at(columns: usize, text: &str) -> (Option<String>, String) {
    let (token, screen) = read_at(columns, [text.as_bytes()]);
    (token.unwrap(), String::from_utf8(screen).unwrap())
}

fn whole(text: &str) -> (Option<String>, String) {
    whole_at(WIDE, text)
}

/// Whether eight characters in a row of the token's own part are there.
fn leaks(screen: &[u8], token: &str) -> bool {
    let own = &token.as_bytes()["sk-ant-oat01-".len()..];
    own.windows(8).any(|piece| memchr::memmem::find(screen, piece).is_some())
}

#[test]
fn the_token_is_taken_and_everything_else_is_shown() {
    for width in 20..=200 {
        let (token, screen) = whole_at(width, &format!("{BEFORE}{}{AFTER}", rows(TOKEN, width)));
        assert_eq!(token.as_deref(), Some(TOKEN), "{width} columns");
        let mut expected = rows(TOKEN, width).replacen("sk-ant-", "\0", 1);
        for row in TOKEN.as_bytes().chunks(width - 1) {
            let row = str::from_utf8(row).unwrap();
            expected = expected.replacen(row.strip_prefix("sk-ant-").unwrap_or(row), "", 1);
        }
        let expected = expected.replace('\0', "sk-ant-[not shown]");
        assert_eq!(screen, format!("{BEFORE}{expected}{AFTER}"), "{width} columns");
    }
}

#[test]
fn words_directly_below_are_no_part_of_it() {
    for below in ["Store this", "export CLAUDE_CODE_OAUTH_TOKEN=<token>", "\x1b[2GYou\x1b[6Gcan:", "✔ done"]
    {
        let (token, screen) = whole(&format!("{TOKEN}\r\n{below}\r\n"));
        assert_eq!(token.as_deref(), Some(TOKEN), "{below}");
        assert_eq!(screen, format!("sk-ant-[not shown]\r\n{below}\r\n"));
    }
}

#[test]
fn it_is_taken_from_the_middle_of_a_row_and_from_an_export_line() {
    for (before, after) in [
        ("export CLAUDE_CODE_OAUTH_TOKEN=", "\n"),
        ("export CLAUDE_CODE_OAUTH_TOKEN=\"", "\"\n"),
        ("token: ", " (valid for 1 year)"),
        ("\x1b[33m", "\x1b[39m"),
        ("", ""),
        ("ssk-an", ""),
        ("", "\x1b[20;5Hword"),
        ("", "\n\x1b[1A"),
    ] {
        let (token, screen) = whole(&format!("{before}{TOKEN}{after}"));
        assert_eq!(token.as_deref(), Some(TOKEN), "{before:?}");
        assert_eq!(screen, format!("{before}sk-ant-[not shown]{after}"));
    }
}

#[test]
fn drawn_twice_it_is_taken_once_and_shown_never() {
    let other = TOKEN.replace("FSF9", "ZZZZ");
    let (token, screen) = whole(&format!("{TOKEN}\n\n{}\x1b[3A{other}\n\n", rows(TOKEN, 60)));
    assert_eq!(token.as_deref(), Some(TOKEN));
    assert!(!leaks(screen.as_bytes(), TOKEN) && !leaks(screen.as_bytes(), &other), "{screen:?}");
}

#[test]
fn other_credentials_are_hidden_and_not_taken() {
    for other in
        [TOKEN.replace("oat01", "api03"), TOKEN.replace("oat01", "ort01"), "sk-ant-oat01-short".into()]
    {
        let (token, screen) = whole(&format!("{other}\n\nword"));
        assert_eq!((token, screen.as_str()), (None, "sk-ant-[not shown]\n\nword"), "{other}");
    }
}

#[test]
fn one_without_end_is_dropped() {
    let endless = format!("{TOKEN}{}", "x".repeat(5000));
    let text = format!("{endless}\r\n{endless}\r\n\r\nword");
    let (token, screen) = read([text.as_bytes()]);
    assert_eq!(token, Err(Missed));
    assert!(!leaks(&screen, TOKEN) && screen.ends_with(b"word"), "{}", screen.escape_ascii());
}

/// A client that only draws what has changed may leave out what it shares with the screen before.
#[test]
fn one_with_a_gap_is_hidden_and_not_used() {
    let (one, other) = TOKEN.split_at(60);
    for (text, end) in [
        (format!("{one}\x1b[70G{other}"), ""),
        (format!("{one}\r\n{}\x1b[9C{}\r\n\r\nword", &other[..8], &other[9..]), "word"),
    ] {
        let (token, screen) = read([text.as_bytes()]);
        assert_eq!(token, Err(Missed), "{text:?}");
        assert!(!leaks(&screen, TOKEN) && screen.ends_with(end.as_bytes()), "{}", screen.escape_ascii());
    }
    let redrawn = format!("{one}\x1b[70G{other}\r\n\r\n{}", rows(TOKEN, 80));
    assert_eq!(whole_at(80, &redrawn).0.as_deref(), Some(TOKEN));
}

/// A release may draw it in another way: what may not be the whole token is hidden and not used.
#[test]
fn what_may_not_be_the_whole_token_is_hidden_and_not_used() {
    let (one, other) = TOKEN.split_at(79);
    for text in [
        format!("{TOKEN}\r\nDone\r\n"),
        format!("{TOKEN}\r\n-----\r\n\r\nword"),
        // Narrower than the terminal.
        format!("\x1b[2G{}\r\n\x1b[2G{}\r\n\r\nword", &one[..70], &TOKEN[70..]),
        format!("\x1b[5;2H{one}\x1b[6;2H{other}\x1b[8;2Hword"),
        format!("\x1b[2G{one}\r\n\x1b[6;2H{other}\r\n\r\nword"),
        format!("{}\x1b[1b{other}\r\n\r\nword", &one[..78]),
        format!("{TOKEN}\x1b[1b\r\n\r\nword"),
        format!("sk-\x1b[7G{}", &TOKEN[3..]),
        format!("sk-\x1b[1;7H{}", &TOKEN[3..]),
    ] {
        let (token, screen) = read_at(80, [text.as_bytes()]);
        assert_eq!(token, Err(Missed), "{text:?}");
        assert!(!leaks(&screen, TOKEN), "{}", screen.escape_ascii());
        assert!(!text.ends_with("word") || screen.ends_with(b"word"), "{}", screen.escape_ascii());
    }
}

#[test]
fn a_movement_to_where_the_cursor_is_changes_nothing() {
    let (one, other) = TOKEN.split_at(30);
    let (token, screen) = whole(&format!("sk-\x1b[4G{}\x1b[31G{other}\r\n", &one[3..]));
    assert_eq!(token.as_deref(), Some(TOKEN));
    assert!(!leaks(screen.as_bytes(), TOKEN), "{screen:?}");
}

#[test]
fn drawn_in_part_and_then_whole_it_is_taken_whole() {
    for between in ["\r\n\r\n", "\x1b[1;1H"] {
        let (token, screen) = whole(&format!("{}{between}{TOKEN}\r\n\r\n", &TOKEN[..60]));
        assert_eq!(token.as_deref(), Some(TOKEN), "{between:?}");
        assert!(!leaks(screen.as_bytes(), TOKEN), "{screen:?}");
    }
    // The first row of it, full; then everything again, from the row below or from above.
    for between in ["\r\n\x1b[2G", "\x1b[2;2H"] {
        let text = format!("\x1b[2G{}{between}{}", &TOKEN[..59], &rows(TOKEN, 60)[4..]);
        let (token, screen) = whole_at(60, &text);
        assert_eq!(token.as_deref(), Some(TOKEN), "{between:?}");
        assert!(!leaks(screen.as_bytes(), TOKEN), "{screen:?}");
    }
    // In part, and then with a gap: which of them is the token is not known.
    let text = format!("{}\r\n\r\n{}\x1b[99G{}", &TOKEN[..60], &TOKEN[..70], &TOKEN[71..]);
    assert_eq!(read([text.as_bytes()]).0, Err(Missed));
}

#[test]
fn no_title_hyperlink_or_clipboard_gets_it() {
    for string in [
        format!("\x1b]0;{TOKEN}\x07"),
        format!("\x1b]8;;https://x/{TOKEN}\x1b\\"),
        format!("\x1bP{TOKEN}\x1b\\"),
        format!("{TOKEN} \x1b]52;c;c2stYW50LW9hdDAx\x07"),
        format!("\x1b]0;{TOKEN}"),
    ] {
        let (_, screen) = whole(&string);
        assert!(!leaks(screen.as_bytes(), TOKEN) && !screen.contains("c2st"), "{screen:?}");
    }
    let link = "\x1b]8;;https://claude.ai/oauth\x07link\x1b]8;;\x07";
    assert_eq!(whole(link), (None, link.to_owned()));
    let copied = "\x1b]52;c;aHR0cHM6Ly9jbGF1ZGUuYWk=\x07";
    assert_eq!(whole(copied), (None, copied.to_owned()));
}

#[test]
fn a_prompt_is_never_held_back() {
    let mut screen = Vec::new();
    let mut interceptor = Interceptor::new(80);
    for (text, shown) in
        [("Paste code, yes", "Paste code, yes"), ("\x1b[", ""), ("1mx", "\x1b[1mx"), ("sk-", "sk-")]
    {
        screen.clear();
        interceptor.take(text.as_bytes(), &mut screen);
        assert_eq!(screen, shown.as_bytes());
    }
}

#[test]
fn debug_shows_no_token() {
    let mut interceptor = Interceptor::new(80);
    interceptor.take(TOKEN.as_bytes(), &mut Vec::new());
    assert_eq!(format!("{interceptor:?}"), "Interceptor(redacted)");
}

fn tokens() -> impl Strategy<Value = String> {
    "[A-Za-z0-9_-]{60,120}".prop_map(|own| format!("sk-ant-oat01-TEST{own}"))
}

/// What does not show and does not move.
fn noise() -> impl Strategy<Value = Vec<(usize, &'static str)>> {
    let codes =
        prop::sample::select(vec!["\x1b[1m", "\x1b[38;5;220m", "\x1b[K", "\x1b[?25l", "\x0f", "\x1b(B"]);
    prop::collection::vec((0..200_usize, codes), 0..12)
}

proptest! {
    #[test]
    fn however_it_is_wrapped_coloured_and_chunked(
        token in tokens(),
        width in 40..200_usize,
        noise in noise(),
        cuts in prop::collection::vec(1..60_usize, 1..40),
    ) {
        let mut text = rows(&token, width);
        for (place, code) in noise {
            let Some((place, _)) = text.char_indices().filter(|(_, c)| c.is_ascii_alphanumeric()).nth(place) else { continue };
            // Not inside of another code.
            if text[..place].rfind('\x1b').is_none_or(|code| text[code..place].contains('m')) {
                text.insert_str(place, code);
            }
        }
        let text = format!("{BEFORE}{text}{AFTER}");
        let (mut rest, mut pieces) = (text.as_bytes(), Vec::new());
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        let (found, screen) = read_at(width, pieces);
        prop_assert_eq!(found, Ok(Some(token.clone())));
        prop_assert!(!leaks(&screen, &token));
        prop_assert!(screen.ends_with(AFTER.as_bytes()));
    }

    #[test]
    fn what_holds_no_credential_passes_unchanged(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        prop_assume!(!holds_credential(&bytes));
        let visible: Vec<u8> = bytes.iter().copied().filter(u8::is_ascii_graphic).collect();
        prop_assume!(!holds_credential(&visible));
        prop_assert_eq!(read([bytes.as_slice()]), (Ok(None), bytes));
    }
}
