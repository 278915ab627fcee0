//! Signing in with a browser on another machine.

use std::{future::Future, sync::Arc};

use claudectl_platform::memory::{MemoryError, SecretPage};
use tokio::time::timeout;

use super::{
    Announce, Announcement, LoginError, PATIENCE,
    authorization::Authorization,
    response::{Response, ResponseError, Verdict},
};
use crate::oauth::{Authority, TokenSet};

/// Signs in with a browser anywhere: what the page shows at the end (the code, `CODE#STATE`, or the
/// whole address) is handed over. `pasted` is not polled before the announcement.
///
/// # Errors
/// [`LoginError`]
pub async fn paste(
    authority: &Arc<Authority>,
    announce: Announce<'_>,
    pasted: impl Future<Output = Result<SecretPage, String>> + Send,
) -> Result<TokenSet, LoginError> {
    let redirect_uri = authority.description().paste_redirect_uri.clone().ok_or_else(|| {
        let name = authority.name();
        LoginError::Unsupported(format!(
            "{name} has no page that shows a code to paste: the configuration names none (paste_redirect_uri)"
        ))
    })?;
    let authorization = Authorization::begin(authority, redirect_uri)?;
    announce(Announcement::Paste { url: authorization.url().to_owned(), expires_in: PATIENCE });
    let page = timeout(PATIENCE, pasted).await.map_err(|_| LoginError::Expired(PATIENCE))?;
    let page = page.map_err(LoginError::Pasted)?;
    let nothing = || LoginError::Pasted("there is no code in what was pasted".into());
    let pasted = page.expose(read).ok_or_else(nothing)?;
    drop(page);
    let pasted =
        pasted.map_err(|error| LoginError::Pasted(format!("what was pasted is no code: {error}")))?;
    // A bare code has no state. PKCE still binds it to this sign-in: another one's would not be taken.
    if pasted.response().has_state(authorization.state()) == Some(false) {
        return Err(LoginError::Pasted("what was pasted belongs to another sign-in".into()));
    }
    let code = match pasted {
        Pasted::Code(response) => response.into_code().ok_or_else(nothing)?,
        Pasted::Whole(response) => match response.judge(authority) {
            Verdict::Code(code) => code,
            Verdict::Over(error) => return Err(error),
            Verdict::Stranger => return Err(nothing()),
        },
    };
    authorization.exchange(authority, code, announce).await
}

/// What people copy.
enum Pasted {
    /// The whole response.
    Whole(Response),
    /// The code, or the code and the state: nobody said which server it comes from.
    Code(Response),
}

impl Pasted {
    fn response(&self) -> &Response {
        match self {
            Self::Whole(response) | Self::Code(response) => response,
        }
    }
}

/// Reads what people copy: the whole address, its query, `CODE#STATE`, or the code.
fn read(pasted: &[u8]) -> Result<Pasted, ResponseError> {
    let pasted = pasted.trim_ascii();
    let after = |sign: u8| pasted.iter().position(|byte| *byte == sign).and_then(|at| pasted.get(at + 1..));
    if pasted.starts_with(b"https://") || pasted.starts_with(b"http://") {
        let query = after(b'?').unwrap_or_default();
        let query = query.split(|byte| *byte == b'#').next().unwrap_or_default();
        return Response::parse(query).map(Pasted::Whole);
    }
    if pasted.starts_with(b"code=") || after(b'&').is_some_and(|rest| rest.starts_with(b"code=")) {
        return Response::parse(pasted).map(Pasted::Whole);
    }
    let (code, state) = match pasted.iter().position(|byte| *byte == b'#') {
        Some(at) => (pasted.get(..at).unwrap_or_default(), pasted.get(at + 1..)),
        None => (pasted, None),
    };
    if code.is_empty() {
        return Ok(Pasted::Code(Response::default()));
    }
    if !code.iter().all(u8::is_ascii_graphic) {
        return Err(ResponseError::Encoding);
    }
    let mut rest = code;
    let code =
        SecretPage::fill(|free| std::io::Read::read(&mut rest, free)).map_err(|error| match error {
            MemoryError::TooLong { .. } => ResponseError::Encoding,
            error @ MemoryError::Kernel(_) => error.into(),
        })?;
    let response = Response::of_code(code);
    Ok(Pasted::Code(match state {
        Some(state) => response.with_state(state),
        None => response,
    }))
}
