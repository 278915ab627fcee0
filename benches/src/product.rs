//! The product: a daemon in a place of its own, spoken to as its clients do.

use std::{
    ffi::OsString,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use claudectl_proto::{
    client::{self, Channel},
    endpoint::Endpoints,
    v1::{
        self, account_service_client::AccountServiceClient, login_response::Step,
        session_service_client::SessionServiceClient,
    },
};
use tokio::runtime::Runtime;

use crate::place::{self, Place, Running, built};

/// Looks like a key and is none.
pub(crate) const KEY: &str =
    "sk-ant-api03-TESTbenchmarkTESTbenchmarkTESTbenchmarkTESTbenchmarkTESTbenchmarkTEST-TESTTESTAA";

/// A running daemon.
#[derive(Debug)]
pub(crate) struct Product {
    pub(crate) place: Place,
    pub(crate) daemon: Running,
    runtime: Runtime,
}

impl Product {
    /// Starts one that holds nothing; `None` if it is not built or does not come up.
    pub(crate) fn start() -> Option<Self> {
        let place = Place::new();
        let program = built("CLAUDECTLD")?;
        let socket = endpoints(&place.path("run/claudectl")).control().ok()?;
        let daemon = place::server(place.command(program), &socket)?;
        Some(Self { place, daemon, runtime: runtime() })
    }

    /// The directory of its sockets.
    pub(crate) fn sockets(&self) -> PathBuf {
        self.place.path("run/claudectl")
    }

    /// Runs what speaks to the daemon.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// A connection to the daemon.
    pub(crate) fn channel(&self) -> Channel {
        self.block_on(connect(&self.sockets()))
    }

    /// Logs an account in, unchecked.
    pub(crate) fn login(&self, account: &str, upstream: &str, ca_file: &str) {
        let channel = self.channel();
        self.block_on(login(channel, account, upstream, ca_file));
    }

    /// Opens a session for this process; returns its API socket.
    pub(crate) fn session(&self, account: &str) -> PathBuf {
        let channel = self.channel();
        self.block_on(open(channel, account)).into()
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn endpoints(sockets: &Path) -> Endpoints {
    Endpoints::within(sockets.to_owned())
}

async fn connect(sockets: &Path) -> Channel {
    let control = endpoints(sockets).control().expect("a short path");
    Channel::connect(&control).await.expect("the daemon answers")
}

async fn login(channel: Channel, account: &str, upstream: &str, ca_file: &str) {
    let request = v1::LoginRequest {
        account: account.to_owned(),
        kind: v1::CredentialKind::ApiKey.into(),
        route: Some(v1::Route {
            upstream: upstream.to_owned(),
            ca_file: ca_file.to_owned(),
            proxy: String::new(),
        }),
        offline: true,
        ..v1::LoginRequest::default()
    };
    let mut steps = AccountServiceClient::new(channel).login(request).await.expect("a login").into_inner();
    while let Some(answer) = steps.message().await.expect("the login goes on") {
        if let Some(Step::Intake(intake)) = answer.step {
            client::hand_over(Path::new(&intake.path), KEY.as_bytes()).await.expect("the intake socket");
        }
    }
}

async fn open(channel: Channel, account: &str) -> String {
    let request = v1::OpenSessionRequest {
        account: account.to_owned(),
        transport: v1::Transport::Unix.into(),
        program: "bench".to_owned(),
        ..v1::OpenSessionRequest::default()
    };
    let answer = SessionServiceClient::new(channel).open_session(request).await.expect("a session");
    let variables = answer.into_inner().environment;
    let socket = variables.into_iter().find(|variable| variable.name == "ANTHROPIC_UNIX_SOCKET");
    socket.expect("an API socket").value
}

/// The role `session`: opens a session for this process, then becomes `program`.
pub(crate) fn become_session(sockets: &str, program: &str) {
    runtime().block_on(async { open(connect(Path::new(sockets)).await, "").await });
    let error = Command::new(program).env_clear().exec();
    panic!("{program}: {error}");
}

/// A command that starts a program of our own as a session.
pub(crate) fn session_command(product: &Product, program: &Path) -> Command {
    let mut command = product.place.command(std::env::current_exe().expect("this program"));
    let arguments: [OsString; 3] = ["session".into(), product.sockets().into(), program.into()];
    command.args(arguments);
    command
}
