//! How a person signs in here.

use clap::ArgMatches;
use claudectl_proto::v1::Grant;

use crate::args::Environment;

/// What the flags say, else what is there: over SSH a browser would open on the wrong machine.
pub(super) fn grant(matches: &ArgMatches, environment: &Environment) -> Grant {
    let is_named = |name: &str| matches.get_flag(name);
    match () {
        () if is_named("browser") => Grant::Browser,
        () if is_named("no-browser") => Grant::Paste,
        () if is_named("device") => Grant::Device,
        () if is_remote(environment) => Grant::Paste,
        () => Grant::Browser,
    }
}

/// Whether this shell came over SSH (`ssh(1)`, ENVIRONMENT).
fn is_remote(environment: &Environment) -> bool {
    ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"].iter().any(|name| environment.get(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::login::build;

    fn chosen(arguments: &[&str], variables: &[(&str, &str)]) -> Grant {
        let arguments = ["login", "work", "--via", "server"].iter().chain(arguments);
        let matches = build(clap::Command::new("login")).try_get_matches_from(arguments).unwrap();
        grant(&matches, &variables.iter().copied().collect())
    }

    #[test]
    fn a_browser_here_unless_the_shell_is_remote_or_a_flag_says_otherwise() {
        let ssh = ("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22");
        assert_eq!(chosen(&[], &[]), Grant::Browser);
        assert_eq!(chosen(&[], &[ssh]), Grant::Paste);
        assert_eq!(chosen(&["--browser"], &[ssh]), Grant::Browser);
        assert_eq!(chosen(&["--device"], &[ssh]), Grant::Device);
        assert_eq!(chosen(&["--no-browser"], &[]), Grant::Paste);
    }
}
