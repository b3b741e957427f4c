//! Calls that come in (RFC 3261 §13.3), up to our answer, and their CANCEL (§9.2).

use std::net::SocketAddr;

use rsip::headers::{Unsupported, UntypedHeader};
use rsip::{Header, Method, Request};

use super::dialog::Dialog;
use super::message::{self, Body};
use super::sdp::{self, Describer, Direction, Media};
use super::server::ServerKey;
use super::talking::{AwaitedAck, Talking};
use super::wire;
use super::{Answers, Line, Phone, PhoneEvent, Side, Wake};
use crate::time::Instant;

/// A call that rings here.
pub(super) struct Ringing {
    request: Request,
    source: SocketAddr,
    tag: String,
    describer: Describer,
    /// `None` where the caller leaves the offer to us.
    offer: Option<Media>,
}

impl Phone {
    /// An INVITE for a new call.
    pub(super) fn handle_invite(&mut self, source: SocketAddr, request: Request, now: Instant) {
        if let Some(required) = required(&request) {
            let unsupported = Header::Unsupported(Unsupported::new(required));
            return self.reply(&request, source, 420, vec![unsupported], now);
        }
        let resting = self.busy_until.is_some_and(|until| now < until);
        if !matches!(self.line, Line::Idle) || resting {
            return self.reply(&request, source, 486, Vec::new(), now);
        }
        if message::contact(&request).is_none() || message::from(&request).is_none() {
            return self.reply(&request, source, 400, Vec::new(), now);
        }
        let offer = sdp::parse(&request.body);
        let unusable = match &offer {
            Some(offer) => !offer.codecs.iter().any(|(_, codec)| self.config.codecs.contains(codec)),
            None => !request.body.is_empty(),
        };
        if unusable {
            return self.reply(&request, source, 488, Vec::new(), now);
        }
        self.report(PhoneEvent::IncomingCall {
            from: message::from(&request).unwrap_or_default().to_owned(),
            to: message::to(&request).unwrap_or_default().to_owned(),
            headers: message::for_the_user(&request),
        });
        let describer = self.new_describer();
        let tag = self.dice.hex(10);
        self.new_sound();
        self.line = Line::Ringing(Box::new(Ringing { request, source, tag, describer, offer }));
        self.follow_manners(now);
    }

    fn follow_manners(&mut self, now: Instant) {
        match self.config.answers {
            Answers::After(pause) if pause.is_zero() => self.answer_now(now),
            Answers::After(pause) => {
                self.ring(now);
                self.wakes.set(Wake::Answer, now + pause);
            }
            Answers::Never | Answers::Manual => self.ring(now),
            Answers::Busy => self.reject_now(486, now),
            Answers::Reject(status) => self.reject_now(status, now),
        }
    }

    fn ring(&mut self, now: Instant) {
        let Line::Ringing(ringing) = &self.line else {
            return;
        };
        let (request, source, tag) = (ringing.request.clone(), ringing.source, ringing.tag.clone());
        let headers = vec![self.contact(), wire::allow()];
        self.reply_with(&request, source, 180, &tag, headers, None, now);
    }

    /// Takes the call off the line; any other state stays.
    fn take_ringing(&mut self) -> Option<Box<Ringing>> {
        match std::mem::replace(&mut self.line, Line::Idle) {
            Line::Ringing(ringing) => Some(ringing),
            line => {
                self.line = line;
                None
            }
        }
    }

    /// 200, with our answer or, where the caller left it to us, our offer.
    pub(super) fn answer_now(&mut self, now: Instant) {
        let Some(ringing) = self.take_ringing() else {
            return;
        };
        let Ringing { request, source, tag, mut describer, offer } = *ringing;
        let first_cseq = 1 + self.dice.below(1_000) as u32;
        let agreed = match &offer {
            Some(offer) => {
                describer.answer(offer, Direction::SendRecv).map(|(text, media)| (text, Some(media)))
            }
            None => Some((describer.offer(Direction::SendRecv), None)),
        };
        let (Some(dialog), Some((text, media))) = (Dialog::of_invite(&request, &tag, first_cseq), agreed)
        else {
            // Both were looked at when the call came in.
            self.end_call(now);
            return self.reply(&request, source, 488, Vec::new(), now);
        };
        let headers = vec![self.contact(), wire::allow(), Header::UserAgent(message::USER_AGENT.into())];
        self.reply_with(&request, source, 200, &tag, headers, Some(Body::sdp(&text)), now);
        let mut talking = Talking::new(dialog, describer);
        talking.awaited = Some(AwaitedAck { offered: media.is_none(), hang_up: false });
        talking.theirs = media;
        self.begin_talking(talking, now);
    }

    /// Refuses the call that rings.
    pub(super) fn reject_now(&mut self, status: u16, now: Instant) {
        let Some(ringing) = self.take_ringing() else {
            return;
        };
        let status = status.clamp(300, 699);
        self.reply_with(&ringing.request, ringing.source, status, &ringing.tag, Vec::new(), None, now);
        self.end_call(now);
        self.report(PhoneEvent::Ended { by: Side::Us, status: Some(status) });
    }

    /// CANCEL: 200 to itself and 487 to its INVITE, where that is still open.
    pub(super) fn handle_cancel(&mut self, source: SocketAddr, cancel: &Request, now: Instant) {
        let invite = wire::key_of(cancel).map(|key| ServerKey { method: "INVITE".into(), ..key });
        let known = self.servers.iter().any(|server| Some(&server.key) == invite.as_ref());
        self.reply(cancel, source, if known { 200 } else { 481 }, Vec::new(), now);
        let Line::Ringing(ringing) = &self.line else {
            return;
        };
        if wire::key_of(&ringing.request) == invite {
            self.lose_ringing(message::reason(&cancel.headers).unwrap_or(487), now);
        }
    }

    /// BYE inside a call that still rings (§15.1.2).
    pub(super) fn handle_early_bye(&mut self, source: SocketAddr, request: &Request, now: Instant) -> bool {
        let Line::Ringing(ringing) = &self.line else {
            return false;
        };
        let ours = message::call_id(request) == message::call_id(&ringing.request)
            && message::to_tag(request).as_deref() == Some(&ringing.tag);
        if !ours || request.method != Method::Bye {
            return false;
        }
        self.reply(request, source, 200, Vec::new(), now);
        self.lose_ringing(487, now);
        true
    }

    /// The caller gave up: 487 to the INVITE; `cause` is for the user.
    fn lose_ringing(&mut self, cause: u16, now: Instant) {
        let Some(ringing) = self.take_ringing() else {
            return;
        };
        self.reply_with(&ringing.request, ringing.source, 487, &ringing.tag, Vec::new(), None, now);
        self.end_call(now);
        self.report(PhoneEvent::Ended { by: Side::Them, status: Some(cause) });
    }
}

/// What the request demands; we have no extension to offer (§8.2.2.3).
fn required(request: &Request) -> Option<String> {
    request.headers.iter().find_map(|header| match header {
        Header::Require(list) => Some(list.value().to_owned()),
        _ => None,
    })
}
