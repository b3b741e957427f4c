//! Screen data before the ringing: a seat rings once the offer's event is on disk and was tried
//! once at each sink, or when the bound is over (DESIGN section 4).

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Switchboard, What};
use crate::call::Input;
use crate::id::{CallId, SeatId};
use crate::switchboard::fact::millis;
use crate::tickets::event::EventRef;
use crate::time::{Instant, Now};

/// The longest that a ringing is held back.
const SCREEN_WAIT: Duration = Duration::from_millis(100);

/// Offers whose screen data is on its way.
#[derive(Default)]
pub(super) struct Screens {
    pending: BTreeMap<CallId, Pending>,
}

struct Pending {
    seat: SeatId,
    waited: Duration,
    event: EventRef,
    /// Sinks that have not been tried yet.
    untried: usize,
    since: Instant,
}

impl Screens {
    pub(super) fn next(&self) -> Option<Instant> {
        self.pending.values().map(|pending| pending.since + SCREEN_WAIT).min()
    }

    pub(super) fn drop_call(&mut self, call: CallId) {
        self.pending.remove(&call);
    }

    /// A sink was tried, whatever came of it. `true`: it was the last.
    fn tried(&mut self, event: EventRef) -> bool {
        let Some(pending) = self.pending.get_mut(&event.call).filter(|pending| pending.event == event) else {
            return false;
        };
        pending.untried = pending.untried.saturating_sub(1);
        pending.untried == 0
    }
}

impl Switchboard {
    /// `acd` found a seat: its screen comes first.
    pub(super) fn offer(&mut self, call: CallId, seat: SeatId, waited: Duration, now: Now) {
        let Some(entry) = self.calls.get(&call) else {
            return self.acd.leave(call, now.mono);
        };
        let history = entry.history.clone();
        let what = What::SeatOffered { seat: seat.clone(), waited_ms: millis(waited), history };
        self.record(call, what, now);
        let sequence = self.calls.get(&call).map_or(0, |entry| entry.sequence);
        let event = EventRef { call, sequence };
        let untried = self.outboxes.len();
        self.screens.pending.insert(call, Pending { seat, waited, event, untried, since: now.mono });
        if untried == 0 {
            self.ring(call, now);
        }
    }

    pub(super) fn screen_tried(&mut self, event: EventRef, now: Now) {
        if self.screens.tried(event) {
            self.ring(event.call, now);
        }
    }

    pub(super) fn screens_due(&mut self, now: Now) {
        let due = |pending: &Pending| pending.since + SCREEN_WAIT <= now.mono;
        let calls: Vec<CallId> =
            self.screens.pending.iter().filter(|(_, pending)| due(pending)).map(|(call, _)| *call).collect();
        for call in calls {
            self.ring(call, now);
        }
    }

    fn ring(&mut self, call: CallId, now: Now) {
        if let Some(Pending { seat, waited, since, .. }) = self.screens.pending.remove(&call) {
            let waited = waited + now.mono.since(since);
            self.tell_call(call, Input::RingSeat { seat, waited });
        }
    }
}
