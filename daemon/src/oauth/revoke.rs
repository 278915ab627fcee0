//! Has tokens revoked (RFC 7009).

use std::time::Duration;

use claudectl_platform::memory::SecretPage;

use super::{
    Authority, Part, Revocation,
    authority::Endpoint,
    exchange::{self, Value},
    token::{TokenError, read_error},
};

/// How long the revocation of one token may take, the second try included.
const TIME: Duration = Duration::from_secs(5);

/// Revokes the refresh token, then the access token: that order, because most servers end the whole
/// grant with the first. Each gets 5 seconds, and a second try if the server fails or cannot be reached.
pub async fn revoke(
    authority: &Authority,
    refresh: Option<&SecretPage>,
    access: &SecretPage,
) -> Vec<Revocation> {
    let mut revocations = Vec::new();
    let tokens = refresh.map(|token| (Part::Refresh, token)).into_iter().chain([(Part::Access, access)]);
    for (part, token) in tokens {
        revocations.push(match authority.revocation() {
            Some(endpoint) => Revocation {
                part,
                endpoint: endpoint.url(),
                outcome: revoke_one(authority, endpoint, part, token).await,
            },
            None => Revocation {
                part,
                endpoint: authority.name().to_owned(),
                outcome: Err("the server has no revocation endpoint".into()),
            },
        });
    }
    revocations
}

async fn revoke_one(
    authority: &Authority,
    endpoint: &Endpoint,
    part: Part,
    token: &SecretPage,
) -> Result<u16, String> {
    let tries = async {
        match ask(authority, endpoint, part, token).await {
            Err(Failure { is_passing: true, .. }) => ask(authority, endpoint, part, token).await,
            outcome => outcome,
        }
    };
    match tokio::time::timeout(TIME, tries).await {
        Ok(outcome) => outcome.map_err(|failure| failure.why),
        Err(_) => Err(format!("{} did not answer within {} seconds", endpoint.origin(), TIME.as_secs())),
    }
}

struct Failure {
    why: String,
    /// Whether a second try may help.
    is_passing: bool,
}

async fn ask(
    authority: &Authority,
    endpoint: &Endpoint,
    part: Part,
    token: &SecretPage,
) -> Result<u16, Failure> {
    let hint = match part {
        Part::Access => "access_token",
        Part::Refresh => "refresh_token",
    };
    let parts = [
        ("token", Value::Secret(token)),
        ("token_type_hint", Value::Plain(hint)),
        ("client_id", Value::Plain(&authority.description().client_id)),
    ];
    match exchange::post(endpoint, &parts, TIME).await {
        // Section 2.2: 200 is the one answer that says so, also for a token that was no good before.
        Ok(answer) if answer.status() == 200 => Ok(200),
        Ok(answer) => Err(refused(endpoint, &answer)),
        Err(error) => Err(Failure { why: error.to_string(), is_passing: true }),
    }
}

fn refused(endpoint: &Endpoint, answer: &exchange::Answer) -> Failure {
    let is_passing = answer.status() >= 500;
    let why = match read_error(endpoint, answer) {
        TokenError::Said { error, .. } if error == "unsupported_token_type" => {
            "the server does not revoke tokens of this type (unsupported_token_type)".to_owned()
        }
        error @ TokenError::Said { .. } => format!("the server answered {}: {error}", answer.status()),
        error => error.to_string(),
    };
    Failure { why, is_passing }
}
