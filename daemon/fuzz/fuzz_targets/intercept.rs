//! A token never reaches the screen, whatever a program writes around it and however it is cut; what holds
//! none passes unchanged.
#![no_main]

use claudectl::commands::login::subscription::intercept::Interceptor;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &[u8], Vec<u8>, Vec<u8>)| {
    let (before, after, own, cuts) = input;
    let own: Vec<u8> = own.iter().map(|byte| b'A' + byte % 26).take(200).collect();
    let token = [b"sk-ant-oat01-", own.as_slice()].concat();
    let text = [before, &token, b"\r\n\r\n", after].concat();
    let (mut interceptor, mut screen) = (Interceptor::new(80), Vec::new());
    let (mut rest, mut cuts) = (text.as_slice(), cuts.iter().cycle());
    while !rest.is_empty() {
        let size = cuts.next().map_or(rest.len(), |cut| usize::from(*cut).clamp(1, rest.len()));
        let (piece, more) = rest.split_at(size);
        interceptor.take(piece, &mut screen);
        rest = more;
    }
    drop(interceptor.finish(&mut screen));
    let around = [before, after].concat();
    if own.len() >= 16 && !contains(&around, &own[..16]) {
        assert!(!contains(&screen, &own[..16]));
    }
    let visible: Vec<u8> = around.iter().copied().filter(u8::is_ascii_graphic).collect();
    if !contains(&visible, b"s") {
        let (mut interceptor, mut screen) = (Interceptor::new(80), Vec::new());
        interceptor.take(&around, &mut screen);
        drop(interceptor.finish(&mut screen));
        if around.len() < 8 * 1024 {
            assert_eq!(screen, around);
        }
    }
});

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}
