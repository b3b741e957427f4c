//! Subscriptions that REFERs make: their NOTIFYs, their time, and the dialogs that they outlive
//! (RFC 3515, RFC 6665, RFC 5057).

use super::build::{Draft, reason_phrase};
use super::dialog::Dialog;
use super::endpoint::{Due, Endpoint, Source, User};
use super::event::{SessionId, TurnedAway};
use super::message::Message;
use super::method::Method;
use super::name::Name;
use super::session::Session;
use super::transaction::Key;
use crate::time::{Instant, Now};

/// Dialogs that are kept for their subscriptions after the BYE; beyond, those are dropped unheard.
const ORPHANS_MAX: usize = 1_000;

/// One REFER, from its coming to its last NOTIFY. Named by its CSeq (RFC 3515 §2.4.6).
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) refer: u32,
    /// A later one of its dialog: NOTIFYs say the id.
    pub(super) numbered: bool,
    pub(super) stage: Stage,
    pub(super) ends: Instant,
}

/// How far it has come.
#[derive(Debug)]
pub(super) enum Stage {
    /// The rooms above have not said whether they follow it.
    Asked { tx: usize, request: Message },
    /// They do. `told`: status of the last NOTIFY.
    Active { told: u16, notifies: u8 },
}

/// A dialog whose call is over, kept for its subscriptions (RFC 5057 §4.2).
#[derive(Debug)]
pub(super) struct Orphan {
    pub(super) dialog: Dialog,
    subscriptions: Vec<Subscription>,
}

impl Subscription {
    pub(super) fn ends(&self) -> Instant {
        self.ends
    }
}

impl Endpoint {
    /// Lends out a dialog with its subscriptions, whether its call goes on or not.
    pub(super) fn with_subscriptions(
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
        let due = due.filter(|_| self.orphans.len() < ORPHANS_MAX);
        self.agenda.set(&Due::Session(id), due);
        if due.is_some() {
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

    pub(super) fn notify(
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
        let event = match subscription.numbered {
            true => format!("refer;id={}", subscription.refer),
            false => "refer".to_owned(),
        };
        let left = subscription.ends.since(now.mono).as_secs();
        let state = match state {
            State::Active => format!("active;expires={left}"),
            State::Over(reason) => format!("terminated;reason={reason}"),
        };
        let body = format!("SIP/2.0 {told} {}\r\n", reason_phrase(told));
        let finish = |draft: Draft| {
            draft
                .header("Event", event)
                .header("Subscription-State", state)
                .body("message/sipfrag;version=2.0", body.as_bytes())
        };
        self.ask(dialog, &Method::Notify, User::Notify(id, subscription.refer), finish, now);
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
                let draft = Draft::response(&request, peer, 487, None);
                let bytes = self.name(draft, "Server").finish();
                self.respond(tx, 487, bytes, now);
            }
        }
    }
}

/// What Subscription-State says.
pub(super) enum State {
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
