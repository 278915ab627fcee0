//! What the kernel says that a process uses.

use std::fs;

/// Memory of a process, in KiB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Proportional set size: shared pages count in parts.
    pub(crate) pss: f64,
    /// Pages that are its alone and were written.
    pub(crate) dirty: f64,
}

/// That of a process; `None` if it is not ours to see (the daemon lets only root look).
pub(crate) fn of(pid: u32) -> Option<Memory> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    Some(Memory { pss: field(&text, "Pss:")?, dirty: field(&text, "Private_Dirty:")? })
}

fn field(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Processor time that all threads of a process have used, in microseconds.
pub(crate) fn processor_time(pid: u32) -> f64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("a running process");
    let read = |task: fs::DirEntry| fs::read_to_string(task.path().join("schedstat")).ok();
    let nanoseconds =
        tasks.flatten().filter_map(read).filter_map(|text| text.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.sum::<f64>() / 1e3
}
