//! What adds up in every city: parties' minutes to the length of the call, seats' times to their shifts.

use std::collections::BTreeMap;

use hotline::id::SeatId;
use hotline::switchboard::fact::{SeatFact, SeatIs};
use hotline::telemetry::CallRecord;
use hotline::telemetry::shifts::Shifts;

use crate::city::City;

/// Each of these must be so at the end of a city.
pub fn add_up(city: &City) {
    for record in city.store.records() {
        minutes(&record);
    }
    seats(city);
}

/// The caller's four parts, and what others went on without them, are the call, and everybody's three are their stay.
fn minutes(record: &CallRecord) {
    let (times, call) = (&record.times, record.call);
    let parts = times.with_somebody_ms + times.on_hold_ms + times.in_queue_ms + times.alone_ms;
    let parts = parts + times.without_caller_ms;
    assert_eq!(Some(parts), record.lasted_ms, "{call}: {times:?}");
    for party in &times.parties {
        let left = party.left_ms.unwrap_or_else(|| panic!("{call}: somebody is there still: {party:?}"));
        let stay = left - party.joined_ms;
        let sum = party.talked_ms + party.held_ms + party.consulted_ms;
        // The caller's own rows are of the whole call's, in which nobody may have been there.
        let whole = if party.leg == Some(0) { sum <= stay } else { sum == stay };
        assert!(whole, "{call}: {party:?} stayed {stay} ms");
        assert!(Some(left) <= record.lasted_ms, "{call}: {party:?}");
    }
}

/// Seats' facts have no hole: each begins with what the last one left, and says something new or is
/// somebody's word; their sums are the shifts, and the last is what the seat is.
fn seats(city: &City) {
    let mut last: BTreeMap<&SeatId, &SeatFact> = BTreeMap::new();
    for fact in &city.store.seats {
        if let Some(before) = last.insert(&fact.seat, fact) {
            assert!(before.mono <= fact.mono && before.sequence < fact.sequence, "{before:?}, {fact:?}");
            let same = (before.state, &before.why, before.call) == (fact.state, &fact.why, fact.call);
            // Somebody may say a word again: it lasts longer then.
            assert!(!same || fact.by.is_some(), "twice the same: {before:?}, {fact:?}");
        }
    }
    for (seat, state) in city.board.acd().seats() {
        let (is, why, call) = SeatIs::of(state);
        let told = last.get(seat).map(|fact| (fact.state, fact.why.clone(), fact.call));
        let never = told.is_none() && is == SeatIs::SignedOut;
        let same = told
            .is_some_and(|told| is == told.0 && (is == SeatIs::SignedOut || (why, call) == (told.1, told.2)));
        assert!(
            never || same || city.drained_at.is_some(),
            "{seat} is {state:?}, and was told to be {:?}",
            last.get(seat)
        );
    }
    let all = |text: &str| text.parse().expect("a time");
    let mut shifts = Shifts::new(all("2000-01-01T00:00:00Z"), all("2100-01-01T00:00:00Z"));
    city.store.seats.iter().for_each(|fact| shifts.apply(fact));
    for (seat, shift) in shifts.finish(city.now().wall) {
        let parts = [shift.ready_ms, shift.offered_ms, shift.talking_ms, shift.wrap_up_ms];
        let sum = parts.iter().sum::<u64>() + shift.away_all_ms();
        assert_eq!(sum, shift.signed_in_ms, "{seat}: {shift:?}");
    }
}
