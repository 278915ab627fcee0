//! The shape of sessions.

use claudectl_proto::v1::{self, SessionState, Transport};
use serde::Serialize;

/// One session.
#[derive(Debug, Serialize)]
pub struct Session {
    id: String,
    account: String,
    pid: u32,
    program: String,
    directory: String,
    transport: &'static str,
    children: bool,
    state: &'static str,
    opened_at: i64,
    refused_peers: u32,
    usage: Usage,
}

#[derive(Debug, Serialize)]
struct Usage {
    requests: u64,
    request_bytes: u64,
    response_bytes: u64,
    input_tokens: u64,
    output_tokens: u64,
    last_request_at: Option<i64>,
    open_streams: u32,
}

impl From<&v1::Session> for Session {
    fn from(session: &v1::Session) -> Self {
        let usage = session.usage.unwrap_or_default();
        Self {
            id: session.id.clone(),
            account: session.account.clone(),
            pid: session.pid,
            program: session.program.clone(),
            directory: session.directory.clone(),
            transport: match session.transport() {
                Transport::Tcp => "tcp",
                Transport::Unix | Transport::Unspecified => "unix",
            },
            children: session.children,
            state: match session.state() {
                SessionState::Open => "open",
                SessionState::Frozen => "frozen",
                SessionState::LoggedOut => "logged-out",
                SessionState::Ended => "ended",
                SessionState::Unspecified => "unknown",
            },
            opened_at: session.opened_at,
            refused_peers: session.refused_peers,
            usage: Usage {
                requests: usage.requests,
                request_bytes: usage.request_bytes,
                response_bytes: usage.response_bytes,
                input_tokens: usage.input_tokens,
                output_tokens: usage.output_tokens,
                last_request_at: Some(usage.last_request_at).filter(|at| *at > 0),
                open_streams: usage.open_streams,
            },
        }
    }
}

/// Sessions.
#[derive(Debug, Serialize)]
pub struct Sessions {
    sessions: Vec<Session>,
}

impl From<&[v1::Session]> for Sessions {
    fn from(sessions: &[v1::Session]) -> Self {
        Self { sessions: sessions.iter().map(Session::from).collect() }
    }
}

/// A session that a command changed.
#[derive(Debug, Serialize)]
pub struct OneSession {
    /// The session as it is now.
    pub session: Session,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::json::document;

    #[test]
    fn shape_of_sessions() {
        let session = v1::Session {
            id: "00c0ffee".into(),
            account: "work".into(),
            pid: 42,
            program: "claude".into(),
            directory: "/src".into(),
            transport: Transport::Unix.into(),
            state: SessionState::LoggedOut.into(),
            opened_at: 5,
            ..Default::default()
        };
        let line = document("claudectl.sessions/1", &Sessions::from([session].as_slice())).unwrap();
        assert_eq!(
            line,
            concat!(
                r#"{"schema":"claudectl.sessions/1","sessions":[{"id":"00c0ffee","account":"work","pid":42,"#,
                r#""program":"claude","directory":"/src","transport":"unix","children":false,"#,
                r#""state":"logged-out","opened_at":5,"refused_peers":0,"usage":{"requests":0,"#,
                r#""request_bytes":0,"response_bytes":0,"input_tokens":0,"output_tokens":0,"#,
                r#""last_request_at":null,"open_streams":0}}]}"#
            )
        );
    }
}
