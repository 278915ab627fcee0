//! `claudectl hooks`

mod desktops;

use clap::{Arg, ArgMatches, Command};
use serde::Serialize;

use crate::{
    Context, commands,
    error::Error,
    exit::Exit,
    output::text::{BOLD, DIM, styled},
};

pub use desktops::{Hook, detect};

/// Its command line.
pub fn build(command: Command) -> Command {
    command
        .about("Print the line that logs out where the desktop does not tell of a lock by itself")
        .subcommand_required(true)
        .subcommand(
            Command::new("print").about("Print the line for this desktop, or for a program that locks").arg(
                Arg::new("desktop")
                    .long("desktop")
                    .value_name("NAME")
                    .value_parser(desktops::NAMES)
                    .help("For this one, instead of the desktop that the environment names"),
            ),
        )
}

#[derive(Serialize)]
struct Body {
    desktop: String,
    heard: bool,
    hooks: Vec<Hook>,
}

/// Prints them. Nothing is changed: the file is the user's own.
///
/// # Errors
/// If stdout cannot be written.
#[allow(clippy::unused_async, reason = "every command is")]
pub async fn run(matches: &ArgMatches, context: &Context) -> Result<Exit, Error> {
    let named =
        matches.subcommand().map(|(_, matches)| commands::text(matches, "desktop")).unwrap_or_default();
    let found = if named.is_empty() { detect(&context.environment) } else { desktops::named(&named) };
    let body = Body { desktop: found.name, heard: found.heard, hooks: found.hooks };
    context.output.show("claudectl.hooks/1", &body, || told(&body))?;
    Ok(Exit::Ok)
}

fn told(body: &Body) -> String {
    let mut text = if body.heard {
        format!(
            "{} tells of its screen lock by itself: nothing is needed. Try it: claudectl doctor lock\n",
            body.desktop
        )
    } else {
        String::new()
    };
    text.push_str(&lines(&body.hooks));
    text
}

/// The lines, each under what it is for.
pub fn lines(hooks: &[Hook]) -> String {
    let shown = |hook: &Hook| {
        let heading = styled(BOLD, hook.program);
        let place = styled(DIM, format!("in {}", hook.place));
        format!("{heading}  {place}\n  {}\n", hook.lines.join("\n  "))
    };
    let note =
        "`claudectl seal --all` instead seals what the keyring keeps; what only memory has stays held.";
    let shown: Vec<_> = hooks.iter().map(shown).collect();
    if shown.is_empty() { String::new() } else { format!("{}\n{}\n", shown.join("\n"), styled(DIM, note)) }
}
