//! What went wrong, for people and for programs.

use std::{
    fmt::{self, Write as _},
    io,
};

use claudectl_platform::directories::DirectoryError;
use claudectl_proto::{client::ConnectError, endpoint::PathTooLong, reason::Failure, v1::Reason};
use tonic::{Code, Status};

use crate::{
    exit::Exit,
    output::{self, text::Plain},
};

/// What, why, and what to do about it. Never holds any of a credential.
#[derive(Debug, Clone, PartialEq)]
pub struct Error {
    what: String,
    why: Option<String>,
    hint: Option<String>,
    reason: Option<Reason>,
    exit: Exit,
    json: bool,
    silent: bool,
}

impl Error {
    /// A failure, to be told more about with the methods below.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            why: None,
            hint: None,
            reason: None,
            exit: Exit::Failed,
            json: false,
            silent: false,
        }
    }

    /// The command was asked wrongly.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(what).exiting(Exit::Usage)
    }

    /// No account that could be used is logged in.
    pub fn login_needed() -> Self {
        Self::new("no account is logged in").exiting(Exit::LoginNeeded).hint("claudectl login")
    }

    /// Why it went wrong.
    #[must_use]
    pub fn because(mut self, why: &impl fmt::Display) -> Self {
        self.why = Some(why.to_string());
        self
    }

    /// What to do about it; an empty hint is none.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into()).filter(|hint| !hint.is_empty());
        self
    }

    /// How the process ends.
    #[must_use]
    pub fn exiting(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// Whether it is reported as JSON.
    #[must_use]
    pub fn as_json(mut self, json: bool) -> Self {
        self.json = json;
        self
    }

    /// How the process ends.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Why, as the daemon gave it.
    pub fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// The lines for people, harmless on a terminal.
    pub fn text(&self) -> String {
        let mut text = format!("error: {}", Plain(&self.what));
        if let Some(why) = &self.why {
            let _ = write!(text, ": {}", Plain(why));
        }
        if let Some(hint) = &self.hint {
            let _ = write!(text, "\nhint: {}", Plain(hint));
        }
        text
    }

    /// What and why in one line, for a place where it is told as a part of something else. Not harmless yet.
    pub fn sentence(&self) -> String {
        match &self.why {
            Some(why) => format!("{}: {why}", self.what),
            None => self.what.clone(),
        }
    }

    /// Tells it, and says how the process ends.
    pub fn report(&self) -> Exit {
        if self.silent {
            return Exit::Ok;
        }
        if self.json {
            output::json::write_error(&self.sentence(), self.hint.as_deref(), self.reason, self.exit);
        } else {
            output::complain(&self.text());
        }
        self.exit
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        let Failure { code, reason, message, hint } = Failure::from(&status);
        let error = match (code, reason) {
            (Code::Unimplemented, _) => Self::new("this claudectld does not know that call")
                .because(&message)
                .hint("client and daemon have different versions: log out, end the daemon and try again"),
            (Code::Unavailable | Code::Unknown, Reason::Unspecified) => {
                Self::new("claudectld hung up").because(&message).exiting(Exit::NoDaemon)
            }
            _ if message.is_empty() => Self::new(format!("claudectld failed ({code:?})")),
            _ => Self::new(message),
        };
        let exit = if reason == Reason::Unspecified { error.exit } else { reason.into() };
        let error = if hint.is_empty() { error } else { error.hint(hint) };
        Self { reason: Some(reason), ..error.exiting(exit) }
    }
}

impl From<ConnectError> for Error {
    fn from(error: ConnectError) -> Self {
        let told = Self::new(error.to_string());
        match error {
            ConnectError::NoDaemon(_) => told.exiting(Exit::NoDaemon).hint("`claudectl login` starts one"),
            ConnectError::Foreign { .. } => told.hint(
                "somebody else took the place of your daemon: do not type a key; look at that directory",
            ),
            ConnectError::Protocol { .. } => {
                told.hint("client and daemon may have different versions: end the daemon and try again")
            }
            ConnectError::Io { .. } => told,
        }
    }
}

impl From<PathTooLong> for Error {
    fn from(error: PathTooLong) -> Self {
        Self::new(error.to_string()).hint(PathTooLong::HINT)
    }
}

impl From<DirectoryError> for Error {
    fn from(error: DirectoryError) -> Self {
        Self::new(error.to_string()).hint(error.hint())
    }
}

/// An error of our own output.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        // Whoever reads our output stopped reading: not worth a word.
        let silent = error.kind() == io::ErrorKind::BrokenPipe;
        Self { silent, ..Self::new("could not write the result").because(&error) }
    }
}

#[cfg(test)]
mod tests {
    use claudectl_proto::reason;

    use super::*;

    #[test]
    fn says_what_why_and_what_to_do() {
        let error = Error::new("no such thing").because(&"it is gone").hint("make one");
        assert_eq!(error.text(), "error: no such thing: it is gone\nhint: make one");
    }

    #[test]
    fn server_text_cannot_speak_to_the_terminal() {
        let status =
            reason::status(Code::NotFound, Reason::UnknownSession, "no \u{1b}[2J\u{202e}session", "a\nb");
        let text = Error::from(status).text();
        assert_eq!(text, "error: no \\u{1b}[2J\\u{202e}session\nhint: a\\nb");
    }

    #[test]
    fn reasons_decide_the_exit_code() {
        let of = |reason| Error::from(reason::status(Code::FailedPrecondition, reason, "x", "")).exit();
        assert_eq!(of(Reason::NotLoggedIn), Exit::LoginNeeded);
        assert_eq!(of(Reason::InvalidArgument), Exit::Usage);
        assert_eq!(of(Reason::Unspecified), Exit::Failed);
    }

    #[test]
    fn another_version_is_named_and_no_success() {
        let error = Error::from(Status::unimplemented("unknown service"));
        assert_eq!(error.exit(), Exit::Failed);
        assert!(error.text().contains("different versions"), "{}", error.text());
    }
}
