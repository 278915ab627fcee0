//! How soon a session is over when its process is.

use std::{
    mem::MaybeUninit,
    os::fd::{AsFd, OwnedFd},
    path::Path,
    process::Child,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::inotify,
    process::{Pid, PidfdFlags, pidfd_open},
};

use super::Programs;
use crate::{
    product::Product,
    sample::{Samples, Scale},
    table::{Table, Target, number},
};

/// Kills a session's process again and again; times how soon its API socket is gone.
pub(super) fn measure(table: &Table, product: &Product, pause: &Path, scale: Scale, name: &str) {
    let watch = inotify::init(inotify::CreateFlags::NONBLOCK).expect("inotify");
    inotify::add_watch(&watch, product.sockets().join("s"), inotify::WatchFlags::DELETE).expect("a watch");
    let (mut death, mut end, mut lag) = (Samples::default(), Samples::default(), Samples::default());
    for _ in 0..scale.pick(200, 40) {
        let mut programs = Programs::default();
        programs.start(product, pause, 1);
        let (died, ended) = kill(&mut programs.0[0], &watch);
        death.push(died);
        end.push(ended);
        lag.push(ended.saturating_sub(died));
    }
    let micro = |samples: &Samples| number(samples.median());
    let text = format!(
        "p50 {} µs after the death ({} µs after kill; death itself {} µs)",
        micro(&lag),
        micro(&end),
        micro(&death)
    );
    let verdict = Target::at_most(100.0, lag.median()).verdict().to_owned();
    table.row(&[
        format!("process death → session ended, {name}"),
        text,
        String::new(),
        "p50 ≤ 100 µs".to_owned(),
        verdict,
    ]);
}

/// How long after the kill the process was dead, and its session over.
fn kill(child: &mut Child, watch: &OwnedFd) -> (Duration, Duration) {
    let pid = Pid::from_child(child);
    let process = pidfd_open(pid, PidfdFlags::empty()).expect("a running process");
    let start = Instant::now();
    child.kill().expect("our own child");
    let (mut died, mut ended) = (None, None);
    while died.is_none() || ended.is_none() {
        let flags = |seen: Option<Duration>| if seen.is_none() { PollFlags::IN } else { PollFlags::empty() };
        let mut ready = [
            PollFd::from_borrowed_fd(process.as_fd(), flags(died)),
            PollFd::from_borrowed_fd(watch.as_fd(), flags(ended)),
        ];
        poll(&mut ready, None).expect("poll");
        let now = start.elapsed();
        if died.is_none() && ready[0].revents().contains(PollFlags::IN) {
            died = Some(now);
        }
        if ended.is_none() && ready[1].revents().contains(PollFlags::IN) {
            ended = Some(now);
            drain(watch);
        }
    }
    (died.unwrap_or_default(), ended.unwrap_or_default())
}

fn drain(watch: &OwnedFd) {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut events = inotify::Reader::new(watch, &mut buffer);
    while events.next().is_ok() {}
}
