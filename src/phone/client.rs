//! Client transactions: INVITE and all others (RFC 3261 §17.1, RFC 6026 §7.2).
//!
//! What an answer means is for whoever sent the request; the ACK to a 2xx is the dialog's.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use rsip::headers::UntypedHeader;
use rsip::{Header, Method, Request, Response};

use super::message;
use crate::time::{Instant, Timers};

/// Round trip estimate (RFC 3261 §17.1.1.1).
pub(super) const T1: Duration = Duration::from_millis(500);
/// Longest interval between repetitions.
pub(super) const T2: Duration = Duration::from_secs(4);
/// How long a message may linger in the network.
const T4: Duration = Duration::from_secs(5);
/// 64 T1: how long an answer is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(32);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Timer {
    A,
    B,
    D,
    E,
    F,
    K,
    M,
}

#[derive(Debug, PartialEq)]
enum State {
    Trying { resend_in: Duration },
    Proceeding,
    Completed { ack: Option<Vec<u8>> },
    Accepted,
    Terminated,
}

/// What a transaction wants done.
#[derive(Debug, PartialEq)]
pub(super) enum ClientOutput {
    /// Send this.
    Send(Vec<u8>),
    /// An answer for the sender of the request; a repeated 2xx comes again.
    Heard(Box<Response>),
    /// No answer came.
    TimedOut,
}

/// One request on its way, from first sending to the end of its stragglers.
pub(super) struct Client {
    /// The request as it was sent.
    pub request: Request,
    /// Where it was sent.
    pub to: SocketAddr,
    branch: String,
    bytes: Vec<u8>,
    state: State,
    timers: Timers<Timer>,
    outputs: VecDeque<ClientOutput>,
}

impl Client {
    /// Sends `request`.
    pub(super) fn start(request: Request, to: SocketAddr, now: Instant) -> Self {
        let branch = message::via(&request).map(|(branch, _)| branch).unwrap_or_default();
        let bytes: Vec<u8> = request.clone().into();
        let mut timers = Timers::default();
        let (resend, end) =
            if request.method == Method::Invite { (Timer::A, Timer::B) } else { (Timer::E, Timer::F) };
        timers.set(resend, now + T1);
        timers.set(end, now + PATIENCE);
        let outputs = VecDeque::from([ClientOutput::Send(bytes.clone())]);
        Client { request, to, branch, bytes, state: State::Trying { resend_in: T1 }, timers, outputs }
    }

    /// Says whether a response with this branch and CSeq method is ours (§17.1.3).
    pub(super) fn owns(&self, branch: &str, method: &str) -> bool {
        self.branch == branch && self.request.method.to_string().eq_ignore_ascii_case(method)
    }

    /// The branch of the request.
    pub(super) fn branch(&self) -> &str {
        &self.branch
    }

    /// An answer came.
    pub(super) fn handle_response(&mut self, response: Response, now: Instant) {
        let status = response.status_code.code();
        if self.request.method == Method::Invite {
            self.handle_invite_response(status, response, now);
        } else {
            self.handle_other_response(status, response, now);
        }
    }

    fn handle_invite_response(&mut self, status: u16, response: Response, now: Instant) {
        match (&self.state, status) {
            (State::Trying { .. } | State::Proceeding, 100..=199) => {
                self.timers.clear(); // How long it may ring is for the caller to say.
                self.state = State::Proceeding;
                self.tell(response);
            }
            (State::Trying { .. } | State::Proceeding, 200..=299) => {
                self.timers.clear();
                self.timers.set(Timer::M, now + PATIENCE);
                self.state = State::Accepted;
                self.tell(response);
            }
            (State::Trying { .. } | State::Proceeding, _) => {
                let ack: Vec<u8> = self.ack(&response).into();
                self.timers.clear();
                self.timers.set(Timer::D, now + PATIENCE);
                self.outputs.push_back(ClientOutput::Send(ack.clone()));
                self.state = State::Completed { ack: Some(ack) };
                self.tell(response);
            }
            (State::Accepted, 200..=299) => self.tell(response), // Each wants its ACK.
            (State::Completed { ack: Some(ack) }, 300..) => {
                self.outputs.push_back(ClientOutput::Send(ack.clone()))
            }
            _ => {} // A straggler.
        }
    }

    fn handle_other_response(&mut self, status: u16, response: Response, now: Instant) {
        match (&self.state, status) {
            (State::Trying { .. }, 100..=199) => {
                self.state = State::Proceeding;
                self.timers.set(Timer::E, now + T2);
                self.tell(response);
            }
            (State::Proceeding, 100..=199) => self.tell(response),
            (State::Trying { .. } | State::Proceeding, _) => {
                self.timers.clear();
                self.timers.set(Timer::K, now + T4);
                self.state = State::Completed { ack: None };
                self.tell(response);
            }
            _ => {} // A repetition.
        }
    }

    /// The ACK to a refusal: same hop, same branch, the To of the answer (§17.1.1.3).
    fn ack(&self, response: &Response) -> Request {
        let mut headers = Vec::new();
        for header in self.request.headers.iter() {
            match header {
                Header::Via(_)
                | Header::From(_)
                | Header::CallId(_)
                | Header::Route(_)
                | Header::MaxForwards(_) => headers.push(header.clone()),
                Header::To(_) => headers
                    .push(Header::To(rsip::headers::To::new(message::to(response).unwrap_or_default()))),
                Header::CSeq(_) => {
                    let number = message::cseq(&self.request).map_or(0, |(number, _)| number);
                    headers.push(Header::CSeq(rsip::headers::CSeq::new(format!("{number} ACK"))));
                }
                _ => {}
            }
        }
        message::request(Method::Ack, self.request.uri.clone(), headers, None)
    }

    /// The CANCEL of an INVITE: the same hop, branch and number (§9.1).
    pub(super) fn cancel(&self) -> Request {
        let mut headers = Vec::new();
        for header in self.request.headers.iter() {
            match header {
                Header::Via(_)
                | Header::From(_)
                | Header::To(_)
                | Header::CallId(_)
                | Header::Route(_)
                | Header::MaxForwards(_) => headers.push(header.clone()),
                Header::CSeq(_) => {
                    let number = message::cseq(&self.request).map_or(0, |(number, _)| number);
                    headers.push(Header::CSeq(rsip::headers::CSeq::new(format!("{number} CANCEL"))));
                }
                _ => {}
            }
        }
        message::request(Method::Cancel, self.request.uri.clone(), headers, None)
    }

    fn tell(&mut self, response: Response) {
        self.outputs.push_back(ClientOutput::Heard(Box::new(response)));
    }

    /// Time passed.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        while let Some(timer) = self.timers.take_due(now) {
            match (timer, &mut self.state) {
                (Timer::A, State::Trying { resend_in }) => {
                    *resend_in *= 2;
                    self.timers.set(Timer::A, now + *resend_in);
                    self.outputs.push_back(ClientOutput::Send(self.bytes.clone()));
                }
                (Timer::E, State::Trying { resend_in }) => {
                    *resend_in = (*resend_in * 2).min(T2);
                    self.timers.set(Timer::E, now + *resend_in);
                    self.outputs.push_back(ClientOutput::Send(self.bytes.clone()));
                }
                (Timer::E, State::Proceeding) => {
                    self.timers.set(Timer::E, now + T2);
                    self.outputs.push_back(ClientOutput::Send(self.bytes.clone()));
                }
                (Timer::B | Timer::F, State::Trying { .. } | State::Proceeding) => {
                    self.timers.clear();
                    self.state = State::Terminated;
                    self.outputs.push_back(ClientOutput::TimedOut);
                }
                (Timer::D | Timer::K | Timer::M, _) => self.state = State::Terminated,
                _ => {}
            }
        }
    }

    /// When to call [`Client::handle_timeout`] next.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// What to do next.
    pub(super) fn poll_output(&mut self) -> Option<ClientOutput> {
        self.outputs.pop_front()
    }

    /// Something waits to be polled.
    pub(super) fn has_output(&self) -> bool {
        !self.outputs.is_empty()
    }

    /// Forgets the request: nobody waits for its answer any more.
    pub(super) fn abandon(&mut self) {
        self.timers.clear();
        self.outputs.clear();
        self.state = State::Terminated;
    }

    /// Nothing more will come of it.
    pub(super) fn is_over(&self) -> bool {
        self.state == State::Terminated && self.outputs.is_empty()
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
