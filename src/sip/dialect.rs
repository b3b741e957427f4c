//! Which phones know MD5 alone, and are asked by MD5 alone from then on.
//!
//! RFC 8760 §2.4 has us challenge by SHA-256 and MD5 at once, and a phone take the first that it
//! knows. Some old ones do not pass over the other but give up (libre 1.1, SIPp 3.6). Such a phone
//! gives itself away: it comes again as a stranger, without an answer to the challenge.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use super::digest::Algorithm;

/// Most phones that are remembered; the oldest makes room, and is asked by both again.
const PHONES_MAX: usize = 1_024;

/// A phone: its address, and its user as a number.
pub(super) type Phone = (IpAddr, u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Asked by both; this request earned it.
    Asked { request: u64 },
    /// By MD5 alone.
    Md5Alone,
}

/// What is known of phones that have been challenged.
#[derive(Debug, Default)]
pub(super) struct Dialects {
    phones: HashMap<Phone, State>,
    by_age: VecDeque<Phone>,
}

impl Dialects {
    /// `request` has no proof of use and is about to be challenged. Says whether by MD5 alone.
    ///
    /// A retransmission is the same request: only another one says that the challenge was not
    /// understood.
    pub(super) fn ask(&mut self, phone: Phone, request: u64) -> bool {
        match self.phones.get_mut(&phone) {
            Some(State::Md5Alone) => true,
            Some(State::Asked { request: first }) if *first == request => false,
            Some(state) => {
                *state = State::Md5Alone;
                true
            }
            None => {
                if self.by_age.len() >= PHONES_MAX
                    && let Some(oldest) = self.by_age.pop_front()
                {
                    self.phones.remove(&oldest);
                }
                self.phones.insert(phone, State::Asked { request });
                self.by_age.push_back(phone);
                false
            }
        }
    }

    /// The phone answered a challenge, right or wrong, by this algorithm. One that chose between
    /// both needs no remembering; one that shows SHA-256 after all is asked by both again.
    pub(super) fn answered(&mut self, phone: Phone, by: Algorithm) {
        let keep = by == Algorithm::Md5 && self.phones.get(&phone) == Some(&State::Md5Alone);
        if !keep && self.phones.remove(&phone).is_some() {
            self.by_age.retain(|known| *known != phone);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESK: Phone = (IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

    #[test]
    fn a_phone_that_comes_again_without_an_answer_is_asked_by_md5_alone() {
        let mut dialects = Dialects::default();
        assert!(!dialects.ask(DESK, 1));
        assert!(!dialects.ask(DESK, 1), "a retransmission says nothing");
        assert!(dialects.ask(DESK, 2));
        dialects.answered(DESK, Algorithm::Md5);
        assert!(dialects.ask(DESK, 3), "its next challenge, when the nonce is old");
        dialects.answered(DESK, Algorithm::Sha256);
        assert!(!dialects.ask(DESK, 4), "another phone at that desk");
    }

    #[test]
    fn a_phone_that_answers_at_once_is_always_asked_by_both() {
        for by in [Algorithm::Md5, Algorithm::Sha256] {
            let mut dialects = Dialects::default();
            for request in 0..5 {
                assert!(!dialects.ask(DESK, request), "{by:?} {request}");
                dialects.answered(DESK, by);
            }
        }
    }

    #[test]
    fn strangers_cannot_fill_the_table() {
        let mut dialects = Dialects::default();
        for user in 0..3_000 {
            dialects.ask((DESK.0, user), user);
        }
        assert_eq!((dialects.phones.len(), dialects.by_age.len()), (PHONES_MAX, PHONES_MAX));
        assert!(!dialects.ask((DESK.0, 0), 9), "forgotten, so asked by both");
    }
}
