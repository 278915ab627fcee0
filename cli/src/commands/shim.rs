//! `claudectl shim`

use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};
use serde::Serialize;

use crate::{
    Context, args,
    error::Error,
    exit::Exit,
    process::search,
    shim::{
        genuine::is_shim,
        install::{self, Installed},
    },
};

/// Its command line.
pub fn build(command: Command) -> Command {
    let directory = Arg::new("dir")
        .long("dir")
        .value_name("DIR")
        .value_parser(value_parser!(PathBuf))
        .help("The directory [default: that of claudectl]");
    command
        .about("Put `claude` in front of the genuine client, or take it away")
        .subcommand_required(true)
        .disable_help_subcommand(true)
        .subcommand(
            Command::new("install").about("Put it there; never over a genuine client").arg(directory.clone()),
        )
        .subcommand(Command::new("remove").about("Take it away").arg(directory))
}

#[derive(Serialize)]
struct Body {
    /// Where the shim is, or was.
    path: PathBuf,
    installed: bool,
    /// Whether `claude` means the shim in this shell.
    first_on_path: bool,
    /// What makes it so.
    path_line: Option<String>,
}

/// Installs or removes the shim.
///
/// # Errors
/// If something that is not ours is in its place.
#[allow(clippy::unused_async, reason = "every command is")]
pub async fn run(matches: &ArgMatches, context: &Context) -> Result<Exit, Error> {
    let (verb, matches) = matches.subcommand().unwrap_or(("install", matches));
    let shim = install::shim()?;
    let directory = match matches.get_one::<PathBuf>("dir") {
        Some(directory) => args::working_directory().join(directory),
        None => args::own_program()?.parent().map(Path::to_owned).unwrap_or_default(),
    };
    if verb == "remove" { remove(&shim, &directory, context) } else { put(&shim, &directory, context) }
}

fn put(shim: &Path, directory: &Path, context: &Context) -> Result<Exit, Error> {
    let path = directory.join("claude");
    // Where the shim itself is: a directory that can always come first on PATH.
    let own = shim.parent().unwrap_or(directory);
    let installed = install::install(shim, directory).map_err(|error| {
        error.hint(format!("use the shim where it is, in your shell's profile: {}", path_line(own)))
    })?;
    let first_on_path = is_first(&context.environment.search_path());
    let path_line = (!first_on_path).then(|| path_line(directory));
    let body = Body { path, installed: true, first_on_path, path_line };
    context.output.show("claudectl.shim/1", &body, || {
        let done = if installed == Installed::Now { "is the shim now" } else { "is the shim already" };
        let path = body.path.display();
        match &body.path_line {
            None => format!("{path} {done}: `claude` runs as a session from here on."),
            Some(line) => format!("{path} {done}. To make it come first, in your shell's profile:\n  {line}"),
        }
    })?;
    Ok(Exit::Ok)
}

fn remove(shim: &Path, directory: &Path, context: &Context) -> Result<Exit, Error> {
    let removed = install::remove(shim, directory)?;
    let first_on_path = is_first(&context.environment.search_path());
    let body = Body { path: directory.join("claude"), installed: false, first_on_path, path_line: None };
    context.output.show("claudectl.shim/1", &body, || {
        let path = body.path.display();
        if removed {
            format!("{path} is gone: `claude` is the genuine client again.")
        } else {
            format!("There is no shim at {path}.")
        }
    })?;
    Ok(Exit::Ok)
}

/// Whether `claude` means the shim.
pub fn is_first(directories: &[PathBuf]) -> bool {
    search::program("claude".as_ref(), directories)
        .and_then(|first| first.canonicalize().ok())
        .is_some_and(|first| is_shim(&first))
}

fn path_line(directory: &Path) -> String {
    format!("export PATH=\"{}:$PATH\"", directory.display())
}
