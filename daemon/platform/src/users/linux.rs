//! `/proc/PID/status` (`proc_pid_status(5)`), which names the user also of a process that is not dumpable.

use std::{fs, io};

use super::super::Daemon;

pub(super) fn running(name: &str) -> io::Result<Vec<Daemon>> {
    let entries = fs::read_dir("/proc")?.flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    // One that is gone by now is not running.
    let told =
        numbers.filter_map(|pid: u32| Some((pid, fs::read_to_string(format!("/proc/{pid}/status")).ok()?)));
    Ok(told.filter_map(|(pid, status)| parse(&status, name, pid)).collect())
}

/// `None` for a process with another name, and for one that has ended and was not waited for.
fn parse(status: &str, name: &str, pid: u32) -> Option<Daemon> {
    let field = |wanted: &str| {
        status.lines().find_map(|line| line.strip_prefix(wanted)?.strip_prefix(':').map(str::trim))
    };
    let first = |wanted: &str| field(wanted)?.split_whitespace().next()?.parse().ok();
    let is_meant = field("Name")? == name && !field("State")?.starts_with(['Z', 'X']);
    Some(Daemon { pid, uid: first("Uid")?, gid: first("Gid")? }).filter(|_| is_meant)
}

pub(super) fn refuse_new_privileges() -> io::Result<()> {
    Ok(rustix::thread::set_no_new_privs(true)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_ended_or_has_another_name_is_none() {
        let status = |name: &str, state: &str| {
            format!(
                "Name:\t{name}\nUmask:\t0077\nState:\t{state}\nUid:\t1000\t1000\t1000\t1000\nGid:\t100\t100\t100\t100\n"
            )
        };
        let found = parse(&status("claudectld", "S (sleeping)"), "claudectld", 7);
        assert_eq!(found, Some(Daemon { pid: 7, uid: 1000, gid: 100 }));
        assert_eq!(parse(&status("claudectld", "Z (zombie)"), "claudectld", 7), None);
        assert_eq!(parse(&status("claudectl", "S (sleeping)"), "claudectld", 7), None);
    }
}
