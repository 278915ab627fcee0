//! What a session used so far: counters that requests add to and `status` reads.

use std::{
    sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use claudectl_platform::clock;

/// The counters of one session. They only inform people, so relaxed ordering is enough.
#[derive(Debug, Default)]
pub struct Meter {
    requests: AtomicU64,
    request_bytes: AtomicU64,
    response_bytes: AtomicU64,
    input_tokens: AtomicU64,
    output_tokens: AtomicU64,
    last_request_at: AtomicI64,
    /// Milliseconds since boot; 0 for never.
    last_used: AtomicU64,
    open_streams: AtomicU32,
}

/// The counters at one moment.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Requests that were sent to the upstream.
    pub requests: u64,
    /// Bytes of requests, heads included.
    pub request_bytes: u64,
    /// Bytes of responses, heads included.
    pub response_bytes: u64,
    /// Input tokens, cache reads and writes included.
    pub input_tokens: u64,
    /// Output tokens.
    pub output_tokens: u64,
    /// Wall clock of the last request; 0 for never.
    pub last_request_at: i64,
    /// Requests whose response is not complete.
    pub open_streams: u32,
}

/// Counts an open stream for as long as it lives.
#[derive(Debug)]
pub struct OpenStream<'a>(&'a Meter);

impl Meter {
    /// A request goes to the upstream now.
    pub fn begin(&self, wall: i64) -> OpenStream<'_> {
        self.requests.fetch_add(1, Relaxed);
        self.last_request_at.store(wall, Relaxed);
        self.open_streams.fetch_add(1, Relaxed);
        self.touch();
        OpenStream(self)
    }

    /// When a request was last open, since boot: `now` if one is; `None` for never.
    pub fn last_used(&self, now: Duration) -> Option<Duration> {
        if self.open_streams.load(Relaxed) > 0 {
            return Some(now);
        }
        Some(self.last_used.load(Relaxed)).filter(|used| *used > 0).map(Duration::from_millis)
    }

    fn touch(&self) {
        let now = u64::try_from(clock::since_boot().as_millis()).unwrap_or(u64::MAX);
        self.last_used.store(now, Relaxed);
    }

    /// Bytes went up.
    pub fn sent(&self, bytes: usize) {
        self.request_bytes.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Relaxed);
    }

    /// Bytes came down.
    pub fn received(&self, bytes: usize) {
        self.response_bytes.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Relaxed);
    }

    /// The upstream counted tokens.
    pub fn used(&self, input: u64, output: u64) {
        self.input_tokens.fetch_add(input, Relaxed);
        self.output_tokens.fetch_add(output, Relaxed);
    }

    /// The counters now.
    pub fn read(&self) -> Reading {
        Reading {
            requests: self.requests.load(Relaxed),
            request_bytes: self.request_bytes.load(Relaxed),
            response_bytes: self.response_bytes.load(Relaxed),
            input_tokens: self.input_tokens.load(Relaxed),
            output_tokens: self.output_tokens.load(Relaxed),
            last_request_at: self.last_request_at.load(Relaxed),
            open_streams: self.open_streams.load(Relaxed),
        }
    }
}

impl Drop for OpenStream<'_> {
    fn drop(&mut self) {
        self.0.touch();
        self.0.open_streams.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_open_streams_while_they_live() {
        let meter = Meter::default();
        let stream = meter.begin(7);
        meter.sent(3);
        meter.received(5);
        meter.used(1, 2);
        assert_eq!(meter.read().open_streams, 1);
        drop(stream);
        let expected = Reading {
            requests: 1,
            request_bytes: 3,
            response_bytes: 5,
            input_tokens: 1,
            output_tokens: 2,
            last_request_at: 7,
            open_streams: 0,
        };
        assert_eq!(meter.read(), expected);
    }
}
