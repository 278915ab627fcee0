//! In which order a purge writes: what is overwritten is stored before its name goes, what takes the place of a
//! file is stored before it does, and every directory in which a name went or came is stored at the end of it.

use std::{fs, path::PathBuf};

use claudectl_tests::{isolation::private_processes, need, require, sandbox::Sandbox};
use serde_json::Value;

use super::{FILES, purged, seed, tree};

/// What is done to a file, in order: `F` is the file, `N` the new one that takes its place, `D` their directory.
const OVERWRITTEN: &[(&str, char)] = &[("write", 'F'), ("sync", 'F')];
const REPLACED: &[(&str, char)] =
    &[("write", 'F'), ("sync", 'F'), ("write", 'N'), ("sync", 'N'), ("rename", 'F'), ("sync", 'D')];
const REMOVED: &[(&str, char)] = &[
    ("write", 'F'),
    ("sync", 'F'),
    ("unlink", 'F'),
    // Once more without a name: the whole of it.
    ("write", 'F'),
    ("sync", 'F'),
    ("sync", 'D'),
];

type Calls = Vec<(String, PathBuf)>;

/// What the purge did, without what it wrote to pipes and sockets; several writes in a row are one.
fn purge(sandbox: &Sandbox) -> Calls {
    let told = sandbox.path("tmp/stored");
    let mut command = sandbox.command("stored-by");
    command.arg(&told).arg(claudectl_tests::sandbox::binary("claudectl".as_ref())).args(["purge", "--yes"]);
    sandbox.start(command).finish().exited(0);
    let mut calls = Calls::new();
    for line in fs::read_to_string(told).unwrap().lines() {
        let call: Value = serde_json::from_str(line).unwrap();
        let path = call["path"].as_str().unwrap();
        let path = PathBuf::from(path.strip_suffix(" (deleted)").unwrap_or(path));
        calls.push((call["call"].as_str().unwrap().to_owned(), path));
    }
    calls.retain(|(_, path)| path.starts_with(sandbox.path(".")));
    calls.dedup();
    calls
}

/// What has to be done to the files below the home.
fn wanted(sandbox: &Sandbox) -> Calls {
    let mut files: Vec<_> = FILES.iter().map(|(name, _)| sandbox.home().join(name)).collect();
    files.sort();
    let steps = files.iter().flat_map(|file| {
        let directory = file.parent().unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        let steps = match name {
            _ if directory.ends_with("backups") => REMOVED,
            ".bash_history" | "1.jsonl" => OVERWRITTEN,
            _ => REPLACED,
        };
        steps.iter().map(move |(call, what)| {
            let path = match what {
                'N' => directory.join(format!(".{name}.claudectl-purge")),
                'D' => directory.to_owned(),
                _ => file.clone(),
            };
            ((*call).to_owned(), path)
        })
    });
    steps.collect()
}

#[test]
fn what_goes_is_stored_as_gone() {
    need!(require::tracing());
    if !need!(private_processes("purge::stored::what_goes_is_stored_as_gone")) {
        return;
    }
    let mut sandbox = Sandbox::new();
    let state = sandbox.path("state");
    sandbox.set("XDG_STATE_HOME", &state);
    let key = sandbox.key();
    seed(&sandbox, &key);
    let calls = purge(&sandbox);
    assert_eq!(tree(&sandbox.home()), purged(&key));

    let at_home: Calls = calls.iter().filter(|(_, path)| path.starts_with(sandbox.home())).cloned().collect();
    assert_eq!(at_home, wanted(&sandbox));

    // Which files are begun is stored before the first of them is touched, and forgotten after the last.
    let journal = state.join("claudectl/purge.journal");
    let place = |call: &str, path: &PathBuf| {
        let found = calls.iter().position(|(other, of)| other == call && of == path);
        found.unwrap_or_else(|| panic!("no {call} of {}: {calls:?}", path.display()))
    };
    let noted = [
        place("write", &journal),
        place("sync", &journal),
        place("sync", &journal.parent().unwrap().to_owned()),
        calls.iter().position(|call| *call == at_home[0]).unwrap(),
        calls.iter().rposition(|call| Some(call) == at_home.last()).unwrap(),
        calls.iter().rposition(|(call, path)| call == "unlink" && *path == journal).unwrap(),
    ];
    assert!(noted.is_sorted(), "{noted:?} in {calls:?}");
}
