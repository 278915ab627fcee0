//! Signing in where a short code is typed (RFC 8628).

use std::{sync::Arc, time::Duration};

use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout_at};

use super::{Announce, Announcement, LoginError, PATIENCE};
use crate::oauth::{
    Authority, TokenSet,
    authority::{Endpoint, EndpointUrl},
    exchange::{self, Value},
    json::{self, SecretText},
    text,
    token::{self, Grant, TokenError, read_error, seconds},
};

/// How much slower `slow_down` asks to be (section 3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// The longest that a code is good, and that is waited between two requests, in seconds.
const LONGEST: u64 = 1800;

/// What the device authorization endpoint answers (section 3.2).
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    device_code: SecretText<'a>,
    user_code: String,
    #[serde(alias = "verification_url")]
    verification_uri: String,
    #[serde(default)]
    verification_uri_complete: Option<String>,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<u64>,
    #[serde(default, deserialize_with = "seconds")]
    interval: Option<u64>,
}

/// Signs in with a browser anywhere, where a short code is typed.
///
/// # Errors
/// [`LoginError`]
pub async fn device(authority: &Arc<Authority>, announce: Announce<'_>) -> Result<TokenSet, LoginError> {
    let endpoint = authority.device().ok_or_else(|| {
        LoginError::Unsupported(format!("{} does not sign in by a code on another device", authority.name()))
    })?;
    let (scope, client_id) = (authority.description().scope(), &authority.description().client_id);
    let mut parts = vec![("client_id", Value::Plain(client_id))];
    if !scope.is_empty() {
        parts.push(("scope", Value::Plain(&scope)));
    }
    let answer = exchange::post(endpoint, &parts, exchange::TIME).await.map_err(TokenError::from)?;
    if answer.status() != 200 {
        return Err(read_error(endpoint, &answer).into());
    }
    let odd = |why: &str| LoginError::Answer(format!("the answer of {} {why}", endpoint.origin()));
    let body = answer.json().ok_or_else(|| odd("is not JSON"))?;
    let told: Answer<'_> = json::read(body).map_err(|error| odd(&format!("is {error}")))?;
    let code = told.device_code.page().map_err(|error| odd(&format!("has no device code: {error}")))?;
    let pace = Pace::of(told.expires_in, told.interval);
    announce(announcement(endpoint, &told, pace.expires_in)?);
    let parts = [
        ("grant_type", Value::Plain("urn:ietf:params:oauth:grant-type:device_code")),
        ("device_code", Value::Secret(&code)),
    ];
    let grant = timeout_at(Instant::now() + pace.expires_in, poll(authority, &parts, pace))
        .await
        .unwrap_or(Err(LoginError::Expired(pace.expires_in)))?;
    let ours = Arc::clone(authority);
    let completing = async move {
        let tokens = token::complete(&ours, grant).await?;
        if let Err(error) = ours.note_pin() {
            token::give_up(&ours, tokens).await;
            return Err(LoginError::Resource(format!(
                "the gateway's certificate could not be noted: {error}"
            )));
        }
        Ok(tokens)
    };
    token::claim(authority, completing).await
}

/// What people are told. The page has to be one that a browser may be sent to.
fn announcement(
    endpoint: &Endpoint,
    told: &Answer<'_>,
    expires_in: Duration,
) -> Result<Announcement, LoginError> {
    let page = |url: &str| {
        EndpointUrl::parse(url).map(|url| format!("{}{}", url.origin(), url.path())).map_err(|error| {
            LoginError::Answer(format!("{} names a page that is not opened: {error}", endpoint.origin()))
        })
    };
    Ok(Announcement::Device {
        url: page(&told.verification_uri)?,
        complete_url: told.verification_uri_complete.as_deref().map(page).transpose()?,
        code: text::harmless_or_none(&told.user_code).ok_or_else(|| {
            LoginError::Answer(format!("the answer of {} has no code to type", endpoint.origin()))
        })?,
        expires_in,
    })
}

#[derive(Clone, Copy)]
struct Pace {
    expires_in: Duration,
    interval: Duration,
}

impl Pace {
    /// 5 seconds where the server says nothing (section 3.2); where it says something, not more often than it
    /// asks for, as long as any code is good.
    fn of(expires_in: Option<u64>, interval: Option<u64>) -> Self {
        let expires_in =
            expires_in.map_or(PATIENCE, |seconds| Duration::from_secs(seconds.clamp(1, LONGEST)));
        Self { expires_in, interval: Duration::from_secs(interval.unwrap_or(5).clamp(1, LONGEST)) }
    }
}

async fn poll(
    authority: &Authority,
    parts: &[(&str, Value<'_>)],
    mut pace: Pace,
) -> Result<Grant, LoginError> {
    loop {
        sleep(pace.interval).await;
        match token::request(authority, parts).await {
            Ok(grant) => return Ok(grant),
            Err(TokenError::Said { error, .. }) if error == "authorization_pending" => {}
            Err(TokenError::Said { error, .. }) if error == "slow_down" => pace.interval += SLOWER,
            Err(TokenError::Said { error, .. }) if error == "expired_token" => {
                return Err(LoginError::Expired(pace.expires_in));
            }
            Err(error @ TokenError::Said { .. }) if is_final(&error) => return Err(error.into()),
            // Section 3.5: a server that cannot be reached is asked again, ever more slowly.
            Err(error @ (TokenError::Exchange(_) | TokenError::Status { .. } | TokenError::Said { .. })) => {
                tracing::debug!("device sign-in at {}: {error}", authority.name());
                pace.interval *= 2;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether the code will never be good: the server says so, or that it was denied. Some say the latter
/// with 403.
fn is_final(error: &TokenError) -> bool {
    let is_denied = matches!(error, TokenError::Said { error, .. } if error == "access_denied");
    is_denied || error.is_of_the_server()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_asked_no_more_often_than_it_asks_for() {
        let interval = |told| Pace::of(Some(1800), told).interval.as_secs();
        assert_eq!([None, Some(0), Some(7), Some(300)].map(interval), [5, 1, 7, 300]);
        assert_eq!(interval(Some(u64::MAX)), LONGEST);
    }
}
