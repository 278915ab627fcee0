//! What was granted, and what of it is still good.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::canary;

/// An authorization code that nobody used yet.
#[derive(Debug, Clone)]
pub(super) struct Code {
    pub(super) challenge: String,
    pub(super) redirect_uri: String,
    pub(super) scope: String,
}

/// How far a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Device {
    Waiting,
    Approved,
    Denied,
    Expired,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Access,
    Refresh,
}

#[derive(Debug)]
struct Token {
    text: String,
    kind: Kind,
    grant: usize,
    is_live: bool,
}

#[derive(Debug, Default)]
pub(super) struct Grants {
    codes: BTreeMap<String, Code>,
    /// Codes that were used, and what came of them.
    used: BTreeMap<String, usize>,
    devices: Vec<(String, String, Device, String)>,
    tokens: Vec<Token>,
    last: usize,
    given_out: Vec<String>,
}

impl Grants {
    fn secret(&mut self) -> String {
        let secret = canary::key();
        self.given_out.push(secret.clone());
        secret
    }

    pub(super) fn note(&mut self, secret: String) {
        self.given_out.push(secret);
    }

    pub(super) fn new_code(&mut self, code: Code) -> String {
        let text = self.secret();
        self.codes.insert(text.clone(), code);
        text
    }

    /// Takes a code away. One that was used before ends the grant that it led to (RFC 6749 section
    /// 4.1.2).
    pub(super) fn use_code(&mut self, text: &str) -> Option<(Code, usize)> {
        if let Some(grant) = self.used.get(text) {
            let grant = *grant;
            self.end(grant);
            return None;
        }
        let code = self.codes.remove(text)?;
        let grant = self.new_grant();
        self.used.insert(text.to_owned(), grant);
        Some((code, grant))
    }

    pub(super) fn new_grant(&mut self) -> usize {
        self.last += 1;
        self.last
    }

    pub(super) fn new_device(&mut self, scope: &str) -> (String, String) {
        let device = self.secret();
        let user = format!("WDJB-{:04}", self.devices.len());
        self.devices.push((device.clone(), user.clone(), Device::Waiting, scope.to_owned()));
        (device, user)
    }

    pub(super) fn device(&self, code: &str) -> Option<(Device, String)> {
        let (_, _, state, scope) = self.devices.iter().find(|(device, ..)| device == code)?;
        Some((*state, scope.clone()))
    }

    pub(super) fn answer_device(&mut self, user_code: &str, agrees: bool) {
        let found =
            self.devices.iter_mut().find(|(_, user, ..)| user == user_code).expect("a code that was shown");
        found.2 = if agrees { Device::Approved } else { Device::Denied };
    }

    pub(super) fn expire_devices(&mut self) {
        self.devices.iter_mut().for_each(|device| device.2 = Device::Expired);
    }

    /// With claims it is a JSON Web Token, whose signature nobody can guess.
    pub(super) fn new_access(&mut self, grant: usize, claims: &Value) -> String {
        let random = self.new_token(Kind::Access, grant);
        if claims.is_null() {
            return random;
        }
        let part = |document: &Value| URL_SAFE_NO_PAD.encode(document.to_string());
        let token = format!("{}.{}.{random}", part(&json!({"alg": "HS256"})), part(claims));
        let issued = self.tokens.last_mut().expect("it was issued just now");
        issued.text.clone_from(&token);
        token
    }

    pub(super) fn new_refresh(&mut self, grant: usize) -> String {
        self.new_token(Kind::Refresh, grant)
    }

    fn new_token(&mut self, kind: Kind, grant: usize) -> String {
        let text = self.secret();
        self.tokens.push(Token { text: text.clone(), kind, grant, is_live: true });
        text
    }

    /// The grant of a live refresh token. With `rotates` it is good once; after that it ends the grant.
    pub(super) fn use_refresh(&mut self, text: &str, rotates: bool) -> Option<usize> {
        let token = self.tokens.iter_mut().find(|token| token.text == text && token.kind == Kind::Refresh)?;
        let (grant, was_live) = (token.grant, token.is_live);
        token.is_live &= !rotates;
        if !was_live {
            self.end(grant);
            return None;
        }
        Some(grant)
    }

    /// Revokes a token; with a refresh token the whole grant (RFC 7009 section 2.1).
    pub(super) fn revoke(&mut self, text: &str) {
        let Some(token) = self.tokens.iter_mut().find(|token| token.text == text) else { return };
        token.is_live = false;
        let (kind, grant) = (token.kind, token.grant);
        if kind == Kind::Refresh {
            self.end(grant);
        }
    }

    fn end(&mut self, grant: usize) {
        self.tokens.iter_mut().filter(|token| token.grant == grant).for_each(|token| token.is_live = false);
    }

    pub(super) fn is_live(&self, text: &str) -> bool {
        self.tokens.iter().any(|token| token.text == text && token.is_live)
    }

    /// Whether this grant has given out no refresh token yet.
    pub(super) fn is_first(&self, grant: usize) -> bool {
        !self.tokens.iter().any(|token| token.grant == grant && token.kind == Kind::Refresh)
    }

    pub(super) fn access_tokens(&self) -> Vec<String> {
        self.of(Kind::Access)
    }

    pub(super) fn refresh_tokens(&self) -> Vec<String> {
        self.of(Kind::Refresh)
    }

    fn of(&self, kind: Kind) -> Vec<String> {
        self.tokens.iter().filter(|token| token.kind == kind).map(|token| token.text.clone()).collect()
    }

    pub(super) fn secrets(&self) -> Vec<String> {
        self.given_out.clone()
    }
}
