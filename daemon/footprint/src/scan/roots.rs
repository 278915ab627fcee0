//! The directories that places are below: the home, what variables have moved out of it, Claude Code's
//! configuration directories, the project.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Gap, Lookout, Scope,
    expand::{Expansion, Root, Target, is_match},
    variables,
};
use crate::catalog::{At, Place, places};

/// What variables move, and which patterns move with it.
const MOVED: [(&str, &str); 8] = [
    (".config/anthropic/", "ANTHROPIC_CONFIG_DIR"),
    (".config/", "XDG_CONFIG_HOME"),
    (".local/share/", "XDG_DATA_HOME"),
    (".local/state/", "XDG_STATE_HOME"),
    (".cache/", "XDG_CACHE_HOME"),
    ("AppData/Roaming/", "APPDATA"),
    ("AppData/Local/", "LOCALAPPDATA"),
    (".z", "ZDOTDIR"),
];
/// Where people keep a second login, by habit.
const HABITS: [&str; 3] = [".claude-*", ".claude_*", ".config/claude*"];
/// What makes a directory one of Claude Code's.
const SIGNS: [&str; 4] = [".credentials.json", ".claude.json", "projects", "settings.json"];

/// All of them, opened once.
pub(super) struct Roots {
    pub(super) home: Arc<Root>,
    moved: Vec<(&'static str, Arc<Root>)>,
    /// Claude Code's configuration directories, the one in force first.
    pub(super) directories: Vec<Arc<Root>>,
    project: Vec<Arc<Root>>,
    /// Configuration directories that were named and are not there yet.
    awaited: Vec<PathBuf>,
    /// Directories that could not be looked at.
    pub(super) gaps: Vec<Gap>,
}

impl Roots {
    pub(super) fn of(scope: &Scope<'_>) -> io::Result<Self> {
        let home = Arc::new(Root::open(scope.home)?);
        let moved = MOVED.iter().filter_map(|(prefix, variable)| {
            let root = Root::open(&scope.directory(variable)?).ok()?;
            // Patterns such as `**` are for a directory of its own, never for one that the home is in.
            let is_elsewhere = !home.path.starts_with(&root.path) && root.path != home.path.join(prefix);
            is_elsewhere.then(|| (*prefix, Arc::new(root)))
        });
        let moved = moved.collect();
        let project = project(scope, &home.path);
        let mut roots =
            Self { home, moved, directories: Vec::new(), project, awaited: Vec::new(), gaps: Vec::new() };
        for path in variables::DIRECTORIES.iter().filter_map(|name| scope.directory(name)) {
            roots.add_directory(&path);
        }
        scope.directories.iter().for_each(|path| roots.add_directory(path));
        roots.add_directory(&scope.home.join(".claude"));
        for path in HABITS.iter().flat_map(|pattern| subdirectories(&roots.home, pattern)).collect::<Vec<_>>()
        {
            roots.add_directory(&path);
        }
        Ok(roots)
    }

    /// Adds a configuration directory, if it is there.
    pub(super) fn add_directory(&mut self, path: &Path) {
        let root = match Root::open(path) {
            Ok(root) => root,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return self.awaited.push(path.to_owned());
            }
            Err(error) => {
                let what = path.to_string_lossy().into_owned();
                return self.gaps.push(Gap { what, why: error.to_string() });
            }
        };
        if root.path != self.home.path && !self.directories.iter().any(|known| known.path == root.path) {
            self.directories.push(Arc::new(root));
        }
    }

    /// The directory of the user's that a path is below, and the path from there. `home` is what the user calls it.
    pub(super) fn above(&self, path: &Path, home: &Path) -> Option<(Arc<Root>, PathBuf)> {
        let all = std::iter::once(&self.home).chain(&self.directories).chain(&self.project);
        let below =
            |root: &Arc<Root>| Some((Arc::clone(root), path.strip_prefix(&root.path).ok()?.to_owned()));
        all.into_iter()
            .find_map(below)
            .or_else(|| Some((Arc::clone(&self.home), path.strip_prefix(home).ok()?.to_owned())))
    }

    /// What has to be watched to notice what appears in the cheap places.
    pub(super) fn lookout(&self) -> Lookout {
        let mut lookout = Lookout::default();
        let home = &self.home.path;
        let mut add = |root: &Arc<Root>, pattern: &str| lookout.add(&root.path, pattern, home);
        for place in places().filter(|place| place.cheap) {
            match place.at {
                At::Home(patterns) => self.below_home(patterns, &mut add),
                At::ConfigDirectory(patterns) => every(&self.directories, patterns, &mut add),
                At::Project(patterns) => every(&self.project, patterns, &mut add),
                _ => {}
            }
        }
        for (directory, sign) in HABITS.iter().flat_map(|habit| SIGNS.map(|sign| (habit, sign))) {
            add(&self.home, &format!("{directory}/{sign}"));
        }
        // Elsewhere nobody makes one by accident.
        self.awaited.iter().filter(|path| path.starts_with(home)).for_each(|path| lookout.expect(path));
        lookout
    }

    fn below_home(&self, patterns: &[&str], add: &mut impl FnMut(&Arc<Root>, &str)) {
        for pattern in patterns {
            add(&self.home, pattern);
            let moved = self.moved.iter().filter_map(|(prefix, root)| Some((moved(pattern, prefix)?, root)));
            moved.for_each(|(pattern, root)| add(root, pattern));
        }
    }

    /// What the patterns of a place stand for.
    pub(super) fn targets(&mut self, place: &Place) -> Vec<(Arc<Root>, Target)> {
        let is_own = !matches!(place.at, At::Project(_));
        let mut expansion = Expansion { home: &self.home, is_own, targets: Vec::new(), gaps: Vec::new() };
        let mut add = |root: &Arc<Root>, pattern: &str| expansion.add(root, pattern);
        match place.at {
            At::Home(patterns) => self.below_home(patterns, &mut add),
            At::ConfigDirectory(patterns) => every(&self.directories, patterns, add),
            At::Project(patterns) => every(&self.project, patterns, add),
            _ => {}
        }
        let Expansion { targets, gaps, .. } = expansion;
        self.gaps.extend(gaps);
        targets
    }
}

fn every(roots: &[Arc<Root>], patterns: &[&str], mut add: impl FnMut(&Arc<Root>, &str)) {
    for root in roots {
        for pattern in patterns {
            add(root, pattern);
        }
    }
}

/// The pattern below a directory that a variable has moved. The files of zsh keep their whole names.
fn moved<'a>(pattern: &'a str, prefix: &str) -> Option<&'a str> {
    let below = pattern.strip_prefix(prefix)?;
    Some(if prefix.ends_with('/') { below } else { pattern })
}

/// The directories of the project: the working directory and its parents up to the repository's root.
/// The home and the root of the file system are none.
fn project(scope: &Scope<'_>, home: &Path) -> Vec<Arc<Root>> {
    let start = scope.working_directory.and_then(|path| path.canonicalize().ok());
    let Some(start) = start else { return Vec::new() };
    let parents: Vec<&Path> =
        start.ancestors().take_while(|path| *path != home && path.parent().is_some()).collect();
    let repository = parents.iter().position(|path| path.join(".git").exists()).unwrap_or(0);
    let roots = parents.into_iter().take(repository + 1).filter_map(|path| Root::open(path).ok());
    roots.map(Arc::new).collect()
}

fn subdirectories(root: &Root, pattern: &str) -> Vec<PathBuf> {
    let (parent, name) = pattern.rsplit_once('/').unwrap_or((".", pattern));
    let entries = root.directory.directory(Path::new(parent)).and_then(|directory| Ok(directory.entries()?));
    let entries = entries.unwrap_or_default();
    let paths = entries
        .iter()
        .filter(|entry| is_match(name, &entry.name))
        .map(|entry| root.path.join(parent).join(&entry.name));
    paths.filter(|path| SIGNS.iter().any(|sign| path.join(sign).exists())).collect()
}
