//! Writes on their way to disk, seen from the switchboard: what waits for them, and how much is kept.

use std::path::Path;

use super::*;
use crate::id::Dice;
use crate::routing::Overrides;
use crate::routing::plan::SinkKind;
use crate::sip::event::ListenerConfig;
use crate::switchboard::{self, Setup};
use crate::tickets::event::{EventBody, Outcome, source, stored};
use crate::time::{Instant, Timestamp};

/// The shipped house with nobody in it, its first outputs taken.
fn board() -> Switchboard {
    board_that_keeps(None)
}

/// The same with events that are given up after so long.
fn board_that_keeps(keep: Option<Duration>) -> Switchboard {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("routing.toml");
    let mut plan = crate::io::plan_files::load(&file, &Overrides::default()).plan.expect("it is whole");
    plan.sinks[0].kind = SinkKind::Jsonl { path: "tickets.jsonl".into() }; // The embedded one is owed nothing.
    let bind = "127.0.0.1:5060".parse().unwrap();
    plan.sinks[0].pace.keep = keep;
    let setup = Setup {
        plan: plan.into(),
        accounts: Vec::new(),
        trunk_passwords: Default::default(),
        sounds: Vec::new(),
        listeners: vec![ListenerConfig { transport: crate::sip::Transport::Udp, bind, advertise: bind.ip() }],
        dice: Dice::seeded(1),
        node: "node-1".into(),
        shifted_clock: false,
        last_ticket: None,
        last_house: 0,
    };
    let mut board = Switchboard::new(setup, now());
    board.records = Records::default(); // What its seats begin as is asked elsewhere.
    board
}

fn now() -> Now {
    Now { mono: Instant::from_millis(1_000), wall: Timestamp::UNIX_EPOCH }
}

fn event(n: u64) -> StoredEvent {
    let call = CallId::draw(n, &mut Dice::seeded(n));
    stored(call, 1, Timestamp::UNIX_EPOCH, &EventBody::Answered { durable: true }, &source("test"))
}

/// Loads, deliveries and tokens of writes, in order.
#[derive(Debug, PartialEq)]
enum Wanted {
    Load(Option<EventRef>),
    Deliver(EventRef),
    Store(u64),
}

fn wanted(board: &mut Switchboard) -> Vec<Wanted> {
    let outputs = std::iter::from_fn(|| board.poll_output());
    let wanted = outputs.filter_map(|output| match output {
        Output::LoadOutbox { after, .. } => Some(Wanted::Load(after)),
        Output::Deliver { event, .. } => Some(Wanted::Deliver(event.event)),
        Output::Store { token, .. } => Some(Wanted::Store(token)),
        _ => None,
    });
    wanted.collect()
}

fn tell(board: &mut Switchboard, input: switchboard::Input) -> Vec<Wanted> {
    board.handle_input(input, now());
    wanted(board)
}

#[test]
fn an_outbox_reads_back_only_when_what_it_settled_is_struck_off() {
    let mut board = board();
    let (first, second) = (event(1), event(2));
    let restore =
        |event: &StoredEvent| switchboard::Input::RestoreOutbox { sink: 0, events: vec![event.clone()] };
    let taken = |event: &StoredEvent| switchboard::Input::Delivered {
        sink: 0,
        event: event.event,
        outcome: Outcome::Taken,
    };
    board.handle_timeout(now());
    assert_eq!(wanted(&mut board), [Wanted::Load(None)]);
    let begins = tell(&mut board, restore(&first));
    assert_eq!(begins, [Wanted::Deliver(first.event), Wanted::Load(Some(first.event))]);
    assert_eq!(tell(&mut board, taken(&first)), [Wanted::Store(1)]);
    assert_eq!(tell(&mut board, restore(&second)), [Wanted::Deliver(second.event)], "the next load waits");
    assert_eq!(tell(&mut board, switchboard::Input::StoreFailed { token: 1 }), []);
    let stored = tell(&mut board, switchboard::Input::Stored { token: 1 });
    assert_eq!(stored, [Wanted::Load(Some(second.event))]);
}

#[test]
fn while_the_store_fails_memory_is_bounded_and_the_rest_is_read_back_afterwards() {
    let mut board = board();
    board.handle_timeout(now());
    tell(&mut board, switchboard::Input::RestoreOutbox { sink: 0, events: Vec::new() });
    let most = EVENTS_MAX as u64;
    for n in 1..=3 * most {
        let event = event(n);
        board.records.jobs.push(StoreJob::Settled { sink: 0, event: event.event });
        board.records.events.push(event);
        if n % 5 == 0 {
            board.records.await_opening(CallId::draw(n, &mut Dice::seeded(n)));
        }
        board.flush_records();
        // The store says at once that it fails.
        board.store_failed(n);
    }
    assert!(board.records.openings.is_empty() && board.records.kept <= EVENTS_MAX);
    assert!(board.records.unstored.len() <= EVENTS_MAX + 1, "{} batches", board.records.unstored.len());
    assert_eq!(wanted(&mut board).len(), 3 * EVENTS_MAX, "each write was wanted once");

    let after = tell(&mut board, switchboard::Input::Stored { token: 3 * most });
    assert!(board.records.unstored.is_empty() && board.records.kept == 0);
    assert!(board.outboxes()[0].as_ref().is_some_and(|outbox| outbox.has_more_on_disk()));
    // Memory of the outbox is full; once it has room, it reads from the first that was not kept.
    let mut under_way: VecDeque<EventRef> = VecDeque::new();
    let mut load = None;
    let mut take = |found: Vec<Wanted>, under_way: &mut VecDeque<EventRef>| {
        for one in found {
            match one {
                Wanted::Deliver(event) => under_way.push_back(event),
                Wanted::Load(after) => load = load.or(after),
                Wanted::Store(_) => {}
            }
        }
        load
    };
    let mut found = take(after, &mut under_way);
    let mut token = 3 * most;
    while found.is_none() {
        let event = under_way.pop_front().expect("more to deliver until there is room");
        board.handle_input(switchboard::Input::Delivered { sink: 0, event, outcome: Outcome::Taken }, now());
        token += 1;
        board.handle_input(switchboard::Input::Stored { token }, now());
        found = take(wanted(&mut board), &mut under_way);
    }
    let left_first = event(crate::tickets::outbox::EVENTS_MAX as u64 + 1).event;
    assert_eq!(found, Some(EventRef { sequence: 0, ..left_first }));
}

#[test]
fn an_event_is_given_up_when_it_fails_and_is_older_than_it_is_kept() {
    for (keep, is_given_up) in [(None, false), (Some(3_600), true), (Some(7_200), false)] {
        let mut board = board_that_keeps(keep.map(Duration::from_secs));
        board.handle_timeout(now());
        let event = event(1);
        tell(&mut board, switchboard::Input::RestoreOutbox { sink: 0, events: vec![event.clone()] });
        let late = Now { wall: Timestamp::from_second(3_601).expect("a time"), ..now() };
        let outcome = Outcome::Retry("503".into());
        board.handle_input(switchboard::Input::Delivered { sink: 0, event: event.event, outcome }, late);
        let jobs = std::iter::from_fn(|| board.poll_output()).find_map(|output| match output {
            Output::Store { jobs, .. } => Some(jobs),
            _ => None,
        });
        let dead = jobs
            .into_iter()
            .flatten()
            .any(|job| matches!(job, StoreJob::DeadLetter { why, .. } if why.ends_with("503")));
        assert_eq!(dead, is_given_up, "{keep:?}");
    }
}
