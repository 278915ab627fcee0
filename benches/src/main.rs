//! Measures the product beside its peers: `claudectl-benches p1|p2|p3|p4 [--quick]`.
//!
//! Every number comes from one interleaved run (A B C … A B C …) and is printed as a ratio of
//! medians. Nothing here is a test: a missed target is printed as missed, and the exit code is 0.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a benchmark: it ends with a message where it cannot go on, and it reads the clock"
)]

mod audit;
mod client;
mod copy;
mod memory;
mod p1;
mod p2;
mod p3;
mod peers;
mod place;
mod product;
mod sample;
mod table;
mod upstream;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        // The roles that the benchmarks start themselves.
        ["upstream", certificate, key] => upstream::serve(Some((certificate, key))),
        ["upstream"] => upstream::serve(None),
        ["copy", socket, port] => copy::serve(socket, port),
        ["session", runtime, program] => product::become_session(runtime, program),
        _ => measure(&words),
    }
}

type Part = (&'static str, fn(sample::Scale));

fn measure(words: &[&str]) {
    let scale = if words.contains(&"--quick") { sample::Scale::Quick } else { sample::Scale::Full };
    let named: Vec<&str> = words.iter().copied().filter(|word| !word.starts_with("--")).collect();
    let parts: [Part; 4] = [("p1", p1::run), ("p2", p2::run), ("p3", p3::run), ("p4", audit::run)];
    assert!(
        named.iter().all(|name| parts.iter().any(|part| part.0 == *name)),
        "p1, p2, p3 or p4, or none for all"
    );
    for (name, run) in parts {
        if named.is_empty() || named.contains(&name) {
            run(scale);
        }
    }
}
