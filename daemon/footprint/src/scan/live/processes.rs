//! The environments of this user's processes, as the kernel shows them.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use claudectl_platform::tree::{Directory, FileIdentity};
use zeroize::Zeroizing;

use super::{super::look::Look, changed_at, is_of_a_session, may_matter};
use crate::{
    catalog::{At, Place, Which, places},
    finding::Holder,
};

/// More than an environment has: `MAX_ARG_STRLEN` times what people set.
const LONGEST: usize = 2 << 20;

/// What is known of a process.
struct Process {
    pid: u32,
    parent: u32,
    started: u64,
    program: String,
    is_claude: bool,
}

impl Look<'_> {
    pub(super) fn at_processes(&mut self) {
        let Some(root) = self.scope.processes else { return };
        let Ok(directory) = Directory::open(root) else {
            return self.gap(root, &"processes cannot be looked at");
        };
        let own = std::process::id();
        let entries = directory.entries().unwrap_or_default();
        let pids = entries.iter().filter_map(|entry| entry.name.to_str()?.parse::<u32>().ok());
        let mut text = Zeroizing::new(vec![0; LONGEST]);
        for pid in pids.filter(|pid| *pid != own) {
            // Gone meanwhile, or another user's.
            let Ok((mut file, found)) = directory.file(&PathBuf::from(format!("{pid}/environ"))) else {
                continue;
            };
            let Some(length) = fill(&mut file, &mut text) else { continue };
            self.desk.meter.process();
            let environment = text.get(..length).unwrap_or_default();
            let matters = entries_of(environment).any(|(name, value)| may_matter(name, value));
            if let Some(process) = matters.then(|| process(&directory, pid)).flatten() {
                self.process(&directory, &process, environment, &found);
            }
        }
    }

    fn process(
        &mut self,
        directory: &Directory,
        process: &Process,
        environment: &[u8],
        found: &FileIdentity,
    ) {
        let started_by_bus = self::process(directory, process.parent).is_some_and(|parent| {
            matches!(parent.program.as_str(), "dbus-daemon" | "dbus-broker" | "dbus-broker-lau")
        });
        let which = match process {
            _ if process.is_claude => Which::Claude,
            _ if started_by_bus => Which::OfTheBus,
            _ => Which::Others,
        };
        let Some(place) = place_of(which) else { return };
        let in_session = entries_of(environment).any(|(name, _)| name == b"CLAUDECTL_SESSION");
        let holder =
            Holder::Process { pid: process.pid, started: process.started, program: process.program.clone() };
        for (name, value) in entries_of(environment).filter(|(name, value)| may_matter(name, value)) {
            let Ok(name) = std::str::from_utf8(name) else { continue };
            if !(in_session && is_of_a_session(name, value)) {
                self.variable(place, &holder, name, value, changed_at(found));
            }
        }
    }
}

fn place_of(which: Which) -> Option<&'static Place> {
    places().find(|place| place.at == At::Processes(which))
}

/// The entries of an environment: names and values.
fn entries_of(environment: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    environment.split(|byte| *byte == 0).filter_map(|entry| {
        let equals = memchr::memchr(b'=', entry)?;
        Some((entry.get(..equals)?, entry.get(equals + 1..)?))
    })
}

fn fill(file: &mut File, text: &mut [u8]) -> Option<usize> {
    let mut filled = 0;
    loop {
        match file.read(text.get_mut(filled..).filter(|room| !room.is_empty())?) {
            Ok(0) => return Some(filled),
            Ok(count) => filled += count,
            Err(_) => return None,
        }
    }
}

fn process(directory: &Directory, pid: u32) -> Option<Process> {
    let stat = text(directory, &format!("{pid}/stat"))?;
    // The name is in parentheses, and can hold some itself.
    let (name, rest) = stat.rsplit_once(") ")?;
    let program = name.split_once(" (")?.1.to_owned();
    let mut fields = rest.split(' ');
    let parent = fields.nth(1)?.parse().ok()?;
    let started = fields.nth(17)?.parse().ok()?;
    let command = text(directory, &format!("{pid}/cmdline")).unwrap_or_default();
    let is_claude = program == "claude" || command.split('\0').take(2).any(is_client);
    Some(Process { pid, parent, started, program, is_claude })
}

/// Whether an argument is the genuine client, native or for node.
fn is_client(argument: &str) -> bool {
    let name = Path::new(argument).file_name().and_then(|name| name.to_str());
    name == Some("claude") || argument.contains("@anthropic-ai/claude-code")
}

fn text(directory: &Directory, path: &str) -> Option<String> {
    let (file, _) = directory.file(Path::new(path)).ok()?;
    let mut bytes = Vec::new();
    file.take(64 * 1024).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
