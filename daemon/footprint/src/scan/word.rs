//! One word as shells and configuration files write it: what it means, and where it is.

mod quoted;

use std::ops::Range;

use zeroize::Zeroizing;

/// Longer values are no credentials.
const LONGEST: usize = 4096;

/// How a file writes values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// sh, bash, zsh, direnv, and what looks like them (csh, Dockerfiles, make).
    Posix,
    /// fish
    Fish,
    /// The file in which fish keeps universal variables.
    FishUniversal,
    /// nushell
    Nu,
    /// `PowerShell`
    PowerShell,
    /// `.env` files, environment.d.
    Dotenv,
    /// systemd's units and Podman's quadlets: words in quotes or between blanks.
    Unit,
    /// YAML
    Yaml,
    /// TOML, INI, and anything with `name = value`.
    Toml,
}

/// A value as it is written.
#[derive(Debug, PartialEq, Eq)]
pub struct Word {
    /// What it means, as far as that stands there.
    pub value: Zeroizing<Vec<u8>>,
    /// Its bytes, quotes included.
    pub whole: Range<usize>,
    /// The bytes of the value alone, if they stand there in one run as they are meant; else as `whole`.
    pub inner: Range<usize>,
    /// Whether part of it comes from elsewhere: a variable, a command.
    pub dynamic: bool,
}

/// The word that starts here. `closing` is a quote that was opened before and ends it.
pub fn word(text: &[u8], start: usize, dialect: Dialect, closing: Option<u8>) -> Word {
    let mut cursor = Cursor::new(text, start, dialect, closing);
    cursor.read();
    cursor.finish(start)
}

struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
    dialect: Dialect,
    closing: Option<u8>,
    value: Zeroizing<Vec<u8>>,
    /// The run of bytes that are meant as they stand.
    run: Option<Range<usize>>,
    broken_run: bool,
    dynamic: bool,
}

impl<'a> Cursor<'a> {
    fn new(text: &'a [u8], at: usize, dialect: Dialect, closing: Option<u8>) -> Self {
        // Room from the start: a vector that grows leaves copies behind.
        let value = Zeroizing::new(Vec::with_capacity(LONGEST + 4));
        Self { text, at, dialect, closing, value, run: None, broken_run: false, dynamic: false }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn read(&mut self) {
        let spaced =
            matches!(self.dialect, Dialect::Dotenv | Dialect::Yaml | Dialect::Toml) && self.closing.is_none();
        if matches!(self.dialect, Dialect::Yaml)
            && matches!(self.rest(), [b'|' | b'>' | b'&' | b'*' | b'!', ..])
        {
            return self.yaml_block();
        }
        while self.value.len() < LONGEST {
            let before = self.at;
            match self.rest() {
                [] | [b'\r' | b'\n', ..] => break,
                [byte, ..] if Some(*byte) == self.closing => break,
                [b' ' | b'\t', rest @ ..]
                    if !spaced || self.is_quoted_whole() || matches!(rest, [b'#', ..]) =>
                {
                    break;
                }
                [b',' | b'}' | b']', ..] if self.dialect == Dialect::Yaml => break,
                _ => self.piece(),
            }
            if self.at == before {
                break;
            }
        }
        if spaced {
            self.trim();
        }
    }

    /// After a quoted value of a configuration file nothing belongs to it.
    fn is_quoted_whole(&self) -> bool {
        self.at
            .checked_sub(1)
            .and_then(|last| self.text.get(last))
            .is_some_and(|last| matches!(last, b'"' | b'\'' | b'`'))
    }

    /// The next character, quoted run or expansion.
    fn piece(&mut self) {
        let shell =
            matches!(self.dialect, Dialect::Posix | Dialect::Fish | Dialect::Nu | Dialect::PowerShell);
        match self.rest() {
            [quote @ (b'"' | b'\''), ..] if self.dialect != Dialect::FishUniversal => self.quoted(*quote),
            [b'`', ..] if matches!(self.dialect, Dialect::Nu | Dialect::Dotenv) => self.quoted(b'`'),
            [b'`', ..] if self.dialect == Dialect::Posix => self.skip_dynamic(),
            [b'`', byte, ..] if self.dialect == Dialect::PowerShell => self.push(*byte, 2),
            [b'$', b'\'', ..] if self.dialect == Dialect::Posix => self.ansi_c(),
            [b'$', b'"', ..] if self.dialect == Dialect::Posix => self.at += 1,
            [b'$', ..] if !matches!(self.dialect, Dialect::FishUniversal | Dialect::Unit) => self.expansion(),
            [b'(', ..] if shell => self.skip_dynamic(),
            [byte, ..] if self.ends_word(*byte) => {}
            [b'\\', b'\r', b'\n', ..] if shell => self.at += 3,
            [b'\\', b'\n', ..] if shell => self.at += 2,
            [b'\\', b'x', a, b, ..] if self.dialect == Dialect::FishUniversal => {
                self.push(quoted::hex(*a) * 16 + quoted::hex(*b), 4);
            }
            [b'\\', byte, ..] if matches!(self.dialect, Dialect::Posix | Dialect::Fish) => {
                self.push(*byte, 2);
            }
            [byte, ..] => self.push(*byte, 1),
            [] => {}
        }
    }

    /// Whether this ends a word that stands without quotes.
    fn ends_word(&self, byte: u8) -> bool {
        match self.dialect {
            Dialect::Posix | Dialect::Fish => matches!(byte, b';' | b'&' | b'|' | b'<' | b'>' | b')'),
            Dialect::Nu | Dialect::PowerShell => {
                matches!(byte, b';' | b'&' | b'|' | b'<' | b'>' | b')' | b'}' | b']' | b',')
            }
            Dialect::FishUniversal | Dialect::Dotenv | Dialect::Unit | Dialect::Yaml | Dialect::Toml => false,
        }
    }

    /// Takes one byte of the value, which is written with so many.
    fn push(&mut self, byte: u8, written: usize) {
        self.value.push(byte);
        let next = self.at + written;
        match &mut self.run {
            Some(run) if run.end == self.at && written == 1 => run.end = next,
            Some(_) => self.broken_run = true,
            None => {
                self.run = Some(self.at..next);
                self.broken_run = written != 1;
            }
        }
        self.at = next;
    }

    /// `$name`, `${name}`, `$(command)`; a lone `$` means itself.
    fn expansion(&mut self) {
        match self.rest() {
            [b'$', b'{' | b'(', ..] => {
                self.at += 1;
                self.skip_dynamic();
            }
            [b'$', byte, ..] if byte.is_ascii_alphabetic() || *byte == b'_' => {
                self.dynamic = true;
                let name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'.');
                self.at += 1 + self.rest().iter().skip(1).take_while(|byte| name(byte)).count();
            }
            _ => self.push(b'$', 1),
        }
    }

    /// Steps over `(…)`, `{…}` or `` `…` ``, as far as the end of the line.
    fn skip_dynamic(&mut self) {
        self.dynamic = true;
        let close = match self.rest().first() {
            Some(b'(') => b')',
            Some(b'{') => b'}',
            _ => b'`',
        };
        let open = self.rest().first().copied();
        let mut depth = 0_usize;
        for (index, byte) in self.rest().iter().enumerate() {
            if *byte == b'\n' {
                break;
            }
            if *byte == close && (depth == 1 || close == b'`' && index > 0) {
                self.at += index + 1;
                return;
            }
            depth = if Some(*byte) == open {
                depth + 1
            } else if *byte == close {
                depth.saturating_sub(1)
            } else {
                depth
            };
        }
        self.at += self.rest().iter().take_while(|byte| **byte != b'\n').count();
    }

    /// `key: |` and the line after it; an anchor, an alias or a tag leads elsewhere.
    fn yaml_block(&mut self) {
        let rest = self.rest();
        if !matches!(rest, [b'|' | b'>', ..]) {
            self.dynamic = true;
            return;
        }
        let Some(end) = memchr::memchr(b'\n', rest) else { return };
        let blanks = rest.iter().skip(end + 1).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        self.at += end + 1 + blanks;
        while let [byte, ..] = self.rest() {
            if matches!(byte, b'\r' | b'\n') || self.value.len() >= LONGEST {
                break;
            }
            self.push(*byte, 1);
        }
        self.trim();
    }

    fn trim(&mut self) {
        while self.value.last().is_some_and(u8::is_ascii_whitespace) && !self.is_quoted_whole() {
            self.value.pop();
            self.at -= 1;
            if let Some(run) = &mut self.run {
                run.end = run.end.saturating_sub(1).max(run.start);
            }
        }
    }

    fn finish(self, start: usize) -> Word {
        let whole = start..self.at.min(self.text.len()).max(start);
        let inner = match self.run {
            Some(run) if !self.broken_run && run.len() == self.value.len() => run,
            _ => whole.clone(),
        };
        Word { value: self.value, whole, inner, dynamic: self.dynamic }
    }
}

#[cfg(test)]
mod tests;
