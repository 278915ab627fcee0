//! `claudectl completions`

use clap::{Arg, ArgMatches, Command, builder::EnumValueParser};
use clap_complete::Shell;

use crate::{Context, commands, error::Error, exit::Exit, output::Output};

/// Its command line.
pub fn build(command: Command) -> Command {
    command.about("Write the completions of a shell").arg(
        Arg::new("shell")
            .value_name("SHELL")
            .required(true)
            .value_parser(EnumValueParser::<Shell>::new())
            .help("The shell"),
    )
}

/// Writes them to stdout.
///
/// # Errors
/// If stdout cannot be written.
#[allow(clippy::unused_async, reason = "every command is")]
pub async fn run(matches: &ArgMatches, _context: &Context) -> Result<Exit, Error> {
    if let Some(shell) = matches.get_one::<Shell>("shell") {
        Output::write(&of(*shell))?;
    }
    Ok(Exit::Ok)
}

fn of(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut commands::tree(), "claudectl", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_completes_every_command_that_is_shown() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Elvish, Shell::PowerShell] {
            let script = of(shell);
            for command in commands::tree().get_subcommands().filter(|command| !command.is_hide_set()) {
                assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
            }
        }
    }
}
