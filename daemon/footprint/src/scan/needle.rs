//! Credentials without a form of their own that were found under a name: running text is searched for
//! them, too.

use zeroize::Zeroizing;

use crate::finding::Kind;

/// More are not searched for, so that the search stays fast.
pub(super) const MOST: usize = 64;
/// Shorter ones would be found by accident.
const SHORTEST: usize = 16;

/// Credentials that running text is searched for. Carried from one look to the next: where a credential was found
/// by its name may be gone by then, and a copy of it in running text not.
#[derive(Default)]
pub struct Needles {
    known: Vec<(Zeroizing<Vec<u8>>, Kind)>,
    is_overfull: bool,
}

impl std::fmt::Debug for Needles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Needles").field("known", &self.known.len()).finish_non_exhaustive()
    }
}

impl Needles {
    /// Remembers a credential for the search.
    pub(super) fn add(&mut self, value: &[u8], kind: Kind) {
        let is_opaque = matches!(
            kind,
            Kind::GatewayToken
                | Kind::CloudKey
                | Kind::McpSecret
                | Kind::ServiceToken
                | Kind::ApiKey
                | Kind::AccessToken
                | Kind::RefreshToken
        );
        let has_form = memchr::memmem::find(value, super::format::PREFIX).is_some();
        if !is_opaque
            || has_form
            || value.len() < SHORTEST
            || self.known.iter().any(|(known, _)| known.as_slice() == value)
        {
            return;
        }
        if self.known.len() == MOST {
            self.is_overfull = true;
            return;
        }
        let mut kept = Zeroizing::new(Vec::with_capacity(value.len()));
        kept.extend_from_slice(value);
        self.known.push((kept, kind));
    }

    /// Whether there were more than are searched for.
    pub(super) fn is_overfull(&self) -> bool {
        self.is_overfull
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], Kind)> {
        self.known.iter().map(|(value, kind)| (value.as_slice(), *kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_no_form_and_is_long_enough() {
        let mut needles = Needles::default();
        for (value, kind) in [
            (b"gateway-0123456789".as_slice(), Kind::GatewayToken),
            (b"gateway-0123456789", Kind::GatewayToken),
            (b"short", Kind::GatewayToken),
            (b"sk-ant-api03-TESTabcdefghij0123456789", Kind::ApiKey),
            (b"/usr/local/bin/print-a-key", Kind::Command),
        ] {
            needles.add(value, kind);
        }
        assert_eq!(needles.iter().count(), 1);
    }
}
