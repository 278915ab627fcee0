//! How bad a finding is, and the one command that removes it.

use std::{fmt::Write as _, path::Path};

use crate::{
    catalog::{Group, Remedy},
    finding::{Effect, Finding, Holder, Kind, Location, Severity},
};

/// Fills in severity and cure.
pub(super) fn apply(findings: &mut [Finding]) {
    for finding in findings {
        finding.severity = severity(finding);
        finding.cure = cure(finding);
    }
}

fn severity(finding: &Finding) -> Severity {
    let spread = finding.place.group == Group::Project && !matches!(finding.kind, Kind::McpSecret);
    match finding.effect {
        Effect::Pays(_) => Severity::High,
        _ if !finding.kind.works_alone() => Severity::Low,
        _ if spread || finding.is_open_to_others() => Severity::High,
        _ if finding.kind == Kind::McpSecret => Severity::Low,
        _ => Severity::Medium,
    }
}

/// The worst first, then by place.
pub(super) fn order(finding: &Finding) -> (std::cmp::Reverse<Severity>, Group, &'static str, String) {
    (std::cmp::Reverse(finding.severity), finding.place.group, finding.place.id, where_is(finding))
}

fn where_is(finding: &Finding) -> String {
    match &finding.location {
        Location::Stored(stored) => {
            let first = stored.occurrences.first().map_or(0, |found| found.bytes.start);
            format!("{}\0{first:020}", stored.path.display())
        }
        other => format!("{other:?}"),
    }
}

fn cure(finding: &Finding) -> String {
    match &finding.location {
        Location::Stored(stored) if finding.place.remedy == Remedy::Person => {
            format!("rm {}", quoted(&path(&stored.path)))
        }
        Location::Stored(_) => format!("claudectl purge --only {}", finding.kind.id()),
        Location::Variable { holder, name } => of_variable(holder, name),
        Location::Keychain { service, account } => {
            format!("security delete-generic-password -s {} -a {}", quoted(service), quoted(account))
        }
        Location::CredentialManager { target } => format!("cmdkey /delete:{}", quoted_on_windows(target)),
        Location::Registry { key, value } => {
            format!("reg delete {} /v {} /f", quoted_on_windows(key), quoted_on_windows(value))
        }
    }
}

fn of_variable(holder: &Holder, name: &str) -> String {
    match holder {
        Holder::ThisShell => format!("unset {}", quoted(name)),
        Holder::Process { pid, .. } => format!("kill {pid}"),
        Holder::SystemdUser => format!("systemctl --user unset-environment {}", quoted(name)),
        Holder::Launchd => format!("launchctl unsetenv {}", quoted(name)),
        Holder::Tmux { socket, session } => {
            let target =
                session.as_ref().map_or_else(|| "-g".to_owned(), |session| format!("-t {}", quoted(session)));
            format!("tmux -S {} set-environment {target} -u {}", quoted(&path(socket)), quoted(name))
        }
    }
}

fn path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    let mut text = String::from("'");
    for c in word.chars() {
        let written = if c == '\'' { text.write_str(r"'\''") } else { text.write_char(c) };
        // Writing to a string does not fail.
        debug_assert!(written.is_ok());
    }
    text.push('\'');
    text
}

/// A word for cmd.exe and PowerShell. What a quote or a percent sign means depends on which of them it is:
/// neither is in a name that a program which is known here gives.
fn quoted_on_windows(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || r"/._-+=:@\".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("\"{word}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_somebody_else_gave_is_a_word() {
        for holder in [
            Holder::ThisShell,
            Holder::SystemdUser,
            Holder::Launchd,
            Holder::Tmux { socket: "/run/t".into(), session: None },
        ] {
            let cure = of_variable(&holder, "A$(x)");
            assert!(cure.ends_with(" 'A$(x)'"), "{cure}");
        }
    }

    #[test]
    fn words_for_a_shell() {
        assert_eq!(quoted("/tmp/tmux-0/default"), "/tmp/tmux-0/default");
        assert_eq!(quoted("Claude Code"), "'Claude Code'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("$0"), "'$0'");
        assert_eq!(quoted_on_windows(r"HKCU\Environment"), r"HKCU\Environment");
        assert_eq!(quoted_on_windows("Claude Code"), "\"Claude Code\"");
    }
}
