//! Two settings made one.

use serde_json::Value;

/// Both: the user's values win, hooks are added to the user's.
pub(super) fn merge(user: Value, ours: Value) -> Value {
    match (user, ours) {
        (Value::Object(mut user), Value::Object(ours)) => {
            for (key, ours) in ours {
                let merged = match user.remove(&key) {
                    None => ours,
                    Some(theirs) if key == "hooks" => merge_hooks(theirs, ours),
                    Some(theirs) => merge(theirs, ours),
                };
                user.insert(key, merged);
            }
            Value::Object(user)
        }
        (user, _) => user,
    }
}

fn merge_hooks(user: Value, ours: Value) -> Value {
    match (user, ours) {
        (Value::Object(mut user), Value::Object(ours)) => {
            for (event, ours) in ours {
                let merged = match (user.remove(&event), ours) {
                    (Some(Value::Array(user)), Value::Array(ours)) => Value::Array([user, ours].concat()),
                    (Some(user), _) => user,
                    (None, ours) => ours,
                };
                user.insert(event, merged);
            }
            Value::Object(user)
        }
        (user, _) => user,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ours() -> Value {
        json!({
            "hooks": {"SessionEnd": [{"hooks": [{"type": "command", "command": "ours"}]}]},
            "statusLine": {"type": "command", "command": "ours"},
        })
    }

    #[test]
    fn merging() {
        let hook = json!({"hooks": [{"type": "command", "command": "mine"}]});
        let own = ours()["hooks"]["SessionEnd"][0].clone();
        let line = ours()["statusLine"].clone();
        let table = [
            (json!({}), ours()),
            (
                json!({"model": "opus"}),
                json!({"model": "opus", "hooks": ours()["hooks"], "statusLine": line}),
            ),
            (
                json!({"statusLine": {"type": "command", "command": "mine"}}),
                json!({"hooks": ours()["hooks"], "statusLine": {"type": "command", "command": "mine"}}),
            ),
            (
                json!({"hooks": {"SessionEnd": [hook]}}),
                json!({"hooks": {"SessionEnd": [hook, own]}, "statusLine": line}),
            ),
            (
                json!({"hooks": {"Stop": [hook]}}),
                json!({"hooks": {"Stop": [hook], "SessionEnd": [own]}, "statusLine": line}),
            ),
            (json!({"hooks": null, "statusLine": null}), json!({"hooks": null, "statusLine": null})),
            (
                json!({"hooks": {"SessionEnd": "odd"}}),
                json!({"hooks": {"SessionEnd": "odd"}, "statusLine": line}),
            ),
        ];
        for (user, expected) in table {
            assert_eq!(merge(user.clone(), ours()), expected, "{user}");
        }
    }
}
