//! `claudectl login --subscription`: the genuine client signs in, and its token goes to the daemon.
//!
//! The unmodified `claude setup-token` runs on a private terminal with a configuration directory of its
//! own in memory. Everything it shows and everything that is typed passes through, but for the token.

mod column;
pub mod intercept;
mod lexer;
mod place;
mod screen;
mod terms;

use std::{ffi::OsString, process::Command};

use claudectl_platform::signal::{Order, Orders};
use zeroize::Zeroizing;

use self::place::Place;
use crate::{
    args::Environment, error::Error, exit::Exit, output::complain, process::environment::plan, shim,
};

/// Where such a token can be revoked.
pub const REVOKE_AT: &str = "https://claude.ai/settings/claude-code";

/// Has the person sign in, and takes the token.
///
/// # Errors
/// If the note on terms was not accepted, there is no terminal or no genuine client, or it ended without
/// a token.
pub async fn sign_in(environment: &Environment, accept_terms: bool) -> Result<Zeroizing<Vec<u8>>, Error> {
    terms::accept(environment, accept_terms)?;
    let genuine = shim::find(environment).map_err(|error| error.exiting(Exit::Failed))?;
    let place = Place::new(environment)?;
    let mut command = Command::new(genuine.path);
    command.arg("setup-token").env_clear().envs(surroundings(environment, &place));
    complain("Claude Code signs in now (claude setup-token); what it shows is its own, but for the token.");
    let taken = screen::run(command).await?;
    // Only now: the client is gone.
    drop(place);
    taken.ok_or_else(|| {
        Error::new("Claude Code ended without a token")
            .hint("nothing was logged in; try again when you can sign in")
    })
}

/// What follows on the sign-in, unless the person has enough of it. Signals are caught since the client had a
/// terminal of its own, and stay so: somebody has to hear them.
///
/// # Errors
/// If it was cancelled, or as what follows.
pub async fn unless_cancelled<T>(following: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let mut orders = Orders::new()?;
    tokio::select! {
        done = following => done,
        Order::Stop | Order::Reload = orders.next() => Err(Error::new("the login was cancelled").hint(format!(
            "if `claudectl status` does not show the account, revoke its token at {REVOKE_AT}"
        ))),
    }
}

/// The environment without credentials and what would lead elsewhere; configuration in memory.
fn surroundings(environment: &Environment, place: &Place) -> Vec<(OsString, OsString)> {
    let mut environment = environment.clone();
    for name in ["CLAUDE_CONFIG_DIR", "CLAUDE_SECURESTORAGE_CONFIG_DIR"] {
        environment.set(name, place.path());
    }
    plan(&environment, &[]).environment
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_signal_ends_what_follows_on_the_sign_in() {
        let waiting = async {
            let own = std::process::id().to_string();
            assert!(Command::new("kill").args(["-TERM", &own]).status().unwrap().success());
            std::future::pending().await
        };
        let cancelled: Result<(), Error> = unless_cancelled(waiting).await;
        assert!(cancelled.unwrap_err().text().contains("cancelled"));
    }
}
