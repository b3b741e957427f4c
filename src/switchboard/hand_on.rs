//! Matters that are handed on at once (the notice, 一(三): complaints and matters of enforcement go to who is competent
//! at the first moment): how long that took, and what is late.
//!
//! The clock begins when it is said what a call is about. Where the plan names somebody to be asked into the call, the
//! matter is handed on when that person has picked up, before or after that; where it names nobody, when each ticket
//! office has taken the event that tells of it. After a restart the clocks go on
//! ([`hand_on_again`](super::hand_on_again)).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Switchboard;
use super::fact::{Fact, HandOn, HandOnBy, Object, TransferStep, What, millis};
use super::hand_on_again::Unhanded;
use super::request::AtOnce;
use crate::id::CallId;
use crate::tickets::event::{EventRef, Outcome};
use crate::time::{Agenda, Instant, Now};

/// Matters that wait to be handed on, at most. Beyond, the oldest that is late already is forgotten; where none is, the
/// new one is not measured, which is logged.
pub const OWED_MAX: usize = 4_096;
/// Calls of which it is remembered who has picked up, at most; the oldest is forgotten beyond.
const REACHED_MAX: usize = 4_096;
/// Of one call, so many of them.
const REACHED_OF_ONE_MAX: usize = 16;
/// Calls of which it is remembered what was handed on, at most; the oldest is forgotten beyond.
const HANDED_MAX: usize = 4_096;

/// Stands for a sink that the plan has no more, and that will take nothing.
const NO_SINK: usize = usize::MAX;

/// What is owed.
#[derive(Default)]
pub(super) struct HandOns {
    owed: BTreeMap<CallId, Owed>,
    /// When each becomes late: what is owed and not in here is late already.
    due: Agenda<CallId>,
    /// Third parties who have picked up.
    reached: BTreeMap<CallId, BTreeSet<Object>>,
    /// What was handed on, until a call is about another matter: said once more, it is not handed on anew.
    handed: BTreeMap<CallId, AtOnce>,
}

struct Owed {
    at_once: AtOnce,
    since: Instant,
    /// What of the time an earlier life of the house, and its absence, took.
    before: Duration,
    due: Instant,
    waits: Waits,
}

/// For whom.
enum Waits {
    /// The third party, as facts name it: a peer has an id of its own beside the number by which it is asked. `None`: the
    /// plan has it no more, or the call ended with an earlier life of the house.
    Person(Option<Object>),
    /// The event's writing, and these sinks.
    Offices { event: EventRef, on_disk: bool, untaken: BTreeSet<usize> },
}

impl Owed {
    fn by(&self) -> HandOnBy {
        match self.waits {
            Waits::Person(_) => HandOnBy::Call,
            Waits::Offices { .. } => HandOnBy::Ticket,
        }
    }

    fn told(&self, handed: bool, now: Instant) -> HandOn {
        let took_ms = millis(self.before + now.since(self.since));
        HandOn {
            code: self.at_once.code.clone(),
            by: self.by(),
            handed,
            late: took_ms > self.at_once.within_ms || !handed,
            took_ms,
        }
    }
}

impl HandOns {
    /// When something becomes late.
    pub(super) fn poll_timeout(&mut self) -> Option<Instant> {
        self.due.next()
    }

    /// Whether an office's taking this event is waited for: it goes by the urgent lanes.
    pub(super) fn awaits(&self, event: EventRef) -> bool {
        let owed = self.owed.get(&event.call);
        owed.is_some_and(|owed| matches!(owed.waits, Waits::Offices { event: own, .. } if own == event))
    }

    /// What a call's matter of this code is handed on by, or was.
    pub(super) fn standing(&self, call: CallId, code: &str) -> Option<&AtOnce> {
        let owed = self.owed.get(&call).map(|owed| &owed.at_once);
        owed.or_else(|| self.handed.get(&call)).filter(|own| own.code == code)
    }

    /// Takes in what happened; `whose` says who has a number, `sinks` are those that are told of it. What follows from
    /// it.
    pub(super) fn handle_fact(
        &mut self,
        fact: &Fact,
        whose: impl FnOnce(&str) -> Option<Object>,
        sinks: impl Iterator<Item = usize>,
        now: Now,
    ) -> Option<HandOn> {
        match &fact.what {
            What::Transfer {
                step: TransferStep::Consulting | TransferStep::Merged | TransferStep::Accepted,
                object: Some(object),
                ..
            } => {
                self.picked_up(fact.call, object);
                let is_it = |owed: &Owed| matches!(&owed.waits, Waits::Person(Some(own)) if own == object);
                self.settle(fact.call, is_it, now)
            }
            What::Disposed(disposed) => {
                let said = disposed.immediate.as_ref();
                if said.is_some_and(|said| self.standing(fact.call, &said.code).is_some()) {
                    return None; // Said again: the clock goes on, or has come to its end.
                }
                self.take(fact.call); // It is another matter now.
                self.handed.remove(&fact.call);
                let at_once = said?;
                let event = EventRef { call: fact.call, sequence: fact.sequence };
                let waits = match &at_once.to {
                    Some(to) => Waits::Person(whose(to.as_str())),
                    None => Waits::Offices { event, on_disk: false, untaken: sinks.collect() },
                };
                let due = now.mono + Duration::from_millis(at_once.within_ms);
                let (at_once, before) = (at_once.clone(), Duration::ZERO);
                self.owe(fact.call, Owed { at_once, since: now.mono, before, due, waits });
                let (owed, known) = (self.owed.get(&fact.call)?, self.reached.get(&fact.call)?);
                let is_done = matches!(&owed.waits, Waits::Person(Some(own)) if known.contains(own));
                self.settle(fact.call, |_| is_done, now)
            }
            _ => None,
        }
    }

    /// Takes up what an earlier life of the house left. Where each office has the event, it went before that was told: what
    /// follows from it.
    pub(super) fn restore(&mut self, left: Unhanded, now: Now) -> Option<HandOn> {
        let Unhanded { event, said_at, at_once, is_told, untaken, .. } = left;
        let before = Duration::try_from(now.wall.duration_since(said_at)).unwrap_or(Duration::ZERO);
        let due = now.mono + Duration::from_millis(at_once.within_ms).saturating_sub(before);
        let waits = match at_once.to {
            Some(_) => Waits::Person(None),
            None if untaken.is_empty() => {
                let (code, by) = (at_once.code, HandOnBy::Ticket);
                return Some(HandOn { code, by, handed: true, late: false, took_ms: 0 });
            }
            None => {
                let untaken = untaken.into_iter().map(|sink| sink.unwrap_or(NO_SINK)).collect();
                Waits::Offices { event, on_disk: true, untaken }
            }
        };
        self.owe(event.call, Owed { at_once, since: now.mono, before, due, waits });
        if is_told {
            self.due.set(&event.call, None);
        }
        None
    }

    fn picked_up(&mut self, call: CallId, object: &Object) {
        let of_call = self.reached.entry(call).or_default();
        if of_call.len() < REACHED_OF_ONE_MAX {
            of_call.insert(object.clone());
        }
        if self.reached.len() > REACHED_MAX {
            self.reached.pop_first();
        }
    }

    fn owe(&mut self, call: CallId, owed: Owed) {
        if self.owed.len() >= OWED_MAX && !self.owed.contains_key(&call) {
            let late = self.owed.keys().find(|call| self.is_late(**call)).copied();
            let Some(late) = late else {
                return tracing::warn!(%call, "too many matters wait to be handed on: this one is not measured");
            };
            self.take(late);
        }
        self.due.set(&call, Some(owed.due));
        self.owed.insert(call, owed);
    }

    fn take(&mut self, call: CallId) -> Option<Owed> {
        self.due.set(&call, None);
        self.owed.remove(&call)
    }

    /// Of a call that something is owed for.
    fn is_late(&self, call: CallId) -> bool {
        self.due.due(&call).is_none()
    }

    fn settle(&mut self, call: CallId, is_done: impl Fn(&Owed) -> bool, now: Now) -> Option<HandOn> {
        if !self.owed.get(&call).is_some_and(is_done) {
            return None;
        }
        let owed = self.take(call)?;
        let told = owed.told(true, now.mono);
        self.handed.insert(call, owed.at_once);
        if self.handed.len() > HANDED_MAX {
            self.handed.pop_first();
        }
        Some(told)
    }

    /// The event is on disk, with the embedded office's ticket.
    pub(super) fn on_disk(&mut self, event: EventRef, now: Now) -> Option<HandOn> {
        self.office(event, |_, on_disk| *on_disk = true, now)
    }

    /// A sink has answered for it.
    pub(super) fn tried(
        &mut self,
        sink: usize,
        event: EventRef,
        outcome: &Outcome,
        now: Now,
    ) -> Option<HandOn> {
        if !matches!(outcome, Outcome::Taken) {
            return None; // Refused for good, it is never handed on: it will be late.
        }
        self.office(
            event,
            |untaken, _| {
                untaken.remove(&sink);
            },
            now,
        )
    }

    fn office(
        &mut self,
        event: EventRef,
        note: impl FnOnce(&mut BTreeSet<usize>, &mut bool),
        now: Now,
    ) -> Option<HandOn> {
        let Waits::Offices { event: own, on_disk, untaken } = &mut self.owed.get_mut(&event.call)?.waits
        else {
            return None;
        };
        if *own != event {
            return None;
        }
        note(untaken, on_disk);
        let done = *on_disk && untaken.is_empty();
        self.settle(event.call, |_| done, now)
    }

    /// What has become late, each told once.
    fn late(&mut self, now: Now) -> Vec<(CallId, HandOn)> {
        let due = std::iter::from_fn(|| self.due.take_due(now.mono));
        due.filter_map(|call| Some((call, self.owed.get(&call)?.told(false, now.mono)))).collect()
    }
}

impl Switchboard {
    /// Matters that are still to be handed on, and whether that is overdue.
    pub fn hand_ons(&self) -> impl Iterator<Item = (CallId, &AtOnce, bool)> {
        self.hand_ons.owed.iter().map(|(call, owed)| (*call, &owed.at_once, self.hand_ons.is_late(*call)))
    }

    /// What is overdue is told: in the log, too, for somebody has to see to it.
    pub(super) fn hand_ons_due(&mut self, now: Now) {
        for (call, late) in self.hand_ons.late(now) {
            let HandOn { code, took_ms, .. } = &late;
            tracing::warn!(%call, code, took_ms, "a matter that is to be handed on at once was not yet");
            self.record(call, What::HandOn(late), now);
        }
    }

    pub(super) fn handed_on(&mut self, call: CallId, told: Option<HandOn>, now: Now) {
        if let Some(told) = told {
            self.record(call, What::HandOn(told), now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Dice;
    use crate::switchboard::fact::ObjectKind;
    use crate::switchboard::request::Disposed;
    use crate::time::Timestamp;

    fn call(n: u64) -> CallId {
        CallId::draw(n, &mut Dice::seeded(n))
    }

    fn now(at_ms: u64) -> Now {
        Now { wall: Timestamp::UNIX_EPOCH, mono: Instant::from_millis(at_ms) }
    }

    /// The ticket of this call is to be taken within a second by sinks 0 and 2.
    fn said(hand_ons: &mut HandOns, n: u64, at_ms: u64) -> EventRef {
        let at_once =
            AtOnce { code: "report".into(), to: None, within_ms: 1_000, due_at: Timestamp::UNIX_EPOCH };
        let what = What::Disposed(Disposed { immediate: Some(at_once), ..Disposed::default() });
        let (call, now) = (call(n), now(at_ms));
        let fact = Fact { call, sequence: 3, at: now.wall, mono: now.mono, what };
        assert_eq!(hand_ons.handle_fact(&fact, |_| None, [0, 2].into_iter(), now), None);
        EventRef { call, sequence: 3 }
    }

    #[test]
    fn a_ticket_is_handed_on_when_it_is_on_disk_and_each_sink_has_taken_it() {
        let mut hand_ons = HandOns::default();
        let event = said(&mut hand_ons, 1, 0);
        assert!(hand_ons.awaits(event) && !hand_ons.awaits(EventRef { sequence: 4, ..event }));
        assert_eq!(hand_ons.tried(2, event, &Outcome::Taken, now(10)), None);
        assert_eq!(hand_ons.on_disk(event, now(20)), None);
        for failed in [Outcome::Retry("down".into()), Outcome::Refused("no".into())] {
            assert_eq!(hand_ons.tried(0, event, &failed, now(30)), None, "{failed:?}");
        }
        assert_eq!(hand_ons.poll_timeout(), Some(Instant::from_millis(1_000)));
        let told = hand_ons.tried(0, event, &Outcome::Taken, now(1_000)).expect("it is handed on");
        assert!(told.handed && !told.late && told.took_ms == 1_000, "{told:?}");
        assert_eq!(
            (hand_ons.poll_timeout(), hand_ons.tried(0, event, &Outcome::Taken, now(9_000))),
            (None, None)
        );
        // Said once more, there is nothing to be handed on again.
        let again = said(&mut hand_ons, 1, 2_000);
        assert_eq!((hand_ons.poll_timeout(), hand_ons.on_disk(again, now(2_001))), (None, None));
        assert!(!hand_ons.awaits(again) && hand_ons.standing(call(1), "report").is_some());
    }

    #[test]
    fn a_restart_goes_on_with_what_was_owed_and_the_time_that_it_took_before() {
        let wall = Timestamp::from_second(1_000).expect("a time");
        let at = |mono_ms| Now { wall, mono: Instant::from_millis(mono_ms) };
        // Said so long ago; to be done within ten seconds.
        let left = |n, ago_s: u64, to: Option<&str>, is_told, untaken: &[Option<usize>]| Unhanded {
            event: EventRef { call: call(n), sequence: 3 },
            said_at: wall - Duration::from_secs(ago_s),
            at_once: AtOnce {
                code: "report".into(),
                to: to.map(Into::into),
                within_ms: 10_000,
                due_at: wall - Duration::from_secs(ago_s) + Duration::from_secs(10),
            },
            is_told,
            sequence: 9,
            untaken: untaken.iter().copied().collect(),
        };
        let mut hand_ons = HandOns::default();
        let owed = [
            left(1, 4, None, false, &[Some(2)]),
            left(2, 4, Some("12366"), false, &[]),
            left(3, 60, None, false, &[Some(2), None]),
            left(4, 60, None, true, &[Some(2)]),
        ];
        for one in owed {
            assert_eq!(hand_ons.restore(one, at(100)), None);
        }
        // Each office had it, and the house went before it was told: it was in time.
        let handed = hand_ons.restore(left(5, 60, None, false, &[]), at(100)).expect("it is handed on");
        assert!(handed.handed && !handed.late && handed.took_ms == 0, "{handed:?}");
        assert_eq!(hand_ons.owed.len(), 4);

        let late = |hand_ons: &mut HandOns, mono_ms| -> Vec<(CallId, u64)> {
            hand_ons.late(at(mono_ms)).into_iter().map(|(call, told)| (call, told.took_ms)).collect()
        };
        assert_eq!(late(&mut hand_ons, 100), [(call(3), 60_000)], "at once; the fourth was told before");
        assert_eq!(hand_ons.poll_timeout(), Some(Instant::from_millis(6_100)), "six seconds are left");
        let event = |n| EventRef { call: call(n), sequence: 3 };
        let told = hand_ons.tried(2, event(1), &Outcome::Taken, at(3_100)).expect("it is handed on");
        assert!(told.handed && !told.late && told.took_ms == 7_000, "{told:?}");
        assert_eq!(
            hand_ons.tried(2, event(3), &Outcome::Taken, at(3_100)),
            None,
            "one sink is there no more"
        );
        let told = hand_ons.tried(2, event(4), &Outcome::Taken, at(3_100)).expect("it is handed on");
        assert!(told.handed && told.late && told.took_ms == 63_000, "{told:?}");
        assert_eq!(late(&mut hand_ons, 6_100), [(call(2), 10_000)], "nobody can be asked in any more");
    }

    #[test]
    fn a_full_table_forgets_what_is_late_and_measures_no_more_where_nothing_is() {
        let mut hand_ons = HandOns::default();
        for n in 0..OWED_MAX as u64 {
            said(&mut hand_ons, n, 0);
        }
        let new = said(&mut hand_ons, 1_000_000, 10);
        assert!(hand_ons.owed.len() == OWED_MAX && !hand_ons.awaits(new));
        assert_eq!(hand_ons.late(now(1_001)).len(), OWED_MAX);
        assert_eq!(hand_ons.late(now(1_002)).len(), 0, "told once");
        let new = said(&mut hand_ons, 1_000_001, 1_010);
        assert!(hand_ons.owed.len() == OWED_MAX && hand_ons.awaits(new));
        for n in 0..2 * REACHED_MAX as u64 {
            let object = Object { kind: ObjectKind::SubCenter, id: "12366".into() };
            hand_ons.picked_up(call(n), &object);
            let (event, at) = (said(&mut hand_ons, n, 2_000), now(2_010));
            for sink in [0, 2] {
                hand_ons.tried(sink, event, &Outcome::Taken, at);
            }
            hand_ons.on_disk(event, at);
        }
        assert_eq!((hand_ons.reached.len(), hand_ons.handed.len()), (REACHED_MAX, HANDED_MAX));
    }
}
