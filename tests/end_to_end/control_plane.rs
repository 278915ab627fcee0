//! One client cannot starve another, nor fill the daemon (T20).

use std::{
    io::{self, Read as _, Write as _},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use claudectl_tests::{
    http2::{self, Connection},
    memory,
    program::Program,
    sandbox::Sandbox,
};
use ring::rand::{SecureRandom as _, SystemRandom};

const STATUS: &str = "claudectl.v1.DaemonService/GetStatus";
const WATCH: &str = "claudectl.v1.DaemonService/WatchStatus";
const LOGIN: &str = "claudectl.v1.AccountService/Login";

const RECOGNIZE: &str = "claudectl.v1.AccountService/RecognizeCredentials";

/// The worst of some calls, each on a connection of its own, as a client makes them.
fn worst_answer(socket: &Path) -> Duration {
    (0..20)
        .map(|_| {
            let began = std::time::Instant::now();
            let (_, data) = Connection::open(socket).unwrap().ask(STATUS).unwrap();
            assert!(data.len() > 5, "an answer with a status in it");
            began.elapsed()
        })
        .max()
        .unwrap()
}

/// What a client may wait while others misbehave: 100 ms, more on a machine that is slow anyway.
fn bound(idle: Duration) -> Duration {
    Duration::from_millis(100).max(idle * 5)
}

struct Place {
    sandbox: Sandbox,
    daemon: Program,
    idle: Duration,
    before: u64,
}

impl Place {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let daemon = sandbox.daemon();
        let idle = worst_answer(&sandbox.control_socket());
        let before = memory::peak(daemon.pid());
        Self { sandbox, daemon, idle, before }
    }

    fn open(&self) -> io::Result<Connection> {
        Connection::open(&self.sandbox.control_socket())
    }

    /// Others are answered in time, and the daemon has not grown by more than `limit` bytes.
    #[track_caller]
    fn is_well(&self, limit: u64) {
        // A stall of the whole machine is over at the next try; a starved client is not.
        let tries: Vec<_> = (0..3).map(|_| worst_answer(&self.sandbox.control_socket())).collect();
        let best = tries.iter().copied().min().unwrap();
        assert!(best <= bound(self.idle), "answered after {tries:?} at worst, idle {:?}", self.idle);
        let grown = memory::peak(self.daemon.pid()).saturating_sub(self.before);
        assert!(grown <= limit, "the daemon grew by {grown} bytes");
    }
}

#[test]
fn a_message_of_a_hundred_megabytes_is_not_taken() {
    let place = Place::new();
    let mut connection = place.open().unwrap();
    connection.give_up_writing_after(Duration::from_secs(2));
    let stream = connection.stream();
    connection.write(&http2::call(stream, STATUS)).unwrap();
    let mut begin = vec![0];
    begin.extend_from_slice(&100_000_000_u32.to_be_bytes());
    let block = vec![b'x'; 16_000];
    let mut sent = 0;
    let mut push = |payload: &[u8]| connection.write(&http2::frame(http2::DATA, 0, stream, payload));
    // Whether we wait for window or not, the other side ends it long before all of it is there.
    let mut result = push(&begin);
    while result.is_ok() && sent < 100_000_000 {
        result = push(&block);
        sent += block.len();
    }
    assert!(sent < 100_000_000, "all of it was taken");
    place.is_well(8 << 20);
}

#[test]
fn ten_thousand_streams_are_not_opened() {
    let place = Place::new();
    let mut connection = place.open().unwrap();
    connection.give_up_writing_after(Duration::from_secs(2));
    for _ in 0..10_000 {
        let stream = connection.stream();
        if connection.write(&http2::call(stream, WATCH)).is_err() {
            break;
        }
    }
    place.is_well(8 << 20);
}

#[test]
fn clients_that_never_read_are_not_waited_for() {
    let place = Place::new();
    let watchers: Vec<_> = (0..50)
        .map(|_| {
            let mut connection = place.open().unwrap();
            let stream = connection.stream();
            connection.write(&[http2::call(stream, WATCH), http2::message(stream, b"")].concat()).unwrap();
            connection
        })
        .collect();
    // Every login changes the status that they are owed.
    let key = place.sandbox.key();
    for number in 0..20 {
        let name = format!("account{number}");
        place.sandbox.ctl_with(&["login", &name, "--api-key", "--offline"], key.as_bytes()).exited(0);
    }
    place.is_well(16 << 20);
    drop(watchers);
}

#[test]
fn connections_that_say_nothing_do_not_keep_others_out() {
    let place = Place::new();
    let silent: Vec<_> =
        (0..1000).map_while(|_| UnixStream::connect(place.sandbox.control_socket()).ok()).collect();
    assert!(silent.len() >= 200, "{}", silent.len());
    // The limit is reached: newcomers are turned away at once, or let in; never left to wait.
    let mut one = UnixStream::connect(place.sandbox.control_socket()).unwrap();
    one.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    one.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").ok();
    one.write_all(&http2::frame(http2::SETTINGS, 0, 0, &[])).ok();
    let mut byte = [0];
    match one.read(&mut byte) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "left to wait"),
    }
    drop(silent);
    place.is_well(16 << 20);
}

/// Who guesses keys does not get far here.
#[test]
fn fingerprints_are_taken_whole_a_thousand_at_once_and_ten_thousand_a_minute() {
    let place = Place::new();
    let request = |key: u8, count: usize, length: u8| {
        let key = [&[0x0a, key][..], &vec![7; key.into()]].concat();
        let fingerprint = [&[0x12, length][..], &vec![7; length.into()]].concat();
        [key, fingerprint.repeat(count)].concat()
    };
    let mut connection = place.open().unwrap();
    let mut answered = |request: &[u8]| !connection.ask_about(RECOGNIZE, request).unwrap().1.is_empty();
    assert!(answered(&request(32, 1, 16)));
    for refused in [request(31, 1, 16), request(33, 1, 16), request(32, 1, 15), request(32, 1_001, 16)] {
        assert!(!answered(&refused));
    }
    // A minute may end in the middle of it, but not two.
    let taken = (0..30).filter(|_| answered(&request(32, 1_000, 16))).count();
    assert!((9..20).contains(&taken), "{taken}");
    place.is_well(8 << 20);
}

/// Not proof, but what an attacker tries first. The parsers are fuzzed in process elsewhere.
#[test]
fn nonsense_is_survived() {
    let place = Place::new();
    let random = SystemRandom::new();
    let mut noise = vec![0; 4096];
    for round in 0_u32..300 {
        random.fill(&mut noise).unwrap();
        let mut connection = place.open().unwrap();
        connection.give_up_writing_after(Duration::from_millis(500));
        let stream = connection.stream();
        let length = usize::from(noise[0]) * 8;
        let bytes = match round % 6 {
            // Bytes after the preface.
            0 => noise[..length].to_vec(),
            // Frames of every kind with nonsense in them.
            1 => (0..12)
                .flat_map(|kind| http2::frame(kind, noise[usize::from(kind)], stream, &noise[..length]))
                .collect(),
            // A head that does not decompress.
            2 => http2::frame(http2::HEADERS, 4, stream, &noise[..length]),
            // A message that is no message.
            3 => [http2::call(stream, LOGIN), http2::message(stream, &noise[..length])].concat(),
            // A message that is shorter than it says, or compressed.
            4 => [
                http2::call(stream, LOGIN),
                http2::frame(http2::DATA, 1, stream, &noise[..usize::from(noise[1] % 8)]),
            ]
            .concat(),
            // Methods that do not exist.
            _ => [http2::call(stream, "claudectl.v1.Nothing/AtAll"), http2::message(stream, b"")].concat(),
        };
        // A connection that is ended in the middle is an answer, too.
        let _ = connection.write(&bytes);
    }
    for _ in 0..50 {
        random.fill(&mut noise).unwrap();
        let mut raw = UnixStream::connect(place.sandbox.control_socket()).unwrap();
        let _ = raw.write_all(&noise);
    }
    place.is_well(16 << 20);
}

#[test]
fn a_flood_of_pings_and_settings_is_bounded() {
    let place = Place::new();
    let mut connection = place.open().unwrap();
    connection.give_up_writing_after(Duration::from_secs(1));
    let flood = [http2::frame(http2::PING, 0, 0, &[0; 8]), http2::frame(http2::SETTINGS, 0, 0, &[])]
        .concat()
        .repeat(200);
    for _ in 0..500 {
        if connection.write(&flood).is_err() {
            break;
        }
    }
    place.is_well(8 << 20);
}
