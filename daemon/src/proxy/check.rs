//! Asks an upstream whether it accepts a credential, before an account is logged in with it.

use std::{
    future::poll_fn,
    task::{Context, Poll, ready},
    time::Duration,
};

use claudectl_core::credential::Header;
use claudectl_platform::memory::SecretPage;
use tokio::time::timeout;

use super::{
    head::{self, Extent, Flaw, response::Response},
    inject::{InjectError, Injection},
    scratch::{self, Scratch},
    upstream::{Upstream, Wire},
};

/// How long the whole check may take.
const TIME: Duration = Duration::from_secs(30);

/// Why a credential is not known to be good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// The upstream does not accept it.
    #[error("the upstream answered {status}")]
    Refused {
        /// Its answer, 401 or 403.
        status: u16,
    },
    /// The upstream could not be asked, or its answer says nothing about the credential.
    #[error("{why}")]
    Unreachable {
        /// What went wrong, and the way out.
        why: String,
    },
}

/// Sends `GET <base>/v1/models?limit=1` with the credential.
///
/// # Errors
/// [`CheckError::Refused`] for 401 and 403, [`CheckError::Unreachable`] for everything else but 2xx.
pub async fn credential(upstream: &Upstream, secret: &SecretPage, header: Header) -> Result<(), CheckError> {
    let asked = timeout(TIME, ask(upstream, secret, header)).await;
    match asked.unwrap_or_else(|_| Err("it did not answer in time".into())) {
        Ok(200..=299) => Ok(()),
        Ok(status @ (401 | 403)) => Err(CheckError::Refused { status }),
        Ok(status) => Err(unreachable(&format!("answered {status} to GET /v1/models"))),
        Err(why) => Err(unreachable(&why)),
    }
}

fn unreachable(why: &str) -> CheckError {
    CheckError::Unreachable { why: format!("{why}; --offline logs in without asking") }
}

/// The status of the upstream's answer.
async fn ask(upstream: &Upstream, secret: &SecretPage, header: Header) -> Result<u16, String> {
    let mut wire = upstream.connect().await.map_err(|error| error.to_string())?;
    let head = format!(
        "GET {}/v1/models?limit=1 HTTP/1.1\r\nHost: {}\r\nUser-Agent: claudectld/{}\r\n\
         Accept: application/json\r\nAccept-Encoding: identity\r\nanthropic-version: 2023-06-01\r\n\
         Connection: close\r\n",
        upstream.base(),
        upstream.host(),
        env!("CARGO_PKG_VERSION"),
    );
    let mut injection = Injection::new(head.into_bytes(), secret, header);
    match poll_fn(|cx| injection.poll_send(cx, &mut wire, &[])).await {
        Ok(_) => {}
        Err(InjectError::Wiped) => return Err("the credential was wiped meanwhile".into()),
        Err(InjectError::Io(error)) => return Err(error.to_string()),
    }
    poll_fn(|cx| wire.poll_flush(cx)).await.map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    poll_fn(|cx| scratch::with(|scratch| poll_status(cx, &mut wire, scratch, &mut answer))).await
}

fn poll_status(
    cx: &mut Context<'_>,
    wire: &mut Wire,
    scratch: &mut Scratch,
    answer: &mut Vec<u8>,
) -> Poll<Result<u16, String>> {
    loop {
        while let Extent::Complete(end) = head::extent(answer).map_err(odd)? {
            let mut room = head::room();
            let head = answer.get(..end).unwrap_or_default();
            let response = Response::parse(head, &mut room).map_err(odd)?;
            if !response.is_interim() {
                return Poll::Ready(Ok(response.status()));
            }
            answer.drain(..end);
        }
        let count = ready!(wire.poll_read(cx, scratch, 0)).map_err(|error| error.to_string())?;
        if count == 0 {
            return Poll::Ready(Err("it closed the connection without an answer".into()));
        }
        answer.extend_from_slice(scratch.plain.get(..count).unwrap_or_default());
    }
}

fn odd(flaw: Flaw) -> String {
    format!("its answer is not one of an HTTP server: {flaw}")
}
