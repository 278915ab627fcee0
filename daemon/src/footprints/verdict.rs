//! What the program says it did (the JSON shapes of `cli/README.md`).

use claudectl_core::footprint::{Left, Removed};
use serde::Deserialize;

/// So many of the copies that are left are named.
const NAMED: usize = 32;

/// Why nothing is known to be done.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// The program did not begin, and says why: that may pass.
    #[error("{0}")]
    Refused(String),
    /// It could not be run, or nobody knows what it did.
    #[error("{0}")]
    Failed(String),
}

#[derive(Deserialize)]
struct Document {
    schema: String,
    #[serde(default)]
    items: Vec<Item>,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Item {
    what: String,
    r#where: String,
    proof: String,
    outcome: String,
    by: Option<String>,
}

/// What it says; `None` if that is nothing, or nothing that is known here.
pub(super) fn of(written: Option<&[u8]>) -> Option<Result<Removed, Failure>> {
    let document: Document = serde_json::from_slice(written?).ok()?;
    match document.schema.as_str() {
        // There was nothing to remove.
        "claudectl.plan/1" => Some(Ok(Removed::default())),
        "claudectl.purge/1" => Some(Ok(removed(document.items))),
        "claudectl.error/1" => Some(Err(Failure::Refused(document.message))),
        _ => None,
    }
}

fn removed(items: Vec<Item>) -> Removed {
    let mut removed = Removed::default();
    for item in items {
        match item.outcome.as_str() {
            "proven" => removed.gone += 1,
            // It was to stay; or it is no copy but the credential itself, at its issuer.
            "kept" | "out-of-reach" => {}
            _ => {
                removed.remaining += 1;
                if removed.left.len() < NAMED {
                    removed.left.push(left(item));
                }
            }
        }
    }
    removed
}

fn left(Item { what, r#where, proof, by, .. }: Item) -> Left {
    let why = by.map_or_else(|| proof.clone(), |by| format!("{proof}; to be done by {by}"));
    Left { what, place: r#where, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Option<Result<Removed, Failure>> {
        of(Some(text.as_bytes()))
    }

    #[test]
    fn what_is_not_proven_is_left_and_what_is_not_known_is_not_proven() {
        let item = |outcome: &str, by: &str| {
            format!(
                r#"{{"what":"API key …abcd","where":"/x","action":"a","proof":"p","outcome":"{outcome}","by":{by}}}"#
            )
        };
        let items = [
            item("proven", "null"),
            item("unproven", r#""you""#),
            item("kept", "null"),
            item("out-of-reach", "null"),
            item("something new", "null"),
        ];
        let text =
            format!(r#"{{"schema":"claudectl.purge/1","proven":false,"items":[{}]}}"#, items.join(","));
        let removed = said(&text).unwrap().unwrap();
        assert_eq!((removed.gone, removed.remaining), (1, 2));
        assert_eq!(removed.left[0].why, "p; to be done by you");
        assert_eq!(removed.left[1].why, "p");
    }

    #[test]
    fn many_are_counted_and_only_some_are_named() {
        let item = r#"{"what":"w","where":"/x","action":"a","proof":"p","outcome":"unproven","by":null}"#;
        let items = vec![item; 100].join(",");
        let removed = said(&format!(r#"{{"schema":"claudectl.purge/1","items":[{items}]}}"#));
        let removed = removed.unwrap().unwrap();
        assert_eq!((removed.remaining, removed.left.len()), (100, NAMED));
    }

    #[test]
    fn nothing_to_remove_is_done_and_a_refusal_or_nothing_at_all_is_not() {
        assert_eq!(said(r#"{"schema":"claudectl.plan/1","steps":[]}"#), Some(Ok(Removed::default())));
        let refused = said(r#"{"schema":"claudectl.error/1","message":"another purge runs","exit":1}"#);
        assert_eq!(refused, Some(Err(Failure::Refused("another purge runs".to_owned()))));
        for nothing in
            ["", "{", r#"{"schema":"claudectl.purge/2","items":[]}"#, r#"{"schema":"claudectl.pur"#]
        {
            assert_eq!(said(nothing), None, "{nothing}");
        }
        assert_eq!(of(None), None);
    }
}
