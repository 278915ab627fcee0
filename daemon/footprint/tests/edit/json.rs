use claudectl_footprint::edit::{Refusal, json};
use proptest::prelude::*;
use serde_json::{Map, Value};

fn without(text: &str, pointers: &[&str]) -> Result<String, Refusal> {
    let edited = json::remove(text.as_bytes(), pointers)?.apply(text.as_bytes()).unwrap();
    Ok(String::from_utf8(edited.to_vec()).unwrap())
}

#[test]
fn every_layout_keeps_its_shape() {
    let table = [
        (r#"{"a":1,"k":"s"}"#, r#"{"a":1}"#),
        (r#"{"k":"s","a":1}"#, r#"{"a":1}"#),
        (r#"{"a":1,"k":"s","b":2}"#, r#"{"a":1,"b":2}"#),
        (r#"{"k":"s"}"#, "{}"),
        ("{ \"k\" : \"s\" }", "{ }"),
        ("{\n  \"a\": 1,\n  \"k\": \"s\"\n}\n", "{\n  \"a\": 1\n}\n"),
        ("{\n  \"k\": \"s\",\n  \"a\": 1\n}\n", "{\n  \"a\": 1\n}\n"),
        (
            "{\r\n\t\"a\": 1,\r\n\t\"k\": \"s\",\r\n\t\"b\": []\r\n}\r\n",
            "{\r\n\t\"a\": 1,\r\n\t\"b\": []\r\n}\r\n",
        ),
        ("\u{feff}{\"k\":{\"x\":[1,{}]},\"a\":1}", "\u{feff}{\"a\":1}"),
        ("{\"k\":1,\"a\":1,\"k\":2}", "{\"a\":1}"),
        ("{\"\\u006b\":1,\"a\":1}", "{\"a\":1}"),
    ];
    for (text, expected) in table {
        assert_eq!(without(text, &["/k"]).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn comments_and_trailing_commas_stay() {
    let table = [
        (
            "{\n // one\n \"a\": 1, // two\n \"k\": \"s\", // three\n}",
            "{\n // one\n \"a\": 1, // two\n  // three\n}",
        ),
        ("{ \"a\": 1, /* x */ \"k\": 2 /* y */ }", "{ \"a\": 1 /* x */  /* y */ }"),
        ("{ \"a\": \"// no comment\", \"k\": 2, }", "{ \"a\": \"// no comment\", }"),
    ];
    for (text, expected) in table {
        assert_eq!(without(text, &["/k"]).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn pointers_lead_through_objects_and_arrays() {
    let text = r#"{"m":{"s/1":{"env":{"K":"x","A":"y"}}},"list":[{"k":1},2],"7":{"k":3}}"#;
    assert_eq!(
        without(text, &["/m/s~11/env/K", "/list/0/k", "/7/k"]).as_deref(),
        Ok(r#"{"m":{"s/1":{"env":{"A":"y"}}},"list":[{},2],"7":{}}"#)
    );
    assert_eq!(without(text, &["/list/0"]).as_deref(), Ok(&*text.replace(r#"{"k":1},"#, "")));
    assert!(json::is_element(text.as_bytes(), "/list/0") && !json::is_element(text.as_bytes(), "/7"));
    assert_eq!(without(text, &["/list/5/k"]), Err(Refusal::NoSuchKey));
    assert_eq!(without(text, &[""]), Err(Refusal::NoSuchKey));
}

#[test]
fn what_is_not_json_is_refused() {
    for text in [
        "",
        "{",
        "{\"k\"}",
        "{\"k\":}",
        "{\"k\":1 \"a\":2}",
        "{\"k\":\"s}",
        "{\"k\":1}x",
        "{k:1}",
        "{\"k\":1,,}",
    ] {
        assert!(matches!(without(text, &["/k"]), Err(Refusal::NotJson(_))), "{text}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(without(&deep, &["/k"]), Err(Refusal::TooDeep));
}

/// A value, written with white space and comments in all places that take them.
fn written(value: &Value, gap: &mut dyn FnMut() -> String) -> String {
    let listed = |gap: &mut dyn FnMut() -> String, items: Vec<(Option<&String>, &Value)>| {
        let mut text = gap();
        for (place, (name, value)) in items.into_iter().enumerate() {
            if place > 0 {
                text = text + "," + &gap();
            }
            if let Some(name) = name {
                text = text + &Value::from(name.as_str()).to_string() + &gap() + ":" + &gap();
            }
            text = text + &written(value, gap) + &gap();
        }
        text
    };
    match value {
        Value::Object(members) => {
            format!("{{{}}}", listed(gap, members.iter().map(|(name, value)| (Some(name), value)).collect()))
        }
        Value::Array(elements) => {
            format!("[{}]", listed(gap, elements.iter().map(|value| (None, value)).collect()))
        }
        other => other.to_string(),
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-f/~\"\\\\é]{0,3}", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// The pointers of all members.
fn members(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members_) => {
            for (name, value) in members_ {
                let path = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
                found.push(path.clone());
                members(value, &path, found);
            }
        }
        Value::Array(elements) => {
            for (place, value) in elements.iter().enumerate() {
                members(value, &format!("{path}/{place}"), found);
            }
        }
        _ => {}
    }
}

fn taken_out(value: &mut Value, pointer: &str) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/").replace("~0", "~");
    if let Some(Value::Object(members)) = value.pointer_mut(parent) {
        members.remove(&name);
    }
}

/// The text without comments, for a parser that has none. Strings here hold no `//` or `/*`.
fn bare(text: &str) -> String {
    text.replace("/*c*/", "").replace("//c\n", "\n")
}

proptest! {
    #[test]
    fn the_rest_means_the_same(
        value in value(),
        gaps in prop::collection::vec(prop_oneof![4 => Just(""), 1 => Just(" "), 1 => Just("\n\t"), 1 => Just("\r\n"), 1 => Just("/*c*/"), 1 => Just("//c\n")], 1..20),
        chosen in prop::collection::vec(any::<prop::sample::Index>(), 1..4),
    ) {
        let mut gaps = gaps.iter().cycle().map(|gap| (*gap).to_owned());
        let text = written(&value, &mut || gaps.next().unwrap());
        prop_assume!(serde_json::from_str::<Value>(&bare(&text)).ok() == Some(value.clone()));
        let mut all = Vec::new();
        members(&value, "", &mut all);
        prop_assume!(!all.is_empty());
        let chosen: Vec<&str> = chosen.iter().map(|index| all[index.index(all.len())].as_str()).collect();
        let edit = json::remove(text.as_bytes(), &chosen).unwrap();
        let edited = edit.apply(text.as_bytes()).unwrap();
        let edited = std::str::from_utf8(&edited).unwrap();
        let mut expected = value;
        for pointer in &chosen {
            taken_out(&mut expected, pointer);
        }
        prop_assert_eq!(serde_json::from_str::<Value>(&bare(edited)).unwrap(), expected, "{} -> {}", text, edited);
        prop_assert_eq!(text.matches("/*c*/").count() >= edited.matches("/*c*/").count(), true);
        prop_assert!(edit.changes().iter().all(|change| change.with.is_empty()));
    }

    #[test]
    fn no_text_is_too_strange(text in prop::collection::vec(prop::sample::select(b"{}[]\":,\\/*k1 \n\xff".to_vec()), 0..60)) {
        if let Ok(edit) = json::remove(&text, &["/k"]) {
            prop_assert!(edit.apply(&text).is_some());
        }
    }
}
