//! Keys that no other program knows, and the search for them in everything that a flow wrote.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use aho_corasick::AhoCorasick;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::rand::{SecureRandom, SystemRandom};

/// What every test key starts with.
pub const PREFIX: &str = "sk-ant-api03-TEST";
/// What every test token starts with.
pub const TOKEN_PREFIX: &str = "sk-ant-oat01-TEST";
/// The shortest part of a key that counts as a copy.
pub const PIECE: usize = 16;

/// A random key, in the form of an API key.
pub fn key() -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut random = [0; 91];
    SystemRandom::new().fill(&mut random).expect("the kernel gives random bytes");
    let letters = random.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 64)]));
    PREFIX.chars().chain(letters).collect()
}

/// The token that the stand-in for the genuine client makes of a code. Neither holds a piece of the other.
pub fn token_of(code: &str) -> String {
    let rotated = code.bytes().map(|byte| match byte {
        b'a'..=b'y' | b'A'..=b'Y' | b'0'..=b'8' => char::from(byte + 1),
        b'z' => 'a',
        b'Z' => 'A',
        _ => '0',
    });
    TOKEN_PREFIX.chars().chain(rotated).collect()
}

/// How a copy is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// As it is.
    Plain,
    /// As part of base64.
    Base64,
}

/// One copy of (a piece of) a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// Offset of its first byte in what was searched.
    pub offset: usize,
    /// Its length in bytes.
    pub length: usize,
    /// How it is written.
    pub form: Form,
}

/// Finds keys, whole, in pieces of 16 bytes or more, and in base64.
#[derive(Debug)]
pub struct Search {
    automaton: AhoCorasick,
    forms: Vec<Form>,
}

impl Search {
    /// Looks for these keys.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a str>) -> Self {
        // Two keys share their prefix; a map keeps each pattern once.
        let mut patterns = BTreeMap::new();
        for key in keys {
            // The prefix is no secret: every piece holds 16 bytes of the random part.
            let random = key.split_once("-TEST").map_or(key, |(_, random)| random).as_bytes();
            patterns.extend(random.windows(PIECE).map(|piece| (piece.to_vec(), Form::Plain)));
            for shift in 0..3 {
                let shifted = STANDARD.encode([&vec![0; shift], random].concat());
                // The first and the last group mix with what is around the key.
                let inner = &shifted.as_bytes()[4..shifted.len() - 4];
                patterns.extend(inner.windows(24).step_by(4).map(|piece| (piece.to_vec(), Form::Base64)));
            }
        }
        let (patterns, forms): (Vec<_>, Vec<_>) = patterns.into_iter().unzip();
        Self { automaton: AhoCorasick::new(patterns).expect("patterns are few"), forms }
    }

    /// Every copy in `bytes`; pieces that touch each other are one copy.
    pub fn copies(&self, bytes: &[u8]) -> Vec<Copy> {
        let mut copies: Vec<Copy> = Vec::new();
        for found in self.automaton.find_overlapping_iter(bytes) {
            let form = self.forms[found.pattern().as_usize()];
            match copies.last_mut() {
                Some(last) if last.form == form && found.start() <= last.offset + last.length => {
                    last.length = found.end() - last.offset;
                }
                _ => copies.push(Copy { offset: found.start(), length: found.len(), form }),
            }
        }
        copies
    }

    /// Every file below `directory` (sockets and pipes left out) that holds a copy, and every name that does.
    pub fn files(&self, directory: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let Ok(entries) = fs::read_dir(directory) else { return found };
        for entry in entries.flatten() {
            let path = entry.path();
            let kind = entry.file_type().expect("the kind of a file");
            let holds = if kind.is_symlink() {
                fs::read_link(&path)
                    .is_ok_and(|target| !self.copies(target.as_os_str().as_encoded_bytes()).is_empty())
            } else {
                kind.is_file() && fs::read(&path).is_ok_and(|content| !self.copies(&content).is_empty())
            };
            if holds || !self.copies(entry.file_name().as_encoded_bytes()).is_empty() {
                found.push(path.clone());
            }
            if kind.is_dir() {
                found.extend(self.files(&path));
            }
        }
        found
    }

    /// What the kernel shows of a process to others (arguments, environment, name) and holds a copy.
    pub fn process(&self, pid: u32) -> Vec<PathBuf> {
        ["cmdline", "environ", "comm"]
            .iter()
            .map(|file| PathBuf::from(format!("/proc/{pid}/{file}")))
            .filter(|path| fs::read(path).is_ok_and(|content| !self.copies(&content).is_empty()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_and_look_like_keys() {
        let (one, other) = (key(), key());
        assert_ne!(one, other);
        assert!(one.starts_with("sk-ant-api03-TEST") && one.len() == 108 && one.is_ascii());
    }

    #[test]
    fn finds_a_whole_key_once_and_says_how_long() {
        let key = key();
        let text = format!("before {key} after");
        let copies = Search::new([key.as_str()]).copies(text.as_bytes());
        assert_eq!(copies, [Copy { offset: 7 + PREFIX.len(), length: 91, form: Form::Plain }]);
    }

    #[test]
    fn finds_every_piece_of_sixteen_bytes_and_none_of_fifteen() {
        let key = key();
        let search = Search::new([key.as_str()]);
        for start in PREFIX.len()..key.len() - PIECE {
            assert_eq!(search.copies(&key.as_bytes()[start..start + PIECE]).len(), 1, "{start}");
            assert_eq!(search.copies(&key.as_bytes()[start..start + PIECE - 1]).len(), 0, "{start}");
        }
    }

    #[test]
    fn finds_base64_at_every_alignment() {
        let key = key();
        let search = Search::new([key.as_str()]);
        for before in ["", "a", "ab", "abc"] {
            let encoded = STANDARD.encode(format!("{before}{key}zz"));
            let copies = search.copies(encoded.as_bytes());
            assert!(copies.len() == 1 && copies[0].form == Form::Base64, "{before:?}: {copies:?}");
        }
    }

    #[test]
    fn other_keys_are_not_found() {
        assert_eq!(Search::new([key().as_str()]).copies(key().as_bytes()), []);
    }

    #[test]
    fn finds_files_names_and_links() {
        let key = key();
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("inner")).unwrap();
        fs::write(directory.path().join("inner/log"), format!("x{key}")).unwrap();
        fs::write(directory.path().join("clean"), "x").unwrap();
        std::os::unix::fs::symlink(&key, directory.path().join("link")).unwrap();
        fs::write(directory.path().join(&key), "x").unwrap();
        assert_eq!(Search::new([key.as_str()]).files(directory.path()).len(), 3);
    }

    #[test]
    fn finds_a_key_in_the_environment_of_a_process() {
        let key = key();
        let mut child =
            std::process::Command::new("sleep").arg("60").env_clear().env("LEAK", &key).spawn().unwrap();
        let found = Search::new([key.as_str()]).process(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(found, [PathBuf::from(format!("/proc/{}/environ", child.id()))]);
    }
}
