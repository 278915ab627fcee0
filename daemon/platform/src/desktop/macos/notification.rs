//! `display notification` of AppleScript: a program without a bundle has no other way. It is shown as one of the
//! script editor's.

use std::{ffi::OsStr, io, path::Path, time::Duration};

use super::super::{Buses, program};

const OSASCRIPT: &str = "/usr/bin/osascript";
/// The texts are its arguments, and never part of it.
const SCRIPT: &str =
    "on run argv\ndisplay notification (item 2 of argv) with title (item 1 of argv)\nend run";
/// As on other systems.
const PATIENCE: Duration = Duration::from_secs(3);

pub(in super::super) async fn notify(_buses: &Buses, summary: &str, body: &str) -> io::Result<()> {
    let arguments = ["-e", SCRIPT, summary, body].map(OsStr::new);
    program::run(Path::new(OSASCRIPT), &arguments, PATIENCE).await
}
