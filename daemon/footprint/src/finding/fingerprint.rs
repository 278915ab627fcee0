//! Knowing a credential again without keeping it.

use std::fmt;

use hmac::{HmacReset, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Stands for a credential within one run: equal for equal ones, and without the run's key it says
/// nothing about them. Never shown or stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// Its bytes, to be compared elsewhere under the same key.
    pub fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl From<[u8; 16]> for Fingerprint {
    fn from(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

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

    /// The key of somebody else's run, of whom one is asked whether one knows what he has found.
    pub fn of_bytes(key: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*key))
    }

    /// The bytes of the key, for whoever is asked.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The fingerprint of these bytes: HMAC-SHA-256, its first half.
    pub fn of(&self, bytes: &[u8]) -> Fingerprint {
        let Ok(mut mac) = HmacReset::<Sha256>::new_from_slice(self.0.as_ref()) else {
            // A key of 32 bytes is never refused; all would be equal, and a removal refuses those.
            return Fingerprint([0; 16]);
        };
        mac.update(bytes);
        // In place: moved, it would leave the end of the credential behind in its buffer. Dropped, it wipes it.
        let whole = mac.finalize_reset().into_bytes();
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
    fn whoever_has_the_key_computes_the_same() {
        let key = FingerprintKey::random().unwrap();
        let other = FingerprintKey::of_bytes(key.bytes());
        let credential = [b'k'; 108];
        assert_eq!(other.of(&credential), Fingerprint::from(*key.of(&credential).bytes()));
    }

    /// RFC 4231, test case 2 with the key filled with zeros, which HMAC does anyway.
    #[test]
    fn is_the_first_half_of_hmac_sha_256() {
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let fingerprint = FingerprintKey::of_bytes(&key).of(b"what do ya want for nothing?");
        let expected =
            [0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7];
        assert_eq!(fingerprint.bytes(), &expected);
    }

    #[test]
    fn shows_nothing() {
        let key = FingerprintKey::random().unwrap();
        assert_eq!(format!("{key:?} {:?}", key.of(b"key")), "FingerprintKey(…) Fingerprint(…)");
    }
}
