//! One call by the rules of the plan: how long it counts to have waited, and for which figures it does not count.

use std::time::Duration;

use crate::acd::event::Purpose;
use crate::routing::kpi::{Clock, Exclusion, Formula, Kpi};
use crate::switchboard::fact::{Party, millis};
use crate::telemetry::CallRecord;

/// What the rules say of a call. Times are milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Judged {
    /// Since the opening: the wait counts from then on. `None`: it asked for nobody.
    pub from_ms: Option<u64>,
    /// Answered no later than so long after that, it is in time.
    pub within_ms: u64,
    /// It gave up within `short_abandon`.
    pub gave_up_at_once: bool,
    /// It does not count for the answer rate and the rates within the time.
    pub no_answer: bool,
    /// Its grade does not count where satisfaction is chased.
    pub unsurveyed: bool,
    /// Its first transfer does not count.
    pub no_transfer: bool,
}

impl Judged {
    pub(super) fn of(record: &CallRecord, rules: &Kpi) -> Judged {
        let Formula { answer_within, short_abandon, clock, .. } = rules.of(&record.line);
        let from_ms = from_ms(record, *clock);
        let gone_ms = record.lasted_ms.filter(|_| record.person_ms.is_none() && record.overflow.is_none());
        let waited_ms = gone_ms.zip(from_ms).map(|(gone, from)| gone.saturating_sub(from));
        let gave_up_at_once = waited_ms.is_some_and(|waited| Duration::from_millis(waited) < *short_abandon);
        let is_among = |list: &[Exclusion]| list.iter().any(|own| is_excluded(record, own, gave_up_at_once));
        let disposed = record.marks.disposed.as_ref();
        Judged {
            from_ms,
            within_ms: millis(*answer_within),
            gave_up_at_once,
            no_answer: is_among(&rules.exclude.answer),
            unsurveyed: disposed.is_some_and(|own| own.unsurveyed) || is_among(&rules.exclude.satisfaction),
            no_transfer: is_among(&rules.exclude.transfer),
        }
    }
}

/// Who was never rung is measured from the queue on, also where the clock begins with the ringing.
fn from_ms(record: &CallRecord, clock: Clock) -> Option<u64> {
    let asked_ms = record.asked_ms?;
    let mut rings = record.reached.rings.iter().filter(|ring| ring.purpose == Purpose::Caller);
    Some(match clock {
        Clock::Arrival => 0,
        Clock::Queue => asked_ms,
        Clock::Ring => rings.next().map_or(asked_ms, |first| first.at_ms),
    })
}

fn is_excluded(record: &CallRecord, exclusion: &Exclusion, gave_up_at_once: bool) -> bool {
    match exclusion {
        Exclusion::ShortAbandon => gave_up_at_once,
        Exclusion::Line(line) => record.line == *line,
        Exclusion::Trunk(trunk) => record.trunk == *trunk,
        Exclusion::Drill(drills) => {
            let rung = record.reached.rings.iter().any(|ring| match &ring.party {
                Party::Peer { trunk, .. } => drills.contains(trunk),
                Party::Seat { .. } | Party::Caller => false,
            });
            rung || drills.contains(&record.trunk)
        }
        Exclusion::Code(code) => record.marks.disposed.as_ref().is_some_and(|own| {
            let said = [&own.field, &own.kind, &own.not_accepted];
            said.into_iter().flatten().any(|known| known == code)
        }),
    }
}
