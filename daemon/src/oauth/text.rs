//! Text from a server, made fit for people: short, and with nothing that a terminal or a page could
//! obey.

/// Most characters of one text.
const MOST: usize = 200;

/// The text without control characters, without those that change the direction of others, and without
/// what comes after 200 characters.
pub(super) fn harmless(text: &str) -> String {
    let shown = |c: char| if is_harmless(c) { c } else { '\u{fffd}' };
    text.trim().chars().take(MOST).map(shown).collect()
}

/// As [`harmless`]; nothing for a text with nothing in it.
pub(super) fn harmless_or_none(text: &str) -> Option<String> {
    Some(harmless(text)).filter(|text| !text.is_empty())
}

fn is_harmless(c: char) -> bool {
    let changes_direction = matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    !c.is_control() && !changes_direction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_harmful_passes() {
        assert_eq!(harmless(" Übung 東京 👍 "), "Übung 東京 👍");
        assert_eq!(
            harmless("a\u{1b}[2Jb\r\n\u{202e}c\u{9b}"),
            "a\u{fffd}[2Jb\u{fffd}\u{fffd}\u{fffd}c\u{fffd}"
        );
        assert_eq!(harmless(&"x".repeat(10_000)).len(), 200);
        assert_eq!(harmless_or_none(" \n "), None);
    }
}
