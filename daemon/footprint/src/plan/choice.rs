//! What of it all is to be removed.

use crate::{Finding, Kind, catalog::Group};

/// Why something stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// `--keep` names it.
    Kept,
    /// `--only` does not name it.
    NotChosen,
    /// It is a grant of another service, which goes only with `--everything`.
    OtherService,
}

/// A word of `--only` or `--keep` that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no kind of credential and no place")]
pub struct UnknownWord(pub String);

/// A kind, a group of places, a place, or a part of a place's name.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    Kind(Kind),
    Group(Group),
    Place(String),
}

/// What of it all is to be removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    only: Vec<Word>,
    keep: Vec<Word>,
    everything: bool,
    nothing: bool,
}

impl Choice {
    /// Nothing at all.
    pub fn nothing() -> Self {
        Self { nothing: true, ..Self::default() }
    }

    /// From the words of `--only` and `--keep`; `places` are the names of all places of the catalogue.
    ///
    /// # Errors
    /// If a word means nothing: a purge must not run with half of what was meant.
    pub fn new(
        only: &[String],
        keep: &[String],
        everything: bool,
        places: &[&str],
    ) -> Result<Self, UnknownWord> {
        let words =
            |given: &[String]| given.iter().map(|text| word(text, places)).collect::<Result<Vec<_>, _>>();
        Ok(Self { only: words(only)?, keep: words(keep)?, everything, nothing: false })
    }

    /// Whether nothing is to go.
    pub fn is_nothing(&self) -> bool {
        self.nothing
    }

    /// Why this stays; `None` if it goes.
    pub fn keeps(&self, finding: &Finding) -> Option<Why> {
        let is_named = |words: &[Word]| words.iter().any(|word| word.names(finding));
        if self.nothing {
            Some(Why::NotChosen)
        } else if is_named(&self.keep) {
            Some(Why::Kept)
        } else if !self.only.is_empty() {
            (!is_named(&self.only)).then_some(Why::NotChosen)
        } else if finding.kind == Kind::McpSecret && !self.everything {
            Some(Why::OtherService)
        } else {
            None
        }
    }
}

impl Word {
    fn names(&self, finding: &Finding) -> bool {
        match self {
            Self::Kind(kind) => finding.kind == *kind,
            Self::Group(group) => finding.place.group == *group,
            Self::Place(word) => is_place(finding.place.id, word),
        }
    }
}

fn word(text: &str, places: &[&str]) -> Result<Word, UnknownWord> {
    if let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.id() == text) {
        return Ok(Word::Kind(kind));
    }
    if let Some((_, group)) = GROUPS.iter().find(|(name, _)| *name == text) {
        return Ok(Word::Group(*group));
    }
    let is_known = places.iter().any(|place| is_place(place, text));
    is_known.then(|| Word::Place(text.to_owned())).ok_or_else(|| UnknownWord(text.to_owned()))
}

/// Whether a word is a place's name or one of its parts: `transcripts` means `claude.transcripts`.
fn is_place(id: &str, word: &str) -> bool {
    id == word || id.split('.').any(|part| part == word)
}

/// What the groups are called on a command line.
const GROUPS: [(&str, Group); 9] = [
    ("claude-code", Group::ClaudeCode),
    ("environment", Group::Environment),
    ("profiles", Group::Profiles),
    ("history", Group::Histories),
    ("histories", Group::Histories),
    ("neighbours", Group::Neighbours),
    ("project", Group::Project),
    ("processes", Group::Processes),
    ("keychains", Group::Keychains),
];
