//! A small home with a credential in every kind of file, and what a scan would say of it.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use claudectl_footprint::{
    Finding, Kind, Location, Place, Remedy,
    catalog::{At, Group, Platforms, Reader},
    finding::{Effect, FingerprintKey, Occurrence, Severity, Stored, Structure, Tail},
    plan::{Choice, Plan},
};
use claudectl_platform::erasure::PlainFile;

pub(crate) const KEY: &str = "sk-ant-api03-TEST0123456789abcdefghij";
/// Another one.
pub(crate) const OTHER: &str = "sk-ant-api03-TESTzyxwvutsrq9876543210";

const fn place(id: &'static str, group: Group, remedy: Remedy) -> Place {
    Place {
        id,
        title: id,
        group,
        at: At::Home(&[]),
        reader: Reader::Text,
        platforms: Platforms::ALL,
        power: "",
        remedy,
        cheap: true,
        seen: true,
    }
}

pub(crate) static CREDENTIALS: Place = place("claude.credentials", Group::ClaudeCode, Remedy::ClientLogout);
pub(crate) static SETTINGS: Place = place("claude.settings", Group::ClaudeCode, Remedy::EditJson);
pub(crate) static BACKUPS: Place = place("claude.backups", Group::ClaudeCode, Remedy::DeleteFile);
pub(crate) static COPIES: Place = place("claude.credentials-copies", Group::ClaudeCode, Remedy::DeleteFile);
pub(crate) static TRANSCRIPTS: Place = place("claude.transcripts", Group::ClaudeCode, Remedy::Overwrite);
pub(crate) static PROFILES: Place = place("profile.shell", Group::Profiles, Remedy::EditStatement);
pub(crate) static HISTORIES: Place = place("history.shell", Group::Histories, Remedy::Overwrite);

/// A file: its place, its name below the home, its text with `@@` for the credential, and the JSON pointer.
pub(crate) type Seed = (&'static Place, &'static str, &'static str, Option<&'static str>);

pub(crate) const SEEDS: &[Seed] = &[
    (
        &CREDENTIALS,
        ".claude/.credentials.json",
        r#"{"claudeAiOauth":{"accessToken":"@@","expiresAt":1}}"#,
        Some("/claudeAiOauth/accessToken"),
    ),
    (
        &SETTINGS,
        ".claude/settings.json",
        "{\n  \"env\": {\n    \"A\": \"1\",\n    \"ANTHROPIC_API_KEY\": \"@@\"\n  },\n  \"model\": \"opus\"\n}\n",
        Some("/env/ANTHROPIC_API_KEY"),
    ),
    (&BACKUPS, ".claude/backups/.claude.json.backup.1", r#"{"primaryApiKey":"@@"}"#, Some("/primaryApiKey")),
    (&TRANSCRIPTS, ".claude/projects/p/1.jsonl", "{\"a\":1}\n{\"text\":\"export K=@@\"}\n{\"b\":2}\n", None),
    (&PROFILES, ".bashrc", "alias ll='ls -l'\nexport ANTHROPIC_API_KEY=\"@@\"\nexport A=1\n", None),
    (&HISTORIES, ".bash_history", "ls\nexport ANTHROPIC_API_KEY=@@\ncd\n", None),
];

/// What the home is when all of it is gone.
pub(crate) const PURGED: &[(&str, &str)] = &[
    (".bash_history", "ls\nexport ANTHROPIC_API_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\ncd\n"),
    (".bashrc", "alias ll='ls -l'\nexport A=1\n"),
    (
        ".claude/projects/p/1.jsonl",
        "{\"a\":1}\n{\"text\":\"export K=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}\n{\"b\":2}\n",
    ),
    (".claude/settings.json", "{\n  \"env\": {\n    \"A\": \"1\"\n  },\n  \"model\": \"opus\"\n}\n"),
];

/// Files with two credentials each: `@@`, and `%%` for the other one.
pub(crate) const PAIRS: &[Seed] = &[
    (
        &CREDENTIALS,
        ".claude-work/.credentials.json",
        r#"{"claudeAiOauth":{"accessToken":"@@","refreshToken":"%%","expiresAt":1}}"#,
        Some("/claudeAiOauth/accessToken"),
    ),
    (&PROFILES, ".zshrc", "export ANTHROPIC_API_KEY=@@\nexport ANTHROPIC_AUTH_TOKEN=%%\nexport A=1\n", None),
    (&PROFILES, ".zprofile", "export ANTHROPIC_API_KEY=@@ ANTHROPIC_AUTH_TOKEN=%%\n", None),
    (&SETTINGS, "s.json", r#"{"env":{"A":"@@","B":"%%","C":"1"}}"#, Some("/env/A")),
];

/// What is left of them.
pub(crate) const PAIRS_PURGED: &[(&str, &str)] =
    &[(".zshrc", "export A=1\n"), (".zprofile", ""), ("s.json", r#"{"env":{"C":"1"}}"#)];

/// What is found in them.
pub(crate) fn look_at_pairs(home: &Path, key: &FingerprintKey) -> Vec<Finding> {
    let both = |(place, name, text, pointer): &Seed| {
        let other =
            pointer.map(|pointer| if pointer == "/env/A" { "/env/B" } else { "/claudeAiOauth/refreshToken" });
        [
            find(home, &(place, name, text, *pointer), KEY, key),
            find(home, &(place, name, text, other), OTHER, key),
        ]
    };
    PAIRS.iter().flat_map(both).flatten().collect()
}

/// Writes them below this directory.
pub(crate) fn seed(home: &Path, seeds: &[Seed]) {
    for (_, name, text, _) in seeds {
        let path = home.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text.replace("@@", KEY).replace("%%", OTHER)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// What is there now, by looking for the key.
pub(crate) fn look(home: &Path, seeds: &[Seed], key: &FingerprintKey) -> Vec<Finding> {
    seeds.iter().filter_map(|seed| find(home, seed, KEY, key)).collect()
}

/// The credential `secret` in the file of a seed.
pub(crate) fn find(
    home: &Path,
    (place, name, _, pointer): &Seed,
    secret: &str,
    key: &FingerprintKey,
) -> Option<Finding> {
    let path = home.join(name);
    let text = fs::read_to_string(&path).ok()?;
    let at = u64::try_from(text.find(secret)?).unwrap();
    let bytes = at..at + u64::try_from(secret.len()).unwrap();
    let structure = match pointer {
        Some(pointer) => Structure::Json { pointer: (*pointer).to_owned() },
        None if place.remedy == Remedy::EditStatement => Structure::Assignment {
            line: 1,
            variable: variable(text.get(..text.find(secret)?)?),
            statement: None,
            value: bytes.clone(),
        },
        None => Structure::Text { line: 1 },
    };
    let stored = Stored {
        file: PlainFile::open(&path).unwrap().identity().unwrap(),
        path,
        occurrences: vec![Occurrence { bytes, raw: key.of(secret.as_bytes()) }],
        structure,
    };
    Some(Finding {
        place,
        location: Location::Stored(stored),
        kind: Kind::ApiKey,
        tail: Tail::of(secret.as_bytes()),
        fingerprint: key.of(secret.as_bytes()),
        severity: Severity::High,
        effect: Effect::None,
        changed_at: None,
        account: None,
        cure: "claudectl purge".to_owned(),
        leads: false,
    })
}

/// The name that is written before a value.
fn variable(before: &str) -> String {
    let before = before.trim_end_matches(['"', '\'', '=']);
    let start = before.rfind(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    before.get(start.map_or(0, |start| start + 1)..).unwrap_or_default().to_owned()
}

pub(crate) fn plan(home: &Path, seeds: &[Seed], key: &FingerprintKey) -> Plan {
    Plan::new(look(home, seeds, key), &Choice::default(), home)
}

/// Every file, by its name below the home.
pub(crate) fn tree(home: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut directories = vec![home.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else {
                let name = path.strip_prefix(home).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

pub(crate) fn purged() -> BTreeMap<String, String> {
    PURGED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}
