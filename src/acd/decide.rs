//! The decision itself: pairs callers with seats, and does nothing else.

use crate::id::{CallId, QueueId, SeatId};
use crate::routing::queueing::Known;
use crate::time::Instant;

use super::queue::Waiting;
use super::seat::serves;

/// A seat that is free, as the decision sees it.
#[derive(Clone, Copy, Debug)]
pub struct Free<'a> {
    /// Which.
    pub seat: &'a SeatId,
    /// Since when it is free.
    pub since: Instant,
    /// Queues it serves.
    pub queues: &'a [QueueId],
    /// What its clerk can do.
    pub skills: &'a [Known],
}

/// Pairs callers with seats: longest wait first, longest idle first, and ties go by the seat's id, so
/// that a shift can be replayed. `line` is in order of places; who is being offered already is
/// passed over. Each caller and each seat is in one pair at most.
pub fn decide<'a>(
    line: impl IntoIterator<Item = &'a Waiting>,
    free: impl IntoIterator<Item = Free<'a>>,
) -> Vec<(CallId, SeatId)> {
    let mut free: Vec<Free> = free.into_iter().collect();
    free.sort_by_key(|free| (free.since, free.seat));
    let mut pairs = Vec::new();
    for waiting in line {
        if free.is_empty() {
            break;
        }
        if waiting.offered_to.is_some() {
            continue;
        }
        if let Some(index) = free.iter().position(|free| serves(free.queues, free.skills, waiting)) {
            pairs.push((waiting.call, free.remove(index).seat.clone()));
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acd::queue::Place;
    use crate::id::Dice;

    fn waiting(order: u64, queue: &str, skills: &[&str]) -> Waiting {
        let since = Instant::from_millis(order);
        Waiting {
            call: CallId::draw(order, &mut Dice::seeded(order)),
            queue: queue.into(),
            skills: skills.iter().map(|skill| Known::some(*skill)).collect(),
            place: Place { behind: true, since, order },
            announce_at: since,
            unstaffed_since: None,
            offered_to: None,
        }
    }

    struct Desk(SeatId, u64, Vec<QueueId>, Vec<Known>);

    impl Desk {
        fn new(id: &str, since_ms: u64, skills: &[&str]) -> Self {
            Desk(
                id.into(),
                since_ms,
                vec!["main".into()],
                skills.iter().map(|skill| Known::some(*skill)).collect(),
            )
        }

        fn free(&self) -> Free<'_> {
            Free { seat: &self.0, since: Instant::from_millis(self.1), queues: &self.2, skills: &self.3 }
        }
    }

    #[test]
    fn the_longest_wait_gets_the_longest_idle_seat() {
        let line = [waiting(1, "main", &[]), waiting(2, "main", &[])];
        let desks = [Desk::new("1001", 9, &[]), Desk::new("1002", 5, &[])];
        assert_eq!(
            decide(&line, desks.iter().map(Desk::free)),
            [(line[0].call, "1002".into()), (line[1].call, "1001".into())]
        );
    }

    #[test]
    fn seats_idle_equally_long_go_by_their_number() {
        let line = [waiting(1, "main", &[])];
        let desks = [Desk::new("1002", 5, &[]), Desk::new("1001", 5, &[])];
        assert_eq!(decide(&line, desks.iter().map(Desk::free)), [(line[0].call, "1001".into())]);
    }

    #[test]
    fn a_caller_whom_no_free_clerk_can_help_does_not_hold_up_the_next() {
        let line =
            [waiting(1, "main", &["social_security"]), waiting(2, "night", &[]), waiting(3, "main", &[])];
        let desks = [Desk::new("1001", 1, &["tax"])];
        assert_eq!(decide(&line, desks.iter().map(Desk::free)), [(line[2].call, "1001".into())]);
    }

    #[test]
    fn who_is_being_offered_gets_no_second_seat() {
        let mut line = [waiting(1, "main", &[])];
        line[0].offered_to = Some("1009".into());
        let desks = [Desk::new("1001", 1, &[])];
        assert_eq!(decide(&line, desks.iter().map(Desk::free)), []);
    }
}
