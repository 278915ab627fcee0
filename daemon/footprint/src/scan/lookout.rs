//! Where the next credential can appear: what has to be watched to notice it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use super::expand::is_match;

/// The directories in which the cheap places are or would be, and the names in each that matter: of files,
/// and of directories that are not there yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lookout(BTreeMap<PathBuf, BTreeSet<String>>);

impl Lookout {
    /// The directories. All of them are there, and none is a link.
    pub fn directories(&self) -> impl Iterator<Item = &Path> {
        self.0.keys().map(PathBuf::as_path)
    }

    /// What matters in them and is there now, but for the directories themselves.
    pub fn files(&self) -> Vec<PathBuf> {
        let entries = self.0.keys().filter_map(|directory| fs::read_dir(directory).ok()).flatten().flatten();
        let is_wanted = |path: &PathBuf| self.matters(path) && !self.0.contains_key(path);
        let mut files: Vec<_> = entries.map(|entry| entry.path()).filter(is_wanted).collect();
        files.sort();
        files
    }

    /// Whether a credential can have come with a change of this path. A directory stands for anything in it.
    pub fn matters(&self, path: &Path) -> bool {
        let names = path.parent().and_then(|parent| self.0.get(parent)).zip(path.file_name());
        self.0.contains_key(path)
            || names.is_some_and(|(patterns, name)| patterns.iter().any(|pattern| is_match(pattern, name)))
    }

    /// Adds what a pattern describes below a directory that is there, as far as it leads now. A link is followed
    /// if it leads to something below `within`.
    pub(super) fn add(&mut self, directory: &Path, pattern: &str, within: &Path) {
        let parts: Vec<&str> = pattern.split('/').collect();
        self.step(directory, &parts, &[within, directory]);
    }

    /// Adds a path that may not be there yet: the last directory on the way to it that is there.
    pub(super) fn expect(&mut self, path: &Path) {
        let missing = path.ancestors().zip(path.ancestors().skip(1));
        let Some((first, parent)) = missing.into_iter().find(|(_, parent)| parent.is_dir()) else { return };
        if let (Ok(parent), Some(name)) = (parent.canonicalize(), first.file_name()) {
            self.note(&parent, &name.to_string_lossy());
        }
    }

    fn note(&mut self, directory: &Path, name: &str) {
        self.0.entry(directory.to_owned()).or_default().insert(name.to_owned());
    }

    fn step(&mut self, directory: &Path, parts: &[&str], within: &[&Path]) {
        let Some((first, rest)) = parts.split_first() else { return };
        self.note(directory, first);
        if !first.contains('*') {
            return self.enter(directory.join(first), rest, within);
        }
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            if is_match(first, &entry.file_name()) {
                self.enter(entry.path(), rest, within);
            }
        }
    }

    fn enter(&mut self, path: PathBuf, rest: &[&str], within: &[&Path]) {
        let Ok(found) = path.symlink_metadata() else { return };
        let path = if found.is_symlink() {
            let target = path.canonicalize().ok();
            let target = target.filter(|target| within.iter().any(|root| target.starts_with(root)));
            let Some(target) = target else { return };
            // What it leads to is changed there.
            if let (Some(parent), Some(name)) = (target.parent(), target.file_name()) {
                self.note(parent, &name.to_string_lossy());
            }
            target
        } else {
            path
        };
        if !rest.is_empty() && path.is_dir() {
            self.step(&path, rest, within);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookout(home: &Path, patterns: &[&str]) -> Lookout {
        let mut lookout = Lookout::default();
        for pattern in patterns {
            lookout.add(home, pattern, home);
        }
        lookout
    }

    fn home() -> (tempfile::TempDir, PathBuf) {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().canonicalize().unwrap();
        (place, path)
    }

    #[test]
    fn what_matters_is_what_a_pattern_names_or_leads_through() {
        let (_place, home) = home();
        let seen = lookout(&home, &[".zshrc", ".config/fish/conf.d/*.fish"]);
        assert_eq!(seen.directories().collect::<Vec<_>>(), [home.as_path()]);
        for (name, matters) in [(".zshrc", true), (".config", true), (".zshrc2", false), ("notes", false)] {
            assert_eq!(seen.matters(&home.join(name)), matters, "{name}");
        }
        assert!(seen.matters(&home), "a directory stands for anything in it");
        fs::create_dir_all(home.join(".config/fish/conf.d")).unwrap();
        let seen = lookout(&home, &[".zshrc", ".config/fish/conf.d/*.fish"]);
        assert_eq!(seen.directories().count(), 4);
        assert!(seen.matters(&home.join(".config/fish/conf.d/a.fish")));
        assert!(!seen.matters(&home.join(".config/fish/conf.d/a.txt")));
        assert!(!seen.matters(&home.join(".config/kdeglobals")));
    }

    #[test]
    fn a_link_is_watched_where_it_leads_within_the_home_and_not_out_of_it() {
        let ((_place, home), (_other, outside)) = (home(), home());
        fs::create_dir(home.join("dotfiles")).unwrap();
        fs::write(home.join("dotfiles/zshrc"), "").unwrap();
        fs::write(outside.join("bashrc"), "").unwrap();
        std::os::unix::fs::symlink(home.join("dotfiles/zshrc"), home.join(".zshrc")).unwrap();
        std::os::unix::fs::symlink(outside.join("bashrc"), home.join(".bashrc")).unwrap();
        let seen = lookout(&home, &[".zshrc", ".bashrc"]);
        assert!(seen.matters(&home.join("dotfiles/zshrc")) && !seen.matters(&outside.join("bashrc")));
        assert_eq!(seen.files(), [home.join(".bashrc"), home.join(".zshrc"), home.join("dotfiles/zshrc")]);
    }

    #[test]
    fn what_is_expected_is_waited_for_where_its_way_ends() {
        let (_place, home) = home();
        let mut seen = Lookout::default();
        seen.expect(&home.join("a/b/claude"));
        assert!(seen.matters(&home.join("a")) && !seen.matters(&home.join("b")));
        fs::create_dir_all(home.join("a/b")).unwrap();
        seen.expect(&home.join("a/b/claude"));
        assert!(seen.matters(&home.join("a/b/claude")));
    }
}
