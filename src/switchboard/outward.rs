//! What a call wants done, carried to signalling, sound and the queues.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::calling::{is_tls_to, telephone};
use super::{Entry, Output, Switchboard, trunks};
use crate::acd::event::Joining;
use crate::call::{Callee, Command, Input};
use crate::id::{CallId, LegId, QueueId, TrunkId, mask};
use crate::media::Order;
use crate::routing::Plan;
use crate::routing::plan::Peer;
use crate::sip::SessionId;
use crate::sip::event::{
    Brakes, Config, Invite, ListenerConfig, Redirects, SeatAccount, Target, TrunkConfig, WayTo,
};
use crate::sip::sdp::Sdp;
use crate::time::Now;

/// A seat that gives no sign of life for so long is passed over.
const SEAT_CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// Shortest registration, seconds.
const REGISTER_MIN_S: u32 = 60;
/// Longest registration, seconds: a desk that burnt down is noticed within an hour.
const REGISTER_MAX_S: u32 = 3_600;

impl Switchboard {
    pub(super) fn carry_out(&mut self, id: CallId, command: Command, now: Now) {
        let caller = self.legs.get(&LegId::caller(id)).copied();
        match command {
            Command::Relay { number, most, within } => self.relay(id, number, (most, within), now),
            Command::WantPort { leg, callee } => self.give_port(id, leg, &callee),
            Command::FreePort { slot } => self.ports.release(slot),
            Command::Progress { status, sdp } => {
                if let Some(session) = caller {
                    self.endpoint.progress(session, status, sdp.as_ref(), now);
                }
            }
            Command::Answer { sdp } => {
                if let Some(session) = caller {
                    self.endpoint.answer(session, &sdp, now);
                }
            }
            Command::Refuse { status } => {
                if let Some(session) = caller {
                    self.endpoint.refuse(session, status, None, now);
                    self.forget_session(session);
                }
            }
            Command::Invite { leg, callee, offer } => {
                if !self.hold_invite(leg, &callee, &offer, now) {
                    self.invite(id, leg, callee, offer, now);
                }
            }
            Command::HangUp { leg, why } => {
                self.screens.drop_leg(leg);
                if let Some(session) = self.legs.get(&leg).copied() {
                    self.endpoint.hang_up(session, Some(why.value()), now);
                }
            }
            Command::AnswerOffer { leg, sdp } => {
                if let Some(session) = self.legs.get(&leg).copied() {
                    self.endpoint.answer_offer(session, &sdp, now);
                }
            }
            Command::RefuseOffer { leg, status } => {
                if let Some(session) = self.legs.get(&leg).copied() {
                    self.endpoint.refuse_offer(session, status, now);
                }
            }
            Command::RefuseDescription { leg, why } => {
                if let Some(session) = self.legs.get(&leg).copied() {
                    self.endpoint.refuse_description(session, why.warning(), now);
                }
            }
            Command::Probe { leg } => {
                if let Some(session) = self.legs.get(&leg).copied() {
                    self.endpoint.probe(session, now);
                }
            }
            Command::Press { leg, keys } => {
                if let Some(session) = self.legs.get(&leg).copied() {
                    self.endpoint.press(session, &keys, now);
                }
            }
            Command::AcceptRefer { .. }
            | Command::RefuseRefer { .. }
            | Command::NotifyRefer { .. }
            | Command::WantSeat { .. }
            | Command::TakeOver { .. }
            | Command::RefuseTakeOver { .. } => self.carry_out_transfer(id, command, now),
            Command::Sound(order @ Order::Bridge { a, b }) => {
                if let (Some(a), Some(b)) = (self.legs.get(&a), self.legs.get(&b)) {
                    self.endpoint.join(*a, *b);
                }
                self.acd.bridged(id, now.mono);
                self.outputs.push_back(Output::Sound(order));
            }
            Command::Sound(order) => self.outputs.push_back(Output::Sound(order)),
            Command::JoinQueue { queue, first } => self.join(id, queue, first, now),
            Command::KeepPlace => self.keep_place(id, now),
            Command::LeaveQueue => self.leave_queue(id, now),
            Command::Adopt { leg, callee, from } => self.adopt(leg, callee, from, now),
            Command::Reoffer { leg, offer } => {
                if let Some(session) = self.legs.get(&leg).copied() {
                    self.endpoint.reinvite(session, &offer, now);
                }
            }
            Command::SeatAnswered { seat } if self.joins(id, &seat, now) => {}
            Command::SeatAnswered { seat } => {
                if !self.acd.offer_answered(id, &seat, now.mono) {
                    // The offer has just lapsed: that leg is ended, the caller waits on.
                    self.tell_call(id, Input::WithdrawSeat { seat });
                }
            }
            Command::Bridged => self.bridged(id, now),
            Command::OfferFailed { seat, status } => self.offer_failed(id, seat, status, now),
            Command::SeatLeft { seat, vanished } => {
                let own = self.leaves_own_call(id, &seat, vanished, now)
                    || self.leaves_callback(id, &seat, vanished, now);
                if !own {
                    self.seat_left(id, &seat, vanished, now);
                }
            }
            Command::Watching => self.watch_ready(id),
            Command::Watch { call, how } => self.watches(id, call, how, now),
            Command::TakeWatched { call } => self.take_watched(id, call),
            Command::ObserverMayHear => self.observer_may_hear(id),
            Command::ObserverMayNotHear => self.observer_may_not_hear(id, now),
            Command::LookUp { asked, source, by } => {
                self.look_up(id, asked, source, by, now);
            }
            Command::TalkWithBot { talk, leg, bot } => self.talk_with_bot(id, talk, leg, &bot),
            Command::TellBot { talk, digit } => {
                self.outputs.push_back(Output::TellBot { call: id, talk, digit });
            }
            Command::LeaveBot { talk, end } => self.leave_bot(id, talk, end),
            Command::Tell(told) => self.told(id, told, now),
            Command::Over => self.forget_call(id, now),
        }
    }

    pub(super) fn join(&mut self, call: CallId, queue: QueueId, first: bool, now: Now) {
        let first = self.joins_first(call, first);
        let Some(entry) = self.calls.get(&call) else { return };
        let joining = Joining {
            call,
            queue,
            line: entry.line.clone(),
            skills: entry.skills.clone(),
            first,
            priority: entry.priority,
            // Who comes back has lost a clerk, or cannot wait for one.
            sticky: entry.sticky.clone().filter(|_| !first),
        };
        let queue = joining.queue.clone();
        self.acd.join(joining, now.mono);
        self.offer_to_keep(call, &queue);
    }

    fn give_port(&mut self, id: CallId, leg: LegId, callee: &Callee) {
        let way = self.endpoint.way_to(&target(&self.plan, callee, ""));
        let ours = way.and_then(|way| self.listeners.get(way.listener)).map(|listener| listener.advertise);
        let slot = ours.and_then(|_| self.ports.lend());
        let nowhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let (peer, ours) = (way.map_or(nowhere, |way| way.peer.ip()), ours.unwrap_or(nowhere));
        // An INVITE by a trunk may go by any of its ways, with the keys in it.
        let tls_only = is_tls_to(&self.plan, callee);
        let keys = way.filter(|_| tls_only).and_then(|way| self.keys_over(way.listener));
        self.tell_call(id, Input::Port { leg, slot, peer, ours, keys });
    }

    pub(super) fn invite(&mut self, id: CallId, leg: LegId, callee: Callee, offer: Sdp, now: Now) {
        if let Some(status) = self.not_handed_on(id, &callee) {
            return self.tell_call(id, Input::Refused { leg, status });
        }
        let Some(entry) = self.calls.get(&id) else { return };
        let line = &entry.line;
        let (from_user, from_display) = self.shown_to(entry, &callee);
        let telephone = telephone(&callee);
        // One hop less than the caller's own: two engines that call one another come to an end.
        let hops = ("Max-Forwards", entry.max_forwards.saturating_sub(1).to_string());
        let headers = match &telephone {
            Some(_) => vec![hops, ("X-Hotline-Line", line.to_string()), ("X-Hotline-Call", id.to_string())],
            None => vec![hops], // The others are ours alone.
        };
        let mut along = entry.along_with(id, &callee, self.legs.get(&LegId::caller(id)).copied());
        along.signature = entry.signature(&callee);
        let shown = if self.sees_numbers(&callee) { from_user.clone() } else { mask(&from_user).to_string() };
        if shown != from_user || entry.hides(&callee) {
            along.carried = None; // Who forwarded the call, and what the caller's side said of itself.
        }
        let invite = Invite {
            target: target(&self.plan, &callee, &from_user),
            from_user: shown,
            from_display,
            offer: offer.into(),
            headers,
            connect_timeout: SEAT_CONNECT_TIMEOUT,
            emergency: self.is_emergency(&callee),
            redirects: self.redirects(entry, &callee),
            along,
        };
        let way = self.endpoint.way_to(&invite.target);
        match self.endpoint.invite(invite, now) {
            Ok(session) => {
                self.sessions.insert(session, leg);
                self.legs.insert(leg, session);
                self.leg_called(leg, &callee, now);
                match (callee, telephone) {
                    (_, Some(seat)) => self.screens.seat_called(seat, session),
                    (Callee::Peer { trunk, .. }, None) => self.mind_way(leg, session, &trunk, way),
                    (Callee::Seat(_), None) => {}
                }
            }
            Err(_) => self.tell_call(id, Input::Refused { leg, status: 503 }),
        }
    }

    /// Of several trunks that lead there one was taken: the call is told which. Where that is not the
    /// one its port was given for, signalling says so itself.
    fn mind_way(&mut self, leg: LegId, session: SessionId, asked: &TrunkId, way: Option<WayTo>) {
        let Some(trunk) = self.endpoint.trunk_of(session).filter(|trunk| *trunk != asked).cloned() else {
            return;
        };
        if let Some(way) = way {
            self.tell_call(leg.call, Input::Routed { leg, trunk, peer: way.peer.ip(), number: None });
        }
    }

    pub(super) fn forget_call(&mut self, id: CallId, now: Now) {
        self.looking_over(id, false, now);
        self.bot_forgotten(id);
        let Some(mut entry) = self.calls.remove(&id) else { return };
        self.rooms.leave(&entry.line, &mut entry.stay); // One that never got through the door.
        let taken_by = self.watches.taken_by(id).cloned();
        for seat in entry.keeps() {
            if Some(seat) == taken_by.as_ref() {
                // Its clerk wants the call that it listened to, and no other.
                self.acd.seat_spoken_for(seat, now.mono);
            } else {
                self.acd.seat_disengaged(seat, entry.case_of(id, seat), now.mono);
            }
        }
        self.acd.call_over(id);
        self.agenda.set(&id, None);
        self.screens.drop_call(id);
        if entry.answered.is_some() && !entry.standing.is_code {
            self.records.keep_tail(id, &mut entry, now);
        }
        self.watch_over(id, now);
        if let Some(seat) = taken_by {
            self.acd.seat_unclaimed(&seat, now.mono);
        }
    }

    /// Whether whoever is called may see callers' numbers: observers do not.
    fn sees_numbers(&self, callee: &Callee) -> bool {
        let Callee::Seat(seat) = callee else { return true };
        self.plan.seats.get(seat).is_none_or(|seat| seat.role.sees_numbers())
    }

    /// How far whoever is called may send the call on: who is named by the plan anywhere, everybody else
    /// nowhere, or `[calling] allowed` would be theirs to write.
    fn redirects(&self, entry: &Entry, callee: &Callee) -> Redirects {
        let named = |number: &str| self.plan.peer_of(number).is_some();
        match callee {
            Callee::Peer { number, .. } if named(number) && !entry.hides(callee) => Redirects::Any,
            Callee::Peer { .. } | Callee::Seat(_) => Redirects::SameNumber,
        }
    }

    /// Whether the plan has this callee for help in an emergency.
    pub(super) fn is_emergency(&self, callee: &Callee) -> bool {
        let Callee::Peer { trunk, number } = callee else { return false };
        let is_it = |peer: &Peer| peer.number == *number && self.plan.leads(&peer.trunk, trunk);
        self.plan.emergency.values().any(is_it)
    }
}

/// A seat, or the ways to a number with its rewritten forms.
fn target(plan: &Plan, callee: &Callee, caller: &str) -> Target {
    match (telephone(callee), callee) {
        (Some(seat), _) => Target::Seat(seat),
        (None, Callee::Peer { trunk, number }) => Target::Trunk(trunks::routes(plan, trunk, number, caller)),
        (None, Callee::Seat(seat)) => Target::Seat(seat.clone()),
    }
}

/// What signalling needs to know of the plan.
pub(super) fn sip_config(
    plan: &Plan,
    listeners: &[ListenerConfig],
    accounts: Vec<SeatAccount>,
    trunks: Vec<TrunkConfig>,
) -> Config {
    Config {
        listeners: listeners.to_vec(),
        domain: plan.network.domain.clone(),
        seats: accounts,
        trunks,
        register_min_s: REGISTER_MIN_S,
        register_max_s: REGISTER_MAX_S,
        session_expires_s: u32::try_from(plan.network.session_expires.as_secs()).unwrap_or(u32::MAX),
        limits: crate::sip::event::Limits::default(),
        brakes: Brakes {
            guesses: plan.security.guesses,
            guess_span: plan.security.guess_span,
            messages_at_once: plan.security.messages_at_once,
            messages_per_s: plan.security.messages_per_second,
        },
        product: concat!("hotline/", env!("CARGO_PKG_VERSION")).into(),
    }
}
