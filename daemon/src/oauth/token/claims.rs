//! Who signed in, as far as the server says: id token, userinfo, or the token answer itself.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use claudectl_platform::memory::SecretPage;
use serde::{Deserialize, de::IgnoredAny};
use zeroize::Zeroizing;

use crate::oauth::{Authority, Profile, authority::Feature, json, text};

/// What a server says about a person. Not secret, but personal: never logged.
#[derive(Debug, Default)]
pub(in crate::oauth) struct Claims {
    subject: Option<String>,
    email: Option<String>,
    organization: Option<String>,
    plan: Option<String>,
}

/// The names that servers use. Only these fields are read: a token answer has secrets in others.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    sub: Name,
    email: Name,
    email_address: Name,
    preferred_username: Name,
    organization: Name,
    organization_name: Name,
    org_name: Name,
    hd: Name,
    plan: Name,
    subscription_type: Name,
    account: Option<Box<Told>>,
}

/// A text, or something with a name. Whatever else it is says nothing.
#[derive(Default, Deserialize)]
#[serde(untagged)]
enum Name {
    Text(String),
    Named {
        name: String,
    },
    Other(IgnoredAny),
    #[default]
    Nothing,
}

impl Name {
    fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) | Self::Named { name: text } => text::harmless_or_none(text),
            Self::Other(_) | Self::Nothing => None,
        }
    }
}

/// What an id token says about itself.
#[derive(Deserialize)]
struct Issued {
    #[serde(default)]
    iss: Option<String>,
    aud: Audience,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Claims {
    /// Those of a document. What cannot be read says nothing.
    pub(super) fn read(document: &[u8]) -> Self {
        json::read::<Told>(document).map(Self::from).unwrap_or_default()
    }

    /// Those of an id token that came straight from the token endpoint. Its signature need not be
    /// checked then (OpenID Connect Core section 3.1.3.7, item 6): TLS says who sent it. Whom it is from
    /// and whom it is for is checked (items 2 and 3).
    pub(super) fn of_id_token(token: &SecretPage, authority: &Authority) -> Result<Self, String> {
        let unreadable = || "has an id token that cannot be read".to_owned();
        let payload = token.expose(payload).flatten().ok_or_else(unreadable)?;
        let issued: Issued = json::read(&payload).map_err(|_| unreadable())?;
        let ours = authority.description();
        if ours.issuer.is_some() && issued.iss != ours.issuer {
            return Err("has an id token of another issuer".into());
        }
        let is_for_us = match &issued.aud {
            Audience::One(audience) => *audience == ours.client_id,
            Audience::Several(audiences) => audiences.contains(&ours.client_id),
        };
        if is_for_us { Ok(Self::read(&payload)) } else { Err("has an id token for another client".into()) }
    }

    /// These, or where they say nothing what the access token of a gateway says: it is issued by the
    /// gateway itself, as a JSON Web Token mostly. To everybody else it is opaque (RFC 6749 section 1.4).
    pub(super) fn or_of_token(self, access: &SecretPage, authority: &Authority) -> Self {
        if self.is_enough() || !authority.description().has(Feature::Gateway) {
            return self;
        }
        let payload = access.expose(payload).flatten();
        self.and(payload.map(|payload| Self::read(&payload)).unwrap_or_default())
    }

    /// Whether there is enough to recognise an account by.
    pub(super) fn is_enough(&self) -> bool {
        self.email.is_some()
    }

    /// These, and what they leave open from others about the same person (section 5.3.4).
    pub(super) fn and(self, others: Self) -> Self {
        if self.subject.is_some() && self.subject != others.subject {
            return self;
        }
        Self {
            subject: self.subject.or(others.subject),
            email: self.email.or(others.email),
            organization: self.organization.or(others.organization),
            plan: self.plan.or(others.plan),
        }
    }

    /// As a profile.
    pub(super) fn profile(self, scopes: Vec<String>) -> Profile {
        Profile { email: self.email, organization: self.organization, plan: self.plan, scopes }
    }
}

impl From<Told> for Claims {
    fn from(told: Told) -> Self {
        let account = told.account.map(|account| Self::from(*account)).unwrap_or_default();
        let first = |names: &[&Name]| names.iter().find_map(|name| name.text());
        Self {
            subject: told.sub.text(),
            email: first(&[&told.email, &told.email_address, &told.preferred_username]).or(account.email),
            organization: first(&[&told.organization, &told.organization_name, &told.org_name, &told.hd])
                .or(account.organization),
            plan: first(&[&told.plan, &told.subscription_type]).or(account.plan),
        }
    }
}

/// The middle part of a JSON Web Token (RFC 7519 section 3), decoded.
fn payload(token: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut parts = token.split(|byte| *byte == b'.');
    let (_, payload, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    let mut decoded = Zeroizing::new(vec![0; payload.len()]);
    let length = URL_SAFE_NO_PAD.decode_slice(payload, &mut decoded).ok()?;
    decoded.truncate(length);
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(document: &str) -> [String; 3] {
        let claims = Claims::read(document.as_bytes());
        [claims.email, claims.organization, claims.plan].map(|name| name.unwrap_or_else(|| "-".into()))
    }

    #[test]
    fn names_that_servers_use() {
        assert_eq!(told(r#"{"email":"a@b.c","hd":"b.c"}"#), ["a@b.c", "b.c", "-"]);
        assert_eq!(
            told(
                r#"{"account":{"email_address":"a@b.c"},"organization":{"name":"Acme"},"subscription_type":"max"}"#
            ),
            ["a@b.c", "Acme", "max"]
        );
        assert_eq!(told(r#"{"email":7,"organization":[1],"plan":null}"#), ["-", "-", "-"]);
        assert_eq!(told(r#"{"email":"\u001b[2J"}"#), ["\u{fffd}[2J", "-", "-"]);
        assert_eq!(told("nonsense"), ["-", "-", "-"]);
    }

    #[test]
    fn others_are_believed_about_the_same_person_only() {
        let claims = |document: &str| Claims::read(document.as_bytes());
        let token = || claims(r#"{"sub":"1","plan":"team"}"#);
        let same = token().and(claims(r#"{"sub":"1","email":"a@b.c","plan":"pro"}"#));
        assert_eq!((same.email.as_deref(), same.plan.as_deref()), (Some("a@b.c"), Some("team")));
        assert_eq!(token().and(claims(r#"{"sub":"2","email":"x@y.z"}"#)).email, None);
    }
}
