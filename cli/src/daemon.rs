//! The daemon as a client sees it.

mod recognition;

use std::{future::Future, time::Duration};

use claudectl_proto::{
    client::{Channel, ConnectError},
    endpoint::Endpoints,
    v1::{
        GetStatusRequest, Place, Status, account_service_client::AccountServiceClient,
        daemon_service_client::DaemonServiceClient, session_service_client::SessionServiceClient,
    },
};

use crate::{args::Environment, error::Error, exit::Exit, kept::Kept, process::start};

pub use recognition::{Recognition, recognize};

/// How long a call that waits for nobody else may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest answer that is taken, in bytes: the status of 10,000 sessions and room.
const LONGEST_ANSWER: usize = 32 * 1024 * 1024;

/// A connection to the daemon.
#[derive(Debug, Clone)]
pub struct Daemon {
    channel: Channel,
}

impl Daemon {
    /// The daemon, if one runs.
    ///
    /// # Errors
    /// Everything but that none runs.
    pub async fn find(environment: &Environment) -> Result<Option<Self>, Error> {
        Self::find_at(&environment.endpoints()?).await
    }

    /// The daemon, started if none runs.
    ///
    /// # Errors
    /// If it cannot be started, or connected to.
    pub async fn find_or_start(environment: &Environment) -> Result<Self, Error> {
        let endpoints = environment.endpoints()?;
        if let Some(daemon) = Self::find_at(&endpoints).await? {
            return Ok(daemon);
        }
        let _lock = start::lock(&endpoints)?;
        // Whoever held the lock before us has started it.
        if let Some(daemon) = Self::find_at(&endpoints).await? {
            return Ok(daemon);
        }
        start::start(environment)?;
        Self::find_at(&endpoints).await?.ok_or_else(|| {
            Error::new("claudectld started and is gone again")
                .exiting(Exit::NoDaemon)
                .hint("claudectl doctor")
        })
    }

    /// The daemon, also started if the OS keyring may keep accounts. `None`: nothing is held, and nothing
    /// is kept.
    ///
    /// # Errors
    /// If it cannot be started, or connected to.
    pub async fn find_or_start_for(kept: &Kept, environment: &Environment) -> Result<Option<Self>, Error> {
        if kept.is_nothing() {
            Self::find(environment).await
        } else {
            Self::find_or_start(environment).await.map(Some)
        }
    }

    /// The daemon that listens there, if one does.
    ///
    /// # Errors
    /// Everything but that none does.
    pub async fn find_at(endpoints: &Endpoints) -> Result<Option<Self>, Error> {
        match in_time(async { Ok(Channel::connect(&endpoints.control()?).await) }).await? {
            Ok(channel) => Ok(Some(Self { channel })),
            Err(ConnectError::NoDaemon(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Its accounts.
    pub fn accounts(&self) -> AccountServiceClient<Channel> {
        AccountServiceClient::new(self.channel.clone())
    }

    /// Its sessions.
    pub fn sessions(&self) -> SessionServiceClient<Channel> {
        SessionServiceClient::new(self.channel.clone()).max_decoding_message_size(LONGEST_ANSWER)
    }

    /// Itself.
    pub fn itself(&self) -> DaemonServiceClient<Channel> {
        DaemonServiceClient::new(self.channel.clone()).max_decoding_message_size(LONGEST_ANSWER)
    }

    /// What it holds, and how well.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn status(&self) -> Result<Status, Error> {
        self.status_of(None).await
    }

    /// The same, and what a session in this place would get.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn status_of(&self, place: Option<Place>) -> Result<Status, Error> {
        let mut client = self.itself();
        let answer = in_time(async { Ok(client.get_status(GetStatusRequest { place }).await?) }).await?;
        answer.into_inner().status.ok_or_else(|| Error::new("claudectld answered without a status"))
    }
}

/// The same, but not for ever.
///
/// # Errors
/// If it takes too long.
pub async fn in_time<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    within(PATIENCE, work).await
}

/// The same, for a call that waits for somebody else.
///
/// # Errors
/// If it takes too long.
pub async fn within<T>(time: Duration, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::time::timeout(time, work).await.unwrap_or_else(|_| {
        Err(Error::new(format!("claudectld did not answer within {} seconds", time.as_secs()))
            .exiting(Exit::NoDaemon)
            .hint("end its process, and log in again"))
    })
}
