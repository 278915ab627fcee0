//! Files as programs of Windows write them, and files that are not what they should be.

use std::fs;

use claudectl_tests::{
    isolation::private_processes,
    need,
    sandbox::Sandbox,
    seed::{in_units, marked, write_private},
};
use serde_json::Value;

fn findings(sandbox: &Sandbox, code: i32) -> Value {
    sandbox.ctl(&["audit", "--files-only", "--json"]).exited(code).json()
}

fn x(key: &str) -> String {
    "x".repeat(key.len())
}

/// A file, its text, and what that becomes; `@@` stands for the key, `##` for as many `x`.
const FILES: [(&str, &str, &str); 6] = [
    (
        "Documents/PowerShell/profile.ps1",
        "# größer €\r\n$env:ANTHROPIC_API_KEY = '@@'\r\n$a = \"😀\"; $env:ANTHROPIC_AUTH_TOKEN = \"@@\"\r\n",
        "# größer €\r\n$a = \"😀\"\r\n",
    ),
    (".env", "Ä=1\r\nANTHROPIC_API_KEY=@@\r\nB=2\r\n", "Ä=1\r\nB=2\r\n"),
    (
        ".claude/settings.json",
        "{\r\n  \"env\": {\"ANTHROPIC_API_KEY\": \"@@\", \"WO\": \"Zürich\"},\r\n  \"model\": \"opus\"\r\n}\r\n",
        "{\r\n  \"env\": {\"WO\": \"Zürich\"},\r\n  \"model\": \"opus\"\r\n}\r\n",
    ),
    (
        "Desktop/mine.reg",
        "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_CURRENT_USER\\Environment]\r\n\"ANTHROPIC_API_KEY\"=\"@@\"\r\n\"X\"=\"ü\"\r\n",
        "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_CURRENT_USER\\Environment]\r\n\"ANTHROPIC_API_KEY\"=\"##\"\r\n\"X\"=\"ü\"\r\n",
    ),
    (".claude/debug/1.txt", "über\r\nx-api-key: @@\r\nende\r\n", "über\r\nx-api-key: ##\r\nende\r\n"),
    (".claude/backups/.claude.json.backup.1763800000000", "{\"primaryApiKey\":\"@@\"}", ""),
];

#[test]
fn a_credential_in_any_encoding_goes_and_every_other_byte_stays() {
    let name = "purge::encodings::a_credential_in_any_encoding_goes_and_every_other_byte_stays";
    if !need!(private_processes(name)) {
        return;
    }
    let encodings: [fn(&str) -> Vec<u8>; 3] = [
        |text| format!("\u{feff}{text}").into_bytes(),
        |text| marked(text, u16::to_le_bytes),
        |text| marked(text, u16::to_be_bytes),
    ];
    for (number, encode) in encodings.iter().enumerate() {
        let sandbox = Sandbox::new();
        let key = sandbox.key();
        for (name, text, _) in FILES {
            write_private(&sandbox.home().join(name), &encode(&text.replace("@@", &key)));
        }
        // Each is told where it is, and as the same key.
        let told = findings(&sandbox, 1);
        let found = told["findings"].as_array().unwrap();
        assert_eq!(found.len(), FILES.len() + 1, "{number}: {told:#}");
        assert!(found.iter().all(|one| one["kind"] == "api-key"), "{number}: {told:#}");

        let receipt = sandbox.ctl(&["purge", "--yes", "--json"]).exited(0).json();
        assert_eq!(receipt["proven"], true, "{number}: {receipt:#}");
        for (name, _, after) in FILES {
            let path = sandbox.home().join(name);
            if after.is_empty() {
                assert!(!path.exists(), "{number}: {name}");
                continue;
            }
            let found = fs::read(&path).unwrap();
            let shown = String::from_utf8_lossy(&found);
            assert!(found == encode(&after.replace("##", &x(&key))), "{number}: {name}: {shown}");
        }
        assert_eq!(findings(&sandbox, 0)["complete"], true, "{number}");
        sandbox.assert_clean(&[]);
    }
}

/// Nobody knows where the text of it ends that stands in something else: only its characters go.
#[test]
fn utf_16_without_a_mark_is_found_by_the_form_of_a_credential() {
    let name = "purge::encodings::utf_16_without_a_mark_is_found_by_the_form_of_a_credential";
    if !need!(private_processes(name)) {
        return;
    }
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let path = sandbox.home().join(".claude/debug/store.bin");
    let around = |middle: &str| [b"\x01\x02\0\xff\0", middle.as_bytes(), b"\0\x03\0\0rest"].concat();
    write_private(&path, &around(&in_units(&key)));
    assert_eq!(findings(&sandbox, 1)["findings"][0]["kind"], "api-key");
    sandbox.ctl(&["purge", "--yes"]).exited(0);
    assert_eq!(fs::read(&path).unwrap(), around(&in_units(&x(&key))));
    assert_eq!(findings(&sandbox, 0)["clean"], true);
    sandbox.assert_clean(&[]);
}

/// What JSON became of a crash, or of somebody who edited it by hand; `@@` stands for the key.
const BROKEN: [(&str, &str); 3] = [
    (
        ".claude/.credentials.json",
        "{\"claudeAiOauth\":{\"accessToken\":\"@@\",\"refreshToken\":\"opaque-0123456789ab",
    ),
    (".claude.json", "{\"numStartups\":3 \"primaryApiKey\":\"@@\",}\n"),
    (".claude/settings.json", "{'env':{'ANTHROPIC_AUTH_TOKEN':'opaque-0123456789abcdef','K':'@@'}}"),
];

#[test]
fn broken_json_is_searched_for_what_has_a_form_and_is_never_called_clean() {
    let name = "purge::encodings::broken_json_is_searched_for_what_has_a_form_and_is_never_called_clean";
    if !need!(private_processes(name)) {
        return;
    }
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    for (name, text) in &BROKEN {
        write_private(&sandbox.home().join(name), text.replace("@@", &key).as_bytes());
    }
    let told = findings(&sandbox, 1);
    for (name, _) in &BROKEN {
        let path = sandbox.home().join(name).display().to_string();
        let is_found = told["findings"].as_array().unwrap().iter().any(|one| one["location"]["path"] == path);
        let gap = told["gaps"].as_array().unwrap().iter().find(|gap| gap["what"] == path);
        assert!(is_found && gap.is_some(), "{name}: {told:#}");
        assert!(gap.unwrap()["why"].as_str().unwrap().contains("not valid JSON"), "{told:#}");
    }
    // The keys go all the same; what is not known is not called proven.
    let receipt = sandbox.ctl(&["purge", "--yes", "--json"]).exited(6).json();
    assert_eq!(receipt["proven"], false, "{receipt:#}");
    for (name, text) in &BROKEN {
        assert_eq!(fs::read_to_string(sandbox.home().join(name)).unwrap(), text.replace("@@", &x(&key)));
    }
    let after = findings(&sandbox, 6);
    assert_eq!((&after["findings"], &after["complete"]), (&Value::Array(vec![]), &false.into()), "{after:#}");
    sandbox.assert_clean(&[]);
}
