//! SIP over TCP and TLS as the control loop sees it: which connections there are, what came by them,
//! and making one where something is to be sent and there is none (RFC 3261 §18).
//!
//! Each connection has a task on the worker; it and the loop speak by bounded channels. A loop that
//! is behind makes senders wait; a far end that does not read loses its connection.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpSocket;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, error::TrySendError};

use super::Arrival;
use super::connection::{Line, Why};
use super::guests::Guests;
use super::making::{accept, go};
use super::tls::Certificates;
use crate::sip::{Packet, Transport};

/// What connections have told that the loop has not taken yet, at most.
const EVENTS_MAX: usize = 1_024;
/// What is taken of it before other things have their turn.
const EVENTS_PER_TURN: usize = 256;
/// Connections that wait for the kernel's leave to come in.
const BACKLOG: u32 = 1_024;
/// Bounds on what others may hold and how long they may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections of one listener, both ways.
    pub connections_max: usize,
    /// Of these from one address: as many as desks behind one NAT.
    pub source_max: usize,
    /// Connections of one listener on which nothing whole was said yet; one more ends the oldest.
    pub strangers_max: usize,
    /// Time to finish a TLS handshake that we were asked for.
    pub handshake_max: Duration,
    /// Time to make a connection, its handshake included.
    pub connect_max: Duration,
    /// Time to say something on a new connection.
    pub first_max: Duration,
    /// Time to finish a message that is begun.
    pub message_max: Duration,
    /// Time without a message or a ping: a little more than RFC 5626 §4.4.1 lets pass between pings.
    pub idle_max: Duration,
    /// Time for a far end to take one message of ours.
    pub write_max: Duration,
    /// Time for a last answer to arrive before a connection is closed.
    pub part_max: Duration,
    /// Messages that wait to be written on one connection, or for it to be made.
    pub outbox_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let secs = Duration::from_secs;
        Limits {
            connections_max: 4_096,
            source_max: 512,
            strangers_max: 256,
            handshake_max: secs(5),
            connect_max: secs(4),
            first_max: secs(30),
            message_max: secs(10),
            idle_max: secs(900),
            write_max: secs(10),
            part_max: secs(2),
            outbox_max: 64,
        }
    }
}

/// What a connection tells the loop.
pub(super) enum Event {
    /// It has something to say, or was made by us.
    Opened { id: u64, listener: usize, peer: SocketAddr, names: Vec<String>, way: Way },
    /// One message.
    Message { listener: usize, peer: SocketAddr, bytes: Bytes },
    /// It is closed.
    Closed { id: u64, listener: usize, peer: SocketAddr },
}

/// How a connection is spoken to.
#[derive(Clone)]
pub(super) struct Way {
    /// What is to be written, in order.
    pub(super) outbox: mpsc::Sender<Bytes>,
    /// Ends it.
    pub(super) stop: mpsc::Sender<Why>,
}

/// What all connections share.
pub(super) struct Shared {
    pub(super) limits: Limits,
    pub(super) tell: mpsc::Sender<Event>,
    pub(super) certificates: Arc<Certificates>,
    ids: AtomicU64,
    ended: [AtomicU64; Why::ALL.len()],
}

/// One listener.
pub(super) struct Place {
    pub(super) listener: usize,
    pub(super) transport: Transport,
    /// Where connections of ours leave from.
    pub(super) local: IpAddr,
    /// Whether who comes must show a certificate.
    pub(super) asks: Option<bool>,
    pub(super) guests: Arc<Guests>,
}

struct Flow {
    id: u64,
    way: Way,
}

/// All connections of all listeners.
pub(super) struct Streams {
    places: Vec<Option<Arc<Place>>>,
    flows: HashMap<(usize, SocketAddr), Flow>,
    events: mpsc::Receiver<Event>,
    /// Taken already, or our own word.
    waiting: VecDeque<Event>,
    shared: Arc<Shared>,
    worker: Handle,
}

impl Shared {
    fn count(&self, why: Why) {
        if let Some(place) = Why::ALL.iter().position(|known| *known == why) {
            self.ended[place].fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }
}

impl Streams {
    pub(super) fn new(worker: Handle, certificates: Arc<Certificates>, limits: Limits) -> Self {
        let (tell, events) = mpsc::channel(EVENTS_MAX);
        let shared = Shared {
            limits,
            tell,
            certificates,
            ids: AtomicU64::new(1),
            ended: std::array::from_fn(|_| AtomicU64::new(0)),
        };
        Streams {
            places: Vec::new(),
            flows: HashMap::new(),
            events,
            waiting: VecDeque::new(),
            shared: Arc::new(shared),
            worker,
        }
    }

    /// The next listener does not speak a stream.
    pub(super) fn pass_over(&mut self) {
        self.places.push(None);
    }

    /// Listens at `bind`, as the next listener; tells where.
    pub(super) fn listen(
        &mut self,
        transport: Transport,
        bind: SocketAddr,
        asks: Option<bool>,
    ) -> io::Result<SocketAddr> {
        let _on_the_worker = self.worker.enter();
        let socket = if bind.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(bind)?;
        let listening = socket.listen(BACKLOG)?;
        let bound = listening.local_addr()?;
        let place = Arc::new(Place {
            listener: self.places.len(),
            transport,
            local: bind.ip(),
            asks,
            guests: Arc::default(),
        });
        self.places.push(Some(place.clone()));
        self.worker.spawn(accept(listening, place, self.shared.clone()));
        Ok(bound)
    }

    /// Whether a listener's messages go by connections.
    pub(super) fn has(&self, listener: usize) -> bool {
        self.places.get(listener).is_some_and(Option::is_some)
    }

    /// Ready when there is something to take.
    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.waiting.is_empty() {
            match self.events.poll_recv(cx) {
                Poll::Ready(Some(event)) => self.waiting.push_back(event),
                // The loop holds a sender itself, so that the channel does not end.
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }

    /// Takes what connections have told.
    pub(super) fn receive(&mut self, mut take: impl FnMut(Arrival)) {
        for _ in 0..EVENTS_PER_TURN {
            let Some(event) = self.waiting.pop_front().or_else(|| self.events.try_recv().ok()) else {
                return;
            };
            match event {
                Event::Opened { id, listener, peer, names, way } => {
                    self.flows.insert((listener, peer), Flow { id, way });
                    take(Arrival::Opened { listener, peer, names });
                }
                Event::Message { listener, peer, bytes } => {
                    take(Arrival::Packet(Packet { listener, peer, bytes }));
                }
                Event::Closed { id, listener, peer } => {
                    // A newer one may have taken its place.
                    if self.flows.get(&(listener, peer)).is_some_and(|flow| flow.id == id) {
                        self.flows.remove(&(listener, peer));
                        take(Arrival::Closed { listener, peer });
                    }
                }
            }
        }
    }

    /// Sends by the connection to the packet's far end, which is made where there is none; `names`
    /// are those that a TLS certificate there must say. `false`: it was not to be sent.
    pub(super) fn send(&mut self, packet: Packet, names: impl FnOnce() -> Vec<Arc<str>>) -> bool {
        let Packet { listener, peer, bytes } = packet;
        if !self.flows.contains_key(&(listener, peer)) {
            self.connect(listener, peer, names());
        }
        let Some(flow) = self.flows.get(&(listener, peer)) else { return false };
        match flow.way.outbox.try_send(bytes) {
            Ok(()) => true,
            Err(error) => {
                if matches!(error, TrySendError::Full(_)) {
                    // It is ending anyway where this finds no place.
                    let _ = flow.way.stop.try_send(Why::Deaf);
                }
                let id = flow.id;
                self.waiting.push_back(Event::Closed { id, listener, peer });
                false
            }
        }
    }

    fn connect(&mut self, listener: usize, peer: SocketAddr, names: Vec<Arc<str>>) {
        let Some(place) = self.places.get(listener).cloned().flatten() else { return };
        let id = self.shared.next_id();
        let (outbox, outgoing) = mpsc::channel(self.shared.limits.outbox_max);
        let (stop, stopped) = mpsc::channel(1);
        let way = Way { outbox, stop };
        self.flows.insert((listener, peer), Flow { id, way: way.clone() });
        let limits = self.shared.limits;
        let Some(pass) = place.guests.admit(id, peer.ip(), limits.connections_max, limits.source_max) else {
            self.shared.count(Why::NoRoom);
            self.waiting.push_back(Event::Closed { id, listener, peer });
            return;
        };
        let line = Line::new(self.shared.clone(), (listener, peer), id, way, pass, true);
        let shared = self.shared.clone();
        self.worker.spawn(line.run(stopped, move |line| go(line, place, shared, names, outgoing)));
    }

    /// Connections that there are, and how those that are over ended, since the start.
    pub(super) fn figures(&self) -> (usize, Vec<(Why, u64)>) {
        let ended = Why::ALL.iter().zip(&self.shared.ended);
        (self.flows.len(), ended.map(|(why, count)| (*why, count.load(Ordering::Relaxed))).collect())
    }

    pub(super) fn certificates(&self) -> &Arc<Certificates> {
        &self.shared.certificates
    }
}

impl Shared {
    /// A connection is over.
    pub(super) fn ended(&self, why: Why, peer: SocketAddr) {
        tracing::debug!(%peer, ?why, "a SIP connection ended");
        self.count(why);
    }
}

impl Line {
    /// Runs a connection to its end, however it ends, and tells.
    pub(super) async fn run<F>(self, mut stopped: mpsc::Receiver<Why>, serve: impl FnOnce(Line) -> F)
    where
        F: Future<Output = Why>,
    {
        let (shared, listener, peer, id) = (self.shared.clone(), self.listener, self.peer, self.id);
        let told = self.told.clone();
        let why = tokio::select! {
            Some(why) = stopped.recv() => why,
            why = serve(self) => why,
        };
        shared.ended(why, peer);
        if told.load(Ordering::Relaxed) {
            // The loop may be gone.
            let _ = shared.tell.send(Event::Closed { id, listener, peer }).await;
        }
    }
}
