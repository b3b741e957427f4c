//! The owner of all signalling: transactions, sessions, registrar and door behind one machine.
//!
//! Here are its parts, its clock and what the others share; requests are judged in
//! `endpoint_requests`, served in `uas`, sent in `uac`, and descriptions renegotiated in `offers`.
//! A packet in, then `poll_output` to the end, then `poll_timeout`.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::auth::Guard;
use super::build::Draft;
use super::dialog::{Dialog, tag_of};
use super::door::Door;
use super::event::{
    Binding, Config, Counts, EndCause, Event, Gate, Output, Packet, SessionId, TurnedAway,
};
use super::fault::ParseError;
use super::message::Message;
use super::method::Method;
use super::name::Name;
use super::registrar::Registrar;
use super::session::{Farewell, Phase, Session};
use super::transaction::{Fingerprint, Key, Machine, NonInviteClient, Table};
use super::uac::Inviting;
use crate::id::{Dice, SeatId};
use crate::time::{Agenda, Instant, Now};

/// What we serve, for Allow.
pub(super) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER";

/// Retry-After where a table is full, seconds: about as long as finished transactions linger.
pub(super) const FULL_RETRY_S: u32 = 30;

/// Roles that keep the keys of clients, servers and other fingerprints apart.
pub(super) mod role {
    pub(in crate::sip) const CLIENT: u8 = 0;
    pub(in crate::sip) const SERVER: u8 = 1;
    pub(in crate::sip) const OLD_SERVER: u8 = 2;
    pub(in crate::sip) const MERGE: u8 = 3;
    pub(in crate::sip) const STATELESS_TAG: u8 = 4;
}

/// Where a message came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub(super) listener: usize,
    pub(super) peer: SocketAddr,
}

/// What a listener calls itself.
#[derive(Debug)]
pub(super) struct Face {
    /// `host:port` for Via.
    pub(super) at: String,
    /// Value of Contact.
    pub(super) contact: String,
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
}

/// Who wants to be woken.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Due {
    Transaction(usize),
    Session(SessionId),
    Seat(SeatId),
}

/// The machine.
pub struct Endpoint {
    pub(super) config: Config,
    pub(super) faces: Vec<Face>,
    pub(super) door: Door,
    pub(super) guard: Guard,
    pub(super) registrar: Registrar,
    pub(super) table: Table<User>,
    pub(super) sessions: HashMap<SessionId, Session>,
    pub(super) agenda: Agenda<Due>,
    pub(super) dice: Dice,
    pub(super) keys: Fingerprint,
    pub(super) gate: Gate,
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
            table: Table::default(),
            sessions: HashMap::new(),
            agenda: Agenda::default(),
            keys: Fingerprint::new(&mut dice),
            dice,
            gate: Gate::Open,
            outputs: VecDeque::new(),
            config: Config::default(),
        };
        endpoint.configure(config, now);
        endpoint
    }

    /// A new plan. Sessions go on; bindings of seats that are gone go with them. Listeners must keep
    /// their places, as running dialogs name them by index.
    pub fn configure(&mut self, config: Config, _now: Now) {
        self.faces = config
            .listeners
            .iter()
            .map(|listener| face(listener.advertise, listener.bind.port()))
            .collect();
        self.door = Door::new(&config);
        self.guard.configure(&config);
        self.config = config;
        for seat in self.registrar.seats() {
            if !self.guard.knows(seat.as_str()) {
                self.unbind(seat);
            }
        }
    }

    /// A datagram came in.
    pub fn handle_packet(&mut self, packet: Packet, now: Now) {
        if packet.listener >= self.faces.len() || is_keep_alive(&packet.bytes) {
            return;
        }
        let from = Source {
            listener: packet.listener,
            peer: packet.peer,
        };
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

    /// Whether a seat has a binding.
    pub fn is_registered(&self, seat: &SeatId) -> bool {
        self.registrar.binding(seat).is_some()
    }

    /// How full the tables are.
    pub fn counts(&self) -> Counts {
        Counts {
            sessions: self.sessions.len(),
            dialogs: self
                .sessions
                .values()
                .filter(|session| session.stands())
                .count(),
            transactions: self.table.len(),
            bindings: self.registrar.len(),
        }
    }

    /// Takes back a binding that was kept on disk. One whose time has run out, or whose seat is
    /// gone, is dropped there too.
    pub fn restore_binding(&mut self, seat: SeatId, binding: Binding, now: Now) {
        let good = self.guard.knows(seat.as_str()) && binding.listener < self.faces.len();
        match self.registrar.restore(&seat, binding, now).filter(|_| good) {
            Some(ends) => {
                self.agenda.set(&Due::Seat(seat.clone()), Some(ends));
                self.tell(Event::Registered {
                    seat,
                    refreshed: false,
                });
            }
            None => {
                self.registrar.remove(&seat);
                self.outputs.push_back(Output::SaveBinding {
                    seat,
                    binding: None,
                });
            }
        }
    }

    /// Ends a seat's binding, if it has one.
    pub(super) fn unbind(&mut self, seat: SeatId) {
        self.agenda.set(&Due::Seat(seat.clone()), None);
        if self.registrar.remove(&seat) {
            self.outputs.push_back(Output::SaveBinding {
                seat: seat.clone(),
                binding: None,
            });
            self.tell(Event::Unregistered { seat });
        }
    }

    /// Keeps a seat's binding on disk.
    pub(super) fn save_binding(&mut self, seat: SeatId, binding: Binding) {
        self.outputs.push_back(Output::SaveBinding {
            seat,
            binding: Some(binding),
        });
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(super) fn turn_away(&mut self, from: Source, why: TurnedAway) {
        self.tell(Event::TurnedAway {
            peer: from.peer,
            why,
        });
    }

    pub(super) fn send(&mut self, listener: usize, peer: SocketAddr, bytes: Bytes) {
        self.outputs.push_back(Output::Send(Packet {
            listener,
            peer,
            bytes,
        }));
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
        let due = self
            .table
            .get_mut(tx)
            .and_then(|entry| entry.machine.poll_timeout());
        self.agenda.set(&Due::Transaction(tx), due);
        if let Some(user) = ran.done.filter(|_| ran.timed_out) {
            self.handle_silence(user, now);
        }
        ran.tell
    }

    /// The peer never answered a transaction of `user`'s.
    fn handle_silence(&mut self, user: User, now: Now) {
        match user {
            User::Inviting(inviting) if inviting.again => self.give_up_offer(inviting.session, now),
            User::Inviting(inviting) => self.end_invite(inviting.session, 408),
            User::Bye(id) => self.finish(id),
            User::Probe(id) => self.lose(id, now),
            // A refusal that nobody acknowledged: RFC 3261 §17.2.1 leaves it at that.
            User::Invited(_) | User::Nobody => {}
        }
    }

    /// Sends a request of ours other than INVITE and ACK.
    pub(super) fn request(&mut self, user: User, key: Key, from: Source, bytes: Bytes, now: Now) {
        let machine = Machine::NonInviteClient(NonInviteClient::new(bytes, now.mono));
        let tx = self
            .table
            .insert(key, None, (machine, user, from.listener, from.peer));
        self.run(tx, now);
    }

    /// A new branch: the Via value that carries it, and the key that its answers are found by.
    pub(super) fn branch(&mut self, listener: usize, method: &Method) -> (String, Key) {
        let branch = format!("z9hG4bK{:016x}", self.dice.next_u64());
        let key = self
            .keys
            .of(role::CLIENT, &[branch.as_bytes(), method.as_bytes()]);
        let at = self.faces.get(listener).map_or("invalid", |face| &*face.at);
        (format!("SIP/2.0/UDP {at};branch={branch};rport"), key)
    }

    /// Contact, and who we are.
    pub(super) fn sign(&self, draft: Draft, listener: usize) -> Draft {
        let contact = self.faces.get(listener).map_or("", |face| &*face.contact);
        self.name(draft.header("Contact", contact), "User-Agent")
    }

    /// Who we are, in `header`.
    pub(super) fn name(&self, draft: Draft, header: &str) -> Draft {
        match &*self.config.product {
            "" => draft,
            product => draft.header(header, product),
        }
    }

    /// A request of ours in a dialog, sent by a transaction of its own.
    pub(super) fn say(
        &mut self,
        dialog: &mut Dialog,
        method: &Method,
        user: User,
        farewell: Option<&Farewell>,
        now: Now,
    ) {
        let (via, key) = self.branch(dialog.listener, method);
        let seq = dialog.next_seq();
        let mut draft = self.name(dialog.draft(method, seq, &via), "User-Agent");
        if let Some(reason) = farewell.and_then(|farewell| farewell.reason.as_ref()) {
            draft = draft.header("Reason", reason);
        }
        if *method == Method::Options {
            draft = draft.header("Accept", "application/sdp");
        }
        let way = Source {
            listener: dialog.listener,
            peer: dialog.destination(),
        };
        self.request(user, key, way, draft.finish(), now);
    }

    /// Sends the BYE of a session that stands. `cause` is told at the end; `None`: told already.
    pub(super) fn bye(
        &mut self,
        id: SessionId,
        cause: Option<EndCause>,
        farewell: &Farewell,
        now: Now,
    ) {
        let Some(mut session) = self.sessions.remove(&id) else {
            return;
        };
        self.drop_offer(&mut session, now);
        session.phase = Phase::Leaving { cause };
        self.say(
            &mut session.dialog,
            &Method::Bye,
            User::Bye(id),
            Some(farewell),
            now,
        );
        self.sessions.insert(id, session);
        self.wake(id);
    }

    /// The peer has vanished: BYE in case it is only deaf, and the end told at once.
    pub(super) fn lose(&mut self, id: SessionId, now: Now) {
        if matches!(self.sessions.get(&id), Some(session) if matches!(session.phase, Phase::Confirmed))
        {
            self.tell(Event::Ended {
                session: id,
                cause: EndCause::Gone,
            });
            self.bye(id, None, &Farewell::default(), now);
        }
    }

    /// The BYE of ours is through: the session is over.
    pub(super) fn finish(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get(&id)
            && let Phase::Leaving { cause } = session.phase
        {
            if let Some(cause) = cause {
                self.tell(Event::Ended { session: id, cause });
            }
            self.forget(id);
        }
    }

    /// Takes a session out, its timer too.
    pub(super) fn forget(&mut self, id: SessionId) -> Option<Session> {
        self.agenda.set(&Due::Session(id), None);
        self.sessions.remove(&id)
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
            if !self.sessions.contains_key(&id) {
                return id;
            }
        }
    }

    /// An answer of a session to `request`, so far without body.
    pub(super) fn answer_draft(
        &self,
        request: &Message,
        from: Source,
        status: u16,
        id: SessionId,
    ) -> Draft {
        let draft = Draft::response(request, from.peer, status, Some(&tag_of(id)));
        let draft = match status {
            101..=299 => {
                let contact = self
                    .faces
                    .get(from.listener)
                    .map_or("", |face| &*face.contact);
                draft.header("Contact", contact).header("Allow", ALLOW)
            }
            _ => draft,
        };
        self.name(draft, "Server")
    }
}

fn face(ip: IpAddr, port: u16) -> Face {
    let at = SocketAddr::new(ip, port).to_string();
    Face {
        contact: format!("<sip:{at}>"),
        at,
    }
}

/// Nothing but line ends: keeps a hole in a NAT open (RFC 5626 §4.4.1).
fn is_keep_alive(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0))
}

/// The URI scheme and host that name us to a peer when the plan gives no domain.
pub(super) fn host_of(config: &Config, listener: usize) -> String {
    let ip = config
        .listeners
        .get(listener)
        .map(|listener| listener.advertise);
    match (ip, &*config.domain) {
        (Some(IpAddr::V6(ip)), "") => format!("[{ip}]"),
        (Some(IpAddr::V4(ip)), "") => ip.to_string(),
        (_, domain) => domain.to_owned(),
    }
}

/// Where answers to a request go (RFC 3261 §18.2.2, RFC 3581 §4).
pub(super) fn reply_to(request: &Message, from: Source) -> Source {
    let peer = request
        .via()
        .map_or(from.peer, |via| via.reply_address(from.peer));
    Source {
        listener: from.listener,
        peer,
    }
}

/// The text of `name` as a string of ours; bytes that are not UTF-8 are replaced.
pub(super) fn text(request: &Message, name: Name) -> String {
    String::from_utf8_lossy(request.header(name).unwrap_or_default()).into_owned()
}
