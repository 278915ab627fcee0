//! P4: the audit of a large home, as a whole process, beside the simplest search over the same files.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use crate::{
    place::{Place, built},
    product::KEY,
    sample::{self, Samples, Scale},
    table::{Table, Target, note, number},
};

/// What a home has.
struct Size {
    transcripts: usize,
    /// Of each transcript, in bytes.
    transcript: usize,
    /// Other files of Claude Code.
    records: usize,
    /// Files of source trees, which no row of the catalogue names.
    sources: usize,
}

const FULL: Size = Size { transcripts: 2_000, transcript: 1 << 20, records: 48_000, sources: 150_000 };
const QUICK: Size = Size { transcripts: 200, transcript: 1 << 20, records: 4_800, sources: 15_000 };
/// Every so many-th transcript and record has a credential.
const SOWN: usize = 500;

/// What a contender took.
struct Taken {
    name: String,
    time: Samples,
    memory: f64,
}

/// Measures and prints.
pub(crate) fn run(scale: Scale) {
    let size = scale.pick(FULL, QUICK);
    let place = Place::new();
    let sown = fill(&place.path("home"), &size);
    let Some(program) = built("CLAUDECTL") else { return };
    let contenders: Vec<(String, Box<dyn Fn() -> Command>)> = vec![
        (
            "claudectl audit --files-only".to_owned(),
            Box::new({
                let (place, program) = (&place, program.clone());
                move || {
                    let mut command = place.command(&program);
                    command.args(["audit", "--files-only", "--json"]);
                    command
                }
            }),
        ),
        ("grep -rlaF sk-ant-api03- ~/.claude".to_owned(), Box::new(|| grep(&place, ".claude"))),
        ("grep -rlaF sk-ant-api03- ~".to_owned(), Box::new(|| grep(&place, ""))),
    ];
    let mut taken: Vec<_> = contenders
        .iter()
        .map(|(name, _)| Taken { name: name.clone(), time: Samples::default(), memory: 0.0 })
        .collect();
    sample::interleave(contenders.len(), scale.pick(7, 3), Duration::from_mins(3), |index| {
        let (time, memory) = once((contenders[index].1)());
        taken[index].time.push(time);
        taken[index].memory = taken[index].memory.max(memory);
    });
    print(&size, &taken, found(&place, &program), sown);
}

fn grep(place: &Place, below: &str) -> Command {
    let mut command = place.command("/usr/bin/grep");
    command.args(["-rlaF", "sk-ant-api03-"]).arg(place.path("home").join(below));
    command
}

/// Runs it; how long it took and the most memory that was seen, in megabytes.
fn once(mut command: Command) -> (Duration, f64) {
    let start = Instant::now();
    let mut child = command.spawn().expect("a program that is there");
    let status = format!("/proc/{}/status", child.id());
    let mut most: f64 = 0.0;
    while child.try_wait().expect("our own child").is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        most = most.max(kilobytes.unwrap_or(0.0) / 1024.0);
        std::thread::sleep(Duration::from_millis(2));
    }
    (start.elapsed(), most)
}

/// How many findings the audit tells.
fn found(place: &Place, program: &Path) -> usize {
    let mut command = place.command(program);
    let output =
        command.args(["audit", "--files-only", "--json"]).stdout(std::process::Stdio::piped()).output();
    let text = String::from_utf8_lossy(&output.expect("the audit runs").stdout).into_owned();
    text.matches("\"place\":").count()
}

fn print(size: &Size, taken: &[Taken], found: usize, sown: usize) {
    let files = size.transcripts + size.records + size.sources;
    let title = format!(
        "P4 An audit of a home with {files} files and {} MiB of transcripts",
        (size.transcripts * size.transcript) >> 20
    );
    let table = Table::start(
        &title,
        &["P4: whole process, files in the page cache", "median s", "most memory, MB", "target", ""],
    );
    for (index, one) in taken.iter().enumerate() {
        let seconds = one.time.median() / 1e6;
        let mut cells = vec![one.name.clone(), number(seconds), number(one.memory)];
        if index == 0 {
            // Each as a part of what it may be; an audit that overlooks one is none.
            let overlooked = if found == sown { 0.0 } else { f64::INFINITY };
            let worst = (seconds / 10.0).max(one.memory / 64.0).max(overlooked);
            let met = Target::at_most(1.0, worst).verdict();
            cells.extend(["seconds (≤ 10), ≤ 64 MB, all found".to_owned(), met.to_owned()]);
        }
        table.row(&cells);
    }
    note(&format!(
        "{found} of {sown} sown credentials found. `grep` only searches for a prefix and tells file names."
    ));
}

/// Makes the home; how many credentials are in it.
fn fill(home: &Path, size: &Size) -> usize {
    let mut sown = 0;
    let mut key = |index: usize| {
        sown += usize::from(index.is_multiple_of(SOWN));
        if index.is_multiple_of(SOWN) {
            format!("{}{index:06}", &KEY[..KEY.len() - 6])
        } else {
            String::new()
        }
    };
    for index in 0..size.transcripts {
        let path = home.join(format!(".claude/projects/-home-jane-{}/{index:06}.jsonl", index % 40));
        write(&path, &transcript(size.transcript, index, &key(index)));
    }
    for index in 0..size.records {
        let path = home.join(format!(".claude/todos/{}/{index:06}.json", index % 100));
        write(
            &path,
            format!("[{{\"content\":\"step {index} {}\",\"status\":\"pending\"}}]\n", key(index)).as_bytes(),
        );
    }
    for index in 0..size.sources {
        let path = home.join(format!("src/project{}/module{}/{index:06}.rs", index % 50, index % 30));
        write(&path, format!("//! Module {index}\npub fn number() -> usize {{ {index} }}\n").as_bytes());
    }
    sown
}

/// Lines as a transcript has them, with the key somewhere in the middle.
fn transcript(size: usize, index: usize, key: &str) -> Vec<u8> {
    let mut text = Vec::with_capacity(size + 1024);
    let mut line = 0_usize;
    let mut to_sow = key;
    while text.len() < size {
        let secret = if text.len() * 2 > size { std::mem::take(&mut to_sow) } else { "" };
        let _ = writeln!(
            text,
            "{{\"type\":\"assistant\",\"uuid\":\"{index:08x}-{line:04x}\",\"message\":{{\"role\":\"assistant\",\"content\":[{{\"type\":\"text\",\"text\":\"Line {line}: the task asks for a disk-antenna mask; see src/main.rs and ask-ant-hill.txt. {secret}\\n\"}}],\"usage\":{{\"input_tokens\":{line},\"output_tokens\":{index}}}}},\"timestamp\":\"2026-11-23T05:00:00.000Z\"}}"
        );
        line += 1;
    }
    text
}

fn write(path: &PathBuf, content: &[u8]) {
    if fs::write(path, content).is_err() {
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, content).expect("room for the home");
    }
}
