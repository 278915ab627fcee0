//! Tokens that nobody has taken over yet: given up on the way, they are revoked and not just forgotten.

use std::sync::Arc;

use tokio::{runtime::Handle, sync::oneshot};

use super::TokenSet;
use crate::oauth::{Authority, LoginError, Revocation, revoke};

/// Tokens, until they are claimed.
struct Unclaimed {
    authority: Arc<Authority>,
    /// None once they are.
    tokens: Option<TokenSet>,
}

impl Drop for Unclaimed {
    fn drop(&mut self) {
        // Without a runtime the daemon is stopping, and their pages are wiped.
        if let (Some(tokens), Ok(runtime)) = (self.tokens.take(), Handle::try_current()) {
            let authority = Arc::clone(&self.authority);
            runtime.spawn(async move { give_up(&authority, tokens).await });
        }
    }
}

/// Fetches tokens in a task of its own, which goes on if nobody waits for them any more: whatever came then is
/// revoked.
pub(in crate::oauth) async fn claim(
    authority: &Arc<Authority>,
    fetching: impl Future<Output = Result<TokenSet, LoginError>> + Send + 'static,
) -> Result<TokenSet, LoginError> {
    let (fetched, waiting) = oneshot::channel();
    let authority = Arc::clone(authority);
    tokio::spawn(async move {
        let tokens = fetching.await.map(|tokens| Unclaimed { authority, tokens: Some(tokens) });
        // If nobody takes them, they are dropped, and so revoked.
        drop(fetched.send(tokens));
    });
    let stopped = || LoginError::Resource("the sign-in stopped".into());
    waiting.await.map_err(|_| stopped())??.tokens.take().ok_or_else(stopped)
}

/// Has tokens revoked that are not used.
pub(in crate::oauth) async fn give_up(authority: &Authority, tokens: TokenSet) {
    for Revocation { part, outcome, .. } in revoke(authority, tokens.refresh.as_ref(), &tokens.access).await {
        if let Err(why) = outcome {
            tracing::warn!("the {part:?} token of a sign-in that was given up is not revoked: {why}");
        }
    }
}
