//! The engine of one media thread: orders, packets and ticks in; packets, frames and facts out.
//!
//! Legs live in a table by port slot, so a packet finds its leg without hashing. All legs of a
//! group, those of a call or of a meeting room, share one of four phases, each served every 20 ms; the
//! packets of a plain relay go out as they come in.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::bank::SoundBank;
use super::conference::Conferences;
use super::decoder::Decoder;
use super::leg::{Hears, Left, Leg};
use super::order::{Codec, FRAME_SAMPLES, Fact, Group, LegConfig, Order, PortSlot};
use super::player::Player;
use super::record::Recording;
use super::roster::{PHASES, Roster, phase_of};
use super::rtcp::NtpClock;
use super::wire::{SocketKey, Tape, Wire};
use crate::id::{CallId, Dice, LegId};
use crate::time::{Instant, Now};

/// Between two frames of a leg.
const FRAME: Duration = Duration::from_millis(20);
/// Longer than the packets of whoever speaks are apart.
const IDLE_AFTER: Duration = Duration::from_millis(200);
/// An idle leg is read every so many rounds of the phases: 80 ms.
pub const IDLE_ROUNDS: u64 = 4;
/// Frames that one late tick makes up for.
const CATCH_UP_MAX: u64 = 3;

/// See the module's own words.
pub struct Engine {
    pub(super) bank: SoundBank,
    pub(super) dice: Dice,
    pub(super) legs: Vec<Option<Box<Leg>>>,
    pub(super) slots: HashMap<LegId, PortSlot>,
    pub(super) conferences: Conferences,
    recordings: HashMap<CallId, Recording>,
    /// Recorded calls by phase, so that a tick asks no map in whole.
    recorded: [Vec<CallId>; PHASES],
    /// Whose sockets are read in which tick.
    pub(super) read: Roster,
    /// Who is served in which tick.
    pub(super) serve: Roster,
    /// Whose packets are no multiple of 20 ms, by the tick half way between two turns.
    halves: Roster,
    served_at: [Option<Instant>; PHASES],
    /// Turns of each phase, for what is looked at in some.
    /// Turns served, by phase.
    pub(super) turns: [u32; PHASES],
    /// Legs that are not served in each turn, by slot.
    pub(super) resting: Vec<bool>,
    pub(super) clock: Option<NtpClock>,
    pub(super) facts: VecDeque<Fact>,
}

impl Engine {
    /// An engine without legs.
    pub fn new(bank: SoundBank, dice: Dice) -> Self {
        Engine {
            bank,
            dice,
            legs: Vec::new(),
            slots: HashMap::new(),
            conferences: Conferences::default(),
            recordings: HashMap::new(),
            recorded: Default::default(),
            read: Roster::default(),
            serve: Roster::default(),
            halves: Roster::default(),
            served_at: [None; PHASES],
            turns: [0; PHASES],
            resting: Vec::new(),
            clock: None,
            facts: VecDeque::new(),
        }
    }

    /// Takes a bank made by [`SoundBank::with`]: ids handed out before stay valid.
    pub fn set_bank(&mut self, bank: SoundBank) {
        self.bank = bank;
    }

    /// Carries out `order`. Orders about legs that are gone are forgotten.
    pub fn handle_order(&mut self, order: Order, now: Now, wire: &mut impl Wire, tape: &mut impl Tape) {
        self.clock.get_or_insert_with(|| NtpClock::new(now));
        match order {
            Order::Open { leg, config } => self.open(leg, *config, now.mono),
            Order::Change { leg, mut config } => {
                if let Some(slot) = self.slot_of(leg) {
                    let ssrc = self.dice.next_u32(); // For a codec of another clock.
                    let mut anew = false;
                    if let Some(leg) = self.leg_mut(slot) {
                        config.group = leg.config.group; // A leg stays where it is served.
                        anew = config.new_peer || config.codec != leg.config.codec;
                        leg.change(*config, ssrc, now.mono, wire);
                    }
                    self.mark_halves(slot);
                    // Another codec on this side is another way for the other side's sound too.
                    let partner = match self.leg(slot).map(|leg| &leg.hears) {
                        Some(Hears::Leg(partner)) => Some(*partner),
                        _ => None,
                    };
                    for slot in [Some(slot), partner].into_iter().flatten() {
                        if let Some(leg) = self.leg_mut(slot).filter(|_| anew) {
                            leg.tune_anew(); // Coders begin anew on both ways.
                        }
                        self.settle(slot);
                    }
                }
            }
            Order::Close { leg } => self.close(leg, now.mono, wire),
            Order::Play { leg, sounds, repeat, mark } => {
                self.hear(leg, Hears::Sounds(Player::new(sounds, repeat, mark)));
            }
            Order::Quiet { leg } => self.hear(leg, Hears::Nothing),
            Order::Bridge { a, b } => self.bridge(a, b, now.mono),
            Order::Part { a, b } => {
                self.hear(a, Hears::Nothing);
                self.hear(b, Hears::Nothing);
            }
            Order::Join { leg, conference, rights } => self.join(leg, conference, rights),
            Order::Leave { leg } => self.hear(leg, Hears::Nothing),
            Order::Move { leg, group } => {
                if let Some(departed) = self.depart(leg) {
                    self.arrive(departed, group, wire);
                }
            }
            Order::PauseRecord { call } => {
                if let Some(recording) = self.recordings.get_mut(&call) {
                    recording.pause();
                }
            }
            Order::ResumeRecord { call } => {
                if let Some(recording) = self.recordings.get_mut(&call) {
                    recording.resume(tape);
                }
            }
            Order::SendDigits { leg, digits } => {
                if let Some(slot) = self.slot_of(leg) {
                    self.wake(slot);
                    if let Some(leg) = self.leg_mut(slot) {
                        leg.presser.press(&digits);
                    }
                }
            }
            Order::Record { call, caller, begun, tracks } => {
                let group = self.slot_of(caller).and_then(|slot| self.leg(slot)).map(|leg| leg.config.group);
                if let Entry::Vacant(place) = self.recordings.entry(call) {
                    place.insert(Recording::new(call, caller, tracks));
                    self.recorded[phase_of(group.unwrap_or(Group::of_call(call)))].push(call);
                    tape.begin(call, begun);
                    if tracks {
                        tape.tracks(call);
                    }
                }
                self.mark_recorded(call, true);
            }
            Order::TurnRecord { call, left } => {
                if let Some(recording) = self.recordings.get_mut(&call) {
                    recording.left = left;
                }
            }
            Order::StopRecord { call } => {
                if let Some(recording) = self.recordings.remove(&call) {
                    self.recorded.iter_mut().for_each(|calls| calls.retain(|known| *known != call));
                    recording.end(tape);
                }
                self.mark_recorded(call, false);
            }
        }
    }

    fn open(&mut self, id: LegId, config: LegConfig, now: Instant) {
        let slot = config.slot;
        let place = slot.0 as usize;
        self.make_room(place);
        if self.legs[place].is_some() || self.slots.contains_key(&id) {
            return; // The switchboard lends a slot once; should it not, the first leg keeps it.
        }
        let phase = phase_of(config.group);
        let mut leg = Leg::new(id, config, &mut self.dice, now);
        if let Some(recording) = self.recordings.get(&id.call) {
            leg.recorded = true;
            // A recording is served with its caller, also with one that comes after its order.
            if recording.left == id && !self.recorded[phase].contains(&id.call) {
                self.recorded.iter_mut().for_each(|calls| calls.retain(|known| *known != id.call));
                self.recorded[phase].push(id.call);
            }
        }
        self.legs[place] = Some(Box::new(leg));
        self.slots.insert(id, slot);
        self.serve.add(slot, phase);
        self.read.add(slot, phase);
        self.mark_halves(slot);
        self.settle(slot);
    }

    pub(super) fn make_room(&mut self, place: usize) {
        if self.legs.len() <= place {
            self.legs.resize_with(place + 1, || None);
            self.resting.resize(place + 1, false);
        }
    }

    pub(super) fn mark_halves(&mut self, slot: PortSlot) {
        let Some(leg) = self.leg(slot) else { return };
        let phase = phase_of(leg.config.group) + 2;
        if leg.config.packet_ms % 20 == 0 {
            self.halves.remove(slot, phase);
        } else {
            self.halves.add(slot, phase);
        }
    }

    fn close(&mut self, id: LegId, now: Instant, wire: &mut impl Wire) {
        let Some(slot) = self.slot_of(id) else { return };
        self.hear(id, Hears::Nothing);
        self.say_goodbye(slot, now, wire);
        if let Some(leg) = self.remove(slot) {
            self.facts.push_back(Fact::Closed { leg: id, slot, figures: Box::new(leg.figures()) });
        }
    }

    pub(super) fn remove(&mut self, slot: PortSlot) -> Option<Box<Leg>> {
        let leg = self.legs.get_mut(slot.0 as usize)?.take()?;
        self.slots.remove(&leg.id);
        self.serve.remove_everywhere(slot);
        self.read.remove_everywhere(slot);
        self.halves.remove_everywhere(slot);
        Some(leg)
    }

    pub(super) fn slot_of(&self, leg: LegId) -> Option<PortSlot> {
        self.slots.get(&leg).copied()
    }

    pub(super) fn leg(&self, slot: PortSlot) -> Option<&Leg> {
        self.legs.get(slot.0 as usize)?.as_deref()
    }

    pub(super) fn leg_mut(&mut self, slot: PortSlot) -> Option<&mut Leg> {
        self.legs.get_mut(slot.0 as usize)?.as_deref_mut()
    }

    /// A leg hears something else; whom it was bridged with hears nothing more.
    pub(super) fn hear(&mut self, leg: LegId, hears: Hears) {
        let Some(slot) = self.slot_of(leg) else { return };
        let Some(leg) = self.leg_mut(slot) else { return };
        match std::mem::replace(&mut leg.hears, hears) {
            Hears::Leg(partner) => {
                leg.left = Some(Left::bridge(leg.relayed));
                if let Some(other) = self.leg_mut(partner)
                    && matches!(other.hears, Hears::Leg(back) if back == slot)
                {
                    other.left = Some(Left::bridge(other.relayed));
                    other.hears = Hears::Nothing;
                }
                self.settle(partner);
            }
            Hears::Conference(place) => {
                leg.mixed_before = true;
                let tail = leg.tail();
                self.conferences.leave(place, slot, tail);
            }
            Hears::Nothing | Hears::Sounds(_) => {}
        }
        self.settle(slot);
    }

    fn bridge(&mut self, a: LegId, b: LegId, now: Instant) {
        let (Some(at_a), Some(at_b)) = (self.slot_of(a), self.slot_of(b)) else { return };
        self.hear(a, Hears::Nothing);
        self.hear(b, Hears::Nothing);
        for (slot, partner) in [(at_a, at_b), (at_b, at_a)] {
            if let Some(leg) = self.leg_mut(slot) {
                leg.hears = Hears::Leg(partner);
                leg.tune_anew();
                leg.watch.begin(now);
            }
        }
        self.settle(at_a);
        self.settle(at_b);
    }

    /// The codes that `slot` sends no longer follow from what its listener's telephone has heard: they
    /// are coded anew for a while before they go straight again.
    pub(super) fn retune(&mut self, slot: PortSlot) {
        let Some(leg) = self.leg_mut(slot).filter(|leg| leg.config.codec == Codec::G722) else { return };
        leg.tune_anew();
        if leg.relayed {
            self.settle(slot);
        }
    }

    fn mark_recorded(&mut self, call: CallId, recorded: bool) {
        let mut index = 0;
        while index < self.legs.len() {
            let slot = PortSlot(index as u32);
            if let Some(leg) = self.leg_mut(slot).filter(|leg| leg.id.call == call) {
                leg.recorded = recorded;
                self.settle(slot);
            }
            index += 1;
        }
    }

    /// Decides which way a leg's sound goes: straight to its partner, through the decoder, or nowhere.
    pub(super) fn settle(&mut self, slot: PortSlot) {
        let Some(leg) = self.leg(slot) else { return };
        let phase = phase_of(leg.config.group);
        let partner = match leg.hears {
            Hears::Leg(partner) => self.leg(partner),
            Hears::Nothing | Hears::Sounds(_) | Hears::Conference(_) => None,
        };
        let mixed = matches!(leg.hears, Hears::Conference(_));
        let kept = leg.recorded && leg.config.codec.is_decodable();
        let relayed = !kept && partner.is_some_and(|partner| leg.is_alike(partner));
        let decoded = kept || mixed || (partner.is_some() && !relayed) || leg.wants_tones();
        let hears_coded = match leg.hears {
            Hears::Leg(partner) => Some(partner),
            _ => None,
        };
        let plays = mixed || matches!(leg.hears, Hears::Sounds(_));
        if relayed {
            self.read.add(slot, phase + 2);
        } else {
            self.read.remove(slot, phase + 2);
        }
        if let Some(leg) = self.leg_mut(slot) {
            (leg.relayed, leg.decoded) = (relayed, decoded);
            leg.mind_tones();
            leg.stops = !decoded;
            if decoded && leg.decoder.is_none() {
                leg.decoder = Some(Box::new(Decoder::new(leg.config.codec)));
            }
            if plays {
                leg.ready_encoder();
            }
        }
        self.wake(slot);
        if let Some(listener) = hears_coded {
            self.wake(listener);
        }
        // Whoever hears what is decoded here will have it coded, now or when something is to be played.
        if let Some(listener) = hears_coded.and_then(|slot| self.leg_mut(slot)) {
            listener.ready_encoder();
        }
    }

    /// Whose sockets, RTP and RTCP, must be read before [`Engine::tick`] of `phase`.
    pub fn due(&self, phase: u8) -> &[PortSlot] {
        self.read.list(usize::from(phase))
    }

    /// Whether a leg's sockets need not be read in each round: nobody hears it, no recording either,
    /// and it says nothing. A key or a first word then waits for [`IDLE_ROUNDS`] rounds at most.
    pub fn is_idle(&self, slot: PortSlot, now: Instant) -> bool {
        self.leg(slot).is_some_and(|leg| {
            !leg.recorded
                && !matches!(leg.hears, Hears::Leg(_) | Hears::Conference(_))
                && now.since(leg.heard_at) > IDLE_AFTER
        })
    }

    /// Takes a packet in; a relay's goes out at once, its header rewritten in place.
    pub fn handle_packet(
        &mut self,
        socket: SocketKey,
        from: SocketAddr,
        packet: &mut [u8],
        now: Instant,
        wire: &mut impl Wire,
    ) {
        if catch_unwind(AssertUnwindSafe(|| self.take_packet(socket, from, packet, now, wire))).is_err() {
            self.fail(socket.slot);
        }
    }

    /// A fault inside one leg costs that leg.
    pub(super) fn fail(&mut self, slot: PortSlot) {
        if let Some(leg) = self.leg_mut(slot) {
            leg.decoder = None; // Nothing more is asked of what may be out of order.
            let id = leg.id;
            self.hear(id, Hears::Nothing);
            self.facts.push_back(Fact::Failed { leg: id });
        }
        if let Some(leg) = self.remove(slot) {
            let figures = Box::new(leg.figures());
            self.facts.push_back(Fact::Closed { leg: leg.id, slot, figures });
        }
    }

    /// Serves `phase`, 0..=3. Ticks come every 5 ms on a schedule of absolute times, `phase` going
    /// round. A late tick makes up for at most `CATCH_UP_MAX` frames, a doubled one does nothing,
    /// so the shell need not count: it may also leave out ticks that it missed.
    pub fn tick(&mut self, phase: u8, now: Instant, wire: &mut impl Wire, tape: &mut impl Tape) {
        let phase = usize::from(phase) % PHASES;
        self.serve_halves(phase, now, wire);
        let due = match self.served_at[phase] {
            None => 1,
            Some(last) => ((now.since(last) + FRAME / 2).as_nanos() / FRAME.as_nanos()) as u64,
        };
        if due == 0 {
            return;
        }
        // The schedule goes on from where it stood, so that a late tick does not move it, and each
        // frame is that of the time it was due at: what is made up for leaves no hole.
        let made_up = due.min(CATCH_UP_MAX);
        let mut at = match self.served_at[phase] {
            None => now,
            Some(last) => last + FRAME * (due - made_up + 1) as u32,
        };
        for call in &self.recorded[phase] {
            if let Some(recording) = self.recordings.get_mut(call) {
                recording.skip(due - made_up);
            }
        }
        for _ in 0..made_up {
            self.serve(phase, at.min(now), wire, tape);
            self.served_at[phase] = Some(at);
            at += FRAME;
        }
    }

    /// What was gathered and is due between two turns of its leg: every other packet of 10 and 30 ms.
    fn serve_halves(&mut self, phase: usize, now: Instant, wire: &mut impl Wire) {
        let mut index = 0;
        while let Some(slot) = self.halves.list(phase).get(index).copied() {
            index += 1;
            if let Some(leg) = self.leg_mut(slot) {
                leg.send_ready(now, wire);
            }
        }
    }

    fn serve(&mut self, phase: usize, now: Instant, wire: &mut impl Wire, tape: &mut impl Tape) {
        let turn = self.turns[phase].wrapping_add(1);
        self.turns[phase] = turn;
        let mut index = 0;
        while let Some(slot) = self.serve.list(phase).get(index).copied() {
            index += 1;
            if self.rests(slot, turn) {
                continue;
            }
            if let Some(leg) = self.leg_mut(slot) {
                leg.given = [0; FRAME_SAMPLES];
                if catch_unwind(AssertUnwindSafe(|| leg.decode(now))).is_err() {
                    self.fail(slot);
                    index -= 1; // Another leg has taken its place in the list.
                    continue;
                }
                self.hear_tones(slot);
            }
        }
        self.mix(phase);
        index = 0;
        while let Some(slot) = self.serve.list(phase).get(index).copied() {
            index += 1;
            if self.rests(slot, turn) {
                continue;
            }
            if catch_unwind(AssertUnwindSafe(|| self.serve_leg(slot, now, wire))).is_err() {
                self.fail(slot);
                index -= 1;
            }
        }
        self.watch_sound(phase, now);
        self.record(phase, tape);
    }

    fn record(&mut self, phase: usize, tape: &mut impl Tape) {
        let silence = [0; FRAME_SAMPLES];
        let mut tracks = false;
        for call in &self.recorded[phase] {
            let Some(recording) = self.recordings.get_mut(call) else { continue };
            tracks |= recording.tracks;
            let heard =
                self.slots.get(&recording.left).and_then(|slot| self.legs[slot.0 as usize].as_deref());
            let left = heard.and_then(|leg| leg.decoder.as_ref()).map_or(&silence, |decoder| &decoder.pcm.0);
            let right = heard.map_or(&silence, |leg| &leg.given);
            recording.push(left, right, tape);
        }
        if tracks {
            self.record_tracks(phase, tape);
        }
    }

    /// What each leg says, in a track of its own, whoever hears it.
    fn record_tracks(&self, phase: usize, tape: &mut impl Tape) {
        for slot in self.serve.list(phase) {
            let Some(leg) = self.leg(*slot).filter(|leg| leg.recorded) else { continue };
            let (Some(recording), Some(decoder)) = (self.recordings.get(&leg.id.call), &leg.decoder) else {
                continue;
            };
            if decoder.sounds && leg.may_hear() {
                recording.push_track(leg.id, &decoder.pcm.0, tape);
            }
        }
    }

    /// The next fact.
    pub fn poll_output(&mut self) -> Option<Fact> {
        self.facts.pop_front()
    }

    /// How many legs are open.
    pub fn legs(&self) -> usize {
        self.slots.len()
    }

    /// How many recordings run.
    pub fn recordings(&self) -> usize {
        self.recordings.len()
    }
}
