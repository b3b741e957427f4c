//! One outgoing request other than INVITE and ACK (RFC 3261 §17.1.2).

use std::time::Duration;

use bytes::Bytes;

use super::{Act, Acts, PATIENCE, T1, T2, T4};
use crate::time::Instant;

/// The machine.
#[derive(Debug)]
pub struct NonInviteClient {
    request: Bytes,
    state: State,
    acts: Acts,
    reliable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// `e` is when timer E is due, `f` when F is.
    Trying {
        e: Instant,
        wait: Duration,
        f: Instant,
    },
    /// A provisional response slows E down but stops neither timer.
    Proceeding {
        e: Instant,
        f: Instant,
    },
    /// Absorbs repeated responses.
    Completed {
        k: Instant,
    },
    Terminated,
}

impl NonInviteClient {
    /// Sends `request` at once.
    pub fn new(request: Bytes, now: Instant) -> Self {
        let mut acts = Acts::default();
        acts.push(Act::Send);
        let state = State::Trying { e: now + T1, wait: T1, f: now + PATIENCE };
        NonInviteClient { request, state, acts, reliable: false }
    }

    /// Over a reliable transport E never runs and K is zero (RFC 3261 §17.1.2.2).
    pub fn rely(&mut self) {
        self.reliable = true;
        if let State::Trying { e, f, .. } = &mut self.state {
            *e = *f; // F comes first.
        }
    }

    /// Whether no response is here yet.
    pub fn is_calling(&self) -> bool {
        matches!(self.state, State::Trying { .. })
    }

    /// Gives up at once as if the peer had stayed silent: its connection was lost. Deaf once the
    /// final response is here.
    pub fn handle_unreachable(&mut self) {
        if matches!(self.state, State::Trying { .. } | State::Proceeding { .. }) {
            self.state = State::Terminated;
            self.acts.push(Act::TimeOut);
            self.acts.push(Act::Done);
        }
    }

    /// Takes a response.
    pub fn handle_response(&mut self, status: u16, now: Instant) {
        match (self.state, status) {
            (State::Trying { e, f, .. } | State::Proceeding { e, f }, ..=199) => {
                self.state = State::Proceeding { e, f };
                self.acts.push(Act::Tell);
            }
            (State::Trying { .. } | State::Proceeding { .. }, _) => {
                self.request = Bytes::new();
                self.state = State::Completed { k: if self.reliable { now } else { now + T4 } };
                self.acts.push(Act::Tell);
            }
            (State::Completed { .. } | State::Terminated, _) => {}
        }
    }

    /// Runs the timers that are due.
    pub fn handle_timeout(&mut self, now: Instant) {
        match self.state {
            State::Trying { f, .. } | State::Proceeding { f, .. } if f <= now => {
                self.state = State::Terminated;
                self.acts.push(Act::TimeOut);
                self.acts.push(Act::Done);
            }
            State::Trying { e, wait, f } if e <= now => {
                let wait = (wait * 2).min(T2);
                self.state = State::Trying { e: now + wait, wait, f };
                self.acts.push(Act::Send);
            }
            State::Proceeding { e, f } if e <= now => {
                self.state = State::Proceeding { e: now + T2, f };
                self.acts.push(Act::Send);
            }
            State::Completed { k } if k <= now => {
                self.state = State::Terminated;
                self.acts.push(Act::Done);
            }
            State::Trying { .. } | State::Proceeding { .. } | State::Completed { .. } | State::Terminated => {
            }
        }
    }

    /// When `handle_timeout` is wanted.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Trying { e, f, .. } | State::Proceeding { e, f } => Some(e.min(f)),
            State::Completed { k } => Some(k),
            State::Terminated => None,
        }
    }

    /// What to do next.
    pub fn poll_output(&mut self) -> Option<Act> {
        self.acts.pop()
    }

    /// What [`Act::Send`] sends.
    pub fn stored(&self) -> &Bytes {
        &self.request
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Act::{Done, Send, Tell, TimeOut};

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    fn acts(machine: &mut NonInviteClient) -> Vec<Act> {
        std::iter::from_fn(|| machine.poll_output()).collect()
    }

    fn in_state(state: State) -> NonInviteClient {
        NonInviteClient { request: Bytes::from_static(b"BYE"), state, acts: Acts::default(), reliable: false }
    }

    const TRYING: State =
        State::Trying { e: Instant::from_millis(500), wait: T1, f: Instant::from_millis(32_000) };
    const PROCEEDING: State =
        State::Proceeding { e: Instant::from_millis(500), f: Instant::from_millis(32_000) };
    const COMPLETED: State = State::Completed { k: Instant::from_millis(5_010) };

    #[test]
    fn over_a_stream_a_request_goes_out_once_and_its_answer_ends_it() {
        let mut machine = NonInviteClient::new(Bytes::from_static(b"BYE"), at(0));
        machine.rely();
        assert_eq!((acts(&mut machine), machine.poll_timeout()), (vec![Send], Some(at(32_000))));
        machine.handle_response(100, at(10));
        assert_eq!((acts(&mut machine), machine.poll_timeout()), (vec![Tell], Some(at(32_000))));
        machine.handle_response(200, at(20));
        assert_eq!((acts(&mut machine), machine.poll_timeout()), (vec![Tell], Some(at(20))), "K is zero");
        machine.handle_timeout(at(20));
        assert_eq!(acts(&mut machine), [Done]);
    }

    #[test]
    fn a_lost_connection_counts_only_before_the_final_answer() {
        for (state, wanted) in [
            (TRYING, vec![TimeOut, Done]),
            (PROCEEDING, vec![TimeOut, Done]),
            (COMPLETED, vec![]),
            (State::Terminated, vec![]),
        ] {
            let mut machine = in_state(state);
            machine.handle_unreachable();
            assert_eq!(acts(&mut machine), wanted, "{state:?}");
        }
    }

    #[test]
    fn responses_row_by_row() {
        let rows: [(State, u16, State, &[Act]); 7] = [
            (TRYING, 100, PROCEEDING, &[Tell]),
            (TRYING, 200, COMPLETED, &[Tell]),
            (TRYING, 481, COMPLETED, &[Tell]),
            (PROCEEDING, 100, PROCEEDING, &[Tell]),
            (PROCEEDING, 500, COMPLETED, &[Tell]),
            (COMPLETED, 200, COMPLETED, &[]),
            (State::Terminated, 200, State::Terminated, &[]),
        ];
        for (state, status, next, wanted) in rows {
            let mut machine = in_state(state);
            machine.handle_response(status, at(10));
            assert_eq!(machine.state, next, "{state:?} {status}");
            assert_eq!(acts(&mut machine), wanted, "{state:?} {status}");
        }
    }

    #[test]
    fn timers_row_by_row() {
        let rows: [(State, u64, State, &[Act]); 6] = [
            (TRYING, 500, State::Trying { e: at(1_500), wait: T1 * 2, f: at(32_000) }, &[Send]),
            (TRYING, 32_000, State::Terminated, &[TimeOut, Done]),
            (PROCEEDING, 500, State::Proceeding { e: at(4_500), f: at(32_000) }, &[Send]),
            (PROCEEDING, 32_000, State::Terminated, &[TimeOut, Done]),
            (COMPLETED, 5_009, COMPLETED, &[]),
            (COMPLETED, 5_010, State::Terminated, &[Done]),
        ];
        for (state, ms, next, wanted) in rows {
            let mut machine = in_state(state);
            machine.handle_timeout(at(ms));
            assert_eq!(machine.state, next, "{state:?} at {ms}");
            assert_eq!(acts(&mut machine), wanted, "{state:?} at {ms}");
        }
    }

    #[test]
    fn a_lost_request_goes_out_eleven_times_in_32_s() {
        let mut machine = NonInviteClient::new(Bytes::from_static(b"BYE"), at(0));
        let mut sent = 0;
        loop {
            sent += acts(&mut machine).iter().filter(|act| **act == Send).count();
            let Some(next) = machine.poll_timeout() else {
                break;
            };
            machine.handle_timeout(next);
        }
        assert_eq!(sent, 11);
    }
}
