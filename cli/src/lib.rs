//! The client: `claudectl`, and the `claude` shim.
//!
//! `args` is what the process was started with, `commands` has one file for each command, `daemon`
//! is the daemon as a client sees it, `process` starts it and turns this process into a session,
//! `shim` is what is special about `claude`. `output`, `error` and `exit` are all that anybody sees.

pub mod args;
pub mod commands;
pub mod daemon;
pub mod demo;
pub mod error;
pub mod exit;
pub mod kept;
pub mod output;
pub mod process;
pub mod shim;

use std::{future::Future, process::ExitCode};

use args::Invocation;
use error::Error;
use exit::Exit;
use output::Output;

/// Everything that a command works with.
#[derive(Debug)]
pub struct Context {
    /// The variables that the process was started with.
    pub environment: args::Environment,
    /// Where the result goes.
    pub output: Output,
}

/// `claudectl`.
pub fn run() -> ExitCode {
    let Invocation { arguments, environment } = Invocation::of_this_process();
    let context = Context { environment, output: Output::default() };
    finish(block_on(commands::dispatch(&arguments, context)))
}

/// `claude`.
pub fn run_shim() -> ExitCode {
    let Invocation { arguments, environment } = Invocation::of_this_process();
    let context = Context { environment, output: Output::default() };
    finish(block_on(shim::dispatch(arguments, context)))
}

/// One thread: a client does one thing, and a thread pool costs more than the call.
fn block_on<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Error::new("could not start the event loop").because(&error))?.block_on(work)
}

fn finish(outcome: Result<Exit, Error>) -> ExitCode {
    outcome.unwrap_or_else(|error| error.report()).into()
}
