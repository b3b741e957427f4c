//! How much of what is new is let in while there is more to do than can be done.
//!
//! What is measured is how long messages have waited for us. Bursts wait too, so one long wait says
//! nothing; the *least* wait of a whole window does: it is a queue that never emptied. So does a
//! message that found no room in it. Then a share of new calls is refused, growing until the queue
//! is gone, because a call that gets its 503 at once goes elsewhere, and one that is answered late
//! is lost with the others. Where even refusing is too much work, messages stay unread. What is left
//! is dealt out evenly: a trunk that asks for little gets it, and the one that floods bears the rest.

use std::time::Duration;

use crate::time::Instant;

/// One measurement.
const WINDOW: Duration = Duration::from_millis(100);
/// A queue that stands for longer than this throughout a window is too much.
const WAIT_MAX: Duration = Duration::from_millis(20);
/// Everything, per mille.
const WHOLE: u32 = 1_000;
/// At least so much is tried, per mille, or nothing would show that the worst is over.
const LEAST: u32 = 10;
/// Of its share, per mille, what a bad window leaves.
const CUT: u32 = 700;
/// What a good window adds, per mille of everything.
const GROWTH: u32 = 50;
/// Calls that each trunk may bring in a window in any case.
const CALLS_LEAST: u32 = 20;
/// As many calls in a window, all trunks together, are no flood.
const CALLS_FEW: u32 = 20;
/// Messages of each trunk that are read in a window in any case.
const MESSAGES_LEAST: u32 = 100;

/// Whose call it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rank {
    /// A caller by the trunk at this place in the plan.
    Trunk(usize),
    /// A seat or an emergency center: let in as long as anything is.
    Last,
}

/// The measure and what follows from it.
#[derive(Debug)]
pub(super) struct Load {
    calls: Deal,
    messages: Deal,
    /// Half-calls owed to those who are refused last.
    credit: bool,
    least: Option<Duration>,
    lost: bool,
    /// Messages from addresses that are no trunk's, in this window.
    strangers: u32,
    window_ends: Instant,
}

impl Load {
    pub(super) fn new(now: Instant) -> Self {
        Load {
            calls: Deal::new(CALLS_LEAST),
            messages: Deal::new(MESSAGES_LEAST),
            credit: false,
            least: None,
            lost: false,
            strangers: 0,
            window_ends: now + WINDOW,
        }
    }

    /// A message has waited for us so long; `lost`: others found no room to wait in.
    pub(super) fn handle_wait(&mut self, wait: Duration, lost: bool, now: Instant) {
        if now >= self.window_ends {
            self.close_window(now);
        }
        self.least = Some(self.least.map_or(wait, |least| least.min(wait)));
        self.lost |= lost;
    }

    fn close_window(&mut self, now: Instant) {
        let stood = self.least.take().is_some_and(|least| least > WAIT_MAX);
        let lost = std::mem::take(&mut self.lost);
        let strangers = std::mem::take(&mut self.strangers);
        if !(stood || lost) || self.is_made_by(strangers) {
            self.grow();
        } else if self.calls.share > LEAST {
            self.calls.share = (self.calls.share * CUT / WHOLE).max(LEAST);
        } else {
            self.messages.share = (self.messages.share * CUT / WHOLE).max(LEAST);
        }
        // Windows in which nothing came were good ones.
        let idle = now.since(self.window_ends).as_millis() / WINDOW.as_millis();
        for _ in 0..idle.min(u128::from(2 * WHOLE / GROWTH)) {
            self.grow();
        }
        self.calls.deal();
        self.messages.deal();
        self.window_ends = now + WINDOW;
    }

    /// Whether a queue is the work of strangers, whose messages stay unread anyway, while trunks ask
    /// for little: refusing their calls would help nobody.
    fn is_made_by(&self, strangers: u32) -> bool {
        let all = self.messages.total() + u64::from(strangers);
        u64::from(strangers) * 10 > all * 9 && self.calls.total() <= u64::from(CALLS_FEW)
    }

    fn grow(&mut self) {
        let deal = if self.messages.share < WHOLE { &mut self.messages } else { &mut self.calls };
        deal.share = (deal.share + GROWTH).min(WHOLE);
    }

    /// A message came from an address that is no trunk's.
    pub(super) fn note_stranger(&mut self) {
        self.strangers = self.strangers.saturating_add(1);
    }

    /// Whether a message by this trunk is read.
    pub(super) fn reads(&mut self, place: usize) -> bool {
        self.messages.admits(place)
    }

    /// Whether a new call is let in.
    pub(super) fn admits(&mut self, rank: Rank) -> bool {
        match rank {
            Rank::Trunk(place) => self.calls.admits(place),
            Rank::Last if self.calls.share > LEAST => true,
            Rank::Last => {
                self.credit = !self.credit;
                self.credit
            }
        }
    }

    /// The share of new calls that is let in, per mille.
    pub(super) fn share(&self) -> u32 {
        self.calls.share
    }
}

/// What is let in of one kind, trunk by trunk.
#[derive(Debug)]
struct Deal {
    /// Of all that is asked for, per mille.
    share: u32,
    /// What each trunk may have in this window, while the share is not whole.
    quota: u32,
    /// What it has in any case.
    least: u32,
    /// What each trunk has asked for in this window.
    asked: Vec<u32>,
}

impl Deal {
    fn new(least: u32) -> Self {
        Deal { share: WHOLE, quota: least, least, asked: Vec::new() }
    }

    fn total(&self) -> u64 {
        self.asked.iter().map(|count| u64::from(*count)).sum()
    }

    /// A new window.
    fn deal(&mut self) {
        if self.share < WHOLE {
            self.quota = quota(&self.asked, self.share).max(self.least);
        }
        self.asked.fill(0);
    }

    fn admits(&mut self, place: usize) -> bool {
        if self.asked.len() <= place {
            self.asked.resize(place + 1, 0);
        }
        let asked = &mut self.asked[place];
        *asked = asked.saturating_add(1);
        self.share == WHOLE || *asked <= self.quota
    }
}

/// The most that each may have so that all together have `share` per mille of what they asked for:
/// who asked for less has it all.
fn quota(asked: &[u32], share: u32) -> u32 {
    let total: u64 = asked.iter().map(|count| u64::from(*count)).sum();
    let mut left = total * u64::from(share) / u64::from(WHOLE);
    let mut sorted: Vec<u32> = asked.iter().copied().filter(|count| *count > 0).collect();
    sorted.sort_unstable();
    for (index, count) in sorted.iter().enumerate() {
        let even = left / (sorted.len() - index) as u64;
        if u64::from(*count) > even {
            return u32::try_from(even).unwrap_or(u32::MAX);
        }
        left -= u64::from(*count);
    }
    sorted.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Windows in which each message waits for so long and each trunk brings so many calls; how many
    /// of those were let in, trunk by trunk.
    fn run(load: &mut Load, windows: std::ops::Range<u64>, wait: Duration, calls: &[u32]) -> Vec<u32> {
        let mut let_in = vec![0; calls.len()];
        for window in windows {
            for part in 0..10 {
                load.handle_wait(wait, false, at(window * 100 + part * 10));
            }
            for (place, count) in calls.iter().enumerate() {
                for _ in 0..*count {
                    let_in[place] += u32::from(load.admits(Rank::Trunk(place)));
                }
            }
        }
        let_in
    }

    #[test]
    fn a_burst_that_drains_within_the_window_refuses_nobody() {
        let mut load = Load::new(at(0));
        for window in 0..50 {
            assert_eq!(run(&mut load, window..window + 1, ms(400), &[100]), [100]);
            load.handle_wait(ms(20), false, at(window * 100 + 99));
        }
    }

    #[test]
    fn a_queue_that_stands_refuses_more_and_more_and_at_last_leaves_messages_unread() {
        let mut load = Load::new(at(0));
        let seen: Vec<_> =
            (0..4).map(|window| run(&mut load, window..window + 1, ms(21), &[1_000])[0]).collect();
        assert_eq!(seen, [1_000, 700, 490, 343]);
        run(&mut load, 4..14, ms(200), &[1_000]);
        assert_eq!((load.share(), load.messages.share), (LEAST, WHOLE));
        (0..20_000).for_each(|_| assert!(load.reads(0)));
        run(&mut load, 14..30, ms(200), &[1_000]);
        assert_eq!((load.share(), load.messages.share), (LEAST, LEAST));
        (0..20_000).for_each(|_| _ = load.reads(0));
        run(&mut load, 30..31, ms(200), &[1_000]);
        assert_eq!((0..20_000).filter(|_| load.reads(0)).count(), 200);
        assert!(load.reads(1), "the other trunk's");
        run(&mut load, 31..52, ms(0), &[1_000]);
        assert_eq!((load.share(), load.messages.share), (LEAST, WHOLE), "first everything is read again");
    }

    #[test]
    fn a_message_that_found_no_room_counts_like_a_queue_that_stood() {
        let mut load = Load::new(at(0));
        load.handle_wait(ms(1), true, at(50));
        load.handle_wait(ms(1), false, at(100));
        assert_eq!(load.share(), CUT);
        load.handle_wait(ms(1), false, at(200));
        assert_eq!(load.share(), CUT + GROWTH);
    }

    #[test]
    fn a_queue_that_strangers_make_refuses_no_trunks_few_calls() {
        let mut load = Load::new(at(0));
        for window in 0..20 {
            (0..1_000).for_each(|_| load.note_stranger());
            (0..40).for_each(|_| assert!(load.reads(0)));
            assert_eq!(run(&mut load, window..window + 1, ms(200), &[10]), [10]);
        }
        for window in 20..40 {
            (0..1_000).for_each(|_| load.note_stranger());
            run(&mut load, window..window + 1, ms(200), &[1_000]);
        }
        assert_eq!(load.share(), LEAST, "a trunk's flood behind a stranger's is met");
    }

    #[test]
    fn who_floods_bears_the_refusals_and_who_calls_now_and_then_is_served() {
        let mut load = Load::new(at(0));
        run(&mut load, 0..30, ms(200), &[3, 0, 1_000, 20]);
        assert_eq!(load.share(), LEAST);
        assert_eq!(run(&mut load, 30..40, ms(200), &[3, 1, 1_000, 20]), [30, 10, 200, 200]);
        assert_eq!(quota(&[3, 0, 1_000, 20], 10), 3);
        assert_eq!(quota(&[3, 0, 1_000, 20], 500), 488);
        assert_eq!(quota(&[10, 10], 1_000), 10);
        assert_eq!(quota(&[], 10), 0);
    }

    #[test]
    fn seats_and_emergency_centers_are_refused_last() {
        let mut load = Load::new(at(0));
        run(&mut load, 0..10, ms(200), &[100]);
        assert!((0..100).all(|_| load.admits(Rank::Last)));
        run(&mut load, 10..30, ms(200), &[100]);
        assert_eq!((0..100).filter(|_| load.admits(Rank::Last)).count(), 50);
    }

    #[test]
    fn who_is_let_in_grows_again_when_the_queue_is_gone_and_at_once_after_a_pause() {
        let mut load = Load::new(at(0));
        run(&mut load, 0..13, ms(200), &[100]);
        run(&mut load, 13..15, ms(0), &[100]);
        assert_eq!(load.share(), LEAST + GROWTH, "the first good window is known at its end");
        run(&mut load, 15..36, ms(0), &[100]);
        assert_eq!(load.share(), WHOLE);
        run(&mut load, 36..80, ms(200), &[100]);
        load.handle_wait(ms(0), false, at(60_000));
        assert_eq!(run(&mut load, 600..601, ms(0), &[100]), [100]);
    }
}
