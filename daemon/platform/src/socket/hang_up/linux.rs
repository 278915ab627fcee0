//! `EPOLLRDHUP` (`epoll_ctl(2)`). The kernel tells it along with what is there to read; tokio passes it on by
//! itself to whoever waits for priority data, which no stream of ours is registered for.

use tokio::{
    io::Interest,
    net::{TcpStream, UnixStream},
};

pub(super) async fn local(stream: &UnixStream) {
    // An error means that the runtime ends.
    let _ = stream.ready(Interest::PRIORITY).await;
}

pub(super) async fn tcp(stream: &TcpStream) {
    let _ = stream.ready(Interest::PRIORITY).await;
}
