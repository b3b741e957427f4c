//! SIP over UDP: the listeners' sockets, read and written by the control thread.

mod batch;
mod icmp;

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::Interest;
use tokio::net::UdpSocket;

use crate::routing::plan::Listener;
use crate::sip::event::ListenerConfig;
use crate::sip::{Packet, Transport};
use batch::{AT_ONCE, Inbox};

/// System calls that read one socket before the others have their turn.
const READS: usize = 4;
/// Kernel buffers: a second of a flood of INVITEs.
const SOCKET_BUFFER: usize = 4 << 20;

/// All listeners.
pub struct SipSockets {
    listeners: Vec<Listening>,
    inbox: Inbox,
    count: Count,
}

/// Datagrams moved since the last [`SipSockets::take_count`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// In.
    pub received: u64,
    /// Out.
    pub sent: u64,
    /// Those that the kernel did not take.
    pub dropped: u64,
}

/// One listener: its socket, and what leaves by it at the next [`SipSockets::flush`].
struct Listening {
    socket: UdpSocket,
    outbox: Vec<(SocketAddr, Bytes)>,
    /// A send met an ICMP error: its queue is to be read.
    troubled: bool,
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
        let mut ours = Vec::new();
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
            faces.push(ListenerConfig {
                transport: Transport::Udp,
                bind,
                advertise: listener.advertise.unwrap_or(own),
            });
            ours.push(Listening { socket, outbox: Vec::with_capacity(AT_ONCE), troubled: false });
        }
        Ok((SipSockets { listeners: ours, inbox: Inbox::new(), count: Count::default() }, faces))
    }

    /// Waits until a socket has something: a datagram, or an error about one that was sent, which
    /// alone makes no socket readable.
    pub async fn readable(&self) {
        let wanted = Interest::READABLE.add(Interest::ERROR);
        let mut waits: Vec<_> =
            self.listeners.iter().map(|ours| Box::pin(ours.socket.ready(wanted))).collect();
        std::future::poll_fn(|cx: &mut Context<'_>| {
            let ready = waits.iter_mut().any(|wait| wait.as_mut().poll(cx).is_ready());
            if ready { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Takes what is there, a few system calls' worth of each socket at most.
    pub fn receive(&mut self, mut take: impl FnMut(Arrival)) {
        for (listener, ours) in self.listeners.iter_mut().enumerate() {
            for _ in 0..READS {
                let received = &mut self.count.received;
                let letter = |peer, bytes| {
                    *received += 1;
                    take(Arrival::Packet(Packet { listener, peer, bytes }));
                };
                let inbox = &mut self.inbox;
                // A call that comes back with room to spare has emptied the socket: no second one
                // is needed to be told so.
                let got =
                    ours.socket.try_io(Interest::READABLE, || match inbox.receive(&ours.socket, letter)? {
                        AT_ONCE => Ok(()),
                        _ => Err(io::ErrorKind::WouldBlock.into()),
                    });
                match got {
                    Ok(()) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(_) => ours.troubled = true,
                }
            }
            let mut read_errors = || icmp::read(&ours.socket, |peer| take(Arrival::Unreachable(peer)));
            if std::mem::take(&mut ours.troubled) {
                read_errors();
            }
            let _ = ours.socket.try_io(Interest::ERROR, || -> io::Result<()> {
                read_errors();
                Err(io::ErrorKind::WouldBlock.into()) // None is left.
            });
        }
    }

    /// Puts one datagram among those that leave at the next [`SipSockets::flush`].
    pub fn send(&mut self, packet: Packet) {
        let Some(ours) = self.listeners.get_mut(packet.listener) else { return };
        ours.outbox.push((packet.peer, packet.bytes));
        if ours.outbox.len() >= AT_ONCE {
            ours.flush(&mut self.count);
        }
    }

    /// Sends what waits.
    pub fn flush(&mut self) {
        self.listeners.iter_mut().for_each(|ours| ours.flush(&mut self.count));
    }

    /// What was moved since this was last asked.
    pub fn take_count(&mut self) -> Count {
        std::mem::take(&mut self.count)
    }
}

impl Listening {
    /// What the kernel does not take now is lost, as on any network: signalling retransmits.
    fn flush(&mut self, counted: &mut Count) {
        let mut rest = self.outbox.as_slice();
        let mut again = true;
        while let Some((peer, _)) = rest.first() {
            match batch::send(&self.socket, rest) {
                Ok(count) => {
                    counted.sent += count as u64;
                    rest = &rest[count..];
                    again = true;
                }
                // An ICMP error about an earlier datagram is told to whoever sends next, and is
                // no reason for this one not to leave.
                Err(error) if error.kind() != io::ErrorKind::WouldBlock && again => {
                    again = false;
                    self.troubled = true;
                }
                Err(error) => {
                    tracing::debug!(%error, %peer, "a SIP datagram was not sent");
                    counted.dropped += 1;
                    again = true;
                    rest = &rest[1..];
                }
            }
        }
        self.outbox.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn a_port_where_nobody_listens_is_told_and_costs_nobody_else_a_datagram() {
        let listener = Listener::udp("127.0.0.1:0".parse().unwrap());
        let (mut sockets, faces) = SipSockets::bind(&[listener]).unwrap();
        let peer = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let nobody = {
            let gone = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            gone.local_addr().unwrap()
        };
        let letter = |to, text: &'static str| Packet { listener: 0, peer: to, bytes: text.into() };
        let here = peer.local_addr().unwrap();
        sockets.send(letter(nobody, "to nobody"));
        sockets.flush();
        for _ in 0..10 {
            sockets.send(letter(here, "first"));
            sockets.send(letter(nobody, "to nobody"));
            sockets.send(letter(here, "second"));
        }
        sockets.flush();
        let mut room = [0; 16];
        for text in ["first", "second"].iter().cycle().take(20) {
            let (length, from) = peer.recv_from(&mut room).unwrap();
            assert_eq!((&room[..length], from), (text.as_bytes(), faces[0].bind));
        }
        // An error alone wakes, and so does a datagram alone; what was read wakes no more.
        let (told, heard) = next(&mut sockets).await;
        assert!(!told.is_empty() && told.iter().all(|whom| *whom == nobody), "{told:?}");
        assert!(heard.is_empty(), "{heard:?}");
        peer.send_to(b"back", faces[0].bind).unwrap();
        assert_eq!(next(&mut sockets).await, (vec![], vec![Bytes::from("back")]));
        let quiet = tokio::time::timeout(Duration::from_millis(50), sockets.readable()).await;
        assert!(quiet.is_err());
        assert_eq!(sockets.take_count(), Count { received: 1, sent: 31, dropped: 0 });
    }

    /// Errors and datagrams of one waking.
    async fn next(sockets: &mut SipSockets) -> (Vec<SocketAddr>, Vec<Bytes>) {
        tokio::time::timeout(Duration::from_secs(5), sockets.readable()).await.expect("it wakes");
        let (mut told, mut heard) = (Vec::new(), Vec::new());
        sockets.receive(|arrival| match arrival {
            Arrival::Packet(packet) => heard.push(packet.bytes),
            Arrival::Unreachable(whom) => told.push(whom),
        });
        (told, heard)
    }
}
