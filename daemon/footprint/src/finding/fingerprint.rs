//! Knowing a credential again without keeping it.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Stands for a credential within one run: equal for equal ones, and without the run's key it says
/// nothing about them. Never shown or stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint([u8; 16]);

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(…)")
    }
}

/// The key of one run.
#[derive(Clone)]
pub struct FingerprintKey(Zeroizing<[u8; 32]>);

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FingerprintKey(…)")
    }
}

impl FingerprintKey {
    /// A new one.
    ///
    /// # Errors
    /// If the operating system has no random numbers.
    pub fn random() -> std::io::Result<Self> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(key.as_mut()).map_err(std::io::Error::other)?;
        Ok(Self(key))
    }

    /// The fingerprint of these bytes: HMAC-SHA-256, its first half.
    pub fn of(&self, bytes: &[u8]) -> Fingerprint {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.as_ref()) else {
            // A key of 32 bytes is never refused; all would be equal, and a removal refuses those.
            return Fingerprint([0; 16]);
        };
        mac.update(bytes);
        let whole = mac.finalize().into_bytes();
        Fingerprint(whole.first_chunk().copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_for_equal_bytes_under_one_key_only() {
        let (one, other) = (FingerprintKey::random().unwrap(), FingerprintKey::random().unwrap());
        assert_eq!(one.of(b"key"), one.of(b"key"));
        assert_ne!(one.of(b"key"), one.of(b"kez"));
        assert_ne!(one.of(b"key"), other.of(b"key"));
    }

    #[test]
    fn shows_nothing() {
        let key = FingerprintKey::random().unwrap();
        assert_eq!(format!("{key:?} {:?}", key.of(b"key")), "FingerprintKey(…) Fingerprint(…)");
    }
}
