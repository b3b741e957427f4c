//! What must hold in every moment of the city, looked at after each step.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hotline::acd::event::SeatState;
use hotline::id::CallId;
use hotline::phone::PhoneState;
use hotline::routing::plan::Queue;
use hotline::routing::queueing::{Queueing, Strategy};
use hotline::time::Instant;

use crate::city::{City, secs};
use crate::clerk::Telephone;
use crate::network::{Log, name};

/// A free seat and a caller find one another within so long.
const PAIRED_WITHIN: Duration = Duration::from_secs(1);
/// A call whose caller has hung up is over within 64·T1 (RFC 3261 §17) and a little.
const GONE_WITHIN: Duration = Duration::from_secs(40);
/// A call that has ended is forgotten within so long.
const ENDED_WITHIN: Duration = Duration::from_secs(3);

#[derive(Default)]
pub struct Watch {
    /// Since when a caller waits although a seat is free.
    unpaired: Option<Instant>,
    /// Since when each call waits, or rings a seat, without a break.
    waiting: BTreeMap<CallId, Instant>,
    ended: BTreeMap<CallId, Instant>,
    /// Some queue rings all its seats at once, or did.
    all_ring: bool,
    callerless: BTreeMap<CallId, Instant>,
    /// Seats that were called while they talked.
    pub called_twice: Vec<String>,
    /// The call for which each seat's telephone was rung last.
    rung: BTreeMap<String, String>,
    /// Most calls at once.
    pub most_calls: usize,
}

impl Watch {
    pub fn look(&mut self, city: &City) {
        let now = city.mono;
        if let Err(why) = city.board.check() {
            let named = |call: &CallId| why.contains(&call.to_string());
            let told = city.store.facts.iter().filter(|(call, _)| named(call)).flat_map(|(_, facts)| facts);
            let told: Vec<_> = told.map(|fact| format!("{:?} {:?}", fact.mono, fact.what)).collect();
            panic!("{why}\n{}\n{}", told.join("\n"), city.story());
        }
        self.seats(city);
        self.pairing(city, now);
        self.calls(city, now);
        self.ports(city);
    }

    /// Two seats talk on one call only where one of them was asked in. A seat rings for a caller whom
    /// another has only if it is asked in or to take over, or where all rang.
    fn seats(&mut self, city: &City) {
        let all_ring = |queue: &Queue| queue.rules.strategy == Strategy::RingAll;
        self.all_ring |= city.plan.queues.values().any(all_ring);
        let states: BTreeMap<CallId, &str> =
            city.board.calls().iter().map(|(call, entry)| (*call, entry.state())).collect();
        let (mut talks, mut rings) = (BTreeMap::<CallId, u32>::new(), BTreeMap::<CallId, u32>::new());
        for (_, state) in city.board.acd().seats() {
            match state {
                SeatState::Talking { call, .. } => *talks.entry(*call).or_default() += 1,
                SeatState::Offered { call, .. } => *rings.entry(*call).or_default() += 1,
                _ => {}
            }
        }
        for (call, count) in &talks {
            let beside = matches!(states.get(call), Some(&("consulting" | "conference" | "without_caller")));
            assert!(*count == 1 || *count == 2 && beside, "{call} has {count} seats: {states:?}");
        }
        for (call, count) in rings.iter().filter(|_| !self.all_ring) {
            let asked = matches!(states.get(call), Some(&("consulting" | "transferring" | "talking")));
            assert!(*count == 1 && (asked || !talks.contains_key(call)), "{call} rings {count} seats");
        }
    }

    /// Who waits while a seat is free is offered it (the shipped seats all serve the shipped queue).
    fn pairing(&mut self, city: &City, now: Instant) {
        // Where rules say who waits for whom, `acd` compares each need with each seat itself.
        let plain = |queue: &Queue| {
            let strategy = queue.rules.strategy;
            queue.rules == Queueing { strategy, ..Queueing::default() }
        };
        if !city.plan.queues.values().all(plain) {
            return;
        }
        let queues = city.board.acd().queues(now);
        let unpaired = queues.iter().any(|queue| queue.waiting > queue.ringing && queue.free > 0);
        if !unpaired {
            self.unpaired = None;
            return;
        }
        let since = *self.unpaired.get_or_insert(now);
        assert!(now.since(since) <= PAIRED_WITHIN, "a caller waits and a seat is free: {queues:?}");
    }

    fn calls(&mut self, city: &City, now: Instant) {
        let calls = city.board.calls();
        self.most_calls = self.most_calls.max(calls.len());
        let states: BTreeMap<CallId, &str> =
            calls.iter().map(|(call, entry)| (*call, entry.state())).collect();
        let among =
            |call: &CallId, words: &[&str]| states.get(call).is_some_and(|state| words.contains(state));
        let since = |kept: &mut BTreeMap<CallId, Instant>, words: &[&str]| {
            kept.retain(|call, _| among(call, words));
            for call in states.keys().filter(|call| among(call, words)) {
                kept.entry(*call).or_insert(now);
            }
        };
        since(&mut self.waiting, &["waiting", "ringing"]);
        since(&mut self.ended, &["ended"]);
        let rules = city.plan.queues.values().next().expect("a queue");
        // An offer is played to its end, and none follows it (the rules of `acd`).
        let longest = rules.wait_max + rules.ring + secs(1);
        for (call, since) in &self.waiting {
            assert!(now.since(*since) <= longest, "{call} hears music for ever");
        }
        for (call, since) in &self.ended {
            assert!(now.since(*since) <= ENDED_WITHIN, "{call} is over and not forgotten");
        }
        // Whom a clerk has called may go on with whom that clerk has asked in, and a clerk with whom they have asked
        // in without the caller.
        let goes_on = |entry: &hotline::switchboard::Entry| {
            let own = city.people().any(|(_, telephone)| telephone.is_seat && telephone.user == entry.caller);
            own && entry.state() == "talking" || entry.state() == "without_caller"
        };
        let alone = calls.iter().filter(|(_, entry)| city.is_nobody_on(&entry.caller) && !goes_on(entry));
        let alone: BTreeSet<CallId> = alone.map(|(call, _)| *call).collect();
        self.callerless.retain(|call, _| alone.contains(call));
        for call in alone {
            let since = *self.callerless.entry(call).or_insert(now);
            assert!(
                now.since(since) <= GONE_WITHIN,
                "{call}: its caller is long gone; it is {:?}",
                states[&call]
            );
        }
    }

    /// A pair is lent for each leg that is open or about to be, and for nothing else.
    fn ports(&self, city: &City) {
        let (open, calls) = (city.sound.legs(), city.board.calls().len());
        let known = open + city.sound.legs_to_come() + city.board.ports_in_hand();
        assert_eq!(city.board.ports_in_use(), known, "pairs are lent for {open} legs and {calls} calls");
        assert!(city.sound.recordings() <= open.max(calls), "a recording without a call");
    }

    /// A telephone is about to be rung: not while its clerk talks with somebody else.
    pub fn sees_sip(&mut self, telephone: &Telephone, bytes: &[u8], log: &Log) {
        if !telephone.is_seat || telephone.gone || name(bytes) != "INVITE" {
            return;
        }
        let text = String::from_utf8_lossy(bytes);
        let call_id = text.lines().find_map(|line| line.strip_prefix("Call-ID: ")).unwrap_or("").to_owned();
        let last = self.rung.entry(telephone.user.clone()).or_default();
        // The same INVITE may come again, late or twice.
        let again = *last == call_id;
        // Where a clerk dials in the same moment, nobody is to blame.
        let posted = || log.iter().rev().filter(|(_, from, to, _)| [*from, *to].contains(&telephone.sip));
        // An answer that was lost each time until the CANCEL's own is waited for two seconds: then it rings.
        let unheard = posted()
            .take_while(|(.., name)| name != "ACK")
            .any(|(_, from, _, name)| *from == telephone.sip && name == "200 INVITE");
        let talks = telephone.phone.state() == PhoneState::Talking;
        if talks && !again && !telephone.dialled && !unheard {
            let mut lately: Vec<String> =
                posted().take(20).map(|(at, from, _, name)| format!("{at:?} {from} {name}")).collect();
            lately.reverse();
            let user = &telephone.user;
            self.called_twice.push(format!("{user}, by {call_id} after {last}:\n{}", lately.join("\n")));
        }
        *last = call_id;
    }
}
