//! REFER in a dialog, and the subscription that it makes: 202, NOTIFYs, the end (RFC 3515, RFC 6665).
//!
//! Where a REFER may lead is for the rooms above; what never may (another scheme, another host than
//! ours, another method than INVITE) is turned away here, so that we are nobody's open relay.

use std::time::Duration;

use super::build::reason_phrase;
use super::dialog::Dialog;
use super::endpoint::{Due, Endpoint, Source, User};
use super::event::{Event, Referred, SessionId, TurnedAway};
use super::message::Message;
use super::method::Method;
use super::name::Name;
use super::name_addr::NameAddr;
use super::session::{Phase, Session};
use super::transaction::{Key, Machine, NonInviteClient, NonInviteServer};
use super::uri;
use super::writing::reply_to;
use crate::time::{Instant, Now};

/// A subscription lives no longer: long enough to ring, and a refresh does not lengthen it.
const SUBSCRIPTION: Duration = Duration::from_secs(180);
/// Subscriptions of one dialog; a REFER beyond gets 503.
const SUBSCRIPTIONS_MAX: usize = 4;
/// NOTIFYs of one subscription; of what goes beyond, only the last is told.
const NOTIFIES_MAX: u8 = 16;
/// A REFER that nobody above answers is declined after this.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// Dialogs that are kept for their subscriptions after the BYE; beyond, those are dropped unheard.
const ORPHANS_MAX: usize = 1_000;
/// Longest Refer-To and Referred-By, bytes.
const ADDRESS_MAX: usize = 512;

/// One REFER, from its coming to its last NOTIFY. Named by its CSeq (RFC 3515 §2.4.6).
#[derive(Debug)]
pub(super) struct Subscription {
    refer: u32,
    /// A later one of its dialog: NOTIFYs say the id.
    numbered: bool,
    stage: Stage,
    ends: Instant,
}

#[derive(Debug)]
enum Stage {
    /// The rooms above have not said whether they follow it.
    Asked { tx: usize, request: Message },
    /// They do. `told`: status of the last NOTIFY.
    Active { told: u16, notifies: u8 },
}

/// A dialog whose call is over, kept for its subscriptions (RFC 5057 §4.2).
#[derive(Debug)]
pub(super) struct Orphan {
    dialog: Dialog,
    subscriptions: Vec<Subscription>,
}

impl Subscription {
    pub(super) fn ends(&self) -> Instant {
        self.ends
    }
}

/// What is wrong with a REFER.
struct Wrong(u16);

impl Endpoint {
    /// REFER in a dialog. [`Event::Referred`] wants `accept_refer` or `refuse_refer`.
    pub(super) fn handle_refer(&mut self, id: SessionId, refer: Message, key: Key, from: Source, now: Now) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let stands = matches!(session.phase, Phase::Accepted { .. } | Phase::Confirmed);
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

    /// Lends out a dialog with its subscriptions, whether its call goes on or not.
    fn with_subscriptions(
        &mut self,
        id: SessionId,
        act: impl FnOnce(&mut Endpoint, &mut Dialog, &mut Vec<Subscription>),
    ) {
        if let Some(mut session) = self.sessions.remove(&id) {
            let mut subscriptions = std::mem::take(&mut session.subscriptions);
            act(self, &mut session.dialog, &mut subscriptions);
            session.subscriptions = subscriptions;
            self.sessions.insert(id, session);
            self.wake(id);
        } else if let Some(mut orphan) = self.orphans.remove(&id) {
            act(self, &mut orphan.dialog, &mut orphan.subscriptions);
            self.keep_orphan(id, orphan);
        }
    }

    fn keep_orphan(&mut self, id: SessionId, orphan: Orphan) {
        let due = orphan.subscriptions.iter().map(Subscription::ends).min();
        self.agenda.set(&Due::Session(id), due);
        if due.is_some() && self.orphans.len() < ORPHANS_MAX {
            self.orphans.insert(id, orphan);
        }
    }

    /// A session is over by the peer's BYE: whoever referred and hung up is still told how it ends
    /// (RFC 5057 §4.2: the dialog lives until its last usage is over).
    pub(super) fn leave_orphan(&mut self, id: SessionId, session: Session) {
        let mut subscriptions = session.subscriptions;
        subscriptions.retain(|subscription| matches!(subscription.stage, Stage::Active { .. }));
        if !subscriptions.is_empty() {
            self.keep_orphan(id, Orphan { dialog: session.dialog, subscriptions });
        }
    }

    fn notify(
        &mut self,
        id: SessionId,
        dialog: &mut Dialog,
        subscription: &Subscription,
        state: State,
        now: Now,
    ) {
        let Stage::Active { told, .. } = subscription.stage else {
            return;
        };
        let (via, key) = self.branch(dialog.listener, &Method::Notify);
        let seq = dialog.next_seq();
        let event = match subscription.numbered {
            true => format!("refer;id={}", subscription.refer),
            false => "refer".to_owned(),
        };
        let left = subscription.ends.since(now.mono).as_secs();
        let state = match state {
            State::Active => format!("active;expires={left}"),
            State::Over(reason) => format!("terminated;reason={reason}"),
        };
        let draft = self.sign(dialog.draft(&Method::Notify, seq, &via), dialog.listener);
        let body = format!("SIP/2.0 {told} {}\r\n", reason_phrase(told));
        let bytes = draft
            .header("Event", event)
            .header("Subscription-State", state)
            .body("message/sipfrag;version=2.0", body.as_bytes())
            .finish();
        let machine = Machine::NonInviteClient(NonInviteClient::new(bytes, now.mono));
        let user = User::Notify(id, subscription.refer);
        let tx = self.table.insert(key, None, (machine, user, dialog.listener, dialog.destination()));
        self.run(tx, now);
    }

    /// A NOTIFY of ours got 481 or 408, or nothing: nobody listens any more (RFC 6665 §4.2.2).
    pub(super) fn unsubscribed(&mut self, id: SessionId, refer: u32) {
        self.with_subscriptions(id, |_, _, subscriptions| {
            subscriptions.retain(|subscription| subscription.refer != refer);
        });
    }

    /// SUBSCRIBE in a dialog: a referrer refreshes or ends its subscription (RFC 3515 §2.4.4).
    pub(super) fn handle_subscribe(
        &mut self,
        id: SessionId,
        request: &Message,
        key: Key,
        from: Source,
        now: Now,
    ) {
        let Some((b"refer", number)) = event_of(request) else {
            let draft = self.answer_draft(request, from, 489, id).header("Allow-Events", "refer");
            self.serve(request, key, from, 489, draft.finish(), User::Nobody, now);
            return self.turn_away(from, TurnedAway::Unsupported);
        };
        let found = self.sessions.get(&id).and_then(|session| {
            let mut active = session
                .subscriptions
                .iter()
                .filter(|subscription| matches!(subscription.stage, Stage::Active { .. }));
            active.find(|subscription| number.is_none_or(|number| number == subscription.refer))
        });
        let Some((refer, ends)) = found.map(|subscription| (subscription.refer, subscription.ends)) else {
            let bytes = self.answer_draft(request, from, 481, id).finish();
            self.serve(request, key, from, 481, bytes, User::Nobody, now);
            return self.turn_away(from, TurnedAway::OutOfDialog);
        };
        let left = ends.since(now.mono).as_secs();
        let wanted = request.expires().ok().flatten().map_or(left, u64::from).min(left);
        let draft = self.answer_draft(request, from, 200, id).header("Expires", wanted.to_string());
        self.serve(request, key, from, 200, draft.finish(), User::Nobody, now);
        self.with_subscriptions(id, |endpoint, dialog, subscriptions| {
            let Some(place) = subscriptions.iter().position(|subscription| subscription.refer == refer)
            else {
                return;
            };
            let state = if wanted == 0 { State::Over("timeout") } else { State::Active };
            endpoint.notify(id, dialog, &subscriptions[place], state, now);
            if wanted == 0 {
                subscriptions.remove(place);
            }
        });
    }

    /// SUBSCRIBE and NOTIFY that belong to nothing (RFC 6665 §4.1.3, §4.2.1.1): 489 for what we do
    /// not know, 481 for what we do.
    pub(super) fn status_of_stray(request: &Message) -> u16 {
        if matches!(event_of(request), Some((b"refer", _))) { 481 } else { 489 }
    }

    /// Subscriptions whose time is over.
    pub(super) fn handle_subscription_timeout(&mut self, id: SessionId, now: Now) {
        let due = |subscription: &Subscription| subscription.ends <= now.mono;
        let sessions = self.sessions.get(&id).map(|session| &session.subscriptions);
        let all = sessions.or_else(|| self.orphans.get(&id).map(|orphan| &orphan.subscriptions));
        let Some(over) = all.filter(|all| all.iter().any(due)) else {
            return;
        };
        let unanswered: Vec<u32> = over
            .iter()
            .filter(|subscription| due(subscription) && matches!(subscription.stage, Stage::Asked { .. }))
            .map(|subscription| subscription.refer)
            .collect();
        for refer in unanswered {
            self.refuse_refer(id, refer, 603, now);
        }
        self.with_subscriptions(id, |endpoint, dialog, subscriptions| {
            for subscription in subscriptions.iter().filter(|subscription| due(subscription)) {
                endpoint.notify(id, dialog, subscription, State::Over("timeout"), now);
            }
            subscriptions.retain(|subscription| !due(subscription));
        });
    }

    /// Takes back what a session's end leaves unanswered: REFERs that were not decided (RFC 3261 §15.1.2).
    pub(super) fn drop_refers(&mut self, session: &mut Session, now: Now) {
        let asked = |subscription: &mut Subscription| matches!(subscription.stage, Stage::Asked { .. });
        for subscription in session.subscriptions.extract_if(.., asked).collect::<Vec<_>>() {
            let Stage::Asked { tx, request } = subscription.stage else { continue };
            if let Some(peer) = self.table.get_mut(tx).map(|entry| entry.peer) {
                let draft = super::build::Draft::response(&request, peer, 487, None);
                let bytes = self.name(draft, "Server").finish();
                self.respond(tx, 487, bytes, now);
            }
        }
    }
}

/// What Subscription-State says.
enum State {
    Active,
    Over(&'static str),
}

/// Package and id of an Event header.
fn event_of(request: &Message) -> Option<(&[u8], Option<u32>)> {
    let value = request.header(Name::Event)?;
    let end = memchr::memchr(b';', value).unwrap_or(value.len());
    let id = super::scan::Params::of(&value[end..]).find("id").flatten();
    let id = id.and_then(super::scan::number).map(|id| u32::try_from(id).unwrap_or(u32::MAX));
    Some((value[..end].trim_ascii(), id))
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
