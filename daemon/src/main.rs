//! `claudectld`, the credential daemon.

fn main() {}
