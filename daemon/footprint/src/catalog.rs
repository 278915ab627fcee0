//! The tables of places: data, one row each. A new place is a new row; nothing else has to change.

mod claude;
pub mod environment;
mod live;
mod neighbours;
mod place;
mod profiles;
mod project;

pub(crate) use claude::may_go;
pub(crate) use place::rule;
pub use place::{At, Group, Means, Place, Platforms, Reader, Remedy, Rule, Which};

const TABLES: [&[Place]; 5] =
    [live::PLACES, profiles::PLACES, claude::PLACES, neighbours::PLACES, project::PLACES];

/// Every place. A file belongs to the first row that names it.
pub fn places() -> impl Iterator<Item = &'static Place> {
    TABLES.into_iter().flatten()
}

/// The place of this name.
pub fn place(id: &str) -> Option<&'static Place> {
    places().find(|place| place.id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_plain() {
        let mut seen = BTreeSet::new();
        for place in places() {
            assert!(seen.insert(place.id), "{} is there twice", place.id);
            assert!(
                place.id.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '.' | '-')),
                "{}",
                place.id
            );
            assert!(!place.title.is_empty() && !place.power.is_empty(), "{}", place.id);
        }
        assert!(seen.len() >= 55, "{}", seen.len());
    }

    #[test]
    fn patterns_lead_down_and_end_where_they_must() {
        for place in places() {
            let (At::Home(patterns) | At::ConfigDirectory(patterns) | At::Project(patterns)) = place.at
            else {
                continue;
            };
            assert!(!patterns.is_empty(), "{}", place.id);
            for pattern in patterns {
                assert!(
                    !pattern.starts_with('/') && !pattern.contains("..") && !pattern.contains('\\'),
                    "{pattern}"
                );
                assert!(!pattern.trim_end_matches("**").contains("**"), "{pattern}");
                // A walk of the whole home would take minutes.
                assert!(*pattern != "**" || matches!(place.at, At::ConfigDirectory(_)), "{}", place.id);
            }
        }
    }

    #[test]
    fn what_is_cheap_names_files_and_walks_nothing() {
        for place in places().filter(|place| place.cheap) {
            if let At::Home(patterns) | At::ConfigDirectory(patterns) | At::Project(patterns) = place.at {
                assert!(patterns.iter().all(|pattern| !pattern.contains("**")), "{}", place.id);
            }
        }
    }
}
