//! The chain that holds the lines together.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Entry, What};

/// A line as it stands in the file.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    /// Number of the line since the record began, from 1.
    number: u64,
    /// SHA-256 of the line before it, in hexadecimal; zeros before the first.
    previous: String,
    #[serde(flatten)]
    entry: Entry,
}

/// The last line: its number and its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its number; 0 if there is none.
    pub number: u64,
    /// SHA-256 of it, in hexadecimal.
    pub hash: String,
}

impl Default for Head {
    fn default() -> Self {
        Self { number: 0, hash: "0".repeat(64) }
    }
}

/// Adds lines to a record.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    head: Head,
}

impl Chain {
    /// Goes on after this line.
    pub fn after(head: Head) -> Self {
        Self { head }
    }

    /// The last line.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The next line, without its line feed.
    ///
    /// # Errors
    /// If the entry cannot be JSON, which none is.
    pub fn add(&mut self, entry: Entry) -> Result<String, serde_json::Error> {
        let number = self.head.number.saturating_add(1);
        let line = serde_json::to_string(&Line { number, previous: self.head.hash.clone(), entry })?;
        self.head = Head { number, hash: hash(line.as_bytes()) };
        Ok(line)
    }

    /// Goes on after a line that was not written to its end: it has a hash, and no number.
    pub fn pass_torn(&mut self, torn: &[u8]) {
        self.head.hash = hash(torn);
    }
}

/// Which file a line is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The older one.
    Older,
    /// The one that is written.
    Current,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Older => "record.1.jsonl",
            Self::Current => "record.jsonl",
        })
    }
}

/// Where the record is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub file: Origin,
    /// Its line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: &'static str,
}

/// What the lines say, and whether they are as they were written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The entries, oldest first, with their numbers.
    pub entries: Vec<(u64, Entry)>,
    /// The last line.
    pub head: Head,
    /// Lines that were not written to their end, and that the daemon after them told of.
    pub torn: usize,
    /// Where lines were changed, removed, added or put elsewhere.
    pub faults: Vec<Fault>,
}

impl Verdict {
    /// Compares it with the last line that a running daemon knows: what was cut off at the end shows.
    pub fn compare(&mut self, files: [&[u8]; 2], known: &Head) {
        let is_known = |file: &[u8]| lines_of(file).any(|line| hash(line) == known.hash);
        if known.number > 0 && !files.into_iter().any(is_known) {
            let line = lines_of(files[1]).count();
            let what = "the last line that the daemon wrote is not in the record: it was cut off or changed";
            self.faults.push(Fault { file: Origin::Current, line, what });
        }
    }
}

/// Reads the older file and the current one.
pub fn verify(files: [&[u8]; 2]) -> Verdict {
    let mut reader = Reader::default();
    for (file, text) in [Origin::Older, Origin::Current].into_iter().zip(files) {
        for (index, line) in lines_of(text).enumerate() {
            reader.read(file, index + 1, line);
        }
    }
    reader.end()
}

#[derive(Default)]
struct Reader {
    verdict: Verdict,
    /// A line that is no entry: fine if the next one says that it was torn.
    torn: Option<(Fault, u64)>,
    /// Whether any line was read: the first one may follow on what was rotated away.
    begun: bool,
}

impl Reader {
    fn read(&mut self, file: Origin, line: usize, content: &[u8]) {
        let fault = |what| Fault { file, line, what };
        if let Ok(read) = serde_json::from_slice::<Line>(content) {
            self.take(file, &fault, read);
        } else {
            let bytes = u64::try_from(content.len()).unwrap_or(u64::MAX);
            self.give_up_torn();
            self.torn = Some((fault("this is no entry"), bytes));
        }
        self.verdict.head.hash = hash(content);
        self.begun = true;
    }

    fn take(&mut self, file: Origin, fault: &dyn Fn(&'static str) -> Fault, read: Line) {
        if let Some((torn, bytes)) = self.torn.take() {
            if read.entry.what == (What::Recovered { bytes }) {
                self.verdict.torn += 1;
            } else {
                self.verdict.faults.push(torn);
            }
        }
        // Only what follows an older file may begin later: that is where what was rotated away was.
        if !self.begun && file == Origin::Current && read.number > 1 {
            self.verdict.faults.push(fault("what was before it is not there any more"));
        }
        if self.begun && read.previous != self.verdict.head.hash {
            self.verdict.faults.push(fault("the line before it is not the one that was there"));
        } else if self.begun && read.number != self.verdict.head.number.saturating_add(1) {
            self.verdict.faults.push(fault("its number does not follow"));
        }
        self.verdict.head.number = read.number;
        self.verdict.entries.push((read.number, read.entry));
    }

    fn give_up_torn(&mut self) {
        self.verdict.faults.extend(self.torn.take().map(|(fault, _)| fault));
    }

    /// A torn line at the very end: the next daemon is going to tell of it.
    fn end(mut self) -> Verdict {
        if self.torn.take().is_some() {
            self.verdict.torn += 1;
        }
        self.verdict
    }
}

/// Bytes, because a line that was torn may end within a character.
fn lines_of(file: &[u8]) -> impl Iterator<Item = &[u8]> {
    file.split_inclusive(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line))
}

fn hash(line: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(line) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verify(files: [&str; 2]) -> Verdict {
        super::verify(files.map(str::as_bytes))
    }

    fn refused(why: &str) -> Entry {
        Entry { at: 5, what: What::Refused { what: "login".into(), why: why.into(), times: 1 } }
    }

    fn lines(chain: &mut Chain, count: usize) -> Vec<String> {
        (0..count).map(|number| chain.add(refused(&number.to_string())).unwrap()).collect()
    }

    fn text(lines: &[String]) -> String {
        lines.join("\n") + if lines.is_empty() { "" } else { "\n" }
    }

    #[test]
    fn what_was_written_is_read() {
        let mut chain = Chain::default();
        let written = lines(&mut chain, 5);
        let verdict = verify(["", &text(&written)]);
        assert_eq!((verdict.faults.len(), verdict.torn, &verdict.head), (0, 0, chain.head()));
        assert_eq!(verdict.entries[4], (5, refused("4")));
        assert_eq!(
            written[0],
            format!(
                r#"{{"number":1,"previous":"{}","at":5,"event":"refused","what":"login","why":"0","times":1}}"#,
                "0".repeat(64)
            )
        );
    }

    #[test]
    fn it_goes_on_in_the_next_file_and_in_the_next_daemon() {
        let mut chain = Chain::default();
        let first = lines(&mut chain, 3);
        let mut next = Chain::after(chain.head().clone());
        let second = lines(&mut next, 3);
        assert_eq!(verify([&text(&first), &text(&second)]).faults, []);
        // What is older still was rotated away.
        assert_eq!(verify([&text(&first[1..]), &text(&second)]).faults, []);
        // But something is.
        assert_eq!(verify(["", &text(&second)]).faults[0].what, "what was before it is not there any more");
    }

    #[test]
    fn every_change_removal_swap_and_addition_shows() {
        let written = lines(&mut Chain::default(), 6);
        let altered = |alter: &dyn Fn(&mut Vec<String>)| {
            let mut lines = written.clone();
            alter(&mut lines);
            verify(["", &text(&lines)]).faults.len()
        };
        for at in 0..5 {
            assert!(altered(&|lines| lines[at] = lines[at].replace("login", "logon")) > 0, "change {at}");
            assert!(altered(&|lines| lines.swap(at, at + 1)) > 0, "swap {at}");
            assert!(altered(&|lines| lines.insert(at + 1, lines[at].clone())) > 0, "addition {at}");
            assert!(altered(&|lines| lines.insert(at + 1, "{}".into())) > 0, "foreign line {at}");
        }
        for at in 0..5 {
            assert!(altered(&|lines| drop(lines.remove(at))) > 0, "removal {at}");
        }
    }

    #[test]
    fn what_was_cut_off_shows_against_the_daemons_last_line() {
        let mut chain = Chain::default();
        let written = lines(&mut chain, 4);
        for kept in 0..4 {
            let cut = text(&written[..kept]);
            let mut verdict = verify(["", &cut]);
            assert_eq!(verdict.faults, [], "cut at {kept}: the chain alone does not know");
            verdict.compare([b"", cut.as_bytes()], chain.head());
            assert_eq!(verdict.faults.len(), 1, "cut at {kept}");
        }
        let whole = text(&written);
        let mut verdict = verify(["", &whole]);
        verdict.compare([b"", whole.as_bytes()], chain.head());
        assert_eq!(verdict.faults, []);
        // The same for a last line that was changed.
        let changed = whole.replace(r#""why":"3""#, r#""why":"x""#);
        let mut verdict = verify(["", &changed]);
        verdict.compare([b"", changed.as_bytes()], chain.head());
        assert_eq!(verdict.faults.len(), 1);
    }

    #[test]
    fn a_torn_line_is_told_and_no_fault() {
        let mut chain = Chain::default();
        let mut written = text(&lines(&mut chain, 2));
        let torn = &chain.clone().add(refused("torn")).unwrap()[..40];
        written.push_str(torn);
        let verdict = verify(["", &written]);
        assert_eq!((verdict.torn, verdict.faults.len(), verdict.entries.len()), (1, 0, 2));
        written.push('\n');
        chain.pass_torn(torn.as_bytes());
        let recovered = Entry { at: 6, what: What::Recovered { bytes: 40 } };
        written += &(chain.add(recovered).unwrap() + "\n");
        written.push_str(&text(&lines(&mut chain, 1)));
        let verdict = verify(["", &written]);
        assert_eq!((verdict.torn, verdict.faults.as_slice(), verdict.entries.len()), (1, &[][..], 4));
        // A torn line that nobody told of is a change.
        let cut: Vec<_> =
            written.lines().filter(|line| !line.contains("recovered")).map(str::to_owned).collect();
        assert!(!verify(["", &text(&cut)]).faults.is_empty());
    }

    #[test]
    fn an_event_of_a_newer_version_is_read() {
        let line = format!(
            r#"{{"number":1,"previous":"{}","at":5,"event":"teleported","where":"x"}}"#,
            "0".repeat(64)
        );
        assert_eq!(verify(["", &line]).entries, [(1, Entry { at: 5, what: What::Unknown })]);
    }
}
