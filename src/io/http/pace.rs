//! How often one token may ask the knowledge base: open to clerks and to programs of others, and to nobody without end
//! (the notice, 二(二): opened to the grass roots and the public, by way of somebody's program).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Tokens that are known; further ones are all as one.
const TOKENS_MAX: usize = 4_096;
const MINUTE: Duration = Duration::from_secs(60);

/// By its digest, until when each token's questions count.
#[derive(Default)]
pub(super) struct Pace(Mutex<Tokens>);

#[derive(Default)]
struct Tokens {
    known: HashMap<[u8; 32], Instant>,
    others: Option<Instant>,
}

impl Pace {
    /// Counts a question of this token, of which so many a minute are answered, all of them at once if need be. The
    /// error: one more is answered after so long.
    pub(super) fn take(&self, token: &[u8; 32], per_minute: u32, now: Instant) -> Result<(), Duration> {
        let one = MINUTE / per_minute.max(1);
        let tokens = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.known.len() >= TOKENS_MAX {
            tokens.known.retain(|_, until| *until > now);
        }
        let full = tokens.known.len() >= TOKENS_MAX;
        let until = match tokens.known.get_mut(token) {
            Some(known) => known,
            None if full => tokens.others.get_or_insert(now),
            None => tokens.known.entry(*token).or_insert(now),
        };
        let next = (*until).max(now) + one;
        let over = next.saturating_duration_since(now + MINUTE);
        if !over.is_zero() {
            return Err(over);
        }
        *until = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_asks_so_often_a_minute_and_others_are_not_kept_waiting() {
        let (pace, now) = (Pace::default(), Instant::now());
        let (one, other) = ([1; 32], [2; 32]);
        assert!((0..30).all(|_| pace.take(&one, 30, now).is_ok()));
        assert_eq!(pace.take(&one, 30, now), Err(Duration::from_secs(2)));
        assert_eq!(pace.take(&other, 30, now), Ok(()));
        let later = now + Duration::from_secs(2);
        assert_eq!(pace.take(&one, 30, later), Ok(()), "one more");
        assert_eq!(pace.take(&one, 30, later), Err(Duration::from_secs(2)));
        assert!((0..30).all(|_| pace.take(&one, 30, later + MINUTE).is_ok()), "all of them again");
    }

    #[test]
    fn memory_is_bounded() {
        let (pace, now) = (Pace::default(), Instant::now());
        for n in 0..2 * TOKENS_MAX {
            let mut token = [0; 32];
            token[..8].copy_from_slice(&n.to_be_bytes());
            let _ = pace.take(&token, 1, now);
        }
        assert_eq!(pace.0.lock().unwrap().known.len(), TOKENS_MAX);
        assert!(pace.take(&[9; 32], 1, now).is_err(), "strangers are as one");
        assert_eq!(pace.take(&[9; 32], 1, now + MINUTE), Ok(()));
    }
}
