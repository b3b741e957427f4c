//! Who is in which conference, and what each of its members hears.
//!
//! A conference is there from the first leg that joins to the last that leaves. Its legs share a
//! group, so that one tick serves all of them: first each is decoded, then this file adds up what they
//! say and takes each listener's own out again ([`super::mixer`]), then each is sent what was mixed.
//!
//! Up to [`PARTIES_MAX`] are members; a leg that comes when it is full, or that belongs to another
//! group than the first, is refused: a fact tells it, and the leg hears nothing. There are never more
//! conferences than legs, and their places are used again.

use std::collections::HashMap;

use super::conceal::SEAM;
use super::leg::Leg;
use super::mixer::{Bus, Gain};
use super::order::{Audience, ConferenceId, FRAME_SAMPLES, Group, PortSlot, Refusal, Rights};
use super::roster::{PHASES, phase_of};
use crate::id::LegId;

/// Members of one conference, at most.
pub const PARTIES_MAX: usize = 32;
/// Who left since the last tick and is still to be faded out; beyond that sound is cut off.
const PARTINGS_MAX: usize = PARTIES_MAX;
/// Room made for members at first: most conferences are of three.
const USUAL: usize = 4;

/// Where a conference is in the table of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place(u32);

/// All conferences of an engine.
#[derive(Default)]
pub(super) struct Conferences {
    table: Vec<Conference>,
    /// Places of the table that nobody uses.
    free: Vec<Place>,
    places: HashMap<ConferenceId, Place>,
    due: [Vec<Place>; PHASES],
    desk: Desk,
}

/// What one mix needs room for.
#[derive(Default)]
struct Desk {
    all: Bus<FRAME_SAMPLES>,
    /// For a listener to whom somebody whispers.
    aside: Bus<FRAME_SAMPLES>,
    /// The member being worked on: a fault is its own.
    at_hand: Option<PortSlot>,
}

struct Conference {
    id: ConferenceId,
    group: Group,
    members: Vec<Member>,
    partings: Vec<Parting>,
}

struct Member {
    leg: LegId,
    slot: PortSlot,
    rights: Rights,
    /// In the last frame, and in this one.
    was: Part,
    is: Part,
    /// It comes out of a bridge, and the other is a member too or about to be: for so many frames more
    /// its first sound is not faded in.
    goes_on: u8,
}

/// Its first packet may have to be waited for.
const GOES_ON_FRAMES: u8 = 3;

/// The part that a member has in one frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Part {
    heard_by: Audience,
    hears: bool,
}

/// The part of whoever has just come, or says nothing and hears nothing.
const NO_PART: Part = Part { heard_by: Audience::Nobody, hears: false };

impl Part {
    /// What `rights` come to in this frame: who is silent, or held by its own SDP, is heard by nobody.
    fn of(rights: Rights, leg: &Leg) -> Part {
        Part {
            heard_by: if leg.speaks() { rights.heard_by } else { Audience::Nobody },
            hears: rights.hears && leg.may_send(),
        }
    }
}

/// The end of what a member said who has left: it fades.
struct Parting {
    heard_by: Audience,
    tail: [i16; SEAM],
}

/// What was mixed for a member in this tick.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Mixed {
    /// Nothing is sent.
    #[default]
    Nothing,
    /// One other speaks: its own codes may go on.
    One(PortSlot),
    /// What it was `given`, as far as it is let through.
    Sum(Gain),
}

impl Conferences {
    /// Makes a leg a member, or gives a member other rights.
    pub(super) fn join(
        &mut self,
        conference: ConferenceId,
        leg: &Leg,
        rights: Rights,
    ) -> Result<Place, Refusal> {
        let group = leg.config.group;
        let place = match self.places.get(&conference) {
            Some(place) => *place,
            None => self.found(conference, group),
        };
        let Conference { group: of, members, .. } = &mut self.table[place.0 as usize];
        if *of != group {
            return Err(Refusal::OtherGroup);
        }
        if members.len() >= PARTIES_MAX {
            return Err(Refusal::Full);
        }
        let goes_on = if leg.left.is_some() { GOES_ON_FRAMES } else { 0 };
        let (leg, slot) = (leg.id, leg.config.slot);
        members.push(Member { leg, slot, rights, was: NO_PART, is: NO_PART, goes_on });
        Ok(place)
    }

    /// Whether `place` is that of `conference`.
    pub(super) fn is_at(&self, conference: ConferenceId, place: Place) -> bool {
        self.places.get(&conference) == Some(&place)
    }

    /// Other rights from the next frame on.
    pub(super) fn change(&mut self, place: Place, slot: PortSlot, rights: Rights) {
        let members = &mut self.table[place.0 as usize].members;
        if let Some(member) = members.iter_mut().find(|member| member.slot == slot) {
            member.rights = rights;
        }
    }

    fn found(&mut self, id: ConferenceId, group: Group) -> Place {
        let place = self.free.pop().unwrap_or_else(|| {
            self.table.push(Conference {
                id,
                group,
                members: Vec::with_capacity(USUAL),
                partings: Vec::with_capacity(USUAL),
            });
            Place(self.table.len() as u32 - 1)
        });
        let conference = &mut self.table[place.0 as usize];
        (conference.id, conference.group) = (id, group);
        self.places.insert(id, place);
        self.due[phase_of(group)].push(place);
        place
    }

    /// A member goes; `tail` is how its sound would go on. A conference without members is over.
    pub(super) fn leave(&mut self, place: Place, slot: PortSlot, tail: Option<[i16; SEAM]>) {
        let Conference { id, group, members, partings } = &mut self.table[place.0 as usize];
        let Some(index) = members.iter().position(|member| member.slot == slot) else { return };
        let gone = members.swap_remove(index);
        if let Some(tail) = tail.filter(|_| gone.was.heard_by != Audience::Nobody)
            && partings.len() < PARTINGS_MAX
        {
            partings.push(Parting { heard_by: gone.was.heard_by, tail });
        }
        if members.is_empty() {
            partings.clear();
            self.places.remove(id);
            self.due[phase_of(*group)].retain(|due| *due != place);
            self.free.push(place);
        }
    }

    /// Conferences whose members are served in `phase`.
    pub(super) fn due(&self, phase: usize) -> &[Place] {
        &self.due[phase % PHASES]
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Mixes the frame of one conference: each member that hears, or is recorded, is given what the
    /// others say. A fault costs the member at hand; then the rest are mixed again.
    pub(super) fn mix(&mut self, place: Place, legs: &mut [Option<Box<Leg>>]) {
        let conference = &mut self.table[place.0 as usize];
        conference.mix(legs, &mut self.desk);
        for member in &mut conference.members {
            member.was = member.is;
        }
        conference.partings.clear();
        self.desk.at_hand = None;
    }

    /// The member at whose turn a mix broke off.
    pub(super) fn take_at_hand(&mut self) -> Option<PortSlot> {
        self.desk.at_hand.take()
    }
}

/// Members as bits of a word: [`PARTIES_MAX`] of them.
type Set = u32;

impl Conference {
    fn mix(&mut self, legs: &mut [Option<Box<Leg>>], desk: &mut Desk) {
        desk.all.clear();
        // Whose sound all hear, of these whose it is as it is, and who whispers.
        let (mut heard, mut whole, mut whispers): (Set, Set, Set) = (0, 0, 0);
        for (n, member) in self.members.iter_mut().enumerate() {
            desk.at_hand = Some(member.slot);
            let Some(leg) = leg(legs, member.slot) else { continue };
            member.is = Part::of(member.rights, leg);
            member.go_on();
            let gain = member.to_all();
            if gain != Gain::Off {
                heard |= 1 << n;
                whole |= Set::from(gain == Gain::On) << n;
                add(&mut desk.all, leg, gain);
            }
            whispers |= Set::from(member.whispers()) << n;
        }
        for parting in self.partings.iter().filter(|parting| parting.heard_by == Audience::Everyone) {
            desk.all.add(&parting.tail);
        }
        for n in 0..self.members.len() {
            desk.at_hand = Some(self.members[n].slot);
            self.give(n, [heard, whole, whispers], legs, desk);
        }
    }

    /// Gives the `n`-th member what it hears of the others.
    fn give(
        &self,
        n: usize,
        [heard, whole, whispers]: [Set; 3],
        legs: &mut [Option<Box<Leg>>],
        desk: &mut Desk,
    ) {
        let member = &self.members[n];
        let gain = Gain::of(member.was.hears, member.is.hears);
        let Some(recorded) = leg(legs, member.slot).map(|leg| leg.recorded) else { return };
        let mut others = heard & !(1 << n);
        let mut fades = others & !whole != 0;
        let mut bus = &desk.all;
        let tails = self.partings.iter().any(|parting| parting.reaches(member.leg));
        if whispers != 0 || tails {
            desk.aside.copy(&desk.all);
            for (other, whisperer) in self.members.iter().enumerate() {
                let gain = whisperer.to_one(member.leg);
                if whispers >> other & 1 == 1 && other != n && gain != Gain::Off {
                    let Some(leg) = leg(legs, whisperer.slot) else { continue };
                    add(&mut desk.aside, leg, gain);
                    others |= 1 << other;
                    fades |= gain != Gain::On;
                }
            }
            for parting in self.partings.iter().filter(|parting| parting.is_for(member.leg)) {
                desk.aside.add(&parting.tail);
            }
            bus = &desk.aside;
        }
        let Some(listener) = legs.get_mut(member.slot.0 as usize).and_then(|leg| leg.as_deref_mut()) else {
            return;
        };
        let alone = others.is_power_of_two() && !fades && !tails && gain == Gain::On;
        listener.mixed = match () {
            () if others == 0 && !tails || gain == Gain::Off => Mixed::Nothing,
            () if alone => Mixed::One(self.members[others.trailing_zeros() as usize].slot),
            () => Mixed::Sum(gain),
        };
        // The recording of a call has what its caller hears, and goes on while the caller is held.
        if matches!(listener.mixed, Mixed::Sum(_)) || recorded && (others != 0 || tails) {
            let own = member.to_all();
            let Leg { decoder, given, .. } = listener;
            match (own, decoder) {
                (Gain::Off, _) | (_, None) => bus.all(given),
                (Gain::On, Some(decoder)) => bus.without(&decoder.pcm.0, given),
                (Gain::Rising | Gain::Falling, Some(decoder)) => {
                    let mut share = decoder.pcm.0;
                    own.apply(&mut share);
                    bus.without(&share, given);
                }
            }
        }
    }
}

impl Member {
    /// Whoever was heard and heard others in a bridge a moment ago does not begin.
    fn go_on(&mut self) {
        if self.goes_on == 0 {
            return;
        }
        self.goes_on -= 1;
        self.was.hears = self.is.hears;
        if self.is.heard_by != Audience::Nobody {
            self.was.heard_by = self.is.heard_by;
            self.goes_on = 0;
        }
    }

    /// How much of what it says all others hear in this frame.
    fn to_all(&self) -> Gain {
        let [was, is] = [self.was, self.is].map(|part| part.heard_by == Audience::Everyone);
        Gain::of(was, is)
    }

    /// How much of what it says `leg` alone hears.
    fn to_one(&self, leg: LegId) -> Gain {
        let [was, is] = [self.was, self.is].map(|part| part.heard_by == Audience::Only(leg));
        Gain::of(was, is)
    }

    fn whispers(&self) -> bool {
        [self.was, self.is].iter().any(|part| matches!(part.heard_by, Audience::Only(_)))
    }
}

impl Parting {
    fn is_for(&self, leg: LegId) -> bool {
        self.heard_by == Audience::Only(leg)
    }

    fn reaches(&self, leg: LegId) -> bool {
        self.heard_by == Audience::Everyone || self.is_for(leg)
    }
}

fn leg(legs: &[Option<Box<Leg>>], slot: PortSlot) -> Option<&Leg> {
    legs.get(slot.0 as usize)?.as_deref()
}

/// Adds what a leg says in this frame, as far as it is let through.
fn add(bus: &mut Bus<FRAME_SAMPLES>, leg: &Leg, gain: Gain) {
    match (&leg.decoder, gain) {
        (None, _) | (_, Gain::Off) => {}
        (Some(decoder), Gain::On) => bus.add(&decoder.pcm.0),
        (Some(decoder), Gain::Rising | Gain::Falling) => {
            let mut share = decoder.pcm.0;
            gain.apply(&mut share);
            bus.add(&share);
        }
    }
}
