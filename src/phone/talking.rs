//! A call that stands: its sound agreed and agreed anew, held, transferred and ended
//! (RFC 3261 §§12.2, 14, 15; RFC 3264; RFC 3515).

use std::net::SocketAddr;
use std::time::Duration;

use rsip::headers::UntypedHeader;
use rsip::{Header, Method, Request, Response};

use super::dialog::Dialog;
use super::message::{self, Body};
use super::sdp::{self, Describer, Direction, Media};
use super::wire::{self, Purpose};
use super::{Agreed, Line, Phone, PhoneError, PhoneEvent, Side, Wake};
use crate::time::Instant;

/// Our 2xx to an INVITE has no ACK yet.
pub(super) struct AwaitedAck {
    /// Our 2xx carried an offer: the ACK carries the answer.
    pub offered: bool,
    /// The user hung up meanwhile; BYE has to wait (§15).
    pub hang_up: bool,
}

/// How our own re-INVITE stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Renegotiation {
    None,
    Asked,
    /// The wish changed while the answer was awaited, or a 491 came: ask again later.
    Later,
}

/// A call that stands.
pub(super) struct Talking {
    /// The dialog.
    pub dialog: Dialog,
    /// Their description, narrowed to what is common.
    pub theirs: Option<Media>,
    /// Set while an ACK is missing.
    pub awaited: Option<AwaitedAck>,
    describer: Describer,
    wish: Direction,
    renegotiation: Renegotiation,
    held_by_them: bool,
}

impl Talking {
    /// A call whose sound is not agreed yet.
    pub(super) fn new(dialog: Dialog, describer: Describer) -> Self {
        Talking {
            dialog,
            theirs: None,
            awaited: None,
            describer,
            wish: Direction::SendRecv,
            renegotiation: Renegotiation::None,
            held_by_them: false,
        }
    }
}

impl Phone {
    /// The call is answered.
    pub(super) fn begin_talking(&mut self, talking: Talking, now: Instant) {
        self.line = Line::Talking(Box::new(talking));
        self.wakes.cancel(Wake::Answer);
        self.wakes.cancel(Wake::CancelPatience);
        if let Some(talk) = self.config.hang_up_after {
            self.wakes.set(Wake::HangUp, now + talk);
        }
        if let Some(sound) = &mut self.sound {
            sound.begin(now);
        }
        self.report(PhoneEvent::Answered);
        self.agree_sound();
    }

    /// Hands the agreement to the sound, and tells the user of a hold.
    fn agree_sound(&mut self) {
        let Line::Talking(talking) = &mut self.line else {
            return;
        };
        let Some(theirs) = &talking.theirs else {
            return;
        };
        let open = talking.wish.sends() && theirs.direction.receives();
        if let Some(sound) = &mut self.sound {
            sound.agree(theirs, open);
        }
        let event = theirs.event.filter(|_| self.config.telephone_event.is_some());
        let agreed =
            theirs.codecs.first().map(|codec| Agreed { rtp: theirs.rtp, codec: *codec, event, open });
        // While we hold them, what they say follows from our own wish.
        let held = !theirs.direction.receives();
        let changed = std::mem::replace(&mut talking.held_by_them, held) != held;
        if let (true, Some(agreed)) = (self.config.sound_elsewhere, agreed) {
            self.report(PhoneEvent::SoundAgreed(agreed));
        }
        if changed {
            self.report(PhoneEvent::HeldByThem { on: held });
        }
    }

    /// Ends what the phone is doing, as its state asks.
    pub(super) fn hang_up_now(&mut self, now: Instant) {
        match &mut self.line {
            Line::Idle => {}
            Line::Calling(_) => self.take_back(now),
            Line::Ringing(_) => self.reject_now(480, now),
            Line::Talking(talking) => match &mut talking.awaited {
                Some(awaited) => awaited.hang_up = true,
                None => self.leave(Side::Us, now),
            },
        }
    }

    /// Takes the call off the line; any other state stays.
    fn take_talking(&mut self) -> Option<Box<Talking>> {
        match std::mem::replace(&mut self.line, Line::Idle) {
            Line::Talking(talking) => Some(talking),
            line => {
                self.line = line;
                None
            }
        }
    }

    /// Leaves the call with BYE.
    fn leave(&mut self, by: Side, now: Instant) {
        let Some(talking) = self.take_talking() else {
            return;
        };
        self.end_call(now);
        self.report(PhoneEvent::Ended { by, status: None });
        self.send_bye(talking.dialog, true, now);
    }

    /// Sends BYE; `told` reports its answer to the user.
    pub(super) fn send_bye(&mut self, mut dialog: Dialog, told: bool, now: Instant) {
        self.send_within(&mut dialog, Method::Bye, Vec::new(), None, Purpose::Bye { told }, now);
    }

    /// Sends a request inside a dialog.
    fn send_within(
        &mut self,
        dialog: &mut Dialog,
        method: Method,
        mut extra: Vec<Header>,
        body: Option<Body<'_>>,
        purpose: Purpose,
        now: Instant,
    ) {
        dialog.cseq += 1;
        let via = self.new_via();
        extra.extend(self.credentials(method, &dialog.target().to_string()));
        let request = dialog.request(method, dialog.cseq, via, extra, body);
        self.send(request, dialog.next_hop(self.config.server), purpose, now);
    }

    /// BYE was answered.
    pub(super) fn hear_bye_answer(&mut self, told: bool, status: u16) {
        if told && status >= 200 {
            self.report(PhoneEvent::HangUpAnswered { status: Some(status) });
        }
    }

    /// A request with a To tag, other than ACK and CANCEL.
    pub(super) fn handle_in_dialog(&mut self, source: SocketAddr, request: &Request, now: Instant) {
        if self.handle_early_bye(source, request, now) {
            return;
        }
        let Line::Talking(talking) = &mut self.line else {
            return self.handle_after_end(source, request, now);
        };
        if !talking.dialog.owns(request) {
            return self.handle_after_end(source, request, now);
        }
        let in_order = message::cseq(request).is_some_and(|(number, _)| talking.dialog.hear(number));
        if !in_order {
            return self.reply(request, source, 500, Vec::new(), now);
        }
        match request.method {
            Method::Bye => {
                self.reply(request, source, 200, Vec::new(), now);
                self.end_call(now);
                self.report(PhoneEvent::Ended { by: Side::Them, status: message::reason(&request.headers) });
            }
            Method::Invite => self.handle_reinvite(source, request, now),
            Method::Notify => self.handle_notify(source, request, now),
            Method::Info => self.reply(request, source, 200, Vec::new(), now),
            Method::Options => self.reply(request, source, 200, vec![wire::allow()], now),
            Method::Refer => self.reply(request, source, 603, Vec::new(), now),
            _ => self.reply(request, source, 405, vec![wire::allow()], now),
        }
    }

    /// A BYE that crossed ours finds its dialog gone but is right; anything else has none.
    fn handle_after_end(&mut self, source: SocketAddr, request: &Request, now: Instant) {
        let crossed = request.method == Method::Bye
            && self.pending.iter().any(|pending| {
                matches!(pending.purpose, Purpose::Bye { .. })
                    && message::call_id(&pending.client.request) == message::call_id(request)
            });
        self.reply(request, source, if crossed { 200 } else { 481 }, Vec::new(), now);
    }

    fn handle_reinvite(&mut self, source: SocketAddr, request: &Request, now: Instant) {
        let Line::Talking(talking) = &mut self.line else {
            return;
        };
        if talking.renegotiation == Renegotiation::Asked {
            return self.reply(request, source, 491, Vec::new(), now);
        }
        if talking.awaited.is_some() {
            let after = Header::RetryAfter(rsip::headers::RetryAfter::new("1"));
            return self.reply(request, source, 500, vec![after], now);
        }
        let offer = sdp::parse(&request.body);
        let (text, media) = match &offer {
            None if !request.body.is_empty() => {
                return self.reply(request, source, 488, Vec::new(), now);
            }
            None => (talking.describer.offer(talking.wish), None),
            Some(offer) => match talking.describer.answer(offer, talking.wish) {
                Some((text, media)) => (text, Some(media)),
                None => return self.reply(request, source, 488, Vec::new(), now),
            },
        };
        talking.dialog.refresh(message::contact(request));
        talking.awaited = Some(AwaitedAck { offered: media.is_none(), hang_up: false });
        if media.is_some() {
            talking.theirs = media;
        }
        let tag = talking.dialog.local_tag.clone();
        let headers = vec![self.contact(), wire::allow()];
        self.reply_with(request, source, 200, &tag, headers, Some(Body::sdp(&text)), now);
        self.agree_sound();
    }

    /// The first ACK to a 2xx of ours.
    pub(super) fn hear_ack(&mut self, ack: &Request, now: Instant) {
        let theirs = sdp::parse(&ack.body).map(|media| self.narrowed(media));
        let Line::Talking(talking) = &mut self.line else {
            return;
        };
        if !talking.dialog.owns(ack) {
            return;
        }
        let Some(awaited) = talking.awaited.take() else {
            return;
        };
        if awaited.hang_up {
            return self.leave(Side::Us, now);
        }
        if awaited.offered {
            match theirs {
                Some(theirs) if !theirs.codecs.is_empty() => talking.theirs = Some(theirs),
                _ => return self.leave(Side::Us, now), // No answer to our offer: no sound, no call.
            }
            self.agree_sound();
        }
    }

    /// A 2xx of ours was never acknowledged (§13.3.1.4).
    pub(super) fn hear_no_ack(&mut self, call_id: &str, now: Instant) {
        if matches!(&self.line, Line::Talking(talking) if talking.dialog.call_id == call_id) {
            self.leave(Side::Timeout, now);
        }
    }

    /// Says which way we want the sound, and asks for it.
    pub(super) fn set_wish(&mut self, wish: Direction, now: Instant) {
        let Line::Talking(talking) = &mut self.line else {
            return;
        };
        if std::mem::replace(&mut talking.wish, wish) == wish {
            return;
        }
        match talking.renegotiation {
            Renegotiation::None => self.renegotiate(now),
            Renegotiation::Asked => talking.renegotiation = Renegotiation::Later,
            Renegotiation::Later => {}
        }
    }

    /// Asks for the codecs of the settings.
    pub(super) fn ask_for_codecs(&mut self, now: Instant) {
        let Line::Talking(talking) = &mut self.line else {
            return;
        };
        talking.describer.set_codecs(&self.config.codecs);
        match talking.renegotiation {
            Renegotiation::None => self.renegotiate(now),
            Renegotiation::Asked => talking.renegotiation = Renegotiation::Later,
            Renegotiation::Later => {}
        }
    }

    /// Sends a re-INVITE.
    pub(super) fn renegotiate(&mut self, now: Instant) {
        let (contact, allow) = (self.contact(), wire::allow());
        let Some(mut talking) = self.take_talking() else {
            return;
        };
        if talking.awaited.is_some() {
            // Their INVITE is not over: ours waits its turn.
            talking.renegotiation = Renegotiation::Later;
            self.wakes.set(Wake::Renegotiate, now + Duration::from_millis(200));
        } else {
            let offer = talking.describer.offer(talking.wish);
            talking.renegotiation = Renegotiation::Asked;
            self.send_within(
                &mut talking.dialog,
                Method::Invite,
                vec![contact, allow],
                Some(Body::sdp(&offer)),
                Purpose::Renegotiate,
                now,
            );
        }
        self.line = Line::Talking(talking);
    }

    /// Our re-INVITE was answered.
    pub(super) fn hear_renegotiated(
        &mut self,
        invite: &Request,
        status: u16,
        response: &Response,
        now: Instant,
    ) {
        if status < 200 || status < 300 && self.acknowledge_again(response) {
            return;
        }
        let theirs = sdp::parse(&response.body).map(|media| self.narrowed(media));
        let Line::Talking(talking) = &mut self.line else {
            return self.acknowledge_orphan(invite, status, response);
        };
        if Some(talking.dialog.call_id.as_str()) != message::call_id(invite) {
            return self.acknowledge_orphan(invite, status, response);
        }
        let again =
            std::mem::replace(&mut talking.renegotiation, Renegotiation::None) == Renegotiation::Later;
        match status {
            200..=299 => {
                talking.dialog.refresh(message::contact(response));
                let dialog = talking.dialog.clone();
                if let Some(theirs) = theirs.filter(|theirs| !theirs.codecs.is_empty()) {
                    talking.theirs = Some(theirs);
                }
                self.send_ack(&dialog, invite, None);
                self.agree_sound();
            }
            491 => return self.renegotiate_later(now),
            408 | 481 => return self.leave(Side::Them, now), // The dialog is gone (§12.2.1.2).
            _ => {}
        }
        self.report(PhoneEvent::Renegotiated { status: Some(status) });
        if again {
            self.renegotiate(now);
        }
    }

    /// A 2xx to a re-INVITE of a call that has ended meanwhile.
    fn acknowledge_orphan(&mut self, invite: &Request, status: u16, response: &Response) {
        if let (200..=299, Some(dialog)) = (status, Dialog::of_answer(invite, response)) {
            self.send_ack(&dialog, invite, None);
        }
    }

    /// After a glare, 2.1 to 4 s for the caller, 0 to 2 s for the called (§14.1); who of us two that
    /// is does not matter to a tester, so the dice fall over both.
    fn renegotiate_later(&mut self, now: Instant) {
        let pause = Duration::from_millis(10 * self.dice.below(400));
        if let Line::Talking(talking) = &mut self.line {
            talking.renegotiation = Renegotiation::Later;
        }
        self.wakes.set(Wake::Renegotiate, now + pause);
    }

    /// Our re-INVITE was not answered: the call is over (§14.1).
    pub(super) fn hear_no_renegotiation(&mut self, now: Instant) {
        if matches!(self.line, Line::Talking(_)) {
            self.report(PhoneEvent::Renegotiated { status: None });
            self.leave(Side::Timeout, now);
        }
    }

    /// Sends a REFER.
    pub(super) fn refer_now(&mut self, to: &str, now: Instant) -> Result<(), PhoneError> {
        let target = self.uri_of(to)?;
        let referred_by = format!("<sip:{}@{}>", self.config.user, self.config.domain);
        let headers = vec![
            self.contact(),
            Header::Other("Refer-To".into(), format!("<{target}>")),
            Header::Other("Referred-By".into(), referred_by),
        ];
        let Some(mut talking) = self.take_talking() else {
            return Err(PhoneError::WrongState { state: self.state() });
        };
        self.send_within(&mut talking.dialog, Method::Refer, headers, None, Purpose::Refer, now);
        self.line = Line::Talking(talking);
        Ok(())
    }

    /// REFER was answered.
    pub(super) fn hear_transfer(&mut self, status: u16) {
        self.report(PhoneEvent::Transfer { status: Some(status) });
    }

    /// NOTIFY reports on a REFER with the status line of the new call (RFC 3515 §2.4.5).
    fn handle_notify(&mut self, source: SocketAddr, request: &Request, now: Instant) {
        self.reply(request, source, 200, Vec::new(), now);
        let text = String::from_utf8_lossy(&request.body);
        let status = text
            .strip_prefix("SIP/2.0 ")
            .and_then(|rest| rest.get(..3))
            .and_then(|status| status.parse().ok());
        if let Some(status) = status {
            self.report(PhoneEvent::Transfer { status: Some(status) });
        }
    }
}
