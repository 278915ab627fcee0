//! Many sessions, and how soon one is over when its process is.

mod deaths;

use std::{
    io::{PipeReader, Read},
    path::Path,
    process::{Child, Stdio},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    process::{Resource, Rlimit},
};

use super::idle::settled;
use crate::{
    place::built,
    product::{Product, session_command},
    sample::Scale,
    table::{Table, Target},
};

pub(super) fn measure(table: &Table, scale: Scale) {
    let wanted = scale.pick(10_000, 1_000).min(room());
    let (Some(pause), Some(product)) = (built("PAUSE"), Product::start()) else {
        return table.absent("sessions");
    };
    product.login("bench", "http://127.0.0.1:9", "");
    // One session first: what comes with it once is not a cost of each.
    let mut programs = Programs::default();
    programs.start(&product, &pause, 1);
    let before = settled(product.daemon.pid());
    programs.start(&product, &pause, wanted);
    let after = settled(product.daemon.pid());
    deaths::measure(table, &product, &pause, scale, &format!("among {wanted} sessions"));
    drop(programs);
    memory_row(
        table,
        wanted,
        before.zip(after).map(|(before, after)| (after.dirty - before.dirty, after.pss - before.pss)),
    );
}

fn memory_row(table: &Table, count: usize, grown: Option<(f64, f64)>) {
    let name = format!("memory of each of {count} sessions");
    let Some((dirty, pss)) = grown else {
        return table.row(&[name, "only root may look".to_owned()]);
    };
    let each = |kilobytes: f64| kilobytes * 1024.0 / count as f64;
    let verdict = Target::at_most(1024.0, each(pss)).verdict().to_owned();
    let text = format!("{:.0} B (dirty {:.0} B)", each(pss), each(dirty));
    table.row(&[name, text, String::new(), "≤ 1 KB".to_owned(), verdict]);
}

/// Two descriptors for each session and some to spare; root may raise the limit.
fn room() -> usize {
    let raised = Rlimit { current: Some(40_000), maximum: Some(40_000) };
    let limit = rustix::process::getrlimit(Resource::Nofile).current.unwrap_or(40_000);
    if limit >= 40_000 || rustix::process::setrlimit(Resource::Nofile, raised).is_ok() {
        return 10_000;
    }
    usize::try_from(limit.saturating_sub(500) / 2).unwrap_or(100)
}

/// Programs that run as sessions; killed when dropped.
#[derive(Default)]
struct Programs(Vec<Child>);

impl Programs {
    fn start(&mut self, product: &Product, pause: &Path, count: usize) {
        let (mut reader, writer) = std::io::pipe().expect("a pipe");
        for _ in 0..count {
            let mut command = session_command(product, pause);
            command.stdout(Stdio::from(writer.try_clone().expect("a descriptor")));
            self.0.push(command.spawn().expect("a process"));
            expect_running(&mut reader);
        }
    }
}

fn expect_running(reader: &mut PipeReader) {
    // Its writing end is ours, too: a program that fails would not be seen, so wait with a limit.
    let mut ready = [PollFd::new(reader, PollFlags::IN)];
    let limit = Duration::from_secs(20).try_into().ok();
    assert!(poll(&mut ready, limit.as_ref()).is_ok_and(|count| count == 1), "a session does not come up");
    reader.read_exact(&mut [0]).expect("our own pipe");
}

impl Drop for Programs {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // One that is gone already is gone as well.
            let _ = child.kill();
        }
        for child in &mut self.0 {
            let _ = child.wait();
        }
    }
}
