//! The city itself: its clocks, its people, and the loop that lets time pass.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hotline::id::Dice;
use hotline::routing::Plan;
use hotline::switchboard::{Input, Switchboard};
use hotline::time::{Agenda, Instant, Now, Timestamp};

use crate::adapter::Adapters;
use crate::clerk::{Deed, Telephone, Who, place_of};
use crate::desk::{Books, Disk, Office, Store};
use crate::exchange::Exchange;
use crate::hearing::Hearing;
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
    pub adapters: Adapters,
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
    pub(crate) numbers: BTreeMap<String, Vec<usize>>,
    pub(crate) people: Vec<Telephone>,
    pub(crate) phones_due: Agenda<usize>,
    pub(crate) deeds: BTreeMap<(Instant, u64), (Who, Option<u64>, Deed)>,
    /// Switches in front of telephones, by place.
    pub(crate) exchanges: BTreeMap<usize, Exchange>,
    pub(crate) errands: BTreeMap<(Instant, u64), Errand>,
    pub(crate) counter: u64,
    pub(crate) watch: Watch,
    /// The watch has seen the house since it last changed.
    pub(crate) looked_at: bool,
    pub drained_at: Option<Instant>,
    /// How much of each call phones plugged in from now on keep, seconds.
    pub hear_max_s: u32,
    /// Callers whose INVITE came through, and the Call-IDs of those.
    pub(crate) rang: BTreeMap<SocketAddr, BTreeSet<String>>,
    /// Who answers for numbers outside, whoever has them.
    pub(crate) outside: Option<Who>,
    /// Listened to by who wants to.
    pub(crate) hearing: Hearing,
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
            adapters: Adapters::new(),
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
            exchanges: BTreeMap::new(),
            errands: BTreeMap::new(),
            counter: 0,
            watch: Watch::default(),
            looked_at: false,
            drained_at: None,
            hear_max_s: 600,
            rang: BTreeMap::new(),
            outside: None,
            hearing: Hearing::default(),
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

    /// Most calls at once so far.
    pub fn watch_most_calls(&self) -> usize {
        self.watch.most_calls
    }

    pub fn trace(&self) -> u64 {
        self.net.trace
    }

    /// Listens to who hears whom.
    pub fn listens(&mut self) {
        let mut hearing = std::mem::take(&mut self.hearing);
        hearing.listen(self);
        self.hearing = hearing;
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
        self.tell(Input::PlanChanged {
            accounts: house::accounts(&plan),
            trunk_passwords: house::words(&plan),
            plan,
            sounds: house::sounds(),
        });
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
        if letter.kind == Kind::Sip && self.met_by_exchange(place, &letter) {
            return;
        }
        let (from, bytes) = (letter.from, letter.bytes);
        if letter.kind == Kind::Sip {
            // An INVITE that the house has given up goes on until somebody says a word (RFC 3261 §9.1); and a
            // click of the clerk's own does not wait for the telephone.
            if self.is_offered(place, &bytes) {
                self.watch.sees_sip(&self.people[place], &bytes, &self.net.log);
            }
            self.order(Who(place), |phone, now| phone.handle_sip(from, &bytes, now));
        } else {
            self.order(Who(place), |phone, now| phone.handle_rtp(from, &bytes, now));
        }
    }
}
