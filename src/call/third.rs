//! A third party: whoever talks with the caller asks it in, has the caller put through to it, or is
//! relieved by it.
//!
//! There is one at a time. Whatever becomes of it, the caller is with somebody or somewhere: with who
//! asked, if they are still there; else first in line, or told so and with a ticket.

use std::time::Duration;

use super::leg::Leg;
use super::party::Other;
use super::{Call, Callee, Command, Doing, Ending, Timer, Told, TransferKind, TransferStep};
use crate::id::{LegId, PromptId, SeatId};
use crate::media::Order;
use crate::routing::plan::{Peer, Step, TicketReason};
use crate::routing::reach::Reached;
use crate::routing::three_way::{ClerkLeaves, ThirdLeaves};
use crate::sip::Clearing;
use crate::sip::sdp::Sdp;
use crate::time::Now;

/// How far a third party has come while the first two are still together. While the caller is being put
/// through ([`Doing::Transferring`]) it is asked, and no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It rings, or is looked for; who asked waits for it.
    Asked,
    /// The same, for who is to take the call over: the two talk on.
    TakingOver,
    /// It talks with who asked.
    Consulting,
    /// It talks with both.
    Merged,
}

/// One third party, from when it is asked for to what became of it.
pub(super) struct Third {
    /// As the plan calls it.
    to: Reached,
    kind: TransferKind,
    pub(super) standing: Standing,
    /// Its leg, once there is one.
    pub(super) party: Option<Other>,
    /// Seats of it that were not asked in vain.
    untried: Vec<SeatId>,
    /// It is known that it rings.
    rang: bool,
    /// The REFER that asked for it, and whose.
    pub(super) referral: Option<(LegId, u32)>,
}

impl Third {
    pub(super) fn new(
        to: Reached,
        kind: TransferKind,
        standing: Standing,
        referral: Option<(LegId, u32)>,
    ) -> Self {
        let untried = match &to {
            Reached::Seat(seat) => vec![seat.clone()],
            Reached::Group(group) => group.seats.clone(),
            Reached::Peer(_) => Vec::new(),
        };
        Third { to, kind, standing, party: None, untried, rang: false, referral }
    }

    /// One that is on the line already, in another call of who asked.
    pub(super) fn adopted(to: Reached, referral: (LegId, u32), party: Other) -> Self {
        let third = Third::new(to, TransferKind::Attended, Standing::Asked, Some(referral));
        Third { untried: Vec::new(), party: Some(party), ..third }
    }

    pub(super) fn name(&self) -> String {
        match &self.to {
            Reached::Peer(peer) => peer.number.clone(),
            Reached::Seat(seat) => seat.to_string(),
            Reached::Group(group) => group.number.to_string(),
        }
    }

    /// As the plan has it.
    pub(super) fn to(&self) -> &Reached {
        &self.to
    }

    /// A step that it has come to.
    pub(super) fn told(&self, step: TransferStep) -> Told {
        Told::Transfer { to: self.name(), kind: self.kind, step, whom: Some(Box::new(self.to.clone())) }
    }

    /// Whether it has picked up.
    pub(super) fn is_there(&self) -> bool {
        matches!(self.standing, Standing::Consulting | Standing::Merged)
    }

    /// This seat of it was asked, and is not asked again.
    pub(super) fn tried(&mut self, seat: &SeatId) {
        self.untried.retain(|untried| untried != seat);
    }

    /// A seat of it picked up too late: who asked waits again, for the next one.
    pub(super) fn asked_again(&mut self) {
        if self.standing == Standing::Consulting {
            self.standing = Standing::Asked;
        }
    }

    fn wants_seat(&self) -> bool {
        !self.is_there() && !matches!(self.to, Reached::Peer(_))
    }

    /// Who hears what it says before it answers.
    fn leg(&self) -> Option<&Leg> {
        self.party.as_ref().map(|party| &party.leg)
    }
}

impl Call {
    /// Calls whoever is asked for.
    pub(super) fn ask_third(&mut self, mut third: Third, now: Now) {
        if let Some(clerk) = self.clerk() {
            third.tried(clerk);
        }
        self.tell(third.told(TransferStep::Requested));
        match third.to.clone() {
            Reached::Peer(Peer { trunk, number, ring, .. }) => {
                self.timers.set(Timer::Ring, now.mono + ring);
                self.tell(Told::PeerDialled { trunk: trunk.clone(), number: number.clone() });
                let party = self.call_out(Callee::Peer { trunk, number }, Duration::ZERO, now.mono);
                self.third = Some(Third { party: Some(party), ..third });
            }
            Reached::Seat(_) | Reached::Group(_) => {
                self.third = Some(third);
                self.want_seat();
            }
        }
        self.arrange(now);
    }

    fn want_seat(&mut self) {
        let Some(third) = &self.third else { return };
        let beside = third.kind == TransferKind::Consult;
        let ring = match &third.to {
            Reached::Group(group) => Some(group.accept),
            Reached::Seat(_) | Reached::Peer(_) => None,
        };
        let seats = third.untried.clone();
        self.push(Command::WantSeat { seats, beside, ring });
    }

    /// Whether this seat is asked for, and no leg to it there yet.
    pub(super) fn awaits(&self, seat: &SeatId) -> bool {
        let third = self.third.as_ref().filter(|third| third.wants_seat() && third.party.is_none());
        third.is_some_and(|third| third.untried.contains(seat))
    }

    /// Whether any seat is asked for and has not picked up.
    pub(super) fn wants_seat(&self) -> bool {
        self.third.as_ref().is_some_and(Third::wants_seat)
    }

    /// The seat that was asked for is to ring.
    pub(super) fn ring_third(&mut self, seat: SeatId, waited: Duration, now: Now) {
        let party = self.call_out(Callee::Seat(seat.clone()), waited, now.mono);
        let Some(third) = &mut self.third else { return };
        third.tried(&seat);
        third.party = Some(party);
    }

    pub(super) fn third_is(&self, leg: LegId) -> bool {
        self.third.as_ref().and_then(Third::leg).is_some_and(|third| third.id == leg)
    }

    /// It said that it rings, and perhaps more.
    pub(super) fn third_progressed(&mut self, sdp: Option<&Sdp>, now: Now) {
        let Some(third) = &mut self.third else { return };
        let told = third.told(TransferStep::Ringing);
        let news = !std::mem::replace(&mut third.rang, true);
        if let Some((leg, refer)) = third.referral {
            let status = if sdp.is_some() { 183 } else { 180 };
            self.push(Command::NotifyRefer { leg, refer, status });
        }
        if news {
            self.tell(told);
        }
        let Some(party) = self.third.as_mut().and_then(|third| third.party.as_mut()) else { return };
        // Kept of a seat, too: the 2xx after a reliable response has no description (RFC 3262 §5).
        let heard = sdp.is_some_and(|sdp| party.leg.take_early(sdp).is_ok_and(|changes| changes));
        let leg = party.leg.id;
        if !heard || party.seat().is_some() || party.leg.is_passed_on() {
            return;
        }
        let heard_already = party.leg.is_open();
        self.tune(leg);
        if !heard_already && self.doing == Doing::Transferring {
            self.push(Command::Sound(Order::Bridge { a: self.caller.id, b: leg }));
        }
        self.arrange(now);
    }

    /// It picked up.
    pub(super) fn third_answered(&mut self, waited: Duration, now: Now) {
        self.timers.cancel(Timer::Ring);
        let Some(third) = &mut self.third else { return };
        match (&self.doing, third.standing) {
            (Doing::Talking, Standing::Asked) => self.consulting(waited, now),
            (Doing::Transferring, _) | (Doing::Talking, Standing::TakingOver) => self.put_on(waited, now),
            _ => {}
        }
    }

    fn consulting(&mut self, waited: Duration, now: Now) {
        let Some(third) = &mut self.third else { return };
        third.standing = Standing::Consulting;
        let (told, referral) = (third.told(TransferStep::Consulting), third.referral.take());
        let Some(party) = &mut third.party else { return };
        party.joined = true;
        party.met = Some(now.mono);
        match party.callee.clone() {
            Callee::Seat(seat) => {
                self.push(Command::SeatAnswered { seat: seat.clone() });
                self.tell(Told::SeatAnswered { seat, waited });
            }
            Callee::Peer { trunk, number } => self.tell(Told::PeerAnswered { trunk, number }),
        }
        self.tell(told);
        if let Some((leg, refer)) = referral {
            self.push(Command::NotifyRefer { leg, refer, status: 200 });
        }
        self.arrange(now);
        self.give_notice(now);
    }

    /// The caller is with it from now on: whoever asked is told first, and then let go.
    fn put_on(&mut self, waited: Duration, now: Now) {
        let Some(third) = self.third.take() else { return };
        self.tell(third.told(TransferStep::Accepted));
        if let Some((leg, refer)) = third.referral {
            self.push(Command::NotifyRefer { leg, refer, status: 200 });
        }
        if let Some(asker) = self.other.take() {
            self.drop_other(asker, false, now);
        }
        let Some(party) = third.party else { return };
        let callee = party.callee.clone();
        self.put_through = party.seat().is_some();
        self.held = false;
        self.timers.cancel(Timer::Hold);
        self.other = Some(party);
        match callee {
            Callee::Seat(seat) => self.seat_answered(seat, waited, now),
            Callee::Peer { .. } => self.peer_answered(now),
        }
    }

    /// Its INVITE failed, or nobody picked up: the next of its seats, or nobody. Its leg is dropped.
    pub(super) fn third_not_reached(&mut self, status: u16, now: Now) {
        self.timers.cancel(Timer::Ring);
        let Some(third) = &mut self.third else { return };
        if let Some(party) = third.party.take() {
            let callee = party.callee.clone();
            let why = if status == 0 { Clearing::NoAnswer } else { Clearing::Normal };
            self.drop_other_for(why, party, false, now);
            match callee {
                Callee::Seat(seat) => self.push(Command::OfferFailed { seat, status }),
                Callee::Peer { trunk, number } => self.tell(Told::PeerFailed { trunk, number, status }),
            }
        }
        self.third_failed(status, now);
    }

    /// None of the seats that were asked for is free.
    pub(super) fn seat_not_free(&mut self, now: Now) {
        if let Some(third) = self.third.as_mut().filter(|third| third.wants_seat() && third.party.is_none()) {
            third.untried.clear();
            self.third_failed(486, now);
        }
    }

    /// It is not to be had. Whoever asked has the caller again; if they are gone, the caller is first in
    /// line, or is told so and has a ticket. Without a caller nobody is left to talk with.
    pub(super) fn third_failed(&mut self, status: u16, now: Now) {
        let Some(third) = &self.third else { return };
        if !third.untried.is_empty() && !self.goes_on_alone() {
            self.want_seat();
            return self.arrange(now);
        }
        let status = if (300..=699).contains(&status) { status } else { 408 };
        let Some(third) = self.give_up_third(TransferStep::Failed(status), status) else { return };
        if self.goes_on_alone() {
            return self.end(Ending::OtherHungUp, now);
        }
        if self.doing != Doing::Transferring || self.other.is_some() {
            if self.doing == Doing::Transferring {
                self.ears.forget(self.caller.id); // No matter what is still being said of waiting.
            }
            self.doing = Doing::Talking;
            return self.arrange(now);
        }
        self.untransferred(&third.to, now);
    }

    /// Nobody took a caller whom nobody waits for any more.
    pub(super) fn untransferred(&mut self, to: &Reached, now: Now) {
        if let Some(queue) = self.queue.clone() {
            self.hush();
            self.join_queue(queue, true);
            self.say(self.caller.id, &["seat_lost".into()]);
        } else if !self.steps.is_empty() {
            self.advance(now); // A sub-center passed the caller on and left: as if it had not answered.
        } else {
            let reason = self.reason_for(to, now);
            let said = PromptId::from(reason.prompt());
            let words = Some(said).filter(|said| self.sounds.contains_key(said));
            let words = words.unwrap_or_else(|| self.plan.three_way.failed_prompt.clone());
            self.steps.push_back(Step::Ticket { prompt: words, reason });
            self.advance(now);
        }
    }

    fn reason_for(&self, to: &Reached, now: Now) -> TicketReason {
        if !self.is_open(to, now) {
            return TicketReason::AfterHours;
        }
        let Reached::Peer(peer) = to else { return TicketReason::ExpertUnanswered };
        if self.is_emergency(to) {
            TicketReason::EmergencyUnanswered
        } else if self.plan.departments.values().any(|known| known == peer) {
            TicketReason::DepartmentUnanswered
        } else if self.plan.peers.of_way(peer).is_some() {
            TicketReason::PeerUnanswered
        } else {
            TicketReason::SubCenterUnanswered
        }
    }

    /// Whether somebody is there at this hour.
    pub(super) fn is_open(&self, to: &Reached, now: Now) -> bool {
        let hours = match to {
            Reached::Peer(peer) => &peer.hours,
            Reached::Group(group) => &group.hours,
            Reached::Seat(_) => return true,
        };
        hours.are_open(now.wall, &self.plan.city.time_zone)
    }

    pub(super) fn is_emergency(&self, to: &Reached) -> bool {
        matches!(to, Reached::Peer(peer) if self.plan.emergency.values().any(|known| known == peer))
    }

    /// Whether a clerk stays with the caller until it has answered: help in an emergency, unless the plan lets clerks leave.
    pub(super) fn keeps_clerk(&self, to: &Reached) -> bool {
        matches!(to, Reached::Peer(peer) if self.plan.keeps_clerk(peer))
    }

    /// Whether it is help in an emergency that has not accepted the caller yet, and whose clerk stays until then.
    pub(super) fn awaits_help(&self) -> bool {
        self.third.as_ref().is_some_and(|third| !third.is_there() && self.keeps_clerk(&third.to))
    }

    /// It hung up, or is gone, after it had picked up: who asked is with the caller again, at once or as soon
    /// as they want to be.
    pub(super) fn third_left(&mut self, vanished: bool, now: Now) {
        let were_three = self.are_three();
        if let Some(party) = self.third.as_mut().and_then(|third| third.party.take()) {
            self.drop_other(party, vanished, now);
        }
        self.give_up_third(TransferStep::Returned, 480);
        if self.goes_on_alone() {
            return self.end(Ending::OtherHungUp, now);
        }
        // Who is no clerk of ours, as a sub-center that referred, has no way to take the caller back.
        let stays = self.plan.three_way.third_leaves == ThirdLeaves::Hold && self.clerk().is_some();
        self.held |= stays;
        if were_three {
            self.chime_leave(now);
        }
        self.arrange(now);
    }

    /// It is let go of, wherever it stands.
    pub(super) fn return_to_caller(&mut self, now: Now) {
        let were_three = self.are_three();
        self.let_third_go(now);
        self.give_up_third(TransferStep::Returned, 487);
        if were_three {
            self.chime_leave(now);
        }
        self.arrange(now);
    }

    /// Its leg is dropped; a seat that rang is free as if it had not.
    pub(super) fn let_third_go(&mut self, now: Now) {
        let Some(party) = self.third.as_mut().and_then(|third| third.party.take()) else { return };
        let rang = party.seat().filter(|_| !party.joined).cloned();
        self.drop_other(party, false, now);
        if let Some(seat) = rang {
            self.push(Command::OfferFailed { seat, status: 487 });
        }
    }

    /// Nothing comes of it any more: that is told, to its REFER as `status`.
    fn give_up_third(&mut self, step: TransferStep, status: u16) -> Option<Third> {
        self.timers.cancel(Timer::Ring);
        let third = self.third.take()?;
        self.tell(third.told(step));
        if let Some((leg, refer)) = third.referral {
            self.push(Command::NotifyRefer { leg, refer, status });
        }
        Some(third)
    }

    /// The call ends, or the caller goes elsewhere, in the middle of it. Its leg, for the end.
    pub(super) fn abandon_third(&mut self) -> Option<Other> {
        let party = self.third.as_mut().and_then(|third| third.party.take());
        // Of one that rings `acd` knows.
        if let Some(party) = party.as_ref().filter(|party| party.adopted && !party.joined)
            && let Some(seat) = party.seat().cloned()
        {
            self.push(Command::OfferFailed { seat, status: 487 });
        }
        let there = self.third.as_ref().is_some_and(Third::is_there);
        let step = if there { TransferStep::Returned } else { TransferStep::Failed(487) };
        self.give_up_third(step, 487);
        party
    }

    /// Whether the call ends for all when who asked leaves three. A telephone that vanished has not left, and
    /// nobody is cut off from help in an emergency (the notice, 四(四)).
    fn ends_with_clerk(&self, vanished: bool) -> bool {
        let ends = self.plan.three_way.clerk_leaves == ClerkLeaves::End;
        let help = self.third.as_ref().is_some_and(|third| self.is_emergency(&third.to));
        ends && self.are_three() && !vanished && !help
    }

    /// Who asked leaves. Before the third has picked up, the caller is put through to it; after that, the
    /// two remain, or all is over, as the plan says of three.
    pub(super) fn asker_leaves(&mut self, vanished: bool, now: Now) {
        if self.ends_with_clerk(vanished) {
            self.let_third_go(now);
            self.give_up_third(TransferStep::Returned, 487);
            return self.other_left(vanished, now);
        }
        let were_three = self.are_three();
        let Some(third) = &self.third else { return };
        let (told, there) = (third.told(TransferStep::Left), third.is_there());
        self.tell(told);
        if let Some(asker) = self.other.take() {
            self.drop_other(asker, vanished, now);
        }
        self.held = false;
        self.forget_keys();
        if there {
            let third = self.third.take();
            self.other = third.and_then(|third| third.party);
            self.put_through = self.clerk().is_some();
            if were_three {
                self.chime_leave(now);
            }
            return self.arrange(now);
        }
        self.doing = Doing::Transferring;
        self.timers.cancel(Timer::Hold);
        match self.third.as_ref().and_then(Third::leg).filter(|leg| leg.is_open()).map(|leg| leg.id) {
            Some(leg) => self.push(Command::Sound(Order::Bridge { a: self.caller.id, b: leg })),
            None => self.say_transferring(),
        }
        self.arrange(now);
    }

    /// What a caller hears who is put through.
    pub(super) fn say_transferring(&mut self) {
        if self.say(self.caller.id, &["transfer_wait".into()]).is_none() {
            self.play_ringback();
        }
    }

    pub(super) fn play_ringback(&mut self) {
        self.play_for_ever(&"ringback".into());
    }

    /// All three talk.
    pub(super) fn merge(&mut self, now: Now) {
        let Some(third) = &mut self.third else { return };
        if std::mem::replace(&mut third.standing, Standing::Merged) != Standing::Merged {
            let told = third.told(TransferStep::Merged);
            self.held = false;
            self.tell(told);
            self.chime_join(now);
        }
        self.arrange(now);
    }
}
