//! Whatever stands around the credentials: after a purge nothing is found any more, and every byte that is none
//! stays.

use std::{collections::BTreeMap, fs, path::Path};

use claudectl_footprint::{
    Finding,
    finding::FingerprintKey,
    plan::{Choice, Plan},
    purge::run_file,
    receipt::Outcome,
    scan::Needles,
};
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

use super::scan;

/// How a file is written, and what is taken out of it.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// Comments, and assignments whose lines go whole.
    Profile(&'static str),
    /// JSON, whose member goes.
    Settings,
    /// Lines of JSON in which only the characters go.
    Transcript,
    /// Lines in which only the characters go.
    History,
}

const FILES: [(&str, Form); 7] = [
    (".bashrc", Form::Profile("export ANTHROPIC_API_KEY=")),
    (".zshenv", Form::Profile("export ANTHROPIC_API_KEY=")),
    (".config/fish/config.fish", Form::Profile("set -gx ANTHROPIC_API_KEY ")),
    (".config/environment.d/9.conf", Form::Profile("ANTHROPIC_API_KEY=")),
    (".claude/settings.json", Form::Settings),
    (".claude/projects/p/1.jsonl", Form::Transcript),
    (".bash_history", Form::History),
];

impl Form {
    fn write(self, parts: &[(String, String)]) -> String {
        let line = |(text, key): &(String, String)| match self {
            Self::Profile(assignment) => format!("# {text}\n{assignment}{key}\n"),
            Self::Settings => String::new(),
            Self::Transcript => {
                format!("{}\n", json!({"before": text, "text": format!("it is {key}, {text}")}))
            }
            Self::History => format!("# {text}\ncurl -H 'x-api-key: {key}' localhost\n"),
        };
        match (self, parts) {
            (Self::Settings, [(text, key), ..]) => {
                let settings =
                    json!({"note": text, "env": {"A": text, "ANTHROPIC_API_KEY": key}, "model": "opus"});
                serde_json::to_string_pretty(&settings).unwrap()
            }
            _ => parts.iter().map(line).collect(),
        }
    }

    /// Whether nothing but the credentials has gone.
    fn is_right(self, before: &str, after: &str, keys: &[String]) -> bool {
        let masked =
            keys.iter().fold(before.to_owned(), |text, key| text.replace(key, &"x".repeat(key.len())));
        match self {
            Self::Transcript | Self::History => after == masked,
            Self::Profile(_) => {
                let kept = |line: &&str| !keys.iter().any(|key| line.contains(key));
                before.lines().filter(kept).eq(after.lines())
            }
            Self::Settings => {
                let mut wanted: Value = serde_json::from_str(before).unwrap();
                wanted["env"].as_object_mut().unwrap().remove("ANTHROPIC_API_KEY");
                serde_json::from_str::<Value>(after).unwrap() == wanted
            }
        }
    }
}

fn look(home: &Path, key: &FingerprintKey) -> Vec<Finding> {
    let audit = scan::look(home, key, Needles::default());
    assert_eq!(audit.gaps, []);
    audit.findings
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_found_any_more_and_nothing_else_has_gone(
        parts in proptest::collection::vec((any::<Index>(), "[ -~]{0,40}", "TEST[0-9A-Za-z_]{86}AA"), 1..10),
    ) {
        let home = tempfile::tempdir().unwrap();
        let mut files: BTreeMap<usize, Vec<(String, String)>> = BTreeMap::new();
        for (file, text, key) in parts {
            files.entry(file.index(FILES.len())).or_default().push((text, format!("sk-ant-api03-{key}")));
        }
        let mut before = BTreeMap::new();
        for (file, parts) in &files {
            let (name, form) = FILES[*file];
            let path = home.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, form.write(parts)).unwrap();
            before.insert(*file, form.write(parts));
        }
        let key = FingerprintKey::random().unwrap();
        let plan = Plan::new(look(home.path(), &key), &Choice::default(), home.path());
        prop_assert_eq!(plan.files.len(), files.len(), "every file has one");
        for step in &plan.files {
            let done = run_file(step, &key, &mut |_| {});
            prop_assert!(done.items.iter().all(|item| item.outcome == Outcome::Proven), "{:?}", done.items);
        }
        prop_assert_eq!(look(home.path(), &key), []);
        for (file, text) in &before {
            let (name, form) = FILES[*file];
            let after = fs::read_to_string(home.path().join(name)).unwrap();
            let keys: Vec<_> = files[file].iter().map(|(_, key)| key.clone()).collect();
            prop_assert!(form.is_right(text, &after, &keys), "{name}:\n{text}\nbecame\n{after}");
        }
    }
}
