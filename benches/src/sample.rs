//! Interleaved samples, and what is said about them.

use std::time::{Duration, Instant};

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Enough for the published table.
    Full,
    /// Enough to see whether something is badly off.
    Quick,
}

impl Scale {
    /// The first for a full run, the second for a quick one.
    pub(crate) fn pick<T>(self, full: T, quick: T) -> T {
        match self {
            Self::Full => full,
            Self::Quick => quick,
        }
    }
}

/// Durations of one contender, in microseconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    /// Adds one.
    pub(crate) fn push(&mut self, duration: Duration) {
        self.0.push(duration.as_secs_f64() * 1e6);
    }

    /// The value that this part (0 to 1) of the samples does not exceed; NaN without samples.
    pub(crate) fn percentile(&self, part: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1) as f64;
        sorted.get((last * part).round() as usize).copied().unwrap_or(f64::NAN)
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The middle one.
    pub(crate) fn median(&self) -> f64 {
        self.percentile(0.5)
    }
}

/// The middle of a few numbers; NaN for none.
pub(crate) fn median(numbers: impl IntoIterator<Item = f64>) -> f64 {
    Samples(numbers.into_iter().collect()).median()
}

/// Times `work` once.
pub(crate) fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// Calls `step` with the numbers 0 to `count` again and again: at most `rounds` times, and not for
/// longer than `limit`, but at least 10 times.
pub(crate) fn interleave(count: usize, rounds: usize, limit: Duration, mut step: impl FnMut(usize)) {
    let start = Instant::now();
    for round in 0..rounds {
        if round >= 10 && start.elapsed() > limit {
            return;
        }
        for contender in 0..count {
            step(contender);
        }
    }
}
