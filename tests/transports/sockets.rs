//! The listeners without the house behind them: what arrives is looked at by the test.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hotline::io::sip_socket::tls::{Certificates, Files};
use hotline::io::sip_socket::{Arrival, Limits, SipSockets, Why};
use hotline::routing::plan::{Listener, Tls};
use hotline::sip::Packet;
use tokio::runtime::Handle;

use crate::client::PATIENCE;

pub struct Sockets {
    pub sockets: SipSockets,
    pub certificates: Arc<Certificates>,
    pub at: Vec<SocketAddr>,
    arrived: VecDeque<Seen>,
}

/// What arrived, to be compared.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    Opened(SocketAddr, Vec<String>),
    Message(SocketAddr, Bytes),
    Closed(SocketAddr),
}

impl Sockets {
    pub fn bind(listen: &[&str], limits: Limits, tls: &Tls) -> Sockets {
        let listeners: Vec<Listener> = listen.iter().map(|text| text.parse().unwrap()).collect();
        let certificates = Certificates::open(Files::of(tls, std::path::Path::new(""))).unwrap();
        let (sockets, faces) =
            SipSockets::bind(&listeners, certificates.clone(), Handle::current(), limits).unwrap();
        let at = faces.into_iter().map(|face| face.bind).collect();
        Sockets { sockets, certificates, at, arrived: VecDeque::new() }
    }

    /// The next thing that arrives.
    pub async fn next(&mut self) -> Seen {
        let arrived = tokio::time::timeout(PATIENCE, async {
            while self.arrived.is_empty() {
                self.sockets.readable().await;
                let arrived = &mut self.arrived;
                self.sockets.receive(|arrival| {
                    arrived.push_back(match arrival {
                        Arrival::Opened { peer, names, .. } => Seen::Opened(peer, names),
                        Arrival::Packet(packet) => Seen::Message(packet.peer, packet.bytes),
                        Arrival::Closed { peer, .. } => Seen::Closed(peer),
                        Arrival::Unreachable(peer) => panic!("no datagram was sent to {peer}"),
                    });
                });
            }
        });
        arrived.await.expect("something arrives");
        self.arrived.pop_front().unwrap()
    }

    /// The next message; what else arrives is passed over.
    pub async fn message(&mut self) -> Bytes {
        loop {
            if let Seen::Message(_, bytes) = self.next().await {
                return bytes;
            }
        }
    }

    pub fn send(&mut self, listener: usize, peer: SocketAddr, text: &str, names: &[&str]) {
        let packet = Packet { listener, peer, bytes: Bytes::copy_from_slice(text.as_bytes()) };
        let names = names.iter().map(|name| Arc::from(*name)).collect();
        self.sockets.send(packet, |_| names);
    }

    /// How many connections have ended so.
    pub fn ended(&self, why: Why) -> u64 {
        let (_, ended) = self.sockets.connections();
        ended.into_iter().find(|(known, _)| *known == why).unwrap().1
    }
}

/// Bounds that a test can wait for.
pub fn short() -> Limits {
    let ms = Duration::from_millis;
    Limits { first_max: ms(300), message_max: ms(300), handshake_max: ms(300), ..Limits::default() }
}
