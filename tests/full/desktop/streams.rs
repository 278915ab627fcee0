//! 1,000 open streams when the screen is locked.

use std::time::Duration;

use claudectl_tests::{
    desktop::{Bus, Locker, VENDORS},
    need, require,
    sandbox::Sandbox,
    session::Session,
    upstream::{FakeUpstream, Reply},
};
use serde_json::Value;

use super::patience;

const STREAMS: usize = 1_000;

/// A session that opens streams, says so, and tells when they were cut, by `CLOCK_MONOTONIC`.
const SESSION: &str = r#"
import json, os, resource, select, socket, sys, time

resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
path, count = os.environ["ANTHROPIC_UNIX_SOCKET"], int(sys.argv[1])
body = b'{"model":"claude-test","max_tokens":16,"stream":true,"messages":[]}'
request = (b"POST /v1/messages HTTP/1.1\r\nHost: claudectl.invalid\r\nContent-Type: application/json\r\n"
           b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

def ask():
    stream = socket.socket(socket.AF_UNIX)
    stream.connect(path)
    stream.sendall(request)
    return stream

def now():
    return time.clock_gettime(time.CLOCK_MONOTONIC)

streams = [ask() for _ in range(count)]
for stream in streams:
    head = stream.recv(65536)
    assert head.startswith(b"HTTP/1.1 200"), head
print(json.dumps({"open": len(streams)}), flush=True)
poll = select.poll()
by_number = {stream.fileno(): stream for stream in streams}
for number in by_number:
    poll.register(number, select.POLLIN)
cuts = []
while by_number:
    for number, _ in poll.poll():
        try:
            over = not by_number[number].recv(65536)
        except ConnectionError:
            over = True
        if over:
            cuts.append(now())
            poll.unregister(number)
            del by_number[number]
print(json.dumps({"first": cuts[0], "last": cuts[-1]}), flush=True)
"#;

fn monotonic() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Duration::new(now.tv_sec.cast_unsigned(), u32::try_from(now.tv_nsec).unwrap()).as_secs_f64()
}

#[test]
fn a_thousand_open_streams_are_cut_and_the_next_request_is_refused() {
    let python = need!(require::program("python3"));
    let mut sandbox = Sandbox::new();
    let bus = need!(Bus::start(&mut sandbox, "DBUS_SESSION_BUS_ADDRESS"));
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    upstream.next((0..STREAMS).map(|_| Reply::held()));
    sandbox.login("work", &key, &upstream);
    let locker = Locker::start(&bus, VENDORS[2]);
    let mut command = sandbox.command("claudectl");
    command.args(["run", "--"]).arg(python).args(["-c", SESSION, &STREAMS.to_string()]);
    let mut session = sandbox.start(command);
    let open: Value = serde_json::from_str(&session.line()).unwrap();
    assert_eq!(open["open"], STREAMS);
    let mut other = Session::open(&sandbox, &[]);
    assert_eq!(other.message()["status"], 200);
    let began = monotonic();
    locker.lock(true);
    // Somebody who asks again and again: how long does anything go through?
    while other.message()["status"] == 200 {}
    let refused = (monotonic() - began) * 1e3;
    let told: Value = serde_json::from_str(&session.line()).unwrap();
    let after = |what: &str| (told[what].as_f64().unwrap() - began) * 1e3;
    eprintln!(
        "{STREAMS} open streams: next request refused after {refused:.1} ms, first cut after {:.1} ms, last cut after {:.1} ms",
        after("first"),
        after("last")
    );
    let most = patience(Duration::from_millis(100)).as_secs_f64() * 1e3;
    assert!(refused <= most && after("last") <= 5.0 * most, "{refused} {told}");
    assert_eq!(sandbox.ctl(&["accounts", "--json"]).exited(0).json()["accounts"], serde_json::json!([]));
}
