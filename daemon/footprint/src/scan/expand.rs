//! From the patterns of the catalogue to files that are there.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use claudectl_platform::tree::{Directory, EntryKind};

/// A directory and where it is.
#[derive(Debug)]
pub(super) struct Root {
    /// Absolute, links resolved.
    pub(super) path: PathBuf,
    pub(super) directory: Directory,
}

impl Root {
    /// Opens a directory that the user named or owns.
    pub(super) fn open(path: &Path) -> std::io::Result<Self> {
        let path = path.canonicalize()?;
        let directory = Directory::open(&path)?;
        Ok(Self { path, directory })
    }
}

/// What a pattern stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    /// A file, or a link to one; it may not be there.
    File(PathBuf),
    /// Everything below a directory.
    Below(PathBuf),
}

/// The targets of a pattern, with paths below the root.
pub(super) fn expand(root: &Root, pattern: &str) -> Vec<Target> {
    let parts: Vec<&str> = pattern.split('/').collect();
    let mut targets = Vec::new();
    step(root, PathBuf::new(), &parts, &mut targets);
    targets.sort();
    targets
}

fn step(root: &Root, at: PathBuf, parts: &[&str], targets: &mut Vec<Target>) {
    let Some(first) = parts.iter().position(|part| part.contains('*')) else {
        targets.push(Target::File(at.join(parts.join("/"))));
        return;
    };
    let (plain, wild) = parts.split_at(first);
    let at = if plain.is_empty() { at } else { at.join(plain.join("/")) };
    let Some((pattern, rest)) = wild.split_first() else { return };
    if *pattern == "**" {
        targets.push(Target::Below(at));
        return;
    }
    let opened = if at.as_os_str().is_empty() {
        root.directory.directory(Path::new("."))
    } else {
        root.directory.directory(&at)
    };
    let Ok(entries) = opened.and_then(|directory| Ok(directory.entries()?)) else { return };
    for entry in entries.into_iter().filter(|entry| is_match(pattern, &entry.name)) {
        let path = at.join(&entry.name);
        if !rest.is_empty() && entry.kind == EntryKind::Directory {
            step(root, path, rest, targets);
        } else if rest.is_empty() && matches!(entry.kind, EntryKind::File | EntryKind::Link) {
            targets.push(Target::File(path));
        }
    }
}

/// Whether a name is what a pattern describes. As in shells, a `*` at the start hides no dot file.
pub(super) fn is_match(pattern: &str, name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    let hidden = name.starts_with(b".") && pattern.starts_with('*');
    !hidden && matches(pattern.as_bytes(), name)
}

fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let mut pieces = pattern.split(|byte| *byte == b'*');
    let Some(mut rest) = pieces.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces {
        let Some(at) = memchr::memmem::find(rest, piece) else { return false };
        rest = rest.get(at + piece.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

/// How shells write the home directory.
const HOMES: [&str; 9] = [
    "~",
    "$HOME",
    "${HOME}",
    "$env.HOME",
    "$env:HOME",
    "$env:USERPROFILE",
    "%USERPROFILE%",
    "$nu.home-path",
    "$ENV{HOME}",
];

/// The absolute path that a value in a profile means: `~`, `$HOME` and their like are the home; `None`
/// if it depends on anything else.
pub(super) fn home_path(written: &[u8], home: &Path) -> Option<PathBuf> {
    let text = std::str::from_utf8(written).ok()?.trim().trim_matches(['"', '\'', '`']);
    let below = HOMES
        .iter()
        .find_map(|name| text.strip_prefix(name))
        .filter(|rest| rest.is_empty() || rest.starts_with(['/', '\\', '"']));
    let path = match below {
        Some(rest) => home.join(rest.trim_matches(['/', '\\', '"'])),
        None => PathBuf::from(text),
    };
    let is_plain = !path.to_string_lossy().contains(['$', '`', '(', '%', '*', '{']);
    (path.is_absolute() && is_plain).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_patterns() {
        let table = [
            (".zshrc", ".zshrc", true),
            (".zshrc", ".zshrc2", false),
            (".z*", ".zshrc", true),
            ("*.json", "a.json", true),
            ("*.json", ".json", false),
            ("*", ".hidden", false),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "acb", false),
            ("*compose*.y*ml", "docker-compose.prod.yaml", true),
            ("ab*ba", "aba", false),
        ];
        for (pattern, name, expected) in table {
            assert_eq!(is_match(pattern, OsStr::new(name)), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn only_what_is_there_is_named() {
        let root = tempfile::tempdir().unwrap();
        for path in ["a/x/User/s.json", "a/y/User/s.json", "a/z/Other/s.json", "deep/d/e/f"] {
            std::fs::create_dir_all(root.path().join(path).parent().unwrap()).unwrap();
            std::fs::write(root.path().join(path), "").unwrap();
        }
        let root = Root::open(root.path()).unwrap();
        let file = |path: &str| Target::File(path.into());
        assert_eq!(expand(&root, "a/*/User/*.json"), [file("a/x/User/s.json"), file("a/y/User/s.json")]);
        assert_eq!(expand(&root, "plain/file"), [file("plain/file")]);
        assert_eq!(expand(&root, "de*/**"), [Target::Below("deep".into())]);
        assert_eq!(expand(&root, "none/*"), []);
    }

    #[test]
    fn what_a_profile_calls_home() {
        let home = Path::new("/home/jane");
        for text in
            ["~/.c", "\"$HOME/.c\"", "'${HOME}/.c'", "$HOME\"/.c\"", "/home/jane/.c", "$env:USERPROFILE\\.c"]
        {
            assert_eq!(
                home_path(text.as_bytes(), home).as_deref(),
                Some(Path::new("/home/jane/.c")),
                "{text}"
            );
        }
        for text in ["$OTHER/.c", "relative", "$HOME/$X", "$(pwd)/.c", "$HOMEBREW/.c", ""] {
            assert_eq!(home_path(text.as_bytes(), home), None, "{text}");
        }
    }
}
