//! Facts of signalling and sound, taken to the call that they are about; and the door of new calls.

use super::callers::{CENTER_CALLS_MAX, Treatment};
use super::platforms::HandedOver;
use super::recording::millis;
use super::{Drain, Entry, Output, RETRY_AFTER_S, StoreJob, Switchboard, What, transfers};
use std::net::IpAddr;

use crate::call::negotiate::{Disagreement, KeySeed, Terms};
use crate::call::{Call, Input, Missing, Setup};
use crate::id::{CallId, LegId, TrunkId, mask};
use crate::media;
use crate::routing::meeting::{Comer, SEATS};
use crate::routing::number::Dialled;
use crate::routing::peers::Refused;
use crate::routing::plan::{DialledFrom, Flow, Line, LineMode, Step};
use crate::routing::script::PERSON_KEY;
use crate::routing::trunk_terms::TrunkTerms;
use crate::routing::watching::NoWatch;
use crate::sip::event::{EndCause, Event, Invited, Origin};
use crate::sip::{self, SessionId};
use crate::switchboard::fact::Room;
use crate::time::Now;

/// Calls of its own that one seat's telephone has at once; the next is busy. Whoever has stolen its password
/// fills no trunk with calls.
const OWN_CALLS_MAX: u32 = 4;
/// Digits of a pick-up code behind its first.
const PICKUP_MORE: usize = 5;
/// What who comes to a full room is told.
const ROOM_FULL: &str = "The meeting room is full";

impl Switchboard {
    pub(super) fn endpoint_told(&mut self, output: sip::Output, now: Now) {
        match output {
            sip::Output::Send(packet) => self.outputs.push_back(Output::Packet(packet)),
            sip::Output::SaveBinding { seat, binding } => {
                self.records.push(StoreJob::Binding { seat, binding });
            }
            sip::Output::Event(event) => self.signalled(event, now),
        }
    }

    fn signalled(&mut self, event: Event, now: Now) {
        match event {
            Event::Invited(invited) => self.invited(*invited, now),
            Event::InviteSent { session, to, wire_ref } => {
                if let Some(leg) = self.sessions.get(&session) {
                    self.outputs.push_back(Output::OnWire { call: leg.call, party: to, wire_ref });
                }
            }
            Event::Progressed { session, sdp, .. } => {
                self.tell_leg(session, |leg| Input::Progressed { leg, sdp })
            }
            Event::Answered { session, sdp } => self.tell_leg(session, |leg| Input::Answered { leg, sdp }),
            Event::Refused { session, status } => {
                self.tell_leg(session, |leg| Input::Refused { leg, status });
                self.forget_session(session);
            }
            Event::Cancelled { session } => {
                self.tell_leg(session, |_| Input::Cancelled);
                self.forget_session(session);
            }
            Event::Confirmed { session, sdp } => self.tell_leg(session, |leg| Input::Confirmed { leg, sdp }),
            Event::Agreed { session, sdp } => self.tell_leg(session, |leg| Input::Agreed { leg, sdp }),
            Event::Reoffered { session, offer } => {
                self.tell_leg(session, |leg| Input::Reoffered { leg, offer })
            }
            // Our re-INVITEs are for dialogs that were adopted.
            Event::OfferTaken { session, sdp } => self.tell_leg(session, |leg| Input::Answered { leg, sdp }),
            Event::OfferRefused { session, status } => {
                self.tell_leg(session, |leg| Input::Refused { leg, status });
            }
            Event::Alive { session } => self.tell_leg(session, |leg| Input::Alive { leg }),
            Event::Ended { session, cause } => {
                let vanished = match cause {
                    EndCause::Gone | EndCause::NoAck | EndCause::NoPrack | EndCause::Expired => true,
                    EndCause::Bye | EndCause::HungUp => false,
                };
                if cause == EndCause::Bye {
                    self.reason_stands(session);
                }
                self.tell_leg(session, |leg| Input::Ended { leg, vanished });
                self.forget_session(session);
            }
            Event::Digit { session, digit } => self.tell_leg(session, |leg| Input::DigitTold { leg, digit }),
            Event::KeysRefused { session, trunk, status, keys, first } => {
                if let (Some(trunk), true) = (trunk, first) {
                    let status = status.unwrap_or_default();
                    tracing::warn!(
                        "中继 {trunk} 不接受 INFO 按键（状态 {status}，0 为没有应答），改用带内音：请核对它的 dtmf / trunk {trunk} \
                         takes no keys by INFO (status {status}; 0: no answer), and they go as tones: look at its dtmf"
                    );
                }
                self.tell_leg(session, |leg| Input::KeysRefused { leg, keys });
            }
            Event::Referred(referred) => self.referred(*referred, now),
            Event::ReasonGiven { session, reason } => self.reason_given(session, reason),
            Event::Registered { seat, refreshed } => {
                tracing::info!(%seat, refreshed, "seat registered");
                self.acd.seat_registered(&seat, now.mono);
            }
            Event::Unregistered { seat } => {
                tracing::info!(%seat, "seat gone");
                self.acd.seat_unregistered(&seat, now.mono);
            }
            Event::Routed { session, trunk, peer, number } => {
                tracing::debug!(%trunk, %peer, ?number, "a call goes by another way");
                self.tell_leg(session, |leg| Input::Routed { leg, trunk, peer, number });
            }
            Event::TrunkHealth { trunk, up: true } => tracing::info!(%trunk, "trunk is up"),
            Event::TrunkHealth { trunk, up: false } => tracing::warn!(%trunk, "trunk is down"),
            Event::TrunkRegistered { trunk, ok: true } => tracing::info!(%trunk, "registered at a trunk"),
            Event::TrunkRegistered { trunk, ok: false } => {
                tracing::warn!(%trunk, "registered at a trunk no more");
            }
            Event::PasswordWrong { seat, peer, braked: None } => tracing::warn!(
                "座席 {seat} 的口令不对（来自 {peer}）：与 secrets/ 中的核对 / wrong password for seat {seat} from {peer}: \
                 compare it with the one in secrets/"
            ),
            Event::PasswordWrong { seat, peer, braked: Some(left) } => tracing::warn!(
                "座席 {seat} 的口令（来自 {peer}）错得太多，{0} 秒内不再看 / too many wrong passwords for seat {seat} from \
                 {peer}: nothing is looked at for another {0} s",
                left.as_secs()
            ),
            Event::TurnedAway { peer, why } => {
                tracing::debug!(%peer, ?why, "turned away");
                *self.turned_away.entry(why).or_default() += 1;
            }
        }
    }

    pub(super) fn tell_leg(&mut self, session: SessionId, input: impl FnOnce(LegId) -> Input) {
        if let Some(leg) = self.sessions.get(&session).copied() {
            self.tell_call(leg.call, input(leg));
        }
    }

    pub(super) fn forget_session(&mut self, session: SessionId) {
        if let Some(leg) = self.sessions.remove(&session) {
            self.legs.remove(&leg);
        }
    }

    /// A new call: its line, its flow, its opening record.
    fn invited(&mut self, invited: Invited, now: Now) {
        let session = invited.session;
        if let Some(replaced) = invited.replaces {
            return self.replaced(replaced, &invited, now);
        }
        match self.admit(invited, now) {
            Ok(()) => {}
            Err(Turned::ForGood(status)) => self.endpoint.refuse(session, status, None, now),
            Err(Turned::ForNow) => self.endpoint.refuse(session, 503, Some(RETRY_AFTER_S), now),
            Err(Turned::HandedOn(why)) => {
                let status = self.not_taken(why);
                self.endpoint.refuse(session, status, None, now);
            }
            Err(Turned::RoomFull) => self.endpoint.refuse_saying(session, 486, ROOM_FULL, now),
            Err(Turned::Description(why)) => self.endpoint.refuse_description(session, why.warning(), now),
        }
    }

    fn admit(&mut self, mut invited: Invited, now: Now) -> Result<(), Turned> {
        let plan = self.plan.clone();
        let dialled = dialled(&invited);
        let mut watch = None;
        let (way, found, (sound, terms)) = match &invited.from {
            Origin::Trunk(trunk) => {
                let trunk = plan.trunks.get(trunk).ok_or(Turned::ForGood(403))?;
                let ours = trunk.rewrite.caller_inward.apply(&invited.caller);
                if ours != invited.caller {
                    invited.caller = ours.into_owned();
                }
                (
                    trunk.id.clone(),
                    plan.find_line(trunk, &dialled, now.wall).ok_or(Turned::ForGood(404))?,
                    (&trunk.sound, trunk.terms),
                )
            }
            Origin::Seat(seat) => {
                if self.acd.own_calls(seat) >= OWN_CALLS_MAX {
                    return Err(Turned::ForGood(486));
                }
                if let Some(code) = plan.seat_code(&dialled) {
                    let seat = seat.clone();
                    return self.seat_says(&seat, code, invited, now);
                }
                let seat = plan.seats.get(seat).ok_or(Turned::ForGood(403))?;
                let found = match plan.find_watch(seat, &dialled) {
                    Some(found) => {
                        let (found, of) = found.map_err(Turned::no_watch)?;
                        watch = Some((seat.id.clone(), seat.role, of));
                        found
                    }
                    None => match plan.find_room(Comer::Seat, &dialled) {
                        Some(found) => found,
                        None => return self.clerk_dials(&seat.id, invited, now),
                    },
                };
                (TrunkId::from(SEATS), found, (&seat.sound, TrunkTerms::default()))
            }
        };
        if self.came_round(&invited, &found.line) {
            return Err(Turned::ForGood(482));
        }
        let handed_over = HandedOver::of(&plan, &invited);
        if let Some(why) = handed_over.refused(&plan) {
            return Err(Turned::HandedOn(why));
        }
        let mut treated = Treatment::of(&plan, &found.line, &invited, handed_over, now.wall);
        let more = if treated.is_center() { CENTER_CALLS_MAX } else { 0 };
        if self.drain != Drain::Open || self.calls.len() >= plan.limits.calls_max as usize + more {
            return Err(Turned::ForNow);
        }
        if self.rooms.refuses(&found.line) {
            return Err(Turned::RoomFull);
        }
        if watch.as_ref().is_some_and(|(.., of)| self.watches.refuses(of)) {
            return Err(Turned::ForGood(486));
        }
        let slot = self.ports.lend().ok_or(Turned::ForNow)?;
        let id = CallId::draw(u64::try_from(now.wall.as_millisecond()).unwrap_or(0), &mut self.dice);
        let ticket = self.numbers.next(plan.city.time_zone.to_datetime(now.wall).date());
        let mut flow = plan.flow(&found.line, now.wall);
        let (known, may_queue) = (treated.take_facts(), flow.may_queue());
        treated.shorten(&mut flow, &plan);
        if flow.queue().is_some_and(|queue| self.acd.is_surging(queue)) {
            flow.greet_in_surge(&plan);
        }
        if !treated.is_center() {
            self.notices.insert(&mut flow, now.wall);
        }
        let caller = invited.caller.clone();
        let setup = Setup {
            id,
            ticket: ticket.clone(),
            pickup: self.pickup_for(&flow),
            from: caller.clone(),
            flow,
            sounds: self.voices.of(found.line.language.as_ref()),
            offer: invited.offer.clone(),
            reliable: invited.reliable,
            slot,
            peer: invited.peer.ip(),
            sound_ip: self.sound_ip(&invited),
            session: self.dice.next_u64() >> 16,
            terms: Terms::new(sound, plan.limits.call_max).by(&terms),
            keys: self.keys_over(invited.listener),
            plan: plan.clone(),
        };
        let call = Call::new(setup, now).map_err(|why| {
            self.ports.release(slot);
            Turned::Description(why)
        })?;
        let what = What::Opened {
            line: found.line.number.clone(),
            dialled: found.number_as_dialled.to_owned(),
            caller: caller.clone(),
            trunk: way,
            ticket,
            plan: plan.digest.clone(),
            shifted_clock: self.shifted_clock,
            wire_ref: invited.wire_ref.clone(),
            room: room_of(&found.line),
        };
        if let Some((seat, role, of)) = watch {
            // Should the call be taken over, the seat rings when this telephone is on the hook.
            self.screens.seat_called(seat.clone(), invited.session);
            self.watches.admit(id, seat, role, of);
        }
        self.let_in(id, call, invited, (&found.line, treated), &what, now);
        self.record(id, what, now);
        if may_queue {
            self.look_up_caller(id, &caller, now);
            known.into_iter().for_each(|what| self.record(id, what, now));
        }
        self.records.await_opening(id);
        self.step(id, now, |_| {});
        Ok(())
    }

    /// Whether a caller comes back to the line that we are putting him through from: two centers whose
    /// trunks lead to one another would fill both with one call (RFC 3261 §21.4.19). A call that comes
    /// back to another line, or after an answer, has got somewhere (a spiral, §16.3).
    fn came_round(&self, invited: &Invited, line: &Line) -> bool {
        if line.mode.peer().is_none() {
            return false;
        }
        let of_line = |leg: &LegId| self.calls.get(&leg.call).is_some_and(|entry| entry.line == line.number);
        let mut ways_out = self.endpoint.came_round(invited.session);
        ways_out.any(|way| self.sessions.get(&way).is_some_and(of_line))
    }

    /// Our address in the caller's descriptions: the listener's own, or another's where the caller wants
    /// sound by the other family of addresses than it signals by.
    pub(super) fn sound_ip(&self, invited: &Invited) -> IpAddr {
        let theirs = invited.offer.as_ref().and_then(|sdp| sdp.media.iter().find_map(|m| sdp.address_of(m)));
        let own = self.listeners.get(invited.listener).map_or(invited.peer.ip(), |own| own.advertise);
        let fits = |ip: &IpAddr| theirs.is_none_or(|theirs| theirs.is_ipv4() == ip.is_ipv4());
        let others = self.listeners.iter().map(|listener| listener.advertise);
        std::iter::once(own).chain(others).find(fits).unwrap_or(own)
    }

    /// For the keys of a leg that signals over this listener: none where they would be read on the way.
    pub(super) fn keys_over(&mut self, listener: usize) -> Option<KeySeed> {
        let tls = self.listeners.get(listener).is_some_and(|own| own.transport == sip::Transport::Tls);
        tls.then(|| KeySeed::draw(&mut self.dice))
    }

    /// The code by which the progress of a ticket is asked for that this call's flow may order.
    fn pickup_for(&mut self, flow: &Flow) -> String {
        if !flow.steps.iter().any(|step| matches!(step, Step::Script(_))) {
            return String::new();
        }
        // The first digit is typed in first: it must not be a key that leads to a person.
        let urgent = self.plan.callers.urgent_key;
        let first: Vec<char> =
            ('0'..='9').filter(|digit| *digit != PERSON_KEY && Some(*digit) != urgent).collect();
        let first = first[self.dice.below(first.len() as u64) as usize];
        format!("{first}{:0PICKUP_MORE$}", self.dice.below(10_u64.pow(PICKUP_MORE as u32)))
    }

    fn let_in(
        &mut self,
        id: CallId,
        call: Call,
        invited: Invited,
        (line, treated): (&Line, Treatment),
        opened: &What,
        now: Now,
    ) {
        let What::Opened { trunk, ticket, .. } = opened else { return };
        let shown = if treated.standing.is_confidential { "" } else { &invited.caller };
        tracing::info!(call = %id, line = %line.number, caller = %mask(shown), %trunk, "call opened");
        if let Some(wire_ref) = sip::WireRef::parse(&invited.wire_ref) {
            self.outputs.push_back(Output::OnWire { call: id, party: invited.from.clone(), wire_ref });
        }
        let leg = LegId::caller(id);
        self.sessions.insert(invited.session, leg);
        self.legs.insert(leg, invited.session);
        let clerk = match invited.from {
            Origin::Seat(seat) => Some(seat),
            Origin::Trunk(_) => None,
        };
        if let Some(seat) = &clerk {
            self.acd.seat_engaged(seat, now.mono);
            self.screens.seat_called(seat.clone(), invited.session);
        }
        let entry = Entry {
            call,
            line: line.number.clone(),
            caller: invited.caller,
            way: trunk.clone(),
            asking: None,
            missed_about: None,
            hidden: Vec::new(),
            max_forwards: invited.max_forwards,
            ticket: ticket.clone(),
            opened_at: now.wall,
            opened: now.mono,
            answered: None,
            sequence: 0,
            history: Vec::new(),
            skills: treated.skills,
            priority: treated.priority,
            sticky: None,
            along: transfers::Along::of_caller(invited.carried),
            called: super::objects::Called::default(),
            stay: self.rooms.admit(line),
            clerk,
            outward: None,
            standing: treated.standing,
        };
        self.calls.insert(id, entry);
    }

    pub(super) fn sound_told(&mut self, fact: media::Fact, now: Now) {
        use media::Fact;
        let (leg, input) = match fact {
            Fact::Digit { leg, digit } => (leg, Input::Digit { leg, digit }),
            Fact::Played { leg, mark } => (leg, Input::Played { leg, mark }),
            Fact::Silent { leg } => (leg, Input::Silent { leg }),
            Fact::Heard { leg } => (leg, Input::Alive { leg }),
            Fact::NotJoined { leg, conference, why } => {
                tracing::warn!(%leg, conference = conference.0, ?why, "not let into a conference");
                (leg, Input::SoundFailed { leg })
            }
            Fact::Mute { leg } => (leg, Input::Missing { leg, what: Missing::Sound }),
            Fact::Unheard { leg } => (leg, Input::Missing { leg, what: Missing::Packets }),
            Fact::SoundBack { leg } => (leg, Input::Missing { leg, what: Missing::Nothing }),
            Fact::Failed { leg } => (leg, Input::SoundFailed { leg }),
            Fact::Closed { leg, slot, figures } => {
                self.ports.release(slot);
                (leg, Input::SoundClosed { leg, figures })
            }
            Fact::Latched { leg, source } => return tracing::debug!(%leg, %source, "sound latched"),
            Fact::StrangerRefused { leg, source } => {
                return tracing::warn!(%leg, %source, "RTP from a stranger refused");
            }
            Fact::Filed(_) => return, // The manifest's, which `io` keeps.
            Fact::Recorded { call, file, samples, lost_frames } => {
                let what = What::Recorded { file, duration_ms: samples / 8, lost_frames };
                return self.record(call, what, now);
            }
        };
        self.tell_call(leg.call, input);
    }

    /// A call whose machine failed: its legs are hung up from outside, its record says so.
    pub(super) fn call_failed(&mut self, id: CallId, now: Now) {
        tracing::error!(call = %id, "a call failed inside; it is ended, the others go on");
        let Some(entry) = self.calls.get(&id) else { return };
        let lasted_ms = millis(now.mono.since(entry.opened));
        let answered_ms = entry.answered.map(|at| millis(now.mono.since(at)));
        let mut legs: Vec<LegId> = self.legs.keys().filter(|leg| leg.call == id).copied().collect();
        legs.sort();
        for leg in legs {
            self.outputs.push_back(Output::Sound(media::Order::Close { leg }));
            if let Some(session) = self.legs.get(&leg).copied() {
                self.endpoint.hang_up(session, Some(sip::Clearing::OutOfOrder.value()), now);
                self.forget_session(session);
            }
        }
        self.outputs.push_back(Output::Sound(media::Order::StopRecord { call: id }));
        self.free_seats_of(id, now);
        self.callback_over(id, crate::call::Ending::Failed, now);
        if let Some(left) = self.thrown_out(id, now) {
            self.record(id, left, now);
        }
        self.record(
            id,
            What::Closed {
                cause: super::fact::Cause::Failed,
                lasted_ms,
                answered_ms,
                sound: None,
                reason: None,
            },
            now,
        );
        self.forget_call(id, now);
    }
}

/// A new call that is not let in.
pub(super) enum Turned {
    /// With this status.
    ForGood(u16),
    /// Another platform hands it over once too often.
    HandedOn(Refused),
    /// There is no room: it may try again.
    ForNow,
    /// The room that it dialled has no place.
    RoomFull,
    /// Its description is one that we cannot take.
    Description(Disagreement),
}

impl Turned {
    fn no_watch(why: NoWatch) -> Self {
        match why {
            NoWatch::NoSuchSeat => Turned::ForGood(404),
            NoWatch::NotAllowed => Turned::ForGood(403),
        }
    }
}

/// The room, where a line is one.
fn room_of(line: &Line) -> Option<Room> {
    let LineMode::Meeting(meeting) = &line.mode else { return None };
    let number = meeting.room(line.number.as_str())?.to_owned();
    Some(Room { meeting: meeting.pattern(), number })
}

/// The places that the dialled number may stand in, as `routing` asks for them: each header's values in its own order.
fn dialled(invited: &Invited) -> Dialled {
    let headers = &invited.dialled;
    let mut places = vec![(DialledFrom::RequestUri, headers.request_uri.clone())];
    places.extend(headers.history_info.iter().map(|uri| (DialledFrom::HistoryInfo, uri.clone())));
    places.extend(headers.diversion.iter().rev().map(|uri| (DialledFrom::Diversion, uri.clone())));
    places.extend(headers.p_called_party_id.iter().map(|uri| (DialledFrom::PCalledPartyId, uri.clone())));
    places.push((DialledFrom::To, headers.to.clone()));
    Dialled(places)
}
