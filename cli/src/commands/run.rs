//! `claudectl run`

use std::ffi::OsString;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use claudectl_proto::v1::{Reason, Transport};

use crate::{
    Context,
    commands::login,
    daemon::Daemon,
    error::Error,
    exit::Exit,
    output::{can_ask, complain},
    process::{
        search,
        session::{self, Program},
    },
    shim,
};

/// Its command line.
pub fn build(command: Command) -> Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    command
        .about("Run a program as a session: it gets a placeholder and a socket, never the key")
        .after_help(
            "Ends with the program's own exit code; 127 if it is not found, 126 if it cannot be executed.",
        )
        .arg(
            Arg::new("account")
                .long("account")
                .value_name("NAME")
                .help("The account [default: CLAUDECTL_ACCOUNT, else the default account]"),
        )
        .arg(flag("children", "Let child processes of the program use the session, too"))
        .arg(flag("tcp", "Use a loopback port and a capability instead of a Unix socket"))
        .arg(
            Arg::new("command")
                .value_name("CMD")
                .required(true)
                .num_args(1..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true)
                .value_parser(value_parser!(OsString))
                .help("The program and its arguments"),
        )
}

/// Turns this process into the program.
///
/// # Errors
/// If there is no session to be had, or the program cannot be executed.
pub async fn run(matches: &ArgMatches, context: &Context) -> Result<Exit, Error> {
    let mut words = matches.get_many::<OsString>("command").into_iter().flatten().cloned();
    let name = words.next().unwrap_or_default();
    let Some(path) = search::program(&name, &context.environment.search_path()) else {
        return Err(session::not_found(&name));
    };
    let program = Program {
        genuine: shim::is_genuine(&context.environment, &path),
        path,
        arguments: words.collect(),
        account: matches
            .get_one("account")
            .cloned()
            .unwrap_or_else(|| context.environment.account().to_owned()),
        children: matches.get_flag("children"),
        transport: if matches.get_flag("tcp") { Transport::Tcp } else { Transport::Unix },
    };
    start(context, &program).await
}

/// Turns this process into the program; offers to log in first if that is what is missing.
///
/// # Errors
/// If there is no session to be had, or the program cannot be executed.
pub async fn start(context: &Context, program: &Program) -> Result<Exit, Error> {
    let daemon = Daemon::find_or_start(&context.environment).await?;
    match session::become_session(&daemon, &context.environment, program).await {
        Err(error) if error.exit() == Exit::LoginNeeded => {
            // Another key does not help an account that its server wants signed in again.
            let is_signed_in_elsewhere = error.reason() == Some(Reason::LoginNeeded);
            if is_signed_in_elsewhere
                || !can_ask()
                || daemon.status().await.is_ok_and(|status| is_ambiguous(&status))
            {
                return Err(error);
            }
            complain(&error.text());
            if !agrees("Log in now? [Y/n] ")? {
                return Ok(Exit::LoginNeeded);
            }
            login::log_in_default(&context.environment, &program.account).await?;
            session::become_session(&daemon, &context.environment, program).await
        }
        outcome => outcome,
    }
}

/// Accounts are held, but none is the default: another login does not help.
fn is_ambiguous(status: &claudectl_proto::v1::Status) -> bool {
    !status.accounts.is_empty() && status.default_account.is_empty()
}

fn agrees(question: &str) -> Result<bool, Error> {
    use std::io::Write as _;
    let mut stderr = anstream::stderr();
    write!(stderr, "{question}")?;
    stderr.flush()?;
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer)?;
    Ok(read > 0 && matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes"))
}
