//! `AccountService`.

use std::pin::Pin;

use claudectl_core::{
    account::Route,
    command::{BeginLogin, Command, Selection},
    credential::CredentialKind,
    effect::Answer,
    ids::AccountName,
};
use claudectl_proto::v1::{self, account_service_server::AccountService, login_response::Step};
use tokio::sync::mpsc;
use tokio_stream::{Stream, StreamExt as _, wrappers::ReceiverStream};
use tonic::{Request, Response, Status};

use super::{Context, answer, convert, peer, status};
use crate::engine::{Progress, Reply};

#[tonic::async_trait]
impl AccountService for Context {
    type LoginStream = Pin<Box<dyn Stream<Item = Result<v1::LoginResponse, Status>> + Send>>;

    async fn login(&self, request: Request<v1::LoginRequest>) -> Result<Response<Self::LoginStream>, Status> {
        let peer = peer(&request)?;
        let defaults = self.mailbox.view(None).await.map_err(status::gone)?.configuration.config.upstream;
        let begin = begin_login(request.into_inner(), defaults)?;
        let replies = self.mailbox.ask(peer, Command::BeginLogin(begin)).await.map_err(status::gone)?;
        Ok(Response::new(Box::pin(steps(replies))))
    }

    async fn list_accounts(
        &self,
        _: Request<v1::ListAccountsRequest>,
    ) -> Result<Response<v1::ListAccountsResponse>, Status> {
        let view = self.mailbox.view(None).await.map_err(status::gone)?;
        Ok(Response::new(v1::ListAccountsResponse { accounts: convert::accounts(&view.snapshot) }))
    }

    async fn switch_account(
        &self,
        request: Request<v1::SwitchAccountRequest>,
    ) -> Result<Response<v1::SwitchAccountResponse>, Status> {
        let peer = peer(&request)?;
        let account = name(&request.into_inner().account)?;
        match self.ask(peer, Command::SwitchAccount { account }).await? {
            Answer::Switched { account } => {
                let account = Some(convert::account(&account, true, 0));
                Ok(Response::new(v1::SwitchAccountResponse { account }))
            }
            _ => Err(answer::unexpected()),
        }
    }

    async fn logout(
        &self,
        request: Request<v1::LogoutRequest>,
    ) -> Result<Response<v1::LogoutResponse>, Status> {
        let peer = peer(&request)?;
        let selection = selection(&request.into_inner())?;
        match self.ask(peer, Command::LogOut(selection)).await? {
            Answer::LoggedOut { receipt } => {
                let receipt = Some(convert::receipt(&receipt));
                Ok(Response::new(v1::LogoutResponse { receipt }))
            }
            _ => Err(answer::unexpected()),
        }
    }
}

fn steps(replies: mpsc::Receiver<Reply>) -> impl Stream<Item = Result<v1::LoginResponse, Status>> {
    ReceiverStream::new(replies).map(|reply| {
        let step = match reply {
            Reply::Progress(Progress::Intake { path, expires_in }) => {
                Step::Intake(v1::Intake { path, expires_in })
            }
            Reply::Progress(Progress::Checking { upstream }) => Step::Checking(v1::Checking { upstream }),
            Reply::Done(Ok(Answer::LoggedIn { account, is_default, replaced })) => {
                let account = Some(convert::account(&account, is_default, 0));
                Step::LoggedIn(v1::LoggedIn { account, replaced })
            }
            Reply::Done(Err(refusal)) => return Err(status::refused(&refusal)),
            Reply::Done(Ok(_)) | Reply::Progress(Progress::Environment(_)) => {
                return Err(answer::unexpected());
            }
        };
        Ok(v1::LoginResponse { step: Some(step) })
    })
}

fn begin_login(request: v1::LoginRequest, defaults: crate::config::Upstream) -> Result<BeginLogin, Status> {
    let kind = match request.kind() {
        v1::CredentialKind::ApiKey => CredentialKind::ApiKey,
        v1::CredentialKind::Unspecified => {
            return Err(status::invalid("the login does not say what kind of credential it has", ""));
        }
    };
    let route = request.route.unwrap_or_default();
    let named = |text: String| Some(text).filter(|text| !text.is_empty());
    Ok(BeginLogin {
        name: named(request.account).map_or_else(|| name(AccountName::DEFAULT), |account| name(&account))?,
        kind,
        route: Route {
            upstream: named(route.upstream)
                .map_or_else(|| Route::ANTHROPIC.to_owned(), |url| url.trim_end_matches('/').to_owned()),
            proxy: named(route.proxy).or(defaults.proxy),
            ca_file: named(route.ca_file).or(defaults.ca_file),
        },
        check: !request.offline,
    })
}

fn selection(request: &v1::LogoutRequest) -> Result<Selection, Status> {
    match (request.all, request.accounts.as_slice()) {
        (true, []) => Ok(Selection::All),
        (false, []) => Ok(Selection::Default),
        (false, names) => {
            names.iter().map(|account| name(account)).collect::<Result<_, _>>().map(Selection::Named)
        }
        (true, _) => Err(status::invalid("either every account or named ones", "")),
    }
}

fn name(name: &str) -> Result<AccountName, Status> {
    name.parse().map_err(|error| status::invalid(&error, "choose a name like `work`"))
}
