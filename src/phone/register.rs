//! Registration (RFC 3261 §10.2): kept alive at half of its life, by a registrar's leave.

use rsip::headers::{CallId, Expires, MinExpires, UntypedHeader};
use rsip::{Header, Method, Response, Uri};

use super::message;
use super::wire::Purpose;
use super::{Phone, PhoneEvent, Wake};
use crate::id::Dice;
use crate::time::Instant;

/// Longest life that a 423 can make us ask for, seconds.
const EXPIRES_MAX_S: u32 = 86_400;

/// One binding at the registrar.
pub(super) struct Registration {
    call_id: String,
    tag: String,
    /// The number of the last REGISTER.
    pub cseq: u32,
    wish_s: u32,
    stands: bool,
    wanted: bool,
}

impl Registration {
    /// None yet; a life of `wish_s` seconds will be asked for.
    pub(super) fn new(wish_s: u32, dice: &mut Dice) -> Self {
        Registration {
            call_id: dice.hex(16),
            tag: dice.hex(10),
            cseq: 0,
            wish_s,
            stands: false,
            wanted: false,
        }
    }

    /// The registrar has us.
    pub(super) fn stands(&self) -> bool {
        self.stands
    }
}

impl Phone {
    /// Sends a REGISTER for the usual life.
    pub(super) fn register_now(&mut self, now: Instant) {
        self.registration.wanted = true;
        self.send_register(self.registration.wish_s, now);
    }

    /// Sends a REGISTER for no life.
    pub(super) fn unregister_now(&mut self, now: Instant) {
        self.registration.wanted = false;
        self.wakes.cancel(Wake::Register);
        self.send_register(0, now);
    }

    fn send_register(&mut self, expires_s: u32, now: Instant) {
        // One at a time (§10.2): a newer wish replaces one that is still unanswered.
        for pending in &mut self.pending {
            if matches!(pending.purpose, Purpose::Register { .. }) {
                pending.client.abandon();
            }
        }
        self.registration.cseq += 1;
        let name = format!("<sip:{}@{}>", self.config.user, self.config.domain);
        let Ok(uri) = Uri::try_from(format!("sip:{}", self.config.domain)) else {
            self.report(PhoneEvent::RegisterFailed { status: None });
            return;
        };
        let mut headers = vec![
            self.new_via(),
            Header::MaxForwards(Default::default()),
            Header::From(rsip::headers::From::new(format!("{name};tag={}", self.registration.tag))),
            Header::To(rsip::headers::To::new(name)),
            Header::CallId(CallId::new(self.registration.call_id.as_str())),
            Header::CSeq(rsip::headers::CSeq::new(format!("{} REGISTER", self.registration.cseq))),
            self.contact(),
            Header::Expires(Expires::from(expires_s)),
            Header::UserAgent(message::USER_AGENT.into()),
        ];
        headers.extend(self.credentials(Method::Register, &uri.to_string()));
        let request = message::request(Method::Register, uri, headers, None);
        self.send(request, self.config.server, Purpose::Register { expires_s }, now);
    }

    /// The registrar answered.
    pub(super) fn hear_registrar(&mut self, asked_s: u32, status: u16, response: &Response, now: Instant) {
        match status {
            100..=199 => {}
            200..=299 if asked_s == 0 => {
                self.registration.stands = false;
                self.report(PhoneEvent::Unregistered);
            }
            200..=299 => {
                let expires_s = self.granted(response).unwrap_or(asked_s);
                self.registration.stands = true;
                self.wakes
                    .set(Wake::Register, now + std::time::Duration::from_secs(u64::from(expires_s)) / 2);
                self.report(PhoneEvent::Registered { expires_s });
            }
            423 if self.ask_longer(response) => self.register_now(now),
            500..=599 => self.registration_failed(Some(status), true, now),
            _ => self.registration_failed(Some(status), false, now),
        }
    }

    /// The registrar did not answer.
    pub(super) fn hear_no_registrar(&mut self, now: Instant) {
        self.registration_failed(None, true, now);
    }

    fn registration_failed(&mut self, status: Option<u16>, again: bool, now: Instant) {
        self.registration.stands = false;
        self.report(PhoneEvent::RegisterFailed { status });
        if let (true, true, Some(pause)) = (again, self.registration.wanted, self.config.register_again) {
            self.wakes.set(Wake::Register, now + pause);
        }
    }

    /// Takes the registrar's shortest life as ours (§10.2.8); `false` where we asked for that already.
    fn ask_longer(&mut self, response: &Response) -> bool {
        let least = response.headers.iter().find_map(|header| match header {
            Header::MinExpires(least) => MinExpires::value(least).trim().parse::<u32>().ok(),
            _ => None,
        });
        let Some(least) =
            least.filter(|least| (self.registration.wish_s + 1..=EXPIRES_MAX_S).contains(least))
        else {
            return false;
        };
        self.registration.wish_s = least;
        self.registration.wanted
    }

    /// The life granted: that of our own Contact among those listed, else of the whole answer.
    fn granted(&self, response: &Response) -> Option<u32> {
        let ours = format!("sip:{}@{}", self.config.user, self.config.sip);
        let mut whole = None;
        for header in response.headers.iter() {
            match header {
                Header::Contact(contact) => {
                    for entry in contact.value().split(',').filter(|entry| entry.contains(&ours)) {
                        let rest = entry.rsplit_once('>').map_or(entry, |(_, rest)| rest);
                        let param = rest.split(';').find_map(|param| param.trim().strip_prefix("expires="));
                        if let Some(expires_s) = param.and_then(|value| value.trim().parse().ok()) {
                            return Some(expires_s);
                        }
                    }
                }
                Header::Expires(expires) => whole = expires.seconds().ok(),
                _ => {}
            }
        }
        whole
    }
}
