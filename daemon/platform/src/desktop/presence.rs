//! Whether somebody is there, where the system says only for how long nobody has been.

use std::time::Duration;

use super::{Notice, teller::Teller};

/// How long keyboard and pointer are untouched when nobody is there: as long as most desktops wait.
const AWAY: Duration = Duration::from_mins(5);
/// How often is looked whether somebody is back.
const LOOK: Duration = Duration::from_secs(10);

/// What was told last: `Some(true)` that nobody is there.
#[derive(Debug, Default)]
struct Presence(Option<bool>);

impl Presence {
    /// What is to be told now, given how long nothing was touched; `None` if the system does not say.
    fn news(&mut self, untouched: Option<Duration>) -> Option<bool> {
        let idle = match untouched {
            Some(untouched) => untouched >= AWAY,
            // Whoever was seen is not seen any more.
            None => self.0.map(|_| true)?,
        };
        (self.0.replace(idle) != Some(idle)).then_some(idle)
    }

    /// How long it stays true that somebody is there, or until somebody may be back. A system that has never said
    /// is asked seldom.
    fn pause(&self, untouched: Option<Duration>) -> Duration {
        match self.0 {
            None => AWAY,
            Some(false) => AWAY.saturating_sub(untouched.unwrap_or_default()),
            Some(true) => LOOK,
        }
    }
}

/// Tells whether somebody is there until nobody wants to know any more. A system that never says how long
/// nothing was touched is told of never.
pub(super) fn hear(
    teller: &Teller,
    mut untouched: impl FnMut() -> Option<Duration>,
    mut sleep: impl FnMut(Duration),
) {
    let mut presence = Presence::default();
    while teller.is_wanted() {
        let untouched = untouched();
        if let Some(idle) = presence.news(untouched)
            && teller.tell(Notice::Idle(idle)).is_err()
        {
            return;
        }
        sleep(presence.pause(untouched));
    }
}

/// How long ago that was by a counter of milliseconds that begins again at 0 after 49.7 days.
#[cfg(any(test, windows))]
pub(super) fn since(last: u32, now: u32) -> Duration {
    /// An input that comes between the two questions may look as if it were yet to come.
    const AHEAD: u32 = 10_000;
    let milliseconds = now.wrapping_sub(last);
    let is_ahead = last.wrapping_sub(now) <= AHEAD;
    Duration::from_millis(if is_ahead { 0 } else { milliseconds.into() })
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    const NOW: Option<Duration> = Some(Duration::ZERO);
    const MINUTE: Duration = Duration::from_mins(1);

    /// What is told at each look, and how long is waited after it.
    fn heard(looks: &[Option<Duration>]) -> Vec<(Option<bool>, Duration)> {
        let (notices, heard) = mpsc::channel(1);
        let (mut heard, mut heard_of) = (Some(heard), Vec::new());
        let mut script = looks.iter();
        let untouched = || *script.next().expect("nobody looks after the end");
        hear(&Teller::new(notices, "input"), untouched, |pause| {
            let told = heard.as_mut().and_then(|heard| heard.try_recv().ok()).map(|notice| match notice {
                Notice::Idle(idle) => idle,
                other => panic!("{other:?}"),
            });
            heard_of.push((told, pause));
            // At the end of the script nobody wants to know any more.
            heard = heard.take().filter(|_| heard_of.len() < looks.len());
        });
        heard_of
    }

    #[test]
    fn a_change_is_told_once_and_looked_for_no_more_often_than_it_can_come() {
        let looks = [NOW, Some(MINUTE * 4), Some(AWAY), Some(AWAY + LOOK), Some(LOOK), NOW];
        let expected = [
            // From the first look on: it is not taken for granted that a system tells.
            (Some(false), AWAY),
            (None, MINUTE),
            (Some(true), LOOK),
            (None, LOOK),
            (Some(false), AWAY.saturating_sub(LOOK)),
            (None, AWAY),
        ];
        assert_eq!(heard(&looks), expected);
    }

    #[test]
    fn a_system_that_does_not_say_is_told_of_never_and_one_that_stops_saying_tells_of_nobody() {
        assert_eq!(heard(&[None, None]), [(None, AWAY), (None, AWAY)]);
        let silenced = heard(&[NOW, None, None, NOW]);
        assert_eq!(silenced, [(Some(false), AWAY), (Some(true), LOOK), (None, LOOK), (Some(false), AWAY)]);
    }

    #[test]
    fn the_counter_begins_again_and_nothing_is_touched_in_the_future() {
        let milliseconds = Duration::from_millis;
        for (last, now, expected) in [
            (1_000, 1_000, milliseconds(0)),
            (1_000, 61_000, MINUTE),
            (u32::MAX, 0, milliseconds(1)),
            (u32::MAX - 59_999, 240_000, MINUTE * 5),
            (0, u32::MAX - 10_001, milliseconds((u32::MAX - 10_001).into())),
            // Touched between the two questions.
            (1_016, 1_000, milliseconds(0)),
            (5, u32::MAX - 10, milliseconds(0)),
        ] {
            assert_eq!(since(last, now), expected, "{last} {now}");
        }
    }
}
