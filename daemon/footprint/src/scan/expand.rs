//! From the patterns of the catalogue to files that are there.

use std::{
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use claudectl_platform::tree::{Directory, EntryKind, LookError};

use super::Gap;

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

/// Finds out what patterns stand for below some directories.
pub(super) struct Expansion<'a> {
    /// Links are followed as far as they lead to something below it.
    pub(super) home: &'a Arc<Root>,
    /// Whether each directory that a wildcard names is looked into. Otherwise links and closed ones are passed
    /// over: a project's lead to what was built, or belong to what runs in a container.
    pub(super) is_own: bool,
    /// What was found, and the directory that each path is below.
    pub(super) targets: Vec<(Arc<Root>, Target)>,
    /// What could not be looked at.
    pub(super) gaps: Vec<Gap>,
}

impl Expansion<'_> {
    /// Adds the targets of a pattern below this directory.
    pub(super) fn add(&mut self, root: &Arc<Root>, pattern: &str) {
        let parts: Vec<&str> = pattern.split('/').collect();
        let before = self.targets.len();
        self.step(root, PathBuf::new(), &parts);
        if let Some(new) = self.targets.get_mut(before..) {
            new.sort_by(|a, b| a.1.cmp(&b.1));
        }
    }

    fn step(&mut self, root: &Arc<Root>, at: PathBuf, parts: &[&str]) {
        let Some(first) = parts.iter().position(|part| part.contains('*')) else {
            let target = Target::File(at.join(parts.join("/")));
            return self.targets.push((Arc::clone(root), target));
        };
        let (plain, wild) = parts.split_at(first);
        let at = if plain.is_empty() { at } else { at.join(plain.join("/")) };
        let Some((pattern, rest)) = wild.split_first() else { return };
        let Some((root, at, directory)) = self.reach(root, at) else { return };
        if *pattern == "**" {
            return self.targets.push((root, Target::Below(at)));
        }
        let entries = directory.entries().unwrap_or_default();
        for entry in entries.into_iter().filter(|entry| is_match(pattern, &entry.name)) {
            let path = at.join(&entry.name);
            let is_open = || self.is_own || root.directory.directory(&path).is_ok();
            if !rest.is_empty() && matches!(entry.kind, EntryKind::Directory | EntryKind::Link) && is_open() {
                self.step(&root, path, rest);
            } else if rest.is_empty() && matches!(entry.kind, EntryKind::File | EntryKind::Link) {
                self.targets.push((Arc::clone(&root), Target::File(path)));
            }
        }
    }

    /// Opens a directory; one behind a link by its own path.
    fn reach(&mut self, root: &Arc<Root>, at: PathBuf) -> Option<(Arc<Root>, PathBuf, Directory)> {
        let open = |root: &Root, at: &Path| {
            root.directory.directory(if at.as_os_str().is_empty() { Path::new(".") } else { at })
        };
        let path = root.path.join(&at);
        let error = match open(root, &at) {
            Ok(directory) => return Some((Arc::clone(root), at, directory)),
            Err(LookError::Link) => match resolve(&path, &[root, self.home]) {
                Ok(Some((root, target))) => match open(root, &target) {
                    Ok(directory) => return Some((Arc::clone(root), target, directory)),
                    Err(error) => error.to_string(),
                },
                Ok(None) => LEADS_OUT.to_owned(),
                // It leads nowhere.
                Err(_) => return None,
            },
            Err(error) if error.is_absent() || matches!(error, LookError::NotAFile) => return None,
            Err(error) => error.to_string(),
        };
        self.gaps.push(Gap { what: path.to_string_lossy().into_owned(), why: error });
        None
    }
}

/// Why such a link is not followed.
pub(super) const LEADS_OUT: &str = "a link that leads out of your home: not followed";

/// Where a link leads, if that is below one of these directories: which one, and the path below it.
pub(super) fn resolve<'a>(
    link: &Path,
    roots: &[&'a Arc<Root>],
) -> io::Result<Option<(&'a Arc<Root>, PathBuf)>> {
    let target = link.canonicalize()?;
    Ok(roots.iter().find_map(|root| Some((*root, target.strip_prefix(&root.path).ok()?.to_owned()))))
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
        std::os::unix::fs::symlink("a/x", root.path().join("link")).unwrap();
        std::os::unix::fs::symlink("/", root.path().join("out")).unwrap();
        let root = Arc::new(Root::open(root.path()).unwrap());
        let expanded = |pattern: &str| {
            let mut expansion =
                Expansion { home: &root, is_own: true, targets: Vec::new(), gaps: Vec::new() };
            expansion.add(&root, pattern);
            let targets: Vec<_> = expansion.targets.into_iter().map(|(_, target)| target).collect();
            (targets, expansion.gaps.len())
        };
        let file = |path: &str| Target::File(path.into());
        assert_eq!(expanded("a/*/User/*.json"), (vec![file("a/x/User/s.json"), file("a/y/User/s.json")], 0));
        assert_eq!(expanded("plain/file"), (vec![file("plain/file")], 0));
        assert_eq!(expanded("de*/**"), (vec![Target::Below("deep".into())], 0));
        assert_eq!(expanded("none/*"), (vec![], 0));
        assert_eq!(expanded("link/User/*"), (vec![file("a/x/User/s.json")], 0));
        assert_eq!(expanded("out/*"), (vec![], 1));
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
