//! Homes that somebody arranged to lead the audit astray, to stop it, or to make it show something.

use std::{
    fs::{self, File},
    io::{Seek as _, SeekFrom, Write as _},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{PermissionsExt as _, symlink},
        net::UnixListener,
        process::CommandExt as _,
    },
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use claudectl_tests::{need, require, sandbox::Sandbox, seed::write_private};

use super::{audit, told};

#[test]
fn a_link_within_the_home_is_followed_and_one_out_of_it_is_not() {
    let sandbox = Sandbox::new();
    let (inside, outside) = (sandbox.key(), sandbox.key());
    write_private(
        &sandbox.home().join("dotfiles/bashrc"),
        format!("export ANTHROPIC_API_KEY={inside}\n").as_bytes(),
    );
    symlink("dotfiles/bashrc", sandbox.home().join(".bashrc")).unwrap();
    write_private(
        &sandbox.path("tmp/elsewhere/.zshrc"),
        format!("export ANTHROPIC_API_KEY={outside}\n").as_bytes(),
    );
    symlink(sandbox.path("tmp/elsewhere/.zshrc"), sandbox.home().join(".zshrc")).unwrap();
    fs::create_dir_all(sandbox.home().join(".claude")).unwrap();
    symlink(sandbox.path("tmp/elsewhere"), sandbox.home().join(".claude/projects")).unwrap();
    // Whole directories, too: `.config/fish` is a link for many.
    let (fish, record) = (sandbox.key(), sandbox.key());
    write_private(
        &sandbox.home().join("dotfiles/fish/conf.d/keys.fish"),
        format!("set -gx ANTHROPIC_API_KEY {fish}\n").as_bytes(),
    );
    fs::create_dir_all(sandbox.home().join(".config")).unwrap();
    symlink("../dotfiles/fish", sandbox.home().join(".config/fish")).unwrap();
    write_private(&sandbox.home().join("big/debug/log"), record.as_bytes());
    symlink(sandbox.home().join("big/debug"), sandbox.home().join(".claude/debug")).unwrap();
    let document = audit(&sandbox, 1);
    let told = told(&document);
    let mut found: Vec<_> = told.iter().map(|told| (told.path.clone(), told.bytes.concat())).collect();
    found.sort();
    let mut expected =
        [("big/debug/log", record), ("dotfiles/bashrc", inside), ("dotfiles/fish/conf.d/keys.fish", fish)]
            .map(|(path, key)| (sandbox.home().join(path), key.into_bytes()));
    expected.sort();
    assert_eq!(found, expected);
    let gaps = document["gaps"].as_array().unwrap();
    for path in [".zshrc", ".claude/projects"] {
        let what = sandbox.home().join(path);
        let is_it = |gap: &&serde_json::Value| {
            gap["what"] == what.to_str().unwrap() && gap["why"].as_str().unwrap().contains("leads out")
        };
        assert!(gaps.iter().any(|gap| is_it(&gap)), "{path} in {gaps:?}");
    }
}

#[test]
fn a_second_name_of_a_file_is_told_as_well() {
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    write_private(&sandbox.home().join(".bashrc"), format!("export ANTHROPIC_API_KEY={key}\n").as_bytes());
    fs::hard_link(sandbox.home().join(".bashrc"), sandbox.home().join(".profile")).unwrap();
    assert_eq!(told(&audit(&sandbox, 1)).len(), 2);
}

#[test]
fn what_would_block_is_not_waited_for() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.home().join(".claude/debug")).unwrap();
    for path in [".bashrc", ".claude/.credentials.json", ".claude/debug/log"] {
        assert!(Command::new("mkfifo").arg(sandbox.home().join(path)).status().unwrap().success());
    }
    let _listener = UnixListener::bind(sandbox.home().join(".zshrc")).unwrap();
    fs::create_dir(sandbox.home().join(".profile")).unwrap();
    let document = audit(&sandbox, 0);
    assert_eq!(document["complete"], true, "{document}");
}

/// What a machine that is short of memory has left: less than the transcripts.
#[test]
fn transcripts_are_searched_in_less_memory_than_they_have() {
    const LIMIT: usize = 128 << 20;
    let sandbox = Sandbox::new();
    let line = format!("{{\"type\":\"user\",\"text\":\"{}\"}}\n", "nothing of interest ".repeat(50));
    let mut keys = Vec::new();
    for name in ["1.jsonl", "2.jsonl"] {
        let path = sandbox.home().join(".claude/projects/x").join(name);
        write_private(&path, line.repeat(LIMIT * 3 / 4 / line.len()).as_bytes());
        let key = sandbox.key();
        File::options().append(true).open(&path).unwrap().write_all(format!("{key}\n").as_bytes()).unwrap();
        keys.push((path, key));
    }
    let mut command = sandbox.command("/bin/sh");
    command
        .args(["-c", &format!("ulimit -v {}; exec \"$@\"", LIMIT >> 10), "sh"])
        .arg(claudectl_tests::sandbox::binary("claudectl".as_ref()))
        .args(["audit", "--files-only", "--json"]);
    let document = sandbox.start(command).finish().exited(1).json();
    assert_eq!(document["complete"], true, "{}", document["gaps"]);
    let told = told(&document);
    for (path, key) in keys {
        assert!(
            told.iter().any(|one| one.path == path && one.bytes == [key.as_bytes()]),
            "{}",
            path.display()
        );
    }
}

#[test]
fn ten_gibibytes_of_nothing_take_no_time_and_hide_nothing() {
    let sandbox = Sandbox::new();
    let keys = [sandbox.key(), sandbox.key()];
    let path = sandbox.home().join(".claude/projects/x/huge.jsonl");
    write_private(&path, b"");
    let mut file = File::options().write(true).open(&path).unwrap();
    for (key, offset) in keys.iter().zip([5_u64 << 30, (10 << 30) - 200]) {
        file.seek(SeekFrom::Start(offset)).unwrap();
        file.write_all(format!("\"{key}\"").as_bytes()).unwrap();
    }
    drop(file);
    let start = Instant::now();
    let document = sandbox.ctl(&["audit", "--files-only", "--json"]).exited(1).json();
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    let starts: Vec<_> = document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["location"]["bytes"][0][0].as_u64().unwrap())
        .collect();
    assert_eq!(starts, [(5 << 30) + 1, (10 << 30) - 199]);
    // The same as a file that would be read whole: it is not.
    fs::rename(&path, sandbox.home().join(".claude.json")).unwrap();
    let document = sandbox.ctl(&["audit", "--files-only", "--json"]).exited(1).json();
    assert_eq!(document["findings"].as_array().unwrap().len(), 2, "{document}");
    assert!(document["gaps"].to_string().contains("too large to be read as what it is"), "{document}");
}

#[test]
fn huge_lines_and_bytes_that_are_no_text_hide_nothing() {
    let sandbox = Sandbox::new();
    let keys = [sandbox.key(), sandbox.key(), sandbox.key(), sandbox.key()];
    let mut line = b"{\"x\":\"".to_vec();
    line.resize(64 << 20, b'a');
    line.extend(format!(" {}\"}}", keys[0]).bytes());
    write_private(&sandbox.home().join(".claude/projects/x/1.jsonl"), &line);
    let wild = |key: &str| {
        [b"\xff\xfe\x80\xc3(\0export ANTHROPIC_API_KEY=".as_slice(), key.as_bytes(), b"\xff\r\n\x80"].concat()
    };
    write_private(&sandbox.home().join(".bashrc"), &wild(&keys[1]));
    write_private(
        &sandbox.home().join(".claude/settings.json"),
        &[b"{\"a\":\"\xff\xc3\",\"env\":{\"ANTHROPIC_API_KEY\":\"".as_slice(), keys[2].as_bytes(), b"\"}}"]
            .concat(),
    );
    write_private(
        &sandbox.home().join(".zshrc"),
        format!("export ANTHROPIC_API_KEY=\"{}\r\n", keys[3]).as_bytes(),
    );
    let mut found: Vec<_> = told(&audit(&sandbox, 1)).into_iter().flat_map(|told| told.bytes).collect();
    found.sort();
    let mut expected = keys.map(String::into_bytes).to_vec();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn another_users_file_is_not_read() {
    need!(require::root());
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let path = sandbox.home().join(".bashrc");
    write_private(&path, format!("export ANTHROPIC_API_KEY={key}\n").as_bytes());
    std::os::unix::fs::chown(&path, Some(65_534), None).unwrap();
    let document = audit(&sandbox, 6);
    assert!(document["gaps"].to_string().contains("another user's file"), "{document}");
}

#[test]
fn what_cannot_be_read_is_a_gap_and_the_rest_is_told() {
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let closed =
        [".claude/projects/closed", ".bashrc", ".config/environment.d"].map(|path| sandbox.home().join(path));
    write_private(&closed[0].join("1.jsonl"), b"{}");
    write_private(&closed[1], b"");
    write_private(&closed[2].join("1.conf"), b"");
    write_private(&sandbox.home().join(".zshrc"), format!("export ANTHROPIC_API_KEY={key}\n").as_bytes());
    // Root reads everything: let another user look at what is his.
    let user = if require::root().is_ok() { 65_534 } else { rustix::process::geteuid().as_raw() };
    give(sandbox.home().parent().unwrap(), user);
    for path in &closed {
        fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
    }
    let mut command = sandbox.command("claudectl");
    command.args(["audit", "--files-only", "--json"]).uid(user);
    let document = sandbox.start(command).finish().exited(1).json();
    give(sandbox.home().parent().unwrap(), rustix::process::geteuid().as_raw());
    for path in &closed {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
    }
    let gaps: Vec<_> =
        document["gaps"].as_array().unwrap().iter().map(|gap| gap["what"].as_str().unwrap()).collect();
    for path in &closed {
        assert!(gaps.contains(&path.to_str().unwrap()), "{} in {gaps:?}", path.display());
    }
    assert_eq!(document["findings"].as_array().unwrap().len(), 1, "{document}");
}

/// Gives a whole directory to a user.
fn give(path: &std::path::Path, user: u32) {
    std::os::unix::fs::lchown(path, Some(user), None).unwrap();
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_type().unwrap().is_dir() {
            give(&entry.path(), user);
        } else {
            std::os::unix::fs::lchown(entry.path(), Some(user), None).unwrap();
        }
    }
}

#[test]
fn a_file_that_changes_all_the_time_is_told_or_named_as_a_gap() {
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let path = sandbox.home().join(".claude/projects/x/live.jsonl");
    write_private(&path, format!("{{\"x\":\"{key}\"}}\n").as_bytes());
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = File::options().append(true).open(&path).unwrap();
            while !stop.load(Ordering::Relaxed) {
                file.write_all(b"{\"more\":\"of it\"}\n").unwrap();
            }
        });
        let document = sandbox.ctl(&["audit", "--files-only", "--json"]).exited(1).json();
        stop.store(true, Ordering::Relaxed);
        assert_eq!(document["findings"].as_array().unwrap().len(), 1, "{document}");
    });
}

#[test]
fn names_are_shown_harmlessly_and_never_with_a_credential() {
    let sandbox = Sandbox::new();
    let (key, name) = (sandbox.key(), sandbox.key());
    let odd = std::ffi::OsStr::from_bytes(b"a\x1b[2J\xe2\x80\xaeb\n\xff.jsonl");
    write_private(
        &sandbox.home().join(".claude/projects").join(&name).join(odd),
        format!("\"{key}\"").as_bytes(),
    );
    write_private(
        &sandbox.home().join(".claude/settings.json"),
        format!("{{\"mcpServers\":{{\"{name}\":{{\"env\":{{\"X_TOKEN\":\"0123456789abcdef\"}}}}}}}}")
            .as_bytes(),
    );
    for arguments in [
        ["audit", "--files-only"].as_slice(),
        &["audit", "--files-only", "--json"],
        &["audit", "--files-only", "--sarif"],
    ] {
        let output = sandbox.ctl(arguments).exited(1);
        assert!(sandbox.search().copies(output.stdout.as_bytes()).is_empty(), "{}", output.stdout);
        let text = output.stdout.replace('\n', "");
        assert!(!text.chars().any(|c| c.is_control() || c == '\u{202e}'), "{text:?}");
    }
}

#[test]
fn a_tree_that_is_too_deep_ends() {
    let sandbox = Sandbox::new();
    let mut path = sandbox.home().join(".claude/projects");
    for _ in 0..70 {
        path.push("d");
    }
    fs::create_dir_all(&path).unwrap();
    let document = audit(&sandbox, 6);
    assert!(document["gaps"].to_string().contains("nested too deeply"), "{document}");
}
