//! One thread at a time for calls that block.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::timeout,
};

use super::{ANSWER, KeyringError};

/// Stack of the thread that talks to the keyring, in bytes.
const STACK: usize = 1024 * 1024;

/// Lets one call through at a time. A call that hangs keeps the lane; the daemon goes on without it.
#[derive(Debug)]
pub(super) struct Lane {
    free: Arc<Semaphore>,
    /// Somebody gave up waiting for the call that is on its way.
    hung: Arc<AtomicBool>,
}

/// Gives the lane back, however the call ends.
struct OnItsWay {
    hung: Arc<AtomicBool>,
    _place: OwnedSemaphorePermit,
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.hung.store(false, Ordering::Release);
    }
}

impl Default for Lane {
    fn default() -> Self {
        Self { free: Arc::new(Semaphore::new(1)), hung: Arc::default() }
    }
}

impl Lane {
    /// Runs `call` on a thread of its own and waits for it, bounded. If nobody waits any more when it is
    /// done, `unwanted` gets its result, before the next call.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        call: impl FnOnce() -> T + Send + 'static,
        unwanted: impl FnOnce(T) + Send + 'static,
    ) -> Result<T, KeyringError> {
        if self.hung.load(Ordering::Acquire) {
            return Err(KeyringError::Hung);
        }
        let place = timeout(ANSWER, Arc::clone(&self.free).acquire_owned()).await;
        let place = place.map_err(|_| KeyringError::Hung)?.map_err(|_| KeyringError::Hung)?;
        let (answer, mut answered) = oneshot::channel();
        let on_its_way = OnItsWay { hung: Arc::clone(&self.hung), _place: place };
        let body = move || {
            let _until_the_end = on_its_way;
            if let Err(result) = answer.send(call()) {
                unwanted(result);
            }
        };
        thread::Builder::new()
            .name("keyring".into())
            .stack_size(STACK)
            .spawn(body)
            .map_err(|error| KeyringError::Broken { why: format!("no thread for it: {error}") })?;
        match timeout(ANSWER, &mut answered).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(_)) => Err(KeyringError::Broken { why: "the call ended without an answer".into() }),
            Err(_) => self.gave_up(answered),
        }
    }

    fn gave_up<T>(&self, mut answered: oneshot::Receiver<T>) -> Result<T, KeyringError> {
        self.hung.store(true, Ordering::Release);
        // From now on the result is unwanted; what came before that still counts.
        answered.close();
        let Ok(result) = answered.try_recv() else { return Err(KeyringError::TimedOut) };
        self.hung.store(false, Ordering::Release);
        Ok(result)
    }
}
