//! How calls are let in: an INVITE outside a dialog, from its way here to its session (RFC 3261 §8.2).
//!
//! What is refused keeps no memory; cheap looks come first.

use std::sync::Arc;

use super::auth::Verdict;
use super::build::Draft;
use super::carried::Carried;
use super::content::{self, Content};
use super::dialog::{Dialog, MAX_FORWARDS};
use super::door::{self, Visitor};
use super::endpoint::{Endpoint, OVERLOAD_RETRY_S, Source, User, role};
use super::event::{Event, Gate, Invited, Origin, TurnedAway};
use super::load::Rank;
use super::message::Message;
use super::method::Method;
use super::name::Name;
use super::platforms::Trail;
use super::refresh::{self, MIN_SE_S};
use super::session::{Phase, Session};
use super::tags::session_of;
use super::transaction::{InviteServer, Key, Machine};
use super::trunk_terms::Unfit;
use super::wire_ref::WireRef;
use super::writing::reply_to;
use crate::time::Now;

/// Retry-After where a trunk has its most calls, seconds: one of them may end at any time.
const TRUNK_RETRY_S: u32 = 5;

impl Endpoint {
    /// A new INVITE: the door, then a session of its own.
    pub(super) fn handle_invite(&mut self, request: Message, key: Key, from: Source, now: Now) {
        let merge = self.merge_key(&request);
        if self.table.is_merged(merge) {
            return self.refuse_plainly(&request, from, 482, &[], TurnedAway::OutOfDialog);
        }
        if matches!(request.max_forwards(), Ok(Some(0))) {
            return self.refuse_plainly(&request, from, 483, &[], TurnedAway::BadRequest);
        }
        let Some((origin, trusted)) = self.admit(&request, from, now) else {
            return;
        };
        if self.came_back(&request) {
            return self.refuse_plainly(&request, from, 482, &[], TurnedAway::OutOfDialog);
        }
        let terms = self.terms_with(Some(&origin));
        match terms.judge(&request) {
            Ok(()) => {}
            Err(Unfit::Requires(tag)) => {
                return self.refuse_plainly(
                    &request,
                    from,
                    420,
                    &[("Unsupported", tag)],
                    TurnedAway::Unsupported,
                );
            }
            Err(Unfit::Lacks(tag)) => {
                return self.refuse_plainly(
                    &request,
                    from,
                    421,
                    &[("Require", tag)],
                    TurnedAway::Unsupported,
                );
            }
        }
        if terms.timer && refresh::is_too_brief(&request) {
            let min = MIN_SE_S.to_string();
            return self.refuse_plainly(&request, from, 422, &[("Min-SE", &min)], TurnedAway::BadRequest);
        }
        let replaces = match self.replaced_by(&request, &origin) {
            Ok(replaces) => replaces,
            Err(status) => {
                return self.refuse_plainly(&request, from, status, &[], TurnedAway::OutOfDialog);
            }
        };
        let offer = match content::content(&request) {
            Content::Nothing => None,
            Content::Sdp(sdp) => Some(sdp),
            Content::Unsupported => {
                let accept = [("Accept", super::multipart::ACCEPT), ("Accept-Encoding", "identity")];
                return self.refuse_plainly(&request, from, 415, &accept, TurnedAway::Unsupported);
            }
            Content::Bad => {
                return self.refuse_plainly(&request, from, 400, &[], TurnedAway::BadRequest);
            }
        };
        if !content::accepts_sdp(&request) {
            return self.refuse_plainly(&request, from, 406, &[], TurnedAway::Unsupported);
        }
        let id = self.draw_session();
        let way = reply_to(&request, from);
        let pinned = matches!(origin, Origin::Seat(_)) || self.is_stream(from.listener);
        let mut dialog = Dialog::of_invite(&request, id, from.listener, from.peer, pinned);
        dialog.uuids.local = self.uuid(id);
        let trying =
            Draft::response(&request, from.peer, 100, None).header("Session-ID", dialog.uuids.value());
        let trying = self.name(trying, "Server").finish();
        let machine = Machine::InviteServer(InviteServer::new(trying));
        let tx = self.table.insert(key, Some(merge), (machine, User::Invited(id), way.listener, way.peer));
        self.run(tx, now);
        if let Origin::Trunk(trunk) = &origin {
            dialog.trunk = Some(trunk.clone());
            self.trunks.enter(trunk);
        }
        let party = Some(origin.clone());
        let invited = Invited {
            session: id,
            replaces,
            carried: Carried::of(&request, trusted).map(Arc::new),
            platforms: Trail::of(&request, trusted),
            caller: door::caller(&request, &origin, trusted),
            from: origin,
            dialled: door::dialled(&request),
            offer,
            reliable: terms.is_reliable(&request),
            max_forwards: request.max_forwards().ok().flatten().unwrap_or(MAX_FORWARDS as u8),
            peer: from.peer,
            listener: from.listener,
            wire_ref: WireRef::of_call_id(request.call_id().unwrap_or_default()).to_string(),
        };
        let phase = Phase::Incoming { tx, request, ring_again: None };
        self.sessions.insert(id, Session { party, terms, ..Session::new(dialog, phase, false) });
        self.tell(Event::Invited(Box::new(invited)));
    }

    /// Who calls, if they may; otherwise they have their answer. Cheap looks come first.
    fn admit(&mut self, request: &Message, from: Source, now: Now) -> Option<(Origin, bool)> {
        let (guard, registrar) = (&self.guard, &self.registrar);
        let visitor = self.door.who(request, from.peer, self.flows.names(from), |user| {
            guard.knows(user).then(|| registrar.flow(user))
        });
        if visitor == Visitor::Stranger {
            self.refuse_plainly(request, from, 403, &[], TurnedAway::UnknownSource);
            return None;
        }
        // It belongs to a call under way.
        let takes_over = request.header(Name::Replaces).is_some();
        match self.gate {
            Gate::Open => {}
            Gate::Draining { .. } if takes_over => {}
            Gate::Draining { retry_after_s } => {
                self.refuse_for(request, from, 503, retry_after_s, TurnedAway::Draining);
                return None;
            }
        }
        let rank = match &visitor {
            Visitor::Trunk(place) if !self.door.trunk(*place).is_some_and(|trunk| trunk.emergency) => {
                Rank::Trunk(*place)
            }
            _ => Rank::Last,
        };
        if !takes_over && !self.load.admits(rank) {
            self.refuse_for(request, from, 503, OVERLOAD_RETRY_S, TurnedAway::Overloaded);
            return None;
        }
        if self.is_full() {
            self.refuse_full(request, from);
            return None;
        }
        match visitor {
            Visitor::Stranger => None,
            Visitor::Trunk(place) => {
                let trunk = self.door.trunk(place)?;
                if self.trunks.is_full(trunk) {
                    self.refuse_for(request, from, 503, TRUNK_RETRY_S, TurnedAway::TrunkFull);
                    return None;
                }
                Some((Origin::Trunk(trunk.trunk.clone()), trunk.trust_identity))
            }
            Visitor::Seat(seat) => match self.check_proof(request, from, now) {
                Verdict::Good(proved) if proved == seat => Some((Origin::Seat(seat), false)),
                Verdict::Good(_) => {
                    self.refuse_plainly(request, from, 403, &[], TurnedAway::BadCredentials);
                    None
                }
                Verdict::Braked(left) => {
                    self.refuse_braked(request, from, left);
                    None
                }
                Verdict::Challenge { stale } => {
                    self.challenge(request, from, stale, None, now);
                    None
                }
                Verdict::Wrong => {
                    self.challenge(request, from, false, Some(TurnedAway::BadCredentials), now);
                    None
                }
            },
        }
    }

    /// Whether an INVITE is one of ours that found its way back: by a Via of ours whose transaction
    /// is under way (sent-by alone may be a stranger's private address), or by its Call-ID and tag.
    fn came_back(&self, request: &Message) -> bool {
        let by_via = request.vias().flatten().any(|via| {
            let ours = |face: &super::writing::Face| face.is_at(via.host(), via.port());
            let branch = via.branch().unwrap_or_default();
            let key = || self.keys.of(role::CLIENT, &[branch, Method::Invite.as_bytes()]);
            self.faces.iter().any(ours) && self.table.find(key()).is_some()
        });
        let from = request.from().ok();
        let own =
            from.as_ref().and_then(|from| session_of(from.tag()?)).and_then(|id| self.sessions.get(&id));
        by_via
            || own.is_some_and(|session| {
                session.is_caller && session.dialog.has_call_id(request.call_id().unwrap_or_default())
            })
    }
}
