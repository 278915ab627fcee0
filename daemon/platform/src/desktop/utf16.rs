//! Text as Windows takes it.

/// The text, as much of it as has room before the zero that ends it. No character is cut in two.
pub(super) fn filled<const N: usize>(text: &str) -> [u16; N] {
    let mut filled = [0; N];
    let mut length = 0;
    for character in text.chars() {
        let mut units = [0; 2];
        let units = character.encode_utf16(&mut units);
        let end = length + units.len();
        match filled.get_mut(length..end) {
            Some(room) if end < N => room.copy_from_slice(units),
            _ => break,
        }
        length = end;
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::filled;

    #[test]
    fn it_ends_in_a_zero_and_no_character_is_cut() {
        let units = |text: &str| text.encode_utf16().collect::<Vec<_>>();
        assert_eq!(filled::<4>("ab"), [units("ab"), vec![0, 0]].concat()[..]);
        assert_eq!(filled::<4>("abcd"), [units("abc"), vec![0]].concat()[..]);
        assert_eq!(filled::<4>("a\u{1f512}b"), [units("a\u{1f512}"), vec![0]].concat()[..]);
        assert_eq!(filled::<4>("ab\u{1f512}"), [units("ab"), vec![0, 0]].concat()[..]);
        assert_eq!(filled::<3>(""), [0; 3]);
    }
}
