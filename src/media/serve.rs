//! What happens to one leg: a packet that came for it, and its turn in the tick.

use std::net::SocketAddr;
use std::ops::Range;

use super::codec::Voice;
use super::conference::Mixed;
use super::dtmf::Event;
use super::engine::Engine;
use super::g711;
use super::latch::Verdict;
use super::leg::{Hears, Leg};
use super::order::{Codec, Fact, PortSlot};
use super::reception::Seen;
use super::rtcp::{Own, REPORT_MAX};
use super::rtp::{self, Header};
use super::wire::{Channel, SocketKey, Wire};
use crate::time::Instant;

/// Comfort noise, static payload type (RFC 3389).
const COMFORT_NOISE: u8 = 13;

impl Engine {
    pub(super) fn take_packet(
        &mut self,
        socket: SocketKey,
        from: SocketAddr,
        packet: &mut [u8],
        now: Instant,
        wire: &mut impl Wire,
    ) {
        let slot = socket.slot;
        let Some(leg) = self.leg_mut(slot) else { return };
        let report = socket.kind == Channel::Rtcp || leg.config.rtcp_mux && rtp::is_rtcp(packet);
        let packet = match leg.cipher {
            None => packet,
            Some(_) => match self.unseal(slot, from, packet, report) {
                Some(length) => &mut packet[..length],
                None => return,
            },
        };
        if report {
            return self.take_report(slot, from, packet, now);
        }
        let Some(leg) = self.leg_mut(slot) else { return };
        let Some((header, payload)) = rtp::parse(packet) else {
            leg.refused += 1;
            return;
        };
        let kind = leg.kind_of(header.payload_type);
        let other = if kind.is_none() { leg.other_law(header.payload_type) } else { None };
        let Some(kind) = kind.or(other.map(|_| Kind::Sound)).filter(|_| !payload.is_empty()) else {
            leg.refused += 1;
            return;
        };
        let place = rtp::range(packet, payload);
        let id = leg.id;
        match leg.latch.judge(from, &header) {
            Verdict::Believed => {}
            Verdict::Locked => {
                wire.lock(slot, Some(from));
                self.facts.push_back(Fact::Latched { leg: id, source: from });
            }
            Verdict::Waiting => return,
            Verdict::Stranger { first } => {
                leg.refused += 1;
                if first {
                    self.facts.push_back(Fact::StrangerRefused { leg: id, source: from });
                }
                return;
            }
        }
        self.note_life(slot, now);
        let Some(leg) = self.leg_mut(slot) else { return };
        let seen = leg.reception.take(&header, kind == Kind::Sound, now);
        match seen {
            Seen::New => {}
            Seen::First => {
                if let Some(decoder) = &mut leg.decoder {
                    decoder.reset();
                }
            }
            Seen::Duplicate | Seen::Stray => return,
        }
        if seen == Seen::First {
            if header.ssrc == leg.sender.ssrc() {
                self.part_ssrc(slot);
            }
            self.retune(slot); // Another source's coder begins at rest.
        }
        let Some(leg) = self.leg_mut(slot) else { return };
        if !leg.may_hear() {
            return;
        }
        match kind {
            Kind::Event => {
                if let Some(event) = Event::parse(&packet[place]) {
                    self.take_event(slot, &header, event, now, wire);
                }
            }
            Kind::Noise => self.take_noise(slot, &header, &packet[place], now),
            Kind::Sound => {
                match (other.and_then(Codec::law), leg.config.codec.law()) {
                    (Some(from), Some(to)) => g711::recode(from, to, &mut packet[place.clone()]),
                    _ if other.is_some() => return,
                    _ => leg.forget_former(),
                }
                // A byte or two are a unit of the clock; packets of other codecs go on whatever their length.
                let units = leg.config.codec.unit_bytes().map(|bytes| place.len() / bytes);
                if units.is_some_and(|units| leg.length.note(units)) {
                    self.settle(slot);
                }
                self.take_sound(slot, &header, packet, place, now, wire);
            }
        }
    }

    /// Sound goes on as it is, or into the jitter buffer.
    fn take_sound(
        &mut self,
        slot: PortSlot,
        header: &Header,
        packet: &mut [u8],
        place: Range<usize>,
        now: Instant,
        wire: &mut impl Wire,
    ) {
        let Some(leg) = self.leg_mut(slot) else { return };
        if let Some(decoder) = leg.decoder.as_mut().filter(|_| leg.decoded) {
            decoder.comfort.sound_comes();
            if !decoder.put(header.timestamp, &packet[place.clone()], now) {
                leg.refused += 1;
            }
        }
        if leg.relayed {
            leg.watch.glance(leg.config.codec, header.sequence, &packet[place.clone()], now);
            self.relay(slot, header, packet, place, now, wire);
        }
    }

    /// The partner that hears this leg.
    fn partner(&mut self, slot: PortSlot) -> Option<&mut Leg> {
        match self.leg(slot)?.hears {
            Hears::Leg(partner) => self.leg_mut(partner),
            Hears::Nothing | Hears::Sounds(_) | Hears::Conference(_) => None,
        }
    }

    fn relay(
        &mut self,
        slot: PortSlot,
        header: &Header,
        packet: &mut [u8],
        place: Range<usize>,
        now: Instant,
        wire: &mut impl Wire,
    ) {
        let Some(partner) = self.partner(slot).filter(|partner| partner.may_send()) else { return };
        if partner.is_pressing_tones() {
            return partner.sender.leave_out(header);
        }
        partner.send_rest(wire);
        let Some(out) = partner.sender.relay(header, partner.config.payload_type, now) else { return };
        rtp::rewrite(packet, out);
        partner.note_relayed(&packet[place]);
        partner.sender.count(packet.len().saturating_sub(rtp::HEADER_BYTES));
        partner.transmit(packet, wire);
    }

    /// A key of the peer: told once per press, and pressed on whoever hears this leg.
    fn take_event(
        &mut self,
        slot: PortSlot,
        header: &Header,
        event: Event,
        now: Instant,
        wire: &mut impl Wire,
    ) {
        let Some(leg) = self.leg_mut(slot) else { return };
        let id = leg.id;
        let clock = leg.config.codec.clock();
        let digit = leg.presses.take(event, header.timestamp, header.marker, clock);
        if let Some(decoder) = &mut leg.decoder {
            decoder.rest(header.timestamp);
        }
        if let Some(digit) = digit {
            self.facts.push_back(Fact::Digit { leg: id, digit });
        }
        let Some(partner) = self.partner(slot) else { return };
        let Some((payload_type, _)) = partner.config.dtmf.filter(|_| partner.may_send()) else {
            partner.press_in_place_of_event(digit);
            return partner.sender.leave_out(header);
        };
        partner.send_rest(wire);
        let timestamp = partner.sender.event_timestamp(header.timestamp, now);
        let out = partner.sender.event(payload_type, timestamp, header.marker);
        let event = event.rescaled(clock, partner.config.codec.clock());
        partner.send(out, &event.write(), wire);
    }

    fn take_noise(&mut self, slot: PortSlot, header: &Header, payload: &[u8], now: Instant) {
        if let Some(leg) = self.leg_mut(slot) {
            leg.watch.noise(now);
        }
        if let Some(decoder) = self.leg_mut(slot).and_then(|leg| leg.decoder.as_mut()) {
            decoder.rest(header.timestamp);
            decoder.comfort.begin(payload, now);
        }
        if let Some(partner) = self.partner(slot) {
            partner.sender.leave_out(header);
        }
    }

    fn take_report(&mut self, slot: PortSlot, from: SocketAddr, packet: &[u8], now: Instant) {
        let clock = self.clock;
        let (Some(clock), Some(leg)) = (clock, self.leg_mut(slot)) else { return };
        if !leg.latch.may_report(from) {
            leg.refused += 1;
            return;
        }
        let rate = leg.config.codec.clock();
        match leg.reports.take(packet, &leg.sender, rate, &clock, now) {
            Some(()) => self.note_life(slot, now),
            None => leg.refused += 1,
        }
    }

    fn note_life(&mut self, slot: PortSlot, now: Instant) {
        let Some(leg) = self.leg_mut(slot) else { return };
        leg.heard_at = now;
        if std::mem::take(&mut leg.silence_told) {
            let leg = leg.id;
            self.facts.push_back(Fact::Heard { leg });
        }
    }

    /// One leg's turn: what it hears, reports, and whether its peer has fallen silent.
    pub(super) fn serve_leg(&mut self, slot: PortSlot, now: Instant, wire: &mut impl Wire) {
        self.send_sound(slot, now, wire);
        if let Some(leg) = self.leg_mut(slot) {
            leg.end_turn(wire);
        }
        self.watch_silence(slot, now);
        if self.leg(slot).is_some_and(|leg| leg.reports.due_at() <= now) {
            self.report(slot, false, now, wire);
        }
        self.see_whether_it_rests(slot);
    }

    fn send_sound(&mut self, slot: PortSlot, now: Instant, wire: &mut impl Wire) {
        let Some(leg) = self.leg_mut(slot) else { return };
        if leg.press(now, wire) {
            // Whose codes are passed on goes on from another sound than the tones.
            if let (Hears::Leg(speaker), true) = (&leg.hears, leg.tones.is_some()) {
                let speaker = *speaker;
                self.retune(speaker);
            }
            return;
        }
        match (&leg.hears, leg.mixed) {
            (Hears::Leg(speaker), _) => {
                let speaker = *speaker;
                return self.pass_on(speaker, slot, now, wire);
            }
            (Hears::Conference(_), Mixed::One(speaker)) => return self.pass_on(speaker, slot, now, wire),
            _ => {}
        }
        if let (Hears::Conference(_), Mixed::Sum(gain)) = (&leg.hears, leg.mixed) {
            let mut pcm = leg.given;
            gain.apply(&mut pcm);
            return leg.speak(&Voice::narrow(&pcm), now, wire);
        }
        let Engine { bank, legs, facts, .. } = self;
        let Some(leg) = legs.get_mut(slot.0 as usize).and_then(|leg| leg.as_deref_mut()) else { return };
        if let Some(mark) = leg.play(bank, now, wire) {
            facts.push_back(Fact::Played { leg: leg.id, mark });
        }
    }

    /// What `speaker` says in this tick is sent to the peer of `slot`.
    fn pass_on(&mut self, speaker: PortSlot, slot: PortSlot, now: Instant, wire: &mut impl Wire) {
        let places = [speaker.0 as usize, slot.0 as usize];
        let Ok([Some(said), Some(leg)]) = self.legs.get_disjoint_mut(places) else { return };
        if !said.relayed
            && let Some(voice) = said.said()
        {
            leg.given = *voice.narrow;
            leg.speak(&voice, now, wire);
            if said.is_tuned_in() {
                self.settle(speaker);
            }
        }
    }

    fn watch_silence(&mut self, slot: PortSlot, now: Instant) {
        let Some(leg) = self.leg_mut(slot) else { return };
        let bound = leg.config.silence_max;
        if !bound.is_zero() && now.since(leg.heard_at) >= bound {
            leg.heard_at = now; // Told again after each further such span.
            leg.silence_told = true;
            let leg = leg.id;
            self.facts.push_back(Fact::Silent { leg });
        }
    }

    /// The last report of a leg that closes.
    pub(super) fn say_goodbye(&mut self, slot: PortSlot, now: Instant, wire: &mut impl Wire) {
        if self.leg(slot).is_some_and(|leg| leg.sender.packets() > 0) {
            self.report(slot, true, now, wire);
        }
    }

    fn report(&mut self, slot: PortSlot, bye: bool, now: Instant, wire: &mut impl Wire) {
        let Some(clock) = self.clock else { return };
        let Some(leg) = self.legs.get_mut(slot.0 as usize).and_then(|leg| leg.as_deref_mut()) else { return };
        let own =
            Own { ssrc: leg.sender.ssrc(), sent: leg.sender.report(now), block: leg.reception.report(), bye };
        if leg.config.remote.ip().is_unspecified() {
            // Held by its address: no reports either (RFC 3264 §8.4).
            return leg.reports.set_next(&mut self.dice, now);
        }
        let mut packet = [0; REPORT_MAX];
        let length = leg.reports.write(&own, &clock, now, &mut packet);
        leg.reports.set_next(&mut self.dice, now);
        leg.transmit_report(&packet[..length], wire);
    }
}

/// What a packet carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Sound,
    Event,
    Noise,
}

impl Leg {
    fn kind_of(&self, payload_type: u8) -> Option<Kind> {
        match self.config.dtmf {
            Some((_, events)) if events == payload_type => Some(Kind::Event),
            _ if payload_type == self.config.payload_type_in => Some(Kind::Sound),
            _ if payload_type == COMFORT_NOISE => Some(Kind::Noise),
            _ => None,
        }
    }

    /// Where reports go: as signalled, or beside a source that was found elsewhere.
    pub(super) fn report_to(&self) -> SocketAddr {
        match self.latch.locked() {
            Some(source) if source != self.config.remote && self.config.rtcp_mux => source,
            Some(source) if source != self.config.remote => {
                SocketAddr::new(source.ip(), source.port().saturating_add(1))
            }
            _ => self.config.remote_rtcp,
        }
    }
}
