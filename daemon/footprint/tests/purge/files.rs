use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};

use claudectl_footprint::{
    finding::FingerprintKey,
    plan::{Choice, Plan, Removal},
    purge::{put_back, run_file, set_aside},
    receipt::{Item, Outcome},
};

use super::seeded::{
    COPIES, CREDENTIALS, HISTORIES, KEY, PROFILES, SEEDS, SETTINGS, Seed, find, plan, purged, seed, tree,
};

fn run(home: &Path, seeds: &[Seed]) -> Vec<Item> {
    let key = FingerprintKey::random().unwrap();
    let plan = plan(home, seeds, &key);
    plan.files.iter().flat_map(|file| run_file(file, &key, &mut |_| {}).items).collect()
}

#[test]
fn every_kind_of_file_and_a_second_time_nothing() {
    let home = tempfile::tempdir().unwrap();
    seed(home.path(), SEEDS);
    let items = run(home.path(), SEEDS);
    assert_eq!(items.len(), SEEDS.len());
    assert!(items.iter().all(|item| item.outcome == Outcome::Proven), "{items:?}");
    assert!(!format!("{items:?}").contains(KEY));
    assert_eq!(tree(home.path()), purged());
    assert_eq!(run(home.path(), SEEDS), []);
    assert_eq!(tree(home.path()), purged());
}

#[test]
fn what_is_no_assignment_is_overwritten_and_the_reason_told() {
    let home = tempfile::tempdir().unwrap();
    let seeds: &[Seed] = &[
        (&PROFILES, ".zshrc", "cat <<EOF\nexport K=@@\nEOF\n", None),
        (&SETTINGS, "settings.json", "{ not json @@", Some("/k")),
    ];
    seed(home.path(), seeds);
    let items = run(home.path(), seeds);
    assert!(items.iter().all(|item| item.outcome == Outcome::Proven));
    assert_eq!(items[0].action, "its characters overwritten: it is in a here-document");
    assert!(items[1].action.contains("not valid JSON"), "{items:?}");
    let x = "x".repeat(KEY.len());
    assert_eq!(tree(home.path())[".zshrc"], format!("cat <<EOF\nexport K={x}\nEOF\n"));
    assert_eq!(tree(home.path())["settings.json"], format!("{{ not json {x}"));
}

#[test]
fn neighbours_that_go_together_leave_valid_files() {
    let home = tempfile::tempdir().unwrap();
    let other = KEY.replace("TEST", "tset");
    fs::write(home.path().join("s.json"), format!(r#"{{"a":1,"k":"{KEY}","l":"{other}"}}"#)).unwrap();
    fs::write(home.path().join(".profile"), format!("export K={KEY} L={other}\nA=1\n")).unwrap();
    let key = FingerprintKey::random().unwrap();
    let mut found = Vec::new();
    for seed in [(&SETTINGS, "s.json", "", Some("/k")), (&PROFILES, ".profile", "", None)] {
        let one = find(home.path(), &seed, KEY, &key).unwrap();
        let seed = (seed.0, seed.1, seed.2, seed.3.map(|_| "/l"));
        found.extend([one, find(home.path(), &seed, &other, &key).unwrap()]);
    }
    for step in Plan::new(found, &Choice::default(), home.path()).files {
        assert_eq!(step.removals.len(), 2);
        run_file(&step, &key, &mut |_| {});
    }
    assert_eq!(tree(home.path())["s.json"], r#"{"a":1}"#);
    assert_eq!(tree(home.path())[".profile"], "A=1\n");
}

#[test]
fn a_file_that_changed_is_left_alone() {
    let home = tempfile::tempdir().unwrap();
    seed(home.path(), SEEDS);
    let key = FingerprintKey::random().unwrap();
    let plan = plan(home.path(), SEEDS, &key);
    let path = home.path().join(".bashrc");
    let longer = format!("{}# more\n", fs::read_to_string(&path).unwrap());
    fs::write(&path, &longer).unwrap();
    let step = plan.files.iter().find(|step| step.path == path).unwrap();
    let items = run_file(step, &key, &mut |_| {}).items;
    assert_eq!(items[0].outcome, Outcome::Unproven);
    assert!(items[0].by.as_ref().unwrap().contains("claudectl purge again"), "{items:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), longer);
}

/// Does the plan for this file; `when` is done right before the system call that is named so.
fn while_purging(home: &Path, seeds: &[Seed], step: &str, mut when: impl FnMut(&Path)) -> Vec<Item> {
    let key = FingerprintKey::random().unwrap();
    let plan = plan(home, seeds, &key);
    let file = &plan.files[0];
    let mut each = |name: &'static str| {
        if name == step {
            when(&file.path);
        }
    };
    run_file(file, &key, &mut each).items
}

fn append(path: &Path, text: &str) {
    let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
}

#[test]
fn what_is_written_meanwhile_is_not_lost() {
    let seeds: &[Seed] = &[(&PROFILES, ".zshrc", "export ANTHROPIC_API_KEY=@@\nexport A=1\n", None)];
    for step in ["overwrite", "sync the file", "make the new file", "put the new file in its place"] {
        let home = tempfile::tempdir().unwrap();
        seed(home.path(), seeds);
        let mut is_first = true;
        let items = while_purging(home.path(), seeds, step, |path| {
            if std::mem::take(&mut is_first) {
                append(path, "alias mine=1\n");
            }
        });
        assert_eq!(items[0].outcome, Outcome::Proven, "{step}: {items:?}");
        assert_eq!(tree(home.path())[".zshrc"], "export A=1\nalias mine=1\n", "{step}");
        assert_eq!(tree(home.path()).len(), 1, "{step}");
    }
}

#[test]
fn a_file_that_is_written_all_the_time_is_left_to_its_writer() {
    let home = tempfile::tempdir().unwrap();
    let seeds: &[Seed] = &[(&PROFILES, ".zshrc", "export ANTHROPIC_API_KEY=@@\nexport A=1\n", None)];
    seed(home.path(), seeds);
    let mut lines = String::new();
    let items = while_purging(home.path(), seeds, "put the new file in its place", |path| {
        append(path, "more\n");
        lines.push_str("more\n");
    });
    assert_eq!(items[0].outcome, Outcome::Proven);
    assert!(items[0].action.contains("was written to meanwhile"), "{items:?}");
    let x = "x".repeat(KEY.len());
    assert_eq!(tree(home.path())[".zshrc"], format!("export ANTHROPIC_API_KEY={x}\nexport A=1\n{lines}"));
}

#[test]
fn a_credential_that_comes_back_meanwhile_is_not_called_gone() {
    let home = tempfile::tempdir().unwrap();
    let text = "export ANTHROPIC_API_KEY=@@\nexport A=1\n";
    let seeds: &[Seed] = &[(&PROFILES, ".zshrc", text, None)];
    seed(home.path(), seeds);
    let again = format!("{}export B=1\n", text.replace("@@", KEY));
    let items =
        while_purging(home.path(), seeds, "make the new file", |path| fs::write(path, &again).unwrap());
    assert_eq!(items[0].outcome, Outcome::Unproven, "{items:?}");
    assert_eq!(tree(home.path())[".zshrc"], again);
}

#[test]
fn an_assignment_inside_another_one_is_only_overwritten() {
    let home = tempfile::tempdir().unwrap();
    let x = "x".repeat(KEY.len());
    for (name, text) in [
        (".profile", "export OPTIONS=\"-e ANTHROPIC_API_KEY=@@ --restart\"\n"),
        (".env", "OPTIONS=-e ANTHROPIC_API_KEY=@@ --restart\n"),
        (".zshrc", "env=(ANTHROPIC_API_KEY=@@)\n"),
    ] {
        let seeds: &[Seed] = &[(&PROFILES, name, text, None)];
        seed(home.path(), seeds);
        let items = run(home.path(), seeds);
        assert!(items[0].action.starts_with("its characters overwritten: "), "{items:?}");
        assert_eq!(tree(home.path())[name], text.replace("@@", &x));
    }
}

#[test]
fn a_file_that_is_only_named_like_a_login_keeps_what_else_is_in_it() {
    let home = tempfile::tempdir().unwrap();
    let seeds: &[Seed] = &[
        (&COPIES, "aws-credentials.json", r#"{"secret":"mine","note":"@@"}"#, Some("/note")),
        (
            &COPIES,
            "mixed-credentials.json",
            r#"{"claudeAiOauth":{"accessToken":"@@"},"a":1}"#,
            Some("/claudeAiOauth/accessToken"),
        ),
        (
            &COPIES,
            ".credentials.json.bak",
            r#"{"claudeAiOauth":{"accessToken":"@@"}}"#,
            Some("/claudeAiOauth/accessToken"),
        ),
        (&COPIES, ".credentials.txt", "note this: @@\n", None),
    ];
    seed(home.path(), seeds);
    let items = run(home.path(), seeds);
    assert!(items.iter().all(|item| item.outcome == Outcome::Proven), "{items:?}");
    let left = tree(home.path());
    assert_eq!(left["aws-credentials.json"], r#"{"secret":"mine"}"#);
    assert_eq!(left["mixed-credentials.json"], r#"{"claudeAiOauth":{},"a":1}"#);
    assert_eq!(left[".credentials.txt"], format!("note this: {}\n", "x".repeat(KEY.len())));
    assert_eq!(left.len(), 3, "the copy of the login is gone: {left:?}");
}

#[test]
fn a_string_that_says_more_is_only_overwritten() {
    let home = tempfile::tempdir().unwrap();
    let x = "x".repeat(KEY.len());
    for (text, expected) in [
        (r#"{"k":"curl -H 'x-api-key: @@' -d @body"}"#, None),
        (r#"{"k":"X-Team: mine\nAuthorization: Bearer @@"}"#, None),
        (r#"{"k":"Authorization: Bearer @@"}"#, Some("{}")),
        (r#"{"k":"x-api-key: @@\n"}"#, Some("{}")),
    ] {
        let seeds: &[Seed] = &[(&SETTINGS, "settings.json", text, Some("/k"))];
        seed(home.path(), seeds);
        let items = run(home.path(), seeds);
        let expected = expected.map_or_else(|| text.replace("@@", &x), str::to_owned);
        assert_eq!(tree(home.path())["settings.json"], expected, "{items:?}");
    }
}

#[test]
fn a_link_in_its_place_is_not_followed() {
    let home = tempfile::tempdir().unwrap();
    seed(home.path(), SEEDS);
    let key = FingerprintKey::random().unwrap();
    let plan = plan(home.path(), SEEDS, &key);
    let (path, target) = (home.path().join(".bashrc"), home.path().join("precious"));
    fs::rename(&path, &target).unwrap();
    symlink(&target, &path).unwrap();
    let before = fs::read_to_string(&target).unwrap();
    let step = plan.files.iter().find(|step| step.path == path).unwrap();
    assert_eq!(run_file(step, &key, &mut |_| {}).items[0].outcome, Outcome::Unproven);
    assert_eq!(fs::read_to_string(&target).unwrap(), before);
}

#[test]
fn hard_links_and_read_only_files() {
    let home = tempfile::tempdir().unwrap();
    let seeds: &[Seed] = &[(&HISTORIES, ".history", "a @@ b\n", None)];
    seed(home.path(), seeds);
    let path = home.path().join(".history");
    fs::hard_link(&path, home.path().join("other")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    let items = run(home.path(), seeds);
    assert!(items[0].proof.contains("2 names"), "{items:?}");
    assert!(tree(home.path()).values().all(|text| !text.contains(KEY)));
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o400);
}

#[test]
fn grants_of_other_services_outlive_the_log_out_of_the_client() {
    let home = tempfile::tempdir().unwrap();
    let seeds: &[Seed] = &[(
        &CREDENTIALS,
        ".claude/.credentials.json",
        r#"{"claudeAiOauth":{"accessToken":"@@"},"mcpOAuth":{"s":{"accessToken":"grant"}}}"#,
        Some("/claudeAiOauth/accessToken"),
    )];
    let rest = r#"{"mcpOAuth":{"s":{"accessToken":"grant"}}}"#;
    let path = home.path().join(seeds[0].1);
    for client_deletes in [true, false] {
        seed(home.path(), seeds);
        let key = FingerprintKey::random().unwrap();
        let step = plan(home.path(), seeds, &key).files.remove(0);
        assert_eq!(step.removals[0].1, Removal::Member("/claudeAiOauth".into()));
        set_aside(&step).unwrap();
        let waiting = tree(home.path());
        assert_eq!(waiting.len(), 2, "{waiting:?}");
        assert!(waiting.values().any(|text| text == rest), "{waiting:?}");
        if client_deletes {
            fs::remove_file(&path).unwrap();
        }
        put_back(&path).unwrap();
        run(home.path(), seeds);
        assert_eq!(fs::read_to_string(&path).unwrap(), rest);
        assert_eq!(tree(home.path()).len(), 1);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
