//! What the operating system keeps outside of files, by the programs that it has for it.

use std::ffi::OsString;

use crate::{
    Finding, Location,
    catalog::{At, Which},
    finding::Holder,
};

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
        Location::Keychain { service, account } => {
            let mut arguments: Vec<OsString> =
                vec!["delete-generic-password".into(), "-s".into(), service.into()];
            // An item without an account has none to be found by.
            if !account.is_empty() {
                arguments.extend(["-a".into(), account.into()]);
            }
            of("security", arguments)
        }
        Location::CredentialManager { target } => of("cmdkey", vec![format!("/delete:{target}").into()]),
        Location::Registry { key, value } => {
            of("reg", vec!["delete".into(), key.into(), "/v".into(), value.into(), "/f".into()])
        }
        Location::Stored(_) => None,
    }
}

/// What keeps the session bus from giving a variable to what it starts from now on, and the variable's name:
/// for one that it gave to a running program. The bus can only set it, to nothing, which counts as not set.
pub fn activation(finding: &Finding) -> Option<(&str, Program)> {
    match &finding.location {
        Location::Variable { holder: Holder::Process { .. }, name }
            if finding.place.at == At::Processes(Which::OfTheBus) =>
        {
            let arguments = vec![format!("{name}=").into()];
            Some((name, Program { name: "dbus-update-activation-environment", arguments }))
        }
        _ => None,
    }
}

fn variable(holder: &Holder, name: &str) -> Option<Program> {
    let (program, arguments): (_, Vec<OsString>) = match holder {
        Holder::SystemdUser => ("systemctl", vec!["--user".into(), "unset-environment".into(), name.into()]),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::place,
        finding::{Effect, FingerprintKey, Kind, Severity, Tail},
    };

    fn finding(id: &str, location: Location) -> Finding {
        Finding {
            place: place(id).unwrap(),
            location,
            kind: Kind::ApiKey,
            tail: Tail::default(),
            fingerprint: FingerprintKey::random().unwrap().of(b""),
            severity: Severity::Low,
            effect: Effect::None,
            changed_at: None,
            account: None,
            cure: String::new(),
            leads: false,
        }
    }

    fn variable(holder: Holder) -> Location {
        Location::Variable { holder, name: "ANTHROPIC_API_KEY".to_owned() }
    }

    fn command(program: &Program) -> Vec<String> {
        let words = program.arguments.iter().map(|word| word.to_string_lossy().into_owned());
        std::iter::once(program.name.to_owned()).chain(words).collect()
    }

    fn of(id: &str, location: Location) -> Option<Vec<String>> {
        program(&finding(id, location)).as_ref().map(command)
    }

    #[test]
    fn each_store_by_its_own_program_and_every_name_as_one_word() {
        let item = |account: &str| Location::Keychain {
            service: "Claude Code-credentials".to_owned(),
            account: account.to_owned(),
        };
        let tmux = |session: Option<&str>| Holder::Tmux {
            socket: "/tmp/tmux-0/my socket".into(),
            session: session.map(str::to_owned),
        };
        let target = Location::CredentialManager { target: "Claude Code \"x\" /a".to_owned() };
        let key = r"HKCU\Environment".to_owned();
        let table: [(&str, Location, &[&str]); 8] = [
            (
                "keychain.claude",
                item("jane doe"),
                &["security", "delete-generic-password", "-s", "Claude Code-credentials", "-a", "jane doe"],
            ),
            (
                "keychain.claude",
                item(""),
                &["security", "delete-generic-password", "-s", "Claude Code-credentials"],
            ),
            ("credential-manager.claude", target, &["cmdkey", "/delete:Claude Code \"x\" /a"]),
            (
                "environment.registry",
                Location::Registry { key, value: "MY KEY".to_owned() },
                &["reg", "delete", r"HKCU\Environment", "/v", "MY KEY", "/f"],
            ),
            (
                "environment.systemd",
                variable(Holder::SystemdUser),
                &["systemctl", "--user", "unset-environment", "ANTHROPIC_API_KEY"],
            ),
            (
                "environment.tmux",
                variable(tmux(None)),
                &["tmux", "-S", "/tmp/tmux-0/my socket", "set-environment", "-g", "-u", "ANTHROPIC_API_KEY"],
            ),
            (
                "environment.tmux",
                variable(tmux(Some("$3"))),
                &[
                    "tmux",
                    "-S",
                    "/tmp/tmux-0/my socket",
                    "set-environment",
                    "-t",
                    "$3",
                    "-u",
                    "ANTHROPIC_API_KEY",
                ],
            ),
            (
                "environment.launchd",
                variable(Holder::Launchd),
                &["launchctl", "unsetenv", "ANTHROPIC_API_KEY"],
            ),
        ];
        for (id, location, expected) in table {
            assert_eq!(of(id, location).unwrap(), expected);
        }
    }

    #[test]
    fn a_process_keeps_its_variables_and_the_bus_only_hands_out_empty_ones() {
        let holder = || Holder::Process { pid: 7, started: 1, program: "service".to_owned() };
        for (id, expected) in [
            ("processes.others", None),
            ("processes.bus", Some(vec!["dbus-update-activation-environment", "ANTHROPIC_API_KEY="])),
        ] {
            let finding = finding(id, variable(holder()));
            assert_eq!(program(&finding), None);
            let given = activation(&finding).map(|(_, program)| command(&program));
            assert_eq!(given, expected.map(|words| words.into_iter().map(str::to_owned).collect()));
        }
    }
}
