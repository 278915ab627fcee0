//! The shapes of what was seen of the desktop, and of what is done about it.

use claudectl_proto::v1;
use serde::Serialize;

/// A desktop event that was heard and acted on.
#[derive(Debug, Serialize)]
pub struct Sighting {
    what: String,
    by: String,
    at_milliseconds: i64,
    took_microseconds: u32,
    repeated: bool,
}

impl From<&v1::Sighting> for Sighting {
    fn from(sighting: &v1::Sighting) -> Self {
        Self {
            what: word(sighting.what()),
            by: sighting.by.clone(),
            at_milliseconds: sighting.at_milliseconds,
            took_microseconds: sighting.took_microseconds,
            repeated: sighting.repeated,
        }
    }
}

/// What a desktop event is called: `screen-locked`.
pub fn word(what: v1::DesktopEvent) -> String {
    what.as_str_name().trim_start_matches("DESKTOP_EVENT_").to_lowercase().replace('_', "-")
}

/// What is done about a trigger.
#[derive(Debug, Serialize)]
pub struct Triggered {
    trigger: String,
    account: Option<String>,
    reaction: String,
}

impl From<&v1::Reaction> for Triggered {
    fn from(reaction: &v1::Reaction) -> Self {
        Self {
            trigger: reaction.trigger.clone(),
            account: super::present(reaction.account.clone()),
            reaction: reaction.reaction.clone(),
        }
    }
}
