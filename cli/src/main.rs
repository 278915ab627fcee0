//! `claudectl`, the client of claudectld.

fn main() {}
