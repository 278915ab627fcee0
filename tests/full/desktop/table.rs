//! Source × (seen, wiped, refused): the numbers behind the promise. `cargo nextest run -p claudectl-tests --test
//! full desktop::table --no-capture` prints them; with `CLAUDECTL_BIN_DIR=target/release` they are the published ones.

use std::time::{Duration, Instant};

use claudectl_tests::{
    desktop::{Bus, Locker, Logind, VENDORS, status_until},
    need,
    sandbox::Sandbox,
    session::Session,
    upstream::{FakeUpstream, Reply},
};

use super::patience;

const ROUNDS: usize = 30;

/// What was seen of one source, in microseconds.
#[derive(Default)]
struct Times {
    wiped: Vec<u64>,
    cut: Vec<u64>,
    refused: Vec<u64>,
}

impl Times {
    fn row(&mut self, source: &str) -> String {
        let cell = |times: &mut Vec<u64>| {
            times.sort_unstable();
            let at = |part: usize| std::time::Duration::from_micros(times[(times.len() - 1) * part / 100]);
            format!("{:.2} / {:.2}", at(50).as_secs_f64() * 1e3, at(99).as_secs_f64() * 1e3)
        };
        let seen = format!("{} of {ROUNDS}", self.wiped.len());
        let (wiped, cut, refused) = (cell(&mut self.wiped), cell(&mut self.cut), cell(&mut self.refused));
        format!("| {source} | {seen} | {wiped} | {cut} | {refused} |")
    }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap()
}

/// The place of the measurement: both buses, one session.
struct Bench {
    sandbox: Sandbox,
    upstream: FakeUpstream,
    key: String,
    session: Session,
}

impl Bench {
    /// Lets one event happen while a stream is open, again and again.
    fn measure(&mut self, source: &str, mut event: impl FnMut(), mut back: impl FnMut()) -> Times {
        let mut times = Times::default();
        for _ in 0..ROUNDS {
            self.sandbox.login("work", &self.key, &self.upstream);
            self.upstream.next([Reply::held()]);
            assert_eq!(self.session.open_stream()["status"], 200, "{source}");
            let began = Instant::now();
            event();
            let end = self.session.drain();
            times.cut.push(microseconds(began.elapsed()));
            let refused = self.session.message();
            times.refused.push(microseconds(began.elapsed()));
            assert!(end["end"].as_str().unwrap().starts_with("cut"), "{source}: {end}");
            assert_eq!(refused["status"], 401, "{source}: {refused}");
            let status = status_until(&self.sandbox, |status| {
                status["logged_in"] == false
                    && status["sightings"].as_array().unwrap().last().is_some_and(|last| {
                        !["screen-unlocked", "resumed", "input-seen"]
                            .contains(&last["what"].as_str().unwrap())
                    })
            });
            let last = status["sightings"].as_array().unwrap().last().unwrap().clone();
            times.wiped.push(last["took_microseconds"].as_u64().unwrap());
            back();
            status_until(&self.sandbox, |status| {
                status["sightings"].as_array().unwrap().last().is_none_or(|now| *now != last)
            });
        }
        times
    }
}

#[test]
fn every_source_is_heard_wiped_and_refused_in_time() {
    let mut sandbox = Sandbox::new();
    let system = need!(Bus::start(&mut sandbox, "DBUS_SYSTEM_BUS_ADDRESS"));
    let bus = need!(Bus::start(&mut sandbox, "DBUS_SESSION_BUS_ADDRESS"));
    let logind = Logind::start(&system);
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    sandbox.login("work", &key, &upstream);
    drop(logind.delay());
    let session = Session::open(&sandbox, &[]);
    let mut bench = Bench { sandbox, upstream, key, session };
    let mut rows = vec![
        (
            "logind Lock".to_owned(),
            bench.measure("Lock", || logind.ask("_31", "Lock"), || logind.ask("_31", "Unlock")),
        ),
        (
            "logind LockedHint".to_owned(),
            bench.measure("LockedHint", || logind.hint("_31", true), || logind.hint("_31", false)),
        ),
        (
            "logind Active".to_owned(),
            bench.measure("Active", || logind.show("_31", false), || logind.show("_31", true)),
        ),
        (
            "logind PrepareForSleep".to_owned(),
            bench.measure(
                "PrepareForSleep",
                || logind.prepare_for_sleep(true),
                || logind.prepare_for_sleep(false),
            ),
        ),
    ];
    for vendor in VENDORS {
        let locker = Locker::start(&bus, vendor);
        let name = format!("{} at {}", vendor.interface, vendor.path);
        rows.push((name, bench.measure(vendor.interface, || locker.lock(true), || locker.lock(false))));
        locker.withdraw();
    }
    println!(
        "| source | seen | heard → wiped, ms (p50 / p99) | signal → stream cut | signal → next request refused |"
    );
    println!("|---|---|---|---|---|");
    let most = microseconds(patience(Duration::from_millis(100)));
    for (source, times) in &mut rows {
        println!("{}", times.row(source));
        assert_eq!(times.wiped.len(), ROUNDS);
        assert!(*times.refused.last().unwrap() <= most, "{source}: {:?}", times.refused);
        // The 99th of a hundred: one that the machine's other work held up is no failure.
        let p99 = times.wiped[(ROUNDS - 1) * 99 / 100];
        assert!(p99 <= most / 10, "{source}: {:?}", times.wiped);
    }
}
