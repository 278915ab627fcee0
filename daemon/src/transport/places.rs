//! A bounded number of places for control connections.
//!
//! With all places taken the connection that was idle longest makes room, so that nobody is locked
//! out by clients that hold connections and do nothing; and one process never gets more than its
//! share.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::Waker,
    time::Duration,
};

/// All places.
#[derive(Debug)]
pub(super) struct Places {
    limit: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    places: BTreeMap<u64, Arc<Place>>,
}

/// One place. The connection that has it notes its use and looks whether it lost it.
#[derive(Debug)]
pub(super) struct Place {
    pid: u32,
    used: AtomicU64,
    lost: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

/// Holds a place; gives it back when dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    places: Arc<Places>,
    number: u64,
    pub(super) place: Arc<Place>,
}

impl Places {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), taken: Mutex::default() }
    }

    /// A place for a process, made if there is none.
    pub(super) fn take(self: &Arc<Self>, pid: u32, now: Duration) -> Ticket {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let share = self.limit.div_ceil(4);
        let own = taken.places.values().filter(|place| place.pid == pid).count();
        if own >= share {
            taken.evict(|place| place.pid == pid);
        } else if taken.places.len() >= self.limit {
            taken.evict(|_| true);
        }
        let place = Arc::new(Place {
            pid,
            used: AtomicU64::new(milliseconds(now)),
            lost: AtomicBool::new(false),
            waker: Mutex::default(),
        });
        let number = taken.next;
        taken.next = number.wrapping_add(1);
        taken.places.insert(number, Arc::clone(&place));
        Ticket { places: Arc::clone(self), number, place }
    }
}

impl Taken {
    /// Takes away the place that was idle longest among these.
    fn evict(&mut self, among: impl Fn(&Place) -> bool) {
        let idle = |place: &Arc<Place>| place.used.load(Ordering::Relaxed);
        let oldest =
            self.places.iter().filter(|(_, place)| among(place)).min_by_key(|(_, place)| idle(place));
        let Some(number) = oldest.map(|(number, _)| *number) else { return };
        if let Some(place) = self.places.remove(&number) {
            place.lost.store(true, Ordering::Release);
            if let Some(waker) = place.waker.lock().unwrap_or_else(PoisonError::into_inner).take() {
                waker.wake();
            }
        }
    }
}

impl Place {
    pub(super) fn note_use(&self, now: Duration) {
        self.used.store(milliseconds(now), Ordering::Relaxed);
    }

    /// Whether somebody else got the place; wakes `waker` when that happens later.
    pub(super) fn is_lost(&self, waker: &Waker) -> bool {
        let mut slot = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        if !slot.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *slot = Some(waker.clone());
        }
        self.lost.load(Ordering::Acquire)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.places.taken.lock().unwrap_or_else(PoisonError::into_inner).places.remove(&self.number);
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(tickets: &[Ticket]) -> Vec<bool> {
        tickets.iter().map(|ticket| ticket.place.is_lost(Waker::noop())).collect()
    }

    #[test]
    fn the_longest_idle_connection_makes_room() {
        let places = Arc::new(Places::new(4));
        let mut tickets: Vec<_> =
            (1..=4).map(|pid| places.take(pid, Duration::from_secs(u64::from(pid)))).collect();
        tickets[0].place.note_use(Duration::from_secs(9));
        tickets.push(places.take(5, Duration::from_secs(10)));
        assert_eq!(lost(&tickets), [false, true, false, false, false]);
    }

    #[test]
    fn one_process_only_ever_evicts_its_own_beyond_its_share() {
        let places = Arc::new(Places::new(8));
        let other = places.take(1, Duration::ZERO);
        let greedy: Vec<_> = (1..=4).map(|at| places.take(2, Duration::from_secs(at))).collect();
        assert_eq!(lost(&greedy), [true, true, false, false]);
        assert!(!other.place.is_lost(Waker::noop()));
    }

    #[test]
    fn a_place_is_given_back() {
        let places = Arc::new(Places::new(1));
        let first = places.take(1, Duration::ZERO);
        drop(places.take(1, Duration::ZERO));
        assert!(first.place.is_lost(Waker::noop()));
        drop(first);
        assert_eq!(places.taken.lock().unwrap().places.len(), 0);
    }
}
