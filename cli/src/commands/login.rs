//! `claudectl login`

mod credential;
mod follow;
mod route;
pub mod subscription;
mod way;

use std::{ffi::OsString, fmt::Write as _, path::PathBuf};

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command};
use claudectl_platform::{clock, hardening};
use claudectl_proto::v1::{Account, CredentialKind, Grant, LoggedIn, LoginRequest, Route};

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
        .about("Log an account in: with a key, at an authorization server, or at an organisation's gateway")
        .after_help(
            "An API key is asked for on the terminal without being shown, or read from stdin:\n  \
             claudectl login work < key-file\nIt is never an argument: arguments end up in the shell's history.",
        )
        .arg(Arg::new("name").value_name("NAME").help("Name of the account [default: default]"))
        .arg(flag("api-key", "Log in with an API key (the default)"))
        .arg(option("via", "SERVER", "Sign in at an [authorization_server.SERVER] of the configuration"))
        .arg(option("gateway", "URL", "Sign in at an organisation's gateway"))
        .arg(flag("subscription", "Sign in to a Claude subscription, with the genuine Claude Code"))
        .group(ArgGroup::new("source").args(["api-key", "via", "gateway", "subscription"]))
        .arg(
            option("plan", "PLAN", "Plan of the subscription")
                .value_parser(["pro", "max", "team", "enterprise"])
                .requires("subscription"),
        )
        .arg(
            flag("accept-terms", "Accept the note on Anthropic's terms without being asked")
                .requires("subscription"),
        )
        .arg(flag("browser", "Sign in with a browser on this machine (the default, but not over SSH)"))
        .arg(flag("no-browser", "Open the page anywhere and paste the code that it shows"))
        .arg(flag("device", "Open the page anywhere and type a short code there"))
        .group(ArgGroup::new("grant").args(["browser", "no-browser", "device"]).requires("via"))
        .arg(
            option("fingerprint", "SHA256", "The certificate that the gateway must have").requires("gateway"),
        )
        .arg(flag("keep", "Keep a copy in the OS keyring, so that the account can be sealed and unsealed"))
        .arg(option("upstream", "URL", "Another API base: https, or http on loopback"))
        .arg(option("proxy", "URL", "HTTP proxy to the upstream [default: HTTPS_PROXY]"))
        .arg(flag("no-proxy", "No proxy, whatever HTTPS_PROXY says").conflicts_with("proxy"))
        .arg(option("ca-file", "PATH", "PEM file with further trust roots"))
        .arg(flag("offline", "Do not ask the upstream whether it accepts the key"))
}

/// Logs in.
///
/// # Errors
/// Why not; nothing of the credential is ever in it.
pub async fn run(matches: &ArgMatches, context: &Context) -> Result<Exit, Error> {
    let ca_file = matches.get_one::<String>("ca-file").map(PathBuf::from);
    let upstream = text(matches, "upstream");
    let (authority, gateway) = (text(matches, "via"), text(matches, "gateway"));
    let is_oauth = !authority.is_empty() || !gateway.is_empty();
    if is_oauth && !upstream.is_empty() {
        return Err(Error::usage("--upstream is for API keys")
            .hint("an authorization server of the configuration, or a gateway, names its upstream itself"));
    }
    let proxy = match matches.get_one::<String>("proxy") {
        Some(proxy) => Some(proxy.clone()),
        None if matches.get_flag("no-proxy") => None,
        None => route::ambient_proxy(&context.environment, if is_oauth { &gateway } else { &upstream }),
    };
    let kind = match (is_oauth, matches.get_flag("subscription")) {
        (true, _) => CredentialKind::Oauth,
        (_, true) => CredentialKind::Subscription,
        _ => CredentialKind::ApiKey,
    };
    let grant = if is_oauth { way::grant(matches, &context.environment) } else { Grant::Unspecified };
    let request = LoginRequest {
        account: text(matches, "name"),
        kind: kind.into(),
        route: Some(route::route(upstream, proxy, ca_file)?),
        // Nobody but the genuine client uses the token of a subscription, not even to try it.
        offline: matches.get_flag("offline") || kind == CredentialKind::Subscription,
        keep: matches.get_flag("keep"),
        plan: text(matches, "plan"),
        authority,
        grant: grant.into(),
        gateway,
        fingerprint: text(matches, "fingerprint"),
    };
    let LoggedIn { account, replaced } =
        log_in(&context.environment, request, matches.get_flag("accept-terms")).await?;
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
        ..LoginRequest::default()
    };
    let LoggedIn { account, replaced } = log_in(environment, request, false).await?;
    complain(&told(&account.unwrap_or_default(), replaced));
    Ok(())
}

async fn log_in(
    environment: &Environment,
    request: LoginRequest,
    accept_terms: bool,
) -> Result<LoggedIn, Error> {
    // Before anything is typed: nobody watches this process from here on.
    let protections = hardening::harden_client();
    if let Some(missing) = protections.iter().find(|protection| !protection.active) {
        complain(&format!("warning: {} is not to be had: {}", missing.name, Plain(&missing.detail)));
    }
    let daemon = Daemon::find_or_start(environment).await?;
    let route = request.route.clone().unwrap_or_default();
    if !route.proxy.is_empty() {
        complain(&format!("This account will go through the proxy {}", Plain(&route.proxy)));
    }
    let key = match request.kind() {
        CredentialKind::ApiKey => Some(credential::read(&name(&request), &route)?),
        CredentialKind::Subscription => Some(subscription::sign_in(environment, accept_terms).await?),
        CredentialKind::Oauth | CredentialKind::Unspecified => None,
    };
    let is_subscription = request.kind() == CredentialKind::Subscription;
    let mut client = daemon.accounts();
    let mut steps = in_time(async { Ok(client.login(request).await?) }).await?.into_inner();
    let following = follow::follow(&mut steps, key);
    if is_subscription { subscription::unless_cancelled(following).await } else { following.await }
}

fn name(request: &LoginRequest) -> String {
    if request.account.is_empty() { "default".to_owned() } else { request.account.clone() }
}

fn told(account: &Account, replaced: bool) -> String {
    let Route { upstream, .. } = account.route.clone().unwrap_or_default();
    let checked = match account.kind() {
        CredentialKind::ApiKey if account.checked => ", which accepts the key",
        CredentialKind::ApiKey => ", which was not asked",
        CredentialKind::Oauth | CredentialKind::Subscription | CredentialKind::Unspecified => "",
    };
    let mut text = format!(
        "{} as {} at {}{checked}.",
        words::styled(words::GOOD, "Logged in"),
        Plain(&account.name),
        Plain(words::upstream(&upstream)),
    );
    if let Some(whose) = words::whose(account) {
        let _ = write!(text, " It belongs to {whose}.");
    }
    if replaced {
        text.push_str(" The credential it had before is wiped.");
    }
    if account.expires_at > 0 {
        let then =
            if account.renewable { "and is renewed before that" } else { "and then needs a new login" };
        let _ =
            write!(text, "\nIts access ends {}, {then}.", words::until(account.expires_at, clock::wall()));
    }
    if account.kind() == CredentialKind::Subscription {
        let _ = write!(
            text,
            "\nclaudectld holds its token: there is nothing to store or to set. It is valid for about a year,\n\
             or until it is revoked at {}",
            subscription::REVOKE_AT
        );
    }
    if account.kept {
        let _ = write!(
            text,
            "\nA copy is in the OS keyring. {} while the keyring is unlocked.",
            words::styled(words::WARN, "Any process of yours can read it there")
        );
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
