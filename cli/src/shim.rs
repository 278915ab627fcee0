//! What is special about `claude`: finding the genuine client, words that mean claudectl, settings
//! of a session.

pub mod arguments;
pub mod genuine;
pub mod install;
pub mod plugin;
pub mod settings;
pub mod version;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use claudectl_proto::v1::Transport;

use crate::{
    Context,
    args::{self, Environment},
    commands::{self, run},
    error::Error,
    exit::Exit,
    process::session::{Program, execute},
};
use arguments::Meaning;
use genuine::{Form, Genuine};

/// Names the genuine client where it is not found.
pub const NAMED: &str = "CLAUDECTL_CLAUDE";

/// Counts, across processes, how often a script was run as the genuine client.
const SCRIPTS: &str = "CLAUDECTL_CLAUDE_SCRIPTS";

/// So many scripts in one another are no nesting of sessions: they lead back here.
const MOST_SCRIPTS: u32 = 8;

/// Runs `claude` with these arguments.
///
/// # Errors
/// If the genuine client is not found, or there is no session to be had.
pub async fn dispatch(arguments: Vec<OsString>, mut context: Context) -> Result<Exit, Error> {
    match arguments::meaning(&arguments) {
        Meaning::Ours(words) => return commands::dispatch(&words, context).await,
        Meaning::Untouched | Meaning::Session => {}
    }
    let genuine = find(&context.environment)?;
    if genuine.form == Form::Script {
        let count = scripts(&context.environment).saturating_add(1);
        context.environment.set(SCRIPTS, count.to_string());
    }
    if arguments::meaning(&arguments) == Meaning::Untouched {
        let ambient: Vec<_> =
            context.environment.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        return execute(&genuine.path, &arguments, &ambient);
    }
    let program = program(genuine, arguments, &context.environment)?;
    run::start(&context, &program).await
}

/// The genuine client of this environment.
///
/// # Errors
/// If there is none.
pub fn find(environment: &Environment) -> Result<Genuine, Error> {
    let (own, directories) = (args::own_program()?, environment.search_path());
    search(environment, &own, &directories).run()
}

/// Whether this program is the genuine client of this environment, or a shim, which turns into that.
pub fn is_genuine(environment: &Environment, path: &Path) -> bool {
    let directories = environment.search_path();
    args::own_program().is_ok_and(|own| search(environment, &own, &directories).finds(path))
}

fn search<'a>(environment: &Environment, own: &'a Path, directories: &'a [PathBuf]) -> genuine::Search<'a> {
    let take_scripts = scripts(environment) < MOST_SCRIPTS;
    genuine::Search { own, directories, named: environment.path(NAMED), take_scripts }
}

fn scripts(environment: &Environment) -> u32 {
    environment.text(SCRIPTS).and_then(|count| count.parse().ok()).unwrap_or(0)
}

fn program(genuine: Genuine, arguments: Vec<OsString>, environment: &Environment) -> Result<Program, Error> {
    let transport = match genuine.form {
        Form::Native | Form::Script => Transport::Unix,
        Form::JavaScript => Transport::Tcp,
    };
    let answers_login = plugin::suits(&genuine);
    let claudectl = install::claudectl(environment)?;
    let mut arguments = settings::add(arguments, environment, &claudectl, answers_login)?;
    if answers_login {
        arguments = plugin::add(&environment.endpoints()?.plugin(), arguments)?;
    }
    Ok(Program {
        path: genuine.path,
        arguments,
        account: environment.account().to_owned(),
        children: false,
        transport,
        genuine: true,
    })
}
