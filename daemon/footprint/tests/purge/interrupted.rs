use std::{
    collections::BTreeMap,
    env, fs,
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Command, ExitStatus},
};

use claudectl_footprint::{
    finding::FingerprintKey,
    plan::{Choice, Plan},
    purge::{Journal, run_file},
};

use super::seeded::{KEY, OTHER, PAIRS, PAIRS_PURGED, SEEDS, look, look_at_pairs, purged, seed, tree};

const HOME: &str = "CLAUDECTL_TEST_PURGED_HOME";
const STEP: &str = "CLAUDECTL_TEST_KILLED_AT";

/// A whole purge of the seeded home; kills its own process before the system call of this number.
fn purge(home: &Path, state: &Path, killed_at: Option<usize>) {
    let key = FingerprintKey::random().unwrap();
    let journal = Journal::within(state);
    journal.finish(&key).unwrap();
    let mut found = look(home, SEEDS, &key);
    found.extend(look_at_pairs(home, &key));
    let plan = Plan::new(found, &Choice::default(), home);
    journal.begin(&plan.files).unwrap();
    let mut count = 0;
    let mut step = |_: &'static str| {
        if Some(count) == killed_at {
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).unwrap();
        }
        count += 1;
    };
    for file in &plan.files {
        run_file(file, &key, &mut step);
    }
    journal.end().unwrap();
}

/// What the home is when all of it is gone.
fn all_purged() -> BTreeMap<String, String> {
    let pairs = PAIRS_PURGED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    purged().into_iter().chain(pairs).collect()
}

/// Whether a file is as it was, but for credentials that are filled already.
fn is_partly_filled(text: &str, before: &str) -> bool {
    let filled = |text: &str, key: &str| text.replace(key, &"x".repeat(key.len()));
    let (one, other) = (filled(before, KEY), filled(before, OTHER));
    [before, &one, &other, &filled(&one, OTHER)].contains(&text)
}

/// Not a test of its own: what `killed_at_every_step` runs in a process that it can lose.
#[test]
fn one_purge_that_is_killed() {
    let Some(home) = env::var_os(HOME) else { return };
    let home = Path::new(&home);
    let step = env::var(STEP).unwrap().parse().unwrap();
    purge(&home.join("home"), &home.join("state"), Some(step));
}

fn run_killed(place: &Path, step: usize) -> ExitStatus {
    Command::new(env::current_exe().unwrap())
        .args(["interrupted::one_purge_that_is_killed", "--exact"])
        .env(HOME, place)
        .env(STEP, step.to_string())
        .output()
        .unwrap()
        .status
}

#[test]
fn killed_at_every_step_it_leaves_nothing_half_written_and_can_be_run_again() {
    for step in 0.. {
        let place = tempfile::tempdir().unwrap();
        let (home, state) = (place.path().join("home"), place.path().join("state"));
        fs::create_dir_all(&home).unwrap();
        fs::create_dir_all(&state).unwrap();
        seed(&home, SEEDS);
        seed(&home, PAIRS);
        let before = tree(&home);
        let status = run_killed(place.path(), step);
        let was_killed = status.signal() == Some(9);
        assert!(was_killed || status.success(), "{status}");

        for (name, text) in tree(&home) {
            let is_whole = before.get(&name).is_some_and(|before| is_partly_filled(&text, before))
                || all_purged().get(&name) == Some(&text);
            let holds = |key: &str| text.contains(key);
            let is_beside = name.ends_with(".claudectl-purge") && !holds(KEY) && !holds(OTHER);
            assert!(is_whole || is_beside, "step {step}: {name} is half written: {text}");
        }
        for text in tree(&state).values() {
            assert!(!text.contains(KEY) && !text.contains(OTHER), "the journal has no credential");
        }

        purge(&home, &state, None);
        assert_eq!(tree(&home), all_purged(), "step {step}");
        assert_eq!(tree(&state).len(), 0);
        if !was_killed {
            assert!(step > 30, "only {step} steps");
            return;
        }
    }
}
