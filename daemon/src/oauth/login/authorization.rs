//! The authorization request (RFC 6749 section 4.1.1) with PKCE (RFC 7636), and the exchange of the
//! code that answers it.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use claudectl_platform::memory::SecretPage;
use ring::digest;
use zeroize::Zeroizing;

use super::{Announce, Announcement, LoginError};
use crate::oauth::{
    Authority, TokenSet,
    authority::Feature,
    exchange::{Value, with_query},
    token,
};

/// One sign-in on its way. Its state and its verifier are its own, so that two at once cannot mix.
#[derive(Debug)]
pub(super) struct Authorization {
    state: String,
    verifier: SecretPage,
    redirect_uri: String,
    url: String,
}

impl Authorization {
    /// Begins a sign-in that ends at `redirect_uri`.
    pub(super) fn begin(authority: &Authority, redirect_uri: String) -> Result<Self, LoginError> {
        let ours = authority.description();
        let endpoint = authority.authorization().ok_or_else(|| {
            LoginError::Unsupported(format!("{} has no page to sign in at in a browser", authority.name()))
        })?;
        if ours.has(Feature::RefusesS256) {
            let why = format!(
                "{} does not take PKCE with SHA-256, without which a code could be stolen",
                authority.name()
            );
            return Err(LoginError::Unsupported(why));
        }
        let (state, (verifier, challenge)) = (random_text::<16>()?, proof_key()?);
        let scope = ours.scope();
        let mut parts = vec![
            ("response_type", "code"),
            ("client_id", ours.client_id.as_str()),
            ("redirect_uri", redirect_uri.as_str()),
            ("state", state.as_str()),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        if !scope.is_empty() {
            parts.push(("scope", &scope));
        }
        // OpenID Connect Core section 11: no refresh token without it.
        if ours.scopes.iter().any(|scope| scope == "offline_access") {
            parts.push(("prompt", "consent"));
        }
        // The page that shows a code to paste is the server's own, and read as a page.
        let is_pasted = Some(&redirect_uri) == ours.paste_redirect_uri.as_ref();
        if ours.has(Feature::FormPost) && !is_pasted {
            parts.push(("response_mode", "form_post"));
        }
        let url = with_query(&format!("{}{}", endpoint.origin(), endpoint.path()), &parts);
        Ok(Self { state, verifier, redirect_uri, url })
    }

    /// The page to open.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// What the answer has to carry.
    pub(super) fn state(&self) -> &str {
        &self.state
    }

    /// Exchanges the code, once: it takes this authorization with it.
    pub(super) async fn exchange(
        self,
        authority: &Arc<Authority>,
        code: SecretPage,
        announce: Announce<'_>,
    ) -> Result<TokenSet, LoginError> {
        announce(Announcement::Exchanging { origin: authority.token().origin().to_owned() });
        let asked = Arc::clone(authority);
        let fetching = async move {
            let parts = [
                ("grant_type", Value::Plain("authorization_code")),
                ("code", Value::Secret(&code)),
                ("redirect_uri", Value::Plain(&self.redirect_uri)),
                ("code_verifier", Value::Secret(&self.verifier)),
            ];
            let grant = token::request(&asked, &parts).await?;
            Ok(token::complete(&asked, grant).await?)
        };
        token::claim(authority, fetching).await
    }
}

/// A verifier (RFC 7636 section 4.1) and its challenge (section 4.2).
fn proof_key() -> Result<(SecretPage, String), LoginError> {
    let verifier = Zeroizing::new(random_text::<32>()?);
    let challenge = challenge(verifier.as_bytes());
    let mut rest = verifier.as_bytes();
    Ok((SecretPage::fill(|free| std::io::Read::read(&mut rest, free))?, challenge))
}

fn challenge(verifier: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier))
}

fn random_text<const BYTES: usize>() -> Result<String, LoginError> {
    let mut random = Zeroizing::new([0; BYTES]);
    getrandom::fill(random.as_mut_slice())
        .map_err(|error| LoginError::Resource(format!("no randomness: {error}")))?;
    Ok(URL_SAFE_NO_PAD.encode(random.as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_of_the_standard() {
        // RFC 7636 appendix B.
        let verifier = b"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn every_sign_in_has_its_own() {
        let (one, other) = (proof_key().unwrap(), proof_key().unwrap());
        assert_eq!(one.0.len(), 43);
        assert_ne!(one.1, other.1);
        assert_eq!(one.0.expose(challenge), Some(one.1));
        assert_eq!(random_text::<16>().unwrap().len(), 22);
    }
}
