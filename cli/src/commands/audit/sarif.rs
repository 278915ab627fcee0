//! SARIF 2.1.0 (OASIS), for tools that show findings in files.

use std::collections::BTreeMap;

use claudectl_footprint::{
    Place,
    finding::{Finding, Location, Severity, Stored, Structure},
    scan::{Audit, format::masked},
};
use serde_json::{Value, json};

use crate::{error::Error, output::json::escaped};

/// The whole document, on one line.
///
/// # Errors
/// If it cannot be JSON, which it always can.
pub(super) fn document(audit: &Audit) -> Result<String, Error> {
    let rules: BTreeMap<&str, &Place> =
        audit.findings.iter().map(|finding| (finding.place.id, finding.place)).collect();
    let rules: Vec<Value> = rules.into_values().map(rule).collect();
    let gaps = audit.gaps.iter().map(|gap| {
        json!({ "level": "warning", "message": { "text": masked(&format!("{}: {}", gap.what, gap.why)) } })
    });
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "claudectl", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": gaps.collect::<Vec<_>>(),
            }],
            "results": audit.findings.iter().map(result).collect::<Vec<_>>(),
        }],
    });
    let text =
        serde_json::to_string(&log).map_err(|error| Error::new("could not write SARIF").because(&error))?;
    Ok(escaped(&text))
}

fn rule(place: &Place) -> Value {
    json!({
        "id": place.id,
        "shortDescription": { "text": place.title },
        "fullDescription": { "text": format!("{}: {}", place.title, place.power) },
    })
}

fn result(finding: &Finding) -> Value {
    let level = match finding.severity {
        Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    };
    let revoke = finding
        .revocation()
        .map(|to| format!(" {}: {}", to.what, to.url.unwrap_or("no page")))
        .unwrap_or_default();
    let whose =
        finding.account.as_ref().map(|name| format!(", the key of account {name}")).unwrap_or_default();
    let (what, tail, cure) = (finding.kind.label(), finding.tail, &finding.cure);
    let text = format!("{what} {tail}{whose}. Remove it: {cure}.{revoke}");
    let mut properties = json!({ "credentialKind": finding.kind.id() });
    if let (Some(account), Some(members)) = (&finding.account, properties.as_object_mut()) {
        members.insert("account".to_owned(), json!(account));
    }
    json!({
        "ruleId": finding.place.id,
        "level": level,
        "kind": "fail",
        "message": { "text": masked(&text) },
        "locations": [location(&finding.location)],
        "properties": properties,
    })
}

fn location(location: &Location) -> Value {
    match location {
        Location::Stored(stored) => in_file(stored),
        other => {
            let name = match other {
                Location::Variable { holder, name } => format!("{name} of {holder:?}"),
                other => format!("{other:?}"),
            };
            json!({ "logicalLocations": [{ "fullyQualifiedName": masked(&name), "kind": "variable" }] })
        }
    }
}

fn in_file(stored: &Stored) -> Value {
    let mut region = match stored.occurrences.first() {
        Some(first) => {
            json!({ "byteOffset": first.bytes.start, "byteLength": first.bytes.end - first.bytes.start })
        }
        None => json!({}),
    };
    let physical =
        |region: Value| json!({ "artifactLocation": { "uri": uri(&stored.path) }, "region": region });
    match &stored.structure {
        Structure::Json { pointer } => json!({
            "physicalLocation": physical(region),
            "logicalLocations": [{ "fullyQualifiedName": masked(pointer), "kind": "member" }],
        }),
        Structure::Assignment { line, .. } | Structure::Text { line } => {
            if let Some(region) = region.as_object_mut() {
                region.insert("startLine".to_owned(), json!(line));
            }
            json!({ "physicalLocation": physical(region) })
        }
    }
}

/// The `file:` URI of an absolute path.
fn uri(path: &std::path::Path) -> String {
    let path = masked(&path.to_string_lossy());
    let written = path.bytes().map(|byte| match byte {
        b'/' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    format!("file://{}", written.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_uri() {
        assert_eq!(uri("/home/jane doe/.zshrc".as_ref()), "file:///home/jane%20doe/.zshrc");
        assert_eq!(uri("/ä".as_ref()), "file:///%C3%A4");
    }
}
