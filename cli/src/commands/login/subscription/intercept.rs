//! Takes a token out of what a program writes to a terminal. Pure: bytes in, bytes for the screen out.
//!
//! What the genuine client does (seen with 2.1.330, at 40 to 200 columns): it shows the token in colour,
//! in rows as wide as the terminal, each begun by a movement to the second column, and an empty row
//! after the last. A row that consists of nothing but characters of a token is therefore held until it has
//! ended, and hidden. It goes on with the token if the row before was full. Whatever else a release may
//! draw is hidden as well, and not used, because it may not be the whole token: a row below one that was
//! not full, a movement or a repetition in the middle, a row that is jumped to.

use std::fmt;

use zeroize::{Zeroize as _, Zeroizing};

use super::{
    column,
    lexer::{Effect, Lexer},
};

/// What every credential of Anthropic starts with. It is shown: it is the same for everybody.
const PREFIX: &[u8] = b"sk-ant-";
/// What an access token goes on with.
const ACCESS: &[u8] = b"sk-ant-oat";
/// What the screen shows instead of the rest.
const COVER: &[u8] = b"[not shown]";
/// The shortest and the longest that can be a token, in bytes.
const SHORTEST: usize = 40;
const LONGEST: usize = 1024;
/// The longest row that is held, in bytes.
const ROW: usize = 4 * 1024;

/// Where the next piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Outside of a token, after so many characters that could be the start of one.
    Outside(usize),
    /// In the row that the token began in.
    First,
    /// In a later row, which holds a token from here on if it holds anything: is held.
    Later {
        /// Length of the token before this row.
        before: usize,
        /// Whether it was flawed before this row.
        flawed: bool,
        /// Whether the row before was full: else this one should not go on with it.
        is_due: bool,
    },
}

/// Takes tokens out.
#[allow(clippy::struct_excessive_bools, reason = "facts about the screen that change one by one")]
pub struct Interceptor {
    lexer: Lexer,
    place: Place,
    /// Width of the terminal.
    columns: usize,
    /// Where in its row the cursor is.
    column: usize,
    /// The column after the last character of the token.
    end: usize,
    /// The start of a token that is being read has a movement in its middle.
    gap: bool,
    /// In a row that nothing was shown in yet.
    row_is_fresh: bool,
    token: Zeroizing<Vec<u8>>,
    row: Row,
    /// The cursor was moved within the row of the token.
    moved: bool,
    /// The token that is being read cannot be used: it is too long, or has a gap.
    flawed: bool,
    /// There was one that could not be used.
    missed: bool,
    taken: Option<Zeroizing<Vec<u8>>>,
}

/// A row that is held.
struct Row {
    whole: Zeroizing<Vec<u8>>,
    /// The same without characters of the token.
    rest: Zeroizing<Vec<u8>>,
    /// It is longer than what is held of it: the rest is dropped.
    overflowed: bool,
}

/// There was a token, and it could not be read for certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed;

impl fmt::Debug for Interceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interceptor(redacted)")
    }
}

impl Interceptor {
    /// For a terminal this wide.
    pub fn new(columns: u16) -> Self {
        // None of these ever grows: a smaller buffer would be left behind.
        let buffer = |size| Zeroizing::new(Vec::with_capacity(size));
        Self {
            lexer: Lexer::default(),
            place: Place::Outside(0),
            columns: columns.into(),
            column: 0,
            end: 0,
            gap: false,
            row_is_fresh: true,
            token: buffer(LONGEST),
            row: Row { whole: buffer(ROW), rest: buffer(ROW), overflowed: false },
            moved: false,
            flawed: false,
            missed: false,
            taken: None,
        }
    }

    /// The terminal is this wide from here on.
    pub fn resize(&mut self, columns: u16) {
        self.columns = columns.into();
    }

    /// Takes what the program wrote; appends to `screen` what the person may see.
    pub fn take(&mut self, bytes: &[u8], screen: &mut Vec<u8>) {
        for byte in bytes {
            if let Some(effect) = self.lexer.take(*byte) {
                let column = column::after(effect, self.lexer.piece(), self.column, self.columns);
                // To where it is already.
                let stays = effect == Effect::Move && column == self.column;
                self.column = column;
                self.piece(if stays { Effect::Nothing } else { effect }, screen);
            }
        }
    }

    /// The program ended: what was held is told apart for good. The token, if there was one.
    ///
    /// # Errors
    /// [`Missed`] if there was one that cannot be used.
    pub fn finish(mut self, screen: &mut Vec<u8>) -> Result<Option<Zeroizing<Vec<u8>>>, Missed> {
        self.end(true, screen);
        if self.lexer.is_within() && !holds_credential(self.lexer.piece()) {
            screen.extend_from_slice(self.lexer.piece());
        }
        if self.missed && self.taken.is_none() { Err(Missed) } else { Ok(self.taken) }
    }

    fn piece(&mut self, effect: Effect, screen: &mut Vec<u8>) {
        match self.place {
            Place::Outside(matched) => {
                self.pass(effect, screen);
                self.look(effect, matched, screen);
            }
            Place::First => self.first(effect, screen),
            Place::Later { .. } => self.later(effect, screen),
        }
        self.row_is_fresh = match effect {
            Effect::NextRow => true,
            Effect::Visible(_) | Effect::Repeat | Effect::Jump => false,
            _ => self.row_is_fresh,
        };
    }

    /// Outside of a token: is this the start of one?
    fn look(&mut self, effect: Effect, matched: usize, screen: &mut Vec<u8>) {
        let begins = |byte| usize::from(PREFIX.first() == Some(&byte));
        let matched = match effect {
            Effect::Visible(byte) if PREFIX.get(matched) == Some(&byte) => matched + 1,
            Effect::Visible(byte) => begins(byte),
            Effect::Repeat => 0,
            Effect::Space if !self.row_is_fresh => 0,
            _ => matched,
        };
        // Drawn with a movement in its middle it is one all the same.
        self.gap = match effect {
            Effect::Jump => true,
            Effect::Move => self.gap || !self.row_is_fresh,
            _ => self.gap && matched > 1,
        } && matched > 0;
        self.place = Place::Outside(matched);
        if matched == PREFIX.len() {
            self.begin(screen);
        }
    }

    /// What starts a token was shown.
    fn begin(&mut self, screen: &mut Vec<u8>) {
        self.place = Place::First;
        self.flawed = std::mem::take(&mut self.gap);
        self.moved = false;
        self.end = self.column;
        self.token.zeroize();
        self.token.extend_from_slice(PREFIX);
        screen.extend_from_slice(COVER);
    }

    /// In the row that the token began in.
    fn first(&mut self, effect: Effect, screen: &mut Vec<u8>) {
        match effect {
            Effect::Visible(byte) if is_of_token(byte) => self.grow(byte),
            // The next row of the token may be where it jumps to.
            Effect::Jump if self.row_is_full() => {
                self.pass(effect, screen);
                self.flawed = true;
                self.next_row();
            }
            Effect::Visible(_) | Effect::Space | Effect::Jump => {
                self.end(true, screen);
                self.piece(effect, screen);
            }
            Effect::Repeat => self.flawed = true,
            Effect::Nothing | Effect::String => self.pass(effect, screen),
            Effect::Move => {
                self.pass(effect, screen);
                self.moved = true;
            }
            Effect::NextRow => {
                self.pass(effect, screen);
                self.next_row();
            }
        }
    }

    /// In a row that may go on with the token.
    fn later(&mut self, effect: Effect, screen: &mut Vec<u8>) {
        let Place::Later { before, is_due, .. } = self.place else { return };
        let begun = self.token.len() > before;
        match effect {
            Effect::Visible(byte) if is_of_token(byte) => {
                self.hold(false);
                self.grow(byte);
                // Not a row of this token, but of another one, or of the same that is drawn again.
                if self.token.get(before..) == Some(PREFIX) {
                    self.end(false, screen);
                    self.begin(screen);
                }
            }
            Effect::NextRow if begun => {
                self.hold(true);
                self.flawed |= !is_due;
                self.release(false, screen);
                self.next_row();
            }
            Effect::Repeat => self.flawed = true,
            Effect::Nothing | Effect::String => self.hold(true),
            Effect::Space | Effect::Move if !begun => self.hold(true),
            Effect::Move => {
                self.hold(true);
                self.moved = true;
            }
            // The next row of the token may be where it jumps to.
            Effect::Jump if is_due && (!begun || self.row_is_full()) => {
                self.hold(true);
                self.release(false, screen);
                self.flawed = true;
                self.next_row();
            }
            // Nothing but the token was in this row: it may jump where it likes.
            Effect::Jump if begun => {
                self.end(true, screen);
                self.piece(effect, screen);
            }
            // Words: the token ended in the row before.
            Effect::Visible(_) | Effect::Space | Effect::Jump | Effect::NextRow => {
                self.end(false, screen);
                self.piece(effect, screen);
            }
        }
    }

    fn next_row(&mut self) {
        let is_due = self.row_is_full();
        self.place = Place::Later { before: self.token.len(), flawed: self.flawed, is_due };
        self.moved = false;
    }

    /// Whether the token reaches the last column.
    fn row_is_full(&self) -> bool {
        self.end >= self.columns
    }

    /// The token has ended: with the row that is held, or before it.
    fn end(&mut self, with_row: bool, screen: &mut Vec<u8>) {
        match self.place {
            Place::Outside(_) => return,
            Place::First => {}
            Place::Later { before, flawed, is_due } => {
                if with_row {
                    self.flawed |= !is_due && self.token.len() > before;
                } else {
                    self.cut(before);
                    self.flawed = flawed;
                }
                self.release(!with_row, screen);
            }
        }
        self.place = Place::Outside(0);
        self.settle();
        self.token.zeroize();
    }

    /// Keeps the token if it is one, and no other was kept. A longer one that goes on where the other ended
    /// is the same, drawn again and whole; if that one is flawed, neither can be trusted.
    fn settle(&mut self) {
        let fits = (SHORTEST..LONGEST).contains(&self.token.len()) && self.token.starts_with(ACCESS);
        let taken = self.taken.as_ref().map_or(&[][..], |taken| taken.as_slice());
        let is_more = self.token.len() > taken.len();
        self.missed |= self.flawed;
        if self.flawed && is_more {
            self.taken = None;
        } else if fits && !self.flawed && is_more && self.token.starts_with(taken) {
            let empty = Zeroizing::new(Vec::with_capacity(LONGEST));
            self.taken = Some(std::mem::replace(&mut self.token, empty));
        }
    }

    /// Takes back what a held row added.
    fn cut(&mut self, before: usize) {
        if let Some(added) = self.token.get_mut(before..) {
            added.zeroize();
        }
        self.token.truncate(before);
    }

    fn grow(&mut self, byte: u8) {
        if self.token.len() < LONGEST {
            self.token.push(byte);
        }
        self.end = self.column;
        self.flawed |= self.moved || self.token.len() == LONGEST;
    }

    fn hold(&mut self, is_rest: bool) {
        let piece = visible_string(self.lexer.piece(), self.taken.is_some());
        if self.row.whole.len() + piece.len() > ROW {
            self.row.overflowed = true;
            return;
        }
        self.row.whole.extend_from_slice(piece);
        if is_rest {
            self.row.rest.extend_from_slice(piece);
        }
    }

    /// Shows the row that was held; without the characters of the token unless they are none.
    fn release(&mut self, whole: bool, screen: &mut Vec<u8>) {
        let row = &mut self.row;
        screen.extend_from_slice(if whole && !row.overflowed { &row.whole } else { &row.rest });
        row.whole.zeroize();
        row.rest.zeroize();
        row.overflowed = false;
    }

    fn pass(&self, effect: Effect, screen: &mut Vec<u8>) {
        let piece = self.lexer.piece();
        let is_string = effect == Effect::String;
        screen.extend_from_slice(if is_string { visible_string(piece, self.taken.is_some()) } else { piece });
    }
}

fn is_of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

fn holds_credential(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, PREFIX).is_some()
}

/// A control string, or nothing of it if it carries a credential to where it can be read: a hyperlink, a
/// title, or the clipboard (`OSC 52`) once there is something to put there.
fn visible_string(piece: &[u8], taken: bool) -> &[u8] {
    let to_clipboard = taken && piece.starts_with(b"\x1b]52;");
    if to_clipboard || holds_credential(piece) { &[] } else { piece }
}

#[cfg(test)]
mod tests;
