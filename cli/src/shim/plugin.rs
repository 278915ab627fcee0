//! `/login` inside a session says what to run instead.
//!
//! The genuine client's own `/login` is disabled there, because it would plant a plaintext login. A
//! plugin puts a command in its place, and the session's `UserPromptSubmit` hook answers it before it
//! becomes a request.

use std::{ffi::OsString, fs, path::Path};

use claudectl_platform::permissions;

use super::{
    genuine::{Form, Genuine},
    version::{numbers, version},
};
use crate::error::Error;

/// The first version that this was seen with: an older one might not know the option.
const SINCE: [u64; 3] = [2, 1, 330];

/// What the genuine client makes of `/login` with the plugin.
const COMMAND: &str = "/claudectl:login";

/// What is said instead of logging in.
pub const ANSWER: &str = "A session of claudectl cannot log in from inside. Run `claudectl login` in a terminal, then send your message again.";

/// For a client that runs no hooks, the model says it.
const FALLBACK: &str = "---\ndescription: How to log in (claudectl)\n---\n\
    Reply with exactly this sentence and do nothing else: ";

const MANIFEST: &str = "{\"name\":\"claudectl\",\"version\":\"0.1.0\",\"description\":\"What a session cannot do from inside\"}\n";

/// Whether this client can have it.
pub fn suits(genuine: &Genuine) -> bool {
    let number = version(&genuine.path).as_deref().and_then(numbers);
    genuine.form == Form::Native && number.is_some_and(|number| number >= SINCE)
}

/// Writes the plugin to a directory of its own and adds it to the arguments.
///
/// # Errors
/// If it cannot be written.
pub fn add(directory: &Path, mut arguments: Vec<OsString>) -> Result<Vec<OsString>, Error> {
    let failed = |error| Error::new("the plugin of the session could not be written").because(&error);
    for part in [directory.to_owned(), directory.join(".claude-plugin"), directory.join("commands")] {
        permissions::private_directory(&part)?;
    }
    write(&directory.join(".claude-plugin/plugin.json"), MANIFEST).map_err(failed)?;
    write(&directory.join("commands/login.md"), &format!("{FALLBACK}{ANSWER}\n")).map_err(failed)?;
    // In one word: in two, the option might take the word behind it as well.
    let mut option = OsString::from("--plugin-dir=");
    option.push(directory);
    arguments.insert(0, option);
    Ok(arguments)
}

/// Other sessions read it at the same time: it is only written if it is not there as it should be.
fn write(path: &Path, content: &str) -> std::io::Result<()> {
    if fs::read_to_string(path).is_ok_and(|found| found == content) {
        Ok(())
    } else {
        fs::write(path, content)
    }
}

/// Whether a prompt asks to log in.
pub fn asks_to_log_in(prompt: &str) -> bool {
    prompt.split_whitespace().next().is_some_and(|word| word == COMMAND || word == "/login")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_command_asks_to_log_in() {
        for asks in ["/claudectl:login", "/login", " /login now"] {
            assert!(asks_to_log_in(asks), "{asks}");
        }
        for other in ["", "login", "why does /login not work?", "/logins", "/claudectl:other"] {
            assert!(!asks_to_log_in(other), "{other}");
        }
    }

    #[test]
    fn an_older_or_unknown_client_does_not_get_an_option_that_it_may_not_know() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("claude");
        fs::write(&path, b"\x7fELF").unwrap();
        let genuine = Genuine { path, form: Form::Native };
        assert!(!suits(&genuine));
        for (version, expected) in [("2.1.329", false), ("2.1.330", true), ("3.0.0", true)] {
            let package = format!("{{\"version\":\"{version}\"}}");
            fs::write(directory.path().join("package.json"), package).unwrap();
            assert_eq!(suits(&genuine), expected, "{version}");
        }
    }

    #[test]
    fn the_plugin_is_written_once_and_named_in_one_word() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("plugin");
        for _ in 0..2 {
            let arguments = add(&place, vec!["hi".into()]).unwrap();
            let option = format!("--plugin-dir={}", place.display());
            assert_eq!(arguments, [OsString::from(option), "hi".into()]);
        }
        let command = fs::read_to_string(place.join("commands/login.md")).unwrap();
        assert!(command.contains("claudectl login"), "{command}");
    }
}
