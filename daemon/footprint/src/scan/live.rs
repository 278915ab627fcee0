//! Variables: of this shell, of processes, of service managers and terminals; items of keychains.

mod keychains;
mod managers;
mod processes;

use claudectl_platform::tree::FileIdentity;

use super::{
    look::Look,
    named::Named,
    placeholder::is_placeholder,
    recorder::{Seen, Written, finding, seen},
    variables::{DIRECTORIES, credential, is_known},
    word::{Dialect, word},
};
use crate::{
    catalog::{At, Place, places},
    finding::{Finding, FingerprintKey, Holder, Kind, Location, Structure},
};

/// A session of the daemon has these of its own: a placeholder or a capability, and its own port.
const OF_A_SESSION: [&str; 3] = ["ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "ANTHROPIC_BASE_URL"];

/// Whether a session gave it to its program. A capability is a number in hexadecimal; a credential that somebody
/// put in its place is not.
fn is_of_a_session(name: &str, value: &[u8]) -> bool {
    const CAPABILITY: usize = 64;
    let is_capability = value.len() == CAPABILITY && value.iter().all(u8::is_ascii_hexdigit);
    OF_A_SESSION.contains(&name)
        && (is_capability || is_placeholder(value) || value.starts_with(b"http://127.0.0.1:"))
}

impl Look<'_> {
    /// The variables of this shell.
    pub(super) fn at_variables(&mut self) {
        let Some(place) = places().find(|place| place.at == At::ThisShell) else { return };
        let in_session = self.scope.variable("CLAUDECTL_SESSION").is_some();
        for (name, value) in &self.scope.variables {
            let Some(name) = name.to_str() else { continue };
            if !(in_session && is_of_a_session(name, value.as_encoded_bytes())) {
                self.variable(place, &Holder::ThisShell, name, value.as_encoded_bytes(), None);
            }
        }
    }

    /// Everything that is no file.
    pub(super) fn at_live_places(&mut self) {
        if self.scope.cheap_only {
            return;
        }
        self.at_processes();
        for place in places().filter(|place| self.scope.runs_on(place.platforms)) {
            match place.at {
                At::SystemdUser => self.at_systemd(place),
                At::Tmux => self.at_tmux(place),
                At::Launchd => self.at_launchd(place),
                At::Keychain(service) => self.at_keychain(place, service),
                At::CredentialManager(target) => self.at_credential_manager(place, target),
                At::Registry(key) => self.at_registry(place, key),
                _ => {}
            }
        }
    }

    /// One variable that somebody holds.
    fn variable(
        &mut self,
        place: &'static Place,
        holder: &Holder,
        name: &str,
        value: &[u8],
        started: Option<i64>,
    ) {
        if DIRECTORIES.contains(&name) {
            let path = std::path::PathBuf::from(String::from_utf8_lossy(value).into_owned());
            if path.is_absolute() && !matches!(holder, Holder::ThisShell) {
                self.add_directory(&path);
            }
            return;
        }
        self.named.extend(Named::by(name, value, self.scope.home));
        let Some(kind) = credential(name, value) else { return };
        let part = super::variables::part(name, value);
        self.needles.add(value.get(part).unwrap_or(value), kind);
        self.findings.push(in_variable(place, holder, (name, value, kind), self.desk.key, started));
    }

    /// Lines of `NAME=value` as `systemctl` and `tmux` write them.
    fn lines(&mut self, place: &'static Place, holder: &Holder, text: &[u8]) {
        for line in text.split(|byte| *byte == b'\n') {
            let Some(equals) = memchr::memchr(b'=', line) else { continue };
            let (name, value) = line.split_at_checked(equals).unwrap_or_default();
            let Ok(name) = std::str::from_utf8(name) else { continue };
            let quoted = value.get(1..2) == Some(b"$");
            if quoted {
                self.variable(place, holder, name, &word(value, 1, Dialect::Posix, None).value, None);
            } else {
                self.variable(place, holder, name, value.get(1..).unwrap_or_default(), None);
            }
        }
    }

    /// A credential that is in no file.
    fn held(&self, kind: Kind, value: &[u8]) -> Seen {
        unwritten(kind, value, self.desk.key)
    }
}

/// A credential that is in no file.
fn unwritten(kind: Kind, value: &[u8], key: &FingerprintKey) -> Seen {
    let written =
        Written { base: 0, text: value, bytes: 0..value.len(), structure: Structure::Text { line: 0 } };
    seen(key, kind, value, written)
}

/// The credentials among variables of the systemd user manager, `NAME=value` each.
pub fn of_systemd<'a>(variables: impl Iterator<Item = &'a str>, key: &FingerprintKey) -> Vec<Finding> {
    let Some(place) = places().find(|place| place.at == At::SystemdUser) else { return Vec::new() };
    let credentials = variables.filter_map(|variable| {
        let (name, value) = variable.split_once('=')?;
        let value = value.as_bytes();
        Some(in_variable(place, &Holder::SystemdUser, (name, value, credential(name, value)?), key, None))
    });
    credentials.collect()
}

/// A credential in a variable: its name, value and kind.
fn in_variable(
    place: &'static Place,
    holder: &Holder,
    (name, value, kind): (&str, &[u8], Kind),
    key: &FingerprintKey,
    started: Option<i64>,
) -> Finding {
    let value = value.get(super::variables::part(name, value)).unwrap_or(value);
    let location = Location::Variable { holder: holder.clone(), name: name.to_owned() };
    finding(place, location, &unwritten(kind, value, key), started)
}

/// Whether an entry of an environment can be of interest: cheap, because every process has hundreds.
fn may_matter(name: &[u8], value: &[u8]) -> bool {
    is_known(name) || memchr::memmem::find(value, super::format::PREFIX).is_some()
}

/// The seconds of a file's last change.
fn changed_at(found: &FileIdentity) -> Option<i64> {
    i64::try_from(found.modified / 1_000_000_000).ok()
}
