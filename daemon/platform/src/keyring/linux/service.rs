//! What the store of the keyring family cannot say without asking the person: what is there, what is
//! locked. And the prompt, which it waits for without end (Secret Service API draft, freedesktop.org).

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use tokio::time::timeout;
use zbus::{
    Connection, MatchRule, Message, MessageStream, connection,
    zvariant::{DynamicType, ObjectPath, OwnedObjectPath, OwnedValue, Value},
};

use super::super::{KeyringError, Patience, Unlock};

const NAME: &str = "org.freedesktop.secrets";
const PATH: &str = "/org/freedesktop/secrets";
const SERVICE: &str = "org.freedesktop.Secret.Service";
const ITEM: &str = "org.freedesktop.Secret.Item";
const PROMPT: &str = "org.freedesktop.Secret.Prompt";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const BUS: &str = "org.freedesktop.DBus";
const UNKNOWN: &str = "org.freedesktop.DBus.Error.UnknownMethod";
/// The path that stands for none.
const NONE: &str = "/";

/// The keyring service, on a connection of its own.
#[derive(Debug)]
pub(super) struct Service {
    connection: Connection,
    patience: Patience,
}

/// Entries that were found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) unlocked: Vec<OwnedObjectPath>,
    pub(super) locked: Vec<OwnedObjectPath>,
}

impl Service {
    /// Connects to the bus that it is on.
    pub(super) async fn connect(bus: &str, patience: Patience) -> Result<Self, KeyringError> {
        let absent = |error: zbus::Error| KeyringError::Absent { why: error.to_string() };
        let connecting = connection::Builder::address(bus).map_err(absent)?.build();
        let connection = timeout(patience.answer, connecting).await.map_err(|_| timed_out(patience))?;
        Ok(Self { connection: connection.map_err(absent)?, patience })
    }

    /// Gives the keyring no longer than it may take.
    pub(super) async fn bounded<T>(
        &self,
        answer: impl Future<Output = Result<T, KeyringError>>,
    ) -> Result<T, KeyringError> {
        timeout(self.patience.answer, answer).await.unwrap_or_else(|_| Err(timed_out(self.patience)))
    }

    /// Every entry with these attributes.
    pub(super) async fn search(&self, attributes: &[(&str, &str)]) -> Result<Found, KeyringError> {
        let attributes: BTreeMap<_, _> = attributes.iter().copied().collect();
        let answer = self.call(PATH, SERVICE, "SearchItems", &(attributes,)).await?;
        let (unlocked, locked) = answer.body().deserialize()?;
        Ok(Found { unlocked, locked })
    }

    /// One attribute of an entry, if the keyring tells it.
    pub(super) async fn attribute(
        &self,
        item: &OwnedObjectPath,
        name: &str,
    ) -> Result<Option<String>, KeyringError> {
        let answer = self.call(item, PROPERTIES, "Get", &(ITEM, "Attributes")).await?;
        let body = answer.body();
        let Value::Dict(attributes) = body.deserialize::<Value<'_>>()? else { return Ok(None) };
        attributes.get::<_, String>(&name).map_err(|error| zbus::Error::from(error).into())
    }

    /// Where new entries go.
    pub(super) async fn default_collection(&self) -> Result<Option<OwnedObjectPath>, KeyringError> {
        let answer = self.call(PATH, SERVICE, "ReadAlias", &("default",)).await?;
        let collection: OwnedObjectPath = answer.body().deserialize()?;
        Ok((collection.as_str() != NONE).then_some(collection))
    }

    /// Makes one, which the person gives a password.
    pub(super) async fn create_default_collection(&self, unlock: Unlock<'_>) -> Result<(), KeyringError> {
        let label =
            BTreeMap::from([("org.freedesktop.Secret.Collection.Label", Value::from("Default keyring"))]);
        let answer = self.bounded(self.call(PATH, SERVICE, "CreateCollection", &(label, "default"))).await?;
        let (_, prompt): (OwnedObjectPath, OwnedObjectPath) = answer.body().deserialize()?;
        self.settle(prompt, unlock).await
    }

    /// Unlocks these objects.
    pub(super) async fn unlock(
        &self,
        objects: &[OwnedObjectPath],
        unlock: Unlock<'_>,
    ) -> Result<(), KeyringError> {
        if objects.is_empty() {
            return Ok(());
        }
        let answer = self.bounded(self.call(PATH, SERVICE, "Unlock", &(objects,))).await?;
        let (_, prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) = answer.body().deserialize()?;
        self.settle(prompt, unlock).await
    }

    /// Has the person asked, if need be and if that is wanted. A prompt that nobody answered goes with the
    /// connection: to dismiss it crashes gnome-keyring 42.
    async fn settle(&self, prompt: OwnedObjectPath, unlock: Unlock<'_>) -> Result<(), KeyringError> {
        if prompt.as_str() == NONE {
            return Ok(());
        }
        let Unlock::Ask(told) = unlock else { return Err(KeyringError::Locked) };
        told();
        let unanswered = KeyringError::PromptUnanswered { after: self.patience.person };
        timeout(self.patience.person, self.ask(&prompt)).await.unwrap_or(Err(unanswered))
    }

    async fn ask(&self, prompt: &OwnedObjectPath) -> Result<(), KeyringError> {
        // Listen first: a prompt that cannot be shown is over before the call returns.
        let completed = MatchRule::builder()
            .msg_type(zbus::message::Type::Signal)
            .path(prompt.as_str())
            .and_then(|rule| rule.interface(PROMPT)?.member("Completed"));
        let mut completed = self.listen(completed).await?;
        let owner = MatchRule::builder()
            .msg_type(zbus::message::Type::Signal)
            .sender(BUS)
            .and_then(|rule| rule.member("NameOwnerChanged")?.arg(0, NAME));
        let mut gone = self.listen(owner).await?;
        self.bounded(self.call(prompt, PROMPT, "Prompt", &("",))).await?;
        tokio::select! {
            answer = completed.next() => {
                let answer = answer.ok_or_else(vanished)??;
                let (dismissed, _): (bool, OwnedValue) = answer.body().deserialize()?;
                if dismissed { Err(KeyringError::PromptDismissed) } else { Ok(()) }
            }
            _ = gone.next() => Err(vanished()),
        }
    }

    async fn listen(
        &self,
        rule: zbus::Result<zbus::match_rule::Builder<'_>>,
    ) -> Result<MessageStream, KeyringError> {
        Ok(MessageStream::for_match_rule(rule?.build().to_owned(), &self.connection, None).await?)
    }

    async fn call(
        &self,
        object: impl TryInto<ObjectPath<'_>, Error: Into<zbus::Error>>,
        interface: &str,
        method: &str,
        body: &(impl serde::Serialize + DynamicType),
    ) -> Result<Message, KeyringError> {
        let object = object.try_into().map_err(Into::into)?;
        let call = || self.connection.call_method(Some(NAME), &object, Some(interface), method, body);
        match call().await {
            // gnome-keyring 42 may say so to the first call of a connection, before it knows it.
            Err(zbus::Error::MethodError(name, ..)) if name.as_str() == UNKNOWN => call().await,
            answer => answer,
        }
        .map_err(refused)
    }
}

/// Nobody is there, or it refused.
fn refused(error: zbus::Error) -> KeyringError {
    let zbus::Error::MethodError(name, text, _) = &error else { return error.into() };
    let why = text.clone().unwrap_or_else(|| name.to_string());
    match name.as_str() {
        "org.freedesktop.DBus.Error.ServiceUnknown" | "org.freedesktop.DBus.Error.NameHasNoOwner" => {
            KeyringError::Absent { why }
        }
        name if name.starts_with("org.freedesktop.DBus.Error.Spawn.") => KeyringError::Absent { why },
        "org.freedesktop.Secret.Error.IsLocked" => KeyringError::Locked,
        _ => KeyringError::Broken { why },
    }
}

impl From<zbus::Error> for KeyringError {
    fn from(error: zbus::Error) -> Self {
        Self::Broken { why: error.to_string() }
    }
}

fn timed_out(patience: Patience) -> KeyringError {
    KeyringError::TimedOut { after: patience.answer }
}

fn vanished() -> KeyringError {
    KeyringError::Broken { why: "it went away".into() }
}
