//! The plan and the receipt, for people.

use std::fmt::Write as _;

use claudectl_footprint::{
    receipt::Outcome,
    scan::{Gap, format::masked},
};

use super::json::{Copy, Kept, PlanBody, ReceiptBody, Step};
use crate::output::text::{BAD, BOLD, DIM, GOOD, Plain, WARN, columns, count, styled};

/// What could not be looked at.
pub(super) fn gap(gap: &Gap) -> String {
    format!("not looked at: {}: {}", Plain(&masked(&gap.what)), Plain(&gap.why))
}

/// A plan in words.
pub(super) fn plan(plan: &PlanBody) -> String {
    if plan.is_empty() {
        return format!("Nothing to remove.{}", kept(&plan.kept));
    }
    let mut text = format!("{}\n", styled(BOLD, "To be removed, in this order:"));
    for account in &plan.accounts {
        let _ = writeln!(text, "  log out the account {} of claudectld", Plain(account));
    }
    for client in &plan.clients {
        let of = client.as_ref().map(|directory| format!(" in {}", Plain(directory))).unwrap_or_default();
        let _ = writeln!(text, "  log out Claude Code{of} by its own `claude auth logout`");
    }
    let row = |step: &Step| {
        let account = step.account.as_ref().map(|name| format!("the key of account {}", Plain(name)));
        [
            Plain(&step.action).to_string(),
            Plain(&step.what).to_string(),
            Plain(&step.r#where).to_string(),
            account.unwrap_or_default(),
        ]
    };
    text.push_str(&columns(&plan.steps.iter().map(row).collect::<Vec<_>>()));
    text.push_str(&kept(&plan.kept));
    text
}

fn kept(kept: &[Kept]) -> String {
    if kept.is_empty() {
        return String::new();
    }
    let row =
        |Kept { step, why }: &Kept| [&step.what, &step.r#where, why].map(|word| Plain(word).to_string());
    let rows: Vec<_> = kept.iter().map(row).collect();
    format!("\n{}\n{}", styled(BOLD, "What stays:"), columns(&rows))
}

/// A receipt in words.
pub(super) fn receipt(receipt: &ReceiptBody) -> String {
    let gone = receipt.items.iter().filter(|copy| copy.is(Outcome::Proven)).count();
    let verdict = if receipt.proven {
        styled(GOOD, "Purged")
    } else {
        styled(BAD, "Purged, but not all of it is proven")
    };
    let mut text = format!("{verdict}: {} gone.\n", count(gone, "trace"));
    for copy in &receipt.items {
        let _ = write!(text, "{}", told(copy));
    }
    for worth in &receipt.media {
        let _ = writeln!(text, "{}", styled(DIM, format!("Overwritten {}.", Plain(worth))));
    }
    if !receipt.media.is_empty() {
        let _ = writeln!(
            text,
            "Whoever took a copy before can use it until it is revoked: revocation is what counts."
        );
    }
    text
}

fn told(copy: &Copy) -> String {
    let style = match copy {
        _ if copy.is(Outcome::Proven) => GOOD,
        _ if copy.is(Outcome::Kept) => DIM,
        _ if copy.is(Outcome::OutOfReach) => WARN,
        _ => BAD,
    };
    let outcome = styled(style, format!("{:<12}", Plain(&copy.outcome).to_string()));
    let preposition = if copy.r#where.starts_with("at ") { "" } else { "in " };
    let mut text = format!("  {outcome}  {} {preposition}{}\n", Plain(&copy.what), Plain(&copy.r#where));
    let action = if copy.action == "none" { "nothing was done" } else { &copy.action };
    let _ = writeln!(text, "  {:<12}  {}: {}", "", Plain(action), Plain(&copy.proof));
    if let Some(by) = &copy.by {
        let _ = writeln!(text, "  {:<12}  to be done by {}", "", Plain(by));
    }
    text
}
