//! The commands as a user types them, where no daemon runs: one file each in `tests/cmd`.
//!
//! Every case starts from an empty environment, with directories of its own.

#[test]
fn commands_without_a_daemon() {
    let directory = tempfile::tempdir().unwrap();
    let cases = trycmd::TestCases::new();
    for name in ["HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"] {
        let room = directory.path().join(name);
        std::fs::create_dir(&room).unwrap();
        std::fs::set_permissions(&room, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        cases.env(name, room.to_str().unwrap());
    }
    cases.case("tests/cmd/*.toml");
    cases.run();
    let left = std::fs::read_dir(directory.path().join("HOME")).unwrap().count();
    assert_eq!(left, 0, "a command wrote into the home directory");
}

/// These tests run where the user's own programs run: no case may look at those.
#[test]
fn no_case_looks_at_processes() {
    for entry in std::fs::read_dir("tests/cmd").unwrap().flatten() {
        if entry.path().extension().is_none_or(|kind| kind != "toml") {
            continue;
        }
        let case = std::fs::read_to_string(entry.path()).unwrap();
        let looks = ["\"audit\"", "\"purge\"", "\"adopt\""].iter().any(|word| case.contains(word));
        let is_refused = case.contains("--help") || case.contains("status.code = 2");
        assert!(!looks || is_refused, "{}", entry.path().display());
    }
}
