//! The shape of receipts.

use claudectl_proto::v1::{self, Outcome};
use serde::Serialize;

/// A receipt.
#[derive(Debug, Serialize)]
pub struct Receipt {
    /// Whether no copy is left unproven.
    proven: bool,
    issued_at: i64,
    accounts: Vec<String>,
    sessions_ended: u32,
    items: Vec<ReceiptItem>,
}

#[derive(Debug, Serialize)]
struct ReceiptItem {
    account: String,
    what: String,
    r#where: String,
    action: String,
    proof: String,
    outcome: &'static str,
}

impl From<&v1::Receipt> for Receipt {
    fn from(receipt: &v1::Receipt) -> Self {
        let item = |item: &v1::ReceiptItem| ReceiptItem {
            account: item.account.clone(),
            what: item.what.clone(),
            r#where: item.r#where.clone(),
            action: item.action.clone(),
            proof: item.proof.clone(),
            outcome: outcome(item.outcome()),
        };
        Self {
            proven: is_proven(receipt),
            issued_at: receipt.issued_at,
            accounts: receipt.accounts.clone(),
            sessions_ended: receipt.sessions_ended,
            items: receipt.items.iter().map(item).collect(),
        }
    }
}

/// Whether every copy is proven gone, or out of reach by nature. An outcome that this client does
/// not know is none of them.
pub fn is_proven(receipt: &v1::Receipt) -> bool {
    receipt.items.iter().all(|item| matches!(item.outcome(), Outcome::Proven | Outcome::OutOfReach))
}

/// What an outcome is called.
pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Proven => "proven",
        Outcome::OutOfReach => "out-of-reach",
        Outcome::Unproven | Outcome::Unspecified => "unproven",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::json::document;

    #[test]
    fn an_outcome_of_a_newer_daemon_is_not_proven() {
        let item = v1::ReceiptItem { outcome: 99, ..Default::default() };
        assert!(!is_proven(&v1::Receipt { items: vec![item], ..Default::default() }));
        let item = v1::ReceiptItem { outcome: Outcome::OutOfReach.into(), ..Default::default() };
        assert!(is_proven(&v1::Receipt { items: vec![item], ..Default::default() }));
    }

    #[test]
    fn shape_of_a_receipt() {
        let item = v1::ReceiptItem {
            account: "work".into(),
            what: "API key".into(),
            r#where: "memory of claudectld (pid 42)".into(),
            action: "wiped".into(),
            proof: "25 bytes overwritten and read back as zeros".into(),
            outcome: Outcome::Proven.into(),
        };
        let receipt =
            v1::Receipt { issued_at: 7, accounts: vec!["work".into()], sessions_ended: 1, items: vec![item] };
        let line = document("claudectl.receipt/1", &Receipt::from(&receipt)).unwrap();
        assert_eq!(
            line,
            concat!(
                r#"{"schema":"claudectl.receipt/1","proven":true,"issued_at":7,"accounts":["work"],"#,
                r#""sessions_ended":1,"items":[{"account":"work","what":"API key","#,
                r#""where":"memory of claudectld (pid 42)","action":"wiped","#,
                r#""proof":"25 bytes overwritten and read back as zeros","outcome":"proven"}]}"#
            )
        );
    }
}
