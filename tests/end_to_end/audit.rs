//! `claudectl audit` on homes in which other programs left credentials.

mod accounts;
mod details;
mod hostile;
mod named;
mod precedence;
mod processes;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use claudectl_tests::{
    sandbox::Sandbox,
    seed::{self, Sown},
};
use serde_json::Value;

/// A finding in a file: place, kind, path, and the bytes that it says are the credential.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    place: String,
    kind: String,
    path: PathBuf,
    bytes: Vec<Vec<u8>>,
}

/// Runs the audit, which may show no credential of the sandbox; the document.
#[track_caller]
fn audit(sandbox: &Sandbox, code: i32) -> Value {
    let output = sandbox.ctl(&["audit", "--files-only", "--json"]).exited(code);
    let document = output.json();
    let mut shown = vec![output.stdout, output.stderr];
    for arguments in
        [["audit", "--files-only"].as_slice(), &["audit", "--files-only", "--sarif"], &["status"]]
    {
        let output = sandbox.ctl(arguments);
        shown.extend([output.stdout, output.stderr]);
    }
    shown.push(
        fs::read_to_string(sandbox.sockets().join("audit.json")).expect("the numbers of the last audit"),
    );
    for text in shown {
        let copies = sandbox.search().copies(text.as_bytes());
        assert!(copies.is_empty(), "a credential was shown: {copies:?}");
    }
    document
}

fn told(document: &Value) -> Vec<Told> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let in_files =
        document["findings"].as_array().unwrap().iter().filter(|one| one["location"]["type"] == "file");
    let one = |finding: &Value| {
        let path = PathBuf::from(text(&finding["location"]["path"]));
        let content = fs::read(&path).unwrap();
        let range = |range: &Value| {
            let offset = |index: usize| usize::try_from(range[index].as_u64().unwrap()).unwrap();
            content[offset(0)..offset(1)].to_vec()
        };
        let bytes = finding["location"]["bytes"].as_array().unwrap().iter().map(range).collect();
        Told { place: text(&finding["place"]), kind: text(&finding["kind"]), path, bytes }
    };
    in_files.map(one).collect()
}

fn is(told: &Told, sown: &Sown) -> bool {
    let is_there = told.bytes.iter().all(|bytes| bytes == sown.written.as_bytes());
    told.path == sown.path && told.kind == sown.kind && told.place == sown.place && is_there
}

/// Prints how much of what was sown was found; how many there were found, and how many findings are right.
fn table(sown: &[Sown], told: &[Told]) -> (usize, usize) {
    let mut rows: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
    for one in sown {
        let row = rows.entry((one.place.split('.').next().unwrap(), one.system)).or_default();
        row.0 += 1;
        row.1 += usize::from(told.iter().any(|told| is(told, one)));
    }
    let right = told.iter().filter(|told| sown.iter().any(|sown| is(told, sown))).count();
    seed::print(&rows, right, told.len());
    (rows.values().map(|row| row.1).sum(), right)
}

#[test]
fn everything_that_was_sown_is_found_exactly_and_nothing_else() {
    let sandbox = Sandbox::new();
    let sown = seed::sow(&sandbox);
    let places: std::collections::BTreeSet<_> = sown.iter().map(|sown| sown.path.clone()).collect();
    assert!(places.len() >= 60, "{}", places.len());
    let look_alikes = seed::sow_look_alikes(&sandbox);
    let document = audit(&sandbox, 1);
    let told = told(&document);
    assert!(look_alikes >= 40, "{look_alikes}");
    let (found, right) = table(&sown, &told);
    let missed: Vec<_> = sown.iter().filter(|sown| !told.iter().any(|told| is(told, sown))).collect();
    let wrong: Vec<_> =
        told.iter().filter(|told| !sown.iter().any(|sown| is(told, sown))).map(readable).collect();
    assert!(missed.is_empty() && wrong.is_empty(), "missed {missed:#?}\nfalse alarms {wrong:#?}");
    assert_eq!((found, right), (sown.len(), told.len()));
    assert_eq!(document["complete"], true, "{}", document["gaps"]);
}

fn readable(told: &Told) -> String {
    let bytes: Vec<_> = told.bytes.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect();
    format!("{} {} {} {bytes:?}", told.place, told.kind, told.path.display())
}

#[test]
fn a_home_without_credentials_is_clean() {
    let sandbox = Sandbox::new();
    seed::sow_look_alikes(&sandbox);
    let document = audit(&sandbox, 0);
    assert_eq!((&document["clean"], &document["complete"]), (&true.into(), &true.into()), "{document}");
    assert_eq!(document["findings"], Value::Array(Vec::new()), "{document}");
    let text = sandbox.ctl(&["audit", "--files-only"]).exited(0);
    assert!(text.stdout.starts_with("Clean.  No credential outside the daemon."), "{}", text.stdout);
}

/// What a system ships is full of words such as key and token. It stands where everything is looked at.
#[test]
fn what_a_system_ships_is_no_credential() {
    let sandbox = Sandbox::new();
    let corpus = [
        ("/etc/skel", ""),
        ("/etc/bash_completion.d", ".claude/shell-snapshots"),
        ("/usr/share/bash-completion/completions", ".claude/shell-snapshots/completions"),
        ("/etc/profile.d", ".claude/file-history/profile"),
        ("/usr/share/perl5", ".claude/file-history/perl"),
        ("/usr/lib/python3/dist-packages", ".claude/file-history/python"),
    ];
    let copied: usize = corpus
        .iter()
        .filter_map(|(from, to)| {
            Some(copy(&fs::read_dir(from).ok()?.flatten().collect::<Vec<_>>(), &sandbox.home().join(to)))
        })
        .sum();
    println!("{copied} files of the system");
    let document = audit(&sandbox, 0);
    assert_eq!(
        (&document["clean"], &document["findings"]),
        (&true.into(), &Value::Array(Vec::new())),
        "{document}"
    );
    let looked_at = document["looked_at"]["files"].as_u64().unwrap();
    assert!(copied > 0 && looked_at >= copied.try_into().unwrap(), "{copied}: {document}");
}

/// Copies the plain files among these; how many.
fn copy(entries: &[fs::DirEntry], to: &Path) -> usize {
    let files = entries.iter().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let copies = files.filter_map(|entry| Some((fs::read(entry.path()).ok()?, to.join(entry.file_name()))));
    copies.map(|(text, path)| seed::write_private(&path, &text)).count()
}

#[test]
fn nothing_is_changed_by_looking() {
    let sandbox = Sandbox::new();
    seed::sow(&sandbox);
    let before = snapshot(&sandbox.home());
    audit(&sandbox, 1);
    assert_eq!(before, snapshot(&sandbox.home()));
}

#[test]
fn a_store_of_profiles_that_a_variable_moved_is_looked_at() {
    let mut sandbox = Sandbox::new();
    let store = sandbox.path("profiles");
    let profile = format!("{{\"auth\":{{\"access_token\":\"{}\"}}}}", sandbox.key());
    seed::write_private(&store.join("configs/work.json"), profile.as_bytes());
    audit(&sandbox, 0);
    sandbox.set("ANTHROPIC_CONFIG_DIR", &store);
    assert_eq!(told(&audit(&sandbox, 1))[0].path, store.join("configs/work.json"));
    // A directory that the home is in is not walked.
    sandbox.set("ANTHROPIC_CONFIG_DIR", "/");
    audit(&sandbox, 0);
}

#[test]
fn parts_of_a_project_that_cannot_be_entered_or_lead_out_are_no_gaps() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let sandbox = Sandbox::new();
    symlink("/usr/lib", sandbox.path("work/result")).unwrap();
    let closed = sandbox.path("work/data");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    assert_eq!(audit(&sandbox, 0)["complete"], true);
}

/// Every file with its content and the time of its last change.
fn snapshot(directory: &Path) -> BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            found.extend(snapshot(&path));
        } else {
            found.insert(
                path.clone(),
                (fs::read(&path).unwrap(), entry.metadata().unwrap().modified().unwrap()),
            );
        }
    }
    found
}
