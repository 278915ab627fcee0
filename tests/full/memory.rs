//! The whole memory of the daemon at 100 random stops under load (T4, P4), and its address in no
//! core file (T3).

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use claudectl_tests::{
    canary,
    http2::Connection,
    json,
    memory::{self, Hit},
    need, require,
    sandbox::Sandbox,
    session::{Session, message},
    upstream::{FakeUpstream, Reply},
    wait,
};
use nix::sys::signal::Signal;
use ring::rand::{SecureRandom as _, SystemRandom};

const STOPS: usize = 100;

/// A pause of up to 16 ms, so that the stops fall anywhere in the traffic.
fn random_pause() {
    let mut byte = [0; 2];
    SystemRandom::new().fill(&mut byte).unwrap();
    thread::sleep(Duration::from_micros(u64::from(u16::from_le_bytes(byte)) / 4));
}

/// Keeps sessions busy until told to stop.
fn load(sandbox: &Sandbox, busy: &AtomicBool) {
    let mut session = Session::open(sandbox, &[]);
    let mut flood = message("flood");
    (flood["connections"], flood["requests"]) = (8.into(), 40.into());
    while busy.load(Ordering::Relaxed) {
        let told = session.ask(&flood);
        assert_eq!(told["failures"], serde_json::json!([]), "{told}");
    }
}

/// Looks at the daemon again and again; what was found each time, and how many bytes were read.
fn looks(daemon: u32, sandbox: &Sandbox, count: usize) -> (Vec<Vec<Hit>>, u64) {
    let search = sandbox.search();
    let mut read = 0;
    let hits = (0..count).map(|_| {
        random_pause();
        let look = memory::look(daemon, &search).unwrap();
        read += look.read;
        look.hits
    });
    (hits.collect(), read)
}

/// How many readable copies the kernel's own protection leaves: none with `memfd_secret(2)`.
fn allowed(sandbox: &Sandbox) -> usize {
    let status = sandbox.ctl(&["status", "--json"]).exited(0).json();
    let shield = json::by(&status["protections"], "name", "secret memory");
    eprintln!("{shield}");
    usize::from(!shield["detail"].as_str().unwrap().contains("memfd_secret") || shield["active"] == false)
}

fn canary_through_everything(upstream: &FakeUpstream, authority: bool) {
    let sandbox = Sandbox::new();
    let (key, wrong, again) = (sandbox.key(), sandbox.key(), sandbox.key());
    upstream.accept(&key);
    upstream.accept(&again);
    let daemon = sandbox.daemon();
    let file = sandbox.path("work/authority.pem");
    let url = upstream.url();
    let mut login = vec!["login", "work", "--api-key", "--upstream", &url];
    if authority {
        upstream.write_authority(&file);
        login.extend(["--ca-file", file.to_str().unwrap()]);
    }
    // Control connections that stay open all the time.
    let mut control = Connection::open(&sandbox.control_socket()).unwrap();
    let mut watch = sandbox.command("claudectl");
    watch.args(["status", "--watch", "--json"]);
    let _watch = sandbox.start(watch);
    control.ask("claudectl.v1.DaemonService/GetStatus").unwrap();

    sandbox.ctl_with(&login, wrong.as_bytes()).exited(1);
    sandbox.ctl_with(&login, key.as_bytes()).exited(0);
    sandbox.ctl_with(&login, again.as_bytes()).exited(0);
    let allowed = allowed(&sandbox);
    let mut idle = Session::open(&sandbox, &[]);
    upstream.next([Reply::held()]);
    idle.open_stream();

    let (busy, began) = (AtomicBool::new(true), Instant::now());
    let (held, read) = thread::scope(|scope| {
        let loads: Vec<_> = (0..2).map(|_| scope.spawn(|| load(&sandbox, &busy))).collect();
        let held = looks(daemon.pid(), &sandbox, STOPS);
        busy.store(false, Ordering::Relaxed);
        for load in loads {
            load.join().unwrap();
        }
        held
    });
    let worst = held.iter().max_by_key(|hits| hits.len()).unwrap();
    let seen = held.iter().filter(|hits| !hits.is_empty()).count();
    let requests = upstream.messages().len();
    eprintln!("{STOPS} stops in {:?}, {requests} requests, {} MB read", began.elapsed(), read >> 20);
    eprintln!("{seen} stops found a copy, worst: {worst:?}");
    // rustls encrypts a record in place: for those microseconds there is one more copy.
    let encrypting = usize::from(authority);
    assert!(worst.len() <= allowed + encrypting, "{worst:?}");
    let (quiet, _) = looks(daemon.pid(), &sandbox, 10);
    assert!(quiet.iter().all(|hits| hits.len() <= allowed), "{quiet:?}");

    sandbox.ctl(&["logout"]).exited(0);
    control.ask("claudectl.v1.DaemonService/GetStatus").unwrap();
    let (after, _) = looks(daemon.pid(), &sandbox, 10);
    assert!(after.iter().all(Vec::is_empty), "{after:?}");
    assert_eq!(idle.message()["status"], 401);
    sandbox.assert_clean(&[daemon.pid(), idle.pid()]);
}

#[test]
fn a_canary_through_a_plain_upstream() {
    need!(require::root());
    canary_through_everything(&FakeUpstream::plain([]), false);
}

#[test]
fn a_canary_through_a_tls_upstream() {
    need!(require::root());
    canary_through_everything(&FakeUpstream::tls([]), true);
}

/// The check itself: the same search finds the key in a program that keeps it in ordinary memory.
#[test]
fn the_same_search_finds_a_key_that_is_not_protected() {
    need!(require::root());
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let mut command = sandbox.command("/bin/sh");
    command.args(["-c", "read -r key; echo got; read -r never"]);
    let mut careless = sandbox.start(command);
    careless.write(format!("{key}\n").as_bytes());
    careless.line();
    let (found, _) = looks(careless.pid(), &sandbox, 3);
    assert!(found.iter().all(|hits| !hits.is_empty()), "{found:?}");
}

#[test]
fn a_crash_leaves_no_core() {
    let prlimit = need!(require::program("prlimit"));
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let mut command = sandbox.command(prlimit);
    command.arg("--core=unlimited").arg(sandbox.command("claudectld").get_program());
    let mut daemon = sandbox.daemon_with(command);
    sandbox.ctl_with(&["login", "--api-key", "--offline"], key.as_bytes()).exited(0);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", daemon.pid())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    // The first one only undoes the runtime's own look at stack overflows; two at once count as one.
    daemon.signal(Signal::SIGSEGV);
    while !wait::exits_within(daemon.pid(), Duration::from_millis(100)) {
        daemon.signal(Signal::SIGSEGV);
    }
    assert_eq!(daemon.wait(), 128 + 11);
    sandbox.assert_clean(&[]);
}

/// Typing a key leaves nothing in the client, which lives only as long as the login.
#[test]
fn a_client_that_waits_for_the_verdict_keeps_no_copy_for_others() {
    need!(require::root());
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    upstream.models(Reply::models().after(Duration::from_secs(3)));
    let mut command = sandbox.command("claudectl");
    command.args(["login", "--api-key", "--upstream", &upstream.url()]);
    let mut client = sandbox.start(command);
    client.write(key.as_bytes());
    client.close_input();
    // The upstream has been asked: the client has handed the key over, and waits.
    upstream.wait_for(1, |request| request.path() == "/v1/models");
    let look = memory::look(client.pid(), &canary::Search::new([key.as_str()])).unwrap();
    assert!(look.hits.is_empty(), "{:?}", look.hits);
    client.finish().exited(0);
}
