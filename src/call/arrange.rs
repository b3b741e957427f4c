//! Who hears what while people talk: it is worked out from who is there, and only what differs from
//! what was ordered last is ordered.
//!
//! Two who talk are a bridge, whose packets are relayed. Three, and two whom somebody watches, are
//! members of the call's own conference. A caller whose clerk asks somebody else meanwhile, or holds,
//! hears music. Whoever holds hears nothing and is not heard: the others go on, and no music of the
//! holder's telephone reaches them.

use super::third::Standing;
use super::{Call, Command, Doing, Timer, Told};
use crate::id::{CallId, LegId};
use crate::media::Order;
use crate::media::order::{Audience, ConferenceId, Rights, SoundId};
use crate::time::Now;

/// Numbers of meeting rooms are below this bit: they have fewer than 19 digits.
const OWN: u64 = 1 << 63;
/// On hold in a conference.
const HELD: Rights = Rights { hears: false, heard_by: Audience::Nobody };

/// A call's own conference: where three talk, and where its guests are.
pub fn conference_of(call: CallId) -> ConferenceId {
    ConferenceId(call.lot() | OWN)
}

/// What a leg hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ear {
    /// Nothing.
    Nothing,
    /// What is said to it once, under this mark: it is heard out.
    Words(u32),
    /// This again and again.
    Loop(SoundId),
    /// Another leg, which hears it.
    Leg(LegId),
    /// A conference, with these rights.
    Conference(Rights),
}

/// What each leg was ordered to hear: the media engine's own rules, followed order by order.
#[derive(Debug, Default)]
pub(super) struct Ears(Vec<(LegId, Ear)>);

impl Ears {
    pub(super) fn of(&self, leg: LegId) -> Ear {
        self.0.iter().find(|(known, _)| *known == leg).map_or(Ear::Nothing, |(_, ear)| *ear)
    }

    /// A leg hears something else; whom it was bridged with hears nothing more.
    fn set(&mut self, leg: LegId, ear: Ear) {
        if let Ear::Leg(partner) = self.of(leg)
            && self.of(partner) == Ear::Leg(leg)
        {
            self.0.retain(|(known, _)| *known != partner);
        }
        self.0.retain(|(known, _)| *known != leg);
        if ear != Ear::Nothing {
            self.0.push((leg, ear));
        }
    }

    /// Whatever a leg hears, it is ordered anew.
    pub(super) fn forget(&mut self, leg: LegId) {
        self.set(leg, Ear::Nothing);
    }

    pub(super) fn note(&mut self, order: &Order) {
        match order {
            Order::Bridge { a, b } => {
                self.set(*a, Ear::Nothing);
                self.set(*b, Ear::Nothing);
                self.0.extend([(*a, Ear::Leg(*b)), (*b, Ear::Leg(*a))]);
            }
            Order::Part { a, b } => {
                self.set(*a, Ear::Nothing);
                self.set(*b, Ear::Nothing);
            }
            Order::Close { leg } | Order::Quiet { leg } | Order::Leave { leg } => {
                self.set(*leg, Ear::Nothing)
            }
            Order::Play { leg, sounds, repeat: true, .. } if sounds.len() == 1 => {
                self.set(*leg, Ear::Loop(sounds[0]));
            }
            Order::Play { leg, mark, .. } => self.set(*leg, Ear::Words(*mark)),
            Order::Join { leg, rights, .. } => self.set(*leg, Ear::Conference(*rights)),
            Order::Open { .. }
            | Order::Change { .. }
            | Order::Move { .. }
            | Order::SendDigits { .. }
            | Order::Record { .. }
            | Order::TurnRecord { .. }
            | Order::PauseRecord { .. }
            | Order::ResumeRecord { .. }
            | Order::StopRecord { .. } => {}
        }
    }
}

/// Somebody who is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) leg: LegId,
    /// Their telephone holds.
    pub(super) holds: bool,
    /// Their sound is only passed on: nothing of ours can be played to them.
    pub(super) passed_on: bool,
}

/// Who talks how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Talk {
    /// The first with the second.
    Two(Person, Person),
    /// All three.
    Three([Person; 3]),
    /// The second with the third; the first waits with music.
    Aside(Person, (Person, Person)),
    /// The first waits with music, and the second hears this, or nothing.
    Waiting(Person, Person, Option<SoundId>),
}

/// What each of them is to hear. `watched`: guests are in the call's conference.
pub(super) fn ears(talk: Talk, watched: bool, music: Option<SoundId>) -> Vec<(LegId, Ear)> {
    match talk {
        Talk::Two(a, b) => pair(a, b, watched, music).to_vec(),
        Talk::Three(all) => all.map(|one| (one.leg, member(one))).to_vec(),
        Talk::Aside(waits, (a, b)) => {
            let [a, b] = pair(a, b, watched, music);
            vec![(waits.leg, looped(waits, music)), a, b]
        }
        Talk::Waiting(waits, holder, meanwhile) => {
            vec![(waits.leg, looped(waits, music)), (holder.leg, looped(holder, meanwhile))]
        }
    }
}

fn pair(a: Person, b: Person, watched: bool, music: Option<SoundId>) -> [(LegId, Ear); 2] {
    let (for_a, for_b) = match (a.holds, b.holds) {
        (false, false) if watched && !a.passed_on && !b.passed_on => (member(a), member(b)),
        (false, false) => (Ear::Leg(b.leg), Ear::Leg(a.leg)),
        (true, false) => (Ear::Nothing, looped(b, music)),
        (false, true) => (looped(a, music), Ear::Nothing),
        (true, true) => (Ear::Nothing, Ear::Nothing), // Nobody is there to hear music.
    };
    [(a.leg, for_a), (b.leg, for_b)]
}

fn member(person: Person) -> Ear {
    Ear::Conference(if person.holds { HELD } else { Rights::FULL })
}

fn looped(person: Person, sound: Option<SoundId>) -> Ear {
    let sound = sound.filter(|_| !person.holds && !person.passed_on);
    sound.map_or(Ear::Nothing, Ear::Loop)
}

impl Call {
    /// Brings what people hear into line with who is there, and minds how long the caller waits.
    pub(super) fn arrange(&mut self, now: Now) {
        self.mind_held();
        self.mind_waiting(now);
        self.mind_notice(now);
        match self.doing {
            Doing::Talking => {}
            // The caller hears what was ordered; who asked waits in silence.
            Doing::Transferring => {
                if let Some(asker) = self.other.as_ref().map(|other| other.leg.id) {
                    self.hears(vec![(asker, Ear::Nothing)]);
                }
                return;
            }
            _ => {
                self.mind_watcher();
                return self.mind_member();
            }
        }
        let Some(talk) = self.talk() else { return };
        let music = self.music().and_then(|music| self.sounds.get(&music).copied());
        let mut wanted = ears(talk, self.watched, music);
        // Who is spoken to by us hears that out; whom they talk with waits. And who has left hears nothing.
        let listens = |leg: LegId| matches!(self.ears.of(leg), Ear::Words(_));
        let has_left = |leg: LegId| self.goes_on_alone() && leg == self.caller.id;
        wanted.retain(|(leg, _)| !listens(*leg) && !has_left(*leg));
        for (_, ear) in &mut wanted {
            if matches!(*ear, Ear::Leg(partner) if listens(partner)) {
                *ear = Ear::Nothing;
            }
        }
        self.hears(wanted);
    }

    fn person(&self, leg: &super::leg::Leg) -> Person {
        Person { leg: leg.id, holds: leg.is_holding(), passed_on: leg.is_passed_on() }
    }

    /// Who talks how, where anybody does.
    pub(super) fn talk(&self) -> Option<Talk> {
        let caller = self.person(&self.caller);
        let other = self.person(&self.other.as_ref()?.leg);
        let third = self.third.as_ref();
        let party = third.and_then(|third| third.party.as_ref());
        let third = match (third.map(|third| third.standing), party) {
            (Some(Standing::Consulting | Standing::Merged), Some(party)) => Some(self.person(&party.leg)),
            // What it says before the answer is heard by who asked.
            (Some(Standing::Asked), Some(party)) if party.leg.is_open() => Some(self.person(&party.leg)),
            _ => None,
        };
        Some(match (self.third.as_ref().map(|third| third.standing), third) {
            (Some(Standing::Merged), Some(third)) if !self.held => Talk::Three([caller, other, third]),
            (Some(Standing::Merged | Standing::Consulting | Standing::Asked), Some(third)) => {
                Talk::Aside(caller, (other, third))
            }
            (Some(Standing::Asked), None) => {
                let ringback = self.sounds.get(&crate::id::PromptId::from("ringback")).copied();
                Talk::Waiting(caller, other, ringback)
            }
            _ if self.held => Talk::Waiting(caller, other, None),
            _ => Talk::Two(caller, other),
        })
    }

    /// Orders what differs.
    fn hears(&mut self, wanted: Vec<(LegId, Ear)>) {
        // From a bridge two go into a conference, and back, without being parted: neither misses a word.
        let confers =
            |leg: LegId| wanted.iter().any(|(known, ear)| *known == leg && matches!(ear, Ear::Conference(_)));
        for (leg, ear) in &wanted {
            if let Ear::Leg(partner) = self.ears.of(*leg)
                && *ear != Ear::Leg(partner)
                && !(confers(*leg) && confers(partner))
            {
                let (a, b) = (*leg.min(&partner), *leg.max(&partner));
                self.push(Command::Sound(Order::Part { a, b }));
            }
        }
        for (leg, ear) in wanted {
            let has = self.ears.of(leg);
            let order = match ear {
                _ if has == ear => continue,
                Ear::Nothing if matches!(has, Ear::Conference(_)) => Order::Leave { leg },
                Ear::Nothing => Order::Quiet { leg },
                Ear::Leg(partner) => Order::Bridge { a: leg, b: partner },
                Ear::Conference(rights) => Order::Join { leg, conference: conference_of(self.id), rights },
                Ear::Loop(sound) => {
                    Order::Play { leg, sounds: std::sync::Arc::new([sound]), repeat: true, mark: 0 }
                }
                Ear::Words(_) => continue, // Never wanted: said where it is said.
            };
            self.push(Command::Sound(order));
        }
    }

    /// Whether nothing that people do keeps this leg and whom it talks with from hearing one another.
    pub(super) fn is_heard(&self, leg: LegId) -> bool {
        let full = |ear| matches!(ear, Ear::Leg(_)) || ear == Ear::Conference(Rights::FULL);
        self.doing == Doing::Talking && full(self.ears.of(leg))
    }

    /// The clerk leaves the caller with music, or is back: that is told.
    fn mind_held(&mut self) {
        let talks = self.doing == Doing::Talking;
        let of_other = self.other.as_ref().filter(|other| other.seat().is_some()).map(|other| &other.leg);
        let clerk = if self.clerk.is_some() { Some(&self.caller) } else { of_other };
        let holds = |leg: &super::leg::Leg| !self.goes_on_alone() && (self.held || leg.is_holding());
        let clerk = clerk.filter(|_| talks).map(|leg| (leg.id, holds(leg)));
        let holder = clerk.filter(|(_, holds)| *holds).map(|(leg, _)| leg);
        let before = std::mem::replace(&mut self.told_held, holder);
        if let Some((leg, holds)) = clerk.filter(|(leg, _)| holder.is_some() || before == Some(*leg))
            && before != holder
        {
            self.tell(Told::Held { leg: leg.index, holds });
        }
    }

    /// Whether the caller waits for a clerk who holds, or talks with somebody else.
    pub(super) fn is_left_waiting(&self) -> bool {
        let Some(clerk) = self.other.as_ref().filter(|other| other.seat().is_some()) else { return false };
        let beside = self.third.as_ref().map(|third| third.standing);
        self.doing == Doing::Talking
            && !self.goes_on_alone()
            && match beside {
                Some(Standing::Asked | Standing::Consulting) => true,
                Some(Standing::Merged) => self.held,
                Some(Standing::TakingOver) | None => self.held || clerk.leg.is_holding(),
            }
    }

    /// A clerk may forget a caller; the house does not.
    fn mind_waiting(&mut self, now: Now) {
        let longest = self.plan.three_way.hold_max;
        if !self.is_left_waiting() || self.queue.is_none() {
            self.timers.cancel(Timer::Hold);
        } else if self.timers.due(Timer::Hold).is_none() && !longest.is_zero() {
            self.timers.set(Timer::Hold, now.mono + longest);
        }
    }

    /// Guests are in the call's conference, or have left it.
    pub(super) fn watched(&mut self, watched: bool, now: Now) {
        self.watched = watched;
        self.arrange(now);
    }
}
