//! Service managers and terminals that hold variables for what they start.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use claudectl_platform::{
    peer::own_uid,
    tree::{Directory, EntryKind, LookError},
};

use super::super::{
    ask::{Answer, ask},
    look::Look,
};
use crate::{
    catalog::{
        Place,
        environment::{VARIABLES, kind},
    },
    finding::Holder,
};

/// More tmux servers of one user are not asked: each may take seconds.
const MOST_SERVERS: usize = 32;

impl Look<'_> {
    fn ask(&self, program: &str, arguments: &[&str]) -> Answer {
        let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
        ask(&self.scope.programs, program, &arguments, &self.scope.variables)
    }

    pub(super) fn at_systemd(&mut self, place: &'static Place) {
        // Without a user manager there is none to ask; one that does not answer is a gap.
        let manager = self.scope.directory("XDG_RUNTIME_DIR").map(|path| path.join("systemd/private"));
        if !manager.is_some_and(|socket| socket.exists()) {
            return;
        }
        match self.ask("systemctl", &["--user", "show-environment"]) {
            Answer::Said(text) => self.lines(place, &Holder::SystemdUser, &text),
            Answer::Failed | Answer::Silent => {
                self.gap(Path::new("systemd user manager"), &"it does not answer");
            }
            Answer::Absent => {}
        }
    }

    /// A server can have its client run programs: only one that this user alone can have started is asked.
    pub(super) fn at_tmux(&mut self, place: &'static Place) {
        let parent = self.scope.directory("TMUX_TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp"));
        let name = PathBuf::from(format!("tmux-{}", own_uid()));
        let directory = parent.join(&name);
        let opened = Directory::open(&parent).map_err(LookError::from).and_then(|at| at.directory(&name));
        let sockets = match opened {
            Ok(opened) if opened.is_private().unwrap_or(false) => opened.entries().unwrap_or_default(),
            Ok(_) => return self.gap(&directory, &"others can reach into it: its servers are not asked"),
            Err(error) if error.is_absent() => return,
            Err(error) => return self.gap(&directory, &error),
        };
        let sockets = sockets.into_iter().filter(|entry| entry.kind == EntryKind::Other);
        for (number, socket) in sockets.enumerate() {
            if number == MOST_SERVERS {
                return self.gap(&directory, &format!("only {MOST_SERVERS} servers are asked"));
            }
            self.at_tmux_server(place, &directory.join(socket.name));
        }
    }

    fn at_tmux_server(&mut self, place: &'static Place, socket: &Path) {
        let Some(path) = socket.to_str().map(str::to_owned) else { return };
        let sessions = match self.ask("tmux", &["-S", &path, "list-sessions", "-F", "#{session_id}"]) {
            Answer::Said(sessions) => sessions,
            // A socket without a server.
            Answer::Failed | Answer::Absent => return,
            Answer::Silent => return self.gap(socket, &"the tmux server does not answer"),
        };
        let mut wanted = vec![None];
        wanted.extend(String::from_utf8_lossy(&sessions).lines().map(|session| Some(session.to_owned())));
        for session in wanted {
            let target = match &session {
                Some(session) => vec!["-S", &path, "show-environment", "-t", session],
                None => vec!["-S", &path, "show-environment", "-g"],
            };
            match self.ask("tmux", &target) {
                Answer::Said(text) => {
                    self.lines(place, &Holder::Tmux { socket: socket.to_owned(), session }, &text);
                }
                _ => self.gap(socket, &"the tmux server does not answer"),
            }
        }
    }

    pub(super) fn at_launchd(&mut self, place: &'static Place) {
        for variable in VARIABLES.iter().filter(|variable| kind(variable.name).is_some()) {
            match self.ask("launchctl", &["getenv", variable.name]) {
                Answer::Said(text) => {
                    self.variable(place, &Holder::Launchd, variable.name, text.trim_ascii_end(), None);
                }
                // One that is not set.
                Answer::Failed => {}
                Answer::Silent => return self.gap(Path::new("launchd"), &"it does not answer"),
                Answer::Absent => return,
            }
        }
    }

    /// What another program says, if it is here. One that does not say anything is a gap.
    pub(super) fn said(&mut self, program: &str, arguments: &[&str]) -> Option<zeroize::Zeroizing<Vec<u8>>> {
        match self.ask(program, arguments) {
            Answer::Said(text) => Some(text),
            Answer::Absent => None,
            Answer::Failed | Answer::Silent => {
                self.gap(Path::new(program), &"it does not answer");
                None
            }
        }
    }
}
