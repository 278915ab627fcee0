//! A database that a program has open, and a purge of one that is killed.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use claudectl_footprint::{
    finding::FingerprintKey,
    plan::{Choice, Plan},
    purge::{Journal, run_file},
    receipt::Outcome,
};
use rusqlite::{Connection, params};

use super::{assert_purged, cookie, crash, database, files, fill, holds, look, purge, rows, secret};

const ROLE: &str = "CLAUDECTL_TEST_DATABASE_ROLE";
const PLACE: &str = "CLAUDECTL_TEST_DATABASE_PLACE";

/// Not a test of its own: a program that has the database open, as `ROLE` says, until its standard input ends.
#[test]
fn one_that_holds_a_database() {
    let (Some(role), Some(place)) = (env::var_os(ROLE), env::var_os(PLACE)) else { return };
    let home = PathBuf::from(place);
    if role == "purge" {
        let mut left = env::var("CLAUDECTL_TEST_KILLED_AT").unwrap().parse::<usize>().unwrap();
        purge_with_journal(&home, &mut |_| {
            if left == 0 {
                rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)
                    .unwrap();
            }
            left -= 1;
        });
        return;
    }
    let connection = Connection::open(database(&home)).unwrap();
    let count: i64 = connection.query_row("SELECT count(*) FROM moz_cookies", [], |row| row.get(0)).unwrap();
    if role == "writes" {
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    }
    println!("\nholds {count}");
    std::io::stdout().flush().unwrap();
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

fn start(home: &Path, role: &str, step: usize) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["database::held::one_that_holds_a_database", "--exact", "--nocapture"])
        .env(ROLE, role)
        .env(PLACE, home)
        .env("CLAUDECTL_TEST_KILLED_AT", step.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn a_program_that_has_it_open_is_named_and_nothing_is_touched() {
    for (role, mode) in [("reads", "DELETE"), ("reads", "WAL"), ("writes", "DELETE"), ("writes", "WAL")] {
        let home = tempfile::tempdir().unwrap();
        let secrets = [secret(1)];
        let connection = Connection::open(database(home.path())).unwrap();
        connection.execute_batch(&format!("PRAGMA journal_mode = {mode}")).unwrap();
        fill(&connection, &secrets[0]);
        drop(connection);
        let mut holder = start(home.path(), role, 0);
        let mut said = BufReader::new(holder.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(said.any(|line| line == "holds 401"));
        let before = fs::read(database(home.path())).unwrap();
        let items = purge(home.path(), &mut |_| {});
        let by = items[0].by.as_deref().unwrap();
        assert_eq!(items[0].outcome, Outcome::Unproven, "{role} {mode}");
        assert!(by.contains(&format!("(pid {})", holder.id())), "{by}");
        assert!(fs::read(database(home.path())).unwrap() == before, "it was touched");
        drop(holder.stdin.take());
        assert!(holder.wait().unwrap().success());
        assert_purged(home.path(), &secrets);
    }
}

fn purge_with_journal(home: &Path, step: &mut dyn FnMut(&'static str)) {
    let key = FingerprintKey::random().unwrap();
    let journal = Journal::within(home);
    journal.finish(&key).unwrap();
    let plan = Plan::new(look(home, &key), &Choice::default(), home);
    journal.begin(&plan.files).unwrap();
    for file in &plan.files {
        run_file(file, &key, step);
    }
    journal.end().unwrap();
}

#[test]
fn killed_at_every_step_no_transaction_is_lost() {
    for step in 0.. {
        let home = tempfile::tempdir().unwrap();
        let secrets = [secret(1), secret(2)];
        crash(home.path(), |connection| {
            connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0").unwrap();
            fill(connection, &secrets[0]);
            connection.execute_batch("PRAGMA wal_checkpoint").unwrap();
            connection
                .execute("UPDATE moz_cookies SET value = ? WHERE id = 401", params![secrets[1]])
                .unwrap();
            cookie(connection, 402, "last", "written after it", "example.org");
        });
        let status = start(home.path(), "purge", step).wait().unwrap();
        let was_killed = status.signal() == Some(9);
        assert!(was_killed || status.success(), "{status}");
        // A program that opens it now finds all there is to be found.
        let copy = tempfile::tempdir().unwrap();
        for (path, text) in files(home.path()) {
            fs::write(copy.path().join(path.file_name().unwrap()), text).unwrap();
        }
        let found = rows(&copy.path().join("cookies.sqlite"));
        assert_eq!((found.len(), found[401][2].as_str()), (402, "written after it"), "step {step}");
        purge_with_journal(home.path(), &mut |_| {});
        let left = files(home.path());
        assert!(left.values().all(|text| secrets.iter().all(|secret| !holds(text, secret))), "step {step}");
        assert_eq!(left.len(), 3, "{:?}", left.keys());
        assert_eq!(rows(&database(home.path())).len(), 402);
        if !was_killed {
            assert!(step > 10, "only {step} steps");
            return;
        }
    }
}
