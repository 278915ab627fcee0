//! The fake upstream as a program: reads the keys it accepts from its input, one a line, prints its
//! base URL at the first empty line and serves until the input ends.
#![allow(clippy::print_stdout, reason = "the URL is this program's output")]

use std::io::{self, BufRead as _};

use claudectl_tests::upstream::FakeUpstream;

fn main() -> io::Result<()> {
    let upstream = FakeUpstream::plain([]);
    for line in io::stdin().lock().lines() {
        match line?.trim() {
            "" => println!("{}", upstream.url()),
            key => upstream.accept(key),
        }
    }
    Ok(())
}
