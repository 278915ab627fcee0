//! What a receipt says of one copy.

use claudectl_core::{
    account::Route,
    credential::CredentialKind,
    receipt::{Outcome, Place, ReceiptItem},
};
use claudectl_proto::v1;

/// One copy: what, where, what was done, what proves it.
pub(super) fn item(item: &ReceiptItem) -> v1::ReceiptItem {
    let (action, proof, outcome) = told(item);
    v1::ReceiptItem {
        account: item.account.to_string(),
        what: item.kind.part(item.part).to_owned(),
        r#where: place(&item.place),
        action: action.to_owned(),
        proof,
        outcome: outcome.into(),
    }
}

fn place(place: &Place) -> String {
    match place {
        Place::Memory => format!("memory of claudectld (pid {})", std::process::id()),
        Place::Keyring => "the OS keyring".to_owned(),
        Place::Upstream(url) | Place::AuthorizationServer(url) => url.clone(),
    }
}

fn told(item: &ReceiptItem) -> (&'static str, String, v1::Outcome) {
    match &item.outcome {
        Outcome::Wiped(bytes) => {
            ("wiped", format!("{bytes} bytes overwritten and read back as zeros"), v1::Outcome::Proven)
        }
        Outcome::WipedUnproven(bytes) => {
            ("wiped", format!("{bytes} bytes overwritten, not read back as zeros"), v1::Outcome::Unproven)
        }
        Outcome::Revoked(status) => {
            ("revoked", format!("the server answered {status} (RFC 7009)"), v1::Outcome::Proven)
        }
        Outcome::NotRevoked(why) => ("not revoked", why.clone(), v1::Outcome::Unproven),
        Outcome::Absent => {
            ("deleted", "the keyring was asked again and has no such entry".to_owned(), v1::Outcome::Proven)
        }
        Outcome::NotAbsent(why) => ("not deleted", why.clone(), v1::Outcome::Unproven),
        // Tokens that a session could use a moment ago, and somebody who has a copy still can.
        Outcome::OutOfReach if item.kind == CredentialKind::Oauth => {
            ("not revoked", revocation(item), v1::Outcome::Unproven)
        }
        Outcome::OutOfReach => ("none", revocation(item), v1::Outcome::OutOfReach),
    }
}

/// Who can make a server stop accepting it, and where.
fn revocation(item: &ReceiptItem) -> String {
    match (item.kind, &item.place) {
        (CredentialKind::ApiKey, Place::Upstream(url)) if url == Route::ANTHROPIC => {
            "an API key stays valid until it is deleted at https://platform.claude.com/settings/keys".into()
        }
        (CredentialKind::Subscription, _) => {
            "a setup token stays valid for a year or until it is revoked at https://claude.ai/settings/claude-code"
                .into()
        }
        (CredentialKind::Oauth, _) => {
            "this server has no revocation endpoint: what it issued stays valid until it ends".into()
        }
        _ => "stays valid until whoever issued it revokes it".into(),
    }
}
