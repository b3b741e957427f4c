//! What is counted of a run, from the end of its warm-up on.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::mix::Kind;
use super::report::{Calls, KindCount, Rtp, Spread};
use super::streams::Ended;

/// Three digits of a time up to two minutes, in microseconds.
const TIME_MAX_US: u64 = 120_000_000;
/// A leg that lasted less tells nothing by its silence.
const LEG_MIN: Duration = Duration::from_secs(1);

/// A histogram of microseconds.
pub fn micros() -> Histogram<u64> {
    Histogram::new_with_bounds(1, TIME_MAX_US, 3).expect("the bounds are in order and three digits are few")
}

/// What is counted. Calls are told by [`super::calls`], legs as they end.
pub struct Figures {
    pub calls: Calls,
    /// Calls answered, those of the warm-up included.
    pub answered_ever: u64,
    pub ringing: Histogram<u64>,
    pub setup: Histogram<u64>,
    pub post_dial: Histogram<u64>,
    pub bye: Histogram<u64>,
    pub start_late: Histogram<u64>,
    pub jitter: Histogram<u64>,
    /// Thousandths.
    pub mos: Histogram<u64>,
    pub rtp: Rtp,
    /// By the names of their kinds.
    pub kinds: BTreeMap<&'static str, KindCount>,
    pub three: Three,
    /// Calls of the warm-up are counted here, and not told.
    unmeasured: KindCount,
    pub now: Moment,
}

/// Of three-way calls.
pub struct Three {
    /// Clerks who asked a third party in.
    pub asked: u64,
    /// All three talked.
    pub merged: u64,
    /// To their end, with the two who remained.
    pub finished: u64,
    /// By what did not come about.
    pub failures: BTreeMap<String, u64>,
    /// From the last key to the third party's INVITE.
    pub consult: Histogram<u64>,
}

/// Of the second under way.
pub struct Moment {
    pub attempted: u64,
    pub answered: u64,
    pub failed: u64,
    pub setup: Histogram<u64>,
    pub post_dial: Histogram<u64>,
}

impl Default for Figures {
    fn default() -> Self {
        Figures {
            calls: Calls::default(),
            answered_ever: 0,
            ringing: micros(),
            setup: micros(),
            post_dial: micros(),
            bye: micros(),
            start_late: micros(),
            jitter: micros(),
            mos: Histogram::new_with_bounds(1, 5_000, 3).expect("the bounds are in order"),
            rtp: Rtp::default(),
            kinds: BTreeMap::new(),
            three: Three { asked: 0, merged: 0, finished: 0, failures: BTreeMap::new(), consult: micros() },
            unmeasured: KindCount::default(),
            now: Moment { attempted: 0, answered: 0, failed: 0, setup: micros(), post_dial: micros() },
        }
    }
}

/// Notes a time, in microseconds.
pub fn note(histogram: &mut Histogram<u64>, time: Duration) {
    histogram.saturating_record((time.as_micros() as u64).max(1));
}

impl Figures {
    /// Forgets the legs of the warm-up.
    pub fn count_anew(&mut self) {
        self.rtp = Rtp::default();
        self.jitter.reset();
        self.mos.reset();
    }

    /// The counters of a kind of calls.
    pub fn kind(&mut self, kind: Kind, measured: bool) -> &mut KindCount {
        if measured { self.kinds.entry(kind.name()).or_default() } else { &mut self.unmeasured }
    }

    /// A call that was measured failed, for this reason.
    pub fn failed(&mut self, cause: &str) {
        self.calls.failed += 1;
        *self.calls.failures.entry(cause.to_owned()).or_default() += 1;
    }

    /// A leg is over. Whether it heard anything; `None` where it was too short to tell.
    pub fn leg_ended(&mut self, ended: &Ended) -> Option<bool> {
        let (count, rtp) = (&ended.count, &mut self.rtp);
        rtp.legs += 1;
        rtp.sent += ended.sent;
        rtp.received += count.received;
        rtp.expected += count.expected;
        rtp.lost += count.lost;
        rtp.out_of_order += count.out_of_order;
        rtp.duplicates += count.duplicates;
        rtp.late += count.late;
        rtp.other_payload += count.other_payload;
        rtp.strangers += count.strangers;
        rtp.garbage += count.garbage;
        rtp.ssrc_changes += count.ssrc_changes;
        if count.received > 0 {
            note(&mut self.jitter, ended.jitter);
        }
        if let Some(mos) = ended.mos {
            self.mos.saturating_record((mos * 1_000.0) as u64);
        }
        let heard = count.received > 0;
        let long = ended.lasted >= LEG_MIN;
        self.rtp.no_rtp += u64::from(long && !heard);
        long.then_some(heard)
    }

    /// The packets' part of the report.
    pub fn rtp(&mut self, gaps: &Histogram<u64>) -> Rtp {
        let mut rtp = std::mem::take(&mut self.rtp);
        rtp.loss_share = (rtp.expected > 0).then(|| rtp.lost as f64 / rtp.expected as f64);
        rtp.gap_ms = Spread::of(gaps);
        rtp.jitter_ms = Spread::of(&self.jitter);
        rtp.mos = Spread::scaled(&self.mos, 1_000.0);
        rtp
    }
}
