//! Keychains, by the names of their items: no secret is asked for, so that nobody is asked for a
//! password. Known from documentation, tested with made-up answers: not yet seen on macOS or Windows.

use super::super::{look::Look, recorder::finding};
use crate::{
    catalog::Place,
    finding::{Kind, Location},
};

impl Look<'_> {
    pub(super) fn at_keychain(&mut self, place: &'static Place, service: &str) {
        // Without `-d` it lists attributes only.
        let Some(text) = self.said("security", &["dump-keychain"]) else { return };
        for (service, account) in items(&String::from_utf8_lossy(&text), service) {
            let kind = if service.starts_with("Claude Code-credentials") {
                Kind::RefreshToken
            } else {
                Kind::ApiKey
            };
            // What it holds is not known: its name stands for it.
            let seen = self.held(kind, format!("{service}\0{account}").as_bytes());
            let seen = super::Seen { tail: crate::finding::Tail::default(), ..seen };
            self.findings.push(finding(place, Location::Keychain { service, account }, &seen, None));
        }
    }

    pub(super) fn at_credential_manager(&mut self, place: &'static Place, target: &str) {
        let Some(text) = self.said("cmdkey", &["/list"]) else { return };
        let text = String::from_utf8_lossy(&text).into_owned();
        for line in text.lines().filter(|line| line.contains(target)) {
            let Some((_, name)) = line.split_once(": ") else { continue };
            let target = name.trim().trim_start_matches("LegacyGeneric:target=").to_owned();
            let seen = self.held(Kind::RefreshToken, target.as_bytes());
            let seen = super::Seen { tail: crate::finding::Tail::default(), ..seen };
            self.findings.push(finding(place, Location::CredentialManager { target }, &seen, None));
        }
    }

    pub(super) fn at_registry(&mut self, place: &'static Place, key: &str) {
        let Some(text) = self.said("reg", &["query", key]) else { return };
        for line in text.split(|byte| *byte == b'\n') {
            // `    NAME    REG_SZ    value`
            let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
            let (Some(name), Some(kind)) = (words.next(), words.next()) else { continue };
            let value = words.next().unwrap_or_default().trim_ascii_end();
            let Ok(name) = std::str::from_utf8(name) else { continue };
            let Some(found) = super::credential(name, value).filter(|_| kind.starts_with(b"REG_")) else {
                continue;
            };
            let seen = self.held(found, value);
            let location = Location::Registry { key: key.to_owned(), value: name.to_owned() };
            self.findings.push(finding(place, location, &seen, None));
        }
    }
}

/// Services that start like this, with their accounts, in what `security dump-keychain` lists.
fn items(text: &str, service: &str) -> Vec<(String, String)> {
    let attribute = |block: &str, name: &str| {
        let line = block.lines().find(|line| line.contains(&format!("\"{name}\"<blob>=\"")))?;
        Some(line.split_once("<blob>=\"")?.1.trim_end().trim_end_matches('"').to_owned())
    };
    let blocks = text.split("keychain: ").filter_map(|block| {
        let found = attribute(block, "svce").filter(|found| is_of(found, service))?;
        Some((found, attribute(block, "acct").unwrap_or_default()))
    });
    blocks.collect()
}

/// `Claude Code`, `Claude Code-credentials`, and each with the hash of a directory behind it.
fn is_of(found: &str, service: &str) -> bool {
    found.strip_prefix(service).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variant_of_the_service_is_listed() {
        let item = |service: &str| {
            format!(
                "keychain: \"/Users/jane/Library/Keychains/login.keychain-db\"\nclass: \"genp\"\nattributes:\n    \"acct\"<blob>=\"jane\"\n    \"svce\"<blob>=\"{service}\"\n"
            )
        };
        let text: String = [
            "Claude Code",
            "Claude Code-credentials",
            "Claude Code-credentials-0a1b2c3d",
            "Claude Codes",
            "Other",
        ]
        .map(item)
        .concat();
        let services: Vec<_> = items(&text, "Claude Code").into_iter().map(|(service, _)| service).collect();
        assert_eq!(services, ["Claude Code", "Claude Code-credentials", "Claude Code-credentials-0a1b2c3d"]);
    }
}
