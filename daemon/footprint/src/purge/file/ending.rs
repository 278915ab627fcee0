//! What becomes of a file once its credentials are overwritten: gone, replaced, or left to who writes to it.

use claudectl_platform::erasure::{PlainFile, Refusal, STORES_DIRECTORIES, Step};

use super::{Edits, Trouble, is_filled, occurrences};
use crate::{finding::FileIdentity, plan::FileStep};

/// How often a file that somebody writes to is edited anew.
const ATTEMPTS: usize = 4;

/// What becomes of a file in which the credentials are overwritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Removed,
    Replaced,
    Overwritten,
    /// Somebody writes to it: what they wrote stays, and so does the file.
    LeftToItsWriter,
}

impl Ending {
    /// What was done instead of what each edit says.
    pub(super) fn action(self) -> Option<&'static str> {
        match self {
            Self::Removed => Some("file removed"),
            Self::LeftToItsWriter => {
                Some("its characters overwritten: the file was written to meanwhile, and was not edited")
            }
            Self::Replaced | Self::Overwritten => None,
        }
    }

    pub(super) fn proof(self) -> &'static str {
        match self {
            Self::Removed if STORES_DIRECTORIES => "overwritten, unlinked, its directory synced",
            Self::Removed => "overwritten and unlinked",
            Self::Replaced => "overwritten, then the file replaced by the edited one",
            Self::Overwritten | Self::LeftToItsWriter => "overwritten in place and read back",
        }
    }
}

/// Removes or replaces the file, as it has to be. If somebody writes to it, what they wrote is taken along,
/// a few times.
pub(super) fn finish(
    step: &FileStep,
    file: &PlainFile,
    edits: Edits,
    known: FileIdentity,
    each: Step<'_>,
) -> Result<(Ending, Vec<String>), Trouble> {
    let (mut edits, mut known) = (edits, known);
    for _ in 0..ATTEMPTS {
        let outcome = match &edits.text {
            _ if edits.removes => file.remove(&known, each).map(|()| Ending::Removed),
            Some(edited) => file.replace(edited, &known, each).map(|()| Ending::Replaced),
            None => Ok(Ending::Overwritten),
        };
        match outcome {
            Err(Refusal::Written) => {}
            other => return Ok((other?, edits.actions)),
        }
        known = file.identity()?;
        let occurrences: Vec<_> =
            step.removals.iter().flat_map(|(finding, _)| occurrences(finding)).collect();
        if !is_filled(file, &occurrences)? {
            return Err(Trouble::Changed);
        }
        edits = super::edits(step, file)?;
    }
    Ok((Ending::LeftToItsWriter, edits.actions))
}
