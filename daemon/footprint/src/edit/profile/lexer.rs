//! Where the statements of a shell are. Reads as much of each language as it takes to know where a
//! statement begins and ends: quotes, comments, continuation lines, here-documents, blocks. What it cannot
//! know is a refusal, never a guess.

mod skip;

use std::ops::Range;

use super::{Dialect, line_of};
use crate::edit::Refusal;

/// What stands before or after a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Border {
    /// The beginning or the end of a line, or of the text.
    Line,
    /// A semicolon, here.
    Semicolon(usize),
    /// Something that needs a statement on this side.
    Other,
}

/// One command with its words.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) words: Vec<Range<usize>>,
    pub(super) before: Border,
    pub(super) after: Border,
    /// Whether it is in no block, so that nothing has to stand in its place.
    pub(super) at_top: bool,
}

pub(super) struct Lexer<'a> {
    text: &'a [u8],
    dialect: Dialect,
    at: usize,
    /// What opened the blocks that are open.
    blocks: Vec<&'static str>,
    /// The delimiters of here-documents that begin with the next line, and whether tabs before them count.
    documents: Vec<(Vec<u8>, bool)>,
    words: Vec<Range<usize>>,
    before: Border,
    /// Whether an operator was read that the next command belongs to, on whatever line that is.
    awaits: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a [u8], dialect: Dialect) -> Self {
        let at = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Self {
            text,
            dialect,
            at,
            blocks: Vec::new(),
            documents: Vec::new(),
            words: Vec::new(),
            before: Border::Line,
            awaits: false,
        }
    }

    /// The statement with a word in which these bytes are.
    pub(super) fn statement_at(mut self, span: &Range<usize>) -> Result<Statement, Refusal> {
        loop {
            let after = self.read_to_border(span)?;
            let holds = |word: &Range<usize>| word.start <= span.start && span.end <= word.end;
            if self.words.iter().any(holds) {
                self.enter_blocks();
                let at_top = self.blocks.is_empty() || self.dialect != Dialect::Shell;
                return Ok(Statement { words: self.words, before: self.before, after, at_top });
            }
            if self.at > span.start && self.words.last().is_some_and(|word| word.end > span.start) {
                return Err(Refusal::NotAnAssignment);
            }
            self.awaits &= self.words.is_empty();
            self.enter_blocks();
            if self.peek().is_none() {
                return Err(Refusal::NotAnAssignment);
            }
            self.words.clear();
            self.before = if self.awaits { Border::Other } else { after };
            self.read_border(span)?;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Reads words up to what ends the statement, which is not read.
    fn read_to_border(&mut self, span: &Range<usize>) -> Result<Border, Refusal> {
        loop {
            let rest = self.rest();
            let continued = if self.dialect == Dialect::PowerShell { b'`' } else { b'\\' };
            match rest {
                [] | [b'\n', ..] | [b'\r', b'\n', ..] => return Ok(Border::Line),
                [b' ' | b'\t' | b'\r', ..] => self.at += 1,
                [mark, b'\n', ..] if *mark == continued => self.at += 2,
                [mark, b'\r', b'\n', ..] if *mark == continued => self.at += 3,
                [b'#', ..] => self.comment(span)?,
                [b'<', b'#', ..] if self.dialect == Dialect::PowerShell => self.block_comment(span)?,
                [b';', b';', ..] => return Ok(Border::Other),
                [b';', ..] => return Ok(Border::Semicolon(self.at)),
                [b'<', b'<', ..] if self.dialect == Dialect::Shell && !rest.starts_with(b"<<<") => {
                    self.here_document()?;
                }
                [byte, ..] if self.ends_statement(*byte) => return Ok(Border::Other),
                _ => self.word()?,
            }
        }
    }

    fn ends_statement(&self, byte: u8) -> bool {
        match byte {
            b'&' | b'|' => true,
            b'(' | b')' => matches!(self.dialect, Dialect::Shell | Dialect::Fish),
            b'{' | b'}' => matches!(self.dialect, Dialect::Nushell | Dialect::PowerShell),
            _ => false,
        }
    }

    /// Reads what ended the statement.
    fn read_border(&mut self, span: &Range<usize>) -> Result<(), Refusal> {
        match self.peek() {
            Some(b'\r') => {
                self.at += 2;
                self.here_document_bodies(span)?;
            }
            Some(b'\n') => {
                self.at += 1;
                self.here_document_bodies(span)?;
            }
            Some(b'(') => {
                self.at += 1;
                self.blocks.push(")");
            }
            Some(byte) => {
                let before = self.at.checked_sub(1).and_then(|before| self.text.get(before));
                // `|`, `||`, `|&`, `&&`; a lone `&` ends a command.
                self.awaits = byte == b'|' || byte == b'&' && matches!(before, Some(b'&' | b'|'));
                self.at += 1;
                if byte == b')' && self.blocks.last() == Some(&")") {
                    self.blocks.pop();
                }
            }
            None => {}
        }
        Ok(())
    }

    fn comment(&mut self, span: &Range<usize>) -> Result<(), Refusal> {
        let rest = self.rest();
        self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        if span.start < self.at && self.words.iter().all(|word| word.end <= span.start) {
            return Err(Refusal::Comment);
        }
        Ok(())
    }

    fn block_comment(&mut self, span: &Range<usize>) -> Result<(), Refusal> {
        let line = line_of(self.text, self.at);
        let length = memchr::memmem::find(self.rest(), b"#>").ok_or(Refusal::Unclosed(line))?;
        let start = self.at;
        self.at += length + 2;
        if start < span.end && span.start < self.at { Err(Refusal::Comment) } else { Ok(()) }
    }

    /// Takes the words that open and close blocks from the beginning of a statement.
    fn enter_blocks(&mut self) {
        if self.dialect != Dialect::Shell {
            return;
        }
        while let Some(word) = self.words.first().and_then(|word| self.text.get(word.clone())) {
            let closed_by = match word {
                b"if" => Some("fi"),
                b"while" | b"until" | b"for" | b"select" => Some("done"),
                b"case" => Some("esac"),
                b"{" => Some("}"),
                b"then" | b"else" | b"elif" | b"do" | b"!" | b"time" => None,
                b"fi" | b"done" | b"esac" | b"}" => {
                    if self.blocks.last().map(|end| end.as_bytes()) == Some(word) {
                        self.blocks.pop();
                    }
                    None
                }
                _ => return self.enter_body(),
            };
            self.blocks.extend(closed_by);
            self.words.remove(0);
            self.before = Border::Other;
        }
    }

    /// Enters a body in braces that stands behind other words: `function f {`, `coproc {`, zsh's `repeat 3 {`.
    fn enter_body(&mut self) {
        let is_word = |word: &Range<usize>, wanted: &[u8]| self.text.get(word.clone()) == Some(wanted);
        let opens = |wanted: &[u8]| self.words.first().is_some_and(|word| is_word(word, wanted));
        let brace = self.words.iter().position(|word| is_word(word, b"{"));
        let Some(brace) = brace.filter(|brace| {
            *brace + 1 == self.words.len() || opens(b"function") || opens(b"coproc") || opens(b"repeat")
        }) else {
            return;
        };
        self.words.drain(..=brace);
        self.blocks.push("}");
        self.before = Border::Other;
        self.enter_blocks();
    }
}
