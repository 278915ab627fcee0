//! Over words, with what is quoted or substituted in them, and over here-documents.

use std::ops::Range;

use super::{Lexer, line_of};
use crate::edit::{Refusal, profile::Dialect};

/// So deep may substitutions be in one another.
const DEPTH: usize = 64;

impl Lexer<'_> {
    /// Reads one word.
    pub(super) fn word(&mut self) -> Result<(), Refusal> {
        let start = self.at;
        while let Some(byte) = self.peek() {
            let is_end = matches!(byte, b' ' | b'\t' | b'\n' | b';') || self.ends_statement(byte);
            let is_end = is_end || self.rest().starts_with(b"\r\n") || self.rest() == b"\r";
            // `2>&1` and `&>file` are words, not the end of a command.
            let is_redirection = byte == b'&' && self.at > start && self.text.get(self.at - 1) == Some(&b'>');
            // `name=(a b)` is a word, too: what is in it is a list, not commands.
            let is_list = byte == b'(' && self.at > start && self.text.get(self.at - 1) == Some(&b'=');
            if is_end && !is_redirection && !is_list {
                break;
            }
            self.piece(0)?;
        }
        // Whatever it is, the reading goes on.
        self.at = self.at.max(start + 1).min(self.text.len());
        self.words.push(start..self.at);
        Ok(())
    }

    /// Reads a quoted piece, a substitution or one character.
    fn piece(&mut self, depth: usize) -> Result<(), Refusal> {
        if depth > DEPTH {
            return Err(Refusal::TooDeep);
        }
        let is_shell = self.dialect == Dialect::Shell;
        match self.rest() {
            [b'@', quote @ (b'"' | b'\''), b'\n' | b'\r', ..] if self.dialect == Dialect::PowerShell => {
                self.here_string(*quote)
            }
            [b'$', b'\'', ..] if is_shell => {
                self.at += 1;
                self.quoted(b'\'', Some(b'\\'), depth)
            }
            [b'$', b'(', ..] => {
                self.at += 1;
                self.nested(b')', depth)
            }
            [b'$', b'{', ..] if is_shell => {
                self.at += 1;
                self.nested(b'}', depth)
            }
            [b'(', ..] => self.nested(b')', depth),
            [b'[', ..] if self.dialect == Dialect::Nushell => self.nested(b']', depth),
            [b'\'', ..] => self.quoted(b'\'', (self.dialect == Dialect::Fish).then_some(b'\\'), depth),
            [b'"', ..] if self.dialect == Dialect::PowerShell => self.quoted(b'"', Some(b'`'), depth),
            [b'"', ..] => self.quoted(b'"', Some(b'\\'), depth),
            [b'`', ..] if is_shell => self.quoted(b'`', Some(b'\\'), depth),
            [b'`', ..] if self.dialect == Dialect::Nushell => self.quoted(b'`', None, depth),
            [b'`', ..] if self.dialect == Dialect::PowerShell => self.step(2),
            [b'\\', ..] if self.dialect != Dialect::PowerShell => self.step(2),
            _ => self.step(1),
        }
    }

    #[allow(clippy::unnecessary_wraps, reason = "one way of every piece")]
    fn step(&mut self, count: usize) -> Result<(), Refusal> {
        self.at = self.text.len().min(self.at + count);
        Ok(())
    }

    fn quoted(&mut self, quote: u8, escape: Option<u8>, depth: usize) -> Result<(), Refusal> {
        let opened = self.at;
        self.at += 1;
        loop {
            match self.rest() {
                [] => return Err(Refusal::Unclosed(line_of(self.text, opened))),
                [byte, ..] if Some(*byte) == escape => self.at += 2,
                [byte, ..] if *byte == quote => break,
                [b'$', b'(', ..] if quote == b'"' => {
                    self.at += 1;
                    self.nested(b')', depth + 1)?;
                }
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Ok(())
    }

    /// From an opening bracket to its closing one.
    fn nested(&mut self, end: u8, depth: usize) -> Result<(), Refusal> {
        let opened = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                None => return Err(Refusal::Unclosed(line_of(self.text, opened))),
                Some(byte) if byte == end => break,
                Some(b'#') if end == b')' && self.is_after_blank() => {
                    let rest = self.rest();
                    self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                }
                Some(_) => self.piece(depth + 1)?,
            }
        }
        self.at += 1;
        Ok(())
    }

    fn is_after_blank(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|before| self.text.get(before));
        before.is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'('))
    }

    fn here_string(&mut self, quote: u8) -> Result<(), Refusal> {
        let opened = self.at;
        let end = memchr::memmem::find(self.rest(), &[b'\n', quote, b'@']);
        self.at += end.ok_or(Refusal::Unclosed(line_of(self.text, opened)))? + 3;
        Ok(())
    }

    /// Reads `<<` and the word after it.
    pub(super) fn here_document(&mut self) -> Result<(), Refusal> {
        self.at += 2;
        let tabs = self.peek() == Some(b'-');
        self.at = super::super::blanks_after(self.text, self.at + usize::from(tabs));
        self.word()?;
        let word = self.words.pop().and_then(|word| self.text.get(word)).unwrap_or_default();
        let delimiter = word.iter().copied().filter(|byte| !matches!(byte, b'"' | b'\'' | b'\\')).collect();
        self.documents.push((delimiter, tabs));
        Ok(())
    }

    /// Reads over the here-documents that begin here.
    pub(super) fn here_document_bodies(&mut self, span: &Range<usize>) -> Result<(), Refusal> {
        let start = self.at;
        for (delimiter, tabs) in std::mem::take(&mut self.documents) {
            loop {
                let rest = self.rest();
                if rest.is_empty() {
                    break;
                }
                let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
                let mut line = rest.get(..length).unwrap_or_default().trim_ascii_end();
                while tabs && line.first() == Some(&b'\t') {
                    line = line.get(1..).unwrap_or_default();
                }
                self.at += length;
                if line == delimiter {
                    break;
                }
            }
        }
        let is_inside = start < span.end && span.start < self.at;
        if is_inside { Err(Refusal::HereDocument) } else { Ok(()) }
    }
}
