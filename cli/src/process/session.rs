//! Turning this process into a session.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use claudectl_platform::process::exec;
use claudectl_proto::v1::{EnvironmentVariable, OpenSessionRequest, Transport};

use super::environment;
use crate::{
    args::{self, Environment},
    daemon::{Daemon, in_time},
    error::Error,
    exit::Exit,
};

/// What is to run, and how.
#[derive(Debug, Clone)]
pub struct Program {
    /// The program.
    pub path: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// The account; empty for the default.
    pub account: String,
    /// Whether its child processes may use the session, too.
    pub children: bool,
    /// How it reaches its API socket.
    pub transport: Transport,
    /// Whether it is the genuine Claude Code.
    pub genuine: bool,
}

/// Opens a session for this very process and turns it into the program.
///
/// # Errors
/// If there is no session to be had, or the program cannot be executed.
pub async fn become_session(
    daemon: &Daemon,
    ambient: &Environment,
    program: &Program,
) -> Result<Exit, Error> {
    let set = open(daemon, ambient, program).await?;
    let plan = environment::plan(ambient, &set);
    environment::tell(&plan.removed);
    execute(&program.path, &program.arguments, &plan.environment)
}

async fn open(
    daemon: &Daemon,
    ambient: &Environment,
    program: &Program,
) -> Result<Vec<EnvironmentVariable>, Error> {
    let request = OpenSessionRequest {
        account: program.account.clone(),
        children: program.children,
        transport: program.transport.into(),
        directory: args::working_directory().to_string_lossy().into_owned(),
        program: name(&program.path),
        config_directories: environment::config_directories(ambient),
        genuine: program.genuine,
    };
    let mut client = daemon.sessions();
    let answer = in_time(async { Ok(client.open_session(request).await?) }).await?.into_inner();
    if answer.session.is_none() || answer.environment.is_empty() {
        return Err(Error::new("claudectld answered without a session")
            .hint("client and daemon have different versions"));
    }
    Ok(answer.environment)
}

/// Only the name: arguments may say more than `status` should.
fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Turns this process into the program (on Unix: then it does not return).
///
/// # Errors
/// If the program cannot be executed.
pub fn execute(
    path: &Path,
    arguments: &[OsString],
    environment: &[(OsString, OsString)],
) -> Result<Exit, Error> {
    exec(path, arguments, environment).map(Exit::Ran).map_err(|error| {
        Error::new(format!("{} could not be executed", path.display()))
            .because(&error)
            .exiting(Exit::NotRun(126))
    })
}

/// The error of a shell for a program that is not there.
pub fn not_found(program: &OsString) -> Error {
    Error::new(format!("{}: there is no such program", program.to_string_lossy())).exiting(Exit::NotRun(127))
}
