//! A session under test: `claudectl run … session-program`, driven over its input and output.

use std::{
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{
    program::{Output, Program},
    sandbox::{Sandbox, binary},
};

/// A running session.
#[derive(Debug)]
pub struct Session {
    program: Program,
}

impl Session {
    /// Opens a session with these arguments of `claudectl run`.
    #[track_caller]
    pub fn open(sandbox: &Sandbox, arguments: &[&str]) -> Self {
        let mut command = sandbox.command("claudectl");
        command.arg("run").args(arguments).arg("--").arg(binary("session-program".as_ref()));
        let mut session = Self { program: sandbox.start(command) };
        // Its first answer shows that it was executed.
        session.environment();
        session
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.program.pid()
    }

    /// Has it do something; what came of it.
    #[track_caller]
    pub fn ask(&mut self, what: &Value) -> Value {
        self.begin(what);
        self.answer()
    }

    /// Has it begin something.
    pub fn begin(&mut self, what: &Value) {
        self.program.write(format!("{what}\n").as_bytes());
    }

    /// What came of what it began.
    #[track_caller]
    pub fn answer(&mut self) -> Value {
        let line = self.program.line();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line:?}"))
    }

    /// Its environment.
    #[track_caller]
    pub fn environment(&mut self) -> Value {
        self.ask(&json!({"do": "environment"}))
    }

    /// Its API socket.
    #[track_caller]
    pub fn socket(&mut self) -> PathBuf {
        let environment = self.environment();
        environment["variables"]["ANTHROPIC_UNIX_SOCKET"].as_str().expect("a session with a socket").into()
    }

    /// Sends a message; what came back.
    #[track_caller]
    pub fn message(&mut self) -> Value {
        self.ask(&message("request"))
    }

    /// Sends a message and reads the beginning of the streamed reply.
    #[track_caller]
    pub fn open_stream(&mut self) -> Value {
        self.ask(&message("open"))
    }

    /// Reads the rest of the stream.
    #[track_caller]
    pub fn drain(&mut self) -> Value {
        self.ask(&json!({"do": "drain"}))
    }

    /// What the program itself wrote to standard error (and `claudectl run` before it).
    pub fn stderr(&self) -> String {
        self.program.stderr()
    }

    /// The program.
    pub fn program(&mut self) -> &mut Program {
        &mut self.program
    }

    /// Ends the program by closing its input.
    #[track_caller]
    pub fn finish(self) -> Output {
        self.program.finish()
    }
}

/// A request for a streamed message, to do as `request`, `open` or `child`.
pub fn message(what: &str) -> Value {
    let body = json!({"model": "claude-test", "max_tokens": 16, "stream": true, "messages": [{"role": "user", "content": "hi"}]});
    json!({"do": what, "method": "POST", "path": "/v1/messages", "body": body.to_string()})
}

/// Sends a request to an API socket from this process, which owns no session; all that came back.
pub fn ask_socket(socket: &Path, request: &str) -> String {
    let mut stream = UnixStream::connect(socket).expect("an API socket");
    // The other side may refuse before it has read everything.
    let _ = stream.write_all(request.as_bytes());
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}
