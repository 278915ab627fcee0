//! Databases of cookies, made and read by the real SQLite.

use std::{fs, path::Path};

use rusqlite::{Connection, params};

use super::write_private;

/// As Firefox has it: in a row the value follows its name, and the host follows the value.
const TABLE: &str =
    "CREATE TABLE moz_cookies (id INTEGER PRIMARY KEY, originAttributes TEXT NOT NULL DEFAULT '',
    name TEXT, value TEXT, host TEXT, path TEXT, expiry INTEGER, isSecure INTEGER,
    CONSTRAINT moz_uniqueid UNIQUE (name, host, path, originAttributes))";

/// A database with cookies of other sites and this one of claude.ai.
pub(super) fn write(path: &Path, value: &str) {
    make(path, |connection| insert(connection, value));
}

/// A log of this name beside a database that has everything but the last transactions.
pub(super) fn write_log(path: &Path, value: &str) {
    let name = path.to_str().expect("a name").strip_suffix("-wal").expect("the name of a log");
    make(Path::new(name), |connection| {
        connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA wal_checkpoint")
            .expect("a log");
        insert(connection, value);
        row(connection, "last", "written after it", "example.org");
    });
}

/// All cookies, by a copy of the database and its log: `name=value`.
pub fn read(path: &Path) -> Vec<String> {
    let place = tempfile::tempdir().expect("a directory");
    let copy = place.path().join("cookies.sqlite");
    fs::copy(path, &copy).expect("a database");
    let log = path.with_extension("sqlite-wal");
    if log.exists() {
        fs::copy(log, copy.with_extension("sqlite-wal")).expect("a log");
    }
    let connection = Connection::open(&copy).expect("a database");
    let verdict: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a verdict");
    assert_eq!(verdict, "ok", "{}", path.display());
    let mut statement = connection
        .prepare("SELECT name || '=' || value FROM moz_cookies ORDER BY id")
        .expect("the table is there");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    rows.map(|row| row.expect("a row")).collect()
}

/// The files as they are while the database is open.
fn make(path: &Path, work: impl FnOnce(&Connection)) {
    let place = tempfile::tempdir().expect("a directory");
    let own = place.path().join("cookies.sqlite");
    let connection = Connection::open(&own).expect("a database");
    connection.execute_batch(TABLE).expect("a table");
    for number in 0..100 {
        row(&connection, &format!("c{number}"), &format!("of a site {number}"), "example.org");
    }
    work(&connection);
    write_private(path, &fs::read(&own).expect("a database"));
    if let Ok(log) = fs::read(own.with_extension("sqlite-wal")) {
        write_private(&path.with_extension("sqlite-wal"), &log);
    }
}

fn insert(connection: &Connection, value: &str) {
    row(connection, "sessionKey", value, ".claude.ai");
}

fn row(connection: &Connection, name: &str, value: &str, host: &str) {
    connection
        .execute(
            "INSERT INTO moz_cookies (name, value, host, path) VALUES (?, ?, ?, '/')",
            params![name, value, host],
        )
        .expect("a row");
}
