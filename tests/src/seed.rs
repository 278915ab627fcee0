//! A home directory in which other programs left credentials: every place of the three systems' layouts
//! that is a file, each with new credentials, and beside them what only looks like one.

pub mod cookies;
mod look_alikes;
mod property_list;
mod table;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

pub use look_alikes::LOOK_ALIKES;
pub use table::seeds;

use crate::sandbox::Sandbox;

/// Where a path of a seed starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// The home directory.
    Home,
    /// The working directory.
    Project,
}

/// How a seed's text gets into its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// It is the file.
    Text,
    /// As the value of a cookie of claude.ai, in a database as Firefox has it.
    Cookies,
    /// The same in a log beside a database, as a browser leaves it that crashed.
    CookiesLog,
    /// As a variable in a binary property list.
    BinaryList,
    /// It is the file, with a mark and in UTF-8.
    MarkedUtf8,
    /// It is the file, in UTF-16 with a mark, the lower byte first.
    Utf16Le,
    /// It is the file, in UTF-16 with a mark, the higher byte first.
    Utf16Be,
}

/// One file with credentials.
#[derive(Debug, Clone, Copy)]
pub struct Seed {
    /// Whose layout it is: `linux`, `macos`, `windows`, or `all`.
    pub system: &'static str,
    /// The row of the catalogue that names it.
    pub place: &'static str,
    /// Where its path starts.
    pub base: Base,
    /// Its path.
    pub path: &'static str,
    /// Its content; `{api}`, `{oat}` and so on stand for new credentials.
    pub text: &'static str,
    /// How it gets there.
    pub form: Form,
}

/// A credential that was sown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sown {
    /// Whose layout it is in.
    pub system: &'static str,
    /// The row of the catalogue.
    pub place: &'static str,
    /// What it is, as `claudectl audit --json` calls it.
    pub kind: &'static str,
    /// The file.
    pub path: PathBuf,
    /// The bytes that stand there for it.
    pub written: String,
}

/// What a placeholder stands for: its name, the kind of credential, how it is written from a new key.
type Placeholder = (&'static str, &'static str, fn(&str) -> String);

const PLACEHOLDERS: &[Placeholder] = &[
    ("{api}", "api-key", str::to_owned),
    ("{api2}", "api-key", str::to_owned),
    ("{api3}", "api-key", str::to_owned),
    ("{api:json}", "api-key", |key| key.replace('-', "\\u002d")),
    ("{api:fish}", "api-key", |key| key.replace('-', "\\x2d")),
    ("{api:quoted}", "api-key", |key| format!("{}'{}'\"{}\"", &key[..20], &key[20..40], &key[40..])),
    ("{api:continued}", "api-key", |key| format!("{}\\\n{}", &key[..30], &key[30..])),
    ("{api:named}", "api-key", |key| format!("named-{}", &key[20..60])),
    ("{admin}", "admin-key", |key| key.replace("api03", "admin01")),
    ("{oat}", "access-token", |key| key.replace("api03", "oat01")),
    ("{oat2}", "access-token", |key| key.replace("api03", "oat01")),
    ("{ort}", "refresh-token", |key| key.replace("api03", "ort01")),
    ("{ort2}", "refresh-token", |key| key.replace("api03", "ort01")),
    ("{sid}", "session-cookie", |key| key.replace("api03", "sid01")),
    ("{gw}", "gateway-token", |key| format!("gw-{}", &key[20..60])),
    ("{gw2}", "gateway-token", |key| format!("gw+{}=", &key[20..60])),
    ("{cloud}", "cloud-key", |key| format!("bedrock-{}", &key[20..60])),
    ("{mcp}", "mcp-secret", |key| format!("ghp_{}", &key[20..60])),
    ("{mcp2}", "mcp-secret", |key| format!("mcp.{}", &key[20..60])),
    ("{svc}", "service-token", |key| format!("device-{}", &key[20..60])),
    ("{command}", "command", |key| format!("/usr/local/bin/print-a-key --of {}", &key[20..30])),
    ("{tail}", "key-tail", |key| key[key.len() - 20..].to_owned()),
];

/// Writes every seed into the sandbox; what was sown.
pub fn sow(sandbox: &Sandbox) -> Vec<Sown> {
    seeds().flat_map(|seed| sow_one(sandbox, seed)).collect()
}

/// Writes one seed.
pub fn sow_one(sandbox: &Sandbox, seed: &Seed) -> Vec<Sown> {
    let path = base(sandbox, seed.base).join(seed.path);
    let mut text = seed.text.to_owned();
    let mut sown = Vec::new();
    for (name, kind, write) in PLACEHOLDERS.iter().filter(|(name, ..)| seed.text.contains(name)) {
        let written = write(&sandbox.key());
        text = text.replace(name, &written);
        let written = match seed.form {
            Form::Utf16Le | Form::Utf16Be => in_units(&written),
            _ => written,
        };
        sown.push(Sown { system: seed.system, place: seed.place, kind, path: path.clone(), written });
    }
    assert!(!sown.is_empty(), "{} has no credential", seed.path);
    match seed.form {
        Form::Text => write_private(&path, text.as_bytes()),
        Form::Cookies => cookies::write(&path, &text),
        Form::CookiesLog => cookies::write_log(&path, &text),
        Form::BinaryList => write_private(&path, &property_list::binary(&text)),
        Form::MarkedUtf8 => write_private(&path, format!("\u{feff}{text}").as_bytes()),
        Form::Utf16Le => write_private(&path, &marked(&text, u16::to_le_bytes)),
        Form::Utf16Be => write_private(&path, &marked(&text, u16::to_be_bytes)),
    }
    sown
}

/// A text in UTF-16 of this order, with its mark.
pub fn marked(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(order).collect()
}

/// ASCII as it is in UTF-16 of either order, from its first character to its last.
pub fn in_units(ascii: &str) -> String {
    ascii.chars().map(String::from).collect::<Vec<_>>().join("\0")
}

/// Writes everything that only looks like a credential.
pub fn sow_look_alikes(sandbox: &Sandbox) -> usize {
    for (at, path, text) in LOOK_ALIKES {
        write_private(&base(sandbox, *at).join(path), text.as_bytes());
    }
    LOOK_ALIKES.len()
}

/// Prints the table of recall: by place and layout, how many credentials were sown and how many found; and
/// how many of how many findings are right: recall and precision.
pub fn print(rows: &BTreeMap<(&str, &str), (usize, usize)>, right: usize, told: usize) {
    println!("{:<14} {:<8} {:>5} {:>6}", "places", "layout", "sown", "found");
    for ((group, system), (sown, found)) in rows {
        println!("{group:<14} {system:<8} {sown:>5} {found:>6}");
    }
    let (sown, found) = rows.values().fold((0, 0), |all, row| (all.0 + row.0, all.1 + row.1));
    println!(
        "{:<14} {:<8} {sown:>5} {found:>6}   recall {found}/{sown}, precision {right}/{told}",
        "all", ""
    );
}

fn base(sandbox: &Sandbox, base: Base) -> PathBuf {
    match base {
        Base::Home => sandbox.home(),
        Base::Project => sandbox.path("work"),
    }
}

/// Writes a file that only its owner can read, with the directories above it.
pub fn write_private(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
    fs::write(path, content).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("our own file");
}
