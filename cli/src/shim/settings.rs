//! Settings of a session: `/logout` logs out at the daemon, and a status line where there is none.

mod merge;

use std::{
    ffi::{OsStr, OsString},
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use claudectl_platform::{permissions, process};
use serde_json::{Map, Value, json};

use merge::merge;

use crate::{
    args::{self, Environment},
    error::Error,
};

/// The option that they are given with.
const OPTION: &str = "--settings";

/// The largest settings file that is read, in bytes.
const LIMIT: u64 = 4 * 1024 * 1024;

/// What the user gave as `--settings`.
#[derive(Debug, PartialEq, Eq)]
struct Given {
    /// Where the value is.
    index: usize,
    /// Whether the option is part of the same word (`--settings=…`).
    joined: bool,
    value: String,
}

/// Adds the settings of a session to the arguments of the genuine client, merged with those that
/// the user gave. Settings that cannot be read are left as they are: the client says so itself.
///
/// # Errors
/// If merged settings of a file cannot be kept for the client.
pub fn add(
    arguments: Vec<OsString>,
    environment: &Environment,
    claudectl: &Path,
    answers_login: bool,
) -> Result<Vec<OsString>, Error> {
    let kept = environment.endpoints()?.settings();
    sweep(&kept);
    let given = given(&arguments);
    let user = match &given {
        None => Value::Object(Map::new()),
        Some(given) => match parse(&given.value) {
            Some(user) => user,
            None => return Ok(arguments),
        },
    };
    let has_line = has_status_line(&user)
        || places(environment)
            .iter()
            .filter_map(|path| read(path))
            .any(|settings| has_status_line(&settings));
    let merged = merge(user, session(claudectl, !has_line, answers_login)).to_string();
    let value = match &given {
        // A file may hold what must not be seen in the arguments of a process.
        Some(given) if !is_inline(&given.value) => keep(&kept, &merged)?.into_os_string(),
        _ => merged.into(),
    };
    Ok(placed(arguments, given.as_ref(), value))
}

/// The settings of a session.
fn session(claudectl: &Path, status_line: bool, answers_login: bool) -> Value {
    let command =
        |words: &str| json!({"type": "command", "command": format!("{} {words}", quoted(claudectl))});
    let mut hooks = json!({"SessionEnd": [{"hooks": [command("hook session-end")]}]});
    if let (true, Some(hooks)) = (answers_login, hooks.as_object_mut()) {
        let answer = json!([{"hooks": [command("hook user-prompt-submit")]}]);
        hooks.insert("UserPromptSubmit".to_owned(), answer);
    }
    let mut settings = json!({"hooks": hooks});
    if let (true, Some(settings)) = (status_line, settings.as_object_mut()) {
        settings.insert("statusLine".to_owned(), command("statusline"));
    }
    settings
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

fn has_status_line(settings: &Value) -> bool {
    settings.get("statusLine").is_some()
}

/// Settings files that the genuine client reads here.
fn places(environment: &Environment) -> Vec<PathBuf> {
    let home = environment.home().map(|home| Path::new(home).join(".claude"));
    let user = environment.path("CLAUDE_CONFIG_DIR").or(home);
    let project = args::working_directory().join(".claude");
    let mut places: Vec<_> = user.map(|directory| directory.join("settings.json")).into_iter().collect();
    places.extend([project.join("settings.json"), project.join("settings.local.json")]);
    places.push(PathBuf::from("/etc/claude-code/managed-settings.json"));
    places
}

/// The value of the last `--settings` before `--`.
fn given(arguments: &[OsString]) -> Option<Given> {
    let words = arguments.iter().take_while(|word| *word != "--");
    let texts: Vec<_> = words.map(|word| word.to_str().unwrap_or_default()).collect();
    let mut found = texts.iter().enumerate().filter_map(|(index, word)| match word.strip_prefix(OPTION) {
        Some("") => texts.get(index + 1).map(|value| Given {
            index: index + 1,
            joined: false,
            value: (*value).to_owned(),
        }),
        Some(rest) => {
            rest.strip_prefix('=').map(|value| Given { index, joined: true, value: value.to_owned() })
        }
        None => None,
    });
    found.next_back()
}

fn is_inline(value: &str) -> bool {
    value.trim_start().starts_with('{')
}

fn parse(value: &str) -> Option<Value> {
    let settings: Value =
        if is_inline(value) { serde_json::from_str(value).ok()? } else { read(Path::new(value))? };
    settings.is_object().then_some(settings)
}

fn read(path: &Path) -> Option<Value> {
    let metadata = path.metadata().ok()?;
    let is_readable = metadata.is_file() && metadata.len() <= LIMIT;
    serde_json::from_slice(&fs::read(path).ok().filter(|_| is_readable)?).ok()
}

fn placed(mut arguments: Vec<OsString>, given: Option<&Given>, value: OsString) -> Vec<OsString> {
    match given {
        None => [OsString::from(OPTION), value].into_iter().chain(arguments).collect(),
        Some(given) => {
            if let Some(word) = arguments.get_mut(given.index) {
                *word = OsString::from(if given.joined { "--settings=" } else { "" });
                word.push(value);
            }
            arguments
        }
    }
}

/// Keeps merged settings in a private file (mode 0600) that is named for this process.
fn keep(directory: &Path, settings: &str) -> Result<PathBuf, Error> {
    let failed =
        |error: io::Error| Error::new("the settings of the session could not be kept").because(&error);
    permissions::private_directory(directory)?;
    let path = directory.join(format!("{}.json", std::process::id()));
    let mut file = tempfile::NamedTempFile::new_in(directory).map_err(failed)?;
    file.write_all(settings.as_bytes()).map_err(failed)?;
    file.persist(&path).map_err(|error| failed(error.error))?;
    Ok(path)
}

/// Throws away what was kept for processes that are gone.
fn sweep(directory: &Path) {
    for kept in fs::read_dir(directory).into_iter().flatten().flatten() {
        let pid = kept.path().file_stem().and_then(OsStr::to_str).and_then(|pid| pid.parse().ok());
        if pid.is_none_or(|pid: u32| process::identify(pid).is_err()) {
            // If it is gone already, somebody else did it.
            let _ = fs::remove_file(kept.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn the_settings_of_a_session() {
        assert_eq!(
            session(Path::new("/opt/it's/claudectl"), true, true),
            json!({
                "hooks": {"SessionEnd": [{"hooks": [
                    {"type": "command", "command": r"'/opt/it'\''s/claudectl' hook session-end"}
                ]}], "UserPromptSubmit": [{"hooks": [
                    {"type": "command", "command": r"'/opt/it'\''s/claudectl' hook user-prompt-submit"}
                ]}]},
                "statusLine": {"type": "command", "command": r"'/opt/it'\''s/claudectl' statusline"}
            })
        );
    }

    #[test]
    fn finds_what_the_user_gave() {
        let value = |list: &[&str]| given(&words(list)).map(|given| (given.index, given.joined, given.value));
        assert_eq!(value(&["-p", "x"]), None);
        assert_eq!(value(&["--settings", "a.json", "-p"]), Some((1, false, "a.json".into())));
        assert_eq!(value(&["--settings={}"]), Some((0, true, "{}".into())));
        assert_eq!(value(&["--settings", "a", "--settings", "b"]), Some((3, false, "b".into())));
        assert_eq!(value(&["--settings-sources", "user"]), None);
        assert_eq!(value(&["--", "--settings", "x"]), None);
        assert_eq!(value(&["--settings"]), None);
    }

    /// An environment with directories of its own.
    fn room() -> (tempfile::TempDir, Environment) {
        let directory = tempfile::tempdir().unwrap();
        let environment = Environment::from_iter(["HOME", "XDG_RUNTIME_DIR"].map(|name| {
            let path = directory.path().join(name);
            permissions::private_directory(&path).unwrap();
            (name, path)
        }));
        (directory, environment)
    }

    fn added(list: &[&str], environment: &Environment) -> Vec<String> {
        let words = add(words(list), environment, Path::new("/bin/claudectl"), false).unwrap();
        words.into_iter().map(|word| word.into_string().unwrap()).collect()
    }

    #[test]
    fn settings_take_the_place_of_those_that_were_given() {
        let (_directory, environment) = room();
        let plain = added(&["-p", "hi"], &environment);
        assert_eq!(plain.len(), 4);
        assert_eq!((plain[0].as_str(), plain[2].as_str()), ("--settings", "-p"));
        let joined = added(&["--settings={\"model\":\"opus\"}", "hi"], &environment);
        assert_eq!(joined.len(), 2);
        assert!(joined[0].starts_with("--settings={"), "{joined:?}");
        assert!(joined[0].contains("opus") && joined[0].contains("SessionEnd"), "{joined:?}");
    }

    #[test]
    fn a_status_line_of_the_user_stays() {
        let (directory, environment) = room();
        assert!(added(&[], &environment)[1].contains("statusLine"));
        let settings = directory.path().join("HOME/.claude/settings.json");
        fs::create_dir_all(settings.parent().unwrap()).unwrap();
        fs::write(&settings, r#"{"statusLine":{"type":"command","command":"mine"}}"#).unwrap();
        let merged = &added(&[], &environment)[1];
        assert!(!merged.contains("statusLine") && merged.contains("SessionEnd"), "{merged}");
    }

    #[test]
    fn a_file_is_merged_into_a_private_file_and_never_into_the_arguments() {
        let (directory, environment) = room();
        let file = directory.path().join("mine.json");
        fs::write(&file, r#"{"env":{"TOKEN":"canary"}}"#).unwrap();
        let words = added(&["--settings", file.to_str().unwrap()], &environment);
        assert!(!words.iter().any(|word| word.contains("canary")), "{words:?}");
        let merged: Value = serde_json::from_slice(&fs::read(&words[1]).unwrap()).unwrap();
        assert_eq!(merged["env"]["TOKEN"], "canary");
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&words[1]).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        assert!(merged["hooks"]["SessionEnd"].is_array());
    }

    #[test]
    fn what_was_kept_goes_with_its_process() {
        let (_directory, environment) = room();
        let kept = environment.endpoints().unwrap().settings();
        permissions::private_directory(&kept).unwrap();
        let own = kept.join(format!("{}.json", std::process::id()));
        let gone = kept.join(format!("{}.json", u32::MAX));
        for path in [&own, &gone] {
            fs::write(path, "{}").unwrap();
        }
        sweep(&kept);
        assert!(own.exists() && !gone.exists());
    }

    #[test]
    fn settings_that_cannot_be_read_are_left_to_the_client() {
        let (_directory, environment) = room();
        for list in [&["--settings", "/missing.json"][..], &["--settings", "{broken"], &["--settings={\"a\""]]
        {
            assert_eq!(added(list, &environment), list);
        }
    }
}
