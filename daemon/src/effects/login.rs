//! The slow parts of a login: get the credential, ask the upstream.

use std::{path::PathBuf, sync::Arc};

use claudectl_core::{
    account::{Login, Obtained, Profile, Way},
    credential::{CredentialKind, check_api_key, check_setup_token},
    error::Refusal,
    event::Event,
    ids::LoginId,
};
use claudectl_platform::memory::SecretPage;
use tokio::sync::mpsc;

use super::{
    Asker,
    arrival::{Arrival, From},
    intake,
    sign_in::{self, Servers},
    tell,
    vault::Held,
};
use crate::{
    engine::{Progress, Reply},
    proxy::{
        check::{self, CheckError},
        upstream::Upstream,
    },
};

/// Gets the credential, from the client or from an authorization server.
pub(super) fn obtain(
    login: LoginId,
    details: Login,
    asker: Asker,
    socket: PathBuf,
    servers: Arc<Servers>,
    arrivals: mpsc::Sender<Arrival>,
    events: mpsc::Sender<Event>,
) {
    tokio::spawn(async move {
        let gone = asker.replies.clone();
        let obtaining = async {
            match details.way {
                Way::HandOver => received(&details, &asker, socket).await,
                Way::Authorize { .. } | Way::Gateway { .. } => {
                    sign_in::sign_in(&details, &asker, socket, &servers).await
                }
            }
        };
        let obtained = tokio::select! {
            obtained = obtaining => obtained,
            () = gone.closed() => Err(client_gone()),
        };
        // If the engine is gone, dropping the pages wipes them.
        match obtained {
            Ok((held, obtained)) => {
                drop(arrivals.send(Arrival::new(held, From::Login { login, obtained })).await);
            }
            Err(why) => drop(events.send(Event::LoginFailed { login, why }).await),
        }
    });
}

async fn received(details: &Login, asker: &Asker, socket: PathBuf) -> Result<(Held, Obtained), Refusal> {
    let upstream =
        Upstream::build(&details.route).await.map_err(|error| Refusal::BadRoute(error.to_string()))?;
    let intake = intake::open(socket).map_err(|error| Refusal::Resource(error.to_string()))?;
    let path = intake.path().display().to_string();
    let expires_in = u32::try_from(intake::AT_HAND.as_secs()).unwrap_or(u32::MAX);
    tell(&asker.replies, Reply::Progress(Progress::Intake { path, expires_in }));
    let page = intake.receive(asker.peer, intake::AT_HAND).await;
    let page = page.map_err(|error| Refusal::IntakeFailed(error.to_string()))?;
    check_form(details, &page)?;
    let obtained = Obtained {
        header: details.kind.header(),
        route: upstream.route().clone(),
        profile: Profile { plan: details.plan.clone(), ..Profile::default() },
        lifetime: None,
        renewable: false,
        revocable: false,
    };
    let (access, upstream) = (Arc::new(page), Arc::new(upstream));
    Ok((Held { access, refresh: None, upstream, authority: None }, obtained))
}

/// Looks at the form of what was received, after taking white space off its ends.
fn check_form(details: &Login, page: &SecretPage) -> Result<(), Refusal> {
    page.trim(<[u8]>::trim_ascii);
    let first_party = details.route.is_first_party();
    let check = |bytes: &[u8]| match details.kind {
        CredentialKind::ApiKey => check_api_key(bytes, first_party),
        // Tokens of an authorization server never come this way.
        CredentialKind::Subscription | CredentialKind::Oauth => check_setup_token(bytes),
    };
    Ok(page.expose(check).unwrap_or_else(|| check(&[]))?)
}

/// Asks the upstream whether it accepts the credential.
pub(super) fn check(login: LoginId, details: &Login, asker: Asker, held: Held, events: mpsc::Sender<Event>) {
    let header = details.kind.header();
    tokio::spawn(async move {
        let upstream = held.upstream.route().upstream.clone();
        tell(&asker.replies, Reply::Progress(Progress::Checking { upstream: upstream.clone() }));
        let verdict = tokio::select! {
            verdict = check::credential(&held.upstream, &held.access, header) => {
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

/// Nobody waits for the answer of a login any more.
pub(super) fn client_gone() -> Refusal {
    Refusal::IntakeFailed("the client went away".into())
}
