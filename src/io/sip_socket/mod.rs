//! SIP's listeners: datagrams are read and written by the control thread, connections have tasks of
//! their own on the worker (`stream`).

mod batch;
mod connection;
mod guests;
mod icmp;
mod making;
mod stream;
pub mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::runtime::Handle;

use crate::routing::plan::{self, Listener};
use crate::sip::event::ListenerConfig;
use crate::sip::{Packet, Transport};
use batch::{AT_ONCE, Inbox};
pub use connection::Why;
pub use stream::Limits;
use stream::Streams;
use tls::Certificates;

/// System calls that read one socket before the others have their turn.
const READS: usize = 4;
/// Kernel buffers: a second of a flood of INVITEs.
const SOCKET_BUFFER: usize = 4 << 20;

/// All listeners.
pub struct SipSockets {
    /// By listener; `None` where it speaks a stream.
    listeners: Vec<Option<Listening>>,
    streams: Streams,
    inbox: Inbox,
    count: Count,
    waited: Option<Waited>,
}

/// How datagrams have fared in the kernel's queues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waited {
    /// The longest wait.
    pub longest: Duration,
    /// Datagrams that found no room.
    pub lost: u64,
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
    /// What the kernel said last of datagrams that found no room.
    lost: u32,
}

/// What came in.
pub enum Arrival {
    /// A datagram.
    Packet(Packet),
    /// ICMP said that nobody listens there.
    Unreachable(SocketAddr),
    /// A connection is made.
    Opened {
        /// Its listener.
        listener: usize,
        /// Its far end.
        peer: SocketAddr,
        /// The subjectAltName DNS names of the far end's certificate, verified.
        names: Vec<String>,
    },
    /// A connection is closed, or could not be made.
    Closed {
        /// Its listener.
        listener: usize,
        /// Its far end.
        peer: SocketAddr,
    },
}

/// How long ago that was, `at` since 1970. The clock that the kernel stamps by is read here and shown
/// to nobody: a step of it is a wait of one turn, which changes nothing.
fn wait_since(at: Duration) -> Duration {
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().saturating_sub(at)
}

impl SipSockets {
    /// Binds the plan's listeners; a wildcard address is advertised as loopback unless the plan says
    /// better. `worker` runs the connections.
    pub fn bind(
        listeners: &[Listener],
        certificates: Arc<Certificates>,
        worker: Handle,
        limits: Limits,
    ) -> io::Result<(Self, Vec<ListenerConfig>)> {
        let mut sockets = SipSockets {
            listeners: Vec::new(),
            streams: Streams::new(worker, certificates, limits),
            inbox: Inbox::new(),
            count: Count::default(),
            waited: None,
        };
        let mut faces = Vec::new();
        for listener in listeners {
            let (transport, bind) = sockets.listen(listener).map_err(|error| {
                let word = transport_of(listener.transport).via_name();
                io::Error::new(error.kind(), format!("SIP {word} {}: {error}", listener.bind))
            })?;
            let unspecified = if bind.is_ipv4() {
                std::net::IpAddr::from([127, 0, 0, 1])
            } else {
                std::net::IpAddr::V6(std::net::Ipv6Addr::LOCALHOST)
            };
            let own = if bind.ip().is_unspecified() { unspecified } else { bind.ip() };
            faces.push(ListenerConfig { transport, bind, advertise: listener.advertise.unwrap_or(own) });
        }
        Ok((sockets, faces))
    }

    fn listen(&mut self, listener: &Listener) -> io::Result<(Transport, SocketAddr)> {
        let transport = transport_of(listener.transport);
        if transport.is_reliable() {
            self.listeners.push(None);
            let asks = listener.client_certificate;
            return self.streams.listen(transport, listener.bind, asks).map(|bound| (transport, bound));
        }
        let domain = socket2::Domain::for_address(listener.bind);
        let socket = socket2::Socket::new(domain, socket2::Type::DGRAM, None)?;
        socket.set_nonblocking(true)?;
        // Best effort: the kernel caps it at its own limit.
        let _ = socket.set_recv_buffer_size(SOCKET_BUFFER);
        let _ = socket.set_send_buffer_size(SOCKET_BUFFER);
        icmp::ask(&socket)?;
        batch::ask_for_notes(&socket)?;
        socket.bind(&listener.bind.into())?;
        let socket = UdpSocket::from_std(socket.into())?;
        let bound = socket.local_addr()?;
        let outbox = Vec::with_capacity(AT_ONCE);
        self.listeners.push(Some(Listening { socket, outbox, troubled: false, lost: 0 }));
        self.streams.pass_over();
        Ok((transport, bound))
    }

    /// Waits until there is something: a datagram, an error about one that was sent, which alone
    /// makes no socket readable, or word of a connection.
    pub async fn readable(&mut self) {
        let wanted = Interest::READABLE.add(Interest::ERROR);
        let SipSockets { listeners, streams, .. } = self;
        let mut waits: Vec<_> =
            listeners.iter().flatten().map(|ours| Box::pin(ours.socket.ready(wanted))).collect();
        std::future::poll_fn(|cx: &mut Context<'_>| {
            let ready = waits.iter_mut().any(|wait| wait.as_mut().poll(cx).is_ready());
            if ready { Poll::Ready(()) } else { streams.poll_ready(cx) }
        })
        .await;
    }

    /// Takes what is there, a few system calls' worth of each socket at most.
    pub fn receive(&mut self, mut take: impl FnMut(Arrival)) {
        let datagrams = self.listeners.iter_mut().enumerate();
        for (listener, ours) in datagrams.filter_map(|(index, ours)| Some((index, ours.as_mut()?))) {
            for _ in 0..READS {
                let received = &mut self.count.received;
                let letter = |peer, bytes| {
                    *received += 1;
                    take(Arrival::Packet(Packet { listener, peer, bytes }));
                };
                let (inbox, waited, lost) = (&mut self.inbox, &mut self.waited, &mut ours.lost);
                // A call that comes back with room to spare has emptied the socket: no second one
                // is needed to be told so.
                let got = ours.socket.try_io(Interest::READABLE, || {
                    let received = inbox.receive(&ours.socket, letter)?;
                    let waited = waited.get_or_insert_default();
                    waited.longest = waited.longest.max(received.first_at.map_or(Duration::ZERO, wait_since));
                    if let Some(so_far) = received.lost {
                        waited.lost += u64::from(so_far.wrapping_sub(std::mem::replace(lost, so_far)));
                    }
                    match received.count {
                        AT_ONCE => Ok(()),
                        _ => Err(io::ErrorKind::WouldBlock.into()),
                    }
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
        self.streams.receive(|arrival| {
            if matches!(arrival, Arrival::Packet(_)) {
                self.count.received += 1;
            }
            take(arrival);
        });
    }

    /// How datagrams have fared since the last time this was asked; `None`: none came.
    pub fn take_waited(&mut self) -> Option<Waited> {
        self.waited.take()
    }

    /// Sends a message: a datagram leaves at the next [`SipSockets::flush`]; over a stream it goes by
    /// the connection to its far end, which is made where there is none. `names` are those that a TLS
    /// certificate there must say.
    pub fn send(&mut self, packet: Packet, names: impl FnOnce(SocketAddr) -> Vec<Arc<str>>) {
        let peer = packet.peer;
        if self.streams.has(packet.listener) {
            match self.streams.send(packet, || names(peer)) {
                true => self.count.sent += 1,
                false => self.count.dropped += 1,
            }
            return;
        }
        let Some(Some(ours)) = self.listeners.get_mut(packet.listener) else { return };
        ours.outbox.push((peer, packet.bytes));
        if ours.outbox.len() >= AT_ONCE {
            ours.flush(&mut self.count);
        }
    }

    /// Sends what waits.
    pub fn flush(&mut self) {
        self.listeners.iter_mut().flatten().for_each(|ours| ours.flush(&mut self.count));
    }

    /// Reads the certificates again, or others from now on; connections that stand go on.
    pub fn renew_certificates(&self, files: Option<tls::Files>) {
        self.streams.certificates().renew(files);
    }

    /// Connections that there are, and how those that are over ended, since the start.
    pub fn connections(&self) -> (usize, Vec<(Why, u64)>) {
        self.streams.figures()
    }

    /// What was moved since this was last asked.
    pub fn take_count(&mut self) -> Count {
        std::mem::take(&mut self.count)
    }
}

/// The plan's word for a transport as signalling's.
fn transport_of(said: plan::Transport) -> Transport {
    match said {
        plan::Transport::Udp => Transport::Udp,
        plan::Transport::Tcp => Transport::Tcp,
        plan::Transport::Tls => Transport::Tls,
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
        let (mut sockets, faces) = bind(&[listener]);
        let peer = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let nobody = {
            let gone = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            gone.local_addr().unwrap()
        };
        let letter = |to, text: &'static str| Packet { listener: 0, peer: to, bytes: text.into() };
        let here = peer.local_addr().unwrap();
        sockets.send(letter(nobody, "to nobody"), |_| Vec::new());
        sockets.flush();
        for _ in 0..10 {
            sockets.send(letter(here, "first"), |_| Vec::new());
            sockets.send(letter(nobody, "to nobody"), |_| Vec::new());
            sockets.send(letter(here, "second"), |_| Vec::new());
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

    fn bind(listeners: &[Listener]) -> (SipSockets, Vec<ListenerConfig>) {
        let certificates = Certificates::open(tls::Files::default()).unwrap();
        SipSockets::bind(listeners, certificates, Handle::current(), Limits::default()).unwrap()
    }

    /// Errors and datagrams of one waking.
    async fn next(sockets: &mut SipSockets) -> (Vec<SocketAddr>, Vec<Bytes>) {
        tokio::time::timeout(Duration::from_secs(5), sockets.readable()).await.expect("it wakes");
        let (mut told, mut heard) = (Vec::new(), Vec::new());
        sockets.receive(|arrival| match arrival {
            Arrival::Packet(packet) => heard.push(packet.bytes),
            Arrival::Unreachable(whom) => told.push(whom),
            Arrival::Opened { .. } | Arrival::Closed { .. } => unreachable!("UDP only"),
        });
        (told, heard)
    }
}
