//! `AccountService`.

use std::pin::Pin;

use claudectl_core::{
    account::{Account, Grant, Route, Way},
    command::{BeginLogin, Command, Selection},
    credential::CredentialKind,
    effect::Answer,
    ids::AccountName,
};
use claudectl_proto::v1::{self, account_service_server::AccountService, login_response::Step};
use tokio::sync::mpsc;
use tokio_stream::{Stream, StreamExt as _, wrappers::ReceiverStream};
use tonic::{Request, Response, Status};

use super::{Context, answer, convert, peer, recognize, status};
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

    async fn seal_accounts(
        &self,
        request: Request<v1::SealAccountsRequest>,
    ) -> Result<Response<v1::SealAccountsResponse>, Status> {
        let peer = peer(&request)?;
        let v1::SealAccountsRequest { accounts, all } = request.into_inner();
        match self.ask(peer, Command::Seal(selection(&accounts, all)?)).await? {
            Answer::Sealed { accounts } => {
                Ok(Response::new(v1::SealAccountsResponse { accounts: self.told(&accounts).await? }))
            }
            _ => Err(answer::unexpected()),
        }
    }

    async fn unseal_accounts(
        &self,
        request: Request<v1::UnsealAccountsRequest>,
    ) -> Result<Response<v1::UnsealAccountsResponse>, Status> {
        let peer = peer(&request)?;
        let v1::UnsealAccountsRequest { accounts, all } = request.into_inner();
        match self.ask(peer, Command::Unseal(selection(&accounts, all)?)).await? {
            Answer::Unsealed { accounts } => {
                Ok(Response::new(v1::UnsealAccountsResponse { accounts: self.told(&accounts).await? }))
            }
            _ => Err(answer::unexpected()),
        }
    }

    async fn logout(
        &self,
        request: Request<v1::LogoutRequest>,
    ) -> Result<Response<v1::LogoutResponse>, Status> {
        let peer = peer(&request)?;
        let v1::LogoutRequest { accounts, all } = request.into_inner();
        let selection = selection(&accounts, all)?;
        match self.ask(peer, Command::LogOut(selection)).await? {
            Answer::LoggedOut { receipt } => {
                let receipt = Some(convert::receipt(&receipt));
                Ok(Response::new(v1::LogoutResponse { receipt }))
            }
            _ => Err(answer::unexpected()),
        }
    }

    async fn recognize_credentials(
        &self,
        request: Request<v1::RecognizeCredentialsRequest>,
    ) -> Result<Response<v1::RecognizeCredentialsResponse>, Status> {
        let found = recognize::found(request.into_inner())?;
        let recognition = self.mailbox.recognize(found).await.map_err(status::gone)?;
        Ok(Response::new(recognize::answer(recognition.map_err(status::too_many)?)))
    }
}

fn steps(replies: mpsc::Receiver<Reply>) -> impl Stream<Item = Result<v1::LoginResponse, Status>> {
    ReceiverStream::new(replies).map(|reply| {
        let step = match reply {
            Reply::Progress(Progress::Intake { path, expires_in }) => {
                Step::Intake(v1::Intake { path, expires_in })
            }
            Reply::Progress(Progress::Checking { upstream }) => Step::Checking(v1::Checking { upstream }),
            Reply::Progress(Progress::SignIn(sign_in)) => Step::SignIn(convert::sign_in(sign_in)),
            Reply::Progress(Progress::Exchanging { origin }) => Step::Exchanging(v1::Exchanging { origin }),
            Reply::Progress(Progress::Storing { expires_in }) => Step::Storing(v1::Storing { expires_in }),
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
    let (kind, way) = (kind(&request)?, way(&request)?);
    if (kind == CredentialKind::Oauth) == (way == Way::HandOver) {
        return Err(status::invalid(
            "only a login with OAuth names an authorization server or a gateway",
            "",
        ));
    }
    let route = request.route.unwrap_or_default();
    Ok(BeginLogin {
        name: named(request.account).map_or_else(|| name(AccountName::DEFAULT), |account| name(&account))?,
        kind,
        way,
        route: Route {
            upstream: named(route.upstream)
                .map_or_else(|| Route::ANTHROPIC.to_owned(), |url| url.trim_end_matches('/').to_owned()),
            proxy: named(route.proxy).or(defaults.proxy),
            ca_file: named(route.ca_file).or(defaults.ca_file),
        },
        plan: plan(request.plan)?,
        // Whoever issued a token just now accepts it; and a subscription is for the genuine client alone.
        check: !request.offline && kind == CredentialKind::ApiKey,
        keep: request.keep,
    })
}

fn kind(request: &v1::LoginRequest) -> Result<CredentialKind, Status> {
    match request.kind() {
        v1::CredentialKind::ApiKey => Ok(CredentialKind::ApiKey),
        v1::CredentialKind::Oauth => Ok(CredentialKind::Oauth),
        v1::CredentialKind::Subscription => Ok(CredentialKind::Subscription),
        v1::CredentialKind::Unspecified => {
            Err(status::invalid("the login does not say what kind of credential it has", ""))
        }
    }
}

fn way(request: &v1::LoginRequest) -> Result<Way, Status> {
    let grant = match request.grant() {
        v1::Grant::Unspecified | v1::Grant::Browser => Grant::Browser,
        v1::Grant::Paste => Grant::Paste,
        v1::Grant::Device => Grant::Device,
    };
    match (named(request.authority.clone()), named(request.gateway.clone())) {
        (None, None) => Ok(Way::HandOver),
        (Some(authority), None) => Ok(Way::Authorize { authority, grant }),
        (None, Some(url)) => {
            let url = url.trim_end_matches('/').to_owned();
            Ok(Way::Gateway { url, accepted: named(request.fingerprint.clone()) })
        }
        (Some(_), Some(_)) => Err(status::invalid("either an authorization server or a gateway", "")),
    }
}

/// A plan ends up in the environment of sessions.
fn plan(plan: String) -> Result<Option<String>, Status> {
    match named(plan) {
        Some(plan) if !["pro", "max", "team", "enterprise"].contains(&plan.as_str()) => {
            Err(status::invalid("a plan is pro, max, team or enterprise", ""))
        }
        plan => Ok(plan),
    }
}

fn named(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

impl Context {
    /// These accounts as they are now.
    async fn told(&self, accounts: &[Account]) -> Result<Vec<v1::Account>, Status> {
        let view = self.mailbox.view(None).await.map_err(status::gone)?;
        let mut all = convert::accounts(&view.snapshot);
        all.retain(|known| accounts.iter().any(|account| account.name.as_str() == known.name));
        Ok(all)
    }
}

fn selection(accounts: &[String], all: bool) -> Result<Selection, Status> {
    match (all, accounts) {
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
