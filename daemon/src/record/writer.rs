//! The thread that writes: the engine never waits for a disk.

use std::{
    fs, io,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use claudectl_platform::{clock, permissions};
use claudectl_proto::record::{Chain, Entry, Files, Head, What, verify};

/// Entries that may wait for the disk.
const QUEUE: usize = 1024;
/// Room for it, in bytes.
const STACK: usize = 256 * 1024;
/// How long a daemon that stops waits for the disk.
const FAREWELL: Duration = Duration::from_secs(2);

/// What is known of the record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The last line that was written.
    pub head: Head,
    /// Why nothing is written now.
    pub error: Option<String>,
}

/// The way to the thread that writes. What it was given before it is dropped is written.
#[derive(Debug)]
pub struct Record {
    entries: Option<SyncSender<Entry>>,
    ended: Receiver<()>,
    state: Arc<Mutex<State>>,
    /// Entries that did not fit in the queue.
    omitted: u64,
}

impl Record {
    /// Starts to write to these files.
    pub fn start(files: Files) -> Self {
        let (entries, queue) = sync_channel(QUEUE);
        let (end, ended) = sync_channel(1);
        let state = Arc::new(Mutex::new(State::default()));
        let writer = Writer { files, file: None, omitted: None, state: Arc::clone(&state) };
        let thread = thread::Builder::new().name("record".to_owned()).stack_size(STACK);
        let started = thread.spawn(move || {
            writer.run(&queue);
            // Nobody waits for it if the daemon goes on.
            let _ = end.send(());
        });
        match started {
            Ok(_) => Self { entries: Some(entries), ended, state, omitted: 0 },
            Err(error) => Self::none(format!("there is no thread for it: {error}")),
        }
    }

    /// Nothing is written, for this reason.
    pub fn none(why: String) -> Self {
        let (_, ended) = sync_channel(1);
        let state = Arc::new(Mutex::new(State { head: Head::default(), error: Some(why) }));
        Self { entries: None, ended, state, omitted: 0 }
    }

    /// Adds what happened now. Never waits: what does not fit is counted, and the count is written.
    pub fn add(&mut self, what: What) {
        let Some(entries) = &self.entries else { return };
        let entry = |what| Entry { at: clock::wall(), what };
        if self.omitted > 0 {
            let why = "they came faster than they could be written".to_owned();
            let told = entry(What::Omitted { entries: self.omitted, why });
            if entries.try_send(told).is_ok() {
                self.omitted = 0;
            }
        }
        if self.omitted > 0 || entries.try_send(entry(what)).is_err() {
            self.omitted = self.omitted.saturating_add(1);
        }
    }

    /// What is known of it.
    pub fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if self.entries.take().is_some() && self.ended.recv_timeout(FAREWELL).is_err() {
            tracing::warn!("the local record was not written to its end");
        }
    }
}

struct Writer {
    files: Files,
    file: Option<Open>,
    /// Entries that could not be written, and why.
    omitted: Option<(u64, String)>,
    state: Arc<Mutex<State>>,
}

/// The current file.
struct Open {
    file: fs::File,
    length: u64,
    chain: Chain,
}

impl Writer {
    fn run(mut self, queue: &Receiver<Entry>) {
        while let Ok(entry) = queue.recv() {
            let outcome = self.write(entry);
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(open) = &self.file {
                state.head = open.chain.head().clone();
            }
            let error = outcome.err().map(|error| error.to_string());
            if let Some(error) = error.as_ref().filter(|_| state.error.is_none()) {
                tracing::warn!("the local record is not written: {error}");
            }
            state.error = error;
        }
    }

    fn write(&mut self, entry: Entry) -> io::Result<()> {
        if let Some((entries, why)) = self.omitted.clone() {
            let told = Entry { at: entry.at, what: What::Omitted { entries, why } };
            match self.add(told) {
                Ok(()) => self.omitted = None,
                Err(error) => return self.omit(error),
            }
        }
        self.add(entry).or_else(|error| self.omit(error))
    }

    /// What was begun may be torn: the file is opened anew before the next line.
    fn omit(&mut self, error: io::Error) -> io::Result<()> {
        self.file = None;
        let before = self.omitted.take().map_or(0, |(entries, _)| entries);
        self.omitted = Some((before.saturating_add(1), error.to_string()));
        Err(error)
    }

    fn add(&mut self, entry: Entry) -> io::Result<()> {
        let mut open = match self.file.take() {
            Some(open) if open.length < Files::LIMIT => open,
            Some(open) => rotate(&self.files, open.chain)?,
            None => Open::at(&self.files, entry.at)?,
        };
        open.write(entry)?;
        self.file = Some(open);
        Ok(())
    }
}

/// The current file becomes the older one.
fn rotate(files: &Files, chain: Chain) -> io::Result<Open> {
    fs::rename(files.current(), files.older())?;
    Ok(Open { file: permissions::append_to(&files.current())?, length: 0, chain })
}

impl Open {
    /// Opens the record and finds its end. A line that was not written to its end is told of.
    fn at(files: &Files, now: i64) -> io::Result<Self> {
        make(files.directory())?;
        let file = permissions::append_to(&files.current())?;
        let current = fs::read(files.current())?;
        let older = fs::read(files.older()).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(Vec::new()),
            _ => Err(error),
        })?;
        let verdict = verify([&older, &current]);
        let length = u64::try_from(current.len()).unwrap_or(u64::MAX);
        let mut open = Self { file, length, chain: Chain::after(verdict.head) };
        if !current.is_empty() && !current.ends_with(b"\n") {
            open.raw(b"\n")?;
            let torn = current.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
            let bytes = u64::try_from(torn.len()).unwrap_or(u64::MAX);
            open.write(Entry { at: now, what: What::Recovered { bytes } })?;
        }
        Ok(open)
    }

    fn write(&mut self, entry: Entry) -> io::Result<()> {
        // The chain goes on only if the line was written.
        let mut chain = self.chain.clone();
        let line = chain.add(entry).map_err(io::Error::other)?;
        self.raw(format!("{line}\n").as_bytes())?;
        self.chain = chain;
        Ok(())
    }

    fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        io::Write::write_all(&mut self.file, bytes)?;
        self.length = self.length.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(())
    }
}

/// The state directory is ours alone; those above it are as the user has them.
fn make(directory: &Path) -> io::Result<()> {
    if let Some(above) = directory.parent() {
        fs::create_dir_all(above)?;
    }
    permissions::private_directory(directory).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use claudectl_proto::record::Verdict;

    use super::*;

    fn files() -> (tempfile::TempDir, Files) {
        let place = tempfile::tempdir().unwrap();
        let files = Files::within(place.path().join("state/claudectl"));
        (place, files)
    }

    fn read(files: &Files) -> Verdict {
        let [older, current] =
            [files.older(), files.current()].map(|file| fs::read(file).unwrap_or_default());
        verify([&older, &current])
    }

    fn refused(why: &str) -> What {
        What::Refused { what: "login".into(), why: why.into(), times: 1 }
    }

    #[test]
    fn two_daemons_write_one_chain_in_a_file_of_the_users_own() {
        let (_place, files) = files();
        for round in 0..2 {
            let mut record = Record::start(files.clone());
            record.add(refused("one"));
            record.add(refused("two"));
            drop(record);
            let verdict = read(&files);
            assert_eq!((verdict.faults.len(), verdict.head.number), (0, 2 * (round + 1)));
        }
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&files.current()), mode(files.directory())), (0o600, 0o700));
    }

    #[test]
    fn a_line_that_was_torn_by_a_kill_is_told_of() {
        let (_place, files) = files();
        let mut record = Record::start(files.clone());
        record.add(refused("one"));
        record.add(refused("täts"));
        drop(record);
        let mut whole = fs::read(files.current()).unwrap();
        // In the middle of a character.
        let cut = whole.windows(2).rposition(|two| two == "ä".as_bytes()).unwrap() + 1;
        whole.truncate(cut);
        fs::write(files.current(), whole).unwrap();
        let mut record = Record::start(files.clone());
        record.add(refused("three"));
        drop(record);
        let verdict = read(&files);
        assert_eq!((verdict.torn, verdict.faults.as_slice()), (1, &[][..]));
        let words: Vec<_> = verdict.entries.iter().map(|(_, entry)| entry.what.word()).collect();
        assert_eq!(words, ["refused", "recovered", "refused"]);
    }

    #[test]
    fn it_is_bounded_and_the_chain_goes_on_in_the_next_file() {
        let (_place, files) = files();
        let mut record = Record::start(files.clone());
        let why = "x".repeat(4096);
        for _ in 0..600 {
            while record.omitted > 0 {
                thread::yield_now();
                record.add(refused(&why));
            }
            record.add(refused(&why));
        }
        drop(record);
        let size = |path: &Path| path.metadata().unwrap().len();
        assert!(size(&files.older()) + size(&files.current()) < 2 * Files::LIMIT + 2 * 5000);
        let verdict = read(&files);
        assert_eq!(verdict.faults, []);
        assert!(verdict.entries[0].0 > 1, "nothing was rotated away");
    }

    #[test]
    fn what_cannot_be_written_is_said_and_counted() {
        let (place, files) = files();
        fs::write(place.path().join("state"), "in the way").unwrap();
        let mut record = Record::start(files.clone());
        record.add(refused("one"));
        while record.state().error.is_none() {
            thread::yield_now();
        }
        fs::remove_file(place.path().join("state")).unwrap();
        record.add(refused("two"));
        drop(record);
        let entries = read(&files).entries;
        assert!(matches!(&entries[0].1.what, What::Omitted { entries: 1, .. }), "{entries:?}");
        assert_eq!(entries.len(), 2);
    }

    #[test]
    fn a_link_in_its_place_is_not_followed() {
        let (place, files) = files();
        let mut record = Record::start(files.clone());
        record.add(refused("one"));
        drop(record);
        let elsewhere = place.path().join("elsewhere");
        fs::rename(files.current(), &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, files.current()).unwrap();
        let before = fs::read(&elsewhere).unwrap();
        let mut record = Record::start(files.clone());
        record.add(refused("two"));
        while record.state().error.is_none() {
            thread::yield_now();
        }
        assert_eq!(fs::read(&elsewhere).unwrap(), before);
    }
}
