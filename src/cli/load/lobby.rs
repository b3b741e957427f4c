//! Telephones that share SIP sockets, as the calls of a trunk do: found by Call-ID, or, for a call
//! that begins, by whom it is for.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use crate::id::Dice;
use crate::io::clock::Clock;
use crate::io::packets::stamp::{self, Turner};
use crate::io::packets::{Bell, Poll};
use crate::phone::{Output, Phone, PhoneConfig, PhoneEvent, PhoneState};
use crate::time::{Agenda, Instant, Now};

/// Datagrams taken from one socket before others have their turn.
const BURST: usize = 32;
/// No SIP message that we understand is longer.
const ROOM: usize = 65_536;
/// Call-IDs by which a telephone is known: its registration, its call, and stragglers of those before.
const CALLS_KNOWN: usize = 6;
/// What the kernel may hold for a socket that all calls share.
const RECEIVE_BUFFER: usize = 4 << 20;

/// The place of a telephone.
pub type Guest = usize;

struct Door {
    socket: UdpSocket,
    /// Who is in a call, by its Call-ID: a server may use one for both of its legs.
    calls: HashMap<String, Guest>,
    /// Who answers what is for nobody: the telephone behind it that was added last.
    porter: Option<Guest>,
}

struct Seat {
    phone: Phone,
    door: usize,
    calls: VecDeque<String>,
}

/// See the module's own words.
pub struct Lobby {
    poll: Poll,
    clock: Clock,
    doors: Vec<Door>,
    seats: Vec<Seat>,
    by_user: HashMap<String, Guest>,
    /// Who takes calls for anybody, longest idle first.
    open: VecDeque<Guest>,
    agenda: Agenda<Guest>,
    events: VecDeque<(Guest, PhoneEvent, Instant)>,
    ready: Vec<u64>,
    room: Box<[u8]>,
    refused: u64,
}

impl Lobby {
    pub fn new() -> io::Result<Self> {
        Ok(Lobby {
            poll: Poll::new()?,
            clock: Clock::system(),
            doors: Vec::new(),
            seats: Vec::new(),
            by_user: HashMap::new(),
            open: VecDeque::new(),
            agenda: Agenda::default(),
            events: VecDeque::new(),
            ready: Vec::new(),
            room: vec![0; ROOM].into_boxed_slice(),
            refused: 0,
        })
    }

    pub fn clock(&self) -> Clock {
        self.clock
    }

    pub fn now(&self) -> Now {
        self.clock.now()
    }

    /// Ends [`Lobby::turn`] from another thread.
    pub fn bell(&self) -> io::Result<Bell> {
        self.poll.bell()
    }

    /// Opens a socket; its place, and where it is bound.
    pub fn open_door(&mut self, at: SocketAddr) -> io::Result<(usize, SocketAddr)> {
        let socket = UdpSocket::bind(at)?;
        socket.set_nonblocking(true)?;
        // The kernel grants what it will; less is a smaller burst that can be borne.
        let _ = socket2::SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER);
        stamp::enable(&socket)?;
        let at = socket.local_addr()?;
        self.poll.add(&socket, self.doors.len() as u64)?;
        self.doors.push(Door { socket, calls: HashMap::new(), porter: None });
        Ok((self.doors.len() - 1, at))
    }

    /// Adds a telephone behind a door.
    pub fn add(&mut self, config: PhoneConfig, door: usize, dice: Dice) -> Guest {
        let guest = self.seats.len();
        self.doors[door].porter = Some(guest);
        self.seats.push(Seat { phone: Phone::new(config, dice), door, calls: VecDeque::new() });
        guest
    }

    /// Calls for this user are this telephone's.
    pub fn name(&mut self, guest: Guest, user: &str) {
        self.by_user.insert(user.to_owned(), guest);
    }

    /// Telephones that wait for a call that is for nobody in particular.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// This telephone takes the next call that is for nobody in particular.
    pub fn take_any(&mut self, guest: Guest) {
        self.open.push_back(guest);
    }

    /// Messages that the kernel did not take.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Gives a telephone an order, and carries out what it wants then.
    pub fn order<R>(&mut self, guest: Guest, act: impl FnOnce(&mut Phone, Now) -> R) -> R {
        let now = self.clock.now();
        let done = act(&mut self.seats[guest].phone, now);
        self.settle(guest, now.mono);
        done
    }

    /// What a telephone told next, and when that came about: for what an answer brought, when the
    /// kernel had it.
    pub fn poll_event(&mut self) -> Option<(Guest, PhoneEvent, Instant)> {
        self.events.pop_front()
    }

    /// Sleeps until something is there or due, at most until `until`, and deals with it. `true`: the
    /// bell was rung.
    pub fn turn(&mut self, until: Instant) -> io::Result<bool> {
        let due = self.agenda.next().map_or(until, |at| at.min(until));
        let wait = if self.events.is_empty() { self.clock.until(due) } else { Duration::ZERO };
        let mut ready = std::mem::take(&mut self.ready);
        let rung = self.poll.wait(wait, &mut ready)?;
        for door in ready.drain(..) {
            self.receive(door as usize);
        }
        self.ready = ready;
        for _ in 0..BURST {
            let now = self.clock.now();
            let Some(guest) = self.agenda.take_due(now.mono) else { break };
            self.seats[guest].phone.handle_timeout(now);
            self.settle(guest, now.mono);
        }
        Ok(rung)
    }

    fn receive(&mut self, door: usize) {
        let mut room = std::mem::take(&mut self.room);
        for _ in 0..BURST {
            let arrival = match stamp::receive(&self.doors[door].socket, &mut room) {
                Ok(arrival) => arrival,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => continue, // An ICMP echo of something sent, taken off the socket by this call.
            };
            let Some(bytes) = room.get(..arrival.length) else { continue };
            let at = Turner::now(&self.clock).turn(arrival.at);
            let spare = self.open.front().copied();
            if let Some(guest) = self.find(bytes, door) {
                let now = self.clock.now();
                self.seats[guest].phone.handle_sip(arrival.from, bytes, now);
                self.settle(guest, at);
                let taken = spare == Some(guest) && self.open.front() != spare.as_ref();
                if taken && self.seats[guest].phone.state() == PhoneState::Idle {
                    self.open.push_front(guest); // It could make nothing of it.
                }
            }
        }
        self.room = room;
    }

    /// Whom a message is for.
    fn find(&mut self, bytes: &[u8], door: usize) -> Option<Guest> {
        let call = call_id(bytes)?;
        if let Some(guest) = self.doors[door].calls.get(call) {
            return Some(*guest);
        }
        if bytes.starts_with(b"SIP/2.0") {
            return None;
        }
        let porter = self.doors[door].porter;
        if !bytes.starts_with(b"INVITE ") {
            return porter;
        }
        let named = user(bytes).and_then(|user| self.by_user.get(user)).copied();
        // With everybody busy, the porter says so.
        let guest = named.or_else(|| self.open.pop_front()).or(porter)?;
        let call = call.to_owned();
        self.note(guest, call);
        Some(guest)
    }

    fn note(&mut self, guest: Guest, call: String) {
        let Seat { door, calls: known, .. } = &mut self.seats[guest];
        let by_call = &mut self.doors[*door].calls;
        if by_call.contains_key(&call) {
            return;
        }
        if known.len() == CALLS_KNOWN
            && let Some(oldest) = known.pop_front()
        {
            by_call.remove(&oldest);
        }
        known.push_back(call.clone());
        by_call.insert(call, guest);
    }

    fn settle(&mut self, guest: Guest, at: Instant) {
        while let Some(output) = self.seats[guest].phone.poll_output() {
            match output {
                Output::Sip { to, bytes } => {
                    let begins = bytes.starts_with(b"INVITE ") || bytes.starts_with(b"REGISTER ");
                    if let (true, Some(call)) = (begins, call_id(&bytes)) {
                        self.note(guest, call.to_owned());
                    }
                    let sent = self.doors[self.seats[guest].door].socket.send_to(&bytes, to);
                    self.refused += u64::from(sent.is_err());
                }
                Output::Event(event) => self.events.push_back((guest, event, at)),
                Output::Rtp { .. } | Output::Rtcp { .. } => {} // Sound is moved elsewhere.
            }
        }
        let due = self.seats[guest].phone.poll_timeout();
        self.agenda.set(&guest, due);
    }
}

/// The value of Call-ID, found without reading the rest.
fn call_id(bytes: &[u8]) -> Option<&str> {
    let lines = bytes.split(|byte| *byte == b'\n').skip(1).take_while(|line| !line.trim_ascii().is_empty());
    let value = lines.filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = line[..colon].trim_ascii();
        let ours = name.eq_ignore_ascii_case(b"call-id") || name.eq_ignore_ascii_case(b"i");
        ours.then(|| line[colon + 1..].trim_ascii())
    });
    std::str::from_utf8(value.into_iter().next()?).ok()
}

/// The user of the Request-URI.
fn user(bytes: &[u8]) -> Option<&str> {
    let line = bytes.split(|byte| *byte == b'\r' || *byte == b'\n').next()?;
    let uri = std::str::from_utf8(line).ok()?.split(' ').nth(1)?;
    Some(uri.strip_prefix("sip:")?.split_once('@')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::{Answers, Dial};

    #[test]
    fn what_a_message_is_for_is_found_in_its_first_lines() {
        let message = b"INVITE sip:9003@192.0.2.1:5070;x=1 SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nCALL-ID :  a@b \r\n\r\ni: no";
        assert_eq!((call_id(message), user(message)), (Some("a@b"), Some("9003")));
        assert_eq!(call_id(b"SIP/2.0 200 OK\r\ni:c\r\n\r\n"), Some("c"));
        assert_eq!(call_id(b"SIP/2.0 200 OK\r\nTo: x\r\n\r\nCall-ID: no"), None);
        assert_eq!((call_id(b"\xff\n\xff"), user(b"OPTIONS sip:host SIP/2.0")), (None, None));
    }

    #[test]
    fn telephones_behind_one_socket_call_those_behind_another_and_each_finds_its_own() {
        let mut lobby = Lobby::new().unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        let (near, near_at) = lobby.open_door(any).unwrap();
        let (far, far_at) = lobby.open_door(any).unwrap();
        let mut dice = Dice::seeded(1);
        let mut phone = |lobby: &mut Lobby, user: String, door, at: SocketAddr| {
            let mut config = PhoneConfig::new(&user, at, at, far_at);
            config.answers = Answers::After(Duration::ZERO);
            config.sound_elsewhere = true;
            lobby.add(config, door, dice.split())
        };
        let callers: Vec<Guest> =
            (0..5).map(|n| phone(&mut lobby, format!("caller{n}"), near, near_at)).collect();
        for n in 0..4 {
            let guest = phone(&mut lobby, format!("far{n}"), far, far_at);
            lobby.take_any(guest);
        }
        for caller in &callers {
            lobby.order(*caller, |phone, now| phone.dial(Dial::to("9003"), now)).unwrap();
        }
        let bound = lobby.now().mono + Duration::from_secs(10);
        let (mut answered, mut agreed, mut refused, mut ended) = (0, 0, 0, 0);
        while (answered, agreed, refused, ended) != (8, 8, 1, 8) {
            lobby.turn(bound).unwrap();
            assert!(lobby.now().mono < bound, "{answered} {agreed} {refused} {ended}");
            while let Some((guest, event, at)) = lobby.poll_event() {
                assert!(at <= lobby.now().mono + Duration::from_millis(5));
                match event {
                    PhoneEvent::Answered => answered += 1,
                    PhoneEvent::SoundAgreed(_) => {
                        agreed += 1;
                        if guest < callers.len() {
                            lobby.order(guest, Phone::hang_up);
                        }
                    }
                    PhoneEvent::Refused { status: 486, .. } => refused += 1,
                    PhoneEvent::Ended { .. } => ended += 1,
                    _ => {}
                }
            }
        }
    }
}
