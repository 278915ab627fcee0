//! Looking again: what was found by its name is looked for in running text, also when that name is gone.

use std::fs;

use claudectl_footprint::{finding::FingerprintKey, scan::Needles};

use super::scan::look;

const TOKEN: &str = "gateway-TESTabcdefghij0123456789";

#[test]
fn a_token_without_a_form_is_still_found_in_a_transcript_when_its_setting_is_gone() {
    let home = tempfile::tempdir().unwrap();
    let transcripts = home.path().join(".claude/projects/p");
    fs::create_dir_all(&transcripts).unwrap();
    let settings = home.path().join(".claude/settings.json");
    fs::write(&settings, format!("{{\"env\":{{\"ANTHROPIC_AUTH_TOKEN\":\"{TOKEN}\"}}}}")).unwrap();
    fs::write(transcripts.join("1.jsonl"), format!("{{\"text\":\"it is {TOKEN}\"}}\n")).unwrap();
    let key = FingerprintKey::random().unwrap();
    let first = look(home.path(), &key, Needles::default());
    assert_eq!(first.findings.len(), 2);
    fs::write(&settings, "{}").unwrap();
    assert_eq!(look(home.path(), &key, Needles::default()).findings, [], "nobody knows it by its form");
    assert_eq!(look(home.path(), &key, first.needles).findings.len(), 1);
}
