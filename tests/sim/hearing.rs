//! Who hears whom, listened for while all goes on: nobody hears somebody whom they must not.
//!
//! On which leg a telephone is, is told by its packets and the orders to the media engine; what the leg
//! may hear, by what boards and records say of its call.

use std::collections::BTreeMap;
use std::time::Duration;

use hotline::id::{CallId, LegId, SeatId};
use hotline::phone::{PhoneState, listen};
use hotline::switchboard::What;
use hotline::time::Instant;

use crate::city::City;
use crate::clerk::Who;

/// Where nothing has changed for so long, what was said before is not heard any more.
const SETTLED: Duration = Duration::from_millis(2_500);
/// One stretch that is listened to, samples.
const STRETCH: usize = 1_600;
/// A voice is heard in each of so many stretches, one after another: notes of music are shorter.
const STRETCHES: usize = 6;
/// In dB; a voice comes with -15.
const HEARD: f64 = -21.0;

#[derive(Default)]
pub struct Hearing {
    /// Where each telephone is, since when, and what its ear had been given by then.
    settled: BTreeMap<Who, (Place, Instant, usize)>,
    /// Where telephones were until a moment ago: their voices may still be in somebody's ear.
    lately: Vec<(Who, Place, Instant)>,
    /// What each ear had been given at the last two times that were [`SETTLED`] apart: an ear that is given
    /// nothing holds what is long past.
    given: BTreeMap<Who, [(Instant, usize); 2]>,
    /// Pairs that were listened for.
    pub judged: u64,
    /// Of those, heard.
    pub heard: u64,
}

/// All that says who may hear whom.
#[derive(Clone, Debug, PartialEq)]
struct Place {
    leg: LegId,
    state: &'static str,
    /// Legs that hold.
    holds: Vec<u16>,
    /// The call that it hears as a guest, and how.
    beside: Option<(CallId, String, SeatId)>,
    /// The leg of who is served: not the first of a clerk's own call.
    served: u16,
}

impl Hearing {
    /// To be called now and then, while sound comes.
    pub fn listen(&mut self, city: &City) {
        let mut places = BTreeMap::new();
        for (who, telephone) in city.people() {
            if !telephone.gone && telephone.phone.state() == PhoneState::Talking {
                places.extend(place(city, who).map(|place| (who, place)));
            }
        }
        // Forgotten before anybody is judged in a place that is new.
        self.lately.retain(|(.., until)| city.mono.since(*until) < 2 * SETTLED);
        let moved = self.settled.iter().filter(|(who, (was, ..))| places.get(who) != Some(was));
        self.lately.extend(moved.map(|(who, (was, ..))| (*who, was.clone(), city.mono)));
        self.settled.retain(|who, (was, ..)| places.get(who) == Some(was));
        for (who, place) in places {
            let ear = city.look_at(who).phone.heard().len();
            self.settled.entry(who).or_insert((place, city.mono, ear));
            let [before, last] = self.given.entry(who).or_insert([(city.mono, ear); 2]);
            if city.mono.since(last.0) >= SETTLED {
                *before = std::mem::replace(last, (city.mono, ear));
            }
        }
        let settled = |since: &Instant| city.mono.since(*since) >= SETTLED;
        let there: Vec<(Who, &Place, usize)> = self
            .settled
            .iter()
            .filter(|(_, (_, since, _))| settled(since))
            .map(|(who, (place, _, ear))| (*who, place, *ear.max(&self.given[who][0].1)))
            .collect();
        for (one, place, ear) in &there {
            let sound = city.look_at(*one).phone.heard();
            if sound.len() < ear + STRETCHES * STRETCH {
                continue;
            }
            for (other, others, _) in there.iter().filter(|(other, ..)| other != one) {
                self.judged += 1;
                if !hears(sound, city.look_at(*other).tone_hz) {
                    continue;
                }
                self.heard += 1;
                // Another telephone may have the same tone.
                let tone = city.look_at(*other).tone_hz;
                let now = self.settled.iter().map(|(who, (others, ..))| (who, others));
                let lately = self.lately.iter().map(|(who, others, _)| (who, others));
                let mut alike = now.chain(lately).filter(|(who, _)| city.look_at(**who).tone_hz == tone);
                let (hearer, heard) = (city.look_at(*one), &city.look_at(*other).user);
                let fine =
                    alike.any(|(_, others)| may_hear(place, others) || hears_still(city, *one, others));
                assert!(
                    fine,
                    "{} hears {heard} by {tone} Hz: {place:?}, {others:?}, of {}\n{}",
                    hearer.user,
                    self.everybody(city),
                    city.story()
                );
            }
        }
    }
}

impl Hearing {
    /// Where everybody is and was, and by what they are told apart.
    fn everybody(&self, city: &City) -> String {
        let now = self.settled.iter().map(|(who, (place, since, _))| (who, place, since));
        let lately = self.lately.iter().map(|(who, place, until)| (who, place, until));
        let told = |(who, place, at): (&Who, &Place, &Instant)| {
            let telephone = city.look_at(*who);
            format!("{} {} Hz {at:?} {}/{}", telephone.user, telephone.tone_hz, place.leg, place.state)
        };
        now.chain(lately).map(told).collect::<Vec<_>>().join("; ")
    }
}

/// Whether a telephone has left the others' call, or begun anew, and the house has yet to learn of it.
fn hears_still(city: &City, who: Who, others: &Place) -> bool {
    let (telephone, call) = (city.look_at(who), others.leg.call);
    let goes_there = city.sound.calls_to(telephone.sip.ip(), city.mono, SETTLED).any(|to| to == call);
    let was_there = city.store.facts.get(&call).is_some_and(|facts| {
        facts.iter().any(|fact| match &fact.what {
            What::PeerAnswered { number, .. } => *number == telephone.user,
            What::SeatAnswered { seat, .. } => seat.as_str() == telephone.user,
            What::Opened { caller, .. } => *caller == telephone.user,
            _ => false,
        })
    });
    goes_there && was_there
}

fn hears(sound: &[i16], hz: f64) -> bool {
    let hz = (hz / 10.0).round() * 10.0;
    let last = &sound[sound.len() - STRETCHES * STRETCH..];
    last.chunks(STRETCH).all(|stretch| listen::tone_level(stretch, hz) > HEARD)
}

fn place(city: &City, who: Who) -> Option<Place> {
    let leg = city.sound.leg_of(city.look_at(who).sip.ip())?;
    let calls = city.board.calls();
    let (_, entry) = calls.iter().find(|(call, _)| *call == leg.call)?;
    let facts = city.store.facts.get(&leg.call).map_or(&[][..], Vec::as_slice);
    let mut holds = Vec::new();
    for fact in facts {
        match &fact.what {
            What::Held { leg, holds: on } => {
                holds.retain(|held| held != leg);
                holds.extend(on.then_some(*leg));
            }
            What::LegClosed { leg, .. } => holds.retain(|held| held != leg),
            _ => {}
        }
    }
    let listens = city.board.watchers().find(|(call, ..)| *call == leg.call);
    let beside = listens.and_then(|(_, seat, hears)| Some((hears?, seat.clone())));
    let beside = beside.map(|(call, seat)| (call, how(city, call, &seat), seat));
    let own = city.people().any(|(_, telephone)| telephone.is_seat && telephone.user == entry.caller);
    Some(Place { leg, state: entry.state(), holds, beside, served: u16::from(own) })
}

/// How a seat listens to a call, as its record has it.
fn how(city: &City, call: CallId, of: &SeatId) -> String {
    let facts = city.store.facts.get(&call).map_or(&[][..], Vec::as_slice);
    let told = facts.iter().rev().find_map(|fact| match &fact.what {
        What::Watched { seat, how } if seat == of => Some(how.word().to_owned()),
        What::Unwatched { seat } if seat == of => Some("gone".into()),
        _ => None,
    });
    told.unwrap_or_default()
}

/// Whether who is here may hear who is there.
fn may_hear(here: &Place, there: &Place) -> bool {
    // A guest is heard by whom the way of listening says; and by other guests as much.
    if let Some((call, how, _)) = &there.beside {
        let of_call =
            here.leg.call == *call || here.beside.as_ref().is_some_and(|(beside, ..)| beside == call);
        return of_call
            && match how.as_str() {
                "barge" => true,
                "whisper" => here.leg.index != here.served || here.beside.is_some(),
                _ => false,
            };
    }
    if let Some((call, ..)) = &here.beside {
        return there.leg.call == *call;
    }
    let holds = |place: &Place| place.holds.contains(&place.leg.index); // The others of three go on.
    let waits = |place: &Place| place.leg.index == place.served;
    let aside = here.state == "consulting" && waits(here) != waits(there);
    here.leg.call == there.leg.call && !aside && !holds(here) && !holds(there)
}
