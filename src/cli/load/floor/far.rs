//! Those who answer: seats that register, and the far side of a trunk.

use std::io;
use std::time::Duration;

use super::super::calls::{Call, Line, Role, Step, Taken, Whose, number_in};
use super::super::lobby::Guest;
use super::super::plan::FarSide;
use super::Floor;
use crate::phone::{Answers, Phone, PhoneEvent};
use crate::time::Instant;

/// Telephones of the far side that wait for a call.
const SPARE: usize = 64;
/// How long the seats' registrations may take.
const REGISTER_MAX: Duration = Duration::from_secs(10);
/// And their ends.
const UNREGISTER_MAX: Duration = Duration::from_secs(3);

impl Floor {
    /// The far side takes its places.
    pub(super) fn staff(&mut self) -> io::Result<()> {
        self.open_spare()?;
        let FarSide::Seats(seats) = self.plan.far.clone() else { return Ok(()) };
        let guests: Vec<Guest> = seats
            .iter()
            .map(|(seat, password)| {
                let guest = self.add_far(Some((seat, password)))?;
                self.lobby.name(guest, seat);
                self.line.seat(guest);
                self.lobby.order(guest, Phone::register);
                Ok(guest)
            })
            .collect::<io::Result<_>>()?;
        let bound = self.lobby.now().mono + REGISTER_MAX;
        let mut waiting = guests.len();
        while waiting > 0 {
            self.lobby.turn(bound)?;
            while let Some((_, event, _)) = self.lobby.poll_event() {
                match event {
                    PhoneEvent::Registered { .. } => waiting -= 1,
                    PhoneEvent::RegisterFailed { status } => {
                        let status = status.map_or_else(|| "–".to_owned(), |status| status.to_string());
                        return Err(io::Error::other(format!(
                            "座席登录失败 / a seat's registration failed: {status}"
                        )));
                    }
                    _ => {}
                }
            }
            if self.lobby.now().mono >= bound {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "座席没有都登录上 / not all seats were registered",
                ));
            }
        }
        Ok(())
    }

    pub(super) fn open_spare(&mut self) -> io::Result<()> {
        if self.third.is_none() && !matches!(self.plan.far, FarSide::Trunk(_)) {
            return Ok(());
        }
        while self.lobby.open() < SPARE && self.fars < self.plan.calls_max {
            let guest = self.add_far(None)?;
            self.lobby.take_any(guest);
        }
        Ok(())
    }

    pub(super) fn add_far(&mut self, seat: Option<(&str, &str)>) -> io::Result<Guest> {
        let door = if seat.is_some() { self.far } else { self.third.or(self.far) };
        let Some((door, at)) = door else { return Err(io::ErrorKind::NotConnected.into()) };
        let (mut config, port) = self.config(seat.map_or("far", |(seat, _)| seat), at)?;
        config.answers = Answers::After(self.plan.answer_after);
        config.password = seat.map(|(_, password)| password.to_owned());
        self.fars += usize::from(seat.is_none());
        let role = Role::Far { seat: seat.is_some(), taken: None };
        Ok(self.add(config, door, Line { port, role }))
    }

    pub(super) fn heed_far(&mut self, guest: Guest, event: PhoneEvent, at: Instant) -> io::Result<()> {
        match event {
            PhoneEvent::IncomingCall { from, .. } => {
                let number = number_in(&from, self.plan.from_digits);
                let mut of = None;
                if let Some(caller) = self.by_number.get(&number).copied()
                    && let Role::Caller(Some(call)) = &mut self.lines[caller].role
                {
                    call.paired = true;
                    let Call { index, sampled, measured, kind, .. } = *call;
                    of = Some(Whose { index, sampled, measured, kind, caller });
                }
                if let Role::Far { taken, .. } = &mut self.lines[guest].role {
                    *taken = Some(Taken { of, step: Step::Rings, put_off: 0 });
                }
                if let Some(whose) = of.filter(|_| self.plan.mix.waits()) {
                    self.clerk_called(guest, whose, at);
                }
                self.open_spare()?;
            }
            PhoneEvent::Answered => {
                self.figures.calls.far_answered += u64::from(at >= self.measured_from);
                if self.plan.mix.waits() {
                    self.clerk_answered(guest, at);
                }
            }
            PhoneEvent::SoundAgreed(agreed) => self.agree(guest, agreed, at),
            PhoneEvent::Ended { by, .. } => {
                self.end_leg(guest)?;
                if self.plan.mix.waits() {
                    self.clerk_ended(guest, by, at);
                }
                if let Role::Far { seat, taken } = &mut self.lines[guest].role {
                    *taken = None;
                    if !*seat {
                        self.lobby.take_any(guest);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Legs that are still up are counted, and seats leave.
    pub(super) fn leave(&mut self) -> io::Result<()> {
        for guest in 0..self.lines.len() {
            self.end_leg(guest)?;
        }
        if !matches!(self.plan.far, FarSide::Seats(_)) {
            return Ok(());
        }
        let mut waiting = 0;
        for guest in 0..self.lines.len() {
            if matches!(self.lines[guest].role, Role::Far { seat: true, .. }) {
                self.lobby.order(guest, Phone::unregister);
                waiting += 1;
            }
        }
        let bound = self.lobby.now().mono + UNREGISTER_MAX;
        while waiting > 0 && self.lobby.now().mono < bound {
            self.lobby.turn(bound)?;
            while let Some((_, event, _)) = self.lobby.poll_event() {
                waiting -= usize::from(matches!(
                    event,
                    PhoneEvent::Unregistered | PhoneEvent::RegisterFailed { .. }
                ));
            }
        }
        Ok(())
    }
}
