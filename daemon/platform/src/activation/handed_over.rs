//! What a supervisor hands over is looked at before it is used: it is the socket that clients connect to, or it
//! is refused.

use std::{
    io,
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::{fs::MetadataExt as _, net::UnixListener},
    },
    path::Path,
};

use rustix::{
    io::FdFlags,
    net::{SocketType, sockopt},
};

use crate::{
    permissions,
    socket::{BACKLOG, LocalListener},
};

/// The listener that this is, if it is the one at `at`.
pub(super) fn accept(socket: OwnedFd, at: &Path) -> io::Result<LocalListener> {
    let listener = UnixListener::from(socket);
    // Fails unless it is a Unix socket.
    let address = listener.local_addr()?;
    let socket = listener.as_fd();
    if sockopt::socket_type(socket)? != SocketType::STREAM {
        return Err(refused("the supervisor's socket is not for connections"));
    }
    let bound = address.as_pathname().ok_or_else(|| refused("the supervisor's socket has no path"))?;
    if !is_same(bound, at)? {
        return Err(refused(&format!("the supervisor listens on {} instead", bound.display())));
    }
    permissions::restrict_socket(at)?;
    // It does that already. Fails for a connection; and from here on the kernel names us as who listens.
    rustix::net::listen(socket, BACKLOG)?;
    rustix::io::fcntl_setfd(socket, FdFlags::CLOEXEC)?;
    listener.set_nonblocking(true)?;
    LocalListener::from_std(listener)
}

/// Whether both are the same name in the same directory, by whichever path it was reached.
fn is_same(bound: &Path, at: &Path) -> io::Result<bool> {
    let (Some(theirs), Some(ours)) = (bound.parent(), at.parent()) else { return Ok(false) };
    let (theirs, ours) = (theirs.metadata()?, ours.metadata()?);
    Ok((theirs.dev(), theirs.ino()) == (ours.dev(), ours.ino()) && bound.file_name() == at.file_name())
}

fn refused(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{File, Permissions},
        net::TcpListener,
        os::unix::{
            fs::{PermissionsExt as _, symlink},
            net::{UnixDatagram, UnixStream},
        },
    };

    use tempfile::TempDir;

    use super::*;

    fn place() -> TempDir {
        tempfile::tempdir().unwrap()
    }

    /// Where clients connect, and a supervisor that listens there with the mode that most sockets have.
    fn supervised(place: &TempDir) -> (std::path::PathBuf, UnixListener) {
        let at = place.path().join("control");
        let listener = UnixListener::bind(&at).unwrap();
        std::fs::set_permissions(&at, Permissions::from_mode(0o755)).unwrap();
        (at, listener)
    }

    #[tokio::test]
    async fn the_socket_at_the_path_is_taken_and_closed_to_others() {
        let place = place();
        let (at, listener) = supervised(&place);
        let kept = listener.try_clone().unwrap();
        let accepted = accept(listener.into(), &at).unwrap();
        assert!(permissions::is_restricted_socket(&at).unwrap());
        assert_eq!(rustix::io::fcntl_getfd(&accepted).unwrap(), FdFlags::CLOEXEC);
        // What waits since before the daemon started is served.
        let _client = UnixStream::connect(&at).unwrap();
        accepted.accept().await.unwrap();
        drop((accepted, kept));
        assert!(at.exists(), "the supervisor's socket stays");
    }

    #[tokio::test]
    async fn another_way_to_the_same_directory_is_the_same_path() {
        let place = place();
        let (at, listener) = supervised(&place);
        symlink(place.path(), place.path().join("link")).unwrap();
        accept(listener.into(), &place.path().join("link/control")).unwrap();
        assert!(permissions::is_restricted_socket(&at).unwrap());
    }

    #[tokio::test]
    async fn a_socket_elsewhere_is_refused_and_left_alone() {
        let place = place();
        let (at, listener) = supervised(&place);
        let expected = place.path().join("expected");
        let error = accept(listener.try_clone().unwrap().into(), &expected).unwrap_err();
        assert!(error.to_string().contains(&*at.to_string_lossy()), "{error}");
        std::fs::create_dir(place.path().join("directory")).unwrap();
        accept(listener.into(), &place.path().join("directory/control")).unwrap_err();
        assert!(!permissions::is_restricted_socket(&at).unwrap());
    }

    #[tokio::test]
    async fn what_lies_at_the_path_must_be_a_socket() {
        let place = place();
        let (at, listener) = supervised(&place);
        std::fs::remove_file(&at).unwrap();
        assert!(accept(listener.try_clone().unwrap().into(), &at).is_err(), "it is gone");
        File::create(&at).unwrap();
        assert!(accept(listener.into(), &at).is_err(), "a file is in its place");
    }

    #[tokio::test]
    async fn a_connection_of_that_socket_is_no_listener() {
        let place = place();
        let (at, listener) = supervised(&place);
        let _client = UnixStream::connect(&at).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        assert!(accept(accepted.into(), &at).is_err());
    }

    #[tokio::test]
    async fn what_nobody_can_connect_to_is_refused() {
        let place = place();
        let at = place.path().join("control");
        let datagram = UnixDatagram::bind(&at).unwrap();
        let (connected, _other) = UnixStream::pair().unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let file = File::open(place.path()).unwrap();
        for (what, socket) in [
            ("datagrams", datagram.into()),
            ("an unnamed connection", connected.into()),
            ("TCP", tcp.into()),
            ("a directory", file.into()),
        ] {
            assert!(accept(socket, &at).is_err(), "{what}");
        }
    }
}
