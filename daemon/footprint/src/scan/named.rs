//! Files that a variable names: a login that a host writes for the client, a token that a gateway renews. Those
//! within the user's own tree are looked at; of another one it is said that nobody looked. What they are for
//! nobody knows here, so it is a person who removes them, and until then nothing takes the variable away that
//! leads there.

use std::{
    collections::BTreeSet,
    path::{Component, Path, PathBuf},
};

use super::{expand::home_path, look::Look};
use crate::{
    Finding, Location,
    catalog::{At, environment::names_a_file, places},
    finding::{Kind, Stored, Structure},
};

/// What the kernel shows of descriptors and processes is no file of anybody's.
const NOT_STORED: [&str; 2] = ["/dev", "/proc"];

/// A file that a variable names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Named {
    /// `None` if it is not known here where that is: a relative one, say.
    pub(super) path: Option<PathBuf>,
    pub(super) variable: String,
    /// Whether a project says so, which is anybody's: it decides over no file of the user.
    pub(super) by_project: bool,
}

impl Named {
    /// By the value of a variable, if it names one.
    pub(super) fn by(variable: &str, value: &[u8], home: &Path) -> Option<Self> {
        if value.trim_ascii().is_empty() {
            return None;
        }
        let text = std::str::from_utf8(value).ok();
        let absolute = text.map(PathBuf::from).filter(|path| path.is_absolute());
        Self::at(variable, absolute.or_else(|| home_path(value, home)))
    }

    /// At this path, if the variable names one.
    pub(super) fn at(variable: &str, path: Option<PathBuf>) -> Option<Self> {
        let is_stored = |path: &PathBuf| !NOT_STORED.iter().any(|above| path.starts_with(above));
        (path.as_ref().is_none_or(is_stored) && names_a_file(variable)).then(|| Self {
            path,
            variable: variable.to_owned(),
            by_project: false,
        })
    }
}

impl Look<'_> {
    /// Every file that was named so far.
    pub(super) fn at_named_files(&mut self) {
        let mut named = std::mem::take(&mut self.named);
        named.sort();
        named.dedup();
        let (mut leading, mut leading_in_projects) = (BTreeSet::new(), BTreeSet::new());
        for Named { path, variable, by_project } in named {
            if path.as_deref().is_some_and(|path| self.is_absent(path, by_project)) {
                continue;
            }
            if by_project {
                leading_in_projects.insert(variable);
                continue;
            }
            if let Some(path) = path {
                self.at_named_file(&path, &variable);
            }
            leading.insert(variable);
        }
        for finding in self.findings.iter_mut().filter(|finding| finding.kind == Kind::Pointer) {
            let by_project = matches!(finding.place.at, At::Project(_));
            let leading = if by_project { &leading_in_projects } else { &leading };
            finding.leads = variable_of(finding).is_some_and(|variable| leading.contains(variable));
        }
    }

    fn at_named_file(&mut self, path: &Path, variable: &str) {
        let Some(place) = places().find(|place| place.at == At::NamedByVariable) else { return };
        match self.roots.above(path, self.scope.home) {
            Some((root, below)) => self.file(place, &root, &below),
            None => {
                self.gap(path, &format!("{variable} names it, and it is not in your home: not looked at"));
            }
        }
    }

    /// Whether there certainly is no such file. Nobody goes anywhere because a project says so.
    fn is_absent(&self, path: &Path, by_project: bool) -> bool {
        let may_look = !by_project || self.is_in_home(path);
        may_look && path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
    }

    /// Also by its name: `..` leads out again.
    fn is_in_home(&self, path: &Path) -> bool {
        let climbs = path.components().any(|part| part == Component::ParentDir);
        !climbs && self.roots.above(path, self.scope.home).is_some()
    }

    /// A configuration directory by the word of a project. What is none would be searched whole, and purged.
    pub(super) fn at_directory_of_project(&mut self, path: &Path) {
        if self.is_absent(path, true) {
            return;
        }
        let has = |name: &str| path.join(name).symlink_metadata().is_ok();
        if self.is_in_home(path) && [".claude.json", ".credentials.json"].into_iter().any(has) {
            self.add_directory(path);
        } else {
            self.gap(path, &"this project calls it a configuration directory, and it is none: not looked at");
        }
    }
}

/// The variable that a finding is in.
fn variable_of(finding: &Finding) -> Option<&str> {
    match &finding.location {
        Location::Variable { name, .. } => Some(name),
        Location::Stored(Stored { structure: Structure::Assignment { variable, .. }, .. }) => Some(variable),
        Location::Stored(Stored { structure: Structure::Json { pointer }, .. }) => pointer.rsplit('/').next(),
        _ => None,
    }
}

/// What a file that is only a credential holds; `None` if it says anything else.
pub(super) fn bare(text: &[u8]) -> Option<(std::ops::Range<usize>, Kind, Structure)> {
    let bare = text.trim_ascii();
    let is_one = bare.iter().all(u8::is_ascii_graphic) && !super::placeholder::is_placeholder(bare);
    let start = text.len() - text.trim_ascii_start().len();
    is_one.then(|| (start..start + bare.len(), Kind::ServiceToken, Structure::Text { line: 1 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_variables_that_name_files_name_one() {
        let home = Path::new("/home/jane");
        let path = |variable, value: &str| Named::by(variable, value.as_bytes(), home)?.path;
        let table = [
            ("CLAUDE_CODE_HOST_CREDS_FILE", "/home/jane/c.json", true),
            ("CLAUDE_BG_SOCKET_TOKENS_PATH", "/run/x", true),
            ("CLAUDE_CODE_HOST_CREDS_FILE", "~/c.json", true),
            ("CLAUDE_CODE_HOST_CREDS_FILE", "/home/jane/My Creds (1)%.json", true),
            ("CLAUDE_CODE_HOST_CREDS_FILE", "c.json", false),
            ("CLAUDE_CODE_HOST_CREDS_FILE", "/dev/fd/3", false),
            ("CLAUDE_CODE_HOST_CREDS_FILE", "/proc/self/fd/3", false),
            ("CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR", "3", false),
            ("CLAUDE_CODE_HOST_AUTH_ENV_VAR", "/X", false),
            // The key of a connection is needed for more than a login.
            ("CLAUDE_CODE_CLIENT_KEY", "/home/jane/key.pem", false),
            ("HISTFILE", "/home/jane/.h", false),
        ];
        for (variable, value, expected) in table {
            assert_eq!(path(variable, value).is_some(), expected, "{variable} {value}");
        }
        // Where it is nobody knows here, so nobody knows that it is not there.
        for value in [b"c.json".as_slice(), b"/home/jane/\xff.json"] {
            let named = Named::by("CLAUDE_CODE_HOST_CREDS_FILE", value, home).unwrap();
            assert_eq!(named.path, None, "{value:?}");
        }
    }

    #[test]
    fn a_file_of_one_word_is_one() {
        assert_eq!(bare(b" opaque-0123456789\r\n").map(|found| found.0), Some(1..18));
        for text in ["", "\n", "short", "two words-0123456789", "-----BEGIN X-----\nabc\n", "your-token-here"]
        {
            assert_eq!(bare(text.as_bytes()), None, "{text}");
        }
    }
}
