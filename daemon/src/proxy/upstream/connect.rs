//! Connects to an upstream, and to nothing else.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use tokio::{net::TcpStream, time::timeout};

use super::{Fingerprint, Target, Upstream, Wire, tunnel, wire::Tls};
use crate::proxy::limits;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
#[error("{to} could not be reached: {why}")]
pub struct ConnectError {
    /// Host and port of the upstream or of the proxy.
    pub to: String,
    /// What went wrong.
    pub why: io::Error,
}

impl Upstream {
    /// An idle connection, or a new one.
    pub(in crate::proxy) async fn connection(&self) -> Result<Wire, ConnectError> {
        match self.pool.take().await {
            Some(wire) => Ok(wire),
            None => self.connect().await,
        }
    }

    /// The certificate that the server shows now; `None` without TLS. Nothing is sent to it.
    ///
    /// # Errors
    /// [`ConnectError`], also for a certificate that nobody vouches for.
    pub async fn certificate(&self) -> Result<Option<Fingerprint>, ConnectError> {
        let Wire::Tls(tls) = self.connect().await? else { return Ok(None) };
        let shown = tls.session.peer_certificates().and_then(<[_]>::first);
        Ok(shown.map(Fingerprint::of))
    }

    /// A new connection.
    pub(crate) async fn connect(&self) -> Result<Wire, ConnectError> {
        let first = self.proxy.as_ref().unwrap_or(&self.target);
        let failed = |to: &Target| {
            let to = to.authority();
            move |why| ConnectError { to, why }
        };
        let mut stream = reach(first).await.map_err(failed(first))?;
        if self.proxy.is_some() {
            let authority = self.target.authority();
            in_time(tunnel::open(&mut stream, &authority)).await.map_err(failed(first))?;
        }
        let Some(trust) = &self.trust else { return Ok(Wire::Plain(stream)) };
        let (connector, name) = trust.connector();
        let secured = in_time(connector.connect(name, stream)).await.map_err(failed(&self.target))?;
        let (stream, session) = secured.into_inner();
        Ok(Wire::Tls(Box::new(Tls { stream, session })))
    }
}

async fn in_time<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(limits::CONNECT_TIME, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Tries the addresses of a server one after the other.
async fn reach(target: &Target) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses(target).await? {
        match in_time(TcpStream::connect(address)).await {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The addresses of a server. `localhost` is never looked up, so that it cannot be anywhere else.
async fn addresses(target: &Target) -> io::Result<Vec<SocketAddr>> {
    let with_port = |address: IpAddr| SocketAddr::new(address, target.port);
    if let Some(address) = target.address() {
        return Ok(vec![with_port(address)]);
    }
    if target.is_loopback() {
        return Ok(vec![with_port(Ipv4Addr::LOCALHOST.into()), with_port(Ipv6Addr::LOCALHOST.into())]);
    }
    let found = in_time(tokio::net::lookup_host((target.host.as_str(), target.port))).await?;
    Ok(found.collect())
}
