//! Server transactions: INVITE and all others (RFC 3261 §17.2, RFC 6026 §7.1), with the
//! repetition of a 2xx until its ACK, which the RFC gives to the user agent (§13.3.1.4).
//!
//! What to answer is for the phone.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use super::client::{PATIENCE, T1, T2};
use crate::time::{Instant, Timers};

/// How long ACKs are absorbed after the first.
const T4: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Timer {
    G,
    H,
    I,
    J,
}

#[derive(Debug, PartialEq)]
enum State {
    Trying,
    Proceeding,
    /// A final answer to an INVITE is repeated until its ACK.
    Answered {
        accepted: bool,
        resend_in: Duration,
    },
    /// The ACK came (INVITE), or the final answer went out (others).
    Done {
        accepted: bool,
    },
    Terminated,
}

/// What a transaction wants done.
#[derive(Debug, PartialEq)]
pub(super) enum ServerOutput {
    /// Send this.
    Send(Vec<u8>),
    /// A 2xx to an INVITE was never acknowledged.
    Unacknowledged,
}

/// What names a transaction: branch, sent-by, and the method, INVITE for ACK (§17.2.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerKey {
    /// The topmost Via's branch.
    pub branch: String,
    /// The topmost Via's host and port.
    pub sent_by: String,
    /// The word in CSeq.
    pub method: String,
}

/// One request from the other side and our answers to it.
pub(super) struct Server {
    /// What names it.
    pub key: ServerKey,
    /// Call-ID and CSeq number, by which the ACK to a 2xx is matched.
    pub dialog_key: (String, u32),
    /// Where the answers go.
    pub to: SocketAddr,
    last: Option<Vec<u8>>,
    state: State,
    timers: Timers<Timer>,
    outputs: VecDeque<ServerOutput>,
}

impl Server {
    /// A new request.
    pub(super) fn new(key: ServerKey, dialog_key: (String, u32), to: SocketAddr) -> Self {
        Server {
            key,
            dialog_key,
            to,
            last: None,
            state: State::Trying,
            timers: Timers::default(),
            outputs: VecDeque::new(),
        }
    }

    fn is_invite(&self) -> bool {
        self.key.method == "INVITE"
    }

    /// The same request came again: the last answer goes again.
    pub(super) fn handle_again(&mut self) {
        match self.state {
            State::Trying | State::Terminated => {}
            State::Done { .. } if self.is_invite() => {}
            _ => self.outputs.extend(self.last.clone().map(ServerOutput::Send)),
        }
    }

    /// Answers. A second final answer is dropped.
    pub(super) fn respond(&mut self, status: u16, bytes: Vec<u8>, now: Instant) {
        if !self.is_open() {
            return;
        }
        self.last = Some(bytes.clone());
        self.outputs.push_back(ServerOutput::Send(bytes));
        self.state = match status {
            100..=199 => State::Proceeding,
            _ if self.is_invite() => {
                self.timers.set(Timer::G, now + T1);
                self.timers.set(Timer::H, now + PATIENCE);
                State::Answered { accepted: status < 300, resend_in: T1 }
            }
            _ => {
                self.timers.set(Timer::J, now + PATIENCE);
                State::Done { accepted: false }
            }
        };
    }

    /// No final answer was given yet.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Trying | State::Proceeding)
    }

    /// A 2xx to an INVITE was given.
    pub(super) fn is_accepted(&self) -> bool {
        matches!(self.state, State::Answered { accepted: true, .. } | State::Done { accepted: true })
    }

    /// The ACK came; `true` for the first.
    pub(super) fn handle_ack(&mut self, now: Instant) -> bool {
        let State::Answered { accepted, .. } = self.state else {
            return false;
        };
        self.timers.clear();
        // A 2xx is remembered longer, so that a late repetition of the INVITE is no new call.
        self.timers.set(Timer::I, now + if accepted { PATIENCE } else { T4 });
        self.state = State::Done { accepted };
        true
    }

    /// Time passed.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        while let Some(timer) = self.timers.take_due(now) {
            match (timer, &mut self.state) {
                (Timer::G, State::Answered { resend_in, .. }) => {
                    *resend_in = (*resend_in * 2).min(T2);
                    self.timers.set(Timer::G, now + *resend_in);
                    self.outputs.extend(self.last.clone().map(ServerOutput::Send));
                }
                (Timer::H, State::Answered { accepted, .. }) => {
                    if *accepted {
                        self.outputs.push_back(ServerOutput::Unacknowledged);
                    }
                    self.timers.clear();
                    self.state = State::Terminated;
                }
                (Timer::I | Timer::J, _) => self.state = State::Terminated,
                _ => {}
            }
        }
    }

    /// When to call [`Server::handle_timeout`] next.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// What to do next.
    pub(super) fn poll_output(&mut self) -> Option<ServerOutput> {
        self.outputs.pop_front()
    }

    /// Nothing more will come of it.
    pub(super) fn is_over(&self) -> bool {
        self.state == State::Terminated && self.outputs.is_empty()
    }
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
