//! The answer rate of the last 24 hours as it goes, for each line and the whole city: whether it has fallen below what the
//! formula wants.
//!
//! A call counts when it ends, by the same fold as in reports. GB/T 33358-2016 says "of any 24 hours": the day here is a
//! window of [`SLOTS`] slots that moves by one of them, whether there are calls or not. What ended in an earlier life of the
//! house is put in as soon as it is read ([`Rolling::restore`]).

use std::collections::{BTreeMap, HashMap};

use super::calls::Calls;
use super::judged::Judged;
use super::{began_by_us, part};
use crate::id::{CallId, LineId};
use crate::routing::kpi::Kpi as Rules;
use crate::switchboard::fact::{Fact, What, millis};
use crate::telemetry::CallRecord;
use crate::time::{Instant, Now, Timestamp};

/// Slots of the window.
pub const SLOTS: i64 = 96;
/// Of so long, milliseconds.
const SLOT_MS: i64 = 24 * 3_600_000 / SLOTS;
/// With fewer calls nothing has fallen: at 95 %, one call in twenty may be missed.
pub const CALLS_MIN: u64 = 20;
/// Lines with a window of their own; calls to further ones count for the city only.
pub const LINES_MAX: usize = 256;
/// Calls under way that are folded; a call beyond counts for nothing.
const OPEN_MAX: usize = 65_536;

/// The windows, and the calls under way.
#[derive(Debug, Default)]
pub struct Rolling {
    open: HashMap<CallId, CallRecord>,
    lines: BTreeMap<LineId, Window>,
    city: Window,
    /// The slot of the last look. The house begins with 0; what was before it has slots below.
    slot: i64,
}

/// A call that counts, in as much as the window needs of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The dialled line.
    pub line: LineId,
    /// When it ended.
    pub at: Timestamp,
    /// Whether it was answered.
    pub answered: bool,
}

impl Ended {
    /// By these rules; `None`: the call does not count, or goes on.
    pub fn of(record: &CallRecord, rules: &Rules) -> Option<Ended> {
        let answered = is_answered(record, rules)?;
        let lasted = std::time::Duration::from_millis(record.lasted_ms?);
        let at = record.opened_at.checked_add(lasted).unwrap_or(Timestamp::MAX);
        Some(Ended { line: record.line.clone(), at, answered })
    }
}

/// One line's last 24 hours, or the city's.
#[derive(Debug, Default)]
struct Window {
    /// By their slots: calls that count, those of them that were answered. At most [`SLOTS`].
    slots: BTreeMap<i64, (u64, u64)>,
    is_below: bool,
}

/// How a window stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Whose; `None`: the city's.
    pub line: Option<LineId>,
    /// The answer rate, a part of 1; `None`: there were no calls.
    pub rate: Option<f64>,
    /// Whether it is below what is wanted.
    pub is_below: bool,
    /// It was not before.
    pub has_fallen: bool,
}

impl Window {
    /// Another call, and whether it was answered.
    fn count(&mut self, slot: i64, answered: bool) {
        let (counted, of_them) = self.slots.entry(slot).or_default();
        *counted += 1;
        *of_them += u64::from(answered);
    }

    fn stand(&mut self, line: Option<LineId>, slot: i64, wanted: f64) -> Standing {
        self.slots = self.slots.split_off(&(slot - SLOTS + 1));
        let sums =
            self.slots.values().fold((0, 0), |sums, (counted, of_them)| (sums.0 + counted, sums.1 + of_them));
        let (counted, answered) = sums;
        let rate = part(answered, counted);
        let was_below = self.is_below;
        self.is_below = counted >= CALLS_MIN && rate.is_some_and(|rate| rate < wanted);
        Standing { line, rate, is_below: self.is_below, has_fallen: self.is_below && !was_below }
    }
}

impl Rolling {
    /// Takes a fact in; whose window has changed, and how it stands. Facts of a call come in order, each once.
    pub fn apply(&mut self, fact: &Fact, rules: &Rules) -> Vec<Standing> {
        // Rooms of meetings have nobody to answer.
        if matches!(fact.what, What::Opened { room: None, .. }) && self.open.len() < OPEN_MAX {
            self.open.insert(fact.call, CallRecord::new(fact.call));
        }
        let Some(record) = self.open.get_mut(&fact.call) else { return Vec::new() };
        record.apply(fact);
        if !record.is_closed() {
            return Vec::new();
        }
        let slot = slot_of(fact.mono).max(self.slot); // It may have been told just before the last look.
        let Some(record) = self.open.remove(&fact.call) else { return Vec::new() };
        let counted = self.count(&record, slot, rules);
        if self.slot != slot {
            self.slot = slot;
            return self.stand(rules);
        }
        if !counted {
            return Vec::new();
        }
        let mut stand = vec![self.city.stand(None, slot, rules.usual.rate())];
        if let Some(window) = self.lines.get_mut(&record.line) {
            stand.push(window.stand(Some(record.line.clone()), slot, rules.of(&record.line).rate()));
        }
        stand
    }

    /// What has grown old counts for no line any more: how the windows stand where a slot has ended.
    pub fn handle_timeout(&mut self, now: Instant, rules: &Rules) -> Vec<Standing> {
        let slot = slot_of(now);
        if slot <= self.slot {
            return Vec::new();
        }
        self.slot = slot;
        self.stand(rules)
    }

    /// How all windows stand, by these rules; nothing where no call counts: it was said when the last grew old.
    pub fn stand(&mut self, rules: &Rules) -> Vec<Standing> {
        if self.city.slots.is_empty() {
            return Vec::new();
        }
        let slot = self.slot;
        let lines = self.lines.iter_mut();
        let of_lines = lines.map(|(line, own)| own.stand(Some(line.clone()), slot, rules.of(line).rate()));
        let mut stand: Vec<Standing> = of_lines.collect();
        stand.push(self.city.stand(None, slot, rules.usual.rate()));
        stand
    }

    /// Puts in calls that ended before this life of the house, by the wall clock; how the windows stand then.
    pub fn restore(&mut self, ended: &[Ended], now: Now, rules: &Rules) -> Vec<Standing> {
        self.slot = self.slot.max(slot_of(now.mono));
        for Ended { line, at, answered } in ended {
            let age_ms = now.wall.as_millisecond().saturating_sub(at.as_millisecond()).max(0);
            let slot = mono_ms(now.mono).saturating_sub(age_ms).div_euclid(SLOT_MS);
            if slot > self.slot - SLOTS {
                self.enter(line, slot, *answered);
            }
        }
        self.stand(rules)
    }

    /// Whether the call counts at all.
    fn count(&mut self, record: &CallRecord, slot: i64, rules: &Rules) -> bool {
        let Some(answered) = is_answered(record, rules) else { return false };
        self.enter(&record.line, slot, answered);
        true
    }

    fn enter(&mut self, line: &LineId, slot: i64, answered: bool) {
        self.city.count(slot, answered);
        if self.lines.len() < LINES_MAX || self.lines.contains_key(line) {
            self.lines.entry(line.clone()).or_default().count(slot, answered);
        }
    }
}

/// Whether a call was answered that is over; `None`: it does not count. Rooms of meetings have nobody to answer.
fn is_answered(record: &CallRecord, rules: &Rules) -> Option<bool> {
    if began_by_us(record).is_some() || record.room.is_some() {
        return None;
    }
    let mut one = Calls::default();
    one.take(record, false, Judged::of(record, rules));
    one.answer_rate().map(|rate| rate > 0.0)
}

fn slot_of(at: Instant) -> i64 {
    mono_ms(at) / SLOT_MS
}

fn mono_ms(at: Instant) -> i64 {
    i64::try_from(millis(at.since(Instant::ZERO))).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Dice;
    use crate::switchboard::fact::Cause;
    use crate::time::Timestamp;

    const MINUTE_MS: u64 = 60_000;
    const SLOT: u64 = SLOT_MS as u64;
    const DAY: u64 = 24 * 3_600_000;

    /// One call that waits a minute and is answered, or gives up; how the windows stand afterwards.
    fn call(
        rolling: &mut Rolling,
        n: u64,
        line: &str,
        at_ms: u64,
        answered: bool,
        rules: &Rules,
    ) -> Vec<Standing> {
        let facts = story(n, line, at_ms, answered);
        facts.iter().fold(Vec::new(), |_, fact| rolling.apply(fact, rules))
    }

    fn story(n: u64, line: &str, at_ms: u64, answered: bool) -> Vec<Fact> {
        let call = CallId::draw(n, &mut Dice::seeded(n));
        let opened = What::Opened {
            line: line.into(),
            dialled: line.into(),
            caller: String::new(),
            trunk: "carrier".into(),
            ticket: "1".into(),
            plan: "p".into(),
            shifted_clock: false,
            wire_ref: "w".into(),
            room: None,
        };
        let seat = What::SeatAnswered { seat: "1001".into(), waited_ms: 0, leg: None };
        let (cause, sound, reason) = (Cause::CallerHungUp, None, None);
        let closed = What::Closed { cause, lasted_ms: MINUTE_MS, answered_ms: None, sound, reason };
        let story = [(0, Some(opened)), (0, Some(What::Queued { queue: "main".into() }))];
        let story = story.into_iter().chain([(1, answered.then_some(seat)), (MINUTE_MS, Some(closed))]);
        let story = story.filter_map(|(after, what)| Some((after, what?))).zip(1..);
        let facts = story.map(|((after_ms, what), sequence)| {
            let mono = Instant::from_millis(at_ms + after_ms);
            Fact { call, sequence, at: Timestamp::UNIX_EPOCH, mono, what }
        });
        facts.collect()
    }

    fn of<'a>(stand: &'a [Standing], line: Option<&str>) -> &'a Standing {
        let is_it = |own: &&Standing| own.line.as_ref().map(LineId::as_str) == line;
        stand.iter().find(is_it).unwrap_or_else(|| panic!("{stand:?}"))
    }

    #[test]
    fn a_rate_falls_once_below_what_is_wanted_and_is_back_a_day_later() {
        let (mut rolling, mut rules) = (Rolling::default(), Rules::default());
        let own = crate::routing::kpi::Formula { answer_rate: 50, ..Default::default() };
        rules.lines.insert("12328".into(), own);
        for n in 0..18 {
            call(&mut rolling, n, "12328", n * 1_000, true, &rules);
        }
        let missed = call(&mut rolling, 18, "12328", 18_000, false, &rules);
        assert!(!of(&missed, None).is_below, "nineteen are too few");
        let stand = call(&mut rolling, 19, "12328", 19_000, true, &rules);
        assert!(!of(&stand, None).is_below && of(&stand, None).rate == Some(0.95), "{stand:?}");
        let fallen = call(&mut rolling, 20, "12328", 20_000, false, &rules);
        assert!(of(&fallen, None).has_fallen && !of(&fallen, Some("12328")).is_below, "{fallen:?}");
        let still = call(&mut rolling, 21, "12328", 21_000, false, &rules);
        assert!(of(&still, None).is_below && !of(&still, None).has_fallen, "told once");
        // Almost a day later all of it counts still; in the next slot it does not.
        let late = call(&mut rolling, 22, "12345", DAY - 3 * MINUTE_MS, true, &rules);
        assert!(of(&late, None).is_below);
        let next = call(&mut rolling, 23, "12345", DAY, true, &rules);
        assert_eq!(of(&next, None).rate, Some(1.0));
        assert!(!of(&next, None).is_below && of(&next, Some("12328")).rate.is_none(), "{next:?}");
        assert!(rolling.open.is_empty());
    }

    #[test]
    fn a_night_without_calls_ends_a_bad_day_all_the_same() {
        let (mut rolling, rules) = (Rolling::default(), Rules::default());
        for n in 0..20 {
            call(&mut rolling, n, "12345", n * 1_000, false, &rules);
        }
        let at = Instant::from_millis;
        assert_eq!(rolling.handle_timeout(at(SLOT - 1), &rules), [], "the slot has not ended");
        let stand = rolling.handle_timeout(at(SLOT), &rules);
        assert!(of(&stand, None).is_below && of(&stand, Some("12345")).is_below, "{stand:?}");
        assert!(stand.iter().all(|own| !own.has_fallen), "told when it fell: {stand:?}");
        assert_eq!(rolling.handle_timeout(at(SLOT), &rules), [], "once a slot");
        // A call that ended just before the last look, and is heard of behind it, counts where the look was.
        let late = call(&mut rolling, 20, "12345", SLOT - 2 * MINUTE_MS, false, &rules);
        assert!(of(&late, None).is_below && rolling.slot == 1);
        assert!(rolling.handle_timeout(at(DAY), &rules).iter().all(|own| !own.is_below));
        let empty = rolling.handle_timeout(at(DAY + SLOT), &rules);
        assert!(empty.len() == 2 && empty.iter().all(|own| own.rate.is_none() && !own.is_below), "{empty:?}");
        assert_eq!(rolling.handle_timeout(at(DAY + 2 * SLOT), &rules), [], "it is known");
    }

    #[test]
    fn what_is_shown_moves_with_new_rules_and_with_time_though_nobody_calls() {
        let mut metrics = crate::telemetry::Metrics::new();
        let mut rules = Rules::default();
        metrics.judge_by(&rules);
        for n in 0..20 {
            story(n, "12345", 0, n >= 4).iter().for_each(|fact| metrics.apply(fact));
        }
        let shows = |metrics: &crate::telemetry::Metrics, wanted: &str| {
            let text = metrics.figures().encode();
            for line in ["*", "12345"] {
                let row = format!("hotline_kpi_answer_rate_24h_below{{line=\"{line}\"}} {wanted}");
                assert!(text.lines().any(|line| line == row), "no {row:?} in\n{text}");
            }
        };
        shows(&metrics, "1");
        rules.usual.answer_rate = 80;
        metrics.judge_by(&rules);
        shows(&metrics, "0");
        metrics.judge_by(&Rules::default());
        shows(&metrics, "1");
        metrics.handle_timeout(Instant::from_millis(DAY));
        shows(&metrics, "0");
    }

    #[test]
    fn what_reports_leave_out_is_left_out_and_lines_beyond_the_bound_count_for_the_city() {
        let (mut rolling, mut rules) = (Rolling::default(), Rules::default());
        rules.exclude.answer = vec![crate::routing::kpi::Exclusion::Line("12366".into())];
        assert_eq!(call(&mut rolling, 1, "12366", 0, false, &rules), []);
        for n in 0..=LINES_MAX as u64 {
            call(&mut rolling, 10 + n, &(20_000 + n).to_string(), 0, true, &rules);
        }
        assert_eq!(rolling.lines.len(), LINES_MAX);
        let last = call(&mut rolling, 1_000, "99999", 0, false, &rules);
        assert_eq!((last.len(), last[0].line.as_ref()), (1, None));
        assert_eq!(last[0].rate, Some(257.0 / 258.0));
    }

    #[test]
    fn what_ended_before_a_restart_counts_as_if_there_had_been_none() {
        let rules = Rules::default();
        let start: Timestamp = "2021-12-01T09:00:00+08:00".parse().unwrap();
        let hour = jiff::SignedDuration::from_hours(1);
        let ended = |hours: i32, answered| Ended { line: "12345".into(), at: start - hour * hours, answered };
        let now = |after_ms: u64| Now {
            wall: start + jiff::SignedDuration::from_millis(after_ms as i64),
            mono: Instant::from_millis(after_ms),
        };
        let mut rolling = Rolling::default();
        // This life has begun before the last one is read: one of its calls is there already.
        call(&mut rolling, 1, "12345", 1_000, true, &rules);
        let before: Vec<Ended> =
            (0..30).map(|n| ended(1 + n / 10, n >= 10)).chain((0..100).map(|_| ended(25, true))).collect();
        let stand = rolling.restore(&before, now(2 * MINUTE_MS), &rules);
        assert_eq!(of(&stand, None).rate, Some(21.0 / 31.0), "what is older than a day is not there");
        assert!(of(&stand, None).is_below && of(&stand, Some("12345")).is_below, "{stand:?}");
        // It grows old as the rest does: first what ended three hours before the start, in the end all of it.
        let at = |minutes: u64| Instant::from_millis(minutes * MINUTE_MS);
        let later = rolling.handle_timeout(at(21 * 60 + 30), &rules);
        assert_eq!(of(&later, None).rate, Some(11.0 / 21.0));
        let last = rolling.handle_timeout(at(23 * 60 + 10), &rules);
        assert_eq!(of(&last, None).rate, Some(1.0));
        // A call from a clock that was ahead ended just now.
        let ahead = rolling.restore(&[ended(-9, false)], now(DAY - MINUTE_MS), &rules);
        assert_eq!(of(&ahead, None).rate, Some(0.5));
    }

    #[test]
    fn a_call_read_back_counts_as_it_did() {
        let rules = Rules::default();
        for answered in [true, false] {
            let mut record = CallRecord::fold(&story(1, "12345", 0, answered)).unwrap();
            let at = Timestamp::UNIX_EPOCH + std::time::Duration::from_millis(MINUTE_MS);
            assert_eq!(Ended::of(&record, &rules), Some(Ended { line: "12345".into(), at, answered }));
            record.trunk = crate::routing::meeting::SEATS.into();
            assert_eq!(Ended::of(&record, &rules), None, "a clerk's own");
        }
    }
}
