//! Which of the genuine client's configuration directories a login is of.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use crate::{Finding, Location, Remedy};

/// What the operating system's store calls a login. Behind it stands, for a directory that is not the client's
/// default, the hash of its path (section 6 of the facts: seen in its code, not yet on macOS or Windows).
const ITEM: &str = "Claude Code-credentials";

/// A configuration directory; `None` for the client's default.
pub(super) struct Directory(pub(super) Option<PathBuf>);

/// The directories that are known.
pub(super) struct Logins<'a> {
    home: &'a Path,
    directories: BTreeSet<PathBuf>,
}

impl<'a> Logins<'a> {
    /// Those above anything that was found.
    pub(super) fn new(findings: &[Finding], home: &'a Path) -> Self {
        let paths = findings.iter().filter_map(|finding| match &finding.location {
            Location::Stored(stored) => Some(stored.path.ancestors().skip(1)),
            _ => None,
        });
        Self { home, directories: paths.flatten().map(Path::to_owned).collect() }
    }

    /// The directory in which the client logs this out, `None` if it does not, or in one that nobody knows.
    pub(super) fn directory(&self, finding: &Finding) -> Option<Directory> {
        match &finding.location {
            // A file of another name, to which a link led, it would not find.
            Location::Stored(stored)
                if finding.place.remedy == Remedy::ClientLogout
                    && stored.path.ends_with(".credentials.json") =>
            {
                Some(Directory(self.of_file(&stored.path)))
            }
            location => match item(location)?.strip_prefix('-') {
                None => Some(Directory(None)),
                Some(hash) => {
                    let directory = self.directories.iter().find(|path| is_hash_of(hash, path));
                    directory.map(|path| Directory(Some(path.clone())))
                }
            },
        }
    }

    fn of_file(&self, path: &Path) -> Option<PathBuf> {
        let parent = path.parent()?;
        (parent != self.home.join(".claude") && parent != self.home).then(|| parent.to_owned())
    }
}

/// What stands behind the name of a login that the operating system keeps; `None` for all else.
pub(crate) fn item(location: &Location) -> Option<&str> {
    match location {
        Location::Keychain { service, .. } => service.strip_prefix(ITEM),
        Location::CredentialManager { target } => target.split_once(ITEM).map(|(_, rest)| rest),
        _ => None,
    }
}

/// Whether this begins with the first eight digits of the path's SHA-256.
fn is_hash_of(text: &str, path: &Path) -> bool {
    let Some(path) = path.to_str() else { return false };
    let mut digits = String::new();
    for byte in Sha256::digest(path).iter().take(4) {
        // Writing to a text never fails.
        let _ = write!(digits, "{byte:02x}");
    }
    text.starts_with(&digits)
}
