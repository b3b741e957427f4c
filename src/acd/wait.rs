//! How long a caller will wait: a guess from recent conversations.
//!
//! A seat is busy with a caller for the conversation and the wrap-up after it. The average of that
//! time is smoothed exponentially, each new conversation weighing an eighth (as RFC 6298 smooths
//! round trips), so a shift that becomes slower shows within some ten calls. With `working` clerks
//! a seat comes free every `average / working`, and a caller with `ahead` others in front needs
//! `ahead + 1` of them:
//!
//! ```text
//! expected wait = (ahead + 1) × average / working
//! ```
//!
//! Seats that serve several queues count in full in each, so the guess is a hopeful one there.

use std::time::Duration;

/// One part in so many of the average is the newest conversation.
const WEIGHT: u32 = 8;

/// Longest time that one conversation may count for: a forgotten receiver is not a slow shift.
const CONVERSATION_MAX: Duration = Duration::from_secs(2 * 3600);

/// The average time for which one caller keeps a seat busy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handling {
    average: Option<Duration>,
}

impl Handling {
    /// Learns of a conversation that kept a seat busy for `busy`, wrap-up and all.
    pub fn learn(&mut self, busy: Duration) {
        let busy = busy.min(CONVERSATION_MAX);
        self.average = Some(match self.average {
            None => busy,
            Some(average) => average - average / WEIGHT + busy / WEIGHT,
        });
    }

    /// The average; `None` before the first conversation.
    pub fn average(&self) -> Option<Duration> {
        self.average
    }

    /// The guess for a caller with `ahead` others in front and `working` clerks; `None` where
    /// there is nothing to go by or nobody works.
    pub fn expected_wait(&self, ahead: u32, working: u32) -> Option<Duration> {
        if working == 0 {
            return None;
        }
        Some(self.average?.saturating_mul(ahead.saturating_add(1)) / working)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn nothing_is_promised_before_the_first_conversation_or_without_clerks() {
        let mut handling = Handling::default();
        assert_eq!(handling.expected_wait(0, 3), None);
        handling.learn(secs(120));
        assert_eq!(handling.expected_wait(0, 0), None);
        assert_eq!(handling.expected_wait(0, 1), Some(secs(120)));
        assert_eq!(handling.expected_wait(3, 2), Some(secs(240)));
    }

    #[test]
    fn the_average_follows_a_slower_shift_and_forgets_a_forgotten_receiver() {
        let mut handling = Handling::default();
        handling.learn(secs(80));
        handling.learn(secs(160));
        assert_eq!(handling.average(), Some(secs(90)));
        for _ in 0..60 {
            handling.learn(secs(160));
        }
        assert!(handling.average() > Some(secs(159)));
        handling.learn(secs(1_000_000));
        assert!(handling.average() < Some(secs(1_200)));
    }
}
