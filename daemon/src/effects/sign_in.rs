//! A login at an authorization server: which one, which way, what the person is told meanwhile.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use claudectl_core::{
    account::{Grant, Login, Obtained, Way},
    error::Refusal,
};

use super::{Asker, intake, tell, vault::Held};
use crate::{
    config::AuthorizationServer,
    engine::{Progress, Reply},
    oauth::{Announcement, Authority, Network, TokenSet, login},
    proxy::upstream::Upstream,
};

/// How long the code of a page may take to be pasted.
const PASTE: Duration = Duration::from_mins(10);

/// The servers of the configuration, and where the certificates of gateways are noted.
#[derive(Debug, Clone, Default)]
pub(super) struct Servers {
    /// `[authorization_server.NAME]`
    pub configured: BTreeMap<String, AuthorizationServer>,
    /// The file of pins; `None` where there is no place for one.
    pub known_gateways: Option<PathBuf>,
}

/// Signs in; the client is told what the person has to do.
pub(super) async fn sign_in(
    details: &Login,
    asker: &Asker,
    socket: PathBuf,
    servers: &Servers,
) -> Result<(Held, Obtained), Refusal> {
    let authority = Arc::new(authority(details, servers).await?);
    // Before there are tokens that would have to be revoked.
    let upstream = authority.upstream().await.map_err(|error| Refusal::BadRoute(error.to_string()))?;
    let tokens = match &details.way {
        Way::Authorize { grant: Grant::Browser, .. } => {
            let announce = announcer(asker, &authority, String::new());
            login::browser(&authority, &details.name, &announce).await
        }
        Way::Authorize { grant: Grant::Paste, .. } => {
            let intake = intake::open(socket).map_err(|error| Refusal::Resource(error.to_string()))?;
            let announce = announcer(asker, &authority, intake.path().display().to_string());
            let pasted = async { intake.receive(asker.peer, PASTE).await.map_err(|error| error.to_string()) };
            login::paste(&authority, &announce, pasted).await
        }
        Way::Authorize { grant: Grant::Device, .. } | Way::Gateway { .. } | Way::HandOver => {
            login::device(&authority, &announcer(asker, &authority, String::new())).await
        }
    };
    let tokens =
        tokens.map_err(|error| Refusal::NotAuthorized { why: error.to_string(), hint: error.hint() })?;
    Ok(hold(tokens, upstream, authority))
}

async fn authority(details: &Login, servers: &Servers) -> Result<Authority, Refusal> {
    let network = Network { proxy: details.route.proxy.clone(), ca_file: details.route.ca_file.clone() };
    let found = match &details.way {
        Way::Authorize { authority: name, .. } => match servers.configured.get(name) {
            Some(settings) => Authority::discover(name, settings, &network).await,
            None => return Err(Refusal::UnknownAuthority(name.clone())),
        },
        Way::Gateway { url, accepted } => {
            let known = servers.known_gateways.as_ref().ok_or_else(|| {
                Refusal::Resource("there is no place to note the gateway's certificate: set HOME".into())
            })?;
            Authority::gateway(url, &network, known, accepted.as_deref()).await
        }
        Way::HandOver => return Err(Refusal::BadRoute("no authorization server was named".into())),
    };
    found.map_err(|error| Refusal::NotAuthorized { why: error.to_string(), hint: error.hint() })
}

fn hold(tokens: TokenSet, upstream: Upstream, authority: Arc<Authority>) -> (Held, Obtained) {
    let TokenSet { access, refresh, lifetime, profile } = tokens;
    let obtained = Obtained {
        header: authority.header(),
        route: upstream.route().clone(),
        profile,
        lifetime,
        renewable: refresh.is_some(),
        revocable: authority.is_revocable(),
    };
    let held = Held {
        access: Arc::new(access),
        refresh: refresh.map(Arc::new),
        upstream: Arc::new(upstream),
        authority: Some(authority),
    };
    (held, obtained)
}

/// Tells the client what the person has to do.
fn announcer<'a>(
    asker: &'a Asker,
    authority: &'a Authority,
    intake: String,
) -> impl Fn(Announcement) + Send + Sync + 'a {
    move |announcement| {
        let origin = authority.origin().to_owned();
        let sign_in = |grant, url, expires_in: Duration| SignIn {
            grant,
            url,
            expires_in: u32::try_from(expires_in.as_secs()).unwrap_or(u32::MAX),
            origin: origin.clone(),
            fingerprint: authority.fingerprint().unwrap_or_default().to_owned(),
            first_use: authority.is_first_use(),
            ..SignIn::default()
        };
        let progress = match announcement {
            Announcement::Browser { url, expires_in } => {
                Progress::SignIn(sign_in(Grant::Browser, url, expires_in))
            }
            Announcement::Paste { url, expires_in } => {
                let intake = intake.clone();
                Progress::SignIn(SignIn { intake, ..sign_in(Grant::Paste, url, expires_in) })
            }
            Announcement::Device { url, complete_url, code, expires_in } => {
                let complete_url = complete_url.unwrap_or_default();
                Progress::SignIn(SignIn { complete_url, code, ..sign_in(Grant::Device, url, expires_in) })
            }
            Announcement::Exchanging { origin } => Progress::Exchanging { origin },
        };
        tell(&asker.replies, Reply::Progress(progress));
    }
}

/// What the person has to do.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// How.
    pub grant: Grant,
    /// The page to open.
    pub url: String,
    /// The page with the code in it already; may be empty.
    pub complete_url: String,
    /// The code to type; may be empty.
    pub code: String,
    /// Seconds.
    pub expires_in: u32,
    /// Where the pasted code goes; may be empty.
    pub intake: String,
    /// Scheme, host and port of the page.
    pub origin: String,
    /// SHA-256 of a gateway's certificate; may be empty.
    pub fingerprint: String,
    /// Whether that is pinned with this login.
    pub first_use: bool,
}

impl Default for SignIn {
    fn default() -> Self {
        let empty = String::new;
        Self {
            grant: Grant::Browser,
            url: empty(),
            complete_url: empty(),
            code: empty(),
            expires_in: 0,
            intake: empty(),
            origin: empty(),
            fingerprint: empty(),
            first_use: false,
        }
    }
}
