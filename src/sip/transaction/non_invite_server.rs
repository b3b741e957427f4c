//! One incoming request other than INVITE and ACK (RFC 3261 §17.2.2).

use bytes::Bytes;

use super::{Act, Acts, PATIENCE};
use crate::time::Instant;

/// The machine.
#[derive(Debug)]
pub struct NonInviteServer {
    /// The last response; empty before there is one.
    stored: Bytes,
    state: State,
    acts: Acts,
    reliable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Trying,
    Proceeding,
    /// Answers each repeated request with the stored response until J is due.
    Completed {
        j: Instant,
    },
    Terminated,
}

impl NonInviteServer {
    /// For a request that has just come in.
    #[allow(clippy::new_without_default, reason = "a transaction begins with a request, not out of nothing")]
    pub fn new() -> Self {
        NonInviteServer { stored: Bytes::new(), state: State::Trying, acts: Acts::default(), reliable: false }
    }

    /// Over a reliable transport J is zero (RFC 3261 §17.2.2).
    pub fn rely(&mut self) {
        self.reliable = true;
    }

    /// The same request came again.
    pub fn handle_repeat(&mut self) {
        match self.state {
            State::Proceeding | State::Completed { .. } => self.acts.push(Act::Send),
            State::Trying | State::Terminated => {}
        }
    }

    /// The user's response; none after a final one.
    pub fn respond(&mut self, status: u16, response: Bytes, now: Instant) {
        match self.state {
            State::Trying | State::Proceeding => {
                self.stored = response;
                self.acts.push(Act::Send);
                self.state = match status {
                    ..=199 => State::Proceeding,
                    _ if self.reliable => State::Completed { j: now },
                    _ => State::Completed { j: now + PATIENCE },
                };
            }
            State::Completed { .. } | State::Terminated => {}
        }
    }

    /// Runs timer J if it is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if matches!(self.state, State::Completed { j } if j <= now) {
            self.state = State::Terminated;
            self.acts.push(Act::Done);
        }
    }

    /// When `handle_timeout` is wanted.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Completed { j } => Some(j),
            State::Trying | State::Proceeding | State::Terminated => None,
        }
    }

    /// What to do next.
    pub fn poll_output(&mut self) -> Option<Act> {
        self.acts.pop()
    }

    /// What [`Act::Send`] sends.
    pub fn stored(&self) -> &Bytes {
        &self.stored
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Act::{Done, Send};

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    fn acts(machine: &mut NonInviteServer) -> Vec<Act> {
        std::iter::from_fn(|| machine.poll_output()).collect()
    }

    #[test]
    fn over_a_stream_the_answer_ends_it() {
        let mut machine = NonInviteServer::new();
        machine.rely();
        machine.respond(200, Bytes::from_static(b"200"), at(10));
        assert_eq!((acts(&mut machine), machine.poll_timeout()), (vec![Send], Some(at(10))), "J is zero");
        machine.handle_timeout(at(10));
        assert_eq!(acts(&mut machine), [Done]);
    }

    #[test]
    fn messages_and_timers_row_by_row() {
        type Input = fn(&mut NonInviteServer);
        let completed = State::Completed { j: at(32_010) };
        let repeat: Input = |machine| machine.handle_repeat();
        let trying: Input = |machine| machine.respond(100, Bytes::from_static(b"100"), at(10));
        let done: Input = |machine| machine.respond(200, Bytes::from_static(b"200"), at(10));
        let early: Input = |machine| machine.handle_timeout(at(32_009));
        let due: Input = |machine| machine.handle_timeout(at(32_010));
        let rows: [(State, &str, Input, State, &[Act]); 13] = [
            (State::Trying, "repeat", repeat, State::Trying, &[]),
            (State::Trying, "100", trying, State::Proceeding, &[Send]),
            (State::Trying, "200", done, completed, &[Send]),
            (State::Proceeding, "repeat", repeat, State::Proceeding, &[Send]),
            (State::Proceeding, "100", trying, State::Proceeding, &[Send]),
            (State::Proceeding, "200", done, completed, &[Send]),
            (State::Proceeding, "J", due, State::Proceeding, &[]),
            (completed, "repeat", repeat, completed, &[Send]),
            (completed, "200", done, completed, &[]),
            (completed, "before J", early, completed, &[]),
            (completed, "J", due, State::Terminated, &[Done]),
            (State::Terminated, "repeat", repeat, State::Terminated, &[]),
            (State::Terminated, "200", done, State::Terminated, &[]),
        ];
        for (state, name, input, next, wanted) in rows {
            let mut machine = NonInviteServer::new();
            machine.state = state;
            input(&mut machine);
            assert_eq!(machine.state, next, "{state:?} {name}");
            assert_eq!(acts(&mut machine), wanted, "{state:?} {name}");
        }
    }
}
