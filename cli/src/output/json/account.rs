//! The shape of accounts.

use claudectl_proto::v1::{self, AccountState, CredentialKind};
use serde::Serialize;

use super::present;
use crate::output::text;

/// One account.
#[derive(Debug, Serialize)]
#[allow(clippy::struct_excessive_bools, reason = "the documented shape: each is a field of its own")]
pub struct Account {
    name: String,
    kind: &'static str,
    default: bool,
    upstream: String,
    proxy: Option<String>,
    ca_file: Option<String>,
    logged_in_at: i64,
    checked: bool,
    sessions: u32,
    generation: u64,
    state: &'static str,
    why: Option<String>,
    since: Option<i64>,
    kept: bool,
    kept_error: Option<String>,
    authority: Option<String>,
    email: Option<String>,
    organization: Option<String>,
    plan: Option<String>,
    scopes: Vec<String>,
    expires_at: Option<i64>,
    renewable: bool,
}

impl From<&v1::Account> for Account {
    fn from(account: &v1::Account) -> Self {
        let route = account.route.clone().unwrap_or_default();
        let profile = account.profile.clone().unwrap_or_default();
        Self {
            name: account.name.clone(),
            kind: match account.kind() {
                CredentialKind::ApiKey => "api-key",
                CredentialKind::Oauth => "oauth",
                CredentialKind::Subscription => "subscription",
                CredentialKind::Unspecified => "unknown",
            },
            default: account.is_default,
            upstream: text::upstream(&route.upstream).to_owned(),
            proxy: present(route.proxy),
            ca_file: present(route.ca_file),
            logged_in_at: account.logged_in_at,
            checked: account.checked,
            sessions: account.sessions,
            generation: account.generation,
            state: match account.state() {
                AccountState::Held => "held",
                AccountState::Sealed => "sealed",
                AccountState::LoginNeeded => "login-needed",
                AccountState::Renewing => "renewing",
                AccountState::Unspecified => "unknown",
            },
            why: present(account.why.clone()),
            since: Some(account.since).filter(|since| *since > 0),
            kept: account.kept,
            kept_error: present(account.kept_error.clone()),
            authority: present(account.authority.clone()),
            email: present(profile.email),
            organization: present(profile.organization),
            plan: present(profile.plan),
            scopes: profile.scopes,
            expires_at: Some(account.expires_at).filter(|at| *at > 0),
            renewable: account.renewable,
        }
    }
}

/// Accounts.
#[derive(Debug, Serialize)]
pub struct Accounts {
    accounts: Vec<Account>,
}

impl From<&[v1::Account]> for Accounts {
    fn from(accounts: &[v1::Account]) -> Self {
        Self { accounts: accounts.iter().map(Account::from).collect() }
    }
}

/// An account that a command changed.
#[derive(Debug, Serialize)]
pub struct OneAccount {
    /// The account as it is now.
    pub account: Account,
    /// Whether it took the place of a credential of the same name.
    pub replaced: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::json::document;

    #[test]
    fn shape_of_accounts() {
        let account = v1::Account {
            name: "work".into(),
            kind: CredentialKind::ApiKey.into(),
            is_default: true,
            route: Some(v1::Route { proxy: "http://proxy:3128".into(), ..Default::default() }),
            logged_in_at: 7,
            checked: true,
            sessions: 2,
            generation: 9,
            state: AccountState::Sealed.into(),
            since: 8,
            kept: true,
            profile: Some(v1::Profile { email: "jane@example.org".into(), ..Default::default() }),
            ..Default::default()
        };
        let line = document("claudectl.accounts/1", &Accounts::from([account].as_slice())).unwrap();
        assert_eq!(
            line,
            concat!(
                r#"{"schema":"claudectl.accounts/1","accounts":[{"name":"work","kind":"api-key","default":true,"#,
                r#""upstream":"https://api.anthropic.com","proxy":"http://proxy:3128","ca_file":null,"#,
                r#""logged_in_at":7,"checked":true,"sessions":2,"generation":9,"state":"sealed","why":null,"#,
                r#""since":8,"kept":true,"kept_error":null,"authority":null,"email":"jane@example.org","#,
                r#""organization":null,"plan":null,"scopes":[],"expires_at":null,"renewable":false}]}"#
            )
        );
    }
}
