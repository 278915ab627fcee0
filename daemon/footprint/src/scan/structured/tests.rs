use std::path::Path;

use super::*;
use crate::catalog::place;

const KEY: &str =
    "sk-ant-api03-TESTabcdefghij0123456789-_klmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghAA";

/// What is seen: kind, the bytes of the first occurrence, the structure.
fn read(id: &str, text: &str) -> Vec<(Kind, String, Structure)> {
    let key = FingerprintKey::random().unwrap();
    let mut file =
        File { text: text.as_bytes(), key: &key, home: Path::new("/home/jane"), needle: &mut |_, _| {} };
    let told = file.read(place(id).unwrap().reader);
    told.seen
        .into_iter()
        .map(|seen| {
            let bytes = seen.occurrences[0].bytes.clone();
            let bytes = usize::try_from(bytes.start).unwrap()..usize::try_from(bytes.end).unwrap();
            assert_eq!(seen.occurrences[0].raw, key.of(&text.as_bytes()[bytes.clone()]));
            (seen.kind, text[bytes].to_owned(), seen.structure)
        })
        .collect()
}

fn json(pointer: &str) -> Structure {
    Structure::Json { pointer: pointer.to_owned() }
}

#[test]
fn a_stored_login() {
    let access = KEY.replace("api03", "oat01");
    let refresh = KEY.replace("api03", "ort01");
    let text = format!(
        r#"{{"claudeAiOauth":{{"accessToken":"{access}","refreshToken":"{refresh}","scopes":["user:inference"]}},
            "mcpOAuth":{{"linear|x":{{"accessToken":"mcp-0123456789","clientId":"client-0123456789"}}}},"trustedDeviceToken":"device-0123456789"}}"#
    );
    let expected = [
        (Kind::AccessToken, access, json("/claudeAiOauth/accessToken")),
        (Kind::RefreshToken, refresh, json("/claudeAiOauth/refreshToken")),
        (Kind::McpSecret, "mcp-0123456789".to_owned(), json("/mcpOAuth/linear|x/accessToken")),
        (Kind::ServiceToken, "device-0123456789".to_owned(), json("/trustedDeviceToken")),
    ];
    assert_eq!(read("claude.credentials", &text), expected);
}

#[test]
fn settings_with_variables_and_a_helper_that_holds_a_key() {
    let text = format!(
        r#"{{"env":{{"ANTHROPIC_AUTH_TOKEN":"gateway-0123456789","ANTHROPIC_MODEL":"opus-4-0123456789"}},"apiKeyHelper":"echo {KEY}"}}"#
    );
    let expected = [
        (Kind::GatewayToken, "gateway-0123456789".to_owned(), json("/env/ANTHROPIC_AUTH_TOKEN")),
        (Kind::Command, format!("echo {KEY}"), json("/apiKeyHelper")),
        (Kind::ApiKey, KEY.to_owned(), json("/apiKeyHelper")),
    ];
    assert_eq!(read("claude.settings", &text), expected);
}

#[test]
fn a_key_that_is_escaped_or_in_a_comment_or_in_a_name() {
    let escaped = KEY.replacen('-', "\\u002d", 2);
    let text = format!("{{// {KEY}\n\"primaryApiKey\":\"{escaped}\",\"x\":{{\"{KEY}\":\"y\"}}}}");
    let expected = [
        (Kind::ApiKey, escaped, json("/primaryApiKey")),
        (Kind::ApiKey, KEY.to_owned(), Structure::Text { line: 1 }),
    ];
    assert_eq!(read("claude.home-config", &text), expected);
}

#[test]
fn json_that_breaks_is_searched_by_form() {
    let text = format!("{{\"primaryApiKey\":\n\"{KEY}");
    assert_eq!(
        read("claude.home-config", &text),
        [(Kind::ApiKey, KEY.to_owned(), Structure::Text { line: 2 })]
    );
}

#[test]
fn a_profile_with_a_key_in_a_comment_too() {
    let text = format!(
        "# export ANTHROPIC_API_KEY={KEY}\nexport ANTHROPIC_AUTH_TOKEN='gateway-0123456789'\nalias c=\"X={KEY} claude\"\n"
    );
    let first = text.find('\n').unwrap() + 1;
    let statement = first..first + "export ANTHROPIC_AUTH_TOKEN='gateway-0123456789'\n".len();
    let value = statement.end - 1 - "'gateway-0123456789'".len()..statement.end - 1;
    let offsets =
        |range: Range<usize>| u64::try_from(range.start).unwrap()..u64::try_from(range.end).unwrap();
    let structure = Structure::Assignment {
        line: 2,
        variable: "ANTHROPIC_AUTH_TOKEN".into(),
        statement: Some(offsets(statement)),
        value: offsets(value),
    };
    let expected = [
        (Kind::GatewayToken, "gateway-0123456789".to_owned(), structure),
        (Kind::ApiKey, KEY.to_owned(), Structure::Text { line: 1 }),
    ];
    assert_eq!(read("profiles.bash", &text), expected);
}

#[test]
fn directories_that_a_profile_names() {
    let text = "export CLAUDE_CONFIG_DIR=\"$HOME/.claude-work\"\nalias p='CLAUDE_CONFIG_DIR=~/private/claude claude'\nexport CLAUDE_CONFIG_DIR=$X/y\n";
    let key = FingerprintKey::random().unwrap();
    let mut file =
        File { text: text.as_bytes(), key: &key, home: Path::new("/home/jane"), needle: &mut |_, _| {} };
    let told = file.read(place("profiles.bash").unwrap().reader);
    assert_eq!(
        told.directories,
        [Path::new("/home/jane/.claude-work"), Path::new("/home/jane/private/claude")]
    );
}

#[test]
fn paths_of_rules() {
    let names = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
    let table = [
        ("a/b", "a/b", true),
        ("a/*", "a/b", true),
        ("a/*", "a/b/c", false),
        ("a/**", "a/b/c", true),
        ("a/**", "a", true),
        ("**", "a", true),
        ("**/x/y", "x/y", true),
        ("**/x/y", "a/b/x/y", true),
        ("**/x/y", "a/x/y/z", false),
    ];
    for (rule, path, expected) in table {
        assert_eq!(leads(rule, &names(path)), expected, "{rule} {path}");
    }
}
