//! `claudectl login`

mod credential;
mod route;

use std::{ffi::OsString, fmt::Write as _, path::PathBuf, time::Duration};

use clap::{Arg, ArgAction, ArgMatches, Command};
use claudectl_platform::hardening;
use claudectl_proto::{
    client::hand_over,
    v1::{Account, CredentialKind, LoggedIn, LoginRequest, LoginResponse, Route, login_response::Step},
};
use indicatif::ProgressBar;
use tonic::Streaming;
use zeroize::Zeroizing;

use crate::{
    Context,
    args::Environment,
    commands::text,
    daemon::{Daemon, in_time},
    error::Error,
    exit::Exit,
    output::{
        complain, json,
        text::{self as words, Plain},
    },
};

pub use credential::refuse_key_in;

/// Its command line.
pub fn build(command: Command) -> Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    command
        .about("Log an account in: hand its key to the daemon")
        .after_help(
            "The key is asked for on the terminal without being shown, or read from stdin:\n  \
             claudectl login work < key-file\nIt is never an argument: arguments end up in the shell's history.",
        )
        .arg(Arg::new("name").value_name("NAME").help("Name of the account [default: default]"))
        .arg(flag("api-key", "Log in with an API key (the only way so far)"))
        .arg(option("upstream", "URL", "Another API base: https, or http on loopback"))
        .arg(option("proxy", "URL", "HTTP proxy to the upstream [default: HTTPS_PROXY]"))
        .arg(flag("no-proxy", "No proxy, whatever HTTPS_PROXY says").conflicts_with("proxy"))
        .arg(option("ca-file", "PATH", "PEM file with further trust roots"))
        .arg(flag("offline", "Do not ask the upstream whether it accepts the key"))
}

/// Logs in.
///
/// # Errors
/// Why not; nothing of the key is ever in it.
pub async fn run(matches: &ArgMatches, context: &Context) -> Result<Exit, Error> {
    let ca_file = matches.get_one::<String>("ca-file").map(PathBuf::from);
    let upstream = text(matches, "upstream");
    let proxy = match matches.get_one::<String>("proxy") {
        Some(proxy) => Some(proxy.clone()),
        None if matches.get_flag("no-proxy") => None,
        None => route::ambient_proxy(&context.environment, &upstream),
    };
    let request = LoginRequest {
        account: text(matches, "name"),
        kind: CredentialKind::ApiKey.into(),
        route: Some(route::route(upstream, proxy, ca_file)?),
        offline: matches.get_flag("offline"),
    };
    let LoggedIn { account, replaced } = log_in(&context.environment, request).await?;
    let account = account.unwrap_or_default();
    let body = json::OneAccount { account: (&account).into(), replaced };
    context.output.show("claudectl.login/1", &body, || told(&account, replaced))?;
    Ok(Exit::Ok)
}

/// Logs in with the defaults, for a session that needs it.
///
/// # Errors
/// As [`run`].
pub async fn log_in_default(environment: &Environment, account: &str) -> Result<(), Error> {
    let proxy = route::ambient_proxy(environment, "");
    let request = LoginRequest {
        account: account.to_owned(),
        kind: CredentialKind::ApiKey.into(),
        route: Some(route::route(String::new(), proxy, None)?),
        offline: false,
    };
    let LoggedIn { account, replaced } = log_in(environment, request).await?;
    complain(&told(&account.unwrap_or_default(), replaced));
    Ok(())
}

async fn log_in(environment: &Environment, request: LoginRequest) -> Result<LoggedIn, Error> {
    // Before the key is typed: nobody watches this process from here on.
    let protections = hardening::harden_client();
    if let Some(missing) = protections.iter().find(|protection| !protection.active) {
        complain(&format!("warning: {} is not to be had: {}", missing.name, Plain(&missing.detail)));
    }
    let daemon = Daemon::find_or_start(environment).await?;
    let route = request.route.clone().unwrap_or_default();
    if !route.proxy.is_empty() {
        complain(&format!("This account will go through the proxy {}", Plain(&route.proxy)));
    }
    let key = credential::read(&name(&request), &route)?;
    let mut client = daemon.accounts();
    let mut steps = in_time(async { Ok(client.login(request).await?) }).await?.into_inner();
    follow(&mut steps, key).await
}

fn name(request: &LoginRequest) -> String {
    if request.account.is_empty() { "default".to_owned() } else { request.account.clone() }
}

/// Does what the daemon waits for, until the account is logged in. The key is wiped as soon as it was
/// handed over, not only when the upstream has answered.
async fn follow(steps: &mut Streaming<LoginResponse>, key: Zeroizing<Vec<u8>>) -> Result<LoggedIn, Error> {
    let (mut key, mut spinner) = (Some(key), None);
    while let Some(response) = steps.message().await? {
        match response.step {
            Some(Step::Intake(intake)) => {
                let key = key.take().ok_or_else(|| Error::new("claudectld asked for the key twice"))?;
                hand_over(&PathBuf::from(&intake.path), &key).await?;
            }
            Some(Step::Checking(checking)) => spinner = Some(spin(&checking.upstream)),
            Some(Step::LoggedIn(logged_in)) => return Ok(logged_in),
            // A step of a newer daemon that asks nothing of us.
            None => {}
        }
    }
    drop(spinner);
    Err(Error::new("claudectld ended the login without an answer"))
}

/// Shows, on a terminal, that the upstream is being asked. Disappears when it is dropped.
fn spin(upstream: &str) -> Spinner {
    let bar = ProgressBar::new_spinner().with_message(format!("asking {} …", Plain(upstream)));
    bar.enable_steady_tick(Duration::from_millis(100));
    Spinner(bar)
}

struct Spinner(ProgressBar);

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn told(account: &Account, replaced: bool) -> String {
    let Route { upstream, .. } = account.route.clone().unwrap_or_default();
    let checked = if account.checked { "which accepts the key" } else { "which was not asked" };
    let mut text = format!(
        "{} as {} at {}, {checked}.",
        words::styled(words::GOOD, "Logged in"),
        Plain(&account.name),
        Plain(words::upstream(&upstream)),
    );
    if replaced {
        text.push_str(" The key it had before is wiped.");
    }
    if !account.is_default {
        let _ = write!(text, "\nIt is not the default: claudectl switch {}", Plain(&account.name));
    }
    text
}

/// Arguments as text, for the search for keys.
fn texts(arguments: &[OsString]) -> impl Iterator<Item = String> {
    arguments.iter().map(|argument| argument.to_string_lossy().into_owned())
}
