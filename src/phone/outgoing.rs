//! Calls that we place (RFC 3261 §13.2), up to their answer, with CANCEL (§9.1) and forks.

use rsip::headers::{CallId, UntypedHeader};
use rsip::{Header, Method, Request, Response, Uri};

use super::client::PATIENCE;
use super::dialog::Dialog;
use super::message::{self, Body};
use super::sdp::{self, Describer, Direction};
use super::talking::Talking;
use super::wire::{self, Acknowledged, Purpose};
use super::{Dial, Line, Phone, PhoneError, PhoneEvent, Side, Wake};
use crate::time::Instant;

/// A call that is not answered yet.
pub(super) struct Calling {
    call_id: String,
    /// The branch of the INVITE under way: a challenge makes a new one.
    pub branch: String,
    describer: Describer,
    progressed: bool,
    taking_back: TakingBack,
}

#[derive(Clone, Copy, PartialEq)]
enum TakingBack {
    No,
    /// CANCEL waits for a provisional answer (§9.1).
    Wanted,
    Sent,
}

impl Calling {
    /// The user hung up.
    pub(super) fn is_taken_back(&self) -> bool {
        self.taking_back != TakingBack::No
    }
}

impl Phone {
    /// Sends an INVITE.
    pub(super) fn dial_now(&mut self, dial: Dial, now: Instant) -> Result<(), PhoneError> {
        if !matches!(self.line, Line::Idle) {
            return Err(PhoneError::WrongState { state: self.state() });
        }
        let uri = self.uri_of(&dial.to)?;
        let extra = extra_headers(&dial)?;
        let mut describer = self.new_describer();
        let call_id = self.dice.hex(16) + &self.dice.hex(16);
        let mut headers = vec![
            self.new_via(),
            Header::MaxForwards(Default::default()),
            Header::From(rsip::headers::From::new(self.caller_line(&dial))),
            Header::To(rsip::headers::To::new(format!("<{uri}>"))),
            Header::CallId(CallId::new(call_id.as_str())),
            Header::CSeq(rsip::headers::CSeq::new("1 INVITE")),
            self.contact(),
            wire::allow(),
            Header::UserAgent(message::USER_AGENT.into()),
        ];
        headers.extend(self.credentials(Method::Invite, &uri.to_string()));
        headers.extend(extra);
        let offer = (!dial.late_offer).then(|| describer.offer(Direction::SendRecv));
        let request = message::request(Method::Invite, uri, headers, offer.as_deref().map(Body::sdp));
        self.new_sound();
        let branch = self.send(request, self.config.server, Purpose::Dial, now);
        self.line = Line::Calling(Box::new(Calling {
            call_id,
            branch,
            describer,
            progressed: false,
            taking_back: TakingBack::No,
        }));
        Ok(())
    }

    /// A user in our domain, or a whole URI.
    pub(super) fn uri_of(&self, to: &str) -> Result<Uri, PhoneError> {
        let text = if to.contains(':') { to.to_owned() } else { format!("sip:{to}@{}", self.config.domain) };
        let bad = || PhoneError::BadUri { uri: to.to_owned() };
        if !text.starts_with("sip:") || text.contains(|c: char| c.is_whitespace() || "<>\"".contains(c)) {
            return Err(bad());
        }
        Uri::try_from(text.as_str()).map_err(|_| bad())
    }

    fn caller_line(&mut self, dial: &Dial) -> String {
        let user = dial.from_user.as_deref().unwrap_or(&self.config.user);
        let display = dial.from_display.as_ref().or(self.config.display_name.as_ref());
        let display = display
            .map_or(String::new(), |name| format!("\"{}\" ", name.replace(['"', '\\', '\r', '\n', '<'], "")));
        let tag = self.dice.hex(10);
        format!("{display}<sip:{user}@{}>;tag={tag}", self.config.domain)
    }

    /// An answer to our INVITE.
    pub(super) fn hear_called(&mut self, invite: &Request, status: u16, response: &Response, now: Instant) {
        match status {
            100..=199 => self.hear_progress(invite, status, response, now),
            200..=299 => self.hear_accepted(invite, response, now),
            _ => self.hear_refused(invite, status, response, now),
        }
    }

    /// Our call, if `invite` is its INVITE.
    fn calling_of(&mut self, invite: &Request) -> Option<&mut Calling> {
        match &mut self.line {
            Line::Calling(calling) if message::call_id(invite) == Some(&calling.call_id) => Some(calling),
            _ => None,
        }
    }

    fn hear_progress(&mut self, invite: &Request, status: u16, response: &Response, now: Instant) {
        let early_media = sdp::parse(&response.body).is_some();
        let Some(calling) = self.calling_of(invite) else {
            return;
        };
        calling.progressed = true;
        let wanted = calling.taking_back == TakingBack::Wanted;
        self.report(PhoneEvent::Ringing { status, early_media });
        if wanted {
            self.cancel(now);
        }
    }

    fn hear_refused(&mut self, invite: &Request, status: u16, response: &Response, now: Instant) {
        let Some(calling) = self.calling_of(invite) else {
            return;
        };
        let taken_back = calling.is_taken_back();
        self.end_call(now);
        if taken_back {
            self.report(PhoneEvent::Ended { by: Side::Us, status: Some(status) });
        } else {
            self.report(PhoneEvent::Refused {
                status,
                retry_after_s: message::retry_after(&response.headers),
            });
        }
    }

    /// A 2xx: the first makes the call; each further fork, and one that crossed our CANCEL, is let
    /// go by BYE after its ACK (§13.2.2.4).
    fn hear_accepted(&mut self, invite: &Request, response: &Response, now: Instant) {
        if self.acknowledge_again(response) {
            return;
        }
        let Some(dialog) = Dialog::of_answer(invite, response) else {
            return;
        };
        let theirs = sdp::parse(&response.body).map(|media| self.narrowed(media));
        let Some(taken_back) = self.calling_of(invite).map(|calling| calling.is_taken_back()) else {
            self.send_ack(&dialog, invite, None); // A late offer wants an answer, but BYE is next.
            return self.send_bye(dialog, false, now);
        };
        let Line::Calling(calling) = std::mem::replace(&mut self.line, Line::Idle) else {
            return;
        };
        let mut describer = calling.describer;
        let late_offer = invite.body.is_empty();
        let agreed = match theirs {
            Some(theirs) if late_offer => describer.answer(&theirs, Direction::SendRecv),
            Some(theirs) if !theirs.codecs.is_empty() => Some((String::new(), theirs)),
            _ => None,
        };
        let answer = agreed.as_ref().map(|(text, _)| text.as_str()).filter(|text| !text.is_empty());
        self.send_ack(&dialog, invite, answer);
        match agreed {
            Some((_, media)) if !taken_back => {
                let mut talking = Talking::new(dialog, describer);
                talking.theirs = Some(media);
                self.begin_talking(talking, now);
            }
            agreed => {
                // Taken back, or without a codec that both know.
                let status = if agreed.is_none() { Some(488) } else { None };
                self.end_call(now);
                self.report(PhoneEvent::Ended { by: Side::Us, status });
                self.send_bye(dialog, true, now);
            }
        }
    }

    /// The ACK to a 2xx, a request of its own in the dialog.
    pub(super) fn send_ack(&mut self, dialog: &Dialog, invite: &Request, answer: Option<&str>) {
        let cseq = message::cseq(invite).map_or(dialog.cseq, |(number, _)| number);
        let via = self.new_via();
        let ack = dialog.request(Method::Ack, cseq, via, wire::credentials_of(invite), answer.map(Body::sdp));
        self.acknowledge(Acknowledged {
            call_id: dialog.call_id.clone(),
            cseq,
            remote_tag: dialog.remote_tag.clone(),
            to: dialog.next_hop(self.config.server),
            bytes: ack.into(),
        });
    }

    /// The other side's description, with those codecs only that we know.
    pub(super) fn narrowed(&self, mut media: sdp::Media) -> sdp::Media {
        media.codecs.retain(|(_, codec)| self.config.codecs.contains(codec));
        media.event = self.config.telephone_event.and(media.event);
        media
    }

    /// Nobody answered our INVITE.
    pub(super) fn hear_nobody(&mut self, now: Instant) {
        if matches!(self.line, Line::Calling(_)) {
            self.end_call(now);
            self.report(PhoneEvent::Ended { by: Side::Timeout, status: None });
        }
    }

    /// The user hung up before the answer.
    pub(super) fn take_back(&mut self, now: Instant) {
        let Line::Calling(calling) = &mut self.line else {
            return;
        };
        if calling.taking_back != TakingBack::No {
            return;
        }
        calling.taking_back = TakingBack::Wanted;
        if calling.progressed {
            self.cancel(now);
        }
    }

    fn cancel(&mut self, now: Instant) {
        let Line::Calling(calling) = &mut self.line else {
            return;
        };
        let Some(invite) = self.pending.iter().find(|pending| pending.client.owns(&calling.branch, "INVITE"))
        else {
            return;
        };
        calling.taking_back = TakingBack::Sent;
        let (request, to) = (invite.client.cancel(), invite.client.to);
        self.send(request, to, Purpose::Cancel, now);
        self.wakes.set(Wake::CancelPatience, now + PATIENCE);
    }

    /// The cancelled INVITE was never answered (§9.1).
    pub(super) fn give_up_cancel(&mut self, now: Instant) {
        let Line::Calling(calling) = &self.line else {
            return;
        };
        if let Some(invite) =
            self.pending.iter_mut().find(|pending| pending.client.owns(&calling.branch, "INVITE"))
        {
            invite.client.abandon();
        }
        self.end_call(now);
        self.report(PhoneEvent::Ended { by: Side::Timeout, status: None });
    }
}

fn extra_headers(dial: &Dial) -> Result<Vec<Header>, PhoneError> {
    let sound = |text: &str| !text.contains(['\r', '\n']);
    let read = |(name, value): &(String, String)| {
        let token = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte));
        if token && sound(value) {
            Ok(Header::Other(name.clone(), value.clone()))
        } else {
            Err(PhoneError::BadHeader { name: name.clone() })
        }
    };
    dial.headers.iter().map(read).collect()
}
