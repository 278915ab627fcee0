//! `claude`, the shim: runs the genuine client as a session of claudectld.

fn main() {}
