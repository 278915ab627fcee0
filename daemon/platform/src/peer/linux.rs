//! `SO_PEERCRED` (`unix(7)`), and the tables of TCP connections (`proc_net(5)`).

use std::{
    fs, io,
    mem::{self, MaybeUninit},
    net::{IpAddr, SocketAddr},
    os::fd::{AsFd, AsRawFd},
};

use super::Peer;

/// Each user has their own (`systemd --user`).
pub(super) const SUPERVISOR: Option<u32> = None;

pub(super) fn of_stream(stream: &impl AsFd) -> io::Result<Peer> {
    let mut credential = MaybeUninit::<libc::ucred>::zeroed();
    let size = libc::socklen_t::try_from(mem::size_of::<libc::ucred>()).map_err(io::Error::other)?;
    let mut length = size;
    // SAFETY: the kernel writes at most `length` bytes to `credential`, which has that many.
    let outcome = unsafe {
        libc::getsockopt(
            stream.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            credential.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if outcome != 0 {
        return Err(io::Error::last_os_error());
    }
    if length != size {
        return Err(io::Error::other("the kernel told less than a peer credential"));
    }
    // SAFETY: `ucred` is plain integers, zeroed before and filled by the kernel.
    let credential = unsafe { credential.assume_init() };
    named(credential)
}

/// A process outside this process's namespaces has no number, and an unbound socket no user.
fn named(credential: libc::ucred) -> io::Result<Peer> {
    let pid = u32::try_from(credential.pid).unwrap_or(0);
    if pid == 0 || credential.uid == u32::MAX {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the kernel does not name the peer"));
    }
    Ok(Peer { uid: credential.uid, pid })
}

/// State of an open connection in the tables. One that was closed there belongs to nobody any more: the
/// tables say root then.
const ESTABLISHED: &str = "01";

pub(super) fn user_of_tcp(ours: SocketAddr, theirs: SocketAddr) -> io::Result<Option<u32>> {
    let mapped = |end: SocketAddr| match end.ip() {
        IpAddr::V4(ip) => SocketAddr::new(ip.to_ipv6_mapped().into(), end.port()),
        IpAddr::V6(_) => end,
    };
    // The other end may be a socket for both versions.
    let (tables, both) =
        (["/proc/net/tcp", "/proc/net/tcp6"], [(ours, theirs), (mapped(ours), mapped(theirs))]);
    for (table, (ours, theirs)) in tables.into_iter().zip(both) {
        let table = match fs::read_to_string(table) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            table => table?,
        };
        if let Some(uid) = owner(&table, &in_table(theirs), &in_table(ours)) {
            return Ok(Some(uid));
        }
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, "the kernel does not name the peer"))
}

/// The user of the open connection between these ends.
fn owner(table: &str, local: &str, remote: &str) -> Option<u32> {
    table.lines().find_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let named = [fields.next()?, fields.next()?, fields.next()?];
        // Queues, timer and retransmissions are in between.
        (named == [local, remote, ESTABLISHED]).then(|| fields.nth(3)?.parse().ok()).flatten()
    })
}

/// An address as the tables have it: words of the machine's own byte order.
fn in_table(end: SocketAddr) -> String {
    let word = |bytes: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(bytes));
    let ip = match end.ip() {
        IpAddr::V4(ip) => word(ip.octets()),
        IpAddr::V6(ip) => ip.octets().as_chunks::<4>().0.iter().map(|bytes| word(*bytes)).collect(),
    };
    format!("{ip}:{:04X}", end.port())
}

pub(super) fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn the_user_of_an_open_connection_is_told_and_of_no_other() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let ours = listener.local_addr().unwrap();
            let (client, own) = (TcpStream::connect(ours).unwrap(), Some(own_uid()));
            let (accepted, theirs) = listener.accept().unwrap();
            assert_eq!(user_of_tcp(ours, theirs).unwrap(), own, "{address}");
            assert!(user_of_tcp(theirs, ours).is_ok(), "the other way round it is the other end");
            assert!(user_of_tcp(ours, SocketAddr::new(theirs.ip(), 1)).is_err());
            drop(client);
            assert!(user_of_tcp(ours, theirs).is_err(), "a closed one belongs to nobody");
            drop(accepted);
        }
    }

    #[test]
    fn a_line_of_the_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
             0: 0100007F:A0B1 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 17 1\n   \
             1: 0100007F:A0B2 0100007F:1F90 06 00000000:00000000 03:00000AB1 00000000     0        0 0 3\n";
        assert_eq!(owner(table, "0100007F:A0B1", "0100007F:1F90"), Some(1000));
        assert_eq!(owner(table, "0100007F:A0B2", "0100007F:1F90"), None);
    }

    #[test]
    fn a_missing_fact_is_an_error() {
        assert!(named(libc::ucred { pid: 0, uid: 1000, gid: 1000 }).is_err());
        assert!(named(libc::ucred { pid: 7, uid: u32::MAX, gid: 1000 }).is_err());
        assert_eq!(named(libc::ucred { pid: 7, uid: 1, gid: 1 }).unwrap(), Peer { uid: 1, pid: 7 });
    }
}
