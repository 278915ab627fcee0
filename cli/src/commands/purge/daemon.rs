//! The accounts of the daemon, logged out by it as `claudectl logout --all` does.

use claudectl_footprint::receipt::{Item, Outcome};
use claudectl_proto::v1::{self, LogoutRequest};

use crate::{
    Context,
    commands::logout,
    daemon::Daemon,
    error::Error,
    kept::{Doubt, Kept},
};

/// What the daemon holds; without a daemon, what the OS keyring keeps.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    /// Their names; where nobody knows what is kept, also that.
    pub(super) names: Vec<String>,
}

impl Accounts {
    pub(super) async fn find(context: &Context) -> Result<Self, Error> {
        let kept = Kept::look(&context.environment);
        let accounts = match Daemon::find(&context.environment).await? {
            Some(daemon) => daemon.status().await?.accounts,
            None => kept.accounts().to_vec(),
        };
        let mut names: Vec<_> = accounts.into_iter().map(|account| account.name).collect();
        if !kept.doubts().is_empty() {
            names.push(Doubt::WHAT.to_owned());
        }
        Ok(Self { names })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Logs all of them out. That the daemon fails does not keep the rest from being purged.
    pub(super) async fn log_out(&self, context: &Context) -> Vec<Item> {
        if self.is_empty() {
            return Vec::new();
        }
        let request = LogoutRequest { accounts: Vec::new(), all: true };
        match logout::log_out_for_certain(&context.environment, request).await {
            Ok(receipt) => receipt.items.iter().map(item).collect(),
            Err(error) => vec![Item {
                what: format!("the accounts {}", self.names.join(", ")),
                place: "claudectld".to_owned(),
                action: "asked to log out".to_owned(),
                proof: error.text(),
                outcome: Outcome::Unproven,
                by: Some(
                    "you: claudectl logout --all, or end claudectld, which wipes what it holds".to_owned(),
                ),
            }],
        }
    }
}

fn item(item: &v1::ReceiptItem) -> Item {
    let outcome = match item.outcome() {
        v1::Outcome::Proven => Outcome::Proven,
        v1::Outcome::OutOfReach => Outcome::OutOfReach,
        v1::Outcome::Unproven | v1::Outcome::Unspecified => Outcome::Unproven,
    };
    Item {
        what: if item.account.is_empty() {
            item.what.clone()
        } else {
            format!("{} of {}", item.what, item.account)
        },
        place: item.r#where.clone(),
        action: item.action.clone(),
        proof: item.proof.clone(),
        outcome,
        by: None,
    }
}
