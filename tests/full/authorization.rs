//! Signing in at an OpenID server that is not ours, with a real browser, as a person would.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use claudectl_tests::{
    authority::{CLIENT, Form, encode},
    browser::Browser,
    need,
    program::Program,
    require,
    sandbox::Sandbox,
    session::Session,
    upstream::FakeUpstream,
    wait,
};
use serde_json::{Value, json};

/// The server, for one test.
struct Provider {
    program: Program,
    issuer: String,
}

impl Provider {
    fn start(sandbox: &Sandbox, module: &Path, modes: &str) -> Self {
        let mut command = sandbox.command(require::program("node").unwrap());
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("full/provider.mjs"));
        command.env("OIDC_PROVIDER", module).env("NODE_NO_WARNINGS", "1");
        if !modes.is_empty() {
            command.env("RESPONSE_MODES", modes);
        }
        let mut program = sandbox.start(command);
        let issuer = loop {
            if let Some(issuer) = program.line().strip_prefix("READY ") {
                break issuer.to_owned();
            }
        };
        Self { program, issuer }
    }

    /// Every secret that it has given out so far, by kind.
    fn secrets(&self) -> BTreeMap<String, Vec<String>> {
        let mut secrets = BTreeMap::<_, Vec<_>>::new();
        for line in self.program.stdout().lines() {
            if let Some((kind, value)) = line.strip_prefix("SECRET ").and_then(|rest| rest.split_once(' ')) {
                secrets.entry(kind.to_owned()).or_default().push(value.to_owned());
            }
        }
        secrets
    }

    /// Whether a token is good, as the server itself says (RFC 7662).
    fn is_active(&self, token: &str) -> bool {
        let form = Form::from(
            [("token", token), ("client_id", "introspector"), ("client_secret", "TESTINTROSPECTORSECRET")]
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let host = self.issuer.strip_prefix("http://").unwrap();
        let body = encode(&form);
        let mut stream = TcpStream::connect(host).unwrap();
        write!(
            stream,
            "POST /token/introspection HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        let active: Value = serde_json::from_str(answer.lines().last().unwrap()).unwrap();
        active["active"].as_bool().unwrap()
    }
}

/// A person with a browser.
struct Person {
    browser: Browser,
}

impl Person {
    fn new(sandbox: &Sandbox, chromium: &Path) -> Self {
        Self { browser: Browser::start(sandbox, chromium, 900, 760) }
    }

    /// Opens the page and signs in: fills in what is asked for and agrees, until the page says `end`. The form
    /// that brings the code sends itself.
    fn sign_in(&mut self, url: &str, end: &str) {
        self.browser.open(url);
        let step = format!(
            "(() => {{ if (document.readyState !== 'complete' || !document.body) return false;
                if (document.body.innerText.includes({end:?})) return true;
                const form = [...document.forms].find((form) => !form.dataset.sent && !form.action.endsWith('/callback'));
                if (!form) return false;
                if (form.elements.login) {{ form.elements.login.value = 'ada'; form.elements.password.value = 'x'; }}
                form.dataset.sent = 'yes';
                (form.querySelector('[type=submit]:not([name=abort])') ?? {{ click: () => form.submit() }}).click();
                return false; }})()"
        );
        self.browser.wait_until(&step);
    }
}

/// Where pictures are kept for people to look at.
fn gallery() -> PathBuf {
    let gallery = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("signed-in");
    fs::create_dir_all(&gallery).unwrap();
    gallery
}

/// A sandbox whose default browser writes down what it is to open, and opens nothing.
fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::new();
    let programs = sandbox.path("bin");
    fs::create_dir(&programs).unwrap();
    let script =
        format!("#!/bin/sh\nprintf %s \"$1\" >{0}.new && mv {0}.new {0}\n", sandbox.path("opened").display());
    fs::write(programs.join("xdg-open"), script).unwrap();
    fs::set_permissions(programs.join("xdg-open"), fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.set("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", programs.display()));
    sandbox
}

fn configure(sandbox: &Sandbox, provider: &Provider, upstream: &FakeUpstream) {
    sandbox.configure(&format!(
        "[authorization_server.acme]\nissuer = \"{}\"\nclient_id = \"{CLIENT}\"\n\
         scopes = [\"openid\", \"email\", \"profile\", \"offline_access\"]\nupstream = \"{}\"\n",
        provider.issuer,
        upstream.url()
    ));
}

/// The address that the client had the default browser open.
fn opened(sandbox: &Sandbox) -> String {
    let path = sandbox.path("opened");
    wait::path_presence(&path, true);
    fs::read_to_string(path).unwrap()
}

/// Uses the account, logs it out, and asks the server itself what is left of it.
fn use_and_log_out(sandbox: &Sandbox, provider: &Provider, upstream: &FakeUpstream) {
    let mut session = Session::open(sandbox, &["--account", "work"]);
    let answer = session.message();
    assert_eq!(answer["status"], 200, "{answer}");
    let access = provider.secrets()["access"].last().unwrap().clone();
    let refresh = provider.secrets()["refresh"].last().unwrap().clone();
    let carried = upstream.messages().pop().unwrap().credentials();
    assert_eq!(carried, [("Authorization".to_owned(), format!("Bearer {access}"))]);
    assert!(provider.is_active(&access) && provider.is_active(&refresh));

    let receipt = sandbox.ctl(&["logout", "work", "--json"]).exited(0).json();
    assert_eq!(receipt["proven"], true, "{receipt}");
    assert!(!provider.is_active(&access) && !provider.is_active(&refresh), "{receipt}");
    let answer = session.message();
    assert_eq!(answer["status"], 401, "{answer}");
}

/// Nothing that the server gave out is in a file of the sandbox: no log, no output, no browser's profile. A
/// spent code may be in the `history`.
fn assert_nothing_written(sandbox: &Sandbox, provider: &Provider, history: Option<&Path>) {
    for file in files(&sandbox.path("")) {
        let bytes = fs::read(&file).unwrap_or_default();
        // What the server says to the test is the one place where it says it.
        if bytes.starts_with(b"READY ") {
            continue;
        }
        for (kind, values) in provider.secrets() {
            let is_spent = kind == "code" && history.is_some_and(|history| file.starts_with(history));
            for value in values.iter().filter(|_| !is_spent) {
                let is_there = bytes.windows(value.len()).any(|window| window == value.as_bytes());
                assert!(!is_there, "{kind} in {}", file.display());
            }
        }
    }
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&entry.path())),
            Ok(kind) if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
    found
}

#[test]
fn in_a_browser_from_the_first_page_to_a_dead_token() {
    let (chromium, module) = (need!(require::program("chromium")), need!(require::oidc_provider()));
    let sandbox = sandbox();
    let (provider, upstream) = (Provider::start(&sandbox, &module, ""), FakeUpstream::plain([]));
    upstream.accept_everything();
    configure(&sandbox, &provider, &upstream);
    let mut person = Person::new(&sandbox, &chromium);
    let mut command = sandbox.command("claudectl");
    command.args(["login", "work", "--via", "acme", "--json"]);
    let login = sandbox.start(command);
    let url = opened(&sandbox);
    assert!(login.stderr().contains(&url), "{}", login.stderr());
    person.sign_in(&url, "Signed in");

    let text = person.browser.text();
    for words in ["work", "ada@acme.example", "Acme Research", &provider.issuer, "You can close this window"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    for (scheme, name) in [("light", "signed-in-light.png"), ("dark", "signed-in-dark.png")] {
        person.browser.picture(&gallery().join(name), scheme);
    }
    let address = person.browser.address();
    assert!(address.starts_with("http://127.0.0.1:") && address.ends_with("/signed-in"), "{address}");
    for address in person.browser.history() {
        assert!(!address.contains("code="), "{address}");
    }
    let account = login.finish().exited(0).json();
    assert_eq!(account["account"]["name"], "work", "{account}");
    let status = sandbox.ctl(&["status", "--json"]).exited(0).stdout;
    assert!(status.contains("ada@acme.example") && status.contains("Acme Research"), "{status}");
    use_and_log_out(&sandbox, &provider, &upstream);
    person.browser.close();
    assert_nothing_written(&sandbox, &provider, None);
}

#[test]
fn where_the_code_can_only_come_in_an_address_it_does_not_stay_there() {
    let (chromium, module) = (need!(require::program("chromium")), need!(require::oidc_provider()));
    let sandbox = sandbox();
    let (provider, upstream) = (Provider::start(&sandbox, &module, "query"), FakeUpstream::plain([]));
    upstream.accept_everything();
    configure(&sandbox, &provider, &upstream);
    let mut person = Person::new(&sandbox, &chromium);
    let mut command = sandbox.command("claudectl");
    command.args(["login", "work", "--via", "acme"]);
    let login = sandbox.start(command);
    person.sign_in(&opened(&sandbox), "Signed in");
    login.finish().exited(0);
    let address = person.browser.address();
    assert!(address.ends_with("/signed-in"), "{address}");
    for address in person.browser.history() {
        assert!(!address.contains("code="), "{address}");
    }
    use_and_log_out(&sandbox, &provider, &upstream);
    // Chromium notes every redirect in its own records, also this one: the code in it was spent long before.
    let profile = person.browser.close();
    assert_nothing_written(&sandbox, &provider, Some(&profile));
}

#[test]
fn a_person_who_says_no_reads_what_to_do() {
    let (chromium, module) = (need!(require::program("chromium")), need!(require::oidc_provider()));
    let sandbox = sandbox();
    let (provider, upstream) = (Provider::start(&sandbox, &module, ""), FakeUpstream::plain([]));
    configure(&sandbox, &provider, &upstream);
    let mut person = Person::new(&sandbox, &chromium);
    let mut command = sandbox.command("claudectl");
    command.args(["login", "work", "--via", "acme"]);
    let login = sandbox.start(command);
    person.browser.open(&opened(&sandbox));
    // The page of the server has a link that cancels.
    person.browser.wait_until("!!document.querySelector('a[href$=\"/abort\"]')");
    person.browser.evaluate("document.querySelector('a[href$=\"/abort\"]').click()");
    person.browser.wait_until("!!document.body && document.body.innerText.includes('Not signed in')");
    let text = person.browser.text();
    assert!(text.contains("claudectl login work --via acme"), "{text}");
    for (scheme, name) in [("light", "not-signed-in-light.png"), ("dark", "not-signed-in-dark.png")] {
        person.browser.picture(&gallery().join(name), scheme);
    }
    let output = login.finish();
    assert_ne!(output.code, 0);
    assert!(output.stderr.contains("denied"), "{}", output.stderr);
    assert_eq!(sandbox.ctl(&["accounts", "--json"]).exited(0).json()["accounts"], json!([]));
}

#[test]
fn with_a_code_on_another_device() {
    let (chromium, module) = (need!(require::program("chromium")), need!(require::oidc_provider()));
    let sandbox = sandbox();
    let (provider, upstream) = (Provider::start(&sandbox, &module, ""), FakeUpstream::plain([]));
    upstream.accept_everything();
    configure(&sandbox, &provider, &upstream);
    let mut person = Person::new(&sandbox, &chromium);
    let mut command = sandbox.command("claudectl");
    command.args(["login", "work", "--via", "acme", "--device"]);
    let login = sandbox.start(command);
    login.wait_for_error("user_code=");
    let told = login.stderr();
    let page = told.split_whitespace().find(|word| word.contains("user_code=")).unwrap().to_owned();
    person.sign_in(&page, "Sign-in Success");
    login.finish().exited(0);
    use_and_log_out(&sandbox, &provider, &upstream);
    person.browser.close();
    assert_nothing_written(&sandbox, &provider, None);
}
