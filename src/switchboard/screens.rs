//! Before the ringing: a seat rings once the offer's event is on disk, with the embedded office's ticket, and
//! was tried once at each other sink, or when the bound is over (DESIGN section 4); and once its telephone is known to be done
//! with the call before, or a second bound is over.
//!
//! The telephone of a caller who gave up rings on until our CANCEL is there. An INVITE that
//! overtakes it would be refused as busy, and the clerk be away for nothing. So it is with a BYE, and with a
//! telephone that is rung for a call of its clerk's own, or by a colleague.

use std::collections::BTreeMap;
use std::time::Duration;

use super::calling::telephone;
use super::{Switchboard, What, posting};
use crate::acd::event::Purpose;
use crate::call::{Callee, Input};
use crate::id::{CallId, LegId, SeatId};
use crate::sip::SessionId;
use crate::sip::sdp::Sdp;
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
    /// A call may be offered to several seats at once.
    pending: BTreeMap<(CallId, SeatId), Pending>,
    /// INVITEs to telephones that are not offered a caller, and not done with the call before.
    held: BTreeMap<LegId, Held>,
    /// The last session with each seat, over or not.
    sessions: BTreeMap<SeatId, SessionId>,
}

/// An INVITE that waits for its telephone.
struct Held {
    callee: Callee,
    offer: Sdp,
    seat: SeatId,
    until: Instant,
}

/// Where an event goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Disk,
    Sink(usize),
}

struct Pending {
    waited: Duration,
    event: EventRef,
    /// Where the event has not been tried yet.
    untried: Vec<Place>,
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
        let rings = self.pending.values().map(Pending::ends_at);
        rings.chain(self.held.values().map(|held| held.until)).min()
    }

    /// Whether a seat's ringing for this call is held back.
    pub(super) fn holds(&self, call: CallId, seat: &SeatId) -> bool {
        self.pending.contains_key(&(call, seat.clone()))
    }

    pub(super) fn drop_call(&mut self, call: CallId) {
        self.pending.retain(|(of, _), _| *of != call);
        self.held.retain(|leg, _| leg.call != call);
    }

    /// A leg is hung up: its INVITE, if it waits, does not go out any more.
    pub(super) fn drop_leg(&mut self, leg: LegId) {
        self.held.remove(&leg);
    }

    pub(super) fn drop_offer(&mut self, call: CallId, seat: &SeatId) {
        self.pending.remove(&(call, seat.clone()));
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

    /// Whether a seat waits for this event.
    pub(super) fn awaits(&self, event: EventRef) -> bool {
        self.pending.values().any(|pending| pending.event == event && !pending.untried.is_empty())
    }

    /// The event was tried there, whatever came of it, for the first time or again. The seat, if that was all.
    fn tried(&mut self, event: EventRef, place: Place) -> Option<SeatId> {
        let ((_, seat), pending) = self.pending.iter_mut().find(|(_, pending)| pending.event == event)?;
        let at = pending.untried.iter().position(|untried| *untried == place)?;
        pending.untried.remove(at);
        pending.untried.is_empty().then(|| seat.clone())
    }
}

impl Switchboard {
    /// `acd` found a seat: its screen comes first.
    pub(super) fn offer(&mut self, call: CallId, seat: SeatId, waited: Duration, purpose: Purpose, now: Now) {
        let Some(entry) = self.calls.get(&call) else {
            return self.acd.leave(call, now.mono);
        };
        let history = entry.screen();
        let what = What::SeatOffered { seat: seat.clone(), waited_ms: millis(waited), history, purpose };
        self.record(call, what, now);
        let sequence = self.calls.get(&call).map_or(0, |entry| entry.sequence);
        let event = EventRef { call, sequence };
        // Without offices there is no event, and no screen to wait for.
        let offices = self.outboxes.len();
        let sinks = posting::of_sinks(&self.outboxes, &self.plan);
        let untried = [Place::Disk].into_iter().chain(sinks.map(|(sink, _)| Place::Sink(sink))).collect();
        let pending = Pending { waited, event, untried, engaged: false, since: now.mono };
        self.screens.pending.insert((call, seat.clone()), pending);
        if offices == 0 {
            self.ring(call, seat, now);
        }
    }

    pub(super) fn screen_tried(&mut self, event: EventRef, place: Place, now: Now) {
        if let Some(seat) = self.screens.tried(event, place) {
            self.ring(event.call, seat, now);
        }
    }

    pub(super) fn screens_due(&mut self, now: Now) {
        let due = |pending: &Pending| pending.ends_at() <= now.mono;
        let pending = self.screens.pending.iter().filter(|(_, pending)| due(pending));
        let offers: Vec<(CallId, SeatId)> = pending.map(|(offer, _)| offer.clone()).collect();
        for (call, seat) in offers {
            self.ring(call, seat, now);
        }
        let held = self.screens.held.iter().filter(|(_, held)| held.until <= now.mono);
        let legs: Vec<LegId> = held.map(|(leg, _)| *leg).collect();
        for leg in legs {
            self.invite_held(leg, now);
        }
    }

    /// Whether the INVITE of a leg waits until its telephone is done with the call before. Offers have waited
    /// already, where it was to be waited.
    pub(super) fn hold_invite(&mut self, leg: LegId, callee: &Callee, offer: &Sdp, now: Now) -> bool {
        let is_offer = leg != LegId::caller(leg.call) && matches!(callee, Callee::Seat(_));
        let engaged = telephone(callee).filter(|seat| !is_offer && self.is_engaged(seat));
        let Some(seat) = engaged else { return false };
        let until = now.mono + CLEAR_WAIT;
        let held = Held { callee: callee.clone(), offer: offer.clone(), seat, until };
        self.screens.held.insert(leg, held);
        true
    }

    fn invite_held(&mut self, leg: LegId, now: Now) {
        if let Some(Held { callee, offer, .. }) = self.screens.held.remove(&leg) {
            self.invite(leg.call, leg, callee, offer, now);
        }
    }

    /// Rings where a telephone has become free meanwhile; `false`: nowhere.
    pub(super) fn ring_cleared(&mut self, now: Now) -> bool {
        let held = self.screens.pending.iter().filter(|(_, pending)| pending.engaged);
        let cleared = held.map(|(offer, _)| offer).find(|(_, seat)| !self.is_engaged(seat)).cloned();
        if let Some((call, seat)) = cleared {
            self.ring(call, seat, now);
            return true;
        }
        let mut held = self.screens.held.iter();
        let Some(leg) = held.find(|(_, held)| !self.is_engaged(&held.seat)).map(|(leg, _)| *leg) else {
            return false;
        };
        self.invite_held(leg, now);
        true
    }

    /// Whether the seat's last call still has a session, if only until its CANCEL or BYE is answered.
    fn is_engaged(&self, seat: &SeatId) -> bool {
        self.screens.sessions.get(seat).is_some_and(|session| self.sessions.contains_key(session))
    }

    fn ring(&mut self, call: CallId, seat: SeatId, now: Now) {
        let is_engaged = self.is_engaged(&seat);
        let offer = (call, seat);
        let Some(pending) = self.screens.pending.get_mut(&offer) else { return };
        if now.mono < pending.since + CLEAR_WAIT && is_engaged {
            pending.engaged = true;
            return;
        }
        if let Some(Pending { waited, since, .. }) = self.screens.pending.remove(&offer) {
            let (call, seat) = offer;
            let waited = waited + now.mono.since(since);
            self.tell_call(call, Input::RingSeat { seat, waited });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Dice;

    #[test]
    fn a_seat_rings_when_each_place_was_tried_however_often_one_of_them_is() {
        let event = EventRef { call: CallId::draw(0, &mut Dice::seeded(1)), sequence: 3 };
        let seat = SeatId::from("1001");
        let untried = vec![Place::Disk, Place::Sink(0), Place::Sink(2)];
        let since = Instant::ZERO;
        let pending = Pending { waited: Duration::ZERO, event, untried, engaged: false, since };
        let mut screens = Screens::default();
        screens.pending.insert((event.call, seat.clone()), pending);
        // One that was down counts at once, and may be tried late all the same.
        for place in [Place::Disk, Place::Sink(2), Place::Sink(2), Place::Disk] {
            assert!(screens.awaits(event) && screens.tried(event, place).is_none());
        }
        assert_eq!(screens.tried(event, Place::Sink(0)), Some(seat));
        assert!(!screens.awaits(event) && screens.tried(event, Place::Sink(0)).is_none(), "once");
    }
}
