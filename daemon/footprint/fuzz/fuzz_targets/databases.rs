//! Whatever one of SQLite's files holds: its pages are in it and in order, the parts of a page are apart from each
//! other, and to overwrite a part changes nothing else but checksums, which are right afterwards if they were before.
#![no_main]

use claudectl_footprint::database::{HEAD, Image, Layout, overwrite, parts};
use libfuzzer_sys::fuzz_target;

const HEADS: [&[u8]; 5] = [
    b"",
    b"SQLite format 3\0\x02\0\x01\x01\0",
    b"\x37\x7f\x06\x82\0\x2d\xe2\x18\0\0\x02\0",
    b"\x37\x7f\x06\x83\0\x2d\xe2\x18\0\0\x02\0",
    b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7\0\0\0\x01\0\0\0\0\0\0\0\x01\0\0\x02\0\0\0\x02\0",
];

fuzz_target!(|input: (u8, u16, u8, u16, bool, &[u8])| {
    let (which, start, length, usable, is_first, rest) = input;
    check_parts(rest, usize::from(usable), is_first);
    let text = [HEADS[usize::from(which) % HEADS.len()], rest].concat();
    let Some(layout) = Layout::of(&text[..text.len().min(HEAD)]) else { return };
    for image in images(layout, &text) {
        let at = usize::try_from(image.offset).unwrap();
        let page = &text[at..at + usize::try_from(image.size).unwrap()];
        check_parts(page, layout.page().map_or(page.len(), |(_, usable)| usable), image.is_first);
    }
    let start = usize::from(start).min(text.len());
    let span = start..(start + usize::from(length)).min(text.len());
    let Some(edit) = overwrite(&text, std::slice::from_ref(&span)) else { return };
    let edited = edit.apply(&text).expect("it was made for this text");
    assert_eq!(edited.len(), text.len());
    // What is empty is the half of a unit of UTF-16, and stays.
    let is_filled = edited[span.clone()].iter().zip(&text[span.clone()]).all(|(new, old)| *new == if *old == 0 { 0 } else { b'x' });
    assert!(is_filled || matches!(layout, Layout::Log { .. } | Layout::Journal { .. }));
    if layout.page().is_some() && !matches!(layout, Layout::Log { .. } | Layout::Journal { .. }) {
        assert!(edited[..span.start] == text[..span.start] && edited[span.end..] == text[span.end..]);
    }
});

fn images(layout: Layout, text: &[u8]) -> Vec<Image> {
    let size = u64::try_from(text.len()).unwrap();
    let mut found: Vec<Image> = Vec::new();
    let mut read = |at: u64, bytes: &mut [u8]| {
        let at = usize::try_from(at).unwrap();
        bytes.copy_from_slice(&text[at..at + bytes.len()]);
        Ok(())
    };
    layout
        .images(size, &mut read, &mut |_, image| {
            let end = found.last().map_or(0, |last| last.offset + last.size);
            assert!(image.offset >= end && image.offset + image.size <= size);
            found.push(image);
            Ok(())
        })
        .expect("memory can be read");
    found
}

fn check_parts(page: &[u8], usable: usize, is_first: bool) {
    let mut parts = parts(page, usable, is_first);
    parts.sort_by_key(|part| part.bytes.start);
    let mut end = 0;
    for part in parts {
        assert!(part.bytes.start >= end && part.bytes.end <= page.len());
        end = part.bytes.end;
    }
}
