//! What a credential is, told from its form or from the name that it is stored under.

/// The kind of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `sk-ant-api03-…`
    ApiKey,
    /// `sk-ant-admin01-…`: manages an organisation's keys.
    AdminKey,
    /// `sk-ant-oat01-…`: an OAuth access token or a long-lived setup token.
    AccessToken,
    /// `sk-ant-ort01-…`: gets new access tokens.
    RefreshToken,
    /// `sk-ant-sid…`: the cookie of a browser's login at claude.ai.
    SessionCookie,
    /// A token for a gateway or another upstream, known by the name it is stored under.
    GatewayToken,
    /// A key for Claude at a cloud provider, known by the name it is stored under.
    CloudKey,
    /// A token or client secret of an MCP server or plug-in.
    McpSecret,
    /// A token of Claude Code's own services: bridges, runners, trusted devices.
    ServiceToken,
    /// A variable that leads to a credential: a path or the number of a descriptor.
    Pointer,
    /// A command that prints a credential when the client asks for one.
    Command,
    /// The end of an API key: enough to know it again, not to use it.
    KeyTail,
}

/// Where a credential is taken out of force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revocation {
    /// What to do there.
    pub what: &'static str,
    /// The page; `None` if it is not one place, such as "where you got it".
    pub url: Option<&'static str>,
}

impl Kind {
    /// Every kind, in the order of the table.
    pub const ALL: [Self; 12] = [
        Self::ApiKey,
        Self::AdminKey,
        Self::AccessToken,
        Self::RefreshToken,
        Self::SessionCookie,
        Self::GatewayToken,
        Self::CloudKey,
        Self::McpSecret,
        Self::ServiceToken,
        Self::Pointer,
        Self::Command,
        Self::KeyTail,
    ];

    /// Its name in `--json`, SARIF and `purge --only`; never changed.
    pub fn id(self) -> &'static str {
        match self {
            Self::ApiKey => "api-key",
            Self::AdminKey => "admin-key",
            Self::AccessToken => "access-token",
            Self::RefreshToken => "refresh-token",
            Self::SessionCookie => "session-cookie",
            Self::GatewayToken => "gateway-token",
            Self::CloudKey => "cloud-key",
            Self::McpSecret => "mcp-secret",
            Self::ServiceToken => "service-token",
            Self::Pointer => "pointer",
            Self::Command => "command",
            Self::KeyTail => "key-tail",
        }
    }

    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::ApiKey => "API key",
            Self::AdminKey => "admin key",
            Self::AccessToken => "OAuth token",
            Self::RefreshToken => "refresh token",
            Self::SessionCookie => "claude.ai cookie",
            Self::GatewayToken => "auth token",
            Self::CloudKey => "cloud key",
            Self::McpSecret => "MCP secret",
            Self::ServiceToken => "service token",
            Self::Pointer => "path to a credential",
            Self::Command => "command that prints a key",
            Self::KeyTail => "end of an API key",
        }
    }

    /// Whether whoever has it can use it as it is.
    pub fn works_alone(self) -> bool {
        !matches!(self, Self::Pointer | Self::Command | Self::KeyTail)
    }

    /// Whether an account of the daemon can have one of these as its own.
    pub fn may_be_an_accounts(self) -> bool {
        matches!(self, Self::ApiKey | Self::AccessToken | Self::RefreshToken | Self::GatewayToken)
    }

    /// Where it is taken out of force; `None` for what is no credential by itself.
    pub fn revocation(self) -> Option<Revocation> {
        let (what, url) = match self {
            Self::ApiKey => ("delete the key", Some("https://platform.claude.com/settings/keys")),
            Self::AdminKey => ("delete the key", Some("https://platform.claude.com/settings/admin-keys")),
            Self::AccessToken | Self::RefreshToken => {
                ("log the device out", Some("https://claude.ai/settings/claude-code"))
            }
            Self::SessionCookie => ("log out of all devices", Some("https://claude.ai/settings/account")),
            Self::GatewayToken | Self::CloudKey | Self::McpSecret | Self::ServiceToken => {
                ("revoke it where it was issued", None)
            }
            Self::Pointer | Self::Command | Self::KeyTail => return None,
        };
        Some(Revocation { what, url })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut ids = Kind::ALL.map(Kind::id);
        ids.sort_unstable();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn what_an_account_has_works_alone() {
        let accounts = Kind::ALL.into_iter().filter(|kind| kind.may_be_an_accounts());
        assert_eq!(accounts.filter(|kind| kind.works_alone()).count(), 4);
    }

    #[test]
    fn what_works_alone_can_be_revoked_somewhere() {
        for kind in Kind::ALL {
            assert_eq!(kind.works_alone(), kind.revocation().is_some(), "{kind:?}");
        }
    }
}
