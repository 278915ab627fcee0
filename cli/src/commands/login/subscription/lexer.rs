//! What a program writes to a terminal, cut into pieces: characters, line ends, movements of the cursor
//! (ECMA-48, xterm's control sequences). A piece is told when its last byte has come.

use zeroize::Zeroizing;

/// The longest control string that is passed on, in bytes (a hyperlink, a window title).
const LONGEST: usize = 8 * 1024;
const BELL: u8 = 0x07;
const ESCAPE: u8 = 0x1b;

/// What a piece does to the text on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Shows a character, or a part of one.
    Visible(u8),
    /// Leaves the place where it is: colours, modes, erasing, the start of the row.
    Nothing,
    /// Shows a space.
    Space,
    /// Goes to another place in the row.
    Move,
    /// Shows the character before it again (`REP`).
    Repeat,
    /// Goes to the next row.
    NextRow,
    /// Goes anywhere else.
    Jump,
    /// A string that is not shown (`OSC`, `DCS`, `APC`, `PM`, `SOS`).
    String,
}

/// Where in a piece the next byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ground,
    /// After `ESC` and intermediate bytes.
    Escape,
    /// In a control sequence.
    Control,
    /// In a control string.
    String,
    /// In a control string, after `ESC`.
    StringEscape,
}

/// Cuts bytes into pieces. The bytes of a piece that is not whole yet are held.
pub(super) struct Lexer {
    state: State,
    piece: Zeroizing<Vec<u8>>,
    /// The control string is too long: the rest of it is dropped, and so is what was held.
    too_long: bool,
}

impl Default for Lexer {
    fn default() -> Self {
        let piece = Zeroizing::new(Vec::with_capacity(LONGEST));
        Self { state: State::Ground, piece, too_long: false }
    }
}

impl Lexer {
    /// Takes a byte; what the piece that it ends does, if it ends one.
    pub(super) fn take(&mut self, byte: u8) -> Option<Effect> {
        if self.state == State::Ground {
            self.piece.clear();
            self.too_long = false;
        }
        if self.piece.len() < LONGEST {
            self.piece.push(byte);
        } else {
            self.too_long = true;
        }
        let (state, effect) = self.step(byte);
        self.state = state;
        effect
    }

    /// The bytes of the piece that has just ended, or of the one that never will.
    pub(super) fn piece(&self) -> &[u8] {
        if self.too_long { &[] } else { &self.piece }
    }

    /// Whether a piece has begun and has not ended.
    pub(super) fn is_within(&self) -> bool {
        self.state != State::Ground
    }

    fn step(&self, byte: u8) -> (State, Option<Effect>) {
        use State::{Control, Escape, Ground, String, StringEscape};
        match (self.state, byte) {
            (Ground | Escape | Control, ESCAPE) => (Escape, None),
            (Ground, _) => (Ground, Some(character(byte))),
            (Escape, b'[') if self.piece.len() == 2 => (Control, None),
            (Escape, b']' | b'P' | b'X' | b'^' | b'_') if self.piece.len() == 2 => (String, None),
            (Escape, 0x20..=0x2f) | (Control, 0x20..=0x3f) => (self.state, None),
            (Escape, _) => (Ground, Some(escape(byte))),
            (Control, _) => (Ground, Some(control(&self.piece))),
            (String | StringEscape, BELL | 0x18 | 0x1a) | (StringEscape, b'\\') => {
                (Ground, Some(Effect::String))
            }
            (String | StringEscape, ESCAPE) => (StringEscape, None),
            (String | StringEscape, _) => (String, None),
        }
    }
}

fn character(byte: u8) -> Effect {
    match byte {
        b' ' | b'\t' => Effect::Space,
        b'\n' | 0x0b | 0x0c => Effect::NextRow,
        0x08 | 0x7f => Effect::Jump,
        0x21.. => Effect::Visible(byte),
        _ => Effect::Nothing,
    }
}

fn escape(last: u8) -> Effect {
    match last {
        b'D' | b'E' => Effect::NextRow,
        b'8' | b'M' | b'c' => Effect::Jump,
        _ => Effect::Nothing,
    }
}

fn control(piece: &[u8]) -> Effect {
    let parameters = piece.get(2..piece.len().saturating_sub(1)).unwrap_or_default();
    match piece.last() {
        Some(b'G' | b'C' | b'`' | b'a') => Effect::Move,
        Some(b'b') => Effect::Repeat,
        Some(b'B' | b'E' | b'e') if matches!(parameters, b"" | b"1") => Effect::NextRow,
        Some(b'A' | b'B' | b'D' | b'E' | b'F' | b'H' | b'd' | b'e' | b'f' | b'u') => Effect::Jump,
        _ => Effect::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effects(bytes: &[u8]) -> Vec<Effect> {
        let mut lexer = Lexer::default();
        bytes.iter().filter_map(|byte| lexer.take(*byte)).collect()
    }

    #[test]
    fn pieces_do_what_a_terminal_does() {
        use Effect::{Jump, Move, NextRow, Nothing, Repeat, Space, String, Visible};
        for (bytes, expected) in [
            (&b"a b"[..], &[Visible(b'a'), Space, Visible(b'b')][..]),
            (b"\x1b[38;5;220mx\x1b[39m\r\n", &[Nothing, Visible(b'x'), Nothing, Nothing, NextRow]),
            (b"\x1b[2G\x1b[3C\x1b[1B\x1b[2A", &[Move, Move, NextRow, Jump]),
            (b"\x1b]8;;https://x\x07y\x1b]0;t\x1b\\", &[String, Visible(b'y'), String]),
            (b"\x1b(B\x0f\x1b7\x1b8", &[Nothing, Nothing, Nothing, Jump]),
            (b"a\x1b[3b", &[Visible(b'a'), Repeat]),
            (b"\x1b[?2004h\x1b[>0q\x1b[K", &[Nothing, Nothing, Nothing]),
            ("…".as_bytes(), &[Visible(0xe2), Visible(0x80), Visible(0xa6)]),
        ] {
            assert_eq!(effects(bytes), expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_string_that_never_ends_is_bounded() {
        let mut lexer = Lexer::default();
        for byte in b"\x1b]52;c;".iter().chain(&vec![b'x'; 3 * LONGEST]) {
            assert_eq!(lexer.take(*byte), None);
        }
        assert_eq!(lexer.take(BELL), Some(Effect::String));
        assert_eq!(lexer.piece(), b"");
        assert_eq!((lexer.take(b'y'), lexer.piece()), (Some(Effect::Visible(b'y')), &b"y"[..]));
    }
}
