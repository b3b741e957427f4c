//! REFER in a dialog: judged, accepted or refused, and told of (RFC 3515).
//!
//! Where a REFER may lead is for the rooms above; what never may (another scheme, another host than
//! ours, another method than INVITE) is turned away here, so that we are nobody's open relay.

use std::time::Duration;

use super::endpoint::{Endpoint, Source, User};
use super::event::{Event, Referred, SessionId, TurnedAway};
use super::message::Message;
use super::name::Name;
use super::name_addr::NameAddr;
use super::session::Phase;
use super::subscription::{Stage, State, Subscription};
use super::transaction::{Key, Machine, NonInviteServer};
use super::uri;
use super::writing::reply_to;
use crate::time::Now;

/// A subscription lives no longer: long enough to ring, and a refresh does not lengthen it.
const SUBSCRIPTION: Duration = Duration::from_secs(180);
/// Subscriptions of one dialog; a REFER beyond gets 503.
const SUBSCRIPTIONS_MAX: usize = 4;
/// NOTIFYs of one subscription; of what goes beyond, only the last is told.
const NOTIFIES_MAX: u8 = 16;
/// A REFER that nobody above answers is declined after this.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// Longest Refer-To and Referred-By, bytes.
const ADDRESS_MAX: usize = 512;

/// What is wrong with a REFER.
struct Wrong(u16);

impl Endpoint {
    /// REFER in a dialog. [`Event::Referred`] wants `accept_refer` or `refuse_refer`.
    pub(super) fn handle_refer(&mut self, id: SessionId, refer: Message, key: Key, from: Source, now: Now) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let stands = matches!(session.phase, Phase::Accepted { hang_up: None, .. } | Phase::Confirmed);
        let full = session.subscriptions.len() >= SUBSCRIPTIONS_MAX
            || self.table.len() >= self.config.limits.transactions_max;
        let read = match () {
            () if !stands => Err(Wrong(603)),
            () if full => Err(Wrong(503)),
            () => self.read_refer(id, &refer),
        };
        let referred = match read {
            Ok(referred) => referred,
            Err(Wrong(status)) => return self.decline(id, &refer, key, from, status, now),
        };
        let way = reply_to(&refer, from);
        let machine = Machine::NonInviteServer(NonInviteServer::new());
        let tx = self.table.insert(key, None, (machine, User::Nobody, way.listener, way.peer));
        self.run(tx, now);
        if let Some(session) = self.sessions.get_mut(&id) {
            let numbered = std::mem::replace(&mut session.was_referred, true);
            session.subscriptions.push(Subscription {
                refer: referred.refer,
                numbered,
                stage: Stage::Asked { tx, request: refer },
                ends: now.mono + ANSWER_MAX,
            });
        }
        self.wake(id);
        self.tell(Event::Referred(Box::new(referred)));
    }

    fn read_refer(&self, id: SessionId, refer: &Message) -> Result<Referred, Wrong> {
        // RFC 3515 §2.4.2: exactly one; RFC 3892 §2.1: at most one.
        let mut targets = refer.headers(Name::ReferTo);
        let (Some(target), None) = (targets.next(), targets.next()) else {
            return Err(Wrong(400));
        };
        let mut referrers = refer.headers(Name::ReferredBy);
        let referred_by = referrers.next();
        if referrers.next().is_some() || target.len() > ADDRESS_MAX {
            return Err(Wrong(400));
        }
        let target = NameAddr::parse(refer.share(target)).map_err(|_| Wrong(400))?;
        let uri = target.parse_uri().map_err(|_| Wrong(400))?;
        if !uri.is_sip() && !uri.is_tel() {
            return Err(Wrong(603));
        }
        if uri.is_sip() && !self.door.is_ours(uri.host) {
            return Err(Wrong(403));
        }
        if uri.param("method").is_some_and(|method| method != Some(b"INVITE")) {
            return Err(Wrong(403));
        }
        let replaces = match uri.headers.and_then(|headers| header_in(headers, b"Replaces")) {
            None => None,
            Some(value) => Some(self.replaced(&value).map_err(|_| Wrong(603))?),
        };
        let bare = target.uri().split(|byte| *byte == b'?').next().unwrap_or_default();
        Ok(Referred {
            session: id,
            refer: refer.cseq().map_or(0, |cseq| cseq.number),
            target: String::from_utf8_lossy(bare).into_owned(),
            replaces,
            referred_by: referred_by.and_then(|value| passed_on(refer, value)),
        })
    }

    fn decline(&mut self, id: SessionId, refer: &Message, key: Key, from: Source, status: u16, now: Now) {
        let mut draft = self.answer_draft(refer, from, status, id);
        if status == 503 {
            draft = draft.header("Retry-After", "30");
        }
        self.serve(refer, key, from, status, draft.finish(), User::Nobody, now);
        self.turn_away(from, if status == 503 { TurnedAway::Full } else { TurnedAway::BadRequest });
    }

    /// 202 to a REFER, and the first NOTIFY: 100. With `Refer-Sub: false` no NOTIFY is wanted
    /// (RFC 4488 §4).
    pub fn accept_refer(&mut self, id: SessionId, refer: u32, now: Now) {
        let Some((place, tx, request)) = self.asked(id, refer) else {
            return;
        };
        let quiet = request.header_named("Refer-Sub").is_some_and(is_false);
        let extra: &[(&str, &str)] = if quiet { &[("Refer-Sub", "false")] } else { &[] };
        self.respond_for(id, tx, &request, 202, extra, now);
        if let Some(session) = self.sessions.get_mut(&id) {
            if quiet {
                session.subscriptions.remove(place);
            } else if let Some(subscription) = session.subscriptions.get_mut(place) {
                subscription.stage = Stage::Active { told: 0, notifies: 0 };
                subscription.ends = now.mono + SUBSCRIPTION;
            }
        }
        self.wake(id);
        self.notify_refer(id, refer, 100, now);
    }

    /// A refusal of a REFER; nothing is subscribed to.
    pub fn refuse_refer(&mut self, id: SessionId, refer: u32, status: u16, now: Now) {
        let Some((place, tx, request)) = self.asked(id, refer) else {
            return;
        };
        let status = if (400..=699).contains(&status) { status } else { 603 };
        self.respond_for(id, tx, &request, status, &[], now);
        if let Some(session) = self.sessions.get_mut(&id) {
            session.subscriptions.remove(place);
        }
        self.wake(id);
    }

    fn asked(&self, id: SessionId, refer: u32) -> Option<(usize, usize, Message)> {
        let subscriptions = &self.sessions.get(&id)?.subscriptions;
        let place = subscriptions.iter().position(|subscription| subscription.refer == refer)?;
        match &subscriptions[place].stage {
            Stage::Asked { tx, request } => Some((place, *tx, request.clone())),
            Stage::Active { .. } => None,
        }
    }

    /// Tells the referrer how far it has come: a status as our INVITE to the target got it. A final
    /// one ends the subscription (RFC 3515 §2.4.7). The same provisional status is told once.
    pub fn notify_refer(&mut self, id: SessionId, refer: u32, status: u16, now: Now) {
        self.with_subscriptions(id, |endpoint, dialog, subscriptions| {
            let place = subscriptions.iter().position(|subscription| subscription.refer == refer);
            let Some(subscription) = place.and_then(|place| subscriptions.get_mut(place)) else {
                return;
            };
            let Stage::Active { told, notifies } = &mut subscription.stage else {
                return;
            };
            if status < 200 && (*told == status || *notifies >= NOTIFIES_MAX) {
                return;
            }
            *told = status;
            *notifies = notifies.saturating_add(1);
            let state = if status < 200 { State::Active } else { State::Over("noresource") };
            endpoint.notify(id, dialog, subscription, state, now);
            if status >= 200 {
                subscriptions.retain(|subscription| subscription.refer != refer);
            }
        });
    }
}

fn is_false(value: &[u8]) -> bool {
    value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii().eq_ignore_ascii_case(b"false")
}

/// Referred-By as it is passed on. A token in a body (`cid`, RFC 3892 §2.2) is not passed on, so
/// neither is what points at it.
fn passed_on(refer: &Message, value: &[u8]) -> Option<String> {
    let address = NameAddr::parse(refer.share(value)).ok().filter(|_| value.len() <= ADDRESS_MAX)?;
    address.parse_uri().ok().filter(uri::Uri::is_sip)?;
    Some(format!("<{}>", String::from_utf8_lossy(address.uri())))
}

/// A header in a URI, its escapes taken off (RFC 3261 §19.1.1).
fn header_in(headers: &[u8], wanted: &[u8]) -> Option<Vec<u8>> {
    headers.split(|byte| *byte == b'&').find_map(|header| {
        let equals = memchr::memchr(b'=', header)?;
        header[..equals]
            .eq_ignore_ascii_case(wanted)
            .then(|| uri::unescape(&header[equals + 1..]).into_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_in_a_uri_loses_its_escapes() {
        let headers = b"Subject=x&replaces=a%40b%3Bto-tag%3D1%3bfrom-tag%3D2%";
        assert_eq!(header_in(headers, b"Replaces").unwrap(), b"a@b;to-tag=1;from-tag=2%");
        assert_eq!(header_in(headers, b"Route"), None);
    }
}
