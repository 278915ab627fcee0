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

    pub(super) fn at_credential_manager(&mut self, place: &'static Place, wanted: &str) {
        let Some(text) = self.said("cmdkey", &["/list"]) else { return };
        for target in targets(&String::from_utf8_lossy(&text)).filter(|target| target.contains(wanted)) {
            let seen = self.held(Kind::RefreshToken, target.as_bytes());
            let seen = super::Seen { tail: crate::finding::Tail::default(), ..seen };
            let location = Location::CredentialManager { target: target.to_owned() };
            self.findings.push(finding(place, location, &seen, None));
        }
    }

    pub(super) fn at_registry(&mut self, place: &'static Place, key: &str) {
        let Some(text) = self.said("reg", &["query", key]) else { return };
        for (name, value) in registry_values(&text) {
            let Some(found) = super::credential(name, value) else { continue };
            let seen = self.held(found, value);
            let location = Location::Registry { key: key.to_owned(), value: name.to_owned() };
            self.findings.push(finding(place, location, &seen, None));
        }
    }
}

/// Services that start like this, with their accounts, in what `security dump-keychain` lists.
fn items(text: &str, service: &str) -> Vec<(String, String)> {
    let blocks = text.split("keychain: ").filter_map(|block| {
        let found = attribute(block, "svce").filter(|found| is_of(found, service))?;
        Some((found, attribute(block, "acct").unwrap_or_default()))
    });
    blocks.collect()
}

/// `"svce"<blob>="Claude Code"`; what is not ASCII is `0x6AC3A4  "j\303\244"`, and what is not there `<NULL>`.
fn attribute(block: &str, name: &str) -> Option<String> {
    let start = format!("\"{name}\"<blob>=");
    let value = block.lines().find_map(|line| line.trim_start().strip_prefix(&start))?.trim_end();
    if let Some(hex) = value.strip_prefix("0x") {
        let digits = hex.split_ascii_whitespace().next()?;
        let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(byte).collect();
        return String::from_utf8(bytes?).ok();
    }
    Some(value.strip_prefix('"')?.strip_suffix('"')?.to_owned())
}

/// `Claude Code`, `Claude Code-credentials`, and each with the hash of a directory behind it.
fn is_of(found: &str, service: &str) -> bool {
    found.strip_prefix(service).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// The targets in what `cmdkey /list` says, in any language: `    Target: LegacyGeneric:target=NAME`.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let (_, said) = line.split_once(": ")?;
        // `Target: NAME` is what older versions say of a generic one.
        let target = said.split_once(":target=").map_or(said, |(_, target)| target);
        Some(target.trim())
    })
}

/// Names and values in what `reg query` says: `    NAME    REG_SZ    VALUE`.
fn registry_values(text: &[u8]) -> impl Iterator<Item = (&str, &[u8])> {
    const BETWEEN: &[u8] = b"    ";
    text.split(|byte| *byte == b'\n').filter_map(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line).strip_prefix(BETWEEN)?;
        let (name, rest) = split(line, BETWEEN)?;
        let (kind, value) = split(rest, BETWEEN)?;
        kind.starts_with(b"REG_").then_some((std::str::from_utf8(name).ok()?, value))
    })
}

fn split<'a>(text: &'a [u8], by: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memchr::memmem::find(text, by)?;
    Some((text.get(..at)?, text.get(at + by.len()..)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn item(service: &str, account: &str) -> String {
        format!(
            "keychain: \"/Users/jane/Library/Keychains/login.keychain-db\"\nversion: 512\nclass: \"genp\"\nattributes:\n    0x00000007 <blob>=\"{service}\"\n    0x00000008 <blob>=<NULL>\n    \"acct\"<blob>={account}\n    \"cdat\"<timedate>=0x32303236303130313030303030305A00  \"20260101000000Z\\000\"\n    \"svce\"<blob>=\"{service}\"\n    \"type\"<uint32>=<NULL>\n"
        )
    }

    #[test]
    fn every_variant_of_the_service_is_listed() {
        let services = [
            "Claude Code",
            "Claude Code-credentials",
            "Claude Code-credentials-0a1b2c3d",
            "Claude Codes",
            "Other",
        ];
        let text: String = services.map(|service| item(service, "\"jane\"")).concat();
        let found: Vec<_> = items(&text, "Claude Code").into_iter().map(|(service, _)| service).collect();
        assert_eq!(found, services[..3]);
    }

    #[test]
    fn accounts_in_each_way_that_security_writes_them() {
        for (written, expected) in [
            ("\"jane\"", "jane"),
            ("\"jane \"the\" doe\"", "jane \"the\" doe"),
            ("0x6AC3A46E65  \"j\\303\\244ne\"", "j\u{e4}ne"),
            ("<NULL>", ""),
            ("0xZZ", ""),
        ] {
            let found = items(&item("Claude Code", written), "Claude Code");
            assert_eq!(found, [("Claude Code".to_owned(), expected.to_owned())], "{written}");
        }
    }

    #[test]
    fn targets_in_each_language() {
        let english = "\r\nCurrently stored credentials:\r\n\r\n    Target: LegacyGeneric:target=Claude Code-credentials/jane\r\n    Type: Generic \r\n    User: jane\r\n    Local machine persistence\r\n\r\n    Target: Domain:target=server\r\n";
        let german = "Aktuell gespeicherte Anmeldeinformationen:\r\n\r\n    Ziel: LegacyGeneric:target=Claude Code\r\n    Typ: Generisch \r\n";
        let of = |text| targets(text).filter(|target| target.contains("Claude Code")).collect::<Vec<_>>();
        assert_eq!(of(english), ["Claude Code-credentials/jane"]);
        assert_eq!(of(german), ["Claude Code"]);
        assert_eq!(of("    Target: Claude Code\r\n"), ["Claude Code"]);
    }

    #[test]
    fn values_of_the_registry_with_spaces_in_them() {
        let text = b"\r\nHKEY_CURRENT_USER\\Environment\r\n    Path    REG_EXPAND_SZ    %USERPROFILE%\\bin;C:\\Program Files\r\n    MY KEY    REG_SZ    a b  c\r\n    EMPTY    REG_SZ    \r\n    (Default)    REG_SZ    (value not set)\r\n\r\nHKEY_CURRENT_USER\\Environment\\Sub\r\n";
        let found: Vec<_> = registry_values(text).collect();
        let expected: [(&str, &[u8]); 4] = [
            ("Path", b"%USERPROFILE%\\bin;C:\\Program Files"),
            ("MY KEY", b"a b  c"),
            ("EMPTY", b""),
            ("(Default)", b"(value not set)"),
        ];
        assert_eq!(found, expected);
    }

    proptest! {
        #[test]
        fn no_answer_is_too_odd(
            text in "(keychain: |\"svce\"<blob>=|\"acct\"<blob>=|0x|\"|Claude Code|:target=|REG_SZ|    |: |\n|[ -~é]{0,6}){0,40}",
        ) {
            for (service, _) in items(&text, "Claude Code") {
                prop_assert!(service.starts_with("Claude Code"), "{service}");
            }
            for target in targets(&text) {
                prop_assert!(text.contains(target) && !target.contains('\n'), "{target}");
            }
            for (name, value) in registry_values(text.as_bytes()) {
                prop_assert!(text.contains(name) && !value.contains(&b'\n'), "{name}");
            }
        }
    }
}
