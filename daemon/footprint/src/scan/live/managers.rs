//! Service managers and terminals that hold variables for what they start.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use claudectl_platform::{
    peer::own_uid,
    tree::{Directory, EntryKind},
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
            Answer::Failed => self.gap(Path::new("systemd user manager"), &"it does not answer"),
            Answer::Absent => {}
        }
    }

    pub(super) fn at_tmux(&mut self, place: &'static Place) {
        let parent = self.scope.directory("TMUX_TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp"));
        let directory = parent.join(format!("tmux-{}", own_uid()));
        let entries = Directory::open(&directory).and_then(|found| found.entries()).unwrap_or_default();
        for entry in entries.into_iter().filter(|entry| entry.kind == EntryKind::Other) {
            self.at_tmux_server(place, &directory.join(entry.name));
        }
    }

    fn at_tmux_server(&mut self, place: &'static Place, socket: &Path) {
        let Some(path) = socket.to_str().map(str::to_owned) else { return };
        let Answer::Said(sessions) = self.ask("tmux", &["-S", &path, "list-sessions", "-F", "#{session_id}"])
        else {
            // A socket without a server.
            return;
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
                Answer::Failed => {}
                Answer::Absent => return,
            }
        }
    }

    /// What another program says, if it is here and says anything.
    pub(super) fn said(&self, program: &str, arguments: &[&str]) -> Option<zeroize::Zeroizing<Vec<u8>>> {
        if let Answer::Said(text) = self.ask(program, arguments) { Some(text) } else { None }
    }
}
