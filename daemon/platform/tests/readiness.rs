//! Many listeners, one wait.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "test code")]

use std::os::unix::net::{UnixListener, UnixStream};

use claudectl_platform::readiness::Readiness;

struct Listeners {
    place: tempfile::TempDir,
    listeners: Vec<UnixListener>,
}

impl Listeners {
    fn new(count: usize) -> Self {
        let place = tempfile::tempdir().unwrap();
        let listeners = (0..count).map(|n| UnixListener::bind(place.path().join(n.to_string())).unwrap());
        let listeners = listeners.collect();
        Self { place, listeners }
    }

    fn connect(&self, n: usize) -> UnixStream {
        UnixStream::connect(self.place.path().join(n.to_string())).unwrap()
    }
}

#[tokio::test]
async fn a_connection_is_told_until_it_is_accepted() {
    let set = Readiness::new().unwrap();
    let three = Listeners::new(3);
    for (listener, token) in three.listeners.iter().zip(100..) {
        set.add(listener, token).unwrap();
    }
    assert_eq!(set.ready().unwrap(), []);
    let _first = three.connect(1);
    let _second = three.connect(1);
    assert_eq!(set.wait().await.unwrap(), [101]);
    three.listeners[1].accept().unwrap();
    assert_eq!(set.wait().await.unwrap(), [101], "one more");
    three.listeners[1].accept().unwrap();
    assert_eq!(set.ready().unwrap(), []);
}

#[tokio::test]
async fn a_wait_wakes_when_a_connection_comes_later() {
    let set = Readiness::new().unwrap();
    let one = Listeners::new(1);
    set.add(&one.listeners[0], 7).unwrap();
    for _ in 0..3 {
        let (told, _stream) = tokio::join!(set.wait(), async { one.connect(0) });
        assert_eq!(told.unwrap(), [7]);
        one.listeners[0].accept().unwrap();
    }
}

#[test]
fn removed_and_closed_listeners_are_silent() {
    let set = Readiness::new().unwrap();
    let mut two = Listeners::new(2);
    set.add(&two.listeners[0], 0).unwrap();
    set.add(&two.listeners[1], 1).unwrap();
    assert!(set.add(&two.listeners[1], 2).is_err(), "twice");
    let _streams = [two.connect(0), two.connect(1)];
    set.remove(&two.listeners[0]).unwrap();
    assert_eq!(set.ready().unwrap(), [1]);
    two.listeners.clear();
    assert_eq!(set.ready().unwrap(), []);
}
