//! Before the ringing: a seat rings once the offer's event is on disk and was tried once at each
//! sink, or when the bound is over (DESIGN section 4); and once its telephone is known to be done
//! with the call before, or a second bound is over.
//!
//! The telephone of a caller who gave up rings on until our CANCEL is there. An INVITE that
//! overtakes it would be refused as busy, and the clerk be away for nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Switchboard, What};
use crate::acd::event::Purpose;
use crate::call::Input;
use crate::id::{CallId, SeatId};
use crate::sip::SessionId;
use crate::switchboard::fact::millis;
use crate::tickets::event::EventRef;
use crate::time::{Instant, Now};

/// The longest that a ringing is held back.
const SCREEN_WAIT: Duration = Duration::from_millis(100);

/// The longest that a ringing waits for a lost CANCEL or BYE: three are out by then (RFC 3261
/// §17.1.2.2). A telephone that is dead is found out by ringing it.
const CLEAR_WAIT: Duration = Duration::from_secs(2);

/// Offers whose screen data is on its way.
#[derive(Default)]
pub(super) struct Screens {
    pending: BTreeMap<CallId, Pending>,
    /// The last session with each seat, over or not.
    sessions: BTreeMap<SeatId, SessionId>,
}

struct Pending {
    seat: SeatId,
    waited: Duration,
    event: EventRef,
    /// Sinks that have not been tried yet.
    untried: usize,
    /// The screen is there; the telephone is not done with the call before.
    engaged: bool,
    since: Instant,
}

impl Pending {
    fn ends_at(&self) -> Instant {
        self.since + if self.engaged { CLEAR_WAIT } else { SCREEN_WAIT }
    }
}

impl Screens {
    pub(super) fn next(&self) -> Option<Instant> {
        self.pending.values().map(Pending::ends_at).min()
    }

    pub(super) fn drop_call(&mut self, call: CallId) {
        self.pending.remove(&call);
    }

    /// A seat's telephone is called.
    pub(super) fn seat_called(&mut self, seat: SeatId, session: SessionId) {
        self.sessions.insert(seat, session);
    }

    /// A seat's telephone goes on in another dialog.
    pub(super) fn session_changed(&mut self, old: SessionId, new: SessionId) {
        for session in self.sessions.values_mut().filter(|session| **session == old) {
            *session = new;
        }
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
    pub(super) fn offer(&mut self, call: CallId, seat: SeatId, waited: Duration, purpose: Purpose, now: Now) {
        let Some(entry) = self.calls.get(&call) else {
            return self.acd.leave(call, now.mono);
        };
        let history = entry.history.clone();
        let what = What::SeatOffered { seat: seat.clone(), waited_ms: millis(waited), history, purpose };
        self.record(call, what, now);
        let sequence = self.calls.get(&call).map_or(0, |entry| entry.sequence);
        let event = EventRef { call, sequence };
        let untried = self.outboxes.len();
        self.screens
            .pending
            .insert(call, Pending { seat, waited, event, untried, engaged: false, since: now.mono });
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
        let due = |pending: &Pending| pending.ends_at() <= now.mono;
        let calls: Vec<CallId> =
            self.screens.pending.iter().filter(|(_, pending)| due(pending)).map(|(call, _)| *call).collect();
        for call in calls {
            self.ring(call, now);
        }
    }

    /// Rings where a telephone has become free meanwhile; `false`: nowhere.
    pub(super) fn ring_cleared(&mut self, now: Now) -> bool {
        let held = self.screens.pending.iter().filter(|(_, pending)| pending.engaged);
        let cleared =
            held.filter(|(_, pending)| !self.is_engaged(&pending.seat)).map(|(call, _)| *call).next();
        if let Some(call) = cleared {
            self.ring(call, now);
        }
        cleared.is_some()
    }

    /// Whether the seat's last call still has a session, if only until its CANCEL or BYE is answered.
    fn is_engaged(&self, seat: &SeatId) -> bool {
        self.screens.sessions.get(seat).is_some_and(|session| self.sessions.contains_key(session))
    }

    fn ring(&mut self, call: CallId, now: Now) {
        let Some(pending) = self.screens.pending.get(&call) else { return };
        if now.mono < pending.since + CLEAR_WAIT && self.is_engaged(&pending.seat) {
            if let Some(pending) = self.screens.pending.get_mut(&call) {
                pending.engaged = true;
            }
            return;
        }
        if let Some(Pending { seat, waited, since, .. }) = self.screens.pending.remove(&call) {
            let waited = waited + now.mono.since(since);
            self.tell_call(call, Input::RingSeat { seat, waited });
        }
    }
}
