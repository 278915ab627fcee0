//! What the doctor looks at.

use claudectl_platform::permissions;
use claudectl_proto::v1::Status;

use super::{Check, Grade};
use crate::{
    args::Environment,
    commands,
    daemon::Daemon,
    error::Error,
    output::text::count,
    process::environment::overriding,
    shim::{
        self,
        genuine::{Form, Genuine},
        version::{numbers, version},
    },
};

/// The first release whose native build speaks to a Unix socket.
const UNIX_SOCKETS_SINCE: [u64; 3] = [2, 1, 112];

/// Every check, in the order in which one depends on another.
pub(super) async fn all(environment: &Environment) -> Vec<Check> {
    let mut checks = vec![directory(environment)];
    let found = status(environment).await;
    checks.push(daemon(&found));
    if let Ok(Some(status)) = &found {
        checks.push(protections(status));
        checks.push(desktop(status));
        checks.push(configuration(status));
        checks.push(record(status));
    }
    let genuine = shim::find(environment);
    checks.push(client(&genuine));
    if let Ok(genuine) = &genuine {
        checks.push(transport(genuine));
    }
    checks.push(shim_on_path(environment));
    checks.push(variables(environment));
    checks
}

async fn status(environment: &Environment) -> Result<Option<Status>, Error> {
    match Daemon::find(environment).await? {
        None => Ok(None),
        Some(daemon) => daemon.status().await.map(Some),
    }
}

fn failed(name: &'static str, error: &Error) -> Check {
    let text = error.text();
    let (finding, hint) = text.split_once("\nhint: ").unwrap_or((&text, ""));
    let check = Check::new(name, Grade::Fail, finding.trim_start_matches("error: "));
    if hint.is_empty() { check } else { check.cure(hint) }
}

fn directory(environment: &Environment) -> Check {
    let endpoints = match environment.endpoints() {
        Ok(endpoints) => endpoints,
        Err(error) => return failed("directory", &error),
    };
    let rooms = [endpoints.sessions(), endpoints.intakes()];
    for room in rooms.iter().filter(|room| room.symlink_metadata().is_ok()) {
        if let Err(error) = permissions::private_directory(room) {
            return failed("directory", &error.into());
        }
    }
    match endpoints.control().map(|socket| permissions::is_restricted_socket(&socket)) {
        Err(error) => return failed("directory", &error.into()),
        Ok(Ok(false)) => {
            return Check::new("directory", Grade::Fail, "the control socket is open to other users")
                .cure("end the daemon and start it again; its directory still keeps them out");
        }
        // It is restricted, or there is none.
        Ok(_) => {}
    }
    Check::new("directory", Grade::Ok, format!("{} is yours alone", endpoints.runtime().display()))
}

fn daemon(found: &Result<Option<Status>, Error>) -> Check {
    let own = env!("CARGO_PKG_VERSION");
    match found {
        Err(error) => failed("daemon", error),
        Ok(None) => Check::new("daemon", Grade::Ok, "none runs; `claudectl login` starts one"),
        Ok(Some(status)) if status.version == own => {
            Check::new("daemon", Grade::Ok, format!("claudectld {own}, pid {}", status.pid))
        }
        Ok(Some(status)) => Check::new(
            "daemon",
            Grade::Warn,
            format!("claudectld is {}, this is claudectl {own}", status.version),
        )
        .cure("log out, end the daemon and log in again"),
    }
}

fn protections(status: &Status) -> Check {
    let missing: Vec<_> = status
        .protections
        .iter()
        .filter(|protection| !protection.active)
        .map(|protection| format!("{} ({})", protection.name, protection.detail))
        .collect();
    if missing.is_empty() {
        Check::new("protections", Grade::Ok, format!("all {} are in force", status.protections.len()))
    } else {
        Check::new("protections", Grade::Warn, format!("not to be had: {}", missing.join("; ")))
            .cure("SECURITY.md says what each one means")
    }
}

fn desktop(status: &Status) -> Check {
    if status.desktop_watched {
        let sources = status.desktop_sources.join(" and ");
        Check::new("screen lock", Grade::Ok, format!("watched: {sources} would tell"))
    } else if status.desktop_sources.is_empty() {
        Check::new("screen lock", Grade::Warn, "nobody here tells when the screen is locked")
            .cure("log out before you leave: claudectl logout --all")
    } else {
        Check::new("screen lock", Grade::Warn, "the configuration ignores it")
            .cure("[policy] screen_lock = \"purge\" in config.toml, then: claudectl reload")
    }
}

fn configuration(status: &Status) -> Check {
    let configuration = status.configuration.clone().unwrap_or_default();
    if !configuration.error.is_empty() {
        return Check::new(
            "configuration",
            Grade::Fail,
            format!("{} was not taken: {}", configuration.path, configuration.error),
        )
        .cure("correct the file, then: claudectl reload");
    }
    let finding = if configuration.present { "is in force" } else { "does not exist: defaults" };
    Check::new("configuration", Grade::Ok, format!("{} {finding}", configuration.path))
}

fn record(status: &Status) -> Check {
    let record = status.record.clone().unwrap_or_default();
    match record.error.as_str() {
        "" => Check::new("record", Grade::Ok, format!("written to {}", record.directory)),
        why => Check::new("record", Grade::Warn, format!("nothing is written: {why}")),
    }
}

fn client(genuine: &Result<Genuine, Error>) -> Check {
    match genuine {
        Err(error) => Check { grade: Grade::Warn, ..failed("claude", error) },
        Ok(genuine) => {
            let version = version(&genuine.path).map(|version| format!(" {version}")).unwrap_or_default();
            Check::new("claude", Grade::Ok, format!("genuine client{version} at {}", genuine.path.display()))
        }
    }
}

fn transport(genuine: &Genuine) -> Check {
    let check = |grade, finding: &str| Check::new("transport", grade, finding);
    let number = version(&genuine.path).as_deref().and_then(numbers);
    match (genuine.form, number) {
        (Form::JavaScript, _) => {
            check(Grade::Warn, "this build only speaks TCP: sessions use a loopback port")
                .cure("install the native build of Claude Code")
        }
        (Form::Script, _) => check(Grade::Warn, "it is a script: what it runs must be a native build")
            .cure(format!("name the native file with {}", shim::NAMED)),
        (Form::Native, Some(number)) if number < UNIX_SOCKETS_SINCE => {
            check(Grade::Fail, "this release does not speak to a Unix socket").cure("update Claude Code")
        }
        (Form::Native, Some(_)) => check(Grade::Ok, "speaks to a Unix socket of its own"),
        (Form::Native, None) => check(Grade::Ok, "native, of unknown version: should speak to a Unix socket"),
    }
}

fn shim_on_path(environment: &Environment) -> Check {
    if commands::shim::is_first(&environment.search_path()) {
        Check::new("shim", Grade::Ok, "`claude` runs as a session")
    } else {
        Check::new(
            "shim",
            Grade::Warn,
            "`claude` is not the shim here; only `claudectl run -- claude` is a session",
        )
        .cure("claudectl shim install")
    }
}

fn variables(environment: &Environment) -> Check {
    let names: Vec<_> = overriding(environment).into_iter().map(|variable| variable.name).collect();
    if names.is_empty() {
        return Check::new("environment", Grade::Ok, "nothing here would override the account");
    }
    let finding = format!(
        "{} would override the account outside a session: {}",
        count(names.len(), "variable"),
        names.join(", ")
    );
    Check::new("environment", Grade::Warn, finding)
        .cure(format!("unset {}, and look in your shell's profile", names.join(" ")))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn reads_the_version_from_the_package_or_the_name() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("package.json"), r#"{"version":"2.1.330"}"#).unwrap();
        let native = directory.path().join("claude");
        let versioned = directory.path().join("2.1.331");
        for path in [&native, &versioned] {
            fs::write(path, b"\x7fELF").unwrap();
        }
        assert_eq!(version(&native), Some("2.1.330".into()));
        assert_eq!(version(&versioned), Some("2.1.331".into()));
        let genuine = Genuine { path: native, form: Form::Native };
        assert_eq!(transport(&genuine).grade, Grade::Ok);
        fs::write(directory.path().join("package.json"), r#"{"version":"2.0.77"}"#).unwrap();
        assert_eq!(transport(&genuine).grade, Grade::Fail);
    }

    #[test]
    fn another_version_of_the_daemon_is_named() {
        let status = Status { version: "9.9.9".into(), ..Status::default() };
        let check = daemon(&Ok(Some(status)));
        assert_eq!(check.grade, Grade::Warn);
        assert!(check.finding.contains("9.9.9") && check.cure.is_some());
    }
}
