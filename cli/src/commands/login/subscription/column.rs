//! Where in its row the cursor is. What cannot be known is taken for further left: then no row is full.

use super::lexer::Effect;

/// The column after a piece, counted from 0; `columns` is the one after the last character of a full row.
pub(super) fn after(effect: Effect, piece: &[u8], column: usize, columns: usize) -> usize {
    match (effect, piece) {
        // A character of several bytes takes one column, mostly.
        (Effect::Visible(0x80..=0xbf), _) => column,
        (Effect::Visible(_), _) | (Effect::Space, b" ") if column >= columns => 1,
        (Effect::Visible(_), _) | (Effect::Space, b" ") => column + 1,
        (Effect::Space, _) => ((column / 8 + 1) * 8).min(columns.saturating_sub(1)),
        (Effect::Nothing, b"\r") | (Effect::NextRow, b"\x1bE") => 0,
        (Effect::Jump, [0x08 | 0x7f]) => column.saturating_sub(1),
        (
            Effect::Move | Effect::Repeat | Effect::Jump | Effect::NextRow,
            [0x1b, b'[', parameters @ .., last],
        ) => moved(*last, parameters, column).min(columns),
        (Effect::Jump, _) => 0,
        _ => column,
    }
}

fn moved(last: u8, parameters: &[u8], column: usize) -> usize {
    let number =
        |index| parameters.split(|byte| *byte == b';').nth(index).and_then(number).unwrap_or(1).max(1);
    match last {
        b'G' | b'`' => number(0) - 1,
        b'H' | b'f' => number(1) - 1,
        b'C' | b'a' | b'b' => column.saturating_add(number(0)),
        b'D' => column.saturating_sub(number(0)),
        b'E' | b'F' | b'u' => 0,
        _ => column,
    }
}

fn number(digits: &[u8]) -> Option<usize> {
    str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{super::lexer::Lexer, *};

    fn column(bytes: &[u8], columns: usize) -> usize {
        let mut lexer = Lexer::default();
        bytes.iter().fold(0, |column, byte| match lexer.take(*byte) {
            Some(effect) => after(effect, lexer.piece(), column, columns),
            None => column,
        })
    }

    #[test]
    fn characters_movements_and_the_end_of_a_row() {
        for (bytes, expected) in [
            (&b"abc"[..], 3),
            ("\u{2714} ok".as_bytes(), 4),
            (b"abc\rd", 1),
            (b"abc\nd", 4),
            (b"\x1b[2Gab", 3),
            (b"a\x1b[3Cb", 5),
            (b"a\x1b[3b", 4),
            (b"\x1b[7;4Hx\x1b[2D", 2),
            (b"\tx", 9),
            (b"\x1b[31mab\x1b[0m", 2),
            (b"0123456789", 10),
            (b"0123456789a", 1),
            (b"\x1b[99Cx", 1),
            (b"\x1b[99999999999999999999999G", 0),
        ] {
            assert_eq!(column(bytes, 10), expected, "{}", bytes.escape_ascii());
        }
    }
}
