//! The key itself: from the file to the daemon by the way of `claudectl login`, over a pipe.

use std::process::Stdio;

use clap::ArgMatches;
use claudectl_footprint::{Finding, Location, finding::Occurrence};
use claudectl_platform::erasure::PlainFile;
use tokio::{io::AsyncWriteExt as _, process::Command};
use zeroize::Zeroizing;

use super::name;
use crate::{args, commands::purge::look::Looker, error::Error};

/// Reads the key once more, and logs in with it.
pub(super) async fn hand_over(finding: &Finding, looker: &Looker, matches: &ArgMatches) -> Result<(), Error> {
    let key = read(finding, looker)?;
    let mut command = Command::new(args::own_program()?);
    command.args(["login", &name(matches)]);
    for option in ["upstream", "proxy", "ca-file"] {
        if let Some(value) = matches.get_one::<String>(option) {
            command.arg(format!("--{option}={value}"));
        }
    }
    for flag in ["no-proxy", "offline"] {
        if matches.get_flag(flag) {
            command.arg(format!("--{flag}"));
        }
    }
    let failed = |error: &std::io::Error| Error::new("the login could not be run").because(error);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).kill_on_drop(true);
    let mut login = command.spawn().map_err(|error| failed(&error))?;
    if let Some(mut input) = login.stdin.take() {
        // One that ends before it has read says why itself.
        let _ = input.write_all(&key).await;
    }
    drop(key);
    let status = login.wait().await.map_err(|error| failed(&error))?;
    if status.success() {
        Ok(())
    } else {
        Err(Error::new("the daemon did not take the key, so nothing was changed")
            .hint("see above; --offline does not ask the upstream"))
    }
}

/// The key as the daemon is to get it. One that is written with escapes is not guessed.
fn read(finding: &Finding, looker: &Looker) -> Result<Zeroizing<Vec<u8>>, Error> {
    let moved = || Error::new("the file has changed since it was looked at").hint("claudectl adopt again");
    let Location::Stored(stored) = &finding.location else { return Err(moved()) };
    let Occurrence { bytes, raw } = stored.occurrences.first().ok_or_else(moved)?;
    let file = PlainFile::open(&stored.path).map_err(|error| moved().because(&error))?;
    let length = usize::try_from(bytes.end - bytes.start).map_err(|_| moved())?;
    let key = file.read_at(bytes.start, length).map_err(|error| moved().because(&error))?;
    if looker.key().of(&key) != *raw {
        return Err(moved());
    }
    // In UTF-16 it has an empty byte beside each of its own.
    let mut bare = Zeroizing::new(Vec::with_capacity(key.len()));
    bare.extend(key.iter().copied().filter(|byte| *byte != 0));
    if looker.key().of(&bare) != finding.fingerprint {
        return Err(Error::new("the key is written there with escapes")
            .hint("claudectl login, and type it; then claudectl purge"));
    }
    Ok(bare)
}
