//! `/proc/PID/stat` (`proc_pid_stat(5)`), which is readable for every process of the user, the
//! undumpable ones included.

use std::{
    fs,
    io::{self, Read as _},
    path::PathBuf,
};

use super::{Facts, Process, gone};

/// More than the 52 fields can have; what would be longer is refused.
const LONGEST: usize = 2048;

pub(super) fn facts(pid: u32) -> io::Result<Facts> {
    let mut stat = [0; LONGEST];
    match read(pid, &mut stat) {
        Ok(length) => parse(stat.get(..length).unwrap_or_default(), pid).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, format!("/proc/{pid}/stat is not as documented"))
        }),
        // ESRCH: it ended between opening and reading.
        Err(error)
            if error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH) =>
        {
            Err(gone(pid))
        }
        Err(error) => Err(error),
    }
}

/// The kernel gives the whole line at once. Every connection of a session is checked by it, and
/// reading on and on until the end would take six calls more.
fn read(pid: u32, stat: &mut [u8]) -> io::Result<usize> {
    fs::File::open(format!("/proc/{pid}/stat"))?.read(stat)
}

pub(super) fn directory(pid: u32) -> io::Result<PathBuf> {
    fs::read_link(format!("/proc/{pid}/cwd"))
}

/// Fields are counted after the name, which is in parentheses and may hold anything.
fn parse(stat: &[u8], pid: u32) -> Option<Facts> {
    let name_end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(name_end + 1..)?).ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // Field 3 (state) is the first of the rest.
    let field = |number: usize| fields.get(number - 3).copied();
    let session: u32 = field(6)?.parse().ok()?;
    let terminal: i64 = field(7)?.parse().ok()?;
    Some(Facts {
        process: Process { pid, started: field(22)?.parse().ok()? },
        parent: field(4)?.parse().ok()?,
        terminal_leader: (terminal != 0 && session != 0).then_some(session),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_moves_no_field() {
        let stat = b"7 (a) S 1 (b) R 41 7 40 34816 7 4194304 1 2 3 4 5 6 7 8 20 0 1 0 98765 1 2 3\n";
        let facts = parse(stat, 7).unwrap();
        assert_eq!(facts.process, Process { pid: 7, started: 98765 });
        assert_eq!(facts.parent, 41);
        assert_eq!(facts.terminal_leader, Some(40));
    }

    #[test]
    fn without_a_terminal_the_session_does_not_matter() {
        let stat = b"7 (cat) R 41 7 40 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 98765 1 2 3\n";
        assert_eq!(parse(stat, 7).unwrap().terminal_leader, None);
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        assert!(parse(b"7 (cat) R 41 7 40", 7).is_none());
        assert!(parse(b"", 7).is_none());
    }
}
