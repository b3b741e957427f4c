//! A caller on one call: tells the machine what happens, turns the clock, keeps what was ordered.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hotline::call::negotiate::{KeySeed, Terms};
use hotline::call::{BotEnd, BotSaid, Call, Callee, Command, Input, Setup, Unwilling, Wish};
use hotline::id::{CallId, Dice, LegId, PromptId};
use hotline::io::plan_files;
use hotline::media::Order;
use hotline::media::order::{LegFigures, PortSlot, SoundId};
use hotline::routing::plan::Flow;
use hotline::routing::{Overrides, Plan};
use hotline::sip::sdp::{Direction, Media, Sdp};
use hotline::time::{Instant, Now};

use super::said::words;

/// The shipped plan.
pub fn plan() -> &'static Plan {
    static PLAN: OnceLock<Plan> = OnceLock::new();
    PLAN.get_or_init(|| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("routing.toml");
        plan_files::load(&path, &Overrides::default()).plan.expect("the shipped file is usable")
    })
}

/// A description with PCMA on `port`; a direction of its own where it holds.
pub fn sdp(port: u16, direction: Option<Direction>) -> Arc<Sdp> {
    described(port, "8", direction)
}

/// A description whose only codec we do not have.
pub fn unusable() -> Arc<Sdp> {
    described(4_000, "18", None)
}

fn described(port: u16, format: &str, direction: Option<Direction>) -> Arc<Sdp> {
    let media = Media {
        kind: "audio".into(),
        port,
        protocol: "RTP/AVP".into(),
        formats: vec![format.into()],
        ptime: Some(20),
        direction,
        ..Media::default()
    };
    let connection = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9)));
    Arc::new(Sdp { origin: (1, 1), connection, media: vec![media], ..Sdp::default() })
}

pub fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The port pair of the caller's leg; those of other legs follow.
pub const CALLER_PORT: u32 = 10;

/// How a call is set up.
pub struct Dialling {
    pub plan: Plan,
    pub number: &'static str,
    /// The caller's own.
    pub from: &'static str,
    pub at: &'static str,
    pub offer: Option<Arc<Sdp>>,
    /// Whether the caller takes provisional answers reliably.
    pub reliable: bool,
    /// In place of the plan's own.
    pub flow: Option<Flow>,
    /// Whether there are ports for legs of ours.
    pub ports: bool,
    /// What the operator allows for the caller's sound.
    pub terms: Terms,
    /// Whether signalling is over TLS, on both sides.
    pub keys: bool,
    pub begun: Begun,
}

/// Whose the first leg is.
#[derive(Default)]
pub enum Begun {
    /// A citizen's, who came to us.
    #[default]
    Citizen,
    /// A clerk's, who dialled.
    Clerk(&'static str),
    /// Whom we call first, for 20 s.
    House(Callee),
}

impl Dialling {
    /// A call with an offer, inside the transition months.
    pub fn to(number: &'static str) -> Dialling {
        Dialling {
            plan: plan().clone(),
            number,
            from: "13800000042",
            at: "2021-09-01T09:00:00+08:00",
            offer: Some(sdp(4_000, None)),
            reliable: false,
            flow: None,
            ports: true,
            terms: Terms::default(),
            keys: false,
            begun: Begun::Citizen,
        }
    }

    pub fn late_offer(mut self) -> Dialling {
        self.offer = None;
        self
    }

    pub fn with(mut self, change: impl FnOnce(&mut Plan)) -> Dialling {
        change(&mut self.plan);
        self
    }

    /// The INVITE is in. What it leads to at once is in [`Caller::said`].
    pub fn go(self) -> Caller {
        self.try_go().unwrap_or_else(|_| panic!("the offer can be taken"))
    }

    pub fn try_go(self) -> Result<Caller, String> {
        let now = Now { mono: Instant::from_millis(1_000), wall: self.at.parse().expect("an instant") };
        let id = CallId::draw(1_630_458_000_000, &mut Dice::seeded(1));
        let flow = self.flow.clone();
        let flow = flow.unwrap_or_else(|| self.plan.flow(&self.plan.lines[self.number], now.wall));
        let sounds: BTreeMap<PromptId, SoundId> =
            self.plan.prompts.keys().cloned().zip((0..).map(SoundId)).collect();
        let setup = Setup {
            id,
            flow,
            ticket: "20210901-0012".into(),
            pickup: "204711".into(),
            from: self.from.into(),
            sounds: Arc::new(sounds.clone()),
            offer: self.offer.clone(),
            reliable: self.reliable,
            slot: PortSlot(CALLER_PORT),
            peer: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9)),
            sound_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            session: 7,
            terms: self.terms,
            keys: self.keys.then(|| KeySeed::draw(&mut Dice::seeded(7))),
            plan: Arc::new(self.plan),
        };
        let call = match self.begun {
            Begun::Citizen => Call::new(setup, now),
            Begun::Clerk(seat) => Call::of_clerk(setup, seat.into(), now),
            Begun::House(first) => Ok(Call::outward(setup, first, secs(20), now)),
        };
        let call = call.map_err(|fault| fault.to_string())?;
        let mut caller = Caller {
            call,
            id,
            now,
            sounds,
            ports: self.ports,
            keys: self.keys,
            marks: BTreeMap::new(),
            said: Vec::new(),
            all: Vec::new(),
            lent: Vec::new(),
        };
        caller.said = caller.drain();
        Ok(caller)
    }
}

/// One call under way.
pub struct Caller {
    pub call: Call,
    pub id: CallId,
    pub now: Now,
    /// What the last input led to.
    pub said: Vec<String>,
    /// Everything since the INVITE.
    pub all: Vec<Command>,
    /// Port pairs of legs of ours, as they were given.
    pub lent: Vec<u32>,
    sounds: BTreeMap<PromptId, SoundId>,
    ports: bool,
    keys: bool,
    marks: BTreeMap<LegId, u32>,
}

impl Caller {
    pub fn leg(&self, index: u16) -> LegId {
        LegId { call: self.id, index }
    }

    /// Tells the call what happened; what follows is [`Caller::said`].
    pub fn tell(&mut self, input: Input) -> &[String] {
        self.call.handle_input(input, self.now);
        self.said = self.drain();
        &self.said
    }

    /// Somebody wants something of the call; what follows is [`Caller::said`].
    pub fn wishes(&mut self, wish: Wish) -> Result<&[String], Unwilling> {
        let done = self.call.wish(wish, self.now);
        self.said = self.drain();
        done.map(|()| &self.said[..])
    }

    /// Turns the clock; every timer in between comes due at its time.
    pub fn wait(&mut self, time: Duration) -> &[String] {
        let end = self.now.mono + time;
        let mut said = Vec::new();
        while let Some(due) = self.call.poll_timeout().filter(|due| *due <= end) {
            self.turn_to(due.max(self.now.mono));
            self.call.handle_timeout(self.now);
            said.extend(self.drain());
        }
        self.turn_to(end);
        self.said = said;
        &self.said
    }

    fn turn_to(&mut self, mono: Instant) {
        let passed = mono.since(self.now.mono);
        self.now.wall += jiff::SignedDuration::try_from(passed).expect("within the calendar");
        self.now.mono = mono;
    }

    /// The record is on disk.
    pub fn recorded(&mut self) -> &[String] {
        self.tell(Input::Recorded { durable: true })
    }

    /// What was last played to a leg is through.
    pub fn heard_out(&mut self, index: u16) -> &[String] {
        let leg = self.leg(index);
        let mark = self.marks.remove(&leg).expect("something is being played");
        self.tell(Input::Played { leg, mark })
    }

    /// Whether something is being said to the caller.
    pub fn is_spoken_to(&self) -> bool {
        self.marks.contains_key(&self.leg(0))
    }

    /// The index of the leg that was called last.
    pub fn last_leg(&self) -> u16 {
        let called = self.all.iter().rev().find_map(|command| match command {
            Command::WantPort { leg, .. } => Some(leg.index),
            _ => None,
        });
        called.expect("somebody was called")
    }

    pub fn rings(&mut self, seat: &str) -> &[String] {
        self.tell(Input::RingSeat { seat: seat.into(), waited: secs(7) })
    }

    pub fn answers(&mut self, index: u16) -> &[String] {
        let leg = self.leg(index);
        self.tell(Input::Answered { leg, sdp: Some(sdp(5_000 + 2 * index, None)) })
    }

    pub fn refuses(&mut self, index: u16, status: u16) -> &[String] {
        let leg = self.leg(index);
        self.tell(Input::Refused { leg, status })
    }

    /// BYE.
    pub fn hangs_up(&mut self, index: u16) -> &[String] {
        let leg = self.leg(index);
        self.tell(Input::Ended { leg, vanished: false })
    }

    /// Nobody said goodbye: the phone is just gone.
    pub fn vanishes(&mut self, index: u16) -> &[String] {
        let leg = self.leg(index);
        self.tell(Input::Ended { leg, vanished: true })
    }

    pub fn presses(&mut self, digit: char) -> &[String] {
        let leg = self.leg(0);
        self.tell(Input::Digit { leg, digit })
    }

    /// A key on any leg, in its stream of sound.
    pub fn keys(&mut self, index: u16, keys: &str) -> &[String] {
        let leg = self.leg(index);
        let mut said = Vec::new();
        for digit in keys.chars() {
            said.extend_from_slice(self.tell(Input::Digit { leg, digit }));
        }
        self.said = said;
        &self.said
    }

    pub fn reinvites(&mut self, index: u16, offer: Option<Arc<Sdp>>) -> &[String] {
        let leg = self.leg(index);
        self.tell(Input::Reoffered { leg, offer })
    }

    /// The sound of the caller's leg is closed.
    pub fn sound_closed(&mut self) -> &[String] {
        let figures = Box::new(LegFigures { received: 50, ..LegFigures::default() });
        let leg = self.leg(0);
        self.tell(Input::SoundClosed { leg, figures })
    }

    /// Answered, greeted, and in the queue.
    pub fn queued(number: &'static str) -> Caller {
        Dialling::to(number).go().waits_its_turn()
    }

    pub fn waits_its_turn(mut self) -> Caller {
        if !self.call.state().eq("prompt") {
            self.recorded();
        }
        while self.call.state() == "prompt" {
            self.heard_out(0);
        }
        assert_eq!(self.call.state(), "waiting", "{:?}", self.said);
        self
    }

    /// Seat 1001 rings.
    pub fn ringing(number: &'static str) -> Caller {
        let mut caller = Caller::queued(number);
        caller.rings("1001");
        caller
    }

    /// Seat 1001 and the caller talk.
    pub fn talking(number: &'static str) -> Caller {
        Dialling::to(number).go().waits_its_turn().talks()
    }

    /// With seat 1001.
    pub fn talks(mut self) -> Caller {
        self.rings("1001");
        self.answers(1);
        self.heard_out(0);
        self.heard_out(1);
        assert_eq!(self.said, ["bridge 0 and 1"]);
        self
    }

    /// Ports are given at once, as the switchboard does it.
    fn drain(&mut self) -> Vec<String> {
        let mut said = Vec::new();
        while let Some(command) = self.call.poll_output() {
            if command != Command::Bridged {
                said.push(words(&command, &self.sounds)); // That follows each first bridge with a seat.
            }
            match &command {
                Command::WantPort { leg, .. } => {
                    let slot = self.ports.then_some(PortSlot(CALLER_PORT + u32::from(leg.index)));
                    self.lent.extend(slot.map(|slot| slot.0));
                    let peer = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 20));
                    let seed = u64::from(leg.index) + 8;
                    let keys = self.keys.then(|| KeySeed::draw(&mut Dice::seeded(seed)));
                    let port = Input::Port { leg: *leg, slot, peer, ours: peer, keys };
                    self.call.handle_input(port, self.now);
                }
                Command::TalkWithBot { talk, leg, .. } => {
                    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
                    let slot = PortSlot(CALLER_PORT + u32::from(leg.index));
                    let input = match self.ports {
                        true => {
                            Input::Port { leg: *leg, slot: Some(slot), peer: here, ours: here, keys: None }
                        }
                        false => Input::Bot { talk: *talk, said: BotSaid::Ended(BotEnd::NoSound) },
                    };
                    self.lent.extend(self.ports.then_some(slot.0));
                    self.call.handle_input(input, self.now);
                }
                Command::Adopt { leg, .. } => {
                    let slot = PortSlot(CALLER_PORT + u32::from(leg.index));
                    let peer = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 20));
                    let mut described = (*sdp(6_000, None)).clone();
                    described.origin = (44, 3);
                    self.call.handle_input(Input::Adopted { leg: *leg, described }, self.now);
                    let port = Input::Port { leg: *leg, slot: Some(slot), peer, ours: peer, keys: None };
                    self.call.handle_input(port, self.now);
                }
                Command::Sound(Order::Play { leg, repeat: false, mark, .. }) => {
                    self.marks.insert(*leg, *mark);
                }
                Command::Sound(Order::Play { leg, .. } | Order::Quiet { leg }) => {
                    self.marks.remove(leg);
                }
                _ => {}
            }
            self.all.push(command);
        }
        said
    }
}
