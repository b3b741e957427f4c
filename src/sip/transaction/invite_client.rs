//! One outgoing INVITE, from first sending to its last repeated answer (RFC 3261 §17.1.1, RFC 6026 §7.2).
//!
//! The ACK for a refusal is sent here; the ACK for a 2xx is the dialog's.

use std::time::Duration;

use bytes::Bytes;

use super::{Act, Acts, PATIENCE, T1};
use crate::time::Instant;

/// The machine.
#[derive(Debug)]
pub struct InviteClient {
    /// The INVITE; from `Completed` on, the ACK.
    stored: Bytes,
    state: State,
    acts: Acts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// `a` is when timer A is due, `b` when B is.
    Calling {
        a: Instant,
        wait: Duration,
        b: Instant,
    },
    /// How long to ring is for the caller to say; after its CANCEL, 64·T1 at most (RFC 3261 §9.1).
    Proceeding {
        cancelled: Option<Instant>,
        /// When a final answer must be here; `None`: whenever it comes.
        final_by: Option<Instant>,
    },
    /// Answers each repeated refusal with the ACK.
    Completed {
        d: Instant,
    },
    /// Lets each repeated or forked 2xx through.
    Accepted {
        m: Instant,
    },
    Terminated,
}

impl InviteClient {
    /// Sends `invite` at once.
    pub fn new(invite: Bytes, now: Instant) -> Self {
        let mut acts = Acts::default();
        acts.push(Act::Send);
        let state = State::Calling { a: now + T1, wait: T1, b: now + PATIENCE };
        InviteClient { stored: invite, state, acts }
    }

    /// Takes a response. For the first refusal `ack` makes its ACK from the stored INVITE.
    pub fn handle_response(&mut self, status: u16, ack: impl FnOnce(&Bytes) -> Bytes, now: Instant) {
        match (self.state, status) {
            (State::Calling { .. }, ..=199) => {
                self.state = State::Proceeding { cancelled: None, final_by: None };
                self.acts.push(Act::Tell);
            }
            (State::Proceeding { .. }, ..=199) => self.acts.push(Act::Tell),
            (State::Calling { .. } | State::Proceeding { .. }, 200..=299) => {
                self.state = State::Accepted { m: now + PATIENCE };
                self.acts.push(Act::Tell);
            }
            (State::Calling { .. } | State::Proceeding { .. }, _) => {
                self.stored = ack(&self.stored);
                self.state = State::Completed { d: now + PATIENCE };
                self.acts.push(Act::Send);
                self.acts.push(Act::Tell);
            }
            (State::Completed { .. }, 300..) => self.acts.push(Act::Send),
            (State::Accepted { .. }, 200..=299) => self.acts.push(Act::Tell),
            (State::Completed { .. } | State::Accepted { .. } | State::Terminated, _) => {}
        }
    }

    /// Gives up at once: an ICMP error came for the INVITE. Deaf once any response is here.
    pub fn handle_unreachable(&mut self) -> bool {
        let calling = matches!(self.state, State::Calling { .. });
        if calling {
            self.state = State::Terminated;
            self.acts.push(Act::Done);
        }
        calling
    }

    /// A CANCEL is out. `false` where it must wait for a provisional response, or comes too late.
    pub fn handle_cancel(&mut self, now: Instant) -> bool {
        let State::Proceeding { cancelled: cancelled @ None, .. } = &mut self.state else {
            return false;
        };
        *cancelled = Some(now + PATIENCE);
        true
    }

    /// Bounds the wait for a final answer, as Timer C does (RFC 3261 §16.6): nobody above does for a
    /// re-INVITE.
    pub fn expect_final(&mut self, by: Instant) {
        if let State::Proceeding { final_by, .. } = &mut self.state {
            *final_by = Some(by);
        }
    }

    /// Runs the timers that are due.
    pub fn handle_timeout(&mut self, now: Instant) {
        match self.state {
            State::Calling { b: end, .. }
            | State::Proceeding { cancelled: Some(end), .. }
            | State::Proceeding { final_by: Some(end), .. }
                if end <= now =>
            {
                self.state = State::Terminated;
                self.acts.push(Act::TimeOut);
                self.acts.push(Act::Done);
            }
            State::Calling { a, wait, b } if a <= now => {
                let wait = wait * 2;
                self.state = State::Calling { a: now + wait, wait, b };
                self.acts.push(Act::Send);
            }
            State::Completed { d: end } | State::Accepted { m: end } if end <= now => {
                self.state = State::Terminated;
                self.acts.push(Act::Done);
            }
            State::Calling { .. }
            | State::Proceeding { .. }
            | State::Completed { .. }
            | State::Accepted { .. }
            | State::Terminated => {}
        }
    }

    /// When `handle_timeout` is wanted.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Calling { a, b, .. } => Some(a.min(b)),
            State::Completed { d: end } | State::Accepted { m: end } => Some(end),
            State::Proceeding { cancelled, final_by } => cancelled.into_iter().chain(final_by).min(),
            State::Terminated => None,
        }
    }

    /// What to do next.
    pub fn poll_output(&mut self) -> Option<Act> {
        self.acts.pop()
    }

    /// What [`Act::Send`] sends: the INVITE, later its ACK.
    pub fn stored(&self) -> &Bytes {
        &self.stored
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Act::{Done, Send, Tell, TimeOut};

    const PROCEEDING: State = State::Proceeding { cancelled: None, final_by: None };

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    fn acts(machine: &mut InviteClient) -> Vec<Act> {
        std::iter::from_fn(|| machine.poll_output()).collect()
    }

    fn in_state(state: State) -> InviteClient {
        InviteClient { stored: Bytes::from_static(b"INVITE"), state, acts: Acts::default() }
    }

    #[test]
    fn responses_row_by_row() {
        let calling = State::Calling { a: at(500), wait: T1, b: at(32_000) };
        let completed = State::Completed { d: at(32_010) };
        let accepted = State::Accepted { m: at(32_010) };
        let rows: [(State, u16, State, &[Act]); 13] = [
            (calling, 100, PROCEEDING, &[Tell]),
            (calling, 183, PROCEEDING, &[Tell]),
            (calling, 200, accepted, &[Tell]),
            (calling, 486, completed, &[Send, Tell]),
            (PROCEEDING, 180, PROCEEDING, &[Tell]),
            (PROCEEDING, 202, accepted, &[Tell]),
            (PROCEEDING, 603, completed, &[Send, Tell]),
            (completed, 486, completed, &[Send]),
            (completed, 200, completed, &[]),
            (accepted, 200, accepted, &[Tell]),
            (accepted, 180, accepted, &[]),
            (accepted, 486, accepted, &[]),
            (State::Terminated, 200, State::Terminated, &[]),
        ];
        for (state, status, next, wanted) in rows {
            let mut machine = in_state(state);
            machine.handle_response(status, |_| Bytes::from_static(b"ACK"), at(10));
            assert_eq!(machine.state, next, "{state:?} {status}");
            assert_eq!(acts(&mut machine), wanted, "{state:?} {status}");
            let acked = next == completed && state != completed;
            assert_eq!(machine.stored() == "ACK", acked, "{state:?} {status}");
        }
    }

    #[test]
    fn timers_row_by_row() {
        let rows: [(State, u64, State, &[Act]); 7] = [
            (
                State::Calling { a: at(500), wait: T1, b: at(32_000) },
                500,
                State::Calling { a: at(1_500), wait: T1 * 2, b: at(32_000) },
                &[Send],
            ),
            (
                State::Calling { a: at(500), wait: T1, b: at(32_000) },
                32_000,
                State::Terminated,
                &[TimeOut, Done],
            ),
            (PROCEEDING, 999_999, PROCEEDING, &[]),
            (
                State::Proceeding { cancelled: Some(at(40)), final_by: None },
                40,
                State::Terminated,
                &[TimeOut, Done],
            ),
            (State::Completed { d: at(40) }, 39, State::Completed { d: at(40) }, &[]),
            (State::Completed { d: at(40) }, 40, State::Terminated, &[Done]),
            (State::Accepted { m: at(40) }, 40, State::Terminated, &[Done]),
        ];
        for (state, ms, next, wanted) in rows {
            let mut machine = in_state(state);
            machine.handle_timeout(at(ms));
            assert_eq!(machine.state, next, "{state:?} at {ms}");
            assert_eq!(acts(&mut machine), wanted, "{state:?} at {ms}");
        }
    }

    #[test]
    fn an_unanswered_invite_goes_out_seven_times_in_32_s() {
        let mut machine = InviteClient::new(Bytes::from_static(b"INVITE"), at(0));
        let mut sent = Vec::new();
        let mut now = at(0);
        loop {
            for act in acts(&mut machine) {
                if act == Send {
                    sent.push(now.as_nanos() / 1_000_000);
                }
            }
            let Some(next) = machine.poll_timeout() else {
                break;
            };
            now = next;
            machine.handle_timeout(now);
        }
        assert_eq!(sent, [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]);
        assert_eq!(now, at(32_000));
    }

    #[test]
    fn a_bounded_wait_for_a_final_answer_ends_though_provisional_ones_come() {
        let mut machine = in_state(PROCEEDING);
        machine.expect_final(at(50));
        assert_eq!(machine.poll_timeout(), Some(at(50)));
        machine.handle_timeout(at(49));
        assert_ne!(machine.state, State::Terminated);
        machine.handle_timeout(at(50));
        assert_eq!(machine.state, State::Terminated);
        let mut answered = in_state(PROCEEDING);
        answered.expect_final(at(50));
        answered.handle_response(200, |invite| invite.clone(), at(20));
        answered.handle_timeout(at(50));
        assert_ne!(answered.state, State::Terminated, "what came in time is repeated for");
    }

    #[test]
    fn a_cancel_waits_for_a_provisional_response_and_ends_in_32_s() {
        let mut machine = InviteClient::new(Bytes::from_static(b"INVITE"), at(0));
        assert!(!machine.handle_cancel(at(5)));
        machine.handle_response(180, |_| Bytes::new(), at(10));
        assert!(machine.handle_cancel(at(20)));
        assert!(!machine.handle_cancel(at(25)), "one CANCEL is enough");
        assert_eq!(machine.poll_timeout(), Some(at(32_020)));
    }

    #[test]
    fn an_icmp_error_counts_only_before_any_response() {
        let mut machine = InviteClient::new(Bytes::from_static(b"INVITE"), at(0));
        assert!(machine.handle_unreachable());
        assert_eq!(acts(&mut machine), [Send, Done]);
        let mut machine = in_state(PROCEEDING);
        assert!(!machine.handle_unreachable());
    }
}
