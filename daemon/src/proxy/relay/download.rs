//! The way down: the head without what is for one hop only, then the body as it comes, with every
//! echo of the credential covered.

use std::{
    io,
    ops::Range,
    task::{Poll, ready},
};

use super::{Cut, Standing, Step};
use crate::gate::Access;
use crate::proxy::{
    body::Framing,
    client::Stream,
    head::{self, Extent, Flaw, response::Response},
    inject, limits,
    scratch::Unsent,
    usage::Usage,
};

/// One response on its way to the client.
#[derive(Debug)]
pub(super) struct Download {
    answers_head: bool,
    keep_client: bool,
    keep_upstream: bool,
    /// Once the head is through.
    framing: Option<Framing>,
    /// What waits for more: a partial head, or what could be the start of the credential.
    held: Vec<u8>,
    unsent: Unsent,
    usage: Option<Usage>,
    /// How often anything came.
    moved: u64,
}

impl Download {
    pub(super) fn new(answers_head: bool, keep_client: bool) -> Self {
        Self {
            answers_head,
            keep_client,
            keep_upstream: keep_client,
            framing: None,
            held: Vec::new(),
            unsent: Unsent::default(),
            usage: None,
            moved: 0,
        }
    }

    /// Whether anything of the final response went to the client, or is about to.
    pub(super) fn has_begun(&self) -> bool {
        self.framing.is_some()
    }

    pub(super) fn leaves_client_open(&self) -> bool {
        self.keep_client
    }

    pub(super) fn leaves_upstream_open(&self) -> bool {
        self.keep_upstream
    }

    pub(super) fn moved(&self) -> u64 {
        self.moved
    }

    /// Ready once the response is complete and with the client.
    pub(super) fn poll<S: Stream>(&mut self, step: &mut Step<'_, '_, S>) -> Poll<Result<(), Cut>> {
        loop {
            if ready!(step.client.poll_sent(step.cx, &mut self.unsent)).is_err() {
                return Poll::Ready(Err(Cut::ClientGone));
            }
            if self.framing.is_some_and(|framing| framing.is_done()) {
                return Poll::Ready(Ok(()));
            }
            let held = self.held.len();
            if let Some(start) = step.scratch.plain.get_mut(..held) {
                start.copy_from_slice(&self.held);
            }
            let read = ready!(step.wire.poll_read(step.cx, step.scratch, held));
            self.moved += 1;
            match read {
                Ok(0) if self.framing == Some(Framing::UntilClose) => self.close(),
                Ok(0) => return Poll::Ready(Err(broken(step, &io::ErrorKind::UnexpectedEof.into()))),
                Err(error) => return Poll::Ready(Err(broken(step, &error))),
                Ok(count) => {
                    self.held = Vec::new();
                    self.pass(step, held + count)?;
                }
            }
        }
    }

    /// The end of a body that has no other.
    fn close(&mut self) {
        self.unsent.keep(&std::mem::take(&mut self.held));
        self.framing = Some(Framing::Done);
    }

    /// Passes on what is in the scratch buffer.
    fn pass<S: Stream>(&mut self, step: &mut Step<'_, '_, S>, length: usize) -> Result<(), Cut> {
        let bytes = step.scratch.plain.get_mut(..length).unwrap_or_default();
        let mut head = Vec::new();
        let start = self.pass_heads(step.access, &step.standing, bytes, &mut head)?;
        let body = bytes.get_mut(start..).unwrap_or_default();
        let passed = match self.framing {
            None => {
                self.held = body.to_vec();
                0
            }
            Some(framing) => self.pass_body(framing, step.access, body, &mut step.scratch.runs)?,
        };
        self.tell_usage(step, start, passed);
        let body = step.scratch.plain.get(start..start + passed).unwrap_or_default();
        step.session.meter.received(head.len() + passed);
        step.client.send(step.cx, &head, body, &mut self.unsent).map_err(|_| Cut::ClientGone)?;
        // What is held back is kept in one place only.
        step.scratch.plain.get_mut(start + passed..length).unwrap_or_default().fill(0);
        Ok(())
    }

    /// Writes the interim heads and the final one to `out`, as far as they are complete; returns where
    /// the rest begins.
    fn pass_heads(
        &mut self,
        access: &Access,
        standing: &Standing,
        bytes: &mut [u8],
        out: &mut Vec<u8>,
    ) -> Result<usize, Cut> {
        let mut at = 0;
        while self.framing.is_none() {
            let rest = bytes.get_mut(at..).unwrap_or_default();
            let Extent::Complete(end) = head::extent(rest).map_err(Cut::Response)? else { break };
            let head = rest.get_mut(..end).unwrap_or_default();
            let hits = inject::cover(&access.secret, head).ok_or(Cut::Unsearched)?;
            warn(access, hits);
            self.pass_head(head, standing, out)?;
            at += end;
        }
        Ok(at)
    }

    fn pass_head(&mut self, head: &[u8], standing: &Standing, out: &mut Vec<u8>) -> Result<(), Cut> {
        let mut room = head::room();
        let response = Response::parse(head, &mut room).map_err(Cut::Response)?;
        if response.status() == 401 && standing.may_renew {
            return Err(Cut::Refused);
        }
        if response.is_interim() {
            response.write(false, out);
            return Ok(());
        }
        let framing = response.body(self.answers_head);
        let is_open_ended = framing == Framing::UntilClose;
        self.keep_upstream &= response.keeps_alive() && !is_open_ended;
        self.keep_client &= standing.request_is_complete && !is_open_ended;
        self.usage = response.may_tell_usage().then(Usage::default);
        self.framing = Some(framing);
        out.reserve_exact(head.len() + "Connection: close\r\n".len());
        response.write(!self.keep_client, out);
        Ok(())
    }

    /// Follows the body and covers echoes; returns how much of it may go on.
    fn pass_body(
        &mut self,
        before: Framing,
        access: &Access,
        body: &mut [u8],
        runs: &mut Vec<Range<usize>>,
    ) -> Result<usize, Cut> {
        let mut framing = before;
        runs.clear();
        let taken = framing.advance(body, |run| runs.push(run)).map_err(Cut::Response)?;
        // Whatever follows the response belongs to nothing that was asked.
        self.keep_upstream &= taken == body.len();
        let body = body.get_mut(..taken).unwrap_or_default();
        let scrubbed = inject::scrub(&access.secret, body, runs, framing.is_done()).ok_or(Cut::Unsearched)?;
        warn(access, scrubbed.hits);
        let (pass, hold) = body.split_at(scrubbed.pass);
        if !hold.is_empty() {
            if hold.len() > limits::HELD {
                return Err(Cut::Response(Flaw::Chunk));
            }
            self.held = hold.to_vec();
            framing = before;
            framing.advance(pass, |_| {}).map_err(Cut::Response)?;
        }
        self.framing = Some(framing);
        Ok(scrubbed.pass)
    }

    fn tell_usage<S>(&mut self, step: &Step<'_, '_, S>, start: usize, passed: usize) {
        let Some(usage) = self.usage.as_mut().filter(|_| passed > 0) else { return };
        let body = step.scratch.plain.get(start..start + passed).unwrap_or_default();
        for run in &step.scratch.runs {
            usage.read(body.get(run.start.min(passed)..run.end.min(passed)).unwrap_or_default());
        }
        if let Some((input, output)) = usage.take() {
            step.session.meter.used(input, output);
        }
    }
}

fn broken<S>(step: &Step<'_, '_, S>, error: &io::Error) -> Cut {
    Cut::Upstream(format!("the connection to {} broke: {error}", step.access.upstream.host()))
}

fn warn(access: &Access, hits: usize) {
    if hits > 0 {
        tracing::warn!(account = %access.account, hits, "the upstream echoed the credential: it was covered");
    }
}
