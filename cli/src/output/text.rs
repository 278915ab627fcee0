//! Text for people. Whatever comes from outside goes through [`Plain`].

use std::fmt::{self, Display, Write as _};

use anstyle::{AnsiColor, Style};
use claudectl_proto::v1::{
    Account, AccountState, CredentialKind, Outcome, Receipt, Session, SessionState, Transport,
};

use super::json;

/// Headings.
pub const BOLD: Style = Style::new().bold();
/// As it should be.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Look at it.
pub const WARN: Style = AnsiColor::Yellow.on_default();
/// Not as it should be.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// Explanations.
pub const DIM: Style = Style::new().dimmed();

/// Text from outside, harmless on a terminal: what could move the cursor, start an escape sequence,
/// reorder or hide what stands beside it is shown as `\u{…}`. Nothing is dropped, so nothing hides.
#[derive(Debug, Clone, Copy)]
pub struct Plain<'a>(pub &'a str);

impl Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            c if is_harmless(c) => f.write_char(c),
            c => write!(f, "{}", c.escape_default()),
        })
    }
}

/// Whether a character only draws itself.
pub fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A word in a style.
pub fn styled(style: Style, word: impl Display) -> String {
    format!("{style}{word}{style:#}")
}

/// How long ago, roughly. Both in seconds since the Unix epoch; 0 is never.
pub fn ago(then: i64, now: i64) -> String {
    let seconds = now.saturating_sub(then).max(0);
    match seconds {
        _ if then <= 0 => "never".to_owned(),
        0..60 => "just now".to_owned(),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

/// So many copies.
pub fn copies(number: usize) -> String {
    if number == 1 { "1 copy".to_owned() } else { format!("{number} copies") }
}

/// A number of things.
pub fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// What a kind of credential is called.
pub fn kind(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::ApiKey => "API key",
        CredentialKind::Oauth => "OAuth",
        CredentialKind::Subscription => "subscription",
        CredentialKind::Unspecified => "credential of an unknown kind",
    }
}

/// Columns that line up, indented by two; the last one is as long as it is.
pub fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    // Colours take no room.
    let seen = |cell: &String| anstream::adapter::strip_str(cell).to_string().chars().count();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(seen).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for row in rows {
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(text, "  {cell}{:1$}", "", width - seen(cell));
        }
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
    text
}

/// The accounts, one a line.
pub fn accounts(accounts: &[Account]) -> String {
    let rows: Vec<_> = accounts
        .iter()
        .map(|account| {
            let route = account.route.clone().unwrap_or_default();
            [
                if account.is_default { "*" } else { " " }.to_owned(),
                Plain(&account.name).to_string(),
                kind(account.kind()).to_owned(),
                Plain(upstream(&route.upstream)).to_string(),
                count(usize::try_from(account.sessions).unwrap_or(0), "session"),
                holding(account),
            ]
        })
        .collect();
    columns(&rows)
}

/// Where the credential of an account is, as far as it is not simply held.
pub fn holding(account: &Account) -> String {
    let since = match account.since {
        0 => String::new(),
        since => format!(" since {}", clock_time(since)),
    };
    let why = match account.why.as_str() {
        "" => String::new(),
        why => format!(" ({})", Plain(why)),
    };
    let mut notes = vec![match account.state() {
        AccountState::Sealed => format!("sealed{since}{why}"),
        AccountState::LoginNeeded => format!("needs a new login{since}{why}"),
        AccountState::Renewing => format!("is being renewed{why}"),
        AccountState::Held | AccountState::Unspecified if !account.why.is_empty() => {
            format!("could not be renewed yet{why}")
        }
        AccountState::Held | AccountState::Unspecified => String::new(),
    }];
    if account.kind() == CredentialKind::ApiKey && !account.checked {
        notes.push("not checked with the upstream".to_owned());
    }
    if !account.kept_error.is_empty() {
        notes.push(format!("the copy in the keyring is out of date ({})", Plain(&account.kept_error)));
    } else if account.kept {
        notes.push("kept in the keyring".to_owned());
    }
    notes.retain(|note| !note.is_empty());
    notes.join(", ")
}

/// Whose credential it is, as far as the server told: `jane@example.org, Example Org (max)`.
pub fn whose(account: &Account) -> Option<String> {
    let profile = account.profile.clone().unwrap_or_default();
    let mut names = [profile.email, profile.organization].to_vec();
    names.retain(|name| !name.is_empty());
    let names: Vec<_> = names.iter().map(|name| Plain(name).to_string()).collect();
    match (names.join(", "), profile.plan.as_str()) {
        (names, "") => Some(names).filter(|names| !names.is_empty()),
        (names, plan) if names.is_empty() => Some(format!("a {} plan", Plain(plan))),
        (names, plan) => Some(format!("{names} ({})", Plain(plan))),
    }
}

/// The time of day, UTC.
fn clock_time(at: i64) -> String {
    let minutes = at.div_euclid(60).rem_euclid(24 * 60);
    format!("{:02}:{:02} UTC", minutes / 60, minutes % 60)
}

/// How far ahead, roughly. Both in seconds since the Unix epoch.
pub fn until(then: i64, now: i64) -> String {
    let seconds = then.saturating_sub(now);
    match seconds {
        ..=0 => "now".to_owned(),
        1..60 => "in less than a minute".to_owned(),
        60..3600 => format!("in {} min", seconds / 60),
        3600..172_800 => format!("in {} h", seconds / 3600),
        _ => format!("in {} d", seconds / 86_400),
    }
}

/// The upstream that an empty one means.
pub fn upstream(named: &str) -> &str {
    if named.is_empty() { "https://api.anthropic.com" } else { named }
}

/// The sessions, one a line.
pub fn sessions(sessions: &[Session], now: i64) -> String {
    let rows: Vec<_> = sessions
        .iter()
        .map(|session| {
            let usage = session.usage.unwrap_or_default();
            [
                Plain(&session.id).to_string(),
                Plain(&session.account).to_string(),
                state(session.state()).to_owned(),
                format!("pid {}", session.pid),
                Plain(&session.program).to_string(),
                count(usize::try_from(usage.requests).unwrap_or(usize::MAX), "request"),
                format!("{} in / {} out tokens", usage.input_tokens, usage.output_tokens),
                notes(session, now),
            ]
        })
        .collect();
    columns(&rows)
}

fn notes(session: &Session, now: i64) -> String {
    let usage = session.usage.unwrap_or_default();
    let mut notes = vec![format!("last used {}", ago(usage.last_request_at, now))];
    if session.transport() == Transport::Tcp {
        notes.push("over TCP".to_owned());
    }
    if session.children {
        notes.push("with child processes".to_owned());
    }
    if session.refused_peers > 0 {
        notes.push(format!("{} of other processes refused", count_u32(session.refused_peers, "connection")));
    }
    notes.join(", ")
}

fn count_u32(number: u32, one: &str) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), one)
}

/// What the state of a session is called.
pub fn state(state: SessionState) -> &'static str {
    match state {
        SessionState::Open => "open",
        SessionState::Frozen => "frozen",
        SessionState::LoggedOut => "logged out",
        SessionState::Ended => "ended",
        SessionState::Unspecified => "unknown",
    }
}

/// A receipt: each copy, what was done, and what proves it.
pub fn receipt(receipt: &Receipt) -> String {
    let mut text = String::new();
    for item in &receipt.items {
        let style = match item.outcome() {
            Outcome::Proven => GOOD,
            Outcome::OutOfReach => WARN,
            Outcome::Unproven | Outcome::Unspecified => BAD,
        };
        let outcome = styled(style, format!("{:<12}", json::outcome(item.outcome())));
        let (what, place) = (Plain(&item.what), Plain(&item.r#where));
        let preposition = if item.r#where.contains("://") { "at" } else { "in" };
        let whose = if item.account.is_empty() { "" } else { " of " };
        let _ = writeln!(text, "  {outcome}  {what}{whose}{} {preposition} {place}", Plain(&item.account));
        let action = if item.action == "none" { "nothing to be done from here" } else { &item.action };
        let _ = writeln!(text, "  {:<12}  {}: {}", "", Plain(action), Plain(&item.proof));
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_harmful_passes(text in any::<String>()) {
            let plain = Plain(&text).to_string();
            prop_assert!(plain.chars().all(is_harmless));
        }

        #[test]
        fn what_is_harmless_stays_as_it_is(text in "[ -~äöüß漢字🎉]*") {
            prop_assert_eq!(Plain(&text).to_string(), text);
        }
    }

    #[test]
    fn the_known_tricks_are_shown() {
        assert_eq!(
            Plain("a\u{1b}[31mb\r\u{9b}c\u{202e}d\u{2066}\u{200b}\u{7f}").to_string(),
            "a\\u{1b}[31mb\\r\\u{9b}c\\u{202e}d\\u{2066}\\u{200b}\\u{7f}"
        );
    }

    #[test]
    fn times_are_rough_and_never_negative() {
        let table = [(0, "never"), (1_000, "just now"), (2_000, "just now"), (940, "1 min ago")];
        for (then, expected) in table {
            assert_eq!(ago(then, 1_000), expected);
        }
        assert_eq!(ago(1, 7_201), "2 h ago");
        assert_eq!(ago(1, 200_000), "2 d ago");
    }

    #[test]
    fn columns_line_up() {
        let rows = [["a".to_owned(), "b".to_owned()], ["long".to_owned(), String::new()]];
        assert_eq!(columns(&rows), "  a     b\n  long\n");
        let colored = [[styled(BAD, "a"), "b".to_owned()], ["long".to_owned(), String::new()]];
        assert_eq!(anstream::adapter::strip_str(&columns(&colored)).to_string(), columns(&rows));
    }
}
