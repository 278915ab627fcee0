//! `claudectl man` (hidden: for installers)

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Arg, ArgMatches, Command, value_parser};

use crate::{Context, commands, error::Error, exit::Exit};

/// Its command line.
pub fn build(command: Command) -> Command {
    command.about("Write the man pages into a directory").hide(true).arg(
        Arg::new("directory")
            .value_name("DIR")
            .required(true)
            .value_parser(value_parser!(PathBuf))
            .help("The directory"),
    )
}

/// Writes one page for `claudectl` and one for each command that is shown.
///
/// # Errors
/// If a page cannot be written.
#[allow(clippy::unused_async, reason = "every command is")]
pub async fn run(matches: &ArgMatches, _context: &Context) -> Result<Exit, Error> {
    if let Some(directory) = matches.get_one::<PathBuf>("directory") {
        write(directory).map_err(|error| Error::new(format!("{}", directory.display())).because(&error))?;
    }
    Ok(Exit::Ok)
}

fn write(directory: &Path) -> std::io::Result<()> {
    fs::create_dir_all(directory)?;
    let mut tree = commands::tree();
    tree.build();
    page(directory, "claudectl", tree.clone())?;
    for command in tree.get_subcommands().filter(|command| !command.is_hide_set()) {
        let name = format!("claudectl-{}", command.get_name());
        page(directory, &name, command.clone())?;
    }
    Ok(())
}

fn page(directory: &Path, name: &str, command: Command) -> std::io::Result<()> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command).title(name.to_uppercase()).render(&mut page)?;
    fs::write(directory.join(format!("{name}.1")), page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_that_is_shown_has_a_page_that_says_what_it_does() {
        let directory = tempfile::tempdir().unwrap();
        write(directory.path()).unwrap();
        let read = |name: &str| fs::read_to_string(directory.path().join(format!("{name}.1"))).unwrap();
        for command in commands::tree().get_subcommands().filter(|command| !command.is_hide_set()) {
            let name = command.get_name();
            assert!(read("claudectl").contains(name), "{name}");
            assert!(read(&format!("claudectl-{name}")).contains("SYNOPSIS"), "{name}");
        }
        assert!(!directory.path().join("claudectl-man.1").exists());
    }
}
