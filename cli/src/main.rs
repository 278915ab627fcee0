//! `claudectl`, the client of claudectld.

use std::process::ExitCode;

fn main() -> ExitCode {
    claudectl::run()
}
