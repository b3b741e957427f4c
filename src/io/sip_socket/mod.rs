//! SIP over UDP: the listeners' sockets, read and written by the control thread.

mod icmp;

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::net::UdpSocket;

use crate::routing::plan::Listener;
use crate::sip::Packet;
use crate::sip::event::ListenerConfig;

/// Datagrams taken from one socket before the others have their turn.
const BURST: usize = 64;
/// No datagram is longer.
const ROOM: usize = 65_536;
/// Tries to send one datagram, past errors that belong to earlier ones.
const SENDS_MAX: usize = 4;
/// Kernel buffers: a second of a flood of INVITEs.
const SOCKET_BUFFER: usize = 4 << 20;

/// All listeners.
pub struct SipSockets {
    sockets: Vec<UdpSocket>,
    room: Box<[u8]>,
}

/// What came in.
pub enum Arrival {
    /// A datagram.
    Packet(Packet),
    /// ICMP said that nobody listens there.
    Unreachable(SocketAddr),
}

impl SipSockets {
    /// Binds the plan's listeners; a wildcard address is advertised as loopback unless the plan says better.
    pub fn bind(listeners: &[Listener]) -> io::Result<(Self, Vec<ListenerConfig>)> {
        let mut sockets = Vec::new();
        let mut faces = Vec::new();
        for listener in listeners {
            let domain = socket2::Domain::for_address(listener.bind);
            let socket = socket2::Socket::new(domain, socket2::Type::DGRAM, None)?;
            socket.set_nonblocking(true)?;
            // Best effort: the kernel caps it at its own limit.
            let _ = socket.set_recv_buffer_size(SOCKET_BUFFER);
            let _ = socket.set_send_buffer_size(SOCKET_BUFFER);
            icmp::ask(&socket)?;
            socket
                .bind(&listener.bind.into())
                .map_err(|error| io::Error::new(error.kind(), format!("SIP {}: {error}", listener.bind)))?;
            let socket = UdpSocket::from_std(socket.into())?;
            let bind = socket.local_addr()?;
            let unspecified = if bind.is_ipv4() {
                std::net::IpAddr::from([127, 0, 0, 1])
            } else {
                std::net::IpAddr::V6(std::net::Ipv6Addr::LOCALHOST)
            };
            let own = if bind.ip().is_unspecified() { unspecified } else { bind.ip() };
            faces.push(ListenerConfig { bind, advertise: listener.advertise.unwrap_or(own) });
            sockets.push(socket);
        }
        Ok((SipSockets { sockets, room: vec![0; ROOM].into_boxed_slice() }, faces))
    }

    /// Waits until a socket has something.
    pub async fn readable(&self) {
        std::future::poll_fn(|cx: &mut Context<'_>| {
            let ready = self.sockets.iter().any(|socket| socket.poll_recv_ready(cx).is_ready());
            if ready { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Takes what is there, a burst of each socket at most.
    pub fn receive(&mut self, mut take: impl FnMut(Arrival)) {
        for (listener, socket) in self.sockets.iter().enumerate() {
            for _ in 0..BURST {
                match socket.try_recv_from(&mut self.room) {
                    Ok((length, peer)) => {
                        let bytes = Bytes::copy_from_slice(&self.room[..length]);
                        take(Arrival::Packet(Packet { listener, peer, bytes }));
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(_) => icmp::read(socket, |peer| take(Arrival::Unreachable(peer))),
                }
            }
            icmp::read(socket, |peer| take(Arrival::Unreachable(peer)));
        }
    }

    /// Sends one datagram. What the kernel does not take now is lost, as on any network: signalling
    /// retransmits.
    ///
    /// Where ICMP errors are asked for, the kernel tells the error of an earlier datagram, to
    /// whomever that went, by failing the next send and sending nothing. Such an error is not this
    /// peer's, and is told once: the datagram is sent again, or a dead peer would silence others.
    pub fn send(&self, packet: &Packet) {
        let Some(socket) = self.sockets.get(packet.listener) else { return };
        for _ in 0..SENDS_MAX {
            match socket.try_send_to(&packet.bytes, packet.peer) {
                Ok(_) => return,
                Err(error) => {
                    tracing::debug!(%error, peer = %packet.peer, "a SIP datagram was not sent");
                    if error.kind() == io::ErrorKind::WouldBlock {
                        return;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn a_peer_that_is_gone_costs_no_other_its_datagrams() {
        let listener = Listener { bind: "127.0.0.1:0".parse().unwrap(), advertise: None };
        let (sockets, faces) = SipSockets::bind(&[listener]).unwrap();
        let peer = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        peer.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        let gone = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        // The kernel knows that a fresh socket can be written to when tokio has asked once.
        sockets.sockets[0].writable().await.unwrap();
        for round in 0..20_u8 {
            let to = |peer| Packet { listener: 0, peer, bytes: Bytes::copy_from_slice(&[round]) };
            sockets.send(&to(gone));
            sockets.send(&to(peer.local_addr().unwrap()));
            let mut room = [0; 4];
            let (length, from) = peer.recv_from(&mut room).expect("the live peer's datagram");
            assert_eq!((&room[..length], from), (&[round][..], faces[0].bind));
        }
    }
}
