//! What the operating system keeps outside of files, by the programs that it has for it.

use std::ffi::OsString;

use crate::{Finding, Location, finding::Holder};

/// A program to run, found on `PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Its name.
    pub name: &'static str,
    /// Its arguments; never any of a credential.
    pub arguments: Vec<OsString>,
}

/// What removes this; `None` if no program can.
pub fn program(finding: &Finding) -> Option<Program> {
    let of = |name, arguments: Vec<OsString>| Some(Program { name, arguments });
    match &finding.location {
        Location::Variable { holder, name } => variable(holder, name),
        Location::Keychain { service, account } => of(
            "security",
            vec!["delete-generic-password".into(), "-s".into(), service.into(), "-a".into(), account.into()],
        ),
        Location::CredentialManager { target } => of("cmdkey", vec![format!("/delete:{target}").into()]),
        Location::Registry { key, value } => {
            of("reg", vec!["delete".into(), key.into(), "/v".into(), value.into(), "/f".into()])
        }
        Location::Stored(_) => None,
    }
}

fn variable(holder: &Holder, name: &str) -> Option<Program> {
    let (program, arguments): (_, Vec<OsString>) = match holder {
        Holder::SystemdUser => ("systemctl", vec!["--user".into(), "unset-environment".into(), name.into()]),
        // The bus can only set: to nothing, which counts as not set.
        Holder::DbusActivation => ("dbus-update-activation-environment", vec![format!("{name}=").into()]),
        Holder::Tmux { socket, session } => {
            let mut arguments: Vec<OsString> = vec!["-S".into(), socket.into(), "set-environment".into()];
            match session {
                Some(session) => arguments.extend(["-t".into(), session.into()]),
                None => arguments.push("-g".into()),
            }
            arguments.extend(["-u".into(), name.into()]);
            ("tmux", arguments)
        }
        Holder::Launchd => ("launchctl", vec!["unsetenv".into(), name.into()]),
        Holder::ThisShell | Holder::Process { .. } => return None,
    };
    Some(Program { name: program, arguments })
}
