//! `claude`, the shim: runs the genuine client as a session of claudectld.

use std::process::ExitCode;

fn main() -> ExitCode {
    claudectl::run_shim()
}
