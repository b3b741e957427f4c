//! The owner of all signalling: transactions, sessions, registrar and door behind one machine.
//!
//! Here are its parts, its clock and what the others share; requests are judged in
//! `endpoint_requests`, served in `uas`, sent in `uac`, and descriptions renegotiated in `offers` and
//! `update`; `reliable` and `early` know what comes before an answer, `refresh` how long one holds.
//! A packet in, then `poll_output` to the end, then `poll_timeout`.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use super::auth::Guard;
use super::door::Door;
use super::event::{Binding, Config, Counts, Event, Gate, Output, Packet, SessionId, TrunkNow, TurnedAway};
use super::fault::ParseError;
use super::flows::Flows;
use super::hunt::Lost;
use super::load::Load;
use super::message::Message;
use super::proving::Proving;
use super::registrar::Registrar;
use super::session::Session;
use super::sources::Sources;
use super::subscription::Orphan;
use super::transaction::{Fingerprint, Table};
use super::transport::Hop;
use super::trunks::Trunks;
use super::uac::Inviting;
use super::ways_out::WaysOut;
use super::writing::{Face, face};
use crate::id::{Dice, SeatId, TrunkId};
use crate::time::{Agenda, Instant, Now};

/// Retry-After where a table is full, seconds: about as long as finished transactions linger.
pub(super) const FULL_RETRY_S: u32 = 30;

/// Retry-After under overload, seconds: short, as the share that is let in is found anew ten times a
/// second, and a carrier that stays away for long leaves us idle.
pub(super) const OVERLOAD_RETRY_S: u32 = 2;

/// Roles that keep the keys of clients, servers and other fingerprints apart.
pub(super) mod role {
    pub(in crate::sip) const CLIENT: u8 = 0;
    pub(in crate::sip) const SERVER: u8 = 1;
    pub(in crate::sip) const OLD_SERVER: u8 = 2;
    pub(in crate::sip) const MERGE: u8 = 3;
    pub(in crate::sip) const STATELESS_TAG: u8 = 4;
    pub(in crate::sip) const UUID: u8 = 5;
}

/// Where a message came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub(super) listener: usize,
    pub(super) peer: SocketAddr,
}

/// Whose a transaction is.
#[derive(Debug)]
pub(super) enum User {
    /// Nobody waits for it.
    Nobody,
    /// Their INVITE or re-INVITE.
    Invited(SessionId),
    /// Our INVITE or re-INVITE.
    Inviting(Box<Inviting>),
    /// Our BYE.
    Bye(SessionId),
    /// Our OPTIONS.
    Probe(SessionId),
    /// Our REGISTER at a trunk.
    Registering(Box<TrunkId>),
    /// Our OPTIONS to a trunk's hop.
    Proving(Box<Proving>),
    /// Our UPDATE to the far end with this tag, with or without an offer.
    Update { session: SessionId, offers: bool, tag: Box<[u8]> },
    /// Our INFO that presses a key.
    Pressing(SessionId),
    /// Our NOTIFY about this REFER.
    Notify(SessionId, u32),
}

/// Who wants to be woken.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Due {
    Transaction(usize),
    Session(SessionId),
    Seat(SeatId),
    Trunk(TrunkId),
}

/// The machine.
pub struct Endpoint {
    pub(super) config: Config,
    pub(super) faces: Vec<Face>,
    pub(super) door: Door,
    pub(super) guard: Guard,
    pub(super) registrar: Registrar,
    pub(super) trunks: Trunks,
    pub(super) table: Table<User>,
    pub(super) sessions: HashMap<SessionId, Session>,
    pub(super) ways_out: WaysOut,
    /// Dialogs that outlive their calls.
    pub(super) orphans: BTreeMap<SessionId, Orphan>,
    pub(super) agenda: Agenda<Due>,
    pub(super) dice: Dice,
    pub(super) keys: Fingerprint,
    pub(super) gate: Gate,
    pub(super) load: Load,
    sources: Sources,
    pub(super) flows: Flows,
    outputs: VecDeque<Output>,
}

impl Endpoint {
    /// For these peers. `dice` draws tags, branches and nonces: they must not be guessable outside
    /// of tests.
    pub fn new(config: Config, mut dice: Dice, now: Now) -> Self {
        let mut endpoint = Endpoint {
            faces: Vec::new(),
            door: Door::new(&config),
            guard: Guard::new(&mut dice, now.mono),
            registrar: Registrar::default(),
            trunks: Trunks::default(),
            table: Table::default(),
            sessions: HashMap::new(),
            ways_out: WaysOut::default(),
            orphans: BTreeMap::new(),
            agenda: Agenda::default(),
            keys: Fingerprint::new(&mut dice),
            dice,
            gate: Gate::Open,
            load: Load::new(now.mono),
            sources: Sources::new(now.mono),
            flows: Flows::default(),
            outputs: VecDeque::new(),
            config: Config::default(),
        };
        endpoint.configure(config, now);
        endpoint
    }

    /// A new plan. Sessions go on; bindings of seats that are gone end, and stand again where a seat is back with
    /// its account before its telephone would have registered anew. Listeners must keep their places, as running
    /// dialogs name them by index.
    pub fn configure(&mut self, config: Config, now: Now) {
        self.faces = config.listeners.iter().map(face).collect();
        let reliable = config.listeners.iter().map(|listener| listener.transport.is_reliable());
        self.table.set_reliable(reliable.collect());
        self.door = Door::new(&config);
        self.guard.configure(&config);
        self.sources.configure(&config.brakes);
        self.drop_registrations(&config, now);
        self.lay_bindings_aside(&config);
        self.trunks.configure(&config, &mut self.dice, now.mono);
        self.trunks.recount(self.sessions.values().filter_map(|session| session.dialog.trunk.as_ref()));
        self.config = config;
        self.begin_registrations(now);
        self.follow_seats(now);
    }

    /// The names in a trunk's target were looked up: new requests to it go there. Those under way keep
    /// the hop that they have (RFC 3263 §4: every request of a transaction goes the same way).
    pub fn set_hops(&mut self, trunk: &TrunkId, hops: Vec<Hop>, now: Now) {
        if let Some(known) = self.config.trunks.iter_mut().find(|known| known.trunk == *trunk) {
            known.hops = hops;
        }
        self.trunks.configure(&self.config, &mut self.dice, now.mono);
        self.begin_registrations(now);
    }

    /// A datagram came in.
    pub fn handle_packet(&mut self, packet: Packet, now: Now) {
        if packet.listener >= self.faces.len() || is_keep_alive(&packet.bytes) {
            return;
        }
        let from = Source { listener: packet.listener, peer: packet.peer };
        let source = packet.peer.ip();
        let read = match self.door.trunk_of(self.flows.names(from), source) {
            Some(place) => self.load.reads(place),
            None => {
                self.load.note_stranger();
                self.sources.admit(source, now.mono)
            }
        };
        if !read {
            return self.turn_away(from, TurnedAway::Flooding);
        }
        let message = match Message::parse(packet.bytes) {
            Ok(message) => message,
            Err(ParseError::Ignored { .. }) => return self.turn_away(from, TurnedAway::Malformed),
            Err(ParseError::Refused { message, fault }) => {
                return self.refuse_fault(&message, from, fault);
            }
        };
        match message.check() {
            Ok(()) if message.is_request() => self.handle_request(message, from, now),
            Ok(()) => self.handle_response(&message, from, now),
            Err(fault) if message.is_request() => self.refuse_fault(&message, from, fault),
            Err(_) => self.turn_away(from, TurnedAway::Malformed),
        }
    }

    /// Runs whatever is due.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some(due) = self.agenda.take_due(now.mono) {
            match due {
                Due::Transaction(tx) => {
                    if let Some(entry) = self.table.get_mut(tx) {
                        entry.machine.handle_timeout(now.mono);
                        self.run(tx, now);
                    }
                }
                Due::Session(id) => self.handle_session_timeout(id, now),
                Due::Seat(seat) => self.unbind(seat),
                Due::Trunk(trunk) => self.handle_trunk_timeout(&trunk, now),
            }
        }
    }

    /// When `handle_timeout` is wanted.
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        self.agenda.next()
    }

    /// What to do next. Outputs of one call keep their order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether new INVITEs are let in from now on.
    pub fn set_gate(&mut self, gate: Gate) {
        self.gate = gate;
    }

    /// A message has waited so long for its turn, and perhaps others found no room to wait in: what
    /// decides about overload.
    pub fn handle_wait(&mut self, wait: Duration, lost: bool, now: Now) {
        self.load.handle_wait(wait, lost, now.mono);
    }

    /// Whether a seat has a binding.
    pub fn is_registered(&self, seat: &SeatId) -> bool {
        self.registrar.binding(seat).is_some()
    }

    /// Of new calls, per mille, what is let in: below 1,000 there is more to do than can be done.
    pub fn admitted_per_mille(&self) -> u32 {
        self.load.share()
    }

    /// How full the tables are.
    pub fn counts(&self) -> Counts {
        Counts {
            sessions: self.sessions.len(),
            dialogs: self.sessions.values().filter(|session| session.stands()).count(),
            transactions: self.table.len(),
            bindings: self.registrar.len(),
        }
    }

    /// All trunks as they are, by name.
    pub fn trunks(&self, now: Now) -> Vec<TrunkNow> {
        self.trunks.now(&self.config, now.mono)
    }

    /// The trunk that a session runs by.
    pub fn trunk_of(&self, id: SessionId) -> Option<&TrunkId> {
        self.sessions.get(&id)?.dialog.trunk.as_ref()
    }

    /// Takes back a binding that was kept on disk. One whose time has run out, or whose seat is
    /// gone, is dropped there too. A seat that has registered meanwhile keeps what it said last.
    pub fn restore_binding(&mut self, seat: SeatId, binding: Binding, now: Now) {
        if self.is_registered(&seat) {
            return;
        }
        // A connection does not outlive the process that had it.
        let good = self.guard.knows(seat.as_str())
            && binding.listener < self.faces.len()
            && !self.is_stream(binding.listener);
        match self.registrar.restore(&seat, binding, now).filter(|_| good) {
            Some(ends) => {
                self.agenda.set(&Due::Seat(seat.clone()), Some(ends));
                self.tell(Event::Registered { seat, refreshed: false });
            }
            None => {
                self.registrar.remove(&seat);
                self.outputs.push_back(Output::SaveBinding { seat, binding: None });
            }
        }
    }

    /// Ends a seat's binding, if it has one.
    pub(super) fn unbind(&mut self, seat: SeatId) {
        self.agenda.set(&Due::Seat(seat.clone()), None);
        if self.registrar.remove(&seat) {
            self.outputs.push_back(Output::SaveBinding { seat: seat.clone(), binding: None });
            self.tell(Event::Unregistered { seat });
        }
    }

    /// Keeps a seat's binding on disk.
    pub(super) fn save_binding(&mut self, seat: SeatId, binding: Binding) {
        self.outputs.push_back(Output::SaveBinding { seat, binding: Some(binding) });
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(super) fn turn_away(&mut self, from: Source, why: TurnedAway) {
        self.tell(Event::TurnedAway { peer: from.peer, why });
    }

    pub(super) fn send(&mut self, listener: usize, peer: SocketAddr, bytes: Bytes) {
        self.outputs.push_back(Output::Send(Packet { listener, peer, bytes }));
    }

    pub(super) fn is_full(&self) -> bool {
        self.sessions.len() >= self.config.limits.sessions_max
            || self.table.len() >= self.config.limits.transactions_max
    }

    /// Drains one transaction and sets its timer. Says whether the message just handed in is news.
    pub(super) fn run(&mut self, tx: usize, now: Now) -> bool {
        let ran = self.table.run(tx);
        if let Some((listener, peer, bytes)) = ran.send {
            self.send(listener, peer, bytes);
        }
        let due = self.table.get_mut(tx).and_then(|entry| entry.machine.poll_timeout());
        self.agenda.set(&Due::Transaction(tx), due);
        if let Some(user) = ran.done.filter(|_| ran.timed_out) {
            self.handle_silence(user, now);
        }
        ran.tell
    }

    /// The peer never answered a transaction of `user`'s.
    pub(super) fn handle_silence(&mut self, user: User, now: Now) {
        match user {
            User::Inviting(inviting) if inviting.again => self.give_up_offer(inviting.session, now),
            User::Inviting(inviting) if inviting.given_up => {}
            User::Inviting(inviting) => self.lose_way(inviting.session, Lost::Silent, None, now),
            User::Bye(id) => self.finish(id, now),
            User::Probe(id) => self.lose(id, now),
            User::Registering(trunk) => self.registration_failed(&trunk, None, now),
            User::Proving(proving) => self.handle_proved(&proving, 408, now),
            User::Update { session, offers, tag } => self.handle_updated(session, offers, &tag, None, now),
            User::Pressing(id) => self.handle_pressed(id, None, now),
            User::Notify(id, refer) => self.unsubscribed(id, refer),
            // A refusal that nobody acknowledged: RFC 3261 §17.2.1 leaves it at that.
            User::Invited(_) | User::Nobody => {}
        }
    }

    /// Takes a session out, with its timer, its place at its trunk and whatever is under way in it.
    pub(super) fn forget(&mut self, id: SessionId, now: Now) -> Option<Session> {
        self.agenda.set(&Due::Session(id), None);
        let mut session = self.sessions.remove(&id)?;
        self.ways_out.end(id);
        if let Some(trunk) = &session.dialog.trunk {
            self.trunks.leave(trunk);
        }
        self.drop_offer(&mut session, now);
        Some(session)
    }

    /// Sets a session's timer to what it wants.
    pub(super) fn wake(&mut self, id: SessionId) {
        let due = self.sessions.get(&id).and_then(Session::poll_timeout);
        self.agenda.set(&Due::Session(id), due);
    }

    /// A session id that is not in use; it is also our tag, so it is drawn, not counted.
    pub(super) fn draw_session(&mut self) -> SessionId {
        loop {
            let id = SessionId(self.dice.next_u64());
            if !self.sessions.contains_key(&id) && !self.orphans.contains_key(&id) {
                return id;
            }
        }
    }
}

/// Nothing but line ends: keeps a hole in a NAT open (RFC 5626 §4.4.1).
fn is_keep_alive(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0))
}
