//! A deadline that is pushed back often and fires rarely: the timer is only touched when it fires too
//! early or would fire too late.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

/// The deadline of one connection.
#[derive(Debug)]
pub(super) struct Deadline {
    until: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Deadline {
    pub(super) fn after(time: Duration) -> Self {
        let until = Instant::now() + time;
        Self { until, timer: Box::pin(sleep_until(until)) }
    }

    /// Replaces the deadline by one that is `time` from now.
    pub(super) fn set(&mut self, time: Duration) {
        self.until = Instant::now() + time;
        if self.until < self.timer.deadline() {
            self.timer.as_mut().reset(self.until);
        }
    }

    /// Ready once it has come.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.timer.as_mut().poll(cx));
            if self.timer.deadline() >= self.until {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(self.until);
        }
    }
}
