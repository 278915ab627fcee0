//! Databases of other programs, as the real SQLite makes them and reads them afterwards.

mod held;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use claudectl_footprint::{
    Finding,
    finding::FingerprintKey,
    plan::{Choice, Plan},
    purge::run_file,
    receipt::{Item, Outcome},
    scan::Needles,
};

use super::scan;
use proptest::prelude::*;
use rusqlite::{Connection, params};

const PROFILE: &str = ".mozilla/firefox/ab12.default";

/// As Firefox has it.
const COOKIES: &str = "CREATE TABLE moz_cookies (id INTEGER PRIMARY KEY, originAttributes TEXT NOT NULL DEFAULT '',
    name TEXT, value TEXT, host TEXT, path TEXT, expiry INTEGER, lastAccessed INTEGER, creationTime INTEGER,
    isSecure INTEGER, isHttpOnly INTEGER, CONSTRAINT moz_uniqueid UNIQUE (name, host, path, originAttributes))";

fn secret(number: u32) -> String {
    format!(
        "sk-ant-sid01-TEST{number:05}abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdAA"
    )
}

fn profile(home: &Path) -> PathBuf {
    let profile = home.join(PROFILE);
    fs::create_dir_all(&profile).unwrap();
    profile
}

fn database(home: &Path) -> PathBuf {
    profile(home).join("cookies.sqlite")
}

fn cookie(connection: &Connection, id: u32, name: &str, value: &str, host: &str) {
    connection
        .execute(
            "INSERT INTO moz_cookies (id, name, value, host, path, expiry, isSecure) VALUES (?, ?, ?, ?, '/', 9, 1)",
            params![id, name, value, host],
        )
        .unwrap();
}

/// Cookies of ordinary sites, and the one that matters.
fn fill(connection: &Connection, secret: &str) {
    connection.execute_batch(COOKIES).unwrap();
    connection.execute_batch("BEGIN").unwrap();
    for id in 1..=400 {
        cookie(connection, id, &format!("c{id}"), &format!("ordinary value {id} of a site"), "example.org");
    }
    cookie(connection, 401, "sessionKey", secret, ".claude.ai");
    connection.execute_batch("COMMIT").unwrap();
}

/// Every row of every table, in order.
fn rows(path: &Path) -> Vec<Vec<String>> {
    let connection = Connection::open(path).unwrap();
    let ok: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(ok, "ok", "{}", path.display());
    let mut statement =
        connection.prepare("SELECT id, name, value, host FROM moz_cookies ORDER BY id").unwrap();
    let row = |row: &rusqlite::Row<'_>| {
        Ok(vec![row.get::<_, i64>(0)?.to_string(), row.get(1)?, row.get(2)?, row.get(3)?])
    };
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}

fn files(home: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(profile(home)).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn holds(text: &[u8], part: &str) -> bool {
    text.windows(part.len()).any(|window| window == part.as_bytes())
}

fn look(home: &Path, key: &FingerprintKey) -> Vec<Finding> {
    scan::look(home, key, Needles::default()).findings
}

fn purge(home: &Path, step: &mut dyn FnMut(&'static str)) -> Vec<Item> {
    let key = FingerprintKey::random().unwrap();
    let plan = Plan::new(look(home, &key), &Choice::default(), home);
    assert!(plan.persons.is_empty(), "{plan:?}");
    plan.files.iter().flat_map(|file| run_file(file, &key, step).items).collect()
}

/// Purges, and looks at everything that was to go and to stay.
fn assert_purged(home: &Path, secrets: &[String]) {
    let before = files(home);
    for secret in secrets {
        assert!(
            before.values().any(|text| holds(text, secret)),
            "there is something to remove: {:?}",
            before.keys()
        );
    }
    let items = purge(home, &mut |_| {});
    assert!(
        items.len() >= secrets.len() && items.iter().all(|item| item.outcome == Outcome::Proven),
        "{items:#?}"
    );
    let after = files(home);
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    for (path, text) in &after {
        assert!(secrets.iter().all(|secret| !holds(text, secret)), "{}", path.display());
        assert_eq!(text.len(), before[path].len());
    }
    assert_eq!(look(home, &FingerprintKey::random().unwrap()), []);
}

/// The text without them, whole or as far as a deleted row still has them.
fn masked(text: &[u8]) -> Vec<u8> {
    const START: &[u8] = b"sk-ant-sid01-";
    let mut text = text.to_vec();
    for at in 0..text.len() {
        if !text[at..].starts_with(START) {
            continue;
        }
        let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let length = text[at..].iter().take_while(is_part).count();
        if length >= START.len() + 20 {
            text[at..at + length].fill(b'x');
        }
    }
    text
}

#[test]
fn a_cookie_goes_with_its_deleted_predecessors_and_every_other_row_stays() {
    let home = tempfile::tempdir().unwrap();
    let path = database(home.path());
    let secrets: Vec<_> = (0..30).map(secret).collect();
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA secure_delete = OFF; PRAGMA synchronous = OFF").unwrap();
    fill(&connection, &secrets[0]);
    // What a browser leaves in free pages and between rows: it renewed the cookie, and forgot sites.
    for (id, secret) in (1000..).zip(&secrets[1..]) {
        cookie(&connection, id, &format!("sessionKey{id}"), secret, ".claude.ai");
        for more in 0..10 {
            cookie(
                &connection,
                id * 100 + more,
                &format!("c{id}-{more}"),
                &"filler ".repeat(40),
                "example.org",
            );
        }
    }
    connection.execute_batch("DELETE FROM moz_cookies WHERE id >= 1000").unwrap();
    drop(connection);
    let (free, before) = (masked(&fs::read(&path).unwrap()), rows(&path));
    let left: Vec<_> =
        secrets.into_iter().filter(|secret| holds(&fs::read(&path).unwrap(), secret)).collect();
    assert!(left.len() > 5, "{}", left.len());
    assert_purged(home.path(), &left);
    assert!(fs::read(&path).unwrap() == free, "another byte changed");
    let mut expected = before;
    expected.last_mut().unwrap()[2] = "x".repeat(secret(0).len());
    assert_eq!(rows(&path), expected);
}

/// The files of a database as they are while a program works with it: what a crash leaves.
fn crash(home: &Path, work: impl FnOnce(&Connection)) {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("cookies.sqlite");
    let connection = Connection::open(&path).unwrap();
    work(&connection);
    for entry in fs::read_dir(place.path()).unwrap() {
        let from = entry.unwrap().path();
        fs::copy(&from, profile(home).join(from.file_name().unwrap())).unwrap();
    }
}

#[test]
fn a_write_ahead_log_keeps_every_other_transaction() {
    for page_size in [512, 4096, 32768] {
        let home = tempfile::tempdir().unwrap();
        let secrets = [secret(1), secret(2)];
        crash(home.path(), |connection| {
            connection
                .execute_batch(&format!(
                    "PRAGMA page_size = {page_size}; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0"
                ))
                .unwrap();
            fill(connection, &secrets[0]);
            connection
                .execute("UPDATE moz_cookies SET value = ? WHERE id = 401", params![secrets[1]])
                .unwrap();
            cookie(connection, 402, "last", "written after it", "example.org");
        });
        assert!(files(home.path()).keys().any(|path| path.ends_with("cookies.sqlite-wal")));
        assert_purged(home.path(), &secrets);
        let rows = rows(&database(home.path()));
        assert_eq!(rows.len(), 402, "page size {page_size}");
        assert_eq!(rows[401][2], "written after it");
        assert_eq!(rows[400][2], "x".repeat(secrets[0].len()));
        assert!(files(home.path()).values().all(|text| secrets.iter().all(|secret| !holds(text, secret))));
    }
}

#[test]
fn a_hot_journal_still_takes_back_what_was_not_finished() {
    let home = tempfile::tempdir().unwrap();
    let secrets = [secret(1)];
    crash(home.path(), |connection| {
        connection.execute_batch("PRAGMA page_size = 1024; PRAGMA cache_size = 5").unwrap();
        fill(connection, &secrets[0]);
        connection.execute_batch("BEGIN; UPDATE moz_cookies SET value = value || ' not finished'").unwrap();
    });
    let journal = database(home.path()).with_file_name("cookies.sqlite-journal");
    assert!(holds(&fs::read(&journal).unwrap(), &secrets[0]));
    assert_purged(home.path(), &secrets);
    let rows = rows(&database(home.path()));
    assert_eq!(rows.len(), 401);
    for (id, row) in (1..).zip(&rows[..400]) {
        assert_eq!(row[2], format!("ordinary value {id} of a site"));
    }
    assert_eq!(rows[400][2], "x".repeat(secrets[0].len()));
    assert!(!journal.exists(), "SQLite took it for a good one");
}

#[test]
fn long_values_and_the_journal_that_was_done_with() {
    let home = tempfile::tempdir().unwrap();
    let path = database(home.path());
    let secrets = [secret(1), secret(2)];
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA page_size = 4096; PRAGMA journal_mode = PERSIST").unwrap();
    fill(&connection, &secrets[0]);
    let long = format!("{{\"a\":\"{}\",\"key\":\"{}\",\"z\":1}}", "long ".repeat(6000), secrets[1]);
    cookie(&connection, 500, "state", &long, "example.org");
    connection.execute_batch("UPDATE moz_cookies SET lastAccessed = 1").unwrap();
    drop(connection);
    assert_purged(home.path(), &secrets);
    let rows = rows(&path);
    let expected = long.replace(&secrets[1], &"x".repeat(secrets[1].len()));
    assert_eq!(rows.last().unwrap()[2], expected);
}

#[test]
fn a_value_that_an_index_is_ordered_by_is_left_and_that_is_said() {
    let home = tempfile::tempdir().unwrap();
    let path = database(home.path());
    let connection = Connection::open(&path).unwrap();
    fill(&connection, &secret(1));
    connection.execute_batch("CREATE INDEX by_value ON moz_cookies (value)").unwrap();
    drop(connection);
    let before = files(home.path());
    let items = purge(home.path(), &mut |_| {});
    assert_eq!(items[0].outcome, Outcome::Unproven);
    assert!(items[0].proof.contains("index"), "{items:?}");
    assert!(files(home.path()) == before, "it was touched");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    /// Whatever stands around it in a row, and wherever the page ends.
    #[test]
    fn whatever_a_row_holds(
        page_size in prop::sample::select(vec![512, 1024, 4096, 65536]),
        wal in any::<bool>(),
        rows_of in prop::collection::vec(("[ -~]{0,90}", "[a-z]{0,12}", prop::option::of(0..900_usize), any::<bool>()), 1..60),
    ) {
        let home = tempfile::tempdir().unwrap();
        let mut secrets = Vec::new();
        let mut expected = Vec::new();
        crash(home.path(), |connection| {
            connection.execute_batch(&format!("PRAGMA synchronous = OFF; PRAGMA page_size = {page_size}; PRAGMA journal_mode = {}", if wal { "WAL" } else { "DELETE" })).unwrap();
            connection.execute_batch(COOKIES).unwrap();
            for (id, (text, host, before, gone)) in (1..).zip(&rows_of) {
                // One that does not fit on its page has its other part on another.
                let secret = before.filter(|before| before + 300 < page_size / 2).map(|_| secret(id));
                let value = match (&secret, before) {
                    (Some(secret), Some(0)) => secret.clone(),
                    (Some(secret), Some(before)) => format!("{}\"{secret}", "y".repeat(*before)),
                    _ => text.clone(),
                };
                // A host right after it that goes on like a key: the value ends where the value ends.
                cookie(connection, id, &format!("sessionKey{id}"), &value, host);
                if *gone {
                    connection.execute("DELETE FROM moz_cookies WHERE id = ?", [id]).unwrap();
                } else {
                    let value = secret.as_ref().map_or(value.clone(), |secret| value.replace(secret, &"x".repeat(secret.len())));
                    expected.push(vec![id.to_string(), format!("sessionKey{id}"), value, host.clone()]);
                }
                secrets.extend(secret);
            }
        });
        purge(home.path(), &mut |_| {});
        for (path, text) in files(home.path()) {
            for secret in &secrets {
                prop_assert!(!holds(&text, secret), "{} in {}", secret, path.display());
            }
        }
        prop_assert_eq!(rows(&database(home.path())), expected);
    }
}
