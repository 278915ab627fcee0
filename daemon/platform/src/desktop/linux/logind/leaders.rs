//! The processes that lead login sessions. logind tells nobody when a session has ended whose other
//! processes stay (`State` becomes `closing` without a signal); that its leader is gone, the kernel tells.

use std::{collections::BTreeSet, future::pending, time::Duration};

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::{io::unix::AsyncFd, task::JoinSet};

/// logind needs a moment, too, to notice.
const MOMENT: Duration = Duration::from_millis(300);

/// Leaders that are being waited for.
#[derive(Debug, Default)]
pub(super) struct Leaders {
    watched: BTreeSet<u32>,
    ends: JoinSet<u32>,
}

impl Leaders {
    /// Waits for these, too.
    pub(super) fn watch(&mut self, leaders: impl Iterator<Item = u32>) {
        for leader in leaders {
            if self.watched.insert(leader) {
                self.ends.spawn(async move {
                    // One that cannot be waited for is gone, most likely: it is looked at again.
                    drop(end(leader).await);
                    tokio::time::sleep(MOMENT).await;
                    leader
                });
            }
        }
    }

    /// Returns a moment after one of them has ended. Safe to cancel.
    pub(super) async fn ended(&mut self) {
        match self.ends.join_next().await {
            Some(Ok(leader)) => drop(self.watched.remove(&leader)),
            Some(Err(_)) => {}
            None => pending().await,
        }
    }
}

async fn end(leader: u32) -> std::io::Result<()> {
    let pid = i32::try_from(leader).ok().and_then(Pid::from_raw).ok_or(std::io::ErrorKind::NotFound)?;
    let process = pidfd_open(pid, PidfdFlags::empty())?;
    // SAFETY: the descriptor is owned by the registration, which is dropped before it is closed.
    let process = unsafe { AsyncFd::register(process)? };
    process.readable().await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_of_a_leader_is_told() {
        let mut leader = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let mut leaders = Leaders::default();
        leaders.watch([leader.id()].into_iter());
        let soon = Duration::from_millis(20);
        assert!(tokio::time::timeout(soon, leaders.ended()).await.is_err(), "it runs");
        leader.kill().unwrap();
        leaders.ended().await;
        leader.wait().unwrap();
        // One that is gone already is told as well.
        leaders.watch([leader.id()].into_iter());
        leaders.ended().await;
    }
}
