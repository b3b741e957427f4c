//! How connections come about: taken in from whoever comes, or made to whom something is to be sent.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::connection::{Line, Why};
use super::stream::{Place, Shared, Way};
use super::tls;
use crate::sip::Transport;

/// The kernel asks a silent far end whether it is there.
const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// Accepting failed for want of something: it is tried again after this.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Takes in whoever comes to one listener.
pub(super) async fn accept(listening: TcpListener, place: Arc<Place>, shared: Arc<Shared>) {
    let limits = shared.limits;
    loop {
        let (socket, peer) = match listening.accept().await {
            Ok(come) => come,
            Err(error) => {
                tracing::debug!(%error, "a SIP connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let id = shared.next_id();
        let source = peer.ip().to_canonical();
        let Some(pass) = place.guests.admit(id, source, limits.connections_max, limits.source_max) else {
            shared.ended(Why::NoRoom, peer);
            continue;
        };
        let (outbox, outgoing) = mpsc::channel(limits.outbox_max);
        let (stop, stopped) = mpsc::channel(1);
        pass.arrive(stop.clone(), limits.strangers_max);
        let way = Way { outbox, stop };
        let line = Line::new(shared.clone(), (place.listener, peer), id, way, pass, false);
        let (place, shared) = (place.clone(), shared.clone());
        tokio::spawn(line.run(stopped, move |line| host(line, socket, place, shared, outgoing)));
    }
}

/// Serves one who came.
async fn host(
    mut line: Line,
    socket: TcpStream,
    place: Arc<Place>,
    shared: Arc<Shared>,
    outgoing: mpsc::Receiver<Bytes>,
) -> Why {
    settle(&socket);
    if place.transport == Transport::Tcp {
        return line.serve(socket, outgoing).await;
    }
    let Some(config) = shared.certificates.server(place.asks) else { return Why::Refused };
    let handshake = TlsAcceptor::from(config).accept(socket);
    match timeout(shared.limits.handshake_max, handshake).await {
        Ok(Ok(stream)) => {
            line.names = tls::names_of(stream.get_ref().1.peer_certificates());
            line.serve(stream, outgoing).await
        }
        Ok(Err(error)) => {
            tracing::debug!(peer = %line.peer, %error, "a TLS handshake failed");
            Why::Refused
        }
        Err(_) => Why::Slow,
    }
}

/// Makes a connection and serves it.
pub(super) async fn go(
    mut line: Line,
    place: Arc<Place>,
    shared: Arc<Shared>,
    names: Vec<Arc<str>>,
    outgoing: mpsc::Receiver<Bytes>,
) -> Why {
    let peer = line.peer;
    let reached = timeout(shared.limits.connect_max, async {
        let socket = if peer.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        if !place.local.is_unspecified() {
            socket.bind(SocketAddr::new(place.local, 0))?;
        }
        let socket = socket.connect(peer).await?;
        settle(&socket);
        if place.transport == Transport::Tcp {
            return io::Result::Ok((Some(socket), None));
        }
        let config = shared.certificates.client();
        let config = config.ok_or_else(|| io::Error::other("[tls] has no roots"))?;
        let name = tls::server_name(&names, peer.ip())?;
        let stream = TlsConnector::from(config).connect(name, socket).await?;
        tls::says_all(stream.get_ref().1.peer_certificates(), &names)?;
        Ok((None, Some(stream)))
    });
    match reached.await {
        Ok(Ok((Some(socket), _))) => line.serve(socket, outgoing).await,
        Ok(Ok((None, Some(stream)))) => {
            line.names = tls::names_of(stream.get_ref().1.peer_certificates());
            line.serve(stream, outgoing).await
        }
        Ok(Ok((None, None))) => Why::Refused,
        Ok(Err(error)) => {
            // Certificates are the operator's to mend; who is not there is told by what fails for it.
            match error.kind() {
                io::ErrorKind::InvalidData | io::ErrorKind::Other => {
                    tracing::warn!(%peer, %error, "a SIP connection over TLS was not made");
                }
                _ => tracing::debug!(%peer, %error, "a SIP connection was not made"),
            }
            Why::Refused
        }
        Err(_) => Why::Refused,
    }
}

/// Small messages leave at once, and a far end that vanished is noticed. Best effort.
fn settle(socket: &TcpStream) {
    let _ = socket.set_nodelay(true);
    let keep_alive = socket2::TcpKeepalive::new().with_time(KEEP_ALIVE);
    let _ = socket2::SockRef::from(socket).set_tcp_keepalive(&keep_alive);
}
