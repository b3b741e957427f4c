//! The list as a machine: facts in, who is owed a call out.

use super::*;
use crate::acd::event::Overflow;
use crate::id::{Dice, TrunkId};
use crate::switchboard::fact::Room;

const HOUR: Duration = Duration::from_secs(3_600);

struct Desk {
    list: MissedCalls,
    now: Now,
    sequences: HashMap<CallId, u32>,
    all: Vec<Fact>,
    calls: u64,
}

impl Desk {
    fn new() -> Desk {
        let rules = Missed {
            enabled: true,
            after: Duration::from_secs(10),
            keep: 24 * HOUR,
            tries: 2,
            again_after: HOUR,
        };
        let wall = "2021-09-01T09:00:00+08:00".parse().unwrap();
        Desk {
            list: MissedCalls::new(&rules),
            now: Now { mono: Instant::from_millis(1_000_000), wall },
            sequences: HashMap::new(),
            all: Vec::new(),
            calls: 0,
        }
    }

    fn wait(&mut self, span: Duration) {
        self.now.mono += span;
        self.now.wall += span;
        self.list.handle_timeout(self.now);
    }

    fn tell(&mut self, call: CallId, what: What) -> Option<CallbackOutcome> {
        let sequence = self.sequences.entry(call).or_default();
        *sequence += 1;
        let (at, mono) = (self.now.wall, self.now.mono);
        let fact = Fact { call, sequence: *sequence, at, mono, what };
        self.all.push(fact.clone());
        self.list.handle_fact(&fact, self.now).map(|settled| settled.outcome)
    }

    fn opens(&mut self, caller: &str, trunk: &str, room: Option<Room>) -> CallId {
        self.calls += 1;
        let call = CallId::draw(1_630_458_000_000 + self.calls, &mut Dice::seeded(self.calls));
        let opened = What::Opened {
            line: "12345".into(),
            dialled: "12345".into(),
            caller: caller.into(),
            trunk: TrunkId::from(trunk),
            ticket: "1".into(),
            plan: String::new(),
            shifted_clock: false,
            wire_ref: String::new(),
            room,
        };
        self.tell(call, opened);
        call
    }

    fn closes(&mut self, call: CallId, cause: Cause, lasted_s: u64) -> Option<CallbackOutcome> {
        let lasted_ms = lasted_s * 1_000;
        self.tell(call, What::Closed { cause, lasted_ms, answered_ms: None, sound: None, reason: None })
    }

    /// A call with these facts between its ends.
    fn call(&mut self, caller: &str, whats: Vec<What>, cause: Cause, lasted_s: u64) -> CallId {
        let call = self.opens(caller, "carrier", None);
        for what in whats {
            self.tell(call, what);
        }
        self.closes(call, cause, lasted_s);
        call
    }

    /// A clerk calls this number.
    fn clerk_calls(&mut self, number: &str, of: Option<CallId>) -> CallId {
        let call = self.opens("1001", "seats", None);
        let purpose = if of.is_some() { OutwardPurpose::Missed } else { OutwardPurpose::Click };
        let seat = Some("1001".into());
        self.tell(call, What::Outward { purpose, seat, number: number.into(), of });
        call
    }

    fn numbers(&self) -> Vec<String> {
        self.list.views().into_iter().map(|view| view.number).collect()
    }

    /// As a new process finds it.
    fn restarted(&self) -> Vec<MissedView> {
        let mut list = MissedCalls::new(&self.list.rules);
        list.restore(&self.all, |_| false, self.now);
        list.views()
    }
}

fn queued() -> What {
    What::Queued { queue: "main".into() }
}

fn seat_answered() -> What {
    What::SeatAnswered { seat: "1001".into(), waited_ms: 1, leg: Some(1) }
}

fn dialled() -> What {
    What::PeerDialled { trunk: "carrier".into(), number: "1".into() }
}

fn answered() -> What {
    What::PeerAnswered { trunk: "carrier".into(), number: "1".into(), leg: Some(1) }
}

#[test]
fn who_is_lost_before_a_clerk_answers_is_owed_a_call_row_by_row() {
    let left = |talked_ms| What::SeatLeft { seat: "1001".into(), talked_ms, vanished: true };
    let overflowed = What::Overflowed { queue: "main".into(), why: Overflow::Full, waited_ms: 0 };
    let kept = What::CallbackKept { queue: "main".into(), ahead: 1 };
    let rows = [
        ("gave up", vec![queued()], Cause::CallerHungUp, 10, true),
        ("sooner than it is meant", vec![queued()], Cause::CallerHungUp, 9, false),
        ("during the greeting", vec![], Cause::CallerHungUp, 12, true),
        ("before the answer", vec![], Cause::CallerCancelled, 12, true),
        ("just gone", vec![queued()], Cause::CallerVanished, 12, true),
        ("we ended it", vec![queued()], Cause::Drained, 12, true),
        ("we died", vec![queued()], Cause::Crash, 12, true),
        ("refused", vec![], Cause::Refused(410), 12, false),
        ("overflowed at once", vec![queued(), overflowed], Cause::Completed, 5, true),
        ("talked", vec![queued(), seat_answered(), left(4_000)], Cause::Completed, 90, false),
        ("the seat was dead", vec![queued(), seat_answered(), left(0)], Cause::CallerHungUp, 90, true),
        ("the sub-center answered", vec![dialled(), answered()], Cause::CallerHungUp, 90, false),
        ("the queue calls back", vec![queued(), kept], Cause::Completed, 90, false),
    ];
    for (what, whats, cause, lasted_s, owed) in rows {
        let mut desk = Desk::new();
        desk.call("13800000001", whats, cause, lasted_s);
        assert_eq!(desk.numbers().len(), usize::from(owed), "{what}");
    }
    let mut desk = Desk::new();
    desk.call("", vec![queued()], Cause::CallerHungUp, 60);
    let room = Room { meeting: "94xxxxxx".into(), number: "000001".into() };
    let member = desk.opens("1001", "seats", Some(room));
    desk.closes(member, Cause::CallerHungUp, 60);
    let own = desk.clerk_calls("13800000009", None);
    desk.closes(own, Cause::CallerHungUp, 60);
    assert_eq!(desk.numbers(), [""; 0], "withheld, in a room, a clerk's own");
}

#[test]
fn numbers_stand_once_each_the_longest_waiting_first_and_for_so_long() {
    let mut desk = Desk::new();
    let first = desk.call("1", vec![queued()], Cause::CallerHungUp, 60);
    desk.wait(HOUR);
    desk.call("2", vec![queued()], Cause::CallerHungUp, 60);
    desk.wait(HOUR);
    let again = desk.call("1", vec![queued()], Cause::CallerHungUp, 60);
    assert_eq!(desk.numbers(), ["1", "2"]);
    let view = desk.list.views().remove(0);
    assert_eq!((view.count, view.call), (2, again));
    assert_eq!(
        desk.list.to_call_back(first, desk.now),
        Err(NotNow::NotListed),
        "the later call stands for both"
    );
    assert_eq!(desk.restarted(), desk.list.views());
    desk.wait(23 * HOUR);
    assert_eq!(desk.numbers(), ["1"], "by its last call");
    assert_eq!(desk.restarted(), desk.list.views(), "and after a restart as well");
    desk.wait(HOUR);
    assert_eq!(desk.numbers(), [""; 0]);
}

#[test]
fn tries_are_counted_where_somebody_outside_was_rung_and_end_after_the_last() {
    let mut desk = Desk::new();
    let missed = desk.call("1", vec![queued()], Cause::CallerHungUp, 60);
    let unpicked = desk.clerk_calls("1", Some(missed));
    assert_eq!(desk.list.to_call_back(missed, desk.now), Err(NotNow::Trying));
    assert_eq!(desk.closes(unpicked, Cause::Refused(408), 20), None);
    assert!(desk.list.to_call_back(missed, desk.now).is_ok());
    for outcome in [None, Some(CallbackOutcome::Unanswered)] {
        let call = desk.clerk_calls("+861", Some(missed));
        desk.tell(call, dialled());
        assert_eq!(desk.closes(call, Cause::Completed, 20), outcome);
        if outcome.is_none() {
            assert_eq!(desk.list.to_call_back(missed, desk.now), Err(NotNow::TooSoon));
            assert_eq!(desk.restarted(), desk.list.views());
            desk.wait(HOUR);
            assert!(desk.list.to_call_back(missed, desk.now).is_ok());
        }
    }
    assert_eq!(desk.list.to_call_back(missed, desk.now), Err(NotNow::NotListed));
    assert!(desk.restarted().is_empty());
}

#[test]
fn an_answer_settles_a_number_whoever_brought_it_about() {
    let mut desk = Desk::new();
    let missed = desk.call("1", vec![queued()], Cause::CallerHungUp, 60);
    let call = desk.clerk_calls("1", Some(missed));
    desk.tell(call, dialled());
    assert_eq!(desk.tell(call, answered()), Some(CallbackOutcome::Answered));
    assert_eq!(desk.closes(call, Cause::CallerHungUp, 30), None);

    desk.call("1", vec![queued()], Cause::CallerHungUp, 60);
    let call = desk.clerk_calls("1", None);
    desk.tell(call, dialled());
    assert_eq!(desk.tell(call, answered()), Some(CallbackOutcome::AnsweredSince), "by a clerk's own word");

    desk.call("1", vec![queued()], Cause::CallerHungUp, 60);
    let call = desk.opens("1", "carrier", None);
    assert_eq!(desk.tell(call, seat_answered()), Some(CallbackOutcome::AnsweredSince));
    assert_eq!((desk.numbers(), desk.restarted().len()), (vec![], 0));
}

/// What the queue kept in memory only is not lost with it: such a caller is owed a call all the same.
#[test]
fn a_place_that_was_kept_before_a_restart_is_on_the_list_after_it_unless_it_was_settled() {
    let mut desk = Desk::new();
    let kept = || What::CallbackKept { queue: "main".into(), ahead: 1 };
    desk.call("1", vec![queued(), kept()], Cause::Completed, 60);
    desk.call("2", vec![queued(), kept()], Cause::Completed, 60);
    assert_eq!(desk.numbers(), [""; 0]);
    let call = desk.opens("1001", "seats", None);
    let seat = Some("1001".into());
    desk.tell(call, What::Outward { purpose: OutwardPurpose::Callback, seat, number: "2".into(), of: None });
    desk.tell(call, What::CallbackSettled { outcome: CallbackOutcome::Unanswered });
    let numbers: Vec<String> = desk.restarted().into_iter().map(|view| view.number).collect();
    assert_eq!(numbers, ["1"]);
}

#[test]
fn a_full_list_drops_who_has_waited_longest_and_says_so() {
    let mut desk = Desk::new();
    for n in 0..MISSED_MAX + 3 {
        desk.wait(Duration::from_millis(10));
        desk.call(&format!("138{n:08}"), vec![queued()], Cause::CallerHungUp, 60);
    }
    let numbers = desk.numbers();
    assert_eq!((numbers.len(), desk.list.dropped()), (MISSED_MAX, 3));
    assert_eq!(numbers[0], "13800000003");
}

#[test]
fn a_plan_without_a_list_has_none_and_keeps_nothing_in_mind() {
    let mut desk = Desk::new();
    desk.list.plan_changed(&Missed::default());
    desk.call("1", vec![queued()], Cause::CallerHungUp, 60);
    assert!(desk.numbers().is_empty() && desk.list.calls.is_empty());
}
