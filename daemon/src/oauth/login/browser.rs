//! Signing in with a browser on this machine (RFC 8252).

mod connection;
mod listener;

use std::sync::Arc;

use claudectl_core::ids::AccountName;
use claudectl_platform::memory::SecretPage;
use ring::digest::{self, Digest};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use self::listener::{Listener, Serving};
use super::{
    Announce, Announcement, LoginError, PATIENCE,
    authorization::Authorization,
    response::{Response, ResponseError, Verdict},
};
use crate::oauth::{Authority, TokenSet, page::Page};

/// Most answers that belong to no sign-in, or to another one, before this one gives up.
const STRANGERS: usize = 10;

/// An authorization response that a browser brought, and who waits for what is made of it.
struct Callback {
    received: Received,
    reply: oneshot::Sender<Reply>,
}

/// A response, and what it is known by when it comes again.
struct Received {
    response: Response,
    digest: Digest,
}

impl Received {
    fn parse(encoded: &[u8]) -> Result<Self, ResponseError> {
        let response = Response::parse(encoded)?;
        Ok(Self { response, digest: digest::digest(&digest::SHA256, encoded) })
    }
}

/// What a browser is told about its response.
enum Reply {
    /// It was taken: what became of it is told elsewhere, at an address without a code.
    Taken,
    /// It was not.
    Page(Page),
}

/// Signs in with a browser on this machine: authorization code with PKCE (RFC 7636) and a loopback
/// redirect to a port of its own (RFC 8252 section 7.3). `account` is named on the page at the end.
///
/// # Errors
/// [`LoginError`]
pub async fn browser(
    authority: &Arc<Authority>,
    account: &AccountName,
    announce: Announce<'_>,
) -> Result<TokenSet, LoginError> {
    let listener = Listener::bind().await?;
    let authorization = Authorization::begin(authority, listener.redirect_uri())?;
    let (callbacks, mut received) = mpsc::channel(1);
    let desk = listener.serve(callbacks);
    announce(Announcement::Browser { url: authorization.url().to_owned(), expires_in: PATIENCE });
    let code = timeout(PATIENCE, code(authority, &authorization, &desk, &mut received)).await;
    // From here on a second response is one too many.
    drop(received);
    let outcome = match code.unwrap_or(Err(LoginError::Expired(PATIENCE))) {
        Ok(code) => authorization.exchange(authority, code, announce).await,
        Err(error) => Err(error),
    };
    desk.tell(match &outcome {
        Ok(tokens) => Page::signed_in(authority, account, &tokens.profile),
        Err(error) => Page::failed(authority, account, error),
    });
    outcome
}

/// Waits for the response that belongs to this sign-in.
async fn code(
    authority: &Authority,
    authorization: &Authorization,
    desk: &Serving,
    received: &mut mpsc::Receiver<Callback>,
) -> Result<SecretPage, LoginError> {
    let mut strangers = 0;
    while let Some(Callback { received: Received { response, digest }, reply }) = received.recv().await {
        let verdict = match response.has_state(authorization.state()) {
            Some(true) => response.judge(authority),
            Some(false) | None => Verdict::Stranger,
        };
        // A browser that is gone does not change what it brought.
        match verdict {
            Verdict::Code(code) => {
                desk.took(digest);
                let _ = reply.send(Reply::Taken);
                return Ok(code);
            }
            Verdict::Over(error) => {
                desk.took(digest);
                let _ = reply.send(Reply::Taken);
                return Err(error);
            }
            Verdict::Stranger => {
                let _ = reply.send(Reply::Page(Page::stranger()));
                strangers += 1;
                if strangers == STRANGERS {
                    return Err(LoginError::Strangers(strangers));
                }
            }
        }
    }
    Err(LoginError::Resource("the local listener of the sign-in stopped".into()))
}
