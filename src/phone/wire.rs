//! The phone between its machines and the network: transactions begun, fed and emptied, requests
//! sent to the part they are for, challenges answered.

use std::net::SocketAddr;

use rsip::headers::{Authorization, ProxyAuthorization, UntypedHeader};
use rsip::prelude::HasHeaders;
use rsip::{Header, Method, Request, Response};

use super::client::{Client, ClientOutput};
use super::digest::{self, Challenge, Keys};
use super::message::{self, Body};
use super::server::{Server, ServerKey, ServerOutput};
use super::{Line, Output, Phone};
use crate::time::Instant;

/// Server transactions that are remembered; the oldest is forgotten for a new one.
const SERVERS_MAX: usize = 256;
/// ACKs that are remembered for repeated 2xx.
const ACKNOWLEDGED_MAX: usize = 16;
/// Challenges answered for one request: one, and two more for nonces that grew stale.
const CHALLENGES_MAX: u8 = 3;

/// What a request was sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Register {
        expires_s: u32,
    },
    Dial,
    Cancel,
    Renegotiate,
    /// Ends a call; `told` for one that the user knew of.
    Bye {
        told: bool,
    },
    Refer,
}

/// A request on its way.
pub(super) struct Pending {
    pub client: Client,
    pub purpose: Purpose,
    challenges: u8,
}

/// The ACK to a 2xx, sent again whenever that comes again.
pub(super) struct Acknowledged {
    pub call_id: String,
    pub cseq: u32,
    pub remote_tag: String,
    pub to: SocketAddr,
    pub bytes: Vec<u8>,
}

/// The nonce that the server knows us by.
pub(super) struct HeldKeys {
    proxy: bool,
    keys: Keys,
}

impl Phone {
    /// A Via for one new request.
    pub(super) fn new_via(&mut self) -> Header {
        let branch = self.dice.hex(16);
        Header::Via(rsip::headers::Via::new(format!(
            "SIP/2.0/UDP {};rport;branch=z9hG4bK{branch}",
            self.config.sip
        )))
    }

    /// Our Contact.
    pub(super) fn contact(&self) -> Header {
        Header::Contact(rsip::headers::Contact::new(format!(
            "<sip:{}@{}>",
            self.config.user, self.config.sip
        )))
    }

    /// Credentials for a request, while the server's nonce is known.
    pub(super) fn credentials(&mut self, method: Method, uri: &str) -> Option<Header> {
        let password = self.config.password.as_deref()?;
        let held = self.keys.as_mut()?;
        let value =
            held.keys.authorization(&self.config.user, password, &method.to_string(), uri, &mut self.dice);
        Some(if held.proxy {
            Header::ProxyAuthorization(ProxyAuthorization::new(value))
        } else {
            Header::Authorization(Authorization::new(value))
        })
    }

    /// Sends a request; returns its branch.
    pub(super) fn send(
        &mut self,
        request: Request,
        to: SocketAddr,
        purpose: Purpose,
        now: Instant,
    ) -> String {
        self.send_again(request, to, purpose, 0, now)
    }

    fn send_again(
        &mut self,
        request: Request,
        to: SocketAddr,
        purpose: Purpose,
        challenges: u8,
        now: Instant,
    ) -> String {
        let client = Client::start(request, to, now);
        let branch = client.branch().to_owned();
        self.pending.push(Pending { client, purpose, challenges });
        branch
    }

    /// Answers a request; every answer but 100 carries a tag of ours.
    pub(super) fn reply(
        &mut self,
        request: &Request,
        source: SocketAddr,
        status: u16,
        headers: Vec<Header>,
        now: Instant,
    ) {
        let tag = self.dice.hex(10);
        self.reply_with(request, source, status, &tag, headers, None, now);
    }

    /// Answers a request with this tag and body.
    #[allow(clippy::too_many_arguments)] // The parts of one response.
    pub(super) fn reply_with(
        &mut self,
        request: &Request,
        source: SocketAddr,
        status: u16,
        tag: &str,
        headers: Vec<Header>,
        body: Option<Body<'_>>,
        now: Instant,
    ) {
        let Some(key) = key_of(request) else { return };
        let bytes: Vec<u8> = message::response(request, source, status, Some(tag), headers, body).into();
        if let Some(server) = self.servers.iter_mut().find(|server| server.key == key) {
            server.respond(status, bytes, now);
        }
    }

    /// A request with a method that rsip does not know.
    pub(super) fn handle_unknown(&mut self, source: SocketAddr, request: Request, now: Instant) {
        if self.open_server(source, &request) {
            self.reply(&request, source, 501, vec![allow()], now);
        }
    }

    /// A request.
    pub(super) fn handle_request(&mut self, source: SocketAddr, request: Request, now: Instant) {
        if request.method == Method::Ack {
            return self.handle_ack(&request, now);
        }
        if !self.open_server(source, &request) {
            return;
        }
        match (request.method, message::to_tag(&request).is_some()) {
            (Method::Cancel, _) => self.handle_cancel(source, &request, now),
            (Method::Invite, false) => self.handle_invite(source, request, now),
            (Method::Options, false) => self.reply(&request, source, 200, capabilities(), now),
            (_, true) => self.handle_in_dialog(source, &request, now),
            (Method::Bye | Method::Info | Method::Notify | Method::Refer, false) => {
                self.reply(&request, source, 481, Vec::new(), now)
            }
            _ => self.reply(&request, source, 405, vec![allow()], now),
        }
    }

    /// Begins a server transaction; `false` for a repetition, or where the request is too broken to answer.
    fn open_server(&mut self, source: SocketAddr, request: &Request) -> bool {
        let (Some(key), Some(call_id), Some((cseq, _))) =
            (key_of(request), message::call_id(request), message::cseq(request))
        else {
            return false;
        };
        if let Some(server) = self.servers.iter_mut().find(|server| server.key == key) {
            server.handle_again();
            return false;
        }
        if self.servers.len() >= SERVERS_MAX {
            self.servers.pop_front();
        }
        let to = message::response_to(request, source);
        self.servers.push_back(Server::new(key, (call_id.to_owned(), cseq), to));
        true
    }

    fn handle_ack(&mut self, ack: &Request, now: Instant) {
        let (Some((branch, sent_by)), Some(call_id), Some((cseq, _))) =
            (message::via(ack), message::call_id(ack), message::cseq(ack))
        else {
            return;
        };
        let key = ServerKey { branch, sent_by, method: "INVITE".into() };
        let mut accepted = false;
        for server in &mut self.servers {
            if server.is_accepted() && server.dialog_key.1 == cseq && server.dialog_key.0 == call_id {
                accepted |= server.handle_ack(now);
            } else if server.key == key {
                server.handle_ack(now);
            }
        }
        if accepted {
            self.hear_ack(ack, now);
        }
    }

    /// A response.
    pub(super) fn handle_response(&mut self, response: Response, now: Instant) {
        let Some((branch, _)) = message::via(&response) else {
            return;
        };
        let Some((_, method)) = message::cseq(&response) else {
            return;
        };
        if let Some(pending) = self.pending.iter_mut().find(|pending| pending.client.owns(&branch, method)) {
            pending.client.handle_response(response, now);
        }
    }

    /// Empties all machines, which may set others going, until all are quiet.
    pub(super) fn settle(&mut self, now: Instant) {
        // New transactions are added at the end, and none is taken away inside the loop.
        let mut index = 0;
        while index < self.pending.len() {
            match self.pending[index].client.poll_output() {
                Some(ClientOutput::Send(bytes)) => {
                    let to = self.pending[index].client.to;
                    self.outputs.push_back(Output::Sip { to, bytes });
                }
                Some(ClientOutput::Heard(response)) => self.hear(index, &response, now),
                Some(ClientOutput::TimedOut) => self.hear_nothing(self.pending[index].purpose, now),
                None => index += 1,
            }
        }
        self.pending.retain(|pending| !pending.client.is_over());
        let mut index = 0;
        while index < self.servers.len() {
            match self.servers[index].poll_output() {
                Some(ServerOutput::Send(bytes)) => {
                    let to = self.servers[index].to;
                    self.outputs.push_back(Output::Sip { to, bytes });
                }
                Some(ServerOutput::Unacknowledged) => {
                    let (call_id, _) = self.servers[index].dialog_key.clone();
                    self.hear_no_ack(&call_id, now);
                }
                None => index += 1,
            }
        }
        self.servers.retain(|server| !server.is_over());
        self.drain_sound();
        if self.pending.iter().any(|pending| pending.client.has_output()) {
            self.settle(now); // A missing ACK sets off a BYE, and that sets off nothing.
        }
    }

    fn hear(&mut self, index: usize, response: &Response, now: Instant) {
        let status = response.status_code.code();
        let purpose = self.pending[index].purpose;
        if matches!(status, 401 | 407)
            && purpose != Purpose::Cancel
            && self.answer_challenge(index, response, now)
        {
            return;
        }
        match purpose {
            Purpose::Register { expires_s } => self.hear_registrar(expires_s, status, response, now),
            Purpose::Dial => {
                let invite = self.pending[index].client.request.clone();
                self.hear_called(&invite, status, response, now);
            }
            Purpose::Renegotiate => {
                let invite = self.pending[index].client.request.clone();
                self.hear_renegotiated(&invite, status, response, now);
            }
            Purpose::Bye { told } => self.hear_bye_answer(told, status),
            Purpose::Refer => self.hear_transfer(status),
            Purpose::Cancel => {} // The INVITE's own answer counts.
        }
    }

    fn hear_nothing(&mut self, purpose: Purpose, now: Instant) {
        match purpose {
            Purpose::Register { .. } => self.hear_no_registrar(now),
            Purpose::Dial => self.hear_nobody(now),
            Purpose::Renegotiate => self.hear_no_renegotiation(now),
            Purpose::Bye { told: true } => self.report(super::PhoneEvent::HangUpAnswered { status: None }),
            Purpose::Bye { told: false } | Purpose::Cancel => {}
            Purpose::Refer => self.report(super::PhoneEvent::Transfer { status: None }),
        }
    }

    /// Sends the request once more with credentials (RFC 3261 §22.2); `false` where that is vain.
    fn answer_challenge(&mut self, index: usize, response: &Response, now: Instant) -> bool {
        let Some(challenge) = digest::choose(&challenges(response), &self.config.algorithms) else {
            return false;
        };
        let pending = &self.pending[index];
        let (purpose, count, to) = (pending.purpose, pending.challenges, pending.client.to);
        let vain = count > 0 && !challenge.stale || count >= CHALLENGES_MAX;
        if vain || self.config.password.is_none() || self.wants_no_retry(purpose) {
            return false;
        }
        let old = pending.client.request.clone();
        let Some((cseq, _)) = message::cseq(&old) else {
            return false;
        };
        let cseq = cseq + 1;
        self.keys = Some(HeldKeys { proxy: response.status_code.code() == 407, keys: Keys::new(challenge) });
        let via = self.new_via();
        let credentials = self.credentials(old.method, &old.uri.to_string());
        let request = renewed(old, via, cseq, credentials);
        let branch = self.send_again(request, to, purpose, count + 1, now);
        self.note_retry(purpose, branch, cseq);
        true
    }

    /// A call that is being taken back is not tried again.
    fn wants_no_retry(&self, purpose: Purpose) -> bool {
        purpose == Purpose::Dial && !matches!(&self.line, Line::Calling(calling) if !calling.is_taken_back())
    }

    fn note_retry(&mut self, purpose: Purpose, branch: String, cseq: u32) {
        match (purpose, &mut self.line) {
            (Purpose::Register { .. }, _) => self.registration.cseq = cseq,
            (Purpose::Dial, Line::Calling(calling)) => calling.branch = branch,
            (Purpose::Renegotiate | Purpose::Refer, Line::Talking(talking)) => talking.dialog.cseq = cseq,
            _ => {}
        }
    }

    /// Sends an ACK for a 2xx and remembers it for the 2xx's repetitions.
    pub(super) fn acknowledge(&mut self, acknowledged: Acknowledged) {
        self.outputs.push_back(Output::Sip { to: acknowledged.to, bytes: acknowledged.bytes.clone() });
        if self.acknowledged.len() >= ACKNOWLEDGED_MAX {
            self.acknowledged.pop_front();
        }
        self.acknowledged.push_back(acknowledged);
    }

    /// Repeats the ACK to a 2xx that came before; `false` where it is new.
    pub(super) fn acknowledge_again(&mut self, response: &Response) -> bool {
        let (Some(call_id), Some((cseq, _)), Some(tag)) =
            (message::call_id(response), message::cseq(response), message::to_tag(response))
        else {
            return true; // Too broken for an ACK.
        };
        let known = self
            .acknowledged
            .iter()
            .find(|ack| ack.call_id == call_id && ack.cseq == cseq && ack.remote_tag == tag);
        if let Some(ack) = known {
            self.outputs.push_back(Output::Sip { to: ack.to, bytes: ack.bytes.clone() });
        }
        known.is_some()
    }
}

/// What names the transaction of a request.
pub(super) fn key_of(request: &Request) -> Option<ServerKey> {
    let (branch, sent_by) = message::via(request)?;
    let (_, method) = message::cseq(request)?;
    Some(ServerKey { branch, sent_by, method: method.to_ascii_uppercase() })
}

/// `Allow`.
pub(super) fn allow() -> Header {
    Header::Allow(rsip::headers::Allow::new(message::ALLOW))
}

fn capabilities() -> Vec<Header> {
    vec![
        allow(),
        Header::Accept(rsip::headers::Accept::new("application/sdp")),
        Header::UserAgent(message::USER_AGENT.into()),
    ]
}

fn challenges(response: &Response) -> Vec<Challenge> {
    let value = |header: &Header| match header {
        Header::WwwAuthenticate(value) => Challenge::parse(value.value()),
        Header::ProxyAuthenticate(value) => Challenge::parse(value.value()),
        _ => None,
    };
    response.headers().iter().filter_map(value).collect()
}

/// Credentials of an INVITE, for its ACK (RFC 3261 §22.1).
pub(super) fn credentials_of(request: &Request) -> Vec<Header> {
    request
        .headers
        .iter()
        .filter(|header| matches!(header, Header::Authorization(_) | Header::ProxyAuthorization(_)))
        .cloned()
        .collect()
}

/// The same request with a new Via, number and credentials.
fn renewed(mut request: Request, via: Header, cseq: u32, credentials: Option<Header>) -> Request {
    let method = request.method;
    let old: Vec<Header> = std::mem::take(&mut request.headers).into();
    let mut headers = vec![via];
    for header in old {
        match header {
            Header::Via(_) | Header::Authorization(_) | Header::ProxyAuthorization(_) => {}
            Header::CSeq(_) => {
                headers.push(Header::CSeq(rsip::headers::CSeq::new(format!("{cseq} {method}"))));
                headers.extend(credentials.clone());
            }
            other => headers.push(other),
        }
    }
    request.headers = headers.into();
    request
}
