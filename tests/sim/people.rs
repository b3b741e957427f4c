//! People and their telephones: they sit down, call, hang up, vanish, and follow their manners.

use std::f64::consts::TAU;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hotline::id::SeatId;
use hotline::phone::{Dial, Output, Phone, PhoneEvent};
use hotline::time::Now;

use crate::city::{City, secs};
use crate::clerk::{Deed, Outside, Seating, Telephone, Who, settings};
use crate::house;
use crate::network::{Kind, Letter};

impl City {
    /// A clerk sits down at this seat.
    pub fn seat(&mut self, id: &str) -> Seating<'_> {
        let seat = SeatId::from(id);
        assert!(self.plan.seats.contains_key(&seat), "no seat {id} in the plan");
        let mut config = settings(id, self.people.len(), self.address);
        config.domain = self.plan.network.domain.clone();
        config.password = Some(house::password(&seat));
        let phone = Phone::new(config, self.dice.split());
        let who = self.plug_in(phone, true);
        Seating { city: self, who }
    }

    /// Somebody outside, by the number of the telephone.
    pub fn phone(&mut self, number: &str) -> Outside<'_> {
        let mut config = settings(number, self.people.len(), self.address);
        config.hear_max_s = self.hear_max_s;
        let phone = Phone::new(config, self.dice.split());
        let who = self.plug_in(phone, false);
        Outside { city: self, who }
    }

    fn plug_in(&mut self, phone: Phone, is_seat: bool) -> Who {
        let place = self.people.len();
        // Far enough apart for an ear, and none a multiple of another.
        let tone_hz = 420.0 + 61.0 * (place % 40) as f64;
        self.people.push(Telephone::new(phone, is_seat, tone_hz));
        self.numbers.entry(self.people[place].user.clone()).or_default().push(place);
        Who(place)
    }

    pub fn telephone(&mut self, who: Who) -> &mut Telephone {
        &mut self.people[who.0]
    }

    pub fn people(&self) -> impl Iterator<Item = (Who, &Telephone)> {
        self.people.iter().enumerate().map(|(place, telephone)| (Who(place), telephone))
    }

    /// Whether no telephone with this number is in a call.
    pub fn is_nobody_on(&self, number: &str) -> bool {
        let places = self.numbers.get(number).map_or(&[][..], Vec::as_slice);
        let outside = self.outside.iter().map(|who| &who.0);
        places.iter().chain(outside).all(|place| self.people[*place].is_idle())
    }

    pub fn look_at(&self, who: Who) -> &Telephone {
        &self.people[who.0]
    }

    /// Registers, and waits until the registrar has it.
    pub fn signs_in(&mut self, who: Who) {
        let granted = |city: &City| {
            let events = &city.look_at(who).events;
            events.iter().filter(|(_, event)| matches!(event, PhoneEvent::Registered { .. })).count()
        };
        let before = granted(self);
        self.order(who, |phone, now| phone.register(now));
        let registered = self.run_until(secs(120), |city| granted(city) > before);
        assert!(registered, "seat {} cannot sign in: {:?}", self.look_at(who).user, self.look_at(who).events);
    }

    pub fn signs_out(&mut self, who: Who) {
        self.order(who, |phone, now| phone.unregister(now));
    }

    pub fn dials(&mut self, who: Who, number: &str) {
        self.dials_with(who, Dial::to(number));
    }

    pub fn dials_with(&mut self, who: Who, dial: Dial) {
        self.people[who.0].calls += 1;
        self.people[who.0].dialled = true;
        self.order(who, |phone, now| phone.dial(dial, now)).expect("an idle telephone");
    }

    pub fn hangs_up(&mut self, who: Who) {
        self.order(who, |phone, now| phone.hang_up(now));
    }

    pub fn presses(&mut self, who: Who, digits: &str) {
        self.order(who, |phone, now| phone.press(digits, now));
    }

    /// The telephone is dead from now on.
    pub fn vanishes(&mut self, who: Who) {
        self.order(who, |phone, _| phone.vanish());
        self.people[who.0].gone = true;
    }

    /// A telephone that sends neither silence nor reports, and whose user says nothing.
    pub fn falls_silent(&mut self, who: Who) {
        let mut config = self.people[who.0].phone.config().clone();
        (config.send_silence, config.rtcp) = (false, false);
        self.people[who.0].speaks = false;
        self.people[who.0].phone = Phone::new(config, self.dice.split());
        if self.people[who.0].is_seat {
            self.signs_in(who);
        }
    }

    /// A new telephone at the same place, with the same settings and manners.
    pub fn gets_a_new_phone(&mut self, who: Who) {
        let config = self.people[who.0].phone.config().clone();
        self.people[who.0].phone = Phone::new(config, self.dice.split());
        self.people[who.0].gone = false;
        self.phones_due.set(&who.0, None);
    }

    /// Somebody will do something in so long, whatever happens until then.
    pub fn later(&mut self, span: Duration, who: Who, deed: Deed) {
        self.counter += 1;
        self.deeds.insert((self.mono + span, self.counter), (who, None, deed));
    }

    /// The same, unless the call under way (or the next, for an idle telephone) is over by then.
    pub fn later_in_this_call(&mut self, span: Duration, who: Who, deed: Deed) {
        self.counter += 1;
        let call = self.people[who.0].calls;
        self.deeds.insert((self.mono + span, self.counter), (who, Some(call), deed));
    }

    pub(crate) fn act(&mut self, who: Who, deed: Deed) {
        match deed {
            Deed::HangUp => self.hangs_up(who),
            Deed::Vanish => self.vanishes(who),
            Deed::Press(digits) => self.presses(who, digits),
            Deed::Call(dial, then) => {
                self.dials_with(who, *dial);
                for (span, deed) in then {
                    self.later_in_this_call(span, who, deed);
                }
            }
        }
    }

    /// Gives a phone an order, and carries out what it wants.
    pub fn order<T>(&mut self, who: Who, order: impl FnOnce(&mut Phone, Now) -> T) -> T {
        let now = self.now();
        let done = order(&mut self.people[who.0].phone, now);
        self.collect(who);
        done
    }

    fn collect(&mut self, who: Who) {
        loop {
            let telephone = &mut self.people[who.0];
            let rtp = telephone.phone.config().rtp;
            let above = SocketAddr::new(rtp.ip(), rtp.port() + 1);
            let (kind, from, to, bytes) = match telephone.phone.poll_output() {
                Some(Output::Sip { to, bytes }) => (Kind::Sip, telephone.sip, to, bytes),
                Some(Output::Rtp { to, bytes }) => (Kind::Sound, rtp, to, bytes),
                Some(Output::Rtcp { to, bytes }) => (Kind::Sound, above, to, bytes),
                Some(Output::Event(event)) => {
                    self.noticed(who, event);
                    continue;
                }
                None => break,
            };
            if kind == Kind::Sip && self.is_cut_off(who.0) {
                continue;
            }
            self.net.post(Letter { kind, from, to, bytes }, self.mono);
        }
        let due = self.people[who.0].phone.poll_timeout();
        self.phones_due.set(&who.0, due);
    }

    /// Somebody notices something, and does what manners ask.
    fn noticed(&mut self, who: Who, event: PhoneEvent) {
        let now = self.now();
        let telephone = &mut self.people[who.0];
        telephone.events.push((now.mono, event.clone()));
        let manners = telephone.manners;
        let due = match event {
            PhoneEvent::IncomingCall { .. } => {
                telephone.calls += 1;
                telephone.dialled = false;
                manners.vanishes_ringing.map(|span| (span, Deed::Vanish))
            }
            PhoneEvent::Answered => {
                if telephone.speaks {
                    telephone.phone.play(voice(telephone.tone_hz), true, now);
                }
                let vanishes = manners.vanishes_talking.map(|span| (span, Deed::Vanish));
                vanishes.or(manners.talks_for.map(|span| (span, Deed::HangUp)))
            }
            _ => None,
        };
        if let Some((span, deed)) = due {
            self.later_in_this_call(span, who, deed);
        }
    }
}

/// A tenth of a second of somebody's voice, to be repeated.
fn voice(hz: f64) -> Arc<[i16]> {
    // A whole number of periods, so that it joins up.
    let hz = (hz / 10.0).round() * 10.0;
    (0..800).map(|n| (6_000.0 * (TAU * hz * f64::from(n) / 8_000.0).sin()) as i16).collect()
}
