//! Places: who of two callers is nearer to a seat, in one queue and between queues.
//!
//! Where waiting is worth nothing, a higher priority goes first, whatever the wait. Where it is worth a
//! point in each `ageing`, all who wait gain equally fast, so who is before whom never changes while they
//! wait: it is as if each had joined earlier by `priority × ageing`, and that is the place.

use std::cmp::{Ordering, Reverse};
use std::time::Duration;

use crate::time::Instant;

/// Bounds of the time in which a wait is worth a point of priority.
const AGEING_MIN: Duration = Duration::from_millis(1);
const AGEING_MAX: Duration = Duration::from_secs(30 * 24 * 3_600);

/// What makes a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rank {
    /// The caller's and the queue's.
    pub(super) priority: i32,
    /// The wait counts from then; who returns is given the wait of the first of its priority.
    pub(super) as_of: Instant,
    /// False for who returns: before all others of its priority.
    pub(super) behind: bool,
    /// Order of joining among those who came at once.
    pub(super) order: u64,
}

/// A place in one queue's line. Smaller is nearer to a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Priority, where waiting does not count for it; else all are alike.
    class: Reverse<i32>,
    /// Since when the caller stands, moved by what the priority is worth; nanoseconds.
    turn: i128,
    as_of: Instant,
    behind: bool,
    order: u64,
}

/// A place as it compares with those of other queues, at one instant. Smaller is nearer to a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Priority with what waiting added to it: `points / per`.
    points: i128,
    per: i128,
    as_of: Instant,
    behind: bool,
    order: u64,
}

fn nanos(ageing: Duration) -> i128 {
    ageing.clamp(AGEING_MIN, AGEING_MAX).as_nanos().cast_signed()
}

impl Rank {
    pub(super) fn place(self, ageing: Option<Duration>) -> Place {
        let joined = i128::from(self.as_of.as_nanos());
        let (class, turn) = match ageing {
            None => (self.priority, joined),
            Some(ageing) => (0, joined - i128::from(self.priority) * nanos(ageing)),
        };
        let Rank { as_of, behind, order, .. } = self;
        Place { class: Reverse(class), turn, as_of, behind, order }
    }
}

impl Place {
    /// For a comparison with places of other queues, whose waiting may be worth more or less.
    pub(super) fn standing(&self, ageing: Option<Duration>, now: Instant) -> Standing {
        let (points, per) = match ageing {
            None => (i128::from(self.class.0), 1),
            Some(ageing) => (i128::from(now.as_nanos()) - self.turn, nanos(ageing)),
        };
        Standing { points, per, as_of: self.as_of, behind: self.behind, order: self.order }
    }

    /// Whether who stands here joined with this priority.
    pub(super) fn is_of(&self, priority: i32, ageing: Option<Duration>) -> bool {
        let rank = Rank { priority, as_of: self.as_of, behind: self.behind, order: self.order };
        rank.place(ageing) == *self
    }

    /// From when the wait counts.
    pub(super) fn as_of(&self) -> Instant {
        self.as_of
    }
}

impl Ord for Standing {
    fn cmp(&self, other: &Self) -> Ordering {
        // Below 2^17 points × 2^52 ns, or 2^64 ns of waiting, times 2^52: it cannot overflow.
        let points = (other.points * self.per).cmp(&(self.points * other.per));
        let rest = |of: &Standing| (of.as_of, of.behind, of.order);
        points.then_with(|| rest(self).cmp(&rest(other)))
    }
}

impl PartialOrd for Standing {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(priority: i32, as_of_s: u64, order: u64) -> Rank {
        Rank { priority, as_of: Instant::from_millis(as_of_s * 1_000), behind: true, order }
    }

    #[test]
    fn a_point_of_priority_is_worth_one_ageing_of_waiting_and_everything_without_it() {
        let (early, late) = (rank(0, 0, 1), rank(2, 90, 2));
        assert!(late.place(None) < early.place(None));
        let minute = Some(Duration::from_secs(60));
        assert!(late.place(minute) < early.place(minute), "two points are two minutes");
        let half = Some(Duration::from_secs(30));
        assert!(early.place(half) < late.place(half));
        assert!(late.place(minute).is_of(2, minute) && !late.place(minute).is_of(1, minute));
    }

    #[test]
    fn between_queues_what_a_wait_is_worth_now_counts() {
        let (ages, does_not) =
            (rank(0, 0, 1).place(Some(Duration::from_secs(60))), rank(1, 0, 2).place(None));
        let at = |s: u64| {
            let now = Instant::from_millis(s * 1_000);
            (ages.standing(Some(Duration::from_secs(60)), now), does_not.standing(None, now))
        };
        let (ageing, other) = at(59);
        assert!(other < ageing, "less than a point is gained");
        let (ageing, other) = at(61);
        assert!(ageing < other);
        let extreme = rank(i32::from(i16::MIN) * 2, u64::MAX / 1_000_000_000, 3).place(Some(AGEING_MAX));
        assert!(other < extreme.standing(Some(AGEING_MAX), Instant::ZERO), "and nothing overflows");
    }
}
