//! The outbox against a simulated sink and store: cases, and random outcomes. `SEED=n` replays one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::id::{CallId, Dice};
use crate::time::{Instant, Timestamp};

use super::event::{CLOSED, EventRef, Outcome, StoredEvent};
use super::outbox::*;

const TIMEOUT: Duration = Duration::from_secs(3);

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn call(n: u64) -> CallId {
    CallId::draw(1_630_000_000_000 + n, &mut Dice::seeded(n))
}

fn event(n: u64, sequence: u32, kind: &str) -> StoredEvent {
    let call = call(n);
    StoredEvent {
        event: EventRef { call, sequence },
        kind: kind.into(),
        at: Timestamp::UNIX_EPOCH,
        json: "{}".into(),
    }
}

/// A store, a sink and a clock around one outbox.
struct Office {
    outbox: Outbox,
    now: Instant,
    disk: BTreeMap<EventRef, StoredEvent>,
    under_way: Vec<StoredEvent>,
    tries: Vec<(Instant, EventRef)>,
    settled: Vec<EventRef>,
    dead: Vec<EventRef>,
    loads: usize,
    /// Answers to loads are held back while this is set.
    held: Option<Vec<Vec<StoredEvent>>>,
}

impl Office {
    fn new(seed: u64) -> Self {
        let mut office = Office::with(seed, Vec::new());
        office.drain();
        office
    }

    fn with(seed: u64, owed: Vec<StoredEvent>) -> Self {
        Office {
            outbox: Outbox::new(TIMEOUT, Dice::seeded(seed)),
            now: Instant::from_millis(1_000),
            disk: owed.into_iter().map(|event| (event.event, event)).collect(),
            under_way: Vec::new(),
            tries: Vec::new(),
            settled: Vec::new(),
            dead: Vec::new(),
            loads: 0,
            held: None,
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.outbox.poll_output() {
            match output {
                OutboxOutput::Deliver { event, timeout } => {
                    assert_eq!(timeout, TIMEOUT);
                    let same = |other: &StoredEvent| other.event.call == event.event.call;
                    assert!(!self.under_way.iter().any(same), "two of a call at once");
                    assert!(self.under_way.len() < IN_FLIGHT_MAX + URGENT_LANES);
                    let owed = self.disk.contains_key(&event.event);
                    assert!(owed, "{:?} again", event.event);
                    self.tries.push((self.now, event.event));
                    self.under_way.push(event);
                }
                OutboxOutput::Settled(event) => {
                    assert!(self.disk.remove(&event).is_some(), "{event:?} twice");
                    self.settled.push(event);
                }
                OutboxOutput::DeadLetter { event, .. } => {
                    assert!(self.disk.remove(&event).is_some(), "{event:?} twice");
                    self.dead.push(event);
                }
                OutboxOutput::Load { after, most } => {
                    self.loads += 1;
                    let rest = self.disk.values().filter(|event| Some(event.event) > after);
                    let page: Vec<StoredEvent> = rest.take(most).cloned().collect();
                    match &mut self.held {
                        Some(held) => held.push(page),
                        None => self.outbox.restore(page, self.now),
                    }
                }
            }
            assert!(self.outbox.len() <= EVENTS_MAX);
        }
    }

    fn put(&mut self, event: StoredEvent) {
        self.disk.insert(event.event, event.clone());
        self.outbox.put(event, self.now);
        self.drain();
    }

    /// Events that are on disk and were not handed on: the house kept their beginning only.
    fn leave(&mut self, events: impl IntoIterator<Item = StoredEvent>) {
        let events: Vec<StoredEvent> = events.into_iter().collect();
        let first = events.iter().map(|event| event.event).min().expect("some");
        self.disk.extend(events.into_iter().map(|event| (event.event, event)));
        self.outbox.left_on_disk(first);
        self.drain();
    }

    fn end(&mut self, index: usize, outcome: Outcome) {
        let event = self.under_way.swap_remove(index).event;
        self.outbox.handle_outcome(event, outcome, self.now);
        self.drain();
    }

    fn end_all(&mut self, outcome: &Outcome) {
        for _ in 0..self.under_way.len() {
            self.end(0, outcome.clone());
        }
    }

    /// Those too that begin when one ends.
    fn end_whole(&mut self, outcome: &Outcome) {
        while !self.under_way.is_empty() {
            self.end_all(outcome);
        }
    }

    /// The clock goes on from timer to timer; each try ends as `outcome` says, at once.
    fn pass(&mut self, span: Duration, outcome: &Outcome) {
        let end = self.now + span;
        self.end_whole(outcome);
        while let Some(at) = self.outbox.poll_timeout()
            && at <= end
        {
            self.now = self.now.max(at);
            self.outbox.handle_timeout(self.now);
            self.drain();
            self.end_whole(outcome);
        }
        self.now = end;
    }
}

fn down() -> Outcome {
    Outcome::Retry("connection refused".into())
}

#[test]
fn events_of_a_call_go_out_one_by_one_and_calls_side_by_side() {
    let mut office = Office::new(1);
    for sequence in 1..=3 {
        office.put(event(1, sequence, "x"));
        office.put(event(2, sequence, "x"));
    }
    assert_eq!(office.under_way.len(), 2);
    for _ in 0..6 {
        office.end(0, Outcome::Taken);
    }
    assert!(office.outbox.is_empty());
    for n in [1, 2] {
        let of: Vec<u32> =
            office.settled.iter().filter(|event| event.call == call(n)).map(|event| event.sequence).collect();
        assert_eq!(of, [1, 2, 3]);
    }
}

#[test]
fn a_sink_that_is_down_is_tried_once_a_second_at_most_and_less_and_less() {
    let mut office = Office::new(2);
    for n in 1..=100 {
        office.put(event(n, 1, "x"));
    }
    office.end_all(&down());
    let since = office.now;
    assert_eq!(office.outbox.down_since(), Some(since));
    office.tries.clear();
    office.pass(Duration::from_secs(600), &down());
    let gaps: Vec<Duration> = office.tries.windows(2).map(|pair| pair[1].0.since(pair[0].0)).collect();
    assert!(gaps.iter().all(|gap| *gap >= ms(1_000)), "{gaps:?}");
    assert!(gaps.iter().all(|gap| *gap <= ms(60_000)), "{gaps:?}");
    assert!((14..=25).contains(&gaps.len()), "{gaps:?}");
    let last = &gaps[gaps.len() - 5..];
    assert!(last.iter().any(|gap| *gap != last[0]), "jitter: {last:?}");
    office.pass(Duration::from_secs(120), &Outcome::Taken);
    assert!(office.outbox.is_empty(), "all arrive within two minutes");
    assert_eq!(office.outbox.down_since(), None);
    assert_eq!(office.settled.len(), 100);
}

#[test]
fn a_sink_that_says_when_to_come_back_is_left_alone_until_then_but_a_minute_at_most() {
    for (asked, kept) in [(7, 7), (0, 1), (3_600, 60)] {
        let mut office = Office::new(12);
        office.put(event(1, 1, "x"));
        let refused = office.now;
        office.end_all(&Outcome::RetryAfter("429".into(), Duration::from_secs(asked)));
        office.put(event(2, 1, "x"));
        office.pass(Duration::from_secs(kept), &Outcome::Taken);
        let tried: Vec<Duration> = office.tries.iter().map(|(at, _)| at.since(refused)).collect();
        let kept = Duration::from_secs(kept);
        assert_eq!(tried, [Duration::ZERO, kept, kept], "asked for {asked} s");
    }
}

#[test]
fn a_flood_of_old_events_does_not_hold_up_a_new_one() {
    let old: Vec<StoredEvent> = (1..=3_000).map(|n| event(n, 1, "x")).collect();
    let mut office = Office::with(3, old);
    office.drain();
    // A call from before the flood's end has news too.
    let news = [event(5_000, 1, "x"), event(1_500, 2, "x")];
    for fresh in news.clone() {
        office.put(fresh);
    }
    for _ in 0..40 {
        office.end(0, Outcome::Taken);
    }
    assert!(office.settled.contains(&news[0].event));
    assert!(office.settled.contains(&news[1].event));
    let oldest = event(1, 1, "x").event;
    assert!(office.settled.contains(&oldest), "nor do new ones the old");
}

#[test]
fn a_refused_event_is_set_aside_and_the_next_of_its_call_follows() {
    let mut office = Office::new(4);
    office.put(event(1, 1, "x"));
    office.put(event(1, 2, "x"));
    office.end(0, Outcome::Refused("400".into()));
    assert_eq!(office.dead, [event(1, 1, "x").event]);
    office.end(0, Outcome::Taken);
    assert_eq!(office.settled, [event(1, 2, "x").event]);
    assert!(office.outbox.is_empty());
}

#[test]
fn an_event_that_always_fails_does_not_block_other_calls() {
    let mut office = Office::new(5);
    office.put(event(1, 1, "poison"));
    office.put(event(1, 2, "x"));
    for n in 2..=40 {
        office.put(event(n, 1, "x"));
    }
    let end = office.now + Duration::from_secs(60);
    while office.now < end {
        while let Some(index) = office.under_way.len().checked_sub(1) {
            let poison = &*office.under_way[index].kind == "poison";
            office.end(index, if poison { down() } else { Outcome::Taken });
        }
        let Some(at) = office.outbox.poll_timeout() else {
            break;
        };
        office.now = at;
        office.outbox.handle_timeout(at);
        office.drain();
    }
    assert_eq!(office.settled.len(), 39);
    assert_eq!(office.outbox.len(), 2, "the call keeps its order");
}

#[test]
fn screen_data_is_tried_at_once_unless_the_sink_is_down() {
    let mut office = Office::new(6);
    for n in 1..=IN_FLIGHT_MAX as u64 + 5 {
        office.put(event(n, 1, "x"));
    }
    assert_eq!(office.under_way.len(), IN_FLIGHT_MAX);
    let screen = event(100, 3, "screen");
    office.disk.insert(screen.event, screen.clone());
    assert!(office.outbox.put_urgent(screen.clone(), office.now));
    office.drain();
    assert!(office.under_way.contains(&screen), "it has lanes of its own");
    office.end_all(&down());
    let late = event(101, 3, "screen");
    office.disk.insert(late.event, late.clone());
    assert!(!office.outbox.put_urgent(late, office.now));
}

#[test]
fn what_stands_in_front_of_screen_data_has_its_lanes_as_well() {
    let mut office = Office::new(6);
    for n in 1..=IN_FLIGHT_MAX as u64 {
        office.put(event(n, 1, "x"));
    }
    for sequence in 1..=2 {
        office.put(event(100, sequence, "x"));
    }
    let under_way = |office: &Office| office.under_way.last().map(|event| event.event.sequence);
    assert_eq!(office.under_way.len(), IN_FLIGHT_MAX, "no lane is left for those two");
    let screen = event(100, 3, "screen");
    office.disk.insert(screen.event, screen.clone());
    assert!(office.outbox.put_urgent(screen.clone(), office.now));
    office.drain();
    for sequence in 1..=3 {
        assert_eq!((office.under_way.len(), under_way(&office)), (IN_FLIGHT_MAX + 1, Some(sequence)));
        office.end(IN_FLIGHT_MAX, Outcome::Taken);
    }
    assert_eq!(office.under_way.len(), IN_FLIGHT_MAX);
}

#[test]
fn a_try_that_never_ends_is_given_up() {
    let mut office = Office::new(7);
    office.put(event(1, 1, "x"));
    let lost = office.under_way.pop().unwrap();
    let overdue = office.outbox.poll_timeout().unwrap();
    assert_eq!(overdue.since(office.now), TIMEOUT + Duration::from_secs(5));
    office.now = overdue;
    office.outbox.handle_timeout(overdue);
    office.drain();
    assert_eq!(office.outbox.down_since(), Some(overdue));
    // It was delivered after all.
    office.outbox.handle_outcome(lost.event, Outcome::Taken, office.now);
    office.drain();
    assert_eq!(office.settled, [lost.event]);
    assert_eq!(office.outbox.poll_timeout(), None);
}

#[test]
fn what_memory_cannot_hold_stays_on_disk_and_comes_back_in_order() {
    let mut office = Office::new(8);
    office.put(event(1, 1, "x"));
    office.end_all(&down());
    let calls = EVENTS_MAX as u64;
    for sequence in 1..=3 {
        for n in 2..=calls {
            office.put(event(n, sequence, if sequence == 3 { CLOSED } else { "x" }));
        }
    }
    assert_eq!(office.outbox.len(), EVENTS_MAX);
    assert!(office.outbox.has_more_on_disk());
    office.pass(Duration::from_secs(120), &Outcome::Taken);
    assert!(office.outbox.is_empty());
    assert!(office.disk.is_empty());
    let mut last: BTreeMap<CallId, u32> = BTreeMap::new();
    for event in &office.settled {
        let before = last.insert(event.call, event.sequence).unwrap_or(0);
        assert_eq!(before + 1, event.sequence);
    }
}

#[test]
fn what_the_house_could_not_keep_is_read_back_and_later_news_wait_behind_it() {
    let mut office = Office::new(11);
    office.put(event(1, 1, "x"));
    office.put(event(2, 1, "x"));
    office.end_all(&Outcome::Taken);
    office.held = Some(Vec::new());
    office.leave([event(1, 2, "x"), event(3, 1, "x")]);
    office.put(event(1, 3, CLOSED));
    assert!(office.under_way.is_empty(), "the one before it is still on disk");
    for page in office.held.take().unwrap() {
        office.outbox.restore(page, office.now);
        office.drain();
    }
    office.end_whole(&Outcome::Taken);
    assert!(office.outbox.is_empty() && office.disk.is_empty());
    let of_first: Vec<u32> =
        office.settled.iter().filter(|event| event.call == call(1)).map(|event| event.sequence).collect();
    assert_eq!(of_first, [1, 2, 3]);
}

#[test]
fn what_happens_during_a_load_is_neither_lost_nor_sent_twice() {
    let owed = vec![event(1, 1, "x"), event(2, 1, "x")];
    let mut office = Office::with(9, owed.clone());
    office.held = Some(Vec::new());
    office.drain();
    // A new call comes, is delivered, and is in an answer that was read before.
    office.put(event(3, 1, "x"));
    office.end_all(&Outcome::Taken);
    // And the end of an old one, which must not overtake what is still on disk.
    office.put(event(2, 2, CLOSED));
    assert!(office.under_way.is_empty());
    let mut stale = office.held.take().unwrap().remove(0);
    stale.push(event(3, 1, "x"));
    office.outbox.restore(stale, office.now);
    office.drain();
    while !office.under_way.is_empty() {
        office.end_all(&Outcome::Taken);
    }
    assert!(office.outbox.is_empty());
    let refs: Vec<(CallId, u32)> = office.settled.iter().map(|event| (event.call, event.sequence)).collect();
    assert_eq!(refs, [(call(3), 1), (call(1), 1), (call(2), 1), (call(2), 2)]);
}

/// One run: some events are owed from before, calls come and go, the store answers when it likes,
/// and the sink does what it likes; in the end it is well.
fn run(seed: u64) {
    let mut dice = Dice::seeded(seed);
    let owed: Vec<StoredEvent> = (1..=dice.below(700))
        .flat_map(|n| (2..3 + dice.below(3) as u32).map(move |sequence| event(n, sequence, "x")))
        .collect();
    let mut expected: BTreeSet<EventRef> = owed.iter().map(|event| event.event).collect();
    let mut office = Office::with(seed, owed);
    office.held = Some(Vec::new());
    office.drain();
    let mut live: Vec<(u64, u32)> = Vec::new();
    let mut births = 10_000;
    let burst = if seed.is_multiple_of(40) { 200 } else { 3 };
    for _ in 0..300 {
        for _ in 0..dice.below(burst) {
            let (n, sequence) = if live.is_empty() || dice.below(3) == 0 {
                births += 1;
                (births, 1)
            } else {
                live.swap_remove(dice.below(live.len() as u64) as usize)
            };
            let ends = sequence > 1 && dice.below(4) == 0;
            let next = event(n, sequence, if ends { CLOSED } else { "x" });
            expected.insert(next.event);
            let file = ends.then(|| event(n, sequence + 1, "recording"));
            expected.extend(file.as_ref().map(|file| file.event));
            if dice.below(8) == 0 {
                office.leave([next].into_iter().chain(file));
            } else {
                office.put(next);
                file.into_iter().for_each(|file| office.put(file));
            }
            if !ends {
                live.push((n, sequence + 1 + dice.below(2) as u32));
            }
        }
        for _ in 0..dice.below(6) {
            if !office.under_way.is_empty() {
                let index = dice.below(office.under_way.len() as u64) as usize;
                let outcome = match dice.below(10) {
                    0 => Outcome::Refused("400".into()),
                    1 => down(),
                    _ => Outcome::Taken,
                };
                office.end(index, outcome);
            }
        }
        if dice.below(3) == 0
            && let Some(page) = office.held.as_mut().and_then(Vec::pop)
        {
            office.outbox.restore(page, office.now);
            office.drain();
        }
        office.now += ms(dice.below(2_000));
        office.outbox.handle_timeout(office.now);
        // Tries whose outcome is overdue are forgotten here too: the sink is asked again.
        let overdue = office.now;
        let tries = &office.tries;
        office.under_way.retain(|event| {
            let begun = tries.iter().rev().find(|(_, tried)| *tried == event.event);
            begun.is_some_and(|(at, _)| *at + TIMEOUT + Duration::from_secs(5) > overdue)
        });
        office.drain();
    }
    for page in office.held.take().into_iter().flatten() {
        office.outbox.restore(page, office.now);
        office.drain();
    }
    office.pass(Duration::from_secs(300), &Outcome::Taken);
    assert!(office.outbox.is_empty(), "{} are left", office.outbox.len());
    assert!(office.disk.is_empty(), "{} are lost", office.disk.len());
    let ends: Vec<EventRef> = office.settled.iter().chain(&office.dead).copied().collect();
    assert_eq!(ends.len(), expected.len(), "each settles once");
    assert_eq!(ends.into_iter().collect::<BTreeSet<_>>(), expected);
    let mut last: BTreeMap<CallId, u32> = BTreeMap::new();
    for (_, tried) in &office.tries {
        let before = last.insert(tried.call, tried.sequence).unwrap_or(0);
        assert!(before <= tried.sequence, "{tried:?} after {before}");
    }
}

#[test]
fn no_random_week_loses_an_event_settles_one_twice_or_breaks_an_order() {
    if let Ok(seed) = std::env::var("SEED") {
        return run(seed.parse().expect("SEED is a number"));
    }
    for seed in 0..100 {
        if let Err(fault) = std::panic::catch_unwind(|| run(seed)) {
            println!("replay with SEED={seed}");
            std::panic::resume_unwind(fault);
        }
    }
}

#[test]
fn a_sink_of_its_own_pace_rests_and_sends_as_it_says() {
    let pace = Pace { first: Duration::from_secs(5), longest: Duration::from_secs(20), at_once: 2 };
    let mut office = Office::new(7);
    office.outbox = Outbox::paced(TIMEOUT, pace, Dice::seeded(7));
    office.drain();
    (1..=6).for_each(|n| office.put(event(n, 1, "x")));
    assert_eq!(office.under_way.len(), 2, "two at once");
    office.end_all(&Outcome::Retry("503".into()));
    let rests = |office: &mut Office| {
        let at = office.outbox.poll_timeout().expect("it tries again");
        let rest = at.since(office.now);
        office.now = at;
        office.outbox.handle_timeout(at);
        office.drain();
        assert_eq!(office.under_way.len(), 1, "one at a time while it is down");
        office.end(0, Outcome::Retry("503".into()));
        rest
    };
    let found: Vec<u64> = (0..4).map(|_| rests(&mut office).as_secs()).collect();
    assert_eq!(found[0], 5, "{found:?}");
    assert!(found.iter().all(|rest| (5..=20).contains(rest)) && found[3] >= 15, "{found:?}");
}

#[test]
fn an_event_that_is_given_up_is_a_dead_letter_and_the_sink_rests_all_the_same() {
    let mut office = Office::new(8);
    office.put(event(1, 1, "x"));
    office.put(event(1, 2, "x"));
    let given_up = office.under_way.swap_remove(0).event;
    assert_eq!(office.outbox.happened_at(given_up), Some(event(1, 1, "x").at));
    office.outbox.give_up(given_up, "undelivered".into(), office.now);
    office.drain();
    assert_eq!(office.dead, [event(1, 1, "x").event]);
    assert!(office.under_way.is_empty() && office.outbox.down_since().is_some(), "it rests");
    office.now = office.outbox.poll_timeout().expect("the next of the call follows");
    office.outbox.handle_timeout(office.now);
    office.drain();
    office.end_all(&Outcome::Taken);
    assert_eq!(office.settled, [event(1, 2, "x").event]);
    assert!(office.outbox.is_empty() && office.outbox.down_since().is_none());
}
