//! The seeded home of the audit, purged: every place of three systems' layouts.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use claudectl_tests::{
    isolation::private_processes,
    need,
    sandbox::Sandbox,
    seed::{self, Sown},
};

/// The places whose files may go: stored logins, which a client removes whole, their copies, and backups.
const WHOLE: [&str; 4] =
    ["claude.backups", "claude.credentials", "claude.credentials-copies", "claude.home-backups"];

type Files = BTreeMap<PathBuf, Vec<u8>>;

fn files(sandbox: &Sandbox) -> Files {
    let mut found = Files::new();
    let mut directories = vec![sandbox.home(), sandbox.path("work"), sandbox.path("config")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                directories.push(path);
            } else if path.is_file() {
                found.insert(path.clone(), fs::read(path).unwrap());
            }
        }
    }
    found
}

fn holds(text: &[u8], part: &str) -> bool {
    text.windows(part.len()).any(|window| window == part.as_bytes())
}

/// The bytes of `after` that are not, in this order, in `before`.
fn added(before: &[u8], after: &[u8]) -> Vec<u8> {
    let mut rest = before.iter();
    let mut added = Vec::new();
    for byte in after {
        let mut look = rest.clone();
        if look.any(|other| other == byte) {
            rest = look;
        } else {
            added.push(*byte);
        }
    }
    added
}

/// What a text says, without the mark of its encoding; of UTF-16 as far as it is ASCII.
fn characters(text: &[u8]) -> Vec<u8> {
    let is_marked = text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff");
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    text.iter().copied().filter(|byte| !(is_marked && *byte == 0)).collect()
}

/// The file as it was, with `x` for every credential that was sown in it.
fn filled(text: &[u8], sown: &[&Sown]) -> Vec<u8> {
    let mut text = text.to_vec();
    for one in sown {
        let part = one.written.as_bytes();
        let places: Vec<_> =
            (0..=text.len().saturating_sub(part.len())).filter(|at| text[*at..].starts_with(part)).collect();
        for at in places {
            text[at..at + part.len()].iter_mut().filter(|byte| **byte != 0).for_each(|byte| *byte = b'x');
        }
    }
    text
}

/// What was sown is gone, every other line is there, and nothing is new but a command that does nothing,
/// where a block needs one.
fn assert_only_credentials_went(path: &Path, here: &[&Sown], old: &[u8], new: &[u8]) {
    for one in here {
        assert!(!holds(new, &one.written), "{} still holds {} of {}", path.display(), one.kind, one.place);
    }
    let (masked, new) = (characters(&filled(old, here)), &characters(new)[..]);
    let text = String::from_utf8_lossy(new);
    let more = added(&masked, new);
    assert!(more.is_empty() || more == b":", "{}: {more:?} in {text}", path.display());
    if path.extension().is_some_and(|extension| extension.to_string_lossy().starts_with("json")) {
        return;
    }
    let mut later = new.split(|byte| *byte == b'\n');
    let lines: Vec<&[u8]> = masked.split(|byte| *byte == b'\n').collect();
    // In a property list the name of a variable stands on the line before it.
    let is_name = |at: usize| lines[at].trim_ascii().starts_with(b"<key>");
    let goes = |at: usize| lines.get(at).is_some_and(|line| holds(line, "xxxxxxxx"));
    for (_, line) in lines.iter().enumerate().filter(|(at, _)| !(goes(*at) || is_name(*at) && goes(at + 1))) {
        let is_kept = later.any(|other| other == *line);
        assert!(is_kept, "{}: {:?} is gone from {text}", path.display(), String::from_utf8_lossy(line));
    }
}

/// The log of a database changes with its checksums; what counts is what SQLite reads from it.
fn is_log(path: &Path) -> bool {
    path.to_string_lossy().ends_with("-wal")
}

/// Whether cookies were sown in it; every one is there, and the one that was sown is as long as before and opens nothing.
fn cookies_stay(path: &Path, sown: &[Sown]) -> bool {
    let log = path.with_extension("sqlite-wal");
    if !path.ends_with("cookies.sqlite") {
        return false;
    }
    let Some(one) = sown.iter().find(|one| one.path == path || one.path == log) else {
        return false;
    };
    let cookies = seed::cookies::read(path);
    assert_eq!(cookies.len(), if one.path == log { 102 } else { 101 }, "{}", path.display());
    assert_eq!(cookies[100], format!("sessionKey={}", "x".repeat(one.written.len())));
    for (number, cookie) in cookies[..100].iter().enumerate() {
        assert_eq!(cookie, &format!("c{number}=of a site {number}"));
    }
    true
}

#[test]
fn after_a_purge_the_next_audit_finds_nothing_and_only_credentials_are_gone() {
    let name = "purge::seeded::after_a_purge_the_next_audit_finds_nothing_and_only_credentials_are_gone";
    if !need!(private_processes(name)) {
        return;
    }
    let sandbox = Sandbox::new();
    let sown = seed::sow(&sandbox);
    let look_alikes = seed::sow_look_alikes(&sandbox);
    let before = files(&sandbox);
    let receipt = sandbox.ctl(&["purge", "--yes", "--everything", "--json"]).json();
    let is_open =
        |item: &&serde_json::Value| item["outcome"] == "unproven" && item["what"] != "login of Claude Code";
    let open: Vec<_> = receipt["items"].as_array().unwrap().iter().filter(is_open).collect();
    assert!(open.is_empty(), "{open:#?}");
    let audit = sandbox.ctl(&["audit", "--files-only", "--json"]).exited(0).json();
    assert_eq!((&audit["clean"], &audit["complete"]), (&true.into(), &true.into()), "{audit:#}");

    let after = files(&sandbox);
    let mut deleted = 0;
    for (path, old) in &before {
        let here: Vec<_> = sown.iter().filter(|one| one.path == *path).collect();
        let Some(new) = after.get(path) else {
            assert!(
                here.iter().any(|one| WHOLE.contains(&one.place)),
                "{} is gone: {here:?}",
                path.display()
            );
            deleted += 1;
            continue;
        };
        if here.is_empty() {
            assert_eq!(old, new, "{}", path.display());
            continue;
        }
        if is_log(path) {
            continue;
        }
        assert_only_credentials_went(path, &here, old, new);
    }
    println!(
        "{} credentials in {} files, {deleted} of them deleted; {look_alikes} others untouched",
        sown.len(),
        before.len()
    );
    assert_eq!(before.keys().filter(|path| cookies_stay(path, &sown)).count(), 3);
    sandbox.assert_clean(&[]);
}
