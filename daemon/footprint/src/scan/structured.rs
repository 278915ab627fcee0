//! A whole file that is read as what it is: JSON, assignments, netrc.

use std::{ops::Range, path::PathBuf};

use super::{
    assignment::{Assignment, assignments},
    expand::home_path,
    format, json,
    named::{self, Named},
    netrc,
    placeholder::is_placeholder,
    recorder::{Seen, Written, kind_of, seen},
    variables, wide,
    word::Dialect,
};
use crate::{
    catalog::{Means, Reader, Rule, rule},
    edit::plist,
    encoding::{Encoding, offsets},
    finding::{FingerprintKey, Kind, Structure},
};

/// What a file told.
#[derive(Default)]
pub(super) struct Told {
    pub(super) seen: Vec<Seen>,
    /// Configuration directories that it names.
    pub(super) directories: Vec<PathBuf>,
    /// Files that it names.
    pub(super) named: Vec<Named>,
    /// The byte from which on it is not the JSON that it should be: what is there is only known by its form.
    pub(super) broken: Option<usize>,
}

/// Reads one file.
pub(super) struct File<'a> {
    pub(super) text: &'a [u8],
    pub(super) key: &'a FingerprintKey,
    /// What `~` means.
    pub(super) home: &'a std::path::Path,
    /// Told of every credential that has no form of its own.
    pub(super) needle: &'a mut dyn FnMut(&[u8], Kind),
}

impl File<'_> {
    /// Everything that this reader sees, and what is a credential by its form wherever else it stands.
    pub(super) fn read(&mut self, reader: Reader) -> Told {
        let Some(encoding) = Encoding::of(self.text) else { return self.read_plain(reader) };
        let read = encoding.read(self.text);
        let mut told =
            File { text: &read, key: self.key, home: self.home, needle: self.needle }.read_plain(reader);
        for seen in &mut told.seen {
            for found in &mut seen.occurrences {
                let offset = |at: u64| usize::try_from(at).unwrap_or(0);
                let read = offset(found.bytes.start)..offset(found.bytes.end);
                let bytes = encoding.written_trimmed(&read, self.text);
                found.raw = self.key.of(self.text.get(bytes.clone()).unwrap_or_default());
                found.bytes = offsets(&bytes);
            }
            seen.structure = encoding.structure(seen.structure.clone());
        }
        told.broken = told.broken.map(|at| encoding.written(&(at..at)).start);
        told
    }

    fn read_plain(&mut self, reader: Reader) -> Told {
        let mut told = Told::default();
        match reader {
            Reader::Json(rules) => {
                let starts = self.text.iter().find(|byte| !byte.is_ascii_whitespace());
                match starts {
                    Some(b'{' | b'[' | b'"' | b'/') if !is_section(self.text) => self.json(rules, &mut told),
                    // Directories of switchers hold other files, too.
                    _ => self.assignments(Dialect::Toml, &mut told),
                }
            }
            Reader::Assignments(dialect) => self.assignments(dialect, &mut told),
            Reader::Netrc => self.netrc(&mut told),
            Reader::Credential if self.text.trim_ascii_start().starts_with(b"{") => {
                self.json(&[rule("**", Means::NamedLikeOne(Kind::ServiceToken))], &mut told);
            }
            Reader::Credential => {
                if let Some((bytes, kind, structure)) = named::bare(self.text) {
                    let value = self.text.get(bytes.clone()).unwrap_or_default();
                    self.add(&mut told, kind_of(value, kind), value, bytes, structure);
                }
            }
            Reader::PropertyList => {
                self.property_list(&mut told);
                if plist::is_binary(self.text) {
                    // What stands around a string there is no text.
                    return told;
                }
            }
            Reader::Text => {}
        }
        self.tokens(&mut told);
        told
    }

    fn add(&mut self, told: &mut Told, kind: Kind, value: &[u8], bytes: Range<usize>, structure: Structure) {
        (self.needle)(value, kind);
        told.seen.push(seen(self.key, kind, value, Written { base: 0, text: self.text, bytes, structure }));
    }

    fn json(&mut self, rules: &[Rule], told: &mut Told) {
        let text = self.text;
        let outcome = json::strings(text, |string| {
            let written = text.get(string.bytes.clone()).unwrap_or_default();
            if written.is_empty() || string.path.iter().any(|name| name.contains("sk-ant-")) {
                return;
            }
            let decoded = json::decode(written);
            let structure = || Structure::Json { pointer: string.pointer() };
            let name = string.path.last().map(String::as_str).unwrap_or_default();
            let of_it = rules.iter().filter(|rule| leads(rule.path, string.path));
            let kind = of_it.into_iter().find_map(|rule| meaning(rule.means, name, &decoded.bytes));
            let written = |meant: Range<usize>| {
                let written = decoded.written(meant);
                string.bytes.start + written.start..string.bytes.start + written.end
            };
            if kind == Some(Kind::Pointer) {
                told.named.extend(Named::by(name, &decoded.bytes, self.home));
            }
            if let Some(kind) = kind {
                let whole = kind == Kind::Command || kind == Kind::Pointer;
                let part = if whole { 0..decoded.bytes.len() } else { variables::part(name, &decoded.bytes) };
                let value = decoded.bytes.get(part.clone()).unwrap_or_default();
                self.add(told, kind, value, written(part), structure());
            }
            if kind.is_none_or(|kind| kind == Kind::Command) {
                for token in format::tokens(&decoded.bytes) {
                    let value = decoded.bytes.get(token.bytes.clone()).unwrap_or_default();
                    self.add(told, token.kind, value, written(token.bytes), structure());
                }
            }
        });
        // What follows is still searched by form.
        told.broken = outcome.err().map(|json::Broken(at)| at);
    }

    fn assignments(&mut self, dialect: Dialect, told: &mut Told) {
        let text = self.text;
        let mut lines = Lines { text, at: 0, line: 1 };
        for found in assignments(text, dialect, variables::is_known) {
            let line =
                lines.of(found.statement.as_ref().map_or(found.name.start, |statement| statement.start));
            let name = String::from_utf8_lossy(text.get(found.name.clone()).unwrap_or_default()).into_owned();
            if variables::DIRECTORIES.contains(&name.as_str()) {
                let value = text.get(found.word.whole.clone()).unwrap_or_default();
                told.directories.extend(home_path(value, self.home));
            } else {
                self.assignment(found, &name, line, told);
            }
        }
    }

    fn assignment(&mut self, found: Assignment, variable: &str, line: u64, told: &mut Told) {
        let word = found.word;
        let written = self.text.get(word.whole.clone()).unwrap_or_default();
        told.named.extend(if word.dynamic {
            home_path(written, self.home).and_then(|path| Named::at(variable, Some(path)))
        } else {
            Named::by(variable, &word.value, self.home)
        });
        let Some(kind) = variables::credential(variable, &word.value).filter(|_| !word.dynamic) else {
            return;
        };
        let structure = Structure::Assignment {
            line,
            variable: variable.to_owned(),
            statement: found.statement.as_ref().map(offsets),
            value: offsets(&word.whole),
        };
        // Where more is around a credential, only its own characters are its.
        let part = variables::part(variable, &word.value);
        let is_plain = word.inner.len() == word.value.len() && part != (0..word.value.len());
        let (value, bytes) = if is_plain && kind != Kind::Pointer {
            let bytes = word.inner.start + part.start..word.inner.start + part.end;
            (word.value.get(part).unwrap_or_default(), bytes)
        } else {
            (word.value.as_slice(), word.inner)
        };
        self.add(told, kind, value, bytes, structure);
    }

    /// The variables of a job; of a binary list, what is a credential by its form.
    fn property_list(&mut self, told: &mut Told) {
        let text = self.text;
        let mut lines = Lines { text, at: 0, line: 1 };
        for plist::Variable { name, value, entry } in plist::variables(text) {
            let name = String::from_utf8_lossy(text.get(name).unwrap_or_default()).into_owned();
            let written = text.get(value.clone()).unwrap_or_default();
            if variables::DIRECTORIES.contains(&name.as_str()) {
                told.directories.extend(home_path(written, self.home));
                continue;
            }
            told.named.extend(Named::by(&name, written, self.home));
            let Some(kind) = variables::credential(&name, written) else { continue };
            let part = variables::part(&name, written);
            let bytes = value.start + part.start..value.start + part.end;
            let structure = Structure::Assignment {
                line: lines.of(entry.start),
                variable: name,
                statement: None,
                value: offsets(&value),
            };
            self.add(told, kind, written.get(part).unwrap_or_default(), bytes, structure);
        }
        for string in plist::strings(text).into_iter().filter(|_| plist::is_binary(text)) {
            for token in format::tokens(text.get(string.clone()).unwrap_or_default()) {
                let bytes = string.start + token.bytes.start..string.start + token.bytes.end;
                let value = text.get(bytes.clone()).unwrap_or_default();
                self.add(told, token.kind, value, bytes, Structure::Text { line: 1 });
            }
        }
    }

    fn netrc(&mut self, told: &mut Told) {
        let text = self.text;
        let is_ours = |host: &[u8]| {
            [b"anthropic.com".as_slice(), b"claude.ai", b"claude.com"].iter().any(|end| host.ends_with(end))
        };
        for bytes in netrc::passwords(text, is_ours) {
            let value = text.get(bytes.clone()).unwrap_or_default();
            if !is_placeholder(value) {
                let structure = Structure::Text { line: Lines { text, at: 0, line: 1 }.of(bytes.start) };
                self.add(told, kind_of(value, Kind::GatewayToken), value, bytes, structure);
            }
        }
    }

    /// What is a credential by its form, and was not seen yet. One that stands there twice is one.
    fn tokens(&mut self, told: &mut Told) {
        let text = self.text;
        let offset = |at: usize| u64::try_from(at).unwrap_or(u64::MAX);
        let mut lines = Lines { text, at: 0, line: 1 };
        let mut running: Vec<Seen> = Vec::new();
        for token in format::tokens(text) {
            let start = offset(token.bytes.start);
            let is_seen =
                told.seen.iter().flat_map(|seen| &seen.occurrences).any(|found| found.bytes.contains(&start));
            if is_seen {
                continue;
            }
            let structure = Structure::Text { line: lines.of(token.bytes.start) };
            let value = text.get(token.bytes.clone()).unwrap_or_default();
            let one = seen(
                self.key,
                token.kind,
                value,
                Written { base: 0, text, bytes: token.bytes.clone(), structure },
            );
            merge(&mut running, one);
        }
        // Where there is no mark.
        for found in wide::tokens(text) {
            let structure = Structure::Text { line: lines.of(found.bytes.start) };
            let written = Written { base: 0, text, bytes: found.bytes, structure };
            merge(&mut running, seen(self.key, found.kind, &found.value, written));
        }
        told.seen.append(&mut running);
    }
}

/// Adds what was seen; the same credential in running text is one finding with several occurrences.
pub(super) fn merge(all: &mut Vec<Seen>, one: Seen) {
    let same = all.iter_mut().find(|known| known.fingerprint == one.fingerprint);
    match same {
        Some(known) => known.occurrences.extend(one.occurrences),
        None => all.push(one),
    }
}

/// What a rule says of a string; `None` if it is no credential after all.
fn meaning(means: Means, name: &str, value: &[u8]) -> Option<Kind> {
    match means {
        Means::Variable => {
            variables::credential(name, value).filter(|_| crate::catalog::environment::kind(name).is_some())
        }
        Means::Is(Kind::Command) => (!value.trim_ascii().is_empty()).then_some(Kind::Command),
        Means::Is(Kind::KeyTail) => (value.len() >= 16).then_some(Kind::KeyTail),
        Means::Is(kind) => (!is_placeholder(value)).then(|| kind_of(value, kind)),
        Means::NamedLikeOne(kind) => {
            (variables::is_named_like_one(name) && !is_placeholder(value)).then(|| kind_of(value, kind))
        }
    }
}

/// Whether a text begins like INI or TOML, with the name of a section, or is a path alone.
fn is_section(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    match line {
        [b'[', name @ .., b']'] => {
            name.first().is_some_and(u8::is_ascii_alphabetic)
                && !name.contains(&b',')
                && !name.contains(&b'"')
        }
        [b'/', b'/' | b'*', ..] => false,
        [b'/', ..] => true,
        _ => false,
    }
}

/// Whether a rule's path leads to these names.
fn leads(rule: &str, names: &[String]) -> bool {
    let parts: Vec<&str> = rule.split('/').collect();
    matches_from(&parts, names)
}

fn matches_from(parts: &[&str], names: &[String]) -> bool {
    match (parts.split_first(), names.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => {
            (0..=names.len()).any(|skip| matches_from(rest, names.get(skip..).unwrap_or_default()))
        }
        (Some((part, rest)), Some((name, others))) => {
            (*part == "*" || part == name) && matches_from(rest, others)
        }
        _ => false,
    }
}

/// Numbers of lines, counted forwards once.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    fn of(&mut self, offset: usize) -> u64 {
        if offset < self.at {
            (self.at, self.line) = (0, 1);
        }
        let between = self.text.get(self.at..offset).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', between).map(|_| 1).sum::<u64>();
        self.at = offset;
        self.line
    }
}

#[cfg(test)]
mod tests;
