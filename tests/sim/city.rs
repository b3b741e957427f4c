//! The city itself: its clocks, its people, and the loop that lets time pass.

use std::collections::{BTreeMap, BTreeSet};
use std::f64::consts::TAU;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hotline::acd::event::SeatState;
use hotline::id::{CallId, Dice, SeatId};
use hotline::phone::{Dial, Output, Phone, PhoneEvent};
use hotline::routing::Plan;
use hotline::switchboard::{Input, Switchboard};
use hotline::telemetry::CallRecord;
use hotline::time::{Agenda, Instant, Now, Timestamp};

use crate::clerk::{Deed, Outside, Seating, Telephone, Who, place_of, settings};
use crate::desk::{Books, Disk, Office, Store};
use crate::house::{self, Errand};
use crate::network::{Kind, Letter, Network};
use crate::sound::SoundRoom;
use crate::watch::Watch;

pub fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn millis(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// See the module's own words.
pub struct City {
    pub board: Switchboard,
    pub sound: SoundRoom,
    pub net: Network,
    pub store: Store,
    pub books: Books,
    pub plan: Plan,
    pub address: SocketAddr,
    pub dice: Dice,
    pub mono: Instant,
    /// The wall clock at the start of the monotonic one.
    epoch: Timestamp,
    pub(crate) pairs: u32,
    /// When the house wants to be woken, asked after each of its turns.
    pub(crate) house_due: Option<Instant>,
    /// Who has which number.
    numbers: BTreeMap<String, Vec<usize>>,
    people: Vec<Telephone>,
    phones_due: Agenda<usize>,
    deeds: BTreeMap<(Instant, u64), (Who, Option<u64>, Deed)>,
    errands: BTreeMap<(Instant, u64), Errand>,
    counter: u64,
    pub(crate) watch: Watch,
    /// The watch has seen the house since it last changed.
    pub(crate) looked_at: bool,
    pub drained_at: Option<Instant>,
    /// How much of each call phones plugged in from now on keep, seconds.
    pub hear_max_s: u32,
    /// Callers whose INVITE came through.
    pub(crate) rang: BTreeSet<SocketAddr>,
}

impl City {
    /// 2021-09-01 09:00 in Puyang: inside the transition months, and nobody is at a telephone yet.
    pub fn new(seed: u64, decided: &impl Fn(&mut Plan)) -> Self {
        let mut dice = Dice::seeded(seed);
        let plan = house::plan(decided);
        let address: SocketAddr = plan.network.listen[0].bind;
        let (mono, epoch) = (Instant::from_millis(1_000_000), Timestamp::UNIX_EPOCH);
        let board = house::open(plan.clone(), address, dice.split(), Now { mono, wall: epoch });
        let mut city = City {
            board,
            sound: SoundRoom::new(house::bank(), dice.split(), address.ip(), plan.network.rtp_ports.0),
            net: Network::new(dice.split()),
            store: Store::new(),
            books: Books::new(),
            plan,
            address,
            mono,
            epoch,
            pairs: 0,
            house_due: None,
            numbers: BTreeMap::new(),
            people: Vec::new(),
            phones_due: Agenda::default(),
            deeds: BTreeMap::new(),
            errands: BTreeMap::new(),
            counter: 0,
            watch: Watch::default(),
            looked_at: false,
            drained_at: None,
            hear_max_s: 600,
            rang: BTreeSet::new(),
            dice,
        };
        city.clock_says("2021-09-01T09:00:00+08:00");
        city.dispatch();
        city.run_for(millis(10));
        city
    }

    pub fn now(&self) -> Now {
        Now { mono: self.mono, wall: self.epoch + self.mono.since(Instant::ZERO) }
    }

    /// Sets the wall clock; no timer may notice.
    pub fn clock_says(&mut self, text: &str) {
        let wall: Timestamp = text.parse().expect("a time");
        self.epoch = wall - self.mono.since(Instant::ZERO);
    }

    /// The wall clock jumps by so many seconds.
    pub fn clock_jumps(&mut self, seconds: i64) {
        self.epoch += jiff::SignedDuration::from_secs(seconds);
    }

    /// Skips to a time of the wall clock.
    pub fn run_till(&mut self, text: &str) {
        let wall: Timestamp = text.parse().expect("a time");
        let span = wall.duration_since(self.now().wall);
        self.run_for(span.try_into().expect("a time to come"));
    }

    /// Most calls at once so far.
    pub fn watch_most_calls(&self) -> usize {
        self.watch.most_calls
    }

    pub fn trace(&self) -> u64 {
        self.net.trace
    }

    // ── People ───────────────────────────────────────────────────────────────────────────────────

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
        places.iter().all(|place| self.people[*place].is_idle())
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

    fn act(&mut self, who: Who, deed: Deed) {
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

    // ── The world around the house ───────────────────────────────────────────────────────────────

    pub(crate) fn errand(&mut self, span: Duration, errand: Errand) {
        self.counter += 1;
        self.errands.insert((self.mono + span, self.counter), errand);
    }

    pub fn disk_is(&mut self, disk: Disk) {
        self.store.disk = disk;
        if let (Disk::Takes(span), Some((token, _))) = (disk, self.store.waiting.back()) {
            let token = *token;
            self.errand(span, Errand::Commit { token });
        }
    }

    pub fn office_is(&mut self, mood: Office) {
        self.books.mood = mood;
    }

    /// SIGHUP: the plan, changed, holds for the calls to come.
    pub fn reloads(&mut self, change: impl Fn(&mut Plan)) {
        change(&mut self.plan);
        self.plan.digest.push('+');
        let plan = Arc::new(self.plan.clone());
        self.tell(Input::PlanChanged { accounts: house::accounts(&plan), plan, sounds: house::sounds() });
    }

    /// SIGTERM.
    pub fn drains(&mut self, grace: Duration) {
        self.tell(Input::Drain { grace });
    }

    // ── Time ─────────────────────────────────────────────────────────────────────────────────────

    pub fn run_for(&mut self, span: Duration) {
        let end = self.mono + span;
        self.run(end, |_| false);
        self.mono = end;
        self.look();
    }

    /// Runs until something is so, at most for `most`; says whether it came to be.
    pub fn run_until(&mut self, most: Duration, done: impl FnMut(&City) -> bool) -> bool {
        let end = self.mono + most;
        let came = self.run(end, done);
        if !came {
            self.mono = end;
        }
        self.look();
        came
    }

    fn run(&mut self, end: Instant, mut done: impl FnMut(&City) -> bool) -> bool {
        loop {
            if done(self) {
                return true;
            }
            let Some(at) = self.next().filter(|at| *at <= end) else { return false };
            self.mono = self.mono.max(at);
            self.step();
            if !self.looked_at {
                self.look();
            }
        }
    }

    fn look(&mut self) {
        self.looked_at = true;
        let mut watch = std::mem::take(&mut self.watch);
        watch.look(self);
        self.watch = watch;
    }

    fn next(&mut self) -> Option<Instant> {
        let first = |keys: Option<(Instant, u64)>| keys.map(|(at, _)| at);
        let deed = first(self.deeds.keys().next().copied());
        let errand = first(self.errands.keys().next().copied());
        let machines = [self.house_due, self.phones_due.next(), self.sound.next()];
        machines.into_iter().chain([self.net.next(), deed, errand]).flatten().min()
    }

    /// One thing that is due. The order among things of one moment never changes.
    fn step(&mut self) {
        let now = self.now();
        if let Some(letter) = self.net.take_due(now.mono) {
            self.deliver(letter);
        } else if let Some(entry) = self.errands.first_entry().filter(|entry| entry.key().0 <= now.mono) {
            let errand = entry.remove();
            self.run_errand(errand);
        } else if let Some(entry) = self.deeds.first_entry().filter(|entry| entry.key().0 <= now.mono) {
            let (who, call, deed) = entry.remove();
            if call.is_none_or(|call| call == self.people[who.0].calls) {
                self.act(who, deed);
            }
        } else if let Some(place) = self.phones_due.take_due(now.mono) {
            self.order(Who(place), |phone, now| phone.handle_timeout(now));
        } else if self.sound.next().is_some_and(|at| at <= now.mono) {
            self.tick();
        } else {
            self.wake_house();
        }
    }

    fn deliver(&mut self, letter: Letter) {
        if letter.to == self.address {
            return self.ring_house(letter);
        }
        if letter.to.ip() == self.address.ip() {
            if letter.kind == Kind::Sound {
                return self.sound.receive(letter.from, letter.to, letter.bytes);
            }
            // Nobody there: ICMP says so.
            return self.tell(Input::Unreachable(letter.to));
        }
        let Some(place) = place_of(letter.to).filter(|place| *place < self.people.len()) else { return };
        let (from, bytes) = (letter.from, letter.bytes);
        if letter.kind == Kind::Sip {
            self.watch.sees_sip(&self.people[place], &bytes);
            self.order(Who(place), |phone, now| phone.handle_sip(from, &bytes, now));
        } else {
            self.order(Who(place), |phone, now| phone.handle_rtp(from, &bytes, now));
        }
    }

    // ── What can be seen ─────────────────────────────────────────────────────────────────────────

    /// The call of this caller that is under way.
    pub fn call_of(&self, who: Who) -> Option<CallId> {
        let caller = &self.people[who.0].user;
        self.board.calls().into_iter().rev().find(|(_, entry)| entry.caller == *caller).map(|(call, _)| call)
    }

    /// What that call is at, in the house's word.
    pub fn state_of(&self, who: Who) -> Option<&'static str> {
        let call = self.call_of(who)?;
        self.board.calls().into_iter().find(|(id, _)| *id == call).map(|(_, entry)| entry.state())
    }

    /// With which clerk a caller talks.
    pub fn talks_to(&self, who: Who) -> Option<Who> {
        let call = self.call_of(who)?;
        let with =
            |state: &SeatState| matches!(state, SeatState::Talking { call: with, .. } if *with == call);
        let (seat, _) = self.board.acd().seats().find(|(_, state)| with(state))?;
        self.people()
            .find(|(_, telephone)| telephone.is_seat && telephone.user == seat.as_str())
            .map(|it| it.0)
    }

    pub fn seat_state(&self, who: Who) -> SeatState {
        let seat = SeatId::from(self.people[who.0].user.as_str());
        self.board.acd().seat(&seat).expect("a seat").clone()
    }

    /// The records of a caller's calls that are on disk, oldest first.
    pub fn records_of(&self, who: Who) -> Vec<CallRecord> {
        let mut records = self.store.records();
        records.retain(|record| record.caller == self.people[who.0].user);
        records.sort_by_key(|record| record.opened_mono);
        records
    }

    /// The record of a caller's last call.
    pub fn record_of(&self, who: Who) -> CallRecord {
        self.records_of(who).pop().expect("a record")
    }

    pub fn saw(&self, who: Who, what: impl Fn(&PhoneEvent) -> bool) -> bool {
        self.people[who.0].events.iter().any(|(_, event)| what(event))
    }

    pub fn saw_at(&self, who: Who, what: impl Fn(&PhoneEvent) -> bool) -> Option<Instant> {
        self.people[who.0].events.iter().find(|(_, event)| what(event)).map(|(at, _)| *at)
    }

    /// Whether an INVITE of this caller ever came to the house.
    pub fn rang(&self, who: Who) -> bool {
        self.rang.contains(&self.people[who.0].sip)
    }

    /// How often a message of this name left that address.
    pub fn said(&self, from: SocketAddr, name: &str) -> usize {
        self.net.log.iter().filter(|(_, sender, _, said)| *sender == from && said == name).count()
    }
}

/// A tenth of a second of somebody's voice, to be repeated.
fn voice(hz: f64) -> Arc<[i16]> {
    // A whole number of periods, so that it joins up.
    let hz = (hz / 10.0).round() * 10.0;
    (0..800).map(|n| (6_000.0 * (TAU * hz * f64::from(n) / 8_000.0).sin()) as i16).collect()
}
