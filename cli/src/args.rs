//! What the process was started with. Nothing else in the client reads its environment.

use std::{
    collections::BTreeMap,
    env,
    ffi::{OsStr, OsString},
    path::PathBuf,
};

use claudectl_platform::directories;
use claudectl_proto::endpoint::Endpoints;

use crate::error::Error;

/// What the process was started with.
#[derive(Debug)]
pub struct Invocation {
    /// The arguments, without the program's own name.
    pub arguments: Vec<OsString>,
    /// The variables.
    pub environment: Environment,
}

impl Invocation {
    /// That of this process.
    pub fn of_this_process() -> Self {
        Self {
            arguments: env::args_os().skip(1).collect(),
            environment: Environment(env::vars_os().collect()),
        }
    }
}

/// Variables by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// The value of a variable; one that is set to nothing counts as not set.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// The same as text; `None` also if it is not UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(OsStr::to_str)
    }

    /// A variable that names a path.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from)
    }

    /// The directories of `PATH`, absolute ones only: what a relative one means depends on where
    /// you are.
    pub fn search_path(&self) -> Vec<PathBuf> {
        self.get("PATH")
            .map(env::split_paths)
            .into_iter()
            .flatten()
            .filter(|path| path.is_absolute())
            .collect()
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&OsString, &OsString)> {
        self.0.iter()
    }

    /// Sets a variable.
    pub fn set(&mut self, name: impl Into<OsString>, value: impl Into<OsString>) {
        self.0.insert(name.into(), value.into());
    }

    /// The account that this environment asks for (a session has its own here); empty for none.
    pub fn account(&self) -> &str {
        self.text("CLAUDECTL_ACCOUNT").unwrap_or_default()
    }

    /// Where the daemon of this environment listens.
    ///
    /// # Errors
    /// If its directory is not ours alone.
    pub fn endpoints(&self) -> Result<Endpoints, Error> {
        Ok(Endpoints::within(directories::runtime(self.get("XDG_RUNTIME_DIR"))?))
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(variables: T) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// Where this program is, links resolved.
///
/// # Errors
/// If the system does not tell.
pub fn own_program() -> Result<PathBuf, Error> {
    env::current_exe()
        .and_then(|path| path.canonicalize())
        .map_err(|error| Error::new("could not find out where this program is").because(&error))
}

/// The working directory; empty if it is gone.
pub fn working_directory() -> PathBuf {
    env::current_dir().unwrap_or_default()
}

/// The directory for files that do not stay.
pub fn temporary_directory() -> PathBuf {
    env::temp_dir()
}
