//! One request, one answer: HTTP/1.1 over a connection of its own to one endpoint.
//!
//! What carries a secret is built and received in zeroized buffers of fixed size. Redirects are never
//! followed: a token endpoint that points elsewhere does not get a token sent elsewhere.

mod answer;
mod form;
mod receive;

use std::{future::poll_fn, io::IoSlice, time::Duration};

use claudectl_platform::memory::SecretPage;
use tokio::time::timeout;
use zeroize::Zeroizing;

pub(super) use self::{
    answer::Answer,
    form::{Form, Value, with_query},
};
use super::authority::Endpoint;
use crate::proxy::{
    head::Flaw,
    scrub,
    upstream::{ConnectError, Wire},
};

/// How long an exchange may take, connecting included, where nothing else is said.
pub(super) const TIME: Duration = Duration::from_secs(30);

/// Longest body of an answer, in bytes.
pub(super) const BODY: usize = 64 * 1024;

/// Why there is no answer. Carries nothing that was sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExchangeError {
    /// No connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Too slow.
    #[error("{0} did not answer within {seconds} seconds", seconds = .1.as_secs())]
    Time(String, Duration),
    /// The connection broke.
    #[error("the connection to {0} broke: {1}")]
    Broken(String, std::io::Error),
    /// Not HTTP as it should be.
    #[error("{0} does not answer as an HTTP server does: {1}")]
    Flaw(String, Flaw),
    /// Too much.
    #[error("{0} answered with more than {BODY} bytes")]
    TooLong(String),
    /// It wants to be asked elsewhere.
    #[error("{0} answered with a redirect ({1}), which is not followed")]
    Redirect(String, u16),
    /// The secret to send was wiped meanwhile.
    #[error("the secret to send was wiped meanwhile")]
    Wiped,
}

/// Sends a form (RFC 6749 appendix B).
///
/// In an answer that reports an error, copies of what was sent as a secret are covered: its text is
/// for people.
pub(super) async fn post(
    endpoint: &Endpoint,
    parts: &[(&str, Value<'_>)],
    within: Duration,
) -> Result<Answer, ExchangeError> {
    let message = || {
        let form = Form::encode(parts)?;
        let head = format!(
            "{}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
            head("POST", endpoint),
            form.bytes().len()
        );
        Some(Message { head: Zeroizing::new(head.into_bytes()), form: Some(form) })
    };
    let mut answer = exchange(endpoint, message, within).await?;
    if answer.status() >= 400 {
        for secret in parts.iter().filter_map(|(_, value)| value.secret()) {
            let _ = secret.expose(|secret| scrub::cover_whole(secret, answer.body_mut()));
        }
    }
    Ok(answer)
}

/// Asks for a document, as the holder of `bearer` (RFC 6750 section 2.1) or as nobody.
pub(super) async fn get(
    endpoint: &Endpoint,
    bearer: Option<&SecretPage>,
    within: Duration,
) -> Result<Answer, ExchangeError> {
    let message = || {
        let plain = head("GET", endpoint);
        let length = bearer.map_or(0, SecretPage::len);
        let mut head = Zeroizing::new(Vec::with_capacity(plain.len() + length + 64));
        head.extend_from_slice(plain.as_bytes());
        if let Some(bearer) = bearer {
            head.extend_from_slice(b"Authorization: Bearer ");
            bearer.expose(|token| head.extend_from_slice(token))?;
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        Some(Message { head, form: None })
    };
    exchange(endpoint, message, within).await
}

/// What is sent. Overwritten when it goes.
struct Message {
    head: Zeroizing<Vec<u8>>,
    form: Option<Form>,
}

fn head(method: &str, endpoint: &Endpoint) -> String {
    format!(
        "{method} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: claudectld/{}\r\nAccept: application/json\r\n\
         Accept-Encoding: identity\r\nConnection: close\r\n",
        endpoint.path(),
        endpoint.upstream().host(),
        env!("CARGO_PKG_VERSION"),
    )
}

/// Sends a message and waits for the answer. The message is made when it can go, and is gone when it went: a
/// logout that comes before the answer must not leave a copy.
async fn exchange(
    endpoint: &Endpoint,
    message: impl FnOnce() -> Option<Message>,
    within: Duration,
) -> Result<Answer, ExchangeError> {
    let origin = || endpoint.origin().to_owned();
    let work = async {
        let mut wire = endpoint.upstream().connect().await?;
        let message = message().ok_or(ExchangeError::Wiped)?;
        let sent = send(&mut wire, message).await;
        sent.map_err(|error| ExchangeError::Broken(origin(), error))?;
        receive::answer(&mut wire).await.map_err(|error| error.of(origin()))
    };
    let answer =
        timeout(within, work).await.unwrap_or_else(|_| Err(ExchangeError::Time(origin(), within)))?;
    match answer.status() {
        status @ 300..=399 => Err(ExchangeError::Redirect(origin(), status)),
        _ => Ok(answer),
    }
}

async fn send(wire: &mut Wire, message: Message) -> std::io::Result<()> {
    let (head, body) = (message.head.as_slice(), message.form.as_ref().map_or(&[][..], Form::bytes));
    let mut sent = 0;
    while sent < head.len() + body.len() {
        let slices = [
            IoSlice::new(head.get(sent..).unwrap_or_default()),
            IoSlice::new(body.get(sent.saturating_sub(head.len())..).unwrap_or_default()),
        ];
        match poll_fn(|cx| wire.poll_write(cx, &slices)).await? {
            0 => return Err(std::io::ErrorKind::WriteZero.into()),
            count => sent += count,
        }
    }
    poll_fn(|cx| wire.poll_flush(cx)).await
}
