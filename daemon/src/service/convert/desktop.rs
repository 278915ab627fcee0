//! What was seen of the desktop, what is done about it, and where it is written down.

use std::time::Duration;

use claudectl_core::{
    engine::Snapshot,
    event::{DesktopEvent, Sighting},
    footprint::{Left, Removal, Removed},
    policy::reactions::{Reaction, Trigger},
};
use claudectl_proto::v1;

use crate::record::State;

/// What a source told.
pub(in super::super) fn sighting(sighting: &Sighting) -> v1::Sighting {
    v1::Sighting {
        what: match sighting.what {
            DesktopEvent::ScreenLocked => v1::DesktopEvent::ScreenLocked,
            DesktopEvent::ScreenUnlocked => v1::DesktopEvent::ScreenUnlocked,
            DesktopEvent::Suspending => v1::DesktopEvent::Suspending,
            DesktopEvent::Resumed { .. } => v1::DesktopEvent::Resumed,
            DesktopEvent::ShuttingDown => v1::DesktopEvent::ShuttingDown,
            DesktopEvent::InputEnded => v1::DesktopEvent::InputEnded,
            DesktopEvent::InputSeen => v1::DesktopEvent::InputSeen,
            DesktopEvent::DesktopEnded => v1::DesktopEvent::DesktopEnded,
        }
        .into(),
        by: sighting.by.clone(),
        at_milliseconds: sighting.at_milliseconds,
        took_microseconds: u32::try_from(sighting.took.as_micros()).unwrap_or(u32::MAX),
        repeated: sighting.repeated,
    }
}

/// What ends an account without being asked, and how. Only accounts that are logged in are named.
pub(in super::super) fn reactions(snapshot: &Snapshot) -> Vec<v1::Reaction> {
    let message = |account: &str, trigger: Trigger, reaction: Reaction| v1::Reaction {
        trigger: trigger.word().to_owned(),
        account: account.to_owned(),
        reaction: reaction.word().to_owned(),
    };
    let reactions = &snapshot.policy.reactions;
    let general = Trigger::ALL.into_iter().map(|trigger| message("", trigger, reactions.in_general(trigger)));
    let of_account = reactions.of_account.iter();
    let held = of_account.filter(|(account, _)| snapshot.accounts.contains_key(account));
    let own = held.flat_map(|(account, chosen)| {
        chosen.iter().map(|(trigger, reaction)| message(account.as_str(), *trigger, *reaction))
    });
    general.chain(own).collect()
}

/// What was done about what other programs left.
pub(in super::super) fn footprints(snapshot: &Snapshot) -> v1::Footprints {
    let mut message = v1::Footprints {
        enabled: snapshot.policy.footprints,
        running: snapshot.removing.is_some(),
        ..v1::Footprints::default()
    };
    let Some(Removal { cause, at, outcome }) = &snapshot.removal else { return message };
    message.at = *at;
    cause.words().trim_start().clone_into(&mut message.why);
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    match outcome {
        Err(error) => message.error.clone_from(error),
        Ok(Removed { gone, remaining, left }) => {
            (message.removed, message.left) = (count(*gone), count(*remaining));
            message.copies = left.iter().map(copy).collect();
        }
    }
    message
}

fn copy(Left { what, place, why }: &Left) -> v1::FootprintLeft {
    v1::FootprintLeft { what: what.clone(), r#where: place.clone(), why: why.clone() }
}

/// The local record.
pub(in super::super) fn record(directory: &str, state: &State) -> v1::Record {
    v1::Record {
        directory: directory.to_owned(),
        number: state.head.number,
        hash: state.head.hash.clone(),
        error: state.error.clone().unwrap_or_default(),
    }
}

/// In whole units of so many seconds; 0 for none.
pub(in super::super) fn whole(duration: Option<Duration>, unit: u64) -> u32 {
    u32::try_from(duration.unwrap_or_default().as_secs() / unit).unwrap_or(u32::MAX)
}
