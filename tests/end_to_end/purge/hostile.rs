//! Homes in which a purge could be led astray, stopped, or made to write where nobody meant it to.

use std::{
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, symlink},
        net::UnixListener,
        process::CommandExt as _,
    },
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
};

use claudectl_tests::{isolation::private_processes, need, require, sandbox::Sandbox, seed::write_private};
use serde_json::Value;

fn purge(sandbox: &Sandbox, code: i32) -> Value {
    sandbox.ctl(&["purge", "--yes", "--json"]).exited(code).json()
}

fn assert_nothing_left(sandbox: &Sandbox) {
    let audit = sandbox.ctl(&["audit", "--files-only", "--json"]).exited(0).json();
    assert_eq!((&audit["clean"], &audit["complete"]), (&true.into(), &true.into()), "{audit:#}");
}

fn x(key: &str) -> String {
    "x".repeat(key.len())
}

#[test]
fn links_pipes_and_second_names() {
    if !need!(private_processes("purge::hostile::links_pipes_and_second_names")) {
        return;
    }
    let sandbox = Sandbox::new();
    let home = sandbox.home();
    let (linked, named) = (sandbox.key(), sandbox.key());
    write_private(
        &home.join("dotfiles/bashrc"),
        format!("A=1\nexport ANTHROPIC_API_KEY={linked}\nB=2\n").as_bytes(),
    );
    symlink("dotfiles/bashrc", home.join(".bashrc")).unwrap();
    write_private(&home.join(".bash_history"), format!("echo {named}\nls\n").as_bytes());
    fs::hard_link(home.join(".bash_history"), home.join("another-name")).unwrap();
    for path in [".zshrc", ".claude/debug/log"] {
        fs::create_dir_all(home.join(path).parent().unwrap()).unwrap();
        assert!(Command::new("mkfifo").arg(home.join(path)).status().unwrap().success());
    }
    let _listener = UnixListener::bind(home.join(".zshenv")).unwrap();
    fs::create_dir(home.join(".profile")).unwrap();
    purge(&sandbox, 0);
    assert_eq!(fs::read_link(home.join(".bashrc")).unwrap(), Path::new("dotfiles/bashrc"));
    assert_eq!(fs::read_to_string(home.join("dotfiles/bashrc")).unwrap(), "A=1\nB=2\n");
    for name in [".bash_history", "another-name"] {
        assert_eq!(fs::read_to_string(home.join(name)).unwrap(), format!("echo {}\nls\n", x(&named)));
    }
    assert_eq!(home.join("another-name").metadata().unwrap().nlink(), 2);
    assert_nothing_left(&sandbox);
    sandbox.assert_clean(&[]);
}

#[test]
fn what_a_link_leads_to_outside_is_not_touched_and_that_is_said() {
    if !need!(private_processes(
        "purge::hostile::what_a_link_leads_to_outside_is_not_touched_and_that_is_said"
    )) {
        return;
    }
    let sandbox = Sandbox::new();
    let outside = sandbox.path("tmp/elsewhere/zshrc");
    let text = format!("export ANTHROPIC_API_KEY={}\n", sandbox.key());
    write_private(&outside, text.as_bytes());
    symlink(&outside, sandbox.home().join(".zshrc")).unwrap();
    write_private(
        &sandbox.home().join(".bashrc"),
        format!("export ANTHROPIC_API_KEY={}\n", sandbox.key()).as_bytes(),
    );
    let receipt = purge(&sandbox, 6);
    assert_eq!(fs::read_to_string(&outside).unwrap(), text);
    assert!(receipt["items"].to_string().contains("leads out"), "{receipt:#}");
    assert_eq!(fs::read_to_string(sandbox.home().join(".bashrc")).unwrap(), "");
}

#[test]
fn ten_gibibytes_of_holes_keep_their_holes() {
    if !need!(private_processes("purge::hostile::ten_gibibytes_of_holes_keep_their_holes")) {
        return;
    }
    let sandbox = Sandbox::new();
    let keys = [sandbox.key(), sandbox.key()];
    let offsets = [5_u64 << 30, (10 << 30) - 200];
    let paths = [".claude/projects/x/huge.jsonl", ".claude.json"].map(|path| sandbox.home().join(path));
    for path in &paths {
        write_private(path, b"");
        let mut file = File::options().write(true).open(path).unwrap();
        for (key, offset) in keys.iter().zip(offsets) {
            file.seek(SeekFrom::Start(offset)).unwrap();
            file.write_all(format!("<\"{key}\">").as_bytes()).unwrap();
        }
    }
    let before: Vec<_> = paths.iter().map(|path| path.metadata().unwrap().blocks()).collect();
    // The one that is too large to be read as JSON is a gap: it was searched, and that is told.
    purge(&sandbox, 6);
    for (path, blocks) in paths.iter().zip(before) {
        let mut file = File::open(path).unwrap();
        for (key, offset) in keys.iter().zip(offsets) {
            let mut text = vec![0; key.len() + 4];
            file.seek(SeekFrom::Start(offset)).unwrap();
            file.read_exact(&mut text).unwrap();
            assert_eq!(String::from_utf8(text).unwrap(), format!("<\"{}\">", x(key)));
        }
        assert!(path.metadata().unwrap().blocks() <= blocks + 16, "{}", path.display());
    }
    let audit = sandbox.ctl(&["audit", "--files-only", "--json"]).json();
    assert_eq!(audit["findings"], Value::Array(Vec::new()), "{audit}");
}

/// A file, what it is, and what it becomes.
fn odd(keys: &[String]) -> [(&'static str, Vec<u8>, Vec<u8>); 6] {
    let long = "a".repeat(8 << 20);
    [
        (
            ".claude/projects/x/1.jsonl",
            format!("{{\"x\":\"{long} {}\"}}\n", keys[0]).into_bytes(),
            format!("{{\"x\":\"{long} {}\"}}\n", x(&keys[0])).into_bytes(),
        ),
        (
            ".bashrc",
            [
                b"\xff\xfe\x80 a\n".as_slice(),
                format!("export ANTHROPIC_API_KEY={}\r\n", keys[1]).as_bytes(),
                b"\xc3\r\n",
            ]
            .concat(),
            b"\xff\xfe\x80 a\n\xc3\r\n".to_vec(),
        ),
        (
            ".claude/settings.json",
            [
                b"{\"a\":\"\xff\xc3\",\"env\":{\"ANTHROPIC_API_KEY\":\"".as_slice(),
                keys[2].as_bytes(),
                b"\"}}",
            ]
            .concat(),
            b"{\"a\":\"\xff\xc3\",\"env\":{}}".to_vec(),
        ),
        (
            ".zshrc",
            format!("export ANTHROPIC_API_KEY='{}'\"{}\"\r\nalias a=b\r\n", &keys[3][..30], &keys[3][30..])
                .into_bytes(),
            b"alias a=b\r\n".to_vec(),
        ),
        (
            ".zprofile",
            format!("cat > ~/.env <<'EOF'\r\nANTHROPIC_API_KEY={}\r\nEOF\r\nexport A=1\r\n", keys[4])
                .into_bytes(),
            format!("cat > ~/.env <<'EOF'\r\nANTHROPIC_API_KEY={}\r\nEOF\r\nexport A=1\r\n", x(&keys[4]))
                .into_bytes(),
        ),
        (
            ".zshenv",
            format!(
                "export A=\"$(cat <<E\n{}\nE\n)\"; export ANTHROPIC_API_KEY=\\\n{}; B=2\n",
                keys[5], keys[6]
            )
            .into_bytes(),
            // What shares a line with a here-document in a substitution is not taken out, but overwritten.
            format!(
                "export A=\"$(cat <<E\n{}\nE\n)\"; export ANTHROPIC_API_KEY=\\\n{}; B=2\n",
                x(&keys[5]),
                x(&keys[6])
            )
            .into_bytes(),
        ),
    ]
}

#[test]
fn bytes_that_are_no_text_huge_lines_and_odd_quoting_stay_as_they_are() {
    if !need!(private_processes(
        "purge::hostile::bytes_that_are_no_text_huge_lines_and_odd_quoting_stay_as_they_are"
    )) {
        return;
    }
    let sandbox = Sandbox::new();
    let keys: Vec<_> = (0..7).map(|_| sandbox.key()).collect();
    let files = odd(&keys);
    for (name, text, _) in &files {
        write_private(&sandbox.home().join(name), text);
    }
    purge(&sandbox, 0);
    for (name, _, expected) in &files {
        let found = fs::read(sandbox.home().join(name)).unwrap();
        let shown = |text: &[u8]| String::from_utf8_lossy(&text[..text.len().min(400)]).into_owned();
        assert!(found == *expected, "{name}: {:?} and not {:?}", shown(&found), shown(expected));
    }
    assert_nothing_left(&sandbox);
    sandbox.assert_clean(&[]);
}

#[test]
fn what_cannot_be_read_stays_and_the_receipt_names_it() {
    let name = "purge::hostile::what_cannot_be_read_stays_and_the_receipt_names_it";
    if !need!(private_processes(name)) {
        return;
    }
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let closed = sandbox.home().join(".claude/projects/closed");
    write_private(&closed.join("1.jsonl"), b"{}");
    write_private(&sandbox.home().join(".zshrc"), format!("export ANTHROPIC_API_KEY={key}\n").as_bytes());
    // Root reads everything: let another user purge what is his.
    give(sandbox.home().parent().unwrap(), 65_534);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let mut command = sandbox.command("claudectl");
    command.args(["purge", "--yes", "--json"]).uid(65_534);
    let receipt = sandbox.start(command).finish().exited(6).json();
    give(sandbox.home().parent().unwrap(), 0);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    let items = receipt["items"].as_array().unwrap();
    let of = |path: &Path| items.iter().find(|item| item["where"] == path.to_str().unwrap()).unwrap();
    assert_eq!(
        (&of(&closed)["outcome"], &of(&closed)["what"]),
        (&"unproven".into(), &"not looked at".into())
    );
    assert_eq!(of(&sandbox.home().join(".zshrc"))["outcome"], "proven");
    assert_eq!(fs::read_to_string(sandbox.home().join(".zshrc")).unwrap(), "");
    assert_eq!(fs::read(closed.join("1.jsonl")).unwrap(), b"{}");
}

/// Gives a whole directory to a user.
fn give(path: &Path, user: u32) {
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
fn a_file_that_is_written_all_the_time_loses_no_line() {
    let name = "purge::hostile::a_file_that_is_written_all_the_time_loses_no_line";
    if !need!(private_processes(name)) {
        return;
    }
    need!(require::root());
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let path = sandbox.home().join(".claude/projects/x/live.jsonl");
    write_private(&path, format!("{{\"x\":\"{key}\"}}\n").as_bytes());
    let stop = AtomicBool::new(false);
    let lines = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut file = File::options().append(true).open(&path).unwrap();
            let mut lines = 0;
            while !stop.load(Ordering::Relaxed) {
                file.write_all(format!("{{\"line\":{lines}}}\n").as_bytes()).unwrap();
                lines += 1;
            }
            lines
        });
        // Gone, or told as what it is: one that changes all the time.
        sandbox.ctl(&["purge", "--yes", "--json"]);
        stop.store(true, Ordering::Relaxed);
        writer.join().unwrap()
    });
    purge(&sandbox, 0);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with(&format!("{{\"x\":\"{}\"}}\n", x(&key))));
    let rest: Vec<_> = text.lines().skip(1).collect();
    assert_eq!(rest.len(), lines);
    assert!(rest.iter().enumerate().all(|(number, line)| *line == format!("{{\"line\":{number}}}")));
    assert_nothing_left(&sandbox);
}

#[test]
fn a_browser_that_runs_is_named_and_its_cookies_stay_until_it_has_ended() {
    let name = "purge::hostile::a_browser_that_runs_is_named_and_its_cookies_stay_until_it_has_ended";
    if !need!(private_processes(name)) {
        return;
    }
    let sandbox = Sandbox::new();
    let seed = claudectl_tests::seed::seeds().find(|seed| seed.path.ends_with("ab12.default/cookies.sqlite"));
    let [sown] = &claudectl_tests::seed::sow_one(&sandbox, seed.unwrap())[..] else { panic!("one cookie") };
    let before = fs::read(&sown.path).unwrap();
    let mut browser = Command::new(need!(require::program("sleep")))
        .arg0("firefox")
        .arg("600")
        .stdin(File::open(&sown.path).unwrap())
        .spawn()
        .unwrap();
    let receipt = purge(&sandbox, 6);
    let items = receipt["items"].as_array().unwrap();
    let item = items.iter().find(|item| item["where"] == sown.path.to_str().unwrap()).unwrap();
    let by = item["by"].as_str().unwrap();
    assert_eq!(item["outcome"], "unproven", "{receipt:#}");
    assert!(by.contains(&format!("(pid {})", browser.id())) && by.contains("purge again"), "{by}");
    assert!(fs::read(&sown.path).unwrap() == before, "it was touched");
    browser.kill().unwrap();
    browser.wait().unwrap();
    purge(&sandbox, 0);
    let cookies = claudectl_tests::seed::cookies::read(&sown.path);
    assert_eq!(cookies.last().unwrap(), &format!("sessionKey={}", x(&sown.written)));
    assert_nothing_left(&sandbox);
    sandbox.assert_clean(&[]);
}
