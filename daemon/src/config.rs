//! The configuration file.
//!
//! An unknown key is an error with its line: a misspelt rule must not silently be no rule. A bad
//! file keeps what was in force and says so in `status`.

mod schema;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use claudectl_core::policy::Policy;
pub use schema::{AuthorizationServer, Config, Inject, StrayReaction, Upstream};

/// Why a file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It could not be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It does not say what it should; the message names the line.
    #[error("{path}:{line}: {message}")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
}

/// What is in force, and where it came from.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// The file.
    pub path: PathBuf,
    /// Whether it exists.
    pub present: bool,
    /// Why the file as it is now was not taken.
    pub error: Option<String>,
    /// What is in force.
    pub config: Config,
    /// What `~` means in it.
    pub home: Option<PathBuf>,
}

impl Configuration {
    /// Reads the file for the first time.
    ///
    /// # Errors
    /// A file that is there but wrong: the daemon must not start with rules that nobody wrote.
    pub fn load(path: PathBuf, home: Option<PathBuf>) -> Result<Self, ConfigError> {
        let config = read(&path)?;
        Ok(Self { path, present: config.is_some(), error: None, config: config.unwrap_or_default(), home })
    }

    /// The part of it that the engine decides by.
    pub fn policy(&self) -> Policy {
        self.config.policy(self.home.as_deref())
    }

    /// Reads the file again. A bad file keeps the old rules.
    ///
    /// # Errors
    /// What is wrong with it; `error` says the same from then on.
    pub fn reload(&mut self) -> Result<(), ConfigError> {
        match read(&self.path) {
            Ok(config) => {
                self.present = config.is_some();
                self.config = config.unwrap_or_default();
                self.error = None;
                Ok(())
            }
            Err(error) => {
                self.error = Some(error.to_string());
                Err(error)
            }
        }
    }
}

/// `Ok(None)` if there is no such file.
fn read(path: &Path) -> Result<Option<Config>, ConfigError> {
    match fs::read_to_string(path) {
        Ok(text) => parse(path, &text).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ConfigError::Unreadable { path: path.to_owned(), source }),
    }
}

fn parse(path: &Path, text: &str) -> Result<Config, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
        ConfigError::Wrong { path: path.to_owned(), line, message: error.message().to_owned() }
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use claudectl_core::policy::reactions::{Reaction, Trigger};

    use super::*;

    fn wrong(text: &str) -> String {
        parse(Path::new("config.toml"), text).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_key_is_an_error_with_its_line() {
        let message = wrong("[limits]\nsessions = 5\nsesions = 6\n");
        assert!(message.starts_with("config.toml:3: unknown field `sesions`"), "{message}");
        assert!(wrong("[unknown]\n").starts_with("config.toml:1: unknown field `unknown`"));
    }

    #[test]
    fn out_of_range_is_an_error() {
        assert!(wrong("[limits]\nsessions = 0\n").contains(":2:"));
        assert!(wrong("[policy]\nscreen_lock = \"wipe\"\n").contains(":2:"));
        assert!(wrong("[policy]\nidle_minutes = -1\n").contains(":2:"));
        assert!(wrong("[account.\"a b\"]\nidle = \"ignore\"\n").contains(":1:"));
        assert!(wrong("[account.work]\nidle_minutes = 5\n").contains("idle_minutes"));
        assert!(wrong("log = \"chatty\"\n").contains(":1:"));
    }

    #[test]
    fn an_account_may_have_reactions_of_its_own() {
        let text = "[policy]\nidle = \"ignore\"\nidle_minutes = 5\nlogin_hours = 8\n\n[account.work]\nidle = \"purge\"\n";
        let policy = parse(Path::new("config.toml"), text).unwrap().policy(None);
        let name = |name: &str| name.parse().unwrap();
        assert_eq!(policy.reactions.to(Trigger::Idle, &name("work")), Reaction::Purge);
        assert_eq!(policy.reactions.to(Trigger::Idle, &name("other")), Reaction::Ignore);
        assert_eq!(policy.reactions.to(Trigger::DesktopEnd, &name("other")), Reaction::Purge);
        assert_eq!(policy.idle_after, Some(Duration::from_mins(5)));
        assert_eq!(policy.login_lifetime, Some(Duration::from_hours(8)));
        assert!(!policy.footprints);
        let text = "[policy]\nscreen_lock = \"purge\"\nfootprints = true\n";
        assert!(parse(Path::new("config.toml"), text).unwrap().policy(None).footprints);
        assert!(wrong("[policy]\nfootprints = \"yes\"\n").contains(":2:"));
        assert!(wrong("[account.work]\nfootprints = true\n").contains("footprints"));
        let never = parse(Path::new("config.toml"), "[policy]\nidle_minutes = 0\n").unwrap().policy(None);
        assert_eq!((never.idle_after, never.login_lifetime), (None, None));
    }

    #[test]
    fn rules_name_directories_and_accounts() {
        let text = "[[rule]]\ndirectory = \"~/work/\"\naccount = \"work\"\ndeny = [\"personal\"]\n";
        let config = parse(Path::new("config.toml"), text).unwrap();
        let policy = config.policy(Some(Path::new("/home/me")));
        let [rule] = policy.rules.as_slice() else { panic!("{policy:?}") };
        assert_eq!(rule.directory, "/home/me/work");
        assert_eq!(rule.account.as_ref().unwrap().as_str(), "work");
        assert_eq!(rule.deny[0].as_str(), "personal");
        assert!(wrong("[[rule]]\ndirectory = \"work\"\n").contains(":2:"));
        assert!(wrong("[[rule]]\ndirectory = \"/a/../b\"\n").contains(":2:"));
        assert!(wrong("[[rule]]\ndirectory = \"/a\"\naccount = \"a b\"\n").contains(":3:"));
    }

    #[test]
    fn a_rule_for_a_link_holds_for_what_it_points_to() {
        let directory = tempfile::tempdir().unwrap();
        let (real, link) =
            (directory.path().canonicalize().unwrap().join("real"), directory.path().join("link"));
        fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let text = format!("[[rule]]\ndirectory = {link:?}\ndeny = [\"personal\"]\n");
        let policy = parse(Path::new("config.toml"), &text).unwrap().policy(None);
        let directories: Vec<_> = policy.rules.iter().map(|rule| rule.directory.as_str()).collect();
        assert_eq!(directories, [link.to_str().unwrap(), real.to_str().unwrap()]);
    }

    #[test]
    fn authorization_servers() {
        let server = |lines: &str| {
            format!(
                "[authorization_server.acme]\nclient_id = \"x\"\nupstream = \"https://api.example\"\n{lines}\n"
            )
        };
        let text =
            server("issuer = \"https://login.example\"\nscopes = [\"openid\"]\ninject = \"x-api-key\"");
        let config = parse(Path::new("config.toml"), &text).unwrap();
        assert_eq!(config.authorization_server["acme"].inject, Inject::XApiKey);
        assert!(parse(Path::new("config.toml"), "").unwrap().authorization_server.is_empty());
        for line in [
            "issuer = \"http://login.example\"",
            "token_endpoint = \"login.example/token\"",
            "revocation_endpoint = \"https://login.example/a b\"",
            "scopes = [\"a b\"]",
            "inject = \"cookie\"",
            "isuer = \"https://login.example\"",
        ] {
            assert!(wrong(&server(line)).starts_with("config.toml:4:"), "{line}: {}", wrong(&server(line)));
        }
        let unnamed = "[authorization_server.acme]\nclient_id = \"x\"\n";
        assert!(wrong(unnamed).contains("missing field `upstream`"));
        assert!(wrong(&server("").replace(".acme", ".\"a b\"")).contains("a name takes letters"));
    }

    #[test]
    fn a_bad_file_keeps_the_old_rules_and_says_so() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.toml");
        fs::write(&path, "[limits]\nsessions = 5\n").unwrap();
        let mut configuration = Configuration::load(path.clone(), None).unwrap();
        fs::write(&path, "[limits]\nsessions = \"many\"\n").unwrap();
        assert!(configuration.reload().is_err());
        assert_eq!(configuration.policy().max_sessions, 5);
        assert!(configuration.error.as_deref().unwrap().contains("config.toml:2:"));
        fs::remove_file(&path).unwrap();
        configuration.reload().unwrap();
        assert!(!configuration.present && configuration.error.is_none());
    }

    #[test]
    fn a_missing_file_means_the_defaults() {
        let directory = tempfile::tempdir().unwrap();
        let configuration = Configuration::load(directory.path().join("config.toml"), None).unwrap();
        assert!(!configuration.present);
        assert_eq!(configuration.policy(), Policy::default());
    }
}
