use claudectl_footprint::edit::{Change, Edit, FILLER};
use proptest::prelude::*;

#[test]
fn exactly_the_bytes_that_are_named() {
    let text = b"{\"a\":\"key sk-TEST end\"}\xff";
    let edited = Edit::overwrite(text, std::iter::once(10..17)).apply(text).unwrap();
    assert_eq!(edited.as_slice(), b"{\"a\":\"key xxxxxxx end\"}\xff");
}

#[test]
fn an_edit_of_another_text_is_refused() {
    assert_eq!(Edit::overwrite(b"short", std::iter::once(3..9)).apply(b"short"), None);
    assert_eq!(Edit::new(vec![Change::remove(6..7)]).apply(b"short"), None);
}

#[test]
fn a_removal_takes_what_would_be_overwritten_in_it() {
    let edit = Edit::new(vec![Change::remove(1..5)]).and(Edit::overwrite(b"", std::iter::once(2..4)));
    assert_eq!(edit.apply(b"abcdefg").unwrap().as_slice(), b"afg");
}

proptest! {
    #[test]
    fn every_other_byte_stays(
        text in prop::collection::vec(any::<u8>(), 1..300),
        spans in prop::collection::vec((any::<prop::sample::Index>(), 0usize..40), 0..8),
    ) {
        let spans: Vec<_> = spans
            .iter()
            .map(|(start, length)| { let start = start.index(text.len()); start..(start + length).min(text.len()) })
            .collect();
        let edited = Edit::overwrite(&text, spans.clone()).apply(&text).unwrap();
        prop_assert_eq!(edited.len(), text.len());
        for (at, (before, after)) in text.iter().zip(edited.iter()).enumerate() {
            let named = spans.iter().any(|span| span.contains(&at));
            // An empty byte is the half of a unit of UTF-16, and no part of a credential.
            let stays = !named || *before == 0;
            prop_assert_eq!(*after, if stays { *before } else { FILLER }, "byte {}", at);
        }
    }

    #[test]
    fn one_edit_after_the_other_is_one_edit(
        text in "[a-z]{1,40}",
        first in prop::collection::vec((any::<prop::sample::Index>(), 1usize..9, prop::sample::select(vec!["", ":"])), 0..4),
        second in prop::collection::vec((any::<prop::sample::Index>(), 1usize..9), 0..4),
    ) {
        let range = |index: &prop::sample::Index, length: usize, text: &[u8]| {
            let start = index.index(text.len());
            start..(start + length).min(text.len())
        };
        let first = Edit::new(first.iter().map(|(index, length, with)| Change {
            range: range(index, *length, text.as_bytes()), with: with.as_bytes().to_vec(),
        }).collect());
        let between = first.apply(text.as_bytes()).unwrap();
        prop_assume!(!between.is_empty() && !between.contains(&b':'));
        let second = Edit::new(second.iter().map(|(index, length)| Change::remove(range(index, *length, &between))).collect());
        let after = second.apply(&between).unwrap();
        prop_assert_eq!(first.then(&second).apply(text.as_bytes()).unwrap().to_vec(), after.to_vec());
    }

    #[test]
    fn removals_leave_the_rest_in_order(
        text in prop::collection::vec(any::<u8>(), 1..300),
        spans in prop::collection::vec((any::<prop::sample::Index>(), 0usize..40), 0..8),
    ) {
        let spans: Vec<_> = spans
            .iter()
            .map(|(start, length)| { let start = start.index(text.len()); start..(start + length).min(text.len()) })
            .collect();
        let edit = Edit::new(spans.iter().cloned().map(Change::remove).collect());
        let rest: Vec<u8> = text
            .iter()
            .enumerate()
            .filter(|(at, _)| !spans.iter().any(|span| span.contains(at)))
            .map(|(_, byte)| *byte)
            .collect();
        prop_assert_eq!(edit.apply(&text).unwrap().to_vec(), rest);
    }
}
