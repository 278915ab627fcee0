//! A home in which the genuine client signed in in each of its ways, against a fake of its servers, and was
//! used. In namespaces of its own: no network but loopback, no processes but its own.
//!
//! What is written where is printed (`--nocapture`). Seen with 2.1.330:
//!
//! | What was done | Where it is then |
//! |---|---|
//! | `auth login --claudeai`, `--sso` | both tokens in `.credentials.json` of the configuration directory, the account in `.claude.json` |
//! | `auth login` with a refresh token in the environment | the same |
//! | `auth login --console` | `primaryApiKey` and the end of the key in `.claude.json`, a minute later in `backups/`; its tokens nowhere |
//! | `setup-token` | nowhere but on the screen; whoever needs it puts it into a profile |
//! | a key in a profile, approved in the dialog | its end in `.claude.json`; typed into a prompt, in `history.jsonl` and the transcript |
//! | `apiKeyHelper` | the command in `settings.json`; what it prints nowhere |
//! | `mcp login` | both tokens in `.credentials.json`, beside the login |
//! | a tool that prints a credential | the transcript |
//!
//! Codes and verifiers are in no file at any time. A gateway's login is not among these: it needs
//! a gateway; what it stores is sown in `src/seed`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use claudectl_tests::{
    canary::Search,
    genuine::{Consent, Genuine, Servers, Tools, runs_bash},
    isolation::private_processes,
    need,
    require::Missing,
    terminal::Terminal,
    upstream::Reply,
};
use serde_json::{Value, json};

/// Directories in which the client was used; the first is its own.
const DIRECTORIES: [Option<&str>; 5] =
    [None, Some(".claude-console"), Some(".claude-sso"), Some(".claude-headless"), Some(".claude-helper")];

/// A home that was used, and who issued what is in it.
struct Used {
    place: Genuine,
    servers: Servers,
    tools: Tools,
    /// Refresh tokens of the logins that the client can revoke.
    logins: Vec<String>,
    /// What is in the home, by name.
    secrets: Vec<(&'static str, String)>,
}

fn place() -> Result<(Used, Consent), Missing> {
    let mut place = Genuine::new()?;
    let servers = Servers::start(&mut place)?;
    let consent = Consent::new(&mut place.sandbox);
    let tools = Tools::start();
    Ok((Used { place, servers, tools, logins: Vec::new(), secrets: Vec::new() }, consent))
}

impl Used {
    /// The client, which needs a terminal for some of it.
    fn program(&self) -> Command {
        self.place.sandbox.command(self.client())
    }

    fn client(&self) -> PathBuf {
        self.place.sandbox.path("genuine/claude")
    }

    /// A login to a subscription, and a tool that prints all of it into the transcript.
    fn subscription(&mut self, consent: &Consent, directory: Option<&str>, kind: &'static str) {
        let issued = self.servers.issue(&self.place);
        self.place.sign_in(consent, directory, kind, &issued);
        let home = self.place.sandbox.home();
        let shown = home.join(directory.unwrap_or(".claude")).join(".credentials.json");
        self.servers.upstream().model(runs_bash(&format!("cat {}", shown.display())));
        self.prompt(directory);
        self.secrets.extend([
            ("access token", issued.access),
            ("refresh token", issued.refresh.clone()),
            ("code of a login", issued.code),
        ]);
        self.logins.push(issued.refresh);
    }

    /// A login to the Console, which makes a key; and a backup, which the client makes when a minute is over.
    fn console(&mut self, consent: &Consent) {
        let (directory, home) = (".claude-console", self.place.sandbox.home().join(".claude-console"));
        let (issued, key) = self.servers.issue_key(&self.place);
        self.place.sign_in(consent, Some(directory), "--console", &issued);
        for entry in fs::read_dir(home.join("backups")).unwrap().flatten() {
            fs::rename(entry.path(), entry.path().with_file_name(".claude.json.backup.1763900000000"))
                .unwrap();
        }
        self.prompt(Some(directory));
        self.secrets.push(("key that the Console login made", key));
    }

    /// As a machine without a browser signs in, with a refresh token that somebody gave it.
    fn headless(&mut self) {
        let issued = self.servers.issue(&self.place);
        let mut command = self.program();
        command.args(["auth", "login"]);
        command.env("CLAUDE_CONFIG_DIR", self.place.sandbox.home().join(".claude-headless"));
        command.env("CLAUDE_CODE_OAUTH_REFRESH_TOKEN", &issued.refresh);
        command.env("CLAUDE_CODE_OAUTH_SCOPES", "user:inference user:profile");
        self.place.sandbox.start(command).finish().exited(0);
        self.prompt(Some(".claude-headless"));
        self.secrets.push(("headless refresh token", issued.refresh.clone()));
        self.logins.push(issued.refresh);
    }

    /// A helper that prints a key.
    fn helper(&mut self) {
        let (home, key) = (self.place.sandbox.home(), self.place.sandbox.key());
        self.servers.upstream().accept(&key);
        for directory in [".claude-helper", ".config/anthropic"] {
            fs::create_dir_all(home.join(directory)).unwrap();
        }
        fs::write(home.join(".config/anthropic/key"), &key).unwrap();
        let settings = json!({"apiKeyHelper": "cat ~/.config/anthropic/key", "model": "opus"});
        fs::write(home.join(".claude-helper/settings.json"), settings.to_string()).unwrap();
        self.prompt(Some(".claude-helper"));
        self.secrets.push(("key of a helper", key));
    }

    /// A key in a profile, which the client asks about once; typed into a prompt, too.
    fn approved_key(&mut self) -> Result<(), Missing> {
        let (home, key) = (self.place.sandbox.home(), self.place.key.clone());
        fs::write(home.join(".profile"), format!("umask 077\nexport ANTHROPIC_API_KEY={key}\n")).unwrap();
        self.place.open_terminal(&format!("/bin/sh -lc 'exec {}'", self.client().display()))?;
        self.place.wait_for("Do you want to use this API key?");
        self.place.press("Up");
        self.place.press("Enter");
        self.place.wait_for("Claude Code v");
        self.servers.upstream().model(|_| None);
        self.place.enter(&format!("my key is {key}"));
        self.place.wait_for("Hello from the fake upstream.");
        self.place.close_terminal();
        // It goes on to write down what it cost.
        self.place.wait_for_end();
        self.secrets.push(("approved key", key));
        Ok(())
    }

    /// The grant of a server of tools.
    fn grant(&mut self, consent: &Consent) {
        let url = self.tools.url();
        let add = ["mcp", "add", "--scope", "user", "--transport", "http", "tools", &url];
        self.place.client(None, &add).finish().exited(0);
        let mut terminal = Terminal::start(self.program().args(["mcp", "login", "tools"]));
        consent.given(&self.tools.issued.code);
        assert_eq!(terminal.wait(), 0, "{}", terminal.shown());
    }

    /// A token for a year, which a person puts into a profile.
    fn long_lived(&mut self, consent: &Consent) {
        let issued = self.servers.issue(&self.place);
        let mut terminal = Terminal::start(self.program().arg("setup-token"));
        consent.given(&issued.code);
        assert_eq!(terminal.wait(), 0, "{}", terminal.shown());
        let line = format!("alias ll='ls -l'\nexport CLAUDE_CODE_OAUTH_TOKEN={}\n", issued.access);
        fs::write(self.place.sandbox.home().join(".bashrc"), line).unwrap();
        self.secrets.push(("token for a year", issued.access));
    }

    fn prompt(&self, directory: Option<&str>) {
        let answered =
            self.place.client(directory, &["-p", "look", "--allowedTools", "Bash"]).finish().exited(0);
        assert_eq!(answered.stdout.trim(), "I have looked.", "{answered:?}");
    }

    /// Which secret is in which file.
    fn told(&self) {
        let home = self.place.sandbox.home();
        for (name, secret) in &self.secrets {
            for path in Search::new([secret.as_str()]).files(&home) {
                println!("{name}: {}", path.strip_prefix(&home).unwrap_or(Path::new("?")).display());
            }
        }
    }

    /// Everything that it can be used for.
    fn in_every_way(&mut self, consent: &Consent) -> Result<(), Missing> {
        self.subscription(consent, None, "--claudeai");
        self.subscription(consent, Some(".claude-sso"), "--sso");
        self.console(consent);
        self.headless();
        self.grant(consent);
        self.long_lived(consent);
        self.helper();
        self.approved_key()?;
        self.told();
        self.servers.verifiers().iter().for_each(|verifier| self.place.sandbox.look_for(verifier));
        Ok(())
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.place.sandbox.home().join(name)).unwrap()).unwrap()
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.place.sandbox.home().join(name)).unwrap()
    }

    /// The client asks for a login, wherever it was used.
    fn assert_logged_out(&self) {
        for directory in DIRECTORIES {
            let status = self.place.client(directory, &["auth", "status"]).finish().exited(1);
            assert_eq!(status.json()["loggedIn"], false, "{status:?}");
            let refused = self.place.client(directory, &["-p", "hi"]).finish();
            assert!(refused.code != 0 && refused.stdout.contains("Not logged in"), "{refused:?}");
        }
    }

    fn assert_transcripts_are_whole(&self) {
        for (path, text) in self.place.transcripts() {
            for line in text.lines().filter(|line| !line.is_empty()) {
                serde_json::from_str::<Value>(line)
                    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            }
        }
    }
}

fn items<'a>(receipt: &'a Value, what: &str) -> Vec<&'a Value> {
    receipt["items"].as_array().unwrap().iter().filter(|item| item["what"] == what).collect()
}

#[test]
fn after_every_kind_of_login_nothing_is_left() {
    if !need!(private_processes("purge::logins::after_every_kind_of_login_nothing_is_left")) {
        return;
    }
    let (mut used, consent) = need!(place());
    need!(used.in_every_way(&consent));
    let (state, grants) =
        (used.json(".claude.json"), used.json(".claude/.credentials.json")["mcpOAuth"].clone());
    assert!(grants.to_string().contains(&used.tools.issued.refresh), "{grants}");

    let receipt = used.place.sandbox.ctl(&["purge", "--yes", "--json"]).exited(0).json();
    let logins = items(&receipt, "login of Claude Code");
    assert_eq!(logins.len(), used.logins.len(), "{receipt}");
    for login in logins {
        assert_eq!(login["outcome"], "proven", "{receipt}");
        assert!(login["proof"].as_str().unwrap().contains("the server confirmed"), "{receipt}");
    }
    // It is the server that says so: the client asked for each of its logins, and for nothing else.
    let (mut asked, mut issued) = (used.servers.revoked(), used.logins.clone());
    asked.sort();
    issued.sort();
    assert_eq!(asked, issued);
    used.place.sandbox.assert_clean(&[]);
    used.assert_transcripts_are_whole();

    // What is none of it is as it was.
    assert_eq!(used.json(".claude/.credentials.json"), json!({"mcpOAuth": grants}));
    for member in ["mcpServers", "projects", "machineID", "userID", "hasCompletedOnboarding"] {
        assert_eq!(used.json(".claude.json")[member], state[member], "{member}");
    }
    assert_eq!(used.json(".claude-helper/settings.json"), json!({"model": "opus"}));
    assert_eq!(used.text(".profile"), "umask 077\n");
    assert_eq!(used.text(".bashrc"), "alias ll='ls -l'\n");
    used.assert_logged_out();
    used.place.sandbox.assert_clean(&[]);

    // The grant of the other service goes only when that is asked for.
    used.tools.issued.look_for(&used.place.sandbox);
    used.tools.verifiers().iter().for_each(|verifier| used.place.sandbox.look_for(verifier));
    used.place.sandbox.ctl(&["purge", "--yes", "--everything"]).exited(0);
    used.place.sandbox.assert_clean(&[]);
}

#[test]
fn a_revocation_that_the_server_does_not_confirm_is_not_called_proven() {
    let name = "purge::logins::a_revocation_that_the_server_does_not_confirm_is_not_called_proven";
    if !need!(private_processes(name)) {
        return;
    }
    let (mut used, consent) = need!(place());
    used.subscription(&consent, None, "--claudeai");
    used.servers.answer_revocations(Reply::status(503, "api_error", "not now"));
    let receipt = used.place.sandbox.ctl(&["purge", "--yes", "--json"]).exited(6).json();
    let unproven: Vec<_> =
        receipt["items"].as_array().unwrap().iter().filter(|item| item["outcome"] == "unproven").collect();
    // The receipt says that, and nothing else is open.
    assert_eq!(unproven.len(), 1, "{receipt}");
    assert_eq!(unproven[0]["action"], "its own `claude auth logout`", "{receipt}");
    assert!(unproven[0]["proof"].as_str().unwrap().contains("did not confirm"), "{receipt}");
    assert!(unproven[0]["by"].as_str().unwrap().contains("https://claude.ai/settings"), "{receipt}");
    assert!(used.servers.revoked().contains(&used.logins[0]), "it was asked for");
    used.place.sandbox.assert_clean(&[]);
    let status = used.place.client(None, &["auth", "status"]).finish().exited(1);
    assert_eq!(status.json()["loggedIn"], false, "{status:?}");
}
