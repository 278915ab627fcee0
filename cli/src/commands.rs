//! The commands: one file each.

pub mod accounts;
pub mod adopt;
pub mod audit;
pub mod completions;
pub mod demo;
pub mod demo_client;
pub mod doctor;
pub mod drill;
pub mod end;
pub mod hook;
pub mod hooks;
pub mod log;
pub mod login;
pub mod logout;
pub mod man;
pub mod purge;
pub mod reload;
pub mod run;
pub mod seal;
pub mod sessions;
pub mod shim;
pub mod status;
pub mod statusline;
pub mod switch;
pub mod unseal;

use std::{ffi::OsString, future::Future, pin::Pin};

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::{Context, error::Error, exit::Exit};

/// What a command is working on.
pub type Work<'a> = Pin<Box<dyn Future<Output = Result<Exit, Error>> + 'a>>;

/// One command.
#[derive(Debug)]
pub struct Entry {
    /// What it is called.
    pub name: &'static str,
    /// Its arguments.
    pub build: fn(Command) -> Command,
    /// What it does.
    pub run: for<'a> fn(&'a ArgMatches, &'a Context) -> Work<'a>,
}

macro_rules! entries {
    ($($name:literal => $module:ident),* $(,)?) => {
        &[$(Entry { name: $name, build: $module::build, run: |matches, context| Box::pin($module::run(matches, context)) }),*]
    };
}

/// All commands, in the order of the help.
pub const ENTRIES: &[Entry] = entries![
    "login" => login,
    "status" => status,
    "accounts" => accounts,
    "switch" => switch,
    "logout" => logout,
    "seal" => seal,
    "unseal" => unseal,
    "adopt" => adopt,
    "purge" => purge,
    "run" => run,
    "sessions" => sessions,
    "end" => end,
    "audit" => audit,
    "shim" => shim,
    "log" => log,
    "doctor" => doctor,
    "hooks" => hooks,
    "reload" => reload,
    "drill" => drill,
    "demo" => demo,
    "completions" => completions,
    "man" => man,
    "hook" => hook,
    "statusline" => statusline,
    "demo-client" => demo_client,
];

/// The command line of one command.
fn command(entry: &Entry) -> Command {
    let json = Arg::new("json")
        .long("json")
        .action(ArgAction::SetTrue)
        .global(true)
        .help("Write the result as one line of JSON (see cli/README.md)");
    (entry.build)(Command::new(entry.name).arg(json))
}

/// The whole command line: for help, errors, completions and man pages. A command that is named is
/// built alone, because all of them would take a quarter of a millisecond more.
pub fn tree() -> Command {
    Command::new("claudectl")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Log Claude Code in and out: one daemon holds the key, sessions get a placeholder")
        .after_help(
            "Exit codes: 0 ok, 1 failed, 2 usage, 3 no daemon, 4 sealed, 5 login needed, 6 not proven",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommands(ENTRIES.iter().map(command))
}

/// Runs the command that the arguments name.
///
/// # Errors
/// That of the command; what clap has to say, it says itself.
pub async fn dispatch(arguments: &[OsString], mut context: Context) -> Result<Exit, Error> {
    login::refuse_key_in(arguments)?;
    let named = arguments.first().and_then(|name| ENTRIES.iter().find(|entry| name == entry.name));
    let Some(entry) = named else {
        return match tree().try_get_matches_from([OsString::from("claudectl")].iter().chain(arguments)) {
            // Only reached if the table and the tree disagree.
            Ok(_) => Err(Error::usage("that command is not implemented")),
            Err(error) => say(&error),
        };
    };
    let parser = command(entry).bin_name(format!("claudectl {}", entry.name));
    match parser.try_get_matches_from(arguments) {
        Ok(matches) => {
            let json = matches.get_flag("json");
            context.output.json = json;
            (entry.run)(&matches, &context).await.map_err(|error| error.as_json(json))
        }
        Err(error) => say(&error),
    }
}

/// Help and version go to stdout and are no failure; everything else is a wrong usage.
fn say(error: &clap::Error) -> Result<Exit, Error> {
    error.print()?;
    Ok(if error.use_stderr() { Exit::Usage } else { Exit::Ok })
}

/// The value of a text argument; empty if it was not given.
pub fn text(matches: &ArgMatches, name: &str) -> String {
    matches.get_one::<String>(name).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_sound() {
        tree().debug_assert();
    }

    #[test]
    fn every_command_says_what_it_does_and_takes_json() {
        for command in tree().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            assert!(command.get_arguments().any(|arg| arg.get_id() == "json"), "{}", command.get_name());
        }
    }
}
