//! `DaemonService`.

use std::pin::Pin;

use claudectl_proto::v1::{self, daemon_service_server::DaemonService};
use tokio_stream::{Stream, StreamExt as _, wrappers::WatchStream};
use tonic::{Request, Response, Status};

use super::{Context, convert, status};
use crate::engine::Place;

#[tonic::async_trait]
impl DaemonService for Context {
    type WatchStatusStream = Pin<Box<dyn Stream<Item = Result<v1::WatchStatusResponse, Status>> + Send>>;

    async fn get_status(
        &self,
        request: Request<v1::GetStatusRequest>,
    ) -> Result<Response<v1::GetStatusResponse>, Status> {
        let place = place(request.into_inner().place)?;
        Ok(Response::new(v1::GetStatusResponse { status: Some(self.status(place).await?) }))
    }

    async fn watch_status(
        &self,
        request: Request<v1::WatchStatusRequest>,
    ) -> Result<Response<Self::WatchStatusStream>, Status> {
        let place = place(request.into_inner().place)?;
        // The stream starts with the value as it is now, so the first message is the current state.
        let context = self.clone();
        let statuses = WatchStream::new(self.mailbox.changes()).then(move |_| {
            let (context, place) = (context.clone(), place.clone());
            async move { Ok(v1::WatchStatusResponse { status: Some(context.status(place).await?) }) }
        });
        Ok(Response::new(Box::pin(statuses)))
    }

    async fn reload(&self, _: Request<v1::ReloadRequest>) -> Result<Response<v1::ReloadResponse>, Status> {
        let outcome = self.mailbox.reload().await.map_err(status::gone)?;
        let configuration = outcome.map_err(status::bad_configuration)?;
        let configuration = Some(convert::configuration(&configuration));
        Ok(Response::new(v1::ReloadResponse { configuration }))
    }
}

impl Context {
    async fn status(&self, place: Option<Place>) -> Result<v1::Status, Status> {
        let view = self.mailbox.view(place).await.map_err(status::gone)?;
        Ok(v1::Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            started_at: self.facts.started_at,
            accounts: convert::accounts(&view.snapshot),
            default_account: view.snapshot.default.as_ref().map(ToString::to_string).unwrap_or_default(),
            sessions: convert::sessions(&view.snapshot, &view.readings),
            protections: self.facts.protections.iter().map(convert::protection).collect(),
            configuration: Some(convert::configuration(&view.configuration)),
            desktop_watched: view.snapshot.lock_purges && !view.snapshot.sources.is_empty(),
            desktop_sources: view.snapshot.sources.iter().map(ToString::to_string).collect(),
            sightings: view.snapshot.sightings.iter().map(convert::desktop::sighting).collect(),
            reactions: convert::desktop::reactions(&view.snapshot),
            idle_minutes: convert::desktop::whole(view.snapshot.policy.idle_after, 60),
            login_hours: convert::desktop::whole(view.snapshot.policy.login_lifetime, 3600),
            record: Some(convert::desktop::record(&self.facts.record, &view.record)),
            footprints: Some(convert::desktop::footprints(&view.snapshot)),
            strays: view.strays.into_iter().map(convert::stray).collect(),
            here: view.here.as_ref().map(convert::here),
        })
    }
}

fn place(place: Option<v1::Place>) -> Result<Option<Place>, Status> {
    let Some(v1::Place { directory, account }) = place else { return Ok(None) };
    let account = Some(account).filter(|account| !account.is_empty()).map(|account| account.parse());
    let account = account.transpose().map_err(|error| status::invalid(&error, ""))?;
    Ok(Some(Place { directory, account }))
}
