//! Keys that come twice: in the stream of sound and by INFO.
//!
//! Some telephones tell each press both ways. Of a pair, the first to come counts: a press by one
//! way is taken for the other half of the oldest unpaired press of the same key by the other way,
//! if that is recent. A telephone that tells by one way only is never affected, and two presses of
//! one key, each told twice, are two presses in whatever order the four arrive.

use std::collections::VecDeque;
use std::time::Duration;

use super::leg::Leg;
use super::{Call, Doing};
use crate::id::LegId;
use crate::routing::trunk_terms::Dtmf;
use crate::time::{Instant, Now};

/// The two halves of a press are no farther apart: one may be told at its end, and be lost and sent
/// anew (RFC 3261 §17.1.2.2: at 0.5, 1.5 and 3.5 s).
const PAIR_MAX: Duration = Duration::from_secs(4);
/// Unpaired presses that are remembered; the oldest makes room.
const UNPAIRED_MAX: usize = 16;

/// By which way a press was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Sound,
    Signalling,
}

/// One leg's presses that have no other half yet, oldest first.
#[derive(Debug, Default)]
pub(super) struct Digits {
    unpaired: VecDeque<(Instant, char, Way)>,
}

impl Digits {
    /// Whether a press is news.
    fn is_new(&mut self, digit: char, way: Way, now: Instant) -> bool {
        while self.unpaired.front().is_some_and(|(at, ..)| now.since(*at) > PAIR_MAX) {
            self.unpaired.pop_front();
        }
        let half = self.unpaired.iter().position(|(_, known, by)| *known == digit && *by != way);
        if let Some(half) = half {
            self.unpaired.remove(half);
            return false;
        }
        if self.unpaired.len() == UNPAIRED_MAX {
            self.unpaired.pop_front();
        }
        self.unpaired.push_back((now, digit, way));
        true
    }
}

impl Leg {
    /// Whether the operator lets keys count that come this way.
    fn counts_keys_by(&self, way: Way) -> bool {
        match (self.terms.dtmf, way) {
            (Dtmf::Auto, _) => true,
            // Without events a press in the sound is a tone, or speech that is like one.
            (Dtmf::Rfc4733, Way::Sound) => self.has_telephone_event(),
            (Dtmf::Inband, Way::Sound) => true,
            (Dtmf::Rfc4733 | Dtmf::Inband, Way::Signalling) => false,
            (Dtmf::Info, way) => way == Way::Signalling,
        }
    }
}

impl Call {
    pub(super) fn digit_heard(&mut self, leg: LegId, digit: char, now: Now) {
        self.digit_by(Way::Sound, leg, digit, now);
    }

    pub(super) fn digit_told(&mut self, leg: LegId, digit: char, now: Now) {
        self.digit_by(Way::Signalling, leg, digit, now);
    }

    fn digit_by(&mut self, way: Way, id: LegId, digit: char, now: Now) {
        let Some(leg) = self.leg_mut(id) else { return };
        if !leg.counts_keys_by(way) {
            return;
        }
        if !leg.presses.is_new(digit, way, now.mono) {
            return;
        }
        if self.doing == Doing::Talking && self.clerk_leg() == Some(id) {
            self.clerk_pressed(id, digit, way, now);
        } else if id == self.caller.id {
            self.pass_on(id, digit.encode_utf8(&mut [0; 4]), way);
            self.digit_pressed(digit, now);
        } else {
            self.pass_on(id, digit.encode_utf8(&mut [0; 4]), way);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of these presses (milliseconds, key, way) count.
    fn counted(presses: &[(u64, char, Way)]) -> Vec<bool> {
        let mut digits = Digits::default();
        let news =
            presses.iter().map(|(ms, digit, way)| digits.is_new(*digit, *way, Instant::from_millis(*ms)));
        news.collect()
    }

    #[test]
    fn a_press_told_both_ways_counts_once_row_by_row() {
        use Way::{Signalling as Info, Sound};
        for (presses, wanted) in [
            (&[(0, '5', Sound), (90, '5', Info)][..], &[true, false][..]),
            (&[(0, '5', Info), (90, '5', Sound)], &[true, false]),
            (&[(0, '5', Sound), (200, '5', Sound)], &[true, true]),
            (&[(0, '5', Info), (200, '5', Info)], &[true, true]),
            (
                &[(0, '5', Sound), (100, '5', Sound), (200, '5', Info), (300, '5', Info)],
                &[true, true, false, false],
            ),
            (
                &[(0, '5', Sound), (100, '5', Info), (200, '5', Info), (300, '5', Sound)],
                &[true, false, true, false],
            ),
            (
                &[(0, '5', Sound), (50, '6', Info), (60, '5', Info), (70, '6', Sound)],
                &[true, true, false, false],
            ),
            (&[(0, '5', Sound), (4_000, '5', Info)], &[true, false]),
            (&[(0, '5', Sound), (4_001, '5', Info)], &[true, true]),
        ] {
            assert_eq!(counted(presses), wanted, "{presses:?}");
        }
    }

    #[test]
    fn keys_that_nobody_pairs_do_not_pile_up() {
        let mut digits = Digits::default();
        for _ in 0..1_000 {
            digits.is_new('1', Way::Sound, Instant::ZERO);
        }
        assert_eq!(digits.unpaired.len(), UNPAIRED_MAX);
    }
}
