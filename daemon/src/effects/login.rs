//! The slow parts of a login: receive the credential, ask the upstream.

use std::{path::PathBuf, sync::Arc};

use claudectl_core::{
    account::Login,
    credential::{CredentialKind, check_api_key},
    error::Refusal,
    event::Event,
    ids::LoginId,
};
use claudectl_platform::memory::SecretPage;
use tokio::sync::mpsc;

use super::{Asker, Held, intake, tell};
use crate::{
    engine::{Progress, Reply},
    proxy::{
        check::{self, CheckError},
        upstream::Upstream,
    },
};

/// A credential that was received and has the right form, on its way into the vault.
#[derive(Debug)]
pub struct Arrival {
    pub(super) login: LoginId,
    pub(super) held: Held,
}

/// Builds the upstream, opens the intake and receives the credential.
pub(super) fn receive(
    login: LoginId,
    details: Login,
    asker: Asker,
    socket: PathBuf,
    arrivals: mpsc::Sender<Arrival>,
    events: mpsc::Sender<Event>,
) {
    tokio::spawn(async move {
        let gone = asker.replies.clone();
        let received = tokio::select! {
            received = received(&details, &asker, socket) => received,
            () = gone.closed() => Err(client_gone()),
        };
        // If the engine is gone, dropping the page wipes it.
        match received {
            Ok(held) => drop(arrivals.send(Arrival { login, held }).await),
            Err(why) => drop(events.send(Event::LoginFailed { login, why }).await),
        }
    });
}

async fn received(details: &Login, asker: &Asker, socket: PathBuf) -> Result<Held, Refusal> {
    let upstream =
        Upstream::build(&details.route).await.map_err(|error| Refusal::BadRoute(error.to_string()))?;
    let intake = intake::open(socket).map_err(|error| Refusal::Resource(error.to_string()))?;
    let path = intake.path().display().to_string();
    let expires_in = u32::try_from(intake::OPEN_FOR.as_secs()).unwrap_or(u32::MAX);
    tell(&asker.replies, Reply::Progress(Progress::Intake { path, expires_in }));
    let page = intake.receive(asker.peer).await.map_err(|error| Refusal::IntakeFailed(error.to_string()))?;
    check_form(details, &page)?;
    Ok(Held { page: Arc::new(page), upstream: Arc::new(upstream) })
}

/// Looks at the form of what was received, after taking white space off its ends.
fn check_form(details: &Login, page: &SecretPage) -> Result<(), Refusal> {
    page.trim(<[u8]>::trim_ascii);
    let first_party = details.route.is_first_party();
    let form = page.expose(|bytes| match details.kind {
        CredentialKind::ApiKey => check_api_key(bytes, first_party),
    });
    Ok(form.unwrap_or_else(|| check_api_key(&[], first_party))?)
}

/// Asks the upstream whether it accepts the credential.
pub(super) fn check(login: LoginId, details: Login, asker: Asker, held: Held, events: mpsc::Sender<Event>) {
    tokio::spawn(async move {
        let upstream = details.route.upstream.clone();
        tell(&asker.replies, Reply::Progress(Progress::Checking { upstream: upstream.clone() }));
        let verdict = tokio::select! {
            verdict = check::credential(&held.upstream, &held.page, details.kind) => {
                verdict.map_err(|error| refusal(error, upstream))
            }
            () = asker.replies.closed() => Err(client_gone()),
        };
        drop(events.send(Event::CredentialChecked { login, verdict }).await);
    });
}

fn refusal(error: CheckError, upstream: String) -> Refusal {
    match error {
        CheckError::Refused { status } => Refusal::CredentialRefused { upstream, status },
        CheckError::Unreachable { why } => Refusal::UpstreamUnreachable { upstream, why },
    }
}

fn client_gone() -> Refusal {
    Refusal::IntakeFailed("the client went away".into())
}
