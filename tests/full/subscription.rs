//! The genuine `claude setup-token` from end to end: no network but loopback, where the names of Anthropic's
//! servers lead to a fake of them.

use std::process::Command;

use claudectl_tests::{
    canary,
    genuine::Genuine,
    isolation, need,
    require::Missing,
    terminal::Terminal,
    upstream::{ANTHROPIC, FakeUpstream, Reply},
};
use serde_json::json;

const CODE: &str = "TESTCODE";

/// A place in which the genuine client signs in, and the fake that gives it this token.
fn place(token: &str) -> Result<(Genuine, FakeUpstream), Missing> {
    let mut place = Genuine::new()?;
    isolation::private_names(&place.sandbox.path("tmp/hosts"), ANTHROPIC)?;
    let servers = FakeUpstream::in_place_of_anthropic([token]);
    let tokens = json!({
        "token_type": "Bearer", "access_token": token, "expires_in": 31_536_000, "scope": "user:inference",
        "account": {"uuid": "22222222-2222-4222-8222-222222222222", "email_address": "test@example.org"},
        "organization": {"uuid": "11111111-1111-4111-8111-111111111111", "name": "TEST"},
    });
    servers.answer("/v1/oauth/token", Reply::json(&tokens.to_string()));
    let authority = place.sandbox.path("tmp/authority.pem");
    servers.write_authority(&authority);
    place.sandbox.set("NODE_EXTRA_CA_CERTS", authority);
    place.sandbox.set("BROWSER", "/bin/true");
    place.sandbox.look_for(token);
    Ok((place, servers))
}

/// Signs in on a terminal this wide; everything that it was sent.
fn sign_in(place: &Genuine, columns: u16) -> String {
    let mut shell: Command = place.sandbox.command("/bin/sh");
    let authority = place.sandbox.path("tmp/authority.pem");
    let login = format!(
        "claudectl login work --subscription --plan max --accept-terms --ca-file {}",
        authority.display()
    );
    shell.args(["-c", &format!("stty cols {columns} rows 40; {login}; echo code $?; stty -a; echo over")]);
    let mut terminal = Terminal::start(&shell);
    terminal.wait_for("prompted");
    terminal.write(&format!("{CODE}#state"));
    // Typed in one go with it, the enter key would be taken for a part of a paste.
    terminal.wait_for("#state");
    terminal.write("\r");
    terminal.wait_for("over\r")
}

#[test]
fn the_genuine_client_signs_in_and_nobody_sees_its_token() {
    let token = format!("{}{}", canary::TOKEN_PREFIX, &canary::key()[canary::PREFIX.len()..]);
    let (place, servers) = need!(place(&token));
    let search = place.sandbox.search();
    for columns in [40, 80, 200] {
        let shown = sign_in(&place, columns);
        assert!(shown.contains("code 0"), "{columns} columns: {shown}");
        assert!(shown.contains("Long-lived") && shown.contains("sk-ant-[not shown]"), "{shown}");
        let joined: String = shown.chars().filter(char::is_ascii_graphic).collect();
        assert!(search.copies(joined.as_bytes()).is_empty(), "{columns} columns: {shown}");
        assert!(shown.contains(" icanon ") && shown.contains(" echo "), "{shown}");
        place.sandbox.assert_clean(&[]);
    }
    let leftovers = std::fs::read_dir("/dev/shm").unwrap().flatten();
    let leftovers: Vec<_> = leftovers
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("claudectl-login-"))
        .collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");

    // Each sign-in made one token, and claudectl itself asked the sign-in servers for nothing.
    let requests = servers.requests();
    let exchanges = requests.iter().filter(|request| request.path() == "/v1/oauth/token");
    assert_eq!(exchanges.count(), 3);
    let status = place.sandbox.ctl(&["status", "--json"]).exited(0).json();
    assert_eq!(status["accounts"][0]["kind"], "subscription", "{status}");
    assert_eq!(status["accounts"][0]["upstream"], "https://api.anthropic.com", "{status}");

    // The genuine client as a session of that account.
    let output = place.claude(&["-p", "hi"]).exited(0);
    assert_eq!(output.stdout.trim(), "Hello from the fake upstream.", "{output:?}");
    let bearer = ("Authorization".to_owned(), format!("Bearer {token}"));
    assert!(servers.messages().iter().all(|request| request.credentials() == [bearer.clone()]));
    place.sandbox.ctl(&["logout", "--all"]);
    place.sandbox.assert_clean(&[]);
}
