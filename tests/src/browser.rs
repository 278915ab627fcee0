//! Debian's Chromium, headless, with a profile of its own, driven over its debugging pipe: no port that
//! anybody else could connect to, and no protocol library.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use nix::{sys::stat::Mode, unistd::mkfifo};
use serde_json::{Value, json};

use crate::{program::Program, sandbox::Sandbox, wait::PATIENCE};

/// What keeps it to itself.
const FLAGS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
    // No name is looked up: whatever is not on loopback is nowhere.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--remote-debugging-pipe",
];

/// A running browser with one page. Ended when dropped.
pub struct Browser {
    program: Program,
    commands: File,
    messages: mpsc::Receiver<Value>,
    session: String,
    next: u64,
    profile: PathBuf,
}

impl Browser {
    /// Starts it in a sandbox, at this size in pixels.
    pub fn start(sandbox: &Sandbox, chromium: &Path, width: u32, height: u32) -> Self {
        let profile = sandbox.path("chromium");
        let (input, output) = (fifo(sandbox, "chromium-in"), fifo(sandbox, "chromium-out"));
        let mut command = sandbox.command("/bin/sh");
        // It reads commands from descriptor 3 and answers on descriptor 4.
        command.args(["-c", "in=$1 out=$2; shift 2; exec \"$@\" 3<\"$in\" 4>\"$out\"", "sh"]);
        command.args([&input.0, &output.0]).arg(chromium).args(FLAGS);
        command.arg(format!("--user-data-dir={}", profile.display()));
        command.arg(format!("--window-size={width},{height}")).arg("about:blank");
        let program = sandbox.start(command);
        let messages = listen(output.1);
        let mut browser =
            Self { program, commands: input.1, messages, session: String::new(), next: 0, profile };
        let target = browser.call("Target.createTarget", &json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = browser.call("Target.attachToTarget", &attach);
        session["sessionId"].as_str().expect("a session").clone_into(&mut browser.session);
        browser.call("Page.enable", &json!({}));
        browser
    }

    /// Calls a method of the debugging protocol; fails the test if that fails.
    pub fn call(&mut self, method: &str, params: &Value) -> Value {
        self.next += 1;
        let id = self.next;
        let mut message = json!({"id": id, "method": method, "params": params});
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        self.commands.write_all(format!("{message}\0").as_bytes()).expect("a browser that reads");
        loop {
            let answer = self.messages.recv_timeout(PATIENCE).unwrap_or_else(|error| {
                panic!("{method}: {error}; chromium said:\n{}", self.program.stderr())
            });
            if answer["id"] == json!(id) {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
        }
    }

    /// Opens a page.
    pub fn open(&mut self, url: &str) {
        let opened = self.call("Page.navigate", &json!({"url": url}));
        assert!(opened["errorText"].is_null(), "{url}: {opened}");
    }

    /// What an expression says on the page as it is now; `null` while there is none.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true});
        self.call("Runtime.evaluate", &params)["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    pub fn wait_until(&mut self, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.evaluate(expression) != json!(true) {
            assert!(
                Instant::now() < deadline,
                "waited in vain for {expression} at {}: {}",
                self.address(),
                self.text()
            );
            // The browser tells of no event that would do for every page.
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// What the address bar shows.
    pub fn address(&mut self) -> String {
        self.evaluate("location.href").as_str().unwrap_or_default().to_owned()
    }

    /// The text of the page.
    pub fn text(&mut self) -> String {
        let text = self.evaluate("document.body ? document.body.innerText : ''");
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Every address that its back button leads to, and the one it is at.
    pub fn history(&mut self) -> Vec<String> {
        let history = self.call("Page.getNavigationHistory", &json!({}));
        let entries = history["entries"].as_array().expect("entries").clone();
        let address = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        entries.iter().flat_map(|entry| [address(entry, "url"), address(entry, "userTypedURL")]).collect()
    }

    /// Takes a picture, in the light or in the dark.
    pub fn picture(&mut self, path: &Path, scheme: &str) {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", &features);
        let picture = self.call("Page.captureScreenshot", &json!({"format": "png"}));
        let bytes = STANDARD.decode(picture["data"].as_str().expect("a picture")).expect("base64");
        std::fs::write(path, bytes).expect("a writable place");
    }

    /// Closes it, so that everything it keeps is in its profile: where that is.
    pub fn close(mut self) -> PathBuf {
        self.session.clear();
        self.call("Browser.close", &json!({}));
        self.program.wait();
        self.profile.clone()
    }
}

/// A pipe with a name, open at both ends so that nobody waits for the other.
fn fifo(sandbox: &Sandbox, name: &str) -> (PathBuf, File) {
    let path = sandbox.path(name);
    mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).expect("a new pipe");
    let file = OpenOptions::new().read(true).write(true).custom_flags(nix::libc::O_CLOEXEC).open(&path);
    (path, file.expect("the pipe"))
}

/// Reads messages, which end with a zero byte each.
fn listen(output: File) -> mpsc::Receiver<Value> {
    let (sender, messages) = mpsc::channel();
    let output = Arc::new(output);
    thread::spawn(move || {
        let mut reader = BufReader::new(&*output);
        let mut message = Vec::new();
        while reader.read_until(0, &mut message).is_ok_and(|count| count > 0) {
            message.pop();
            let Ok(value) = serde_json::from_slice(&message) else { return };
            if sender.send(value).is_err() {
                return;
            }
            message.clear();
        }
    });
    messages
}
