//! The OS keyring, asked for one thing at a time and in order, so that what is deleted last stays
//! deleted.

mod index;
mod record;

use claudectl_core::{
    account::{Account, Kept, Obtained},
    error::Refusal,
    event::Event,
    ids::{AccountName, Generation, SecretId},
};
use claudectl_proto::kept::File;
use tokio::sync::mpsc;

use self::index::Index;
use super::{
    Replies,
    arrival::{Arrival, From},
    tell,
    vault::Held,
};
use crate::{
    engine::{Progress, Reply},
    keyring::{Keyring, KeyringError, Patience, Record, Unlock},
};

/// One thing to do.
#[derive(Debug)]
enum Order {
    Store {
        account: Box<Account>,
        secret: SecretId,
        record: Box<Result<Record, Refusal>>,
        replies: Option<Replies>,
    },
    Load {
        account: AccountName,
        generation: Generation,
    },
    Delete {
        account: AccountName,
    },
    SetDefault(Option<AccountName>),
}

/// The way to the task that asks the keyring.
#[derive(Debug, Clone)]
pub struct Keeper {
    /// Never full: an account has at most a few orders under way.
    orders: mpsc::UnboundedSender<Order>,
}

/// Everything that the task works with.
struct Work {
    keyring: Keyring,
    index: Index,
    arrivals: mpsc::Sender<Arrival>,
}

impl Keeper {
    /// Starts the task. `index` is the file that lists the kept accounts, without any credential; without
    /// one, the next daemon does not know of them.
    pub fn start(
        keyring: Keyring,
        index: Option<File>,
        arrivals: mpsc::Sender<Arrival>,
    ) -> (Self, Vec<Kept>) {
        let index = Index::open(index);
        let kept = index.kept();
        let (orders, mut inbox) = mpsc::unbounded_channel();
        let mut work = Work { keyring, index, arrivals };
        tokio::spawn(async move {
            while let Some(order) = inbox.recv().await {
                work.carry_out(order).await;
            }
        });
        (Self { orders }, kept)
    }

    /// Gives the keyring a credential. That of a login can still be given up while a person is asked to unlock
    /// it: wiping its pages takes it back. Any other copy is made at once, for the pages that it comes from
    /// may be wiped before its turn, and it may be the only one of its tokens.
    pub(super) fn store(
        &self,
        account: Account,
        secret: SecretId,
        held: Result<Held, Refusal>,
        replies: Option<Replies>,
    ) {
        let record = held.map(|held| record::write(&account, &held));
        let record = match replies {
            Some(_) => record,
            None => record.and_then(|record| record.copied().map_err(|error| refusal(&error.into()))),
        };
        let (account, record) = (Box::new(account), Box::new(record));
        self.order(Order::Store { account, secret, record, replies });
    }

    pub(super) fn load(&self, account: AccountName, generation: Generation) {
        self.order(Order::Load { account, generation });
    }

    pub(super) fn delete(&self, account: AccountName) {
        self.order(Order::Delete { account });
    }

    pub(super) fn set_default(&self, account: Option<AccountName>) {
        self.order(Order::SetDefault(account));
    }

    fn order(&self, order: Order) {
        if self.orders.send(order).is_err() {
            tracing::error!("the keyring is not asked any more: claudectld is stopping");
        }
    }
}

impl Work {
    async fn carry_out(&mut self, order: Order) {
        match order {
            Order::Store { account, secret, record, replies } => {
                let outcome = match *record {
                    Ok(record) => self.store(&account, &record, replies.as_ref()).await,
                    Err(why) => Err(why),
                };
                self.tell(Event::CredentialStored { secret, outcome }).await;
            }
            Order::Load { account, generation } => match self.load(&account).await {
                Ok((held, obtained, obtained_at)) => {
                    let from = From::Keyring { account, generation, obtained, obtained_at };
                    // If the engine is gone, dropping the pages wipes them.
                    drop(self.arrivals.send(Arrival::new(held, from)).await);
                }
                Err(why) => {
                    self.tell(Event::CredentialLoaded { account, generation, outcome: Err(why) }).await;
                }
            },
            Order::Delete { account } => {
                let outcome = self.delete(&account).await;
                self.tell(Event::StoredDeleted { account, outcome }).await;
            }
            Order::SetDefault(account) => self.index.set_default(account.as_ref()),
        }
    }

    async fn store(
        &mut self,
        account: &Account,
        record: &Record,
        replies: Option<&Replies>,
    ) -> Result<(), Refusal> {
        let expires_in = u32::try_from(Patience::default().person.as_secs()).unwrap_or(u32::MAX);
        let ask = || {
            if let Some(replies) = replies {
                tell(replies, Reply::Progress(Progress::Storing { expires_in }));
            }
        };
        // A renewal stores what the keyring had already: nobody is asked for that out of the blue.
        let unlock = if replies.is_some() { Unlock::Ask(&ask) } else { Unlock::Never };
        // Before the entry: a daemon that dies in between must not leave one that the next does not know of.
        let is_new = self.index.note(account);
        let stored = self.keyring.store(record, unlock).await;
        if stored.is_err() && is_new {
            self.index.forget(&account.name);
        }
        stored.map_err(|error| refusal(&error))
    }

    async fn load(&self, account: &AccountName) -> Result<(Held, Obtained, i64), Refusal> {
        let loaded = self.keyring.load(account.as_str(), Unlock::Ask(&|| {})).await;
        record::read(loaded.map_err(|error| refusal(&error))?).await
    }

    async fn delete(&mut self, account: &AccountName) -> Result<(), String> {
        let deleted = self.keyring.delete(account.as_str(), Unlock::Ask(&|| {})).await;
        deleted.map_err(|error| error.to_string())?;
        self.index.forget(account);
        Ok(())
    }

    async fn tell(&self, event: Event) {
        // If the engine is gone, so is everything that the event could change.
        let _ = self.arrivals.send(Arrival::Told(event)).await;
    }
}

fn refusal(error: &KeyringError) -> Refusal {
    Refusal::Keyring { why: error.to_string(), hint: error.hint() }
}
