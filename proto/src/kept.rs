//! The list of the accounts that the OS keyring keeps, in the state directory: a locked keyring does not
//! tell whose entries it has. The daemon writes it; a client reads it where no daemon runs, because what
//! is kept is there all the same. Holds no credential, and nothing that a held credential goes by: that is
//! in the keyring.

use std::{fs, io, path::PathBuf};

use claudectl_platform::permissions;
use serde::{Deserialize, Serialize};

/// The longest list that is read, in bytes: a thousand accounts and room.
const LONGEST: u64 = 1 << 20;

/// The accounts that are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// The account that is the default, if it is kept.
    pub default: Option<String>,
    /// The accounts.
    pub accounts: Vec<Line>,
}

/// One of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each is the field of that name of the account")]
pub struct Line {
    pub name: String,
    /// `api_key`, `oauth`, `subscription`.
    pub kind: String,
    /// How it is injected: `x-api-key`, `bearer`.
    pub header: String,
    pub authority: Option<String>,
    pub upstream: String,
    pub email: Option<String>,
    pub organization: Option<String>,
    pub plan: Option<String>,
    pub renewable: bool,
    pub revocable: bool,
    /// Seconds since the Unix epoch.
    pub logged_in_at: i64,
}

/// The file of the list, in a state directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    directory: PathBuf,
}

impl File {
    /// That in this state directory.
    pub fn within(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.directory.join("kept.json")
    }

    /// Reads it; one that is not there is empty.
    ///
    /// # Errors
    /// If it is not a plain file of this user (which is never waited for), or damaged. Nobody knows
    /// then what the keyring keeps.
    pub fn read(&self) -> io::Result<List> {
        match permissions::read_own(&self.path(), LONGEST) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(List::default()),
            Err(error) => Err(error),
        }
    }

    /// Replaces it at once.
    ///
    /// # Errors
    /// If it cannot be written; then it is as it was.
    pub fn write(&self, list: &List) -> io::Result<()> {
        fs::create_dir_all(self.directory.parent().unwrap_or(&self.directory))?;
        permissions::private_directory(&self.directory).map_err(io::Error::other)?;
        permissions::replace_own(&self.path(), &serde_json::to_vec(list)?)
    }

    /// Gives what cannot be read another name, under which [`set_aside`](Self::set_aside) finds it: it is the
    /// only one who knows of some entries of the keyring.
    ///
    /// # Errors
    /// If it cannot be renamed.
    pub fn put_aside(&self) -> io::Result<PathBuf> {
        let free = |path: &PathBuf| path.symlink_metadata().is_err();
        let names = (1..1000).map(|number| self.directory.join(format!("{ASIDE}{number}")));
        let path = names.into_iter().find(free).ok_or(io::ErrorKind::AlreadyExists)?;
        fs::rename(self.path(), &path)?;
        Ok(path)
    }

    /// Lists that could not be read and were put aside.
    pub fn set_aside(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.directory).into_iter().flatten().flatten();
        let is_one = |path: &PathBuf| {
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(ASIDE))
        };
        let mut found: Vec<_> = entries.map(|entry| entry.path()).filter(is_one).collect();
        found.sort();
        found
    }
}

/// How the names of lists begin that were put aside.
const ASIDE: &str = "kept.damaged-";

#[cfg(test)]
mod tests {
    use super::*;

    fn file(directory: &tempfile::TempDir) -> File {
        File::within(directory.path().join("state/claudectl"))
    }

    fn list(name: &str) -> List {
        let line = Line { name: name.into(), kind: "api_key".into(), ..Line::default() };
        List { default: Some(name.into()), accounts: vec![line] }
    }

    #[test]
    fn what_was_written_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let file = file(&directory);
        assert_eq!(file.read().unwrap(), List::default());
        for name in ["work", "private"] {
            file.write(&list(name)).unwrap();
            assert_eq!(file.read().unwrap(), list(name));
        }
        assert_eq!(fs::read_dir(&file.directory).unwrap().count(), 1, "nothing else stays");
    }

    #[test]
    fn a_damaged_list_is_an_error_and_none_is_lost_when_they_are_put_aside() {
        let directory = tempfile::tempdir().unwrap();
        let file = file(&directory);
        for text in ["{\"accounts\":[{\"name\":\"wo", "", "[]"] {
            file.write(&List::default()).unwrap();
            fs::write(file.path(), text).unwrap();
            assert!(file.read().is_err(), "{text:?}");
            let aside = file.put_aside().unwrap();
            assert_eq!(fs::read_to_string(aside).unwrap(), text);
        }
        assert_eq!(file.set_aside().len(), 3);
        assert_eq!(file.read().unwrap(), List::default());
    }
}
