//! `claudectl doctor lock`: does anybody here tell when the screen is locked?

use std::time::Duration;

use claudectl_platform::clock;
use claudectl_proto::v1::{DesktopEvent, Sighting, Status, WatchStatusRequest};
use serde::Serialize;
use tonic::Streaming;

use crate::{
    Context,
    commands::hooks::{self, Hook},
    daemon::Daemon,
    error::Error,
    exit::Exit,
    output::{
        complain,
        text::{BAD, GOOD, Plain, count, styled},
    },
};

/// How long other sources may take after the first one.
const OTHERS: Duration = Duration::from_secs(3);

#[derive(Debug, Serialize)]
struct Heard {
    by: String,
    after_milliseconds: i64,
    took_microseconds: u32,
}

#[derive(Serialize)]
struct Body {
    heard: bool,
    waited_seconds: u32,
    sources: Vec<Heard>,
    hooks: Vec<Hook>,
}

/// Asks the person to lock the screen once, and says who told of it.
///
/// # Errors
/// If there is no daemon to be had.
pub(super) async fn run(seconds: u32, context: &Context) -> Result<Exit, Error> {
    let daemon = Daemon::find_or_start(&context.environment).await?;
    let mut updates = daemon.itself().watch_status(WatchStatusRequest { place: None }).await?.into_inner();
    let status = updates.message().await?.and_then(|update| update.status).unwrap_or_default();
    let asked_at = clock::wall_milliseconds();
    complain(&question(&status, seconds));
    let sources = listen(&mut updates, asked_at, Duration::from_secs(seconds.into())).await;
    let heard = !sources.is_empty();
    let hooks = if heard { Vec::new() } else { hooks::detect(&context.environment).hooks };
    let body = Body { heard, waited_seconds: seconds, sources, hooks };
    context.output.show("claudectl.lock/1", &body, || told(&body))?;
    Ok(if heard { Exit::Ok } else { Exit::Failed })
}

fn question(status: &Status, seconds: u32) -> String {
    let held = status.accounts.len();
    let consequence = match held {
        0 => "Nothing is held, so nothing is lost by it.".to_owned(),
        _ if status.desktop_watched => format!("{} held: locking logs out.", count(held, "credential")),
        _ => format!("{} held.", count(held, "credential")),
    };
    format!(
        "Lock the screen now, as you do when you leave, and unlock it again ({seconds} seconds). {consequence}"
    )
}

/// Everybody who tells of a lock until the time is up, or shortly after the first.
async fn listen(
    updates: &mut Streaming<claudectl_proto::v1::WatchStatusResponse>,
    asked_at: i64,
    patience: Duration,
) -> Vec<Heard> {
    let mut sources: Vec<Heard> = Vec::new();
    let mut deadline = tokio::time::Instant::now() + patience;
    while let Ok(Ok(Some(update))) = tokio::time::timeout_at(deadline, updates.message()).await {
        let seen = update.status.unwrap_or_default().sightings;
        let was_silent = sources.is_empty();
        for sighting in seen.iter().filter(|sighting| is_lock(sighting, asked_at)) {
            if !sources.iter().any(|known| known.by == sighting.by) {
                sources.push(Heard {
                    by: sighting.by.clone(),
                    after_milliseconds: sighting.at_milliseconds.saturating_sub(asked_at),
                    took_microseconds: sighting.took_microseconds,
                });
            }
        }
        if was_silent && !sources.is_empty() {
            deadline = tokio::time::Instant::now() + OTHERS;
        }
    }
    sources
}

fn is_lock(sighting: &Sighting, asked_at: i64) -> bool {
    sighting.what() == DesktopEvent::ScreenLocked && sighting.at_milliseconds >= asked_at
}

fn told(body: &Body) -> String {
    if !body.heard {
        let failed = styled(BAD, format!("Nobody told of a lock within {} seconds.", body.waited_seconds));
        return format!("{failed}  This makes your desktop tell:\n\n{}", hooks::lines(&body.hooks));
    }
    let line = |heard: &Heard| {
        let wiped = f64::from(heard.took_microseconds) / 1000.0;
        let (by, after) = (Plain(&heard.by), heard.after_milliseconds);
        format!("  {by}: {after} ms after you were asked; everything was wiped {wiped:.1} ms later\n")
    };
    let lines: Vec<_> = body.sources.iter().map(line).collect();
    format!("{}\n{}", styled(GOOD, "The screen lock is heard."), lines.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_locks_after_the_question_count() {
        let sighting = |what: DesktopEvent, at_milliseconds| Sighting {
            what: what.into(),
            at_milliseconds,
            ..Sighting::default()
        };
        assert!(is_lock(&sighting(DesktopEvent::ScreenLocked, 7), 7));
        assert!(!is_lock(&sighting(DesktopEvent::ScreenLocked, 6), 7));
        assert!(!is_lock(&sighting(DesktopEvent::ScreenUnlocked, 9), 7));
    }

    #[test]
    fn says_who_told_or_what_to_write_where() {
        let plain = |body: &Body| anstream::adapter::strip_str(&told(body)).to_string();
        let mut body = Body { heard: true, waited_seconds: 60, sources: Vec::new(), hooks: Vec::new() };
        body.sources.push(Heard {
            by: "logind Lock".into(),
            after_milliseconds: 2300,
            took_microseconds: 840,
        });
        assert_eq!(
            plain(&body),
            "The screen lock is heard.\n  logind Lock: 2300 ms after you were asked; everything was wiped 0.8 ms later\n"
        );
        let hooks = hooks::detect(&[("WAYLAND_DISPLAY", "w")].into_iter().collect()).hooks;
        let silent = Body { heard: false, sources: Vec::new(), hooks, ..body };
        assert!(
            plain(&silent).contains("Nobody told")
                && plain(&silent).contains("lock 'claudectl logout --all;")
        );
    }
}
