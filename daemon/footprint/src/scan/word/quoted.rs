//! Quotes.

use super::{Cursor, Dialect, LONGEST};

impl Cursor<'_> {
    /// A quoted run. One that is never closed ends with its line.
    pub(super) fn quoted(&mut self, quote: u8) {
        if let [b'"', b'"', b'"', ..] | [b'\'', b'\'', b'\'', ..] = self.rest()
            && self.dialect == Dialect::Toml
        {
            return self.tripled(quote);
        }
        self.at += 1;
        let end = self.end_of(quote);
        while self.at < end && self.value.len() < LONGEST {
            let before = self.at;
            self.inside(quote);
            if self.at == before {
                break;
            }
        }
        self.at = end + usize::from(self.text.get(end) == Some(&quote));
    }

    /// The next character between quotes.
    fn inside(&mut self, quote: u8) {
        let (dialect, double) = (self.dialect, quote == b'"');
        match self.rest() {
            [a, b, ..] if *a == quote && *b == quote => self.push(quote, 2),
            [b'`', byte, ..] if dialect == Dialect::PowerShell && double => self.push(*byte, 2),
            [b'\\', byte, ..] if self.escapes(quote, *byte) => self.escape(*byte),
            [b'$', ..] if double && !matches!(dialect, Dialect::Nu | Dialect::Yaml | Dialect::Toml) => {
                self.expansion();
            }
            [b'`', ..] if double && dialect == Dialect::Posix => self.skip_dynamic(),
            [byte, ..] => self.push(*byte, 1),
            [] => {}
        }
    }

    fn escape(&mut self, byte: u8) {
        match byte {
            b'\n' => self.at += 2,
            b'n' if self.dialect != Dialect::Posix => self.push(b'\n', 2),
            b't' if self.dialect != Dialect::Posix => self.push(b'\t', 2),
            byte => self.push(byte, 2),
        }
    }

    /// Whether a backslash before this byte means something.
    fn escapes(&self, quote: u8, byte: u8) -> bool {
        match (self.dialect, quote) {
            (Dialect::PowerShell, _) | (_, b'`') => false,
            (Dialect::Posix, b'"') => matches!(byte, b'$' | b'`' | b'"' | b'\\' | b'\n'),
            (Dialect::Fish, b'"') => matches!(byte, b'$' | b'"' | b'\\' | b'\n'),
            (Dialect::Fish, _) => matches!(byte, b'\'' | b'\\'),
            (_, quote) => quote == b'"',
        }
    }

    /// Where the quote that is open here closes; the end of the line if it never does.
    fn end_of(&self, quote: u8) -> usize {
        let mut skip = false;
        let doubled =
            matches!(self.dialect, Dialect::PowerShell) || (self.dialect == Dialect::Yaml && quote == b'\'');
        let with_backticks = self.dialect == Dialect::PowerShell && quote == b'"';
        let rest = self.rest();
        let mut index = 0;
        while let Some(byte) = rest.get(index).filter(|_| index < LONGEST) {
            let next = rest.get(index + 1).copied();
            if skip {
                skip = false;
            } else if *byte == b'\\' {
                skip = next.is_some_and(|next| self.escapes(quote, next));
            } else if *byte == quote && doubled && next == Some(quote) || *byte == b'`' && with_backticks {
                skip = true;
            } else if *byte == quote {
                return self.at + index;
            }
            index += 1;
        }
        self.at + memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len())
    }

    /// `"""…"""`
    fn tripled(&mut self, quote: u8) {
        self.at += 3;
        let end = memchr::memmem::find(self.rest(), &[quote; 3]).unwrap_or(self.rest().len());
        for byte in self.rest().iter().take(end.min(LONGEST)) {
            self.push(*byte, 1);
        }
        self.at += 3.min(self.rest().len());
    }

    /// `$'…'`
    pub(super) fn ansi_c(&mut self) {
        self.at += 2;
        while self.value.len() < LONGEST {
            match self.rest() {
                [b'\'', ..] => {
                    self.at += 1;
                    return;
                }
                [b'\\', b'x', a, b, ..] => self.push(hex(*a) * 16 + hex(*b), 4),
                [b'\\', byte, ..] => self.escape(*byte),
                [b'\r' | b'\n', ..] | [] => return,
                [byte, ..] => self.push(*byte, 1),
            }
        }
    }
}

pub(super) fn hex(digit: u8) -> u8 {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok()).unwrap_or(0)
}
