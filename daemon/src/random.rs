//! Random identifiers and capabilities, from the operating system.

use std::io;

/// A random number.
///
/// # Errors
/// If the operating system has no randomness to give.
pub fn number() -> io::Result<u32> {
    getrandom::u32().map_err(io::Error::other)
}

/// This many random bytes, as hexadecimal digits.
///
/// # Errors
/// If the operating system has no randomness to give.
pub fn hexadecimal(bytes: usize) -> io::Result<String> {
    let mut random = zeroize::Zeroizing::new(vec![0; bytes]);
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or('0');
    Ok(random.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect())
}

#[cfg(test)]
mod tests {
    #[test]
    fn capabilities_have_full_length_and_differ() {
        let (one, other) = (super::hexadecimal(32).unwrap(), super::hexadecimal(32).unwrap());
        assert_eq!(one.len(), 64);
        assert_ne!(one, other);
    }
}
