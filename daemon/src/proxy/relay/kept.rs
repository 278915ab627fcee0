//! A request that can be sent again.

use crate::proxy::{allowance::Allowance, limits};

/// A request as far as it was read.
#[derive(Debug)]
pub(super) struct Kept<'a> {
    /// Without the line of the credential.
    head: Vec<u8>,
    body: Vec<u8>,
    allowance: &'a Allowance,
}

impl<'a> Kept<'a> {
    /// A request with this head; `None` if the allowance is used up.
    pub(super) fn new(head: &[u8], allowance: &'a Allowance) -> Option<Self> {
        let taken = allowance.take(head.len());
        taken.then(|| Self { head: head.to_vec(), body: Vec::new(), allowance })
    }

    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Keeps more of the body; false if that is too much.
    pub(super) fn extend(&mut self, bytes: &[u8]) -> bool {
        let fits = self.len() + bytes.len() <= limits::KEPT && self.allowance.take(bytes.len());
        if fits {
            self.body.extend_from_slice(bytes);
        }
        fits
    }

    fn len(&self) -> usize {
        self.head.len() + self.body.len()
    }
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        self.allowance.give_back(self.len());
    }
}
