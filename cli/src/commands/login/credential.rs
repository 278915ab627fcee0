//! The key: read without being shown, refused where others can see it.

use std::{ffi::OsString, io, io::Read as _};

use claudectl_platform::terminal;
use claudectl_proto::v1::Route;
use zeroize::Zeroizing;

use super::texts;
use crate::{
    error::Error,
    output::text::{self, Plain},
};

/// The longest that is read, in bytes.
const LIMIT: u64 = 16 * 1024;

/// Refuses a key that was given as an argument. It is not echoed, and neither is anything else.
///
/// # Errors
/// If there is one.
pub fn refuse_key_in(arguments: &[OsString]) -> Result<(), Error> {
    let is_login = arguments.first().is_some_and(|name| name == "login");
    let mut ours = texts(arguments).take_while(|argument| argument != "--");
    let mut is_fingerprint = false;
    let given = ours.any(|argument| {
        // The digest of a certificate is as long as a key, and no secret.
        let is_public = std::mem::replace(&mut is_fingerprint, argument == "--fingerprint");
        argument.contains("sk-ant-")
            || is_login && !is_public && (argument.starts_with("--api-key=") || looks_like_a_key(&argument))
    });
    if is_login && given {
        return Err(Error::usage("a key on the command line is refused")
            .because(&"it is now in the history of your shell, and was visible to other processes")
            .hint("revoke that key, make a new one, and type it when `claudectl login` asks for it"));
    }
    Ok(())
}

/// Nobody calls an account so: long, and neither an option, a path, a URL nor an address.
fn looks_like_a_key(argument: &str) -> bool {
    let is_value = !argument.starts_with('-') && !argument.contains(['/', '@', '.', ' ']);
    argument.starts_with("sk-") || is_value && argument.len() >= 40
}

/// Reads the key: on a terminal by a hidden prompt, else from stdin. Surrounding white space is
/// dropped; what cannot be a key is refused before anything is sent.
///
/// # Errors
/// If it cannot be read, or cannot be a key.
pub(super) fn read(account: &str, route: &Route) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut key = Zeroizing::new(Vec::new());
    let outcome = if terminal::is_terminal() {
        let prompt =
            format!("API key for {} at {}: ", Plain(account), Plain(text::upstream(&route.upstream)));
        terminal::read_hidden(&prompt, &mut key)
    } else {
        read_all(&mut key)
    };
    outcome.map_err(|error| Error::new("the key could not be read").because(&error))?;
    trim(&mut key);
    check(&key, route.upstream.is_empty() || route.upstream == text::upstream(""))?;
    Ok(key)
}

pub(super) fn read_all(key: &mut Zeroizing<Vec<u8>>) -> io::Result<()> {
    // Room for all of it at once: growing would leave copies behind.
    key.resize(usize::try_from(LIMIT).unwrap_or(usize::MAX), 0);
    let mut stdin = io::stdin().lock();
    let mut length = 0;
    // Not `read_to_end`, which grows; and stdin's own buffer is asked for less than it holds.
    while let Some(free) = key.get_mut(length..).filter(|free| !free.is_empty()) {
        match stdin.read(free)? {
            0 => break,
            count => length += count,
        }
    }
    key.truncate(length);
    Ok(())
}

fn trim(key: &mut Zeroizing<Vec<u8>>) {
    let kept = key.trim_ascii_end().len();
    key.truncate(kept);
    let start = kept - key.trim_ascii_start().len();
    key.copy_within(start.., 0);
    key.truncate(kept - start);
}

/// Whether it can be a key at all; the daemon checks the same again.
fn check(key: &[u8], first_party: bool) -> Result<(), Error> {
    let why = if key.is_empty() {
        "nothing was typed"
    } else if !key.iter().all(u8::is_ascii_graphic) {
        "an API key has no spaces, line breaks or special characters inside"
    } else if key.starts_with(b"sk-ant-oat") || key.starts_with(b"sk-ant-ort") {
        "it is an OAuth token, which is another way to log in"
    } else if first_party && !key.starts_with(b"sk-ant-api") {
        "a key of the Anthropic API starts with sk-ant-api"
    } else if !(20..=512).contains(&key.len()) {
        "an API key has 20 to 512 characters"
    } else {
        return Ok(());
    };
    Err(Error::new("that is not an API key")
        .because(&why)
        .hint("copy the whole key from https://platform.claude.com/settings/keys; for another API, name it with --upstream"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    fn refused(arguments: &[&str]) -> bool {
        let arguments: Vec<_> = arguments.iter().map(OsString::from).collect();
        match refuse_key_in(&arguments) {
            Ok(()) => false,
            Err(error) => {
                assert_eq!(error.exit(), Exit::Usage);
                assert!(!error.text().contains("TEST"), "echoed: {}", error.text());
                true
            }
        }
    }

    #[test]
    fn a_key_on_the_command_line_is_refused_and_not_echoed() {
        let long = "TEST0123456789012345678901234567890123456789";
        assert!(refused(&["login", "sk-ant-api03-TEST"]));
        assert!(refused(&["login", "--api-key", "sk-ant-api03-TEST"]));
        assert!(refused(&["login", "--api-key=TEST"]));
        assert!(refused(&["login", "--key=sk-ant-api03-TEST"]));
        assert!(refused(&["login", "work", long]));
        assert!(refused(&["login", "sk-proj-TEST"]));
    }

    #[test]
    fn names_and_options_are_no_keys() {
        assert!(!refused(&["login", "work", "--api-key"]));
        assert!(!refused(&["login", "jane.doe@a-very-long-company-name.example.org"]));
        let digest = "ab".repeat(32);
        assert!(!refused(&["login", "--gateway", "https://gw.example", "--fingerprint", &digest]));
        assert!(refused(&["login", "--fingerprint", &digest, &digest]));
        assert!(!refused(&["login", "--upstream", "https://a-very-long-gateway-name.example.org/path"]));
        assert!(!refused(&["run", "--", "curl", "-H", "x-api-key: sk-ant-api03-TEST"]));
    }

    #[test]
    fn white_space_around_a_key_is_dropped_in_place() {
        for (typed, kept) in [("  key\r\n", "key"), ("key", "key"), (" \n", ""), ("", "")] {
            let mut key = Zeroizing::new(typed.as_bytes().to_vec());
            trim(&mut key);
            assert_eq!(key.as_slice(), kept.as_bytes());
        }
    }

    #[test]
    fn what_cannot_be_a_key_is_refused_without_showing_it() {
        assert!(check(b"sk-ant-api03-TESTTESTTEST", true).is_ok());
        assert!(check(b"gateway-key-TESTTESTTEST", false).is_ok());
        for (key, first_party) in [
            (b"".as_slice(), true),
            (b"sk-ant-api03-TEST TESTTEST", true),
            (b"sk-ant-oat01-TESTTESTTEST", false),
            (b"gateway-key-TESTTESTTEST", true),
            (b"sk-ant-api03", true),
        ] {
            let error = check(key, first_party).unwrap_err();
            assert!(!error.text().contains("TEST"), "{}", error.text());
        }
    }
}
