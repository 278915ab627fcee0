//! The change before it is made, and what was done.

use std::fmt::Write as _;

use claudectl_footprint::{
    Finding, Location, adopt::difference, plan::FileStep, purge, receipt::Outcome,
    scan::format::masked as masked_path,
};
use claudectl_platform::erasure::PlainFile;
use serde::Serialize;

use super::{Account, journal::Taken};
use crate::{
    Context,
    error::Error,
    exit::Exit,
    output::text::{BAD, BOLD, GOOD, Plain, styled},
};

/// The largest file that is shown, in bytes.
const LIMIT: u64 = 64 * 1024 * 1024;

/// The exact change, with every credential that is known masked.
pub(super) fn change(files: &[FileStep], found: &[Finding]) -> Result<String, Error> {
    let mut told = String::new();
    for step in files {
        let path = step.path.display().to_string();
        let unreadable = |error: &dyn std::fmt::Display| {
            Error::new(format!("{path} cannot be changed")).because(&error.to_string())
        };
        let file = PlainFile::open(&step.path).map_err(|error| unreadable(&error))?;
        let text = file.read(LIMIT).map_err(|error| unreadable(&error))?;
        if purge::goes_whole(step, &text) {
            let _ = writeln!(
                told,
                "{} {}",
                styled(BOLD, Plain(&path)),
                styled(BAD, "is deleted: it is a backup")
            );
            continue;
        }
        let edit = purge::edit_of(step, &text).ok_or_else(|| unreadable(&"it has changed"))?;
        let _ = writeln!(told, "{}", styled(BOLD, Plain(&path)));
        for line in difference(&text, &edit, &masked(step, found)) {
            let (sign, style) = if line.is_new { ('+', GOOD) } else { ('-', BAD) };
            let _ = writeln!(
                told,
                "{:>6} {}",
                line.number,
                styled(style, format!("{sign} {}", Plain(&line.text)))
            );
        }
    }
    Ok(told)
}

/// Every credential in the file, with what is shown of it.
fn masked(step: &FileStep, found: &[Finding]) -> Vec<(std::ops::Range<usize>, String)> {
    let mut masked = Vec::new();
    for finding in found {
        let Location::Stored(stored) = &finding.location else { continue };
        if stored.path != step.path {
            continue;
        }
        for occurrence in &stored.occurrences {
            let offset = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
            let range = offset(occurrence.bytes.start)..offset(occurrence.bytes.end);
            masked.push((range, finding.tail.to_string()));
        }
    }
    masked
}

/// What is asked before it is done.
pub(super) fn question(account: &Account, change: &str) -> String {
    let name = Plain(&account.name);
    if account.is_held {
        format!("{change}The key is held already, as account {name}. Change the files so?")
    } else {
        format!("{change}Move the key into the daemon as account {name}, and change the files so?")
    }
}

#[derive(Debug, Serialize)]
struct FileBody<'a> {
    path: String,
    action: &'a str,
    proof: &'a str,
    outcome: &'static str,
}

#[derive(Debug, Serialize)]
struct Body<'a> {
    account: &'a str,
    /// Whether the daemon held it before.
    held: bool,
    proven: bool,
    files: Vec<FileBody<'a>>,
    /// Copies that stay: records of what was said or typed, running programs.
    left: Vec<String>,
}

/// Says what was done.
pub(super) fn show(
    context: &Context,
    account: &Account,
    done: &[Taken],
    left: &[Finding],
) -> Result<Exit, Error> {
    let files: Vec<_> = done
        .iter()
        .flat_map(|taken| taken.items.iter().map(move |item| (taken, item)))
        .map(|(taken, item)| FileBody {
            path: masked_path(&taken.path.display().to_string()),
            action: &item.action,
            proof: &item.proof,
            outcome: item.outcome.id(),
        })
        .collect();
    let proven = done.iter().flat_map(|taken| &taken.items).all(|item| item.outcome == Outcome::Proven);
    let body = Body {
        account: &account.name,
        held: account.is_held,
        proven,
        files,
        left: left.iter().map(|finding| masked_path(&purge::place(finding))).collect(),
    };
    context.output.show("claudectl.adopted/1", &body, || told(&body))?;
    Ok(if proven { Exit::Ok } else { Exit::Unproven })
}

fn told(body: &Body<'_>) -> String {
    let (done, account) = (styled(GOOD, "Adopted"), Plain(body.account));
    let mut told = if body.held {
        format!("{done} nothing: the key is held already, as account {account}. Its copies were taken out.\n")
    } else {
        format!("{done} the key as {account}.\n")
    };
    for file in &body.files {
        let _ = writeln!(told, "  {}: {}, {}", Plain(&file.path), Plain(file.action), Plain(file.proof));
    }
    if !body.left.is_empty() {
        told.push_str("Copies of it stay here, which claudectl purge removes:\n");
    }
    for place in &body.left {
        let _ = writeln!(told, "  {}", Plain(place));
    }
    told.push_str("claudectl adopt --undo puts the lines back, with a placeholder.");
    told
}
