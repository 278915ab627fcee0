//! `SessionService`.

use std::path::PathBuf;

use claudectl_core::{
    command::{Command, OpenSession},
    effect::Answer,
    ids::{AccountName, SessionId},
    session::{Process, Transport},
};
use claudectl_platform::{peer::Peer, process};
use claudectl_proto::v1::{self, session_service_server::SessionService};
use tonic::{Code, Request, Response, Status};

use super::{Context, answer, convert, peer, status};

/// The longest program name or directory that is kept, in bytes.
const LONGEST_TEXT: usize = 4096;

/// A session has no more configuration directories: one for files, one for its login.
const MOST_DIRECTORIES: usize = 2;

#[tonic::async_trait]
impl SessionService for Context {
    async fn open_session(
        &self,
        request: Request<v1::OpenSessionRequest>,
    ) -> Result<Response<v1::OpenSessionResponse>, Status> {
        let peer = peer(&request)?;
        let mut request = request.into_inner();
        self.tell_guard(std::mem::take(&mut request.config_directories));
        let open = Command::OpenSession(open_session(peer, request)?);
        match self.ask_with_environment(peer, open).await? {
            (Answer::SessionOpened { session }, environment) => Ok(Response::new(v1::OpenSessionResponse {
                session: Some(convert::session(&session, None)),
                environment: environment.into_iter().map(variable).collect(),
            })),
            _ => Err(answer::unexpected()),
        }
    }

    async fn list_sessions(
        &self,
        _: Request<v1::ListSessionsRequest>,
    ) -> Result<Response<v1::ListSessionsResponse>, Status> {
        let view = self.mailbox.view(None).await.map_err(status::gone)?;
        let sessions = convert::sessions(&view.snapshot, &view.readings);
        Ok(Response::new(v1::ListSessionsResponse { sessions }))
    }

    async fn move_session(
        &self,
        request: Request<v1::MoveSessionRequest>,
    ) -> Result<Response<v1::MoveSessionResponse>, Status> {
        let peer = peer(&request)?;
        let request = request.into_inner();
        let session = session_id(&request.session)?;
        let account = request.account.parse().map_err(|error| status::invalid(&error, ""))?;
        match self.ask(peer, Command::MoveSession { session, account }).await? {
            Answer::SessionMoved { session } => {
                let session = Some(convert::session(&session, None));
                Ok(Response::new(v1::MoveSessionResponse { session }))
            }
            _ => Err(answer::unexpected()),
        }
    }

    async fn end_session(
        &self,
        request: Request<v1::EndSessionRequest>,
    ) -> Result<Response<v1::EndSessionResponse>, Status> {
        let peer = peer(&request)?;
        let session = session_id(&request.into_inner().session)?;
        match self.ask(peer, Command::EndSession { session }).await? {
            Answer::SessionEnded { session } => {
                let session = Some(convert::session(&session, None));
                Ok(Response::new(v1::EndSessionResponse { session }))
            }
            _ => Err(answer::unexpected()),
        }
    }
}

impl Context {
    /// Where Claude Code keeps its files in this session, if anybody says so. It is no reason not to open one if the guard has too
    /// much to do to hear of it.
    fn tell_guard(&self, directories: Vec<String>) {
        let directories = directories.into_iter().take(MOST_DIRECTORIES).map(PathBuf::from);
        let is_sound = |path: &PathBuf| path.is_absolute() && path.as_os_str().len() <= LONGEST_TEXT;
        let _ = self.guard.try_send(directories.filter(is_sound).collect());
    }
}

fn open_session(peer: Peer, request: v1::OpenSessionRequest) -> Result<OpenSession, Status> {
    let transport = match request.transport() {
        v1::Transport::Unix | v1::Transport::Unspecified => Transport::Unix,
        v1::Transport::Tcp => Transport::Tcp,
    };
    let account = Some(request.account).filter(|account| !account.is_empty());
    let account = account.map(|name| name.parse::<AccountName>()).transpose();
    let unknown = |error| {
        let message = format!("process {} cannot be identified: {error}", peer.pid);
        claudectl_proto::reason::status(Code::FailedPrecondition, v1::Reason::UnknownPeer, message, "")
    };
    let core = |process: process::Process| Process { pid: process.pid, started: process.started };
    let id = crate::random::number().map_err(unknown)?;
    Ok(OpenSession {
        id: SessionId(id),
        process: process::identify(peer.pid).map(core).map_err(unknown)?,
        terminal: process::terminal_leader(peer.pid).map_err(unknown)?.map(core),
        account: account.map_err(|error| status::invalid(&error, ""))?,
        transport,
        children: request.children,
        genuine: request.genuine,
        program: bounded(request.program),
        directory: directory(peer, request.directory),
    })
}

fn session_id(text: &str) -> Result<SessionId, Status> {
    text.parse().map_err(|_| {
        status::invalid("a session is named by 8 hexadecimal digits", "`claudectl sessions` lists them")
    })
}

/// Where the process really is, as far as the kernel tells; else what it says.
fn directory(peer: Peer, claimed: String) -> String {
    let seen = process::directory(peer.pid).ok().and_then(|path| path.into_os_string().into_string().ok());
    bounded(seen.unwrap_or(claimed))
}

fn bounded(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(LONGEST_TEXT));
    text
}

fn variable((name, value): (&'static str, String)) -> v1::EnvironmentVariable {
    v1::EnvironmentVariable { name: name.to_owned(), value }
}
