//! What calls and queues want, done: what the switchboard does in the house, without its wires.

use std::time::Duration;

use hotline::acd::event::{Decision, Joining, OfferEnd};
use hotline::call::{Callee, Command, Input};
use hotline::id::{CallId, LegId, SeatId};
use hotline::media::Order;
use hotline::media::order::LegFigures;

use super::far::{ADDRESS, Far, sdp};
use super::people::Patience;
use super::town::{Does, Due, Town};

impl Town {
    pub(super) fn carry_out(&mut self, id: CallId, command: Command) {
        match command {
            Command::WantPort { leg, .. } => {
                let slot = self.dice.below(5_000) > 0;
                let slot = slot.then(|| self.ports.lend(leg));
                self.tell(id, Input::Port { leg, slot, peer: ADDRESS, ours: ADDRESS, keys: None });
            }
            Command::FreePort { slot } => self.ports.release(slot),
            Command::Answer { .. } => {
                if let Some(live) = self.calls.get_mut(&id) {
                    live.answered = true;
                }
                self.after_the_wire(Due::Tell(id, Input::Confirmed { leg: LegId::caller(id), sdp: None }));
            }
            Command::Refuse { .. } => self.caller_is_gone(id),
            Command::Invite { leg, callee, .. } => self.calls_far(leg, callee),
            Command::HangUp { leg, .. } if leg.index == 0 => self.caller_is_gone(id),
            Command::HangUp { leg, .. } => {
                self.fars.remove(&leg);
            }
            Command::Probe { leg } => {
                let there = leg.index == 0 || self.fars.contains_key(&leg);
                if there {
                    self.after_the_wire(Due::Tell(id, Input::Alive { leg }));
                }
            }
            Command::Sound(order) => self.sounds(id, &order),
            Command::JoinQueue { queue, first } => {
                let Some(live) = self.calls.get(&id) else { return };
                let skills = self.plan.lines.get(&live.line).map(|line| line.skills.clone());
                let joining = Joining {
                    call: id,
                    queue,
                    line: live.line.clone(),
                    skills: skills.unwrap_or_default(),
                    first,
                    priority: self.dice.below(3) as i16,
                    sticky: None,
                };
                self.acd.join(joining, self.now.mono);
            }
            Command::LeaveQueue => self.acd.leave(id, self.now.mono),
            Command::SeatAnswered { seat } => self.seat_answered(id, seat),
            Command::OfferFailed { seat, status } => {
                let why = match status {
                    487 => OfferEnd::CallerGone,
                    408 | 480 | 503 => OfferEnd::Unreachable,
                    _ => OfferEnd::Rejected,
                };
                if why == OfferEnd::Unreachable {
                    let back = self.dice.patience(90.0);
                    self.later(back, Due::Registers(seat.clone()));
                }
                self.acd.offer_failed(id, &seat, why, self.now.mono);
            }
            Command::SeatLeft { seat, vanished: true } => self.acd.seat_vanished(&seat, self.now.mono),
            Command::SeatLeft { seat, vanished: false } => self.acd.seat_left(&seat, id, self.now.mono),
            Command::WantSeat { seats, beside, ring } => self.wants_seat(id, &seats, (beside, ring)),
            Command::Bridged => self.acd.bridged(id, self.now.mono),
            Command::Tell(told) => {
                self.tally.told(id, &told);
                self.people_hear(id, &told);
            }
            Command::Over => self.forget(id),
            // What the wire alone is told.
            _ => {}
        }
    }

    pub(super) fn decided(&mut self, decision: Decision) {
        match decision {
            Decision::Offer { call, seat, waited, .. } => {
                // The screen is first.
                let screen = Duration::from_millis(self.dice.below(30));
                self.later(screen, Due::Tell(call, Input::RingSeat { seat, waited }));
            }
            Decision::Withdraw { call, seat } => self.tell(call, Input::WithdrawSeat { seat }),
            Decision::Announce { call, ahead, expected_wait } => {
                self.tell(call, Input::Position { ahead, expected_wait });
            }
            Decision::Overflow { call, waited, .. } => self.tell(call, Input::Overflowed { waited }),
            _ => {}
        }
    }

    fn seat_answered(&mut self, id: CallId, seat: SeatId) {
        if !self.acd.offer_answered(id, &seat, self.now.mono) {
            self.tell(id, Input::WithdrawSeat { seat });
        }
    }

    fn wants_seat(&mut self, id: CallId, seats: &[SeatId], (beside, ring): (bool, Option<Duration>)) {
        if !self.acd.transfer_to(id, seats, beside, ring, self.now.mono) {
            self.tell(id, Input::NoSeat);
        }
    }

    fn tell(&mut self, id: CallId, input: Input) {
        self.todo.push_back((id, input));
    }

    /// After some milliseconds on the wire.
    fn after_the_wire(&mut self, due: Due) {
        let wire = Duration::from_millis(1 + self.dice.below(40));
        self.later(wire, due);
    }

    fn caller_is_gone(&mut self, id: CallId) {
        if let Some(live) = self.calls.get_mut(&id) {
            live.caller_gone = true;
        }
    }

    fn sounds(&mut self, id: CallId, order: &Order) {
        self.tally.ordered(order);
        match order {
            Order::Play { leg, repeat: false, mark, .. } => {
                let length = Duration::from_millis(800 + self.dice.below(2_000));
                self.later(length, Due::Tell(id, Input::Played { leg: *leg, mark: *mark }));
            }
            Order::Bridge { a, .. } if self.dice.happens(2) => {
                let leg = *a;
                let after = self.dice.patience(20.0);
                self.later(after, Due::Tell(id, Input::Silent { leg }));
            }
            Order::Close { leg } => {
                let leg = *leg;
                if let Some(slot) = self.ports.of(leg) {
                    self.ports.release(slot);
                }
                self.after_the_wire(Due::Tell(
                    id,
                    Input::SoundClosed { leg, figures: Box::new(LegFigures::default()) },
                ));
            }
            _ => {}
        }
    }

    /// A telephone of ours is called, and does what telephones do.
    fn calls_far(&mut self, leg: LegId, callee: Callee) {
        let seat = matches!(callee, Callee::Seat(_));
        self.fars.insert(leg, Far { callee, answered: false });
        self.after_the_wire(Due::Far(leg, Does::Ring));
        let lot = self.dice.below(1_000);
        let fails = if seat { 60 } else { 250 };
        if lot >= fails {
            let after = Duration::from_millis(300) + self.dice.patience(if seat { 2.5 } else { 6.0 });
            self.later(after, Due::Far(leg, Does::PickUp));
        } else if !lot.is_multiple_of(3) {
            let status = [486, 603, 480, 503][(lot % 4) as usize];
            let after = Duration::from_millis(20) + self.dice.patience(1.0);
            self.later(after, Due::Far(leg, Does::Refuse(status)));
        } // Else it rings for ever.
    }

    pub(super) fn far_does(&mut self, leg: LegId, does: &Does) {
        let Some(far) = self.fars.get_mut(&leg) else { return };
        let input = match does {
            Does::Ring => Input::Progressed { leg, sdp: None },
            Does::PickUp => {
                far.answered = true;
                Input::Answered { leg, sdp: Some(sdp()) }
            }
            Does::Refuse(status) => {
                self.fars.remove(&leg);
                Input::Refused { leg, status: *status }
            }
        };
        self.todo.push_back((leg.call, input));
    }
}
