//! Asking a program that knows what no file tells: bounded in time and size, wiped afterwards.

use std::{
    ffi::OsStr,
    io::Read as _,
    path::PathBuf,
    process::{Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use zeroize::Zeroizing;

/// How long a program may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// More than any of them says.
const LONGEST: usize = 4 << 20;
/// What they need of the environment to find whom they ask. On Windows the case of a name means nothing.
const KEPT: [&str; 8] = [
    "HOME",
    "PATH",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "LANG",
    "USERPROFILE",
    "SystemRoot",
    "USER",
];

/// What came of asking.
pub(super) enum Answer {
    /// The program is not here.
    Absent,
    /// It said that it cannot.
    Failed,
    /// It did not answer in time, or said more than it ever does.
    Silent,
    /// What it wrote.
    Said(Zeroizing<Vec<u8>>),
}

/// Runs a program of the given directories with these variables and takes what it writes to its
/// standard output.
pub(super) fn ask(
    directories: &[PathBuf],
    program: &str,
    arguments: &[&OsStr],
    variables: &[(&OsStr, &OsStr)],
) -> Answer {
    let suffixed = [program.to_owned(), format!("{program}.exe")];
    let paths =
        directories.iter().flat_map(|directory| suffixed.iter().map(move |name| directory.join(name)));
    let Some(path) = paths.into_iter().find(|path| path.is_file()) else { return Answer::Absent };
    let kept = variables.iter().filter(|(name, _)| KEPT.iter().any(|kept| name.eq_ignore_ascii_case(kept)));
    let mut command = Command::new(path);
    command.args(arguments).env_clear().envs(kept.copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else { return Answer::Failed };
    let Some(mut output) = child.stdout.take() else { return Answer::Failed };
    let (tell, told) = mpsc::sync_channel(1);
    let reader = std::thread::spawn(move || {
        // One buffer that never grows, so that no copy stays behind.
        let mut text = Zeroizing::new(vec![0; LONGEST]);
        let mut filled = 0;
        while let Some(room) = text.get_mut(filled..).filter(|room| !room.is_empty()) {
            match output.read(room) {
                Ok(0) | Err(_) => break,
                Ok(count) => filled += count,
            }
        }
        text.truncate(filled);
        // The asker may have lost its patience.
        drop(tell.send(text));
    });
    let text = told.recv_timeout(PATIENCE);
    let in_time = text.as_ref().is_ok_and(|text| text.len() < LONGEST);
    if !in_time {
        // It may have ended by itself.
        drop(child.kill());
    }
    let ended_well = child.wait().is_ok_and(|status| status.success());
    if in_time {
        // It has told everything: it is at its end.
        drop(reader.join());
    }
    match text {
        Ok(text) if in_time && ended_well => Answer::Said(text),
        Ok(_) if in_time => Answer::Failed,
        Ok(_) | Err(_) => Answer::Silent,
    }
}
