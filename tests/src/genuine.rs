//! The genuine Claude Code in a sandbox without a network: only loopback, only the fake upstream.

mod consent;
mod servers;

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

pub use consent::Consent;
use serde_json::{Value, json};
pub use servers::{Issued, Servers, Tools};

use crate::{
    isolation,
    program::Output,
    require::{self, Missing},
    sandbox::{Sandbox, binary},
    upstream::{FakeUpstream, Reply, Request},
    wait::{self, PATIENCE},
};

/// A sandbox with the genuine client behind the shim, and an account of a fake upstream.
#[derive(Debug)]
pub struct Genuine {
    /// The sandbox.
    pub sandbox: Sandbox,
    /// The key of the account `work`.
    pub key: String,
    terminal: Option<PathBuf>,
    /// The process in the terminal.
    shown: u32,
}

impl Genuine {
    /// Makes it, and takes the network away from this thread and what it starts.
    ///
    /// # Errors
    /// Not root, or not fetched.
    pub fn new() -> Result<Self, Missing> {
        let client = require::claude_code()?;
        isolation::private_network()?;
        let mut sandbox = Sandbox::new();
        let bin = sandbox.path("bin");
        fs::create_dir(&bin).expect("a directory");
        for name in ["claude", "claudectl", "claudectld"] {
            symlink(binary(name.as_ref()), bin.join(name)).expect("a link");
        }
        let genuine = sandbox.path("genuine");
        fs::create_dir(&genuine).expect("a directory");
        symlink(client, genuine.join("claude")).expect("a link");
        sandbox.set("PATH", format!("{}:{}:/usr/local/bin:/usr/bin:/bin", bin.display(), genuine.display()));
        let key = sandbox.key();
        let genuine = Self { sandbox, key, terminal: None, shown: 0 };
        genuine.seed();
        Ok(genuine)
    }

    /// A home in which the first questions have been answered.
    fn seed(&self) {
        let work = self.sandbox.path("work");
        let trusted = json!({"hasTrustDialogAccepted": true, "hasCompletedProjectOnboarding": true});
        let state = json!({"hasCompletedOnboarding": true, "theme": "dark", "projects": {work.to_str().expect("a path"): trusted}});
        fs::write(self.sandbox.home().join(".claude.json"), state.to_string()).expect("a file");
    }

    /// An upstream that accepts the key of this place. Plain, on loopback.
    pub fn upstream(&self) -> FakeUpstream {
        FakeUpstream::plain([self.key.as_str()])
    }

    /// Runs `claude` through the shim, as the user would type it.
    #[track_caller]
    pub fn claude(&self, arguments: &[&str]) -> Output {
        let mut command = self.sandbox.command(self.sandbox.path("bin/claude"));
        command.args(arguments);
        self.sandbox.start(command).finish()
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let mut command: Command = self.sandbox.command("/usr/bin/tmux");
        command.arg("-S").arg(self.sandbox.path("tmp/tmux")).args(["-f", "/dev/null"]).args(arguments);
        let output = command.output().expect("tmux runs");
        assert!(output.status.success(), "tmux {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Opens a terminal in which this runs.
    ///
    /// # Errors
    /// No tmux.
    pub fn open_terminal(&mut self, command: &str) -> Result<(), Missing> {
        require::program("tmux")?;
        self.terminal = Some(self.sandbox.path("tmp/tmux"));
        let work = self.sandbox.path("work");
        self.tmux(&[
            "new-session",
            "-d",
            "-x",
            "140",
            "-y",
            "50",
            "-c",
            work.to_str().expect("a path"),
            command,
        ]);
        self.tmux(&["set-option", "-g", "remain-on-exit", "on"]);
        self.shown =
            self.tmux(&["display-message", "-p", "#{pane_pid}"]).trim().parse().expect("a process number");
        Ok(())
    }

    /// Waits until the program in the terminal has ended. The kernel is asked: tmux sometimes does not notice.
    pub fn wait_for_end(&self) {
        wait::process_exit(self.shown);
    }

    /// Closes the terminal, as a user closes its window.
    pub fn close_terminal(&mut self) {
        self.tmux(&["kill-server"]);
        self.terminal = None;
    }

    /// Types text, then the enter key.
    pub fn enter(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
        // Typed in one go it would be taken for a paste; the program shows what it took.
        self.wait_for(text);
        self.tmux(&["send-keys", "Enter"]);
    }

    /// Presses a key by its name in tmux.
    pub fn press(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    /// What the terminal shows now.
    pub fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Waits until the terminal shows `text`; the whole screen then.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        self.wait_until(text, |screen| screen.contains(text))
    }

    /// Waits until the terminal shows what is wanted. A terminal tells nobody that it has changed, so it is
    /// looked at again and again.
    #[track_caller]
    pub fn wait_until(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE * 2;
        loop {
            let screen = self.screen();
            if wanted(&screen) {
                return screen;
            }
            assert!(Instant::now() < deadline, "waited in vain for {what:?} on:\n{screen}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Every file that the client wrote about its sessions.
    pub fn transcripts(&self) -> Vec<(PathBuf, String)> {
        let mut found = Vec::new();
        read_below(&self.sandbox.home().join(".claude/projects"), &mut found);
        found
    }
}

impl Drop for Genuine {
    fn drop(&mut self) {
        if self.terminal.as_ref().is_some_and(|path| path.exists()) {
            let mut command = self.sandbox.command("/usr/bin/tmux");
            command.arg("-S").arg(self.sandbox.path("tmp/tmux")).arg("kill-server");
            let _ = command.output();
        }
    }
}

fn read_below(directory: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            read_below(&path, found);
        } else if let Ok(content) = fs::read(&path) {
            found.push((path, String::from_utf8_lossy(&content).into_owned()));
        }
    }
}

/// Whether a request is the conversation itself (and not a title or a summary on the side).
pub fn is_conversation(request: &Request) -> bool {
    let body = request.json();
    let tools = body["tools"].as_array().is_some_and(|tools| tools.iter().any(|tool| tool["name"] == "Bash"));
    request.path() == "/v1/messages" && tools
}

/// Text of every tool result in a request.
pub fn tool_results(request: &Request) -> String {
    let body = request.json();
    let messages = body["messages"].as_array().cloned().unwrap_or_default();
    let blocks =
        messages.iter().flat_map(|message| message["content"].as_array().cloned().unwrap_or_default());
    let results = blocks.filter(|block| block["type"] == "tool_result");
    results
        .map(|block| block["content"].as_str().map_or_else(|| block["content"].to_string(), str::to_owned))
        .collect()
}

/// A model that calls Bash with this command once, and then says that it is done.
pub fn runs_bash(command: &str) -> impl Fn(&Request) -> Option<Reply> + Send + 'static {
    let input: Value = json!({"command": command, "description": "look around"});
    move |request| {
        if !is_conversation(request) {
            return None;
        }
        Some(if tool_results(request).is_empty() {
            Reply::tool_use("Bash", &input)
        } else {
            Reply::message("I have looked.")
        })
    }
}
