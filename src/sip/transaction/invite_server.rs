//! One incoming INVITE, from 100 Trying to the ACK (RFC 3261 §17.2.1, RFC 6026 §7.1).
//!
//! A 2xx is repeated by the dialog, not here: `Accepted` only absorbs what still comes in.

use std::time::Duration;

use bytes::Bytes;

use super::{Act, Acts, PATIENCE, T1, T2, T4};
use crate::time::Instant;

/// The machine.
#[derive(Debug)]
pub struct InviteServer {
    /// The last response.
    stored: Bytes,
    state: State,
    acts: Acts,
    reliable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Proceeding,
    /// A refusal is out and repeated (G) until its ACK is here or H is due.
    Completed {
        g: Instant,
        wait: Duration,
        h: Instant,
    },
    /// The ACK is here; its repetitions are absorbed.
    Confirmed {
        i: Instant,
    },
    /// A 2xx is out; repeated INVITEs are absorbed.
    Accepted {
        l: Instant,
    },
    Terminated,
}

impl InviteServer {
    /// Sends `trying` at once, so the user may take its time.
    pub fn new(trying: Bytes) -> Self {
        let mut acts = Acts::default();
        acts.push(Act::Send);
        InviteServer { stored: trying, state: State::Proceeding, acts, reliable: false }
    }

    /// Over a reliable transport G never runs and I is zero (RFC 3261 §17.2.1).
    pub fn rely(&mut self) {
        self.reliable = true;
    }

    /// The same INVITE came again.
    pub fn handle_repeat(&mut self) {
        match self.state {
            State::Proceeding | State::Completed { .. } => self.acts.push(Act::Send),
            State::Confirmed { .. } | State::Accepted { .. } | State::Terminated => {}
        }
    }

    /// An ACK with the INVITE's branch.
    pub fn handle_ack(&mut self, now: Instant) {
        match self.state {
            State::Completed { .. } => {
                self.state = State::Confirmed { i: if self.reliable { now } else { now + T4 } };
            }
            State::Accepted { .. } => self.acts.push(Act::Tell),
            State::Proceeding | State::Confirmed { .. } | State::Terminated => {}
        }
    }

    /// The user's response; none after a final one.
    pub fn respond(&mut self, status: u16, response: Bytes, now: Instant) {
        if self.state != State::Proceeding {
            return;
        }
        self.stored = response;
        self.acts.push(Act::Send);
        self.state = match status {
            ..=199 => State::Proceeding,
            200..=299 => State::Accepted { l: now + PATIENCE },
            _ if self.reliable => State::Completed { g: now + PATIENCE, wait: T1, h: now + PATIENCE },
            _ => State::Completed { g: now + T1, wait: T1, h: now + PATIENCE },
        };
    }

    /// Whether the user still owes a final response.
    pub fn is_open(&self) -> bool {
        self.state == State::Proceeding
    }

    /// Runs the timers that are due.
    pub fn handle_timeout(&mut self, now: Instant) {
        match self.state {
            State::Completed { h, .. } if h <= now => {
                self.state = State::Terminated;
                self.acts.push(Act::TimeOut);
                self.acts.push(Act::Done);
            }
            State::Completed { g, wait, h } if g <= now => {
                let wait = (wait * 2).min(T2);
                self.state = State::Completed { g: now + wait, wait, h };
                self.acts.push(Act::Send);
            }
            State::Confirmed { i: end } | State::Accepted { l: end } if end <= now => {
                self.state = State::Terminated;
                self.acts.push(Act::Done);
            }
            State::Proceeding
            | State::Completed { .. }
            | State::Confirmed { .. }
            | State::Accepted { .. }
            | State::Terminated => {}
        }
    }

    /// When `handle_timeout` is wanted.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Completed { g, h, .. } => Some(g.min(h)),
            State::Confirmed { i: end } | State::Accepted { l: end } => Some(end),
            State::Proceeding | State::Terminated => None,
        }
    }

    /// What to do next.
    pub fn poll_output(&mut self) -> Option<Act> {
        self.acts.pop()
    }

    /// The 2xx has been sent: the dialog keeps it, so these bytes need not stay.
    pub fn forget_accepted(&mut self) {
        if matches!(self.state, State::Accepted { .. }) {
            self.stored = Bytes::new();
        }
    }

    /// What [`Act::Send`] sends: the last response.
    pub fn stored(&self) -> &Bytes {
        &self.stored
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Act::{Done, Send, Tell, TimeOut};

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    fn acts(machine: &mut InviteServer) -> Vec<Act> {
        std::iter::from_fn(|| machine.poll_output()).collect()
    }

    fn in_state(state: State) -> InviteServer {
        InviteServer { stored: Bytes::from_static(b"100"), state, acts: Acts::default(), reliable: false }
    }

    const COMPLETED: State =
        State::Completed { g: Instant::from_millis(510), wait: T1, h: Instant::from_millis(32_010) };
    const ACCEPTED: State = State::Accepted { l: Instant::from_millis(32_010) };
    const CONFIRMED: State = State::Confirmed { i: Instant::from_millis(5_010) };

    #[test]
    fn over_a_stream_a_refusal_goes_out_once_and_its_ack_ends_it() {
        let mut machine = InviteServer::new(Bytes::from_static(b"100"));
        machine.rely();
        machine.respond(486, Bytes::from_static(b"486"), at(10));
        assert_eq!((acts(&mut machine), machine.poll_timeout()), (vec![Send], Some(at(32_010))));
        machine.handle_ack(at(20));
        assert_eq!(machine.poll_timeout(), Some(at(20)), "I is zero");
        machine.handle_timeout(at(20));
        assert_eq!(acts(&mut machine), [Done]);
        // Without its ACK H ends it; L of a 2xx is the same over each transport (RFC 6026 §8.7).
        let mut machine = InviteServer::new(Bytes::from_static(b"100"));
        machine.rely();
        machine.respond(486, Bytes::from_static(b"486"), at(10));
        acts(&mut machine);
        machine.handle_timeout(at(32_010));
        assert_eq!(acts(&mut machine), [TimeOut, Done]);
        let mut machine = InviteServer::new(Bytes::from_static(b"100"));
        machine.rely();
        machine.respond(200, Bytes::from_static(b"200"), at(10));
        assert_eq!(machine.poll_timeout(), Some(at(32_010)));
    }

    #[test]
    fn messages_row_by_row() {
        type Input = fn(&mut InviteServer);
        let repeat: Input = |machine| machine.handle_repeat();
        let ack: Input = |machine| machine.handle_ack(at(10));
        let ring: Input = |machine| machine.respond(180, Bytes::from_static(b"new"), at(10));
        let accept: Input = |machine| machine.respond(200, Bytes::from_static(b"new"), at(10));
        let refuse: Input = |machine| machine.respond(486, Bytes::from_static(b"new"), at(10));
        let rows: [(State, &str, Input, State, &[Act]); 15] = [
            (State::Proceeding, "INVITE", repeat, State::Proceeding, &[Send]),
            (State::Proceeding, "ACK", ack, State::Proceeding, &[]),
            (State::Proceeding, "180", ring, State::Proceeding, &[Send]),
            (State::Proceeding, "200", accept, ACCEPTED, &[Send]),
            (State::Proceeding, "486", refuse, COMPLETED, &[Send]),
            (COMPLETED, "INVITE", repeat, COMPLETED, &[Send]),
            (COMPLETED, "ACK", ack, CONFIRMED, &[]),
            (COMPLETED, "200", accept, COMPLETED, &[]),
            (ACCEPTED, "INVITE", repeat, ACCEPTED, &[]),
            (ACCEPTED, "ACK", ack, ACCEPTED, &[Tell]),
            (ACCEPTED, "486", refuse, ACCEPTED, &[]),
            (CONFIRMED, "INVITE", repeat, CONFIRMED, &[]),
            (CONFIRMED, "ACK", ack, CONFIRMED, &[]),
            (State::Terminated, "INVITE", repeat, State::Terminated, &[]),
            (State::Terminated, "ACK", ack, State::Terminated, &[]),
        ];
        for (state, name, input, next, wanted) in rows {
            let mut machine = in_state(state);
            input(&mut machine);
            assert_eq!(machine.state, next, "{state:?} {name}");
            assert_eq!(acts(&mut machine), wanted, "{state:?} {name}");
        }
    }

    #[test]
    fn timers_row_by_row() {
        let later = State::Completed { g: at(1_510), wait: T1 * 2, h: at(32_010) };
        let slow = State::Completed { g: at(5_000), wait: T2, h: at(32_010) };
        let rows: [(State, u64, State, &[Act]); 7] = [
            (State::Proceeding, 999_999, State::Proceeding, &[]),
            (COMPLETED, 510, later, &[Send]),
            (slow, 5_000, State::Completed { g: at(9_000), wait: T2, h: at(32_010) }, &[Send]),
            (COMPLETED, 32_010, State::Terminated, &[TimeOut, Done]),
            (CONFIRMED, 5_010, State::Terminated, &[Done]),
            (ACCEPTED, 32_009, ACCEPTED, &[]),
            (ACCEPTED, 32_010, State::Terminated, &[Done]),
        ];
        for (state, ms, next, wanted) in rows {
            let mut machine = in_state(state);
            machine.handle_timeout(at(ms));
            assert_eq!(machine.state, next, "{state:?} at {ms}");
            assert_eq!(acts(&mut machine), wanted, "{state:?} at {ms}");
        }
    }
}
