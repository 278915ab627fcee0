//! P1: the short client, as a whole process, with its daemon warm.

use std::{path::PathBuf, rc::Rc, time::Duration};

use crate::{
    peers::{self, Peer},
    place::built,
    product::Product,
    sample::{self, Samples, Scale},
    table::{Table, Target, note, number},
};

/// A command line that is timed.
struct Contender {
    name: String,
    run: Box<dyn Fn() -> Option<Duration>>,
    samples: Samples,
    failures: usize,
}

/// Measures and prints.
pub(crate) fn run(scale: Scale) {
    let product = Product::start().map(Rc::new);
    let mut contenders = peers();
    contenders.extend(product.iter().flat_map(clients));
    sample::interleave(
        contenders.len(),
        scale.pick(400, 60),
        scale.pick(Duration::from_mins(1), Duration::from_secs(10)),
        |index| {
            let contender = &mut contenders[index];
            match (contender.run)() {
                Some(took) => contender.samples.push(took),
                None => contender.failures += 1,
            }
        },
    );
    print(&contenders);
}

const STATUS: &[&str] = &["status"];
const RUN: &[&str] = &["run", "--", "true"];

fn peers() -> Vec<Contender> {
    let of = |peer: Peer| contender(peer.name, move || peer.once());
    peers::ALL.iter().filter_map(|(_, start)| start()).map(of).collect()
}

fn contender(name: &str, run: impl Fn() -> Option<Duration> + 'static) -> Contender {
    Contender { name: name.to_owned(), run: Box::new(run), samples: Samples::default(), failures: 0 }
}

/// The product's own, for every way that its client was built.
fn clients(product: &Rc<Product>) -> Vec<Contender> {
    product.login("bench", "http://127.0.0.1:9", "");
    let mut all = vec![timed("true (dynamic C)", product, "/usr/bin/true".into(), &[])];
    for (kind, variable) in [("glibc static", "CLAUDECTL"), ("musl static", "CLAUDECTL_MUSL")] {
        let Some(program) = built(variable) else { continue };
        for arguments in [STATUS, RUN] {
            let name = format!("claudectl {}, {kind}", arguments.join(" "));
            all.push(timed(&name, product, program.clone(), arguments));
        }
    }
    all
}

fn timed(name: &str, product: &Rc<Product>, program: PathBuf, arguments: &'static [&str]) -> Contender {
    let product = Rc::clone(product);
    contender(name, move || {
        let mut command = product.place.command(&program);
        command.args(arguments);
        peers::once(command, false)
    })
}

fn print(contenders: &[Contender]) {
    let median = |start: &str| {
        let found = contenders.iter().find(|contender| contender.name.starts_with(start));
        found.map_or(f64::NAN, |contender| contender.samples.median())
    };
    let (echo, ssh, pizauth) = (median("C echo, dynamic"), median("ssh-add"), median("pizauth"));
    let columns =
        ["P1: whole process, warm daemon", "median ms", "×C echo", "×ssh-add -l", "×pizauth", "target", ""];
    let table = Table::start("P1 The short client", &columns);
    for (name, _) in peers::ALL.iter().filter(|(name, _)| median(name).is_nan()) {
        table.absent(name);
    }
    for contender in contenders {
        let own = contender.samples.median();
        let mut cells = vec![
            contender.name.clone(),
            number(own / 1e3),
            number(own / echo),
            number(own / ssh),
            number(own / pizauth),
        ];
        let status = median(&contender.name.replace("run -- true", "status"));
        cells.extend(verdict(contender, echo, ssh, pizauth, status));
        table.row(&cells);
        if contender.failures > 0 {
            note(&format!("{}: {} runs failed and are left out", contender.name, contender.failures));
        }
    }
    note(&format!(
        "Medians of {} rounds or fewer, interleaved.",
        contenders.first().map_or(0, |one| one.samples.count())
    ));
}

/// What `pizauth show` is to the C echo where it is not here (measured when the target was set).
const PIZAUTH: f64 = 1.63;

fn verdict(contender: &Contender, echo: f64, ssh: f64, pizauth: f64, status: f64) -> Vec<String> {
    let own = contender.samples.median();
    let pizauth = if pizauth.is_nan() { echo * PIZAUTH } else { pizauth };
    let (text, target) = if contender.name.starts_with("claudectl run") {
        ("≤ 2 × claudectl status", Target::at_most(2.0, own / status))
    } else if contender.name == "claudectl status, musl static" {
        ("≤ 0.65 × pizauth", Target::at_most(0.65, own / pizauth))
    } else if contender.name.starts_with("claudectl status") {
        let worst = (own / ssh / 0.36).max(own / pizauth / 0.9);
        ("≤ 0.36 × ssh-add, ≤ 0.9 × pizauth", Target::at_most(1.0, worst))
    } else {
        return Vec::new();
    };
    vec![text.to_owned(), target.verdict().to_owned()]
}
