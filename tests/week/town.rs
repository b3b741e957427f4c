//! The town: its clock, its calls and seats, and the order in which things happen.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use hotline::acd::Acd;
use hotline::acd::event::Change;
use hotline::call::negotiate::Terms;
use hotline::call::{Call, Input, Setup, Wish};
use hotline::id::{CallId, Dice, LegId, LineId, PromptId, SeatId};
use hotline::media::order::SoundId;
use hotline::routing::Plan;
use hotline::time::{Agenda, Instant, Now};

use super::far::{ADDRESS, Far, Ports, sdp};
use super::people::{Mood, Patience};
use super::plan::plan;
use super::tally::Tally;

/// The plan is read anew so often.
const PLAN_EVERY: Duration = Duration::from_secs(3_600);
/// Everything is looked at so often.
const CHECK_EVERY: Duration = Duration::from_secs(60);
/// Something happens on the floor so often: a telephone is lost, a clerk goes for lunch.
const FLOOR_EVERY: Duration = Duration::from_secs(2);
/// Calls end within this, once nobody comes any more.
const CLOSING: Duration = Duration::from_secs(4 * 3_600);

/// What is to happen.
pub enum Due {
    /// Somebody calls.
    Arrival,
    /// A call is told something.
    Tell(CallId, Input),
    /// A far end does something, if it is still there.
    Far(LegId, Does),
    /// Somebody on a call does the next thing, if nothing has changed since.
    Next(CallId, u32),
    /// A telephone registers.
    Registers(SeatId),
    /// A clerk says so.
    Changes(SeatId, Change),
    /// Something happens on the floor.
    Floor,
    /// The plan is read anew.
    Plan,
    /// All is looked at.
    Check,
}

/// What a far end does.
pub enum Does {
    Ring,
    PickUp,
    Refuse(u16),
}

struct Entry {
    at: Instant,
    order: u64,
    due: Due,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// One call and what its people are at.
pub struct Live {
    pub call: Call,
    pub line: LineId,
    pub mood: Mood,
    /// Grows with each change of the mood.
    pub epoch: u32,
    pub answered: bool,
    pub caller_gone: bool,
}

pub struct Town {
    pub now: Now,
    pub dice: Dice,
    pub plan: Arc<Plan>,
    pub acd: Acd,
    pub calls: HashMap<CallId, Live>,
    pub fars: BTreeMap<LegId, Far>,
    pub ports: Ports,
    pub tally: Tally,
    pub(super) todo: VecDeque<(CallId, Input)>,
    agenda: Agenda<CallId>,
    due: BinaryHeap<Reverse<Entry>>,
    ordered: u64,
    sounds: Arc<BTreeMap<PromptId, SoundId>>,
    lines: Vec<LineId>,
    between: f64,
    open: bool,
    turn: usize,
}

impl Town {
    pub fn new(seed: u64, hourly: f64) -> Town {
        let plan = plan(0);
        let mut dice = Dice::seeded(seed);
        let now = Now {
            mono: Instant::from_millis(1_000),
            wall: "2021-09-01T00:00:00+08:00".parse().expect("an instant"),
        };
        let mut town = Town {
            now,
            acd: Acd::new(&plan, dice.split()),
            dice,
            calls: HashMap::new(),
            fars: BTreeMap::new(),
            ports: Ports::default(),
            tally: Tally::default(),
            todo: VecDeque::new(),
            agenda: Agenda::default(),
            due: BinaryHeap::new(),
            ordered: 0,
            sounds: Arc::new(plan.prompts.keys().cloned().zip((0..).map(SoundId)).collect()),
            lines: plan.lines.values().map(|line| line.number.clone()).collect(),
            plan,
            between: 3_600.0 / hourly,
            open: true,
            turn: 0,
        };
        let seats: Vec<SeatId> = town.plan.seats.keys().cloned().collect();
        for seat in seats {
            town.acd.seat_registered(&seat, now.mono);
        }
        for due in [Due::Arrival, Due::Floor, Due::Plan, Due::Check] {
            let after = town.rhythm(&due);
            town.later(after, due);
        }
        town
    }

    /// Something happens after a while.
    pub fn later(&mut self, after: Duration, due: Due) {
        self.ordered += 1;
        self.due.push(Reverse(Entry { at: self.now.mono + after, order: self.ordered, due }));
    }

    pub fn lives(&mut self, time: Duration) {
        self.runs(self.now.mono + time);
    }

    /// Nobody comes any more; those who are there come to their end.
    pub fn closes(&mut self) {
        self.open = false;
        self.runs(self.now.mono + CLOSING);
        let left: Vec<(&CallId, &str)> =
            self.calls.iter().map(|(id, live)| (id, live.call.state())).take(5).collect();
        assert!(left.is_empty(), "calls that never end: {left:?}");
        assert_eq!(self.ports.lent(), 0, "ports are not given back");
        assert!(self.fars.is_empty(), "telephones that nobody hangs up");
        self.looks();
        for view in self.acd.queues(self.now.mono) {
            assert_eq!((view.waiting, view.ringing), (0, 0), "somebody is left in a queue");
        }
    }

    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    fn runs(&mut self, until: Instant) {
        loop {
            let events = self.due.peek().map(|Reverse(entry)| entry.at);
            let next = [events, self.agenda.next(), self.acd.poll_timeout()].into_iter().flatten().min();
            let Some(at) = next.filter(|at| *at <= until) else { break };
            self.turn_to(at.max(self.now.mono));
            if self.acd.poll_timeout().is_some_and(|at| at <= self.now.mono) {
                self.acd.handle_timeout(self.now.mono);
            }
            while let Some(id) = self.agenda.take_due(self.now.mono) {
                let now = self.now;
                self.step(id, |call| call.handle_timeout(now));
            }
            while self.due.peek().is_some_and(|Reverse(entry)| entry.at <= self.now.mono) {
                if let Some(Reverse(entry)) = self.due.pop() {
                    self.happens(entry.due);
                    self.settle();
                }
            }
            self.settle();
        }
        self.turn_to(until.max(self.now.mono));
    }

    fn turn_to(&mut self, mono: Instant) {
        let passed = mono.since(self.now.mono);
        self.now.wall += jiff::SignedDuration::try_from(passed).expect("within the calendar");
        self.now.mono = mono;
    }

    /// Carries what calls and queues say to one another until they are quiet.
    fn settle(&mut self) {
        let now = self.now;
        loop {
            if let Some((id, input)) = self.todo.pop_front() {
                self.step(id, |call| call.handle_input(input, now));
            } else if let Some(decision) = self.acd.poll_output() {
                self.decided(decision);
            } else {
                break;
            }
        }
    }

    pub(super) fn step(&mut self, id: CallId, act: impl FnOnce(&mut Call)) {
        let Some(live) = self.calls.get_mut(&id) else { return };
        act(&mut live.call);
        self.drain(id);
    }

    /// Somebody wants something of a call. Whether it does so.
    pub(super) fn wishes(&mut self, id: CallId, wish: Wish) -> bool {
        let now = self.now;
        let Some(live) = self.calls.get_mut(&id) else { return false };
        let willing = live.call.wish(wish, now).is_ok();
        self.drain(id);
        willing
    }

    fn drain(&mut self, id: CallId) {
        while let Some(command) = self.calls.get_mut(&id).and_then(|live| live.call.poll_output()) {
            self.carry_out(id, command);
        }
        let next = self.calls.get(&id).and_then(|live| live.call.poll_timeout());
        self.agenda.set(&id, next);
    }

    pub(super) fn forget(&mut self, id: CallId) {
        self.tally.over(id);
        self.calls.remove(&id);
        self.agenda.set(&id, None);
        self.fars.retain(|leg, _| leg.call != id);
    }

    fn rhythm(&mut self, due: &Due) -> Duration {
        match due {
            Due::Arrival => self.dice.patience(self.between),
            Due::Floor => FLOOR_EVERY,
            Due::Plan => PLAN_EVERY,
            _ => CHECK_EVERY,
        }
    }

    fn happens(&mut self, due: Due) {
        if matches!(due, Due::Arrival | Due::Floor | Due::Plan | Due::Check) {
            if !self.open {
                return; // The floor stays as it is.
            }
            let after = self.rhythm(&due);
            match due {
                Due::Arrival => self.arrives(),
                Due::Floor => self.something_on_the_floor(),
                Due::Plan => self.plan_is_read(),
                _ => self.looks(),
            }
            return self.later(after, due);
        }
        match due {
            Due::Tell(id, input) => self.todo.push_back((id, input)),
            Due::Far(leg, does) => self.far_does(leg, &does),
            Due::Next(id, epoch) => self.next_of(id, epoch),
            Due::Registers(seat) => self.acd.seat_registered(&seat, self.now.mono),
            Due::Changes(seat, change) => {
                // A seat may be what it cannot change from: that is for the tests of the room.
                let _ = self.acd.change(&seat, change, self.now.mono);
            }
            Due::Arrival | Due::Floor | Due::Plan | Due::Check => {}
        }
    }

    fn plan_is_read(&mut self) {
        self.turn += 1;
        self.plan = plan(self.turn);
        self.acd.plan_changed(&self.plan, &BTreeSet::new(), self.now.mono);
    }

    fn looks(&mut self) {
        if let Err(wrong) = self.acd.check() {
            panic!("{:?}: {wrong}", self.now.mono);
        }
        let waiting: u32 = self.acd.queues(self.now.mono).iter().map(|view| view.waiting).sum();
        self.tally.most_waiting = self.tally.most_waiting.max(waiting);
    }

    fn arrives(&mut self) {
        let id = CallId::draw(self.now.wall.as_millisecond() as u64, &mut self.dice);
        let line = match self.dice.below(10) {
            0..=5 => LineId::from("12345"),
            _ => self.lines[self.dice.below(self.lines.len() as u64) as usize].clone(),
        };
        self.tally.calls += 1;
        let flow = self.plan.flow(&self.plan.lines[&line], self.now.wall);
        let setup = Setup {
            id,
            flow,
            ticket: format!("{:012}", self.tally.calls),
            pickup: String::new(),
            from: String::new(),
            sounds: self.sounds.clone(),
            offer: Some(sdp()),
            reliable: false,
            slot: self.ports.lend(LegId::caller(id)),
            peer: ADDRESS,
            sound_ip: ADDRESS,
            session: self.dice.next_u64() >> 16,
            terms: Terms::default(),
            keys: None,
            plan: self.plan.clone(),
        };
        let call = Call::new(setup, self.now).unwrap_or_else(|why| panic!("the offer can be taken: {why}"));
        let live = Live { call, line, mood: Mood::Opening, epoch: 0, answered: false, caller_gone: false };
        self.calls.insert(id, live);
        self.tally.most_at_once = self.tally.most_at_once.max(self.calls.len());
        self.drain(id);
        let durable = self.dice.below(1_000) > 0;
        let written = Duration::from_millis(1 + self.dice.below(if durable { 20 } else { 400 }));
        self.later(written, Due::Tell(id, Input::Recorded { durable }));
        if self.dice.below(100) == 0 {
            let soon = Duration::from_millis(self.dice.below(40));
            self.later(soon, Due::Tell(id, Input::Cancelled));
        }
    }
}
