//! What is tried, one after the other.

use std::{ffi::OsStr, fs, path::Path, time::Duration};

use claudectl_platform::clock;
use claudectl_proto::v1::Status;

use super::{
    Step,
    bus::Bus,
    stand::{PATIENCE, Stand},
};
use crate::{Context, demo::stage::Stage, error::Error, process::search};

/// The shortest idle time that the configuration knows, and some more.
const IDLE: Duration = Duration::from_secs(75);
/// No real logind may interfere, and none is interfered with.
const NO_SYSTEM_BUS: (&str, &str) = ("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent");

/// Everything but the idle minute, on one daemon.
pub(super) async fn others(context: &Context) -> Vec<Step> {
    match try_others(context).await {
        Ok(steps) => steps,
        Err(error) => vec![Step::of("set-up", Err(error))],
    }
}

async fn try_others(context: &Context) -> Result<Vec<Step>, Error> {
    let place = tempfile::Builder::new().prefix("claudectl-drill-").tempdir()?;
    let bus = Bus::start(&context.environment, place.path())?;
    let address = bus.as_ref().map_or("unix:path=/nonexistent", |bus| bus.address.as_str());
    let variables = [NO_SYSTEM_BUS, ("DBUS_SESSION_BUS_ADDRESS", address)];
    let stage = Stage::set_up_with(&context.environment, "[notify]\ndesktop = false\n", &variables)?;
    let mut stand = Stand::new(stage).await?;
    let mut steps = vec![
        match &bus {
            Some(bus) => Step::of("screen lock", lock(&stand, bus).await),
            None => Step::skipped("screen lock", "dbus-daemon and dbus-send are not here"),
        },
        Step::of("closed terminal", terminal(&stand, context).await),
    ];
    steps.push(Step::of("kill -9", kill(&mut stand).await));
    stand.stage.tear_down()?;
    Ok(steps)
}

fn is_empty(status: &Status) -> bool {
    status.accounts.is_empty()
}

async fn lock(stand: &Stand, bus: &Bus) -> Result<Step, Error> {
    let mut session = stand.session().await?;
    let began = clock::since_boot();
    bus.lock()?;
    stand.until(PATIENCE, is_empty).await?;
    let took = clock::since_boot().saturating_sub(began);
    let sentence = session.ask_again().await?;
    if !sentence.contains("because the screen was locked") {
        return Err(Error::new(format!(
            "the session was refused with another sentence: {}",
            sentence.trim()
        )));
    }
    Ok(Step::passed("screen lock", took, "nothing is held; the session was told why"))
}

async fn terminal(stand: &Stand, context: &Context) -> Result<Step, Error> {
    const NAME: &str = "closed terminal";
    let found = search::all(OsStr::new("script"), &context.environment.search_path()).next();
    let Some(script) = found else { return Ok(Step::skipped(NAME, "the program `script` is not here")) };
    stand.log_in().await?;
    let mut session = stand.session_on_terminal(script.into()).await?;
    let before = clock::since_boot();
    session.child.start_kill()?;
    stand.until(PATIENCE, |status| status.sessions.is_empty()).await?;
    let took = clock::since_boot().saturating_sub(before);
    Ok(Step::passed(NAME, took, "the session is over, its socket is gone"))
}

async fn kill(stand: &mut Stand) -> Result<Step, Error> {
    stand.log_in().await?;
    let session = stand.session().await?;
    let began = clock::since_boot();
    stand.stage.kill_daemon()?;
    let took = clock::since_boot().saturating_sub(began);
    session.ask_in_vain().await?;
    if let Some(file) = find(stand.stage.directory(), stand.key.as_bytes()) {
        return Err(Error::new(format!("the key is in {file}")));
    }
    stand.stage.restart_daemon()?;
    stand.until(PATIENCE, is_empty).await?;
    Ok(Step::passed(
        "kill -9",
        took,
        "no file has the key; the session failed; the next daemon holds nothing",
    ))
}

/// A file below that holds this, if one does.
fn find(directory: &Path, wanted: &[u8]) -> Option<String> {
    fs::read_dir(directory).into_iter().flatten().flatten().find_map(|entry| {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => find(&path, wanted),
            Ok(kind) if kind.is_file() => {
                let content = fs::read(&path).ok()?;
                memchr::memmem::find(&content, wanted).map(|_| path.display().to_string())
            }
            _ => None,
        }
    })
}

/// A minute without a request, on a daemon of its own.
pub(super) async fn idle(context: &Context, quick: bool) -> Step {
    if quick {
        return Step::skipped("idle", "left out (--quick)");
    }
    Step::of("idle", try_idle(context).await)
}

async fn try_idle(context: &Context) -> Result<Step, Error> {
    let configuration = "[policy]\nidle_minutes = 1\n[notify]\ndesktop = false\n";
    let nowhere = ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
    let stage = Stage::set_up_with(&context.environment, configuration, &[NO_SYSTEM_BUS, nowhere])?;
    let stand = Stand::new(stage).await?;
    let mut session = stand.session().await?;
    let took = stand.until(IDLE, is_empty).await?;
    let sentence = session.ask_again().await?;
    stand.stage.tear_down()?;
    if !sentence.contains("without use") {
        return Err(Error::new(format!(
            "the session was refused with another sentence: {}",
            sentence.trim()
        )));
    }
    Ok(Step::passed("idle", took, "after its minute nothing is held; the session was told why"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_a_file_is_found() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("a")).unwrap();
        fs::write(place.path().join("a/b"), "xx sk-ant-api03-DEMO-1 yy").unwrap();
        assert!(find(place.path(), b"sk-ant-api03-DEMO-1").unwrap().ends_with("a/b"));
        assert_eq!(find(place.path(), b"sk-ant-api03-DEMO-2"), None);
    }
}
