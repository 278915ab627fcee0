//! The record in words.

use std::fmt::Write as _;

use claudectl_proto::record::{Entry, Verdict, What};

use crate::output::text::{self, BAD, GOOD, Plain, WARN, columns, count, styled};

/// One line for each entry.
pub(super) fn table<'a>(entries: impl Iterator<Item = &'a Entry>) -> String {
    let row = |entry: &Entry| [utc(entry.at), entry.what.word().to_owned(), told(&entry.what)];
    columns(&entries.map(row).collect::<Vec<_>>())
}

fn told(what: &What) -> String {
    match what {
        What::Started { version, pid } => format!("claudectld {}, pid {pid}", Plain(version)),
        What::Stopped => "claudectld; everything was wiped".to_owned(),
        What::Recovered { bytes } => format!("the line before was torn by a kill after {bytes} bytes"),
        What::Omitted { entries, why } => format!("{entries} entries: {}", Plain(why)),
        What::Desktop { what, by, took_microseconds } => {
            let took = milliseconds(*took_microseconds);
            format!("{}, as {} told; acted on within {took} ms", Plain(what), Plain(by))
        }
        What::LoggedIn { account, kind, upstream } => {
            format!("{} ({}) at {}", Plain(account), Plain(kind), Plain(upstream))
        }
        What::LoggedOut { account, why, sessions } => {
            let ended = count(usize::try_from(*sessions).unwrap_or(usize::MAX), "session");
            let why = if why.is_empty() { String::new() } else { format!(" {}", Plain(why)) };
            format!("{}{why}; {ended} ended", Plain(account))
        }
        What::Sealed { account, why } if why.is_empty() => Plain(account).to_string(),
        What::Sealed { account, why } => format!("{} {}", Plain(account), Plain(why)),
        What::Unsealed { account } => Plain(account).to_string(),
        What::FootprintsRemoved { why, error, .. } if !error.is_empty() => {
            format!("not at all, {}: {}", Plain(why), Plain(error))
        }
        What::FootprintsRemoved { why, removed, left, named, .. } => {
            let copies = |number: u64| text::copies(usize::try_from(number).unwrap_or(usize::MAX));
            let mut text = format!("{} {}", copies(*removed), Plain(why));
            if *left > 0 {
                let _ = write!(text, "; {left} left");
            }
            for copy in named {
                let _ = write!(text, "; {}", Plain(copy));
            }
            text
        }
        What::SessionOpened { session, account, program, directory, pid } => format!(
            "{} of {}: {} (pid {pid}) in {}",
            Plain(session),
            Plain(account),
            Plain(program),
            Plain(directory)
        ),
        What::SessionEnded { session, account, program, why, seconds, requests, .. } => format!(
            "{} of {}: {} after {}, {}: {}",
            Plain(session),
            Plain(account),
            Plain(program),
            duration(*seconds),
            count(usize::try_from(*requests).unwrap_or(usize::MAX), "request"),
            Plain(why)
        ),
        What::Refused { what, why, times } => {
            let times = if *times > 1 { format!(" ({times} times in a row)") } else { String::new() };
            format!("{}: {}{times}", Plain(what), Plain(why))
        }
        What::Unknown => "written by a newer version".to_owned(),
    }
}

/// Whether it is as it was written.
pub(super) fn checked(verdict: &Verdict, compared: bool) -> String {
    let mut text = if verdict.faults.is_empty() {
        let entries = count(verdict.entries.len(), "entry").replace("entrys", "entries");
        format!("{}  {entries}, each as it was written.\n", styled(GOOD, "Whole."))
    } else {
        format!("{}\n", styled(BAD, "The record is not as it was written:"))
    };
    for fault in &verdict.faults {
        let _ = writeln!(text, "  {} line {}: {}", fault.file, fault.line, fault.what);
    }
    if verdict.torn > 0 {
        let torn = count(verdict.torn, "line");
        let _ =
            writeln!(text, "{torn} not written to the end, because the daemon or the machine was killed.");
    }
    if !compared {
        let note = "No daemon runs that knows the last line: what was cut off at the end does not show.";
        let _ = writeln!(text, "{}", styled(WARN, note));
    }
    text
}

fn milliseconds(microseconds: u64) -> String {
    format!("{}.{}", microseconds / 1000, microseconds % 1000 / 100)
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// `YYYY-MM-DD HH:MM:SSZ` of seconds since the Unix epoch, in the Gregorian calendar.
fn utc(at: i64) -> String {
    let (days, seconds) = (at.div_euclid(86_400), at.rem_euclid(86_400));
    // Years that begin in March, so that a leap day is the last of its year; eras of 400 of them.
    let shifted = days + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year + era * 400 + carry;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{date:02} {hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_the_calendar() {
        let table = [
            (0, "1970-01-01 00:00:00Z"),
            (951_782_399, "2000-02-28 23:59:59Z"),
            (951_782_400, "2000-02-29 00:00:00Z"),
            (1_709_251_199, "2024-02-29 23:59:59Z"),
            (1_795_403_825, "2026-11-23 03:17:05Z"),
            (4_107_542_400, "2100-03-01 00:00:00Z"),
            (-1, "1969-12-31 23:59:59Z"),
        ];
        for (at, expected) in table {
            assert_eq!(utc(at), expected);
        }
    }

    #[test]
    fn one_line_each_and_nothing_harmful() {
        let entries = [
            Entry {
                at: 0,
                what: What::LoggedOut {
                    account: "work".into(),
                    why: "because the screen was locked".into(),
                    sessions: 2,
                },
            },
            Entry {
                at: 30,
                what: What::FootprintsRemoved {
                    why: "because the screen was locked".into(),
                    removed: 1,
                    left: 9,
                    named: vec!["API key …abcd in /x: read-only".into()],
                    error: String::new(),
                },
            },
            Entry {
                at: 31,
                what: What::FootprintsRemoved {
                    why: "because the screen was locked".into(),
                    removed: 0,
                    left: 0,
                    named: Vec::new(),
                    error: "another purge runs".into(),
                },
            },
            Entry {
                at: 60,
                what: What::SessionEnded {
                    session: "0badcafe".into(),
                    account: "work".into(),
                    program: "cl\u{1b}[2Jaude".into(),
                    directory: "/".into(),
                    why: "its process ended".into(),
                    seconds: 3700,
                    requests: 1,
                    input_tokens: 5,
                    output_tokens: 6,
                },
            },
        ];
        assert_eq!(
            table(entries.iter()),
            "  1970-01-01 00:00:00Z  logged-out          work because the screen was locked; 2 sessions ended\n  \
             1970-01-01 00:00:30Z  footprints-removed  1 copy because the screen was locked; 9 left; API key …abcd in /x: read-only\n  \
             1970-01-01 00:00:31Z  footprints-removed  not at all, because the screen was locked: another purge runs\n  \
             1970-01-01 00:01:00Z  session-ended       0badcafe of work: cl\\u{1b}[2Jaude after 1 h 1 min, 1 request: its process ended\n"
        );
    }
}
