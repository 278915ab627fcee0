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
            environment: Environment::on(env::consts::OS, env::vars_os()),
        }
    }
}

/// Variables by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// These variables on this operating system. On Windows a name means the same in capitals, which is how it is
    /// asked for here: `Path`, `SystemRoot`.
    fn on(system: &str, variables: impl Iterator<Item = (OsString, OsString)>) -> Self {
        let known_as = |name: OsString| if system == "windows" { name.to_ascii_uppercase() } else { name };
        Self(variables.map(|(name, value)| (known_as(name), value)).collect())
    }

    /// The home directory.
    pub fn home(&self) -> Option<&OsStr> {
        self.home_on(env::consts::OS)
    }

    fn home_on(&self, system: &str) -> Option<&OsStr> {
        self.get(directories::home_variable(system))
    }

    /// The home directory, if it is one wherever you are.
    ///
    /// # Errors
    /// If there is none, or a relative path.
    pub fn absolute_home(&self) -> Result<PathBuf, Error> {
        let home = self.home().map(PathBuf::from).filter(|home| home.is_absolute());
        let variable = directories::home_variable(env::consts::OS);
        home.ok_or_else(|| {
            Error::new(format!("{variable} does not say where your home directory is"))
                .hint(format!("set {variable} to it"))
        })
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    fn on(system: &str, variables: &[(&str, &str)]) -> Environment {
        Environment::on(system, variables.iter().map(|(name, value)| (name.into(), value.into())))
    }

    #[test]
    fn each_system_has_its_own_word_for_the_home_directory() {
        let both = [("HOME", "/c/Users/jane"), ("USERPROFILE", r"C:\Users\jane")];
        for (system, expected) in
            [("windows", r"C:\Users\jane"), ("linux", "/c/Users/jane"), ("macos", "/c/Users/jane")]
        {
            assert_eq!(on(system, &both).home_on(system), Some(OsStr::new(expected)), "{system}");
        }
        assert_eq!(on("windows", &both[..1]).home_on("windows"), None);
        assert_eq!(on("linux", &both[1..]).home_on("linux"), None);
        assert_eq!(on("linux", &[("HOME", "")]).home_on("linux"), None);
    }

    #[test]
    fn names_on_windows_have_no_case() {
        let written = [("Path", "x"), ("UserProfile", "y"), ("Anthropic_Api_Key", "z")];
        let windows = on("windows", &written);
        assert_eq!(windows.text("PATH"), Some("x"));
        assert_eq!(windows.text("ANTHROPIC_API_KEY"), Some("z"));
        assert_eq!(windows.home_on("windows"), Some(OsStr::new("y")));
        assert_eq!(on("linux", &written).text("PATH"), None);
    }
}
