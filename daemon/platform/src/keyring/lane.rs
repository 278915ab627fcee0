//! One thread at a time for calls that block.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::timeout,
};

use super::KeyringError;

/// Stack of the thread that talks to the keyring, in bytes.
const STACK: usize = 1024 * 1024;

/// Lets one call through at a time. A call that hangs keeps the lane; the daemon goes on without it.
#[derive(Debug)]
pub(super) struct Lane {
    free: Arc<Semaphore>,
    /// Somebody gave up waiting for the call that is on its way.
    hung: Arc<AtomicBool>,
    patience: Duration,
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

impl Lane {
    /// A call may take this long.
    pub(super) fn new(patience: Duration) -> Self {
        Self { free: Arc::new(Semaphore::new(1)), hung: Arc::default(), patience }
    }

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
        let place = timeout(self.patience, Arc::clone(&self.free).acquire_owned()).await;
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
        match timeout(self.patience, &mut answered).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(_)) => Err(KeyringError::Broken { why: "the call ended without an answer".into() }),
            Err(_) => self.gave_up(answered),
        }
    }

    fn gave_up<T>(&self, mut answered: oneshot::Receiver<T>) -> Result<T, KeyringError> {
        self.hung.store(true, Ordering::Release);
        // From now on the result is unwanted; what came before that still counts.
        answered.close();
        let Ok(result) = answered.try_recv() else {
            return Err(KeyringError::TimedOut { after: self.patience });
        };
        self.hung.store(false, Ordering::Release);
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn a_call_runs_on_a_thread_of_its_own() {
        let lane = Lane::new(PATIENCE);
        let name = lane.run(|| thread::current().name().map(str::to_owned), drop).await.unwrap();
        assert_eq!(name.as_deref(), Some("keyring"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_hangs_is_given_up_the_next_fails_at_once_and_its_late_result_is_taken_back() {
        let lane = Lane::new(PATIENCE);
        let (go_on, held) = mpsc::channel::<()>();
        let (undo, taken_back) = tokio::sync::oneshot::channel();
        let hangs = move || {
            let _ = held.recv();
            "late"
        };
        let given_up = lane.run(hangs, |result| undo.send(result).unwrap()).await;
        assert_eq!(given_up, Err(KeyringError::TimedOut { after: PATIENCE }));
        assert_eq!(lane.run(|| (), drop).await, Err(KeyringError::Hung));
        go_on.send(()).unwrap();
        assert_eq!(taken_back.await, Ok("late"));
        // The lane is given back only after that.
        let _free = lane.free.acquire().await.unwrap();
        assert!(!lane.hung.load(Ordering::Acquire));
    }

    #[tokio::test]
    async fn a_result_that_nobody_waits_for_is_taken_back() {
        let lane = Arc::new(Lane::new(PATIENCE));
        let (go_on, held) = mpsc::channel::<()>();
        let (started, runs) = tokio::sync::oneshot::channel();
        let (undo, taken_back) = tokio::sync::oneshot::channel();
        let asking = Arc::clone(&lane);
        let task = tokio::spawn(async move {
            let call = move || {
                let _ = started.send(());
                let _ = held.recv();
            };
            asking.run(call, |()| undo.send(()).unwrap()).await
        });
        runs.await.unwrap();
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        go_on.send(()).unwrap();
        taken_back.await.unwrap();
    }

    #[tokio::test]
    async fn a_call_that_panics_is_an_error_and_the_next_one_runs() {
        let lane = Lane::new(PATIENCE);
        let broken = lane.run(|| panic!("as a store may"), drop).await;
        assert!(matches!(broken, Err(KeyringError::Broken { .. })));
        assert_eq!(lane.run(|| 7, drop).await, Ok(7));
    }
}
