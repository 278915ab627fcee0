//! A short-lived value that must not be printed and is overwritten when it goes.

use std::fmt;

use zeroize::Zeroize;

/// Protects a value: no `Debug`, no `Display`, no `Clone`; zeroized on drop. Long-lived credentials
/// live in the platform's secret pages instead.
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes a value under protection.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// Reads it. Every call is greppable and belongs to a room that may.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("capability".to_owned())), "Secret(redacted)");
    }
}
