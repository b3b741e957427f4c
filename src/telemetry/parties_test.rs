use std::time::Duration;

use super::*;
use crate::acd::event::Overflow;
use crate::id::{CallId, Dice, SeatId};
use crate::switchboard::fact::{Cause, Fact, ObjectKind, Sound};
use crate::telemetry::CallRecord;
use crate::telemetry::transfers::{Step, Taken};
use crate::time::{Instant, Timestamp};

/// Facts of one call, each at so many milliseconds.
fn record(story: &[(u64, What)]) -> CallRecord {
    let call = CallId::draw(1_000, &mut Dice::seeded(1));
    let begun = Instant::from_nanos(777_123_456);
    let facts: Vec<Fact> = (1..)
        .zip(story)
        .map(|(sequence, (at_ms, what))| Fact {
            call,
            sequence,
            at: Timestamp::UNIX_EPOCH,
            mono: begun + Duration::from_millis(*at_ms),
            what: what.clone(),
        })
        .collect();
    let record = CallRecord::fold(&facts).unwrap();
    let mut twice = CallRecord::new(call);
    for fact in &facts {
        twice.apply(fact);
        twice.apply(fact);
    }
    assert_eq!(record, twice, "told twice is told once");
    adds_up(&record, story.last().unwrap().0);
    record
}

/// The parts of everybody's time are the whole.
fn adds_up(record: &CallRecord, lasted_ms: u64) {
    let times = &record.times;
    let caller = times.with_somebody_ms + times.on_hold_ms + times.in_queue_ms + times.alone_ms;
    assert_eq!(caller, lasted_ms, "{times:?}");
    for party in &times.parties[1..] {
        let stay = party.left_ms.unwrap_or(lasted_ms) - party.joined_ms;
        assert_eq!(party.talked_ms + party.held_ms + party.consulted_ms, stay, "{party:?}");
    }
}

fn opened() -> What {
    What::Opened {
        line: "12345".into(),
        dialled: "12345".into(),
        caller: "13800000001".into(),
        trunk: "carrier".into(),
        ticket: "2021080100001".into(),
        plan: "abc".into(),
        shifted_clock: false,
        wire_ref: "w".into(),
        room: None,
    }
}

fn queued() -> What {
    What::Queued { queue: "main".into() }
}

fn seat(name: &str, leg: u16) -> What {
    What::SeatAnswered { seat: name.into(), waited_ms: 0, leg: Some(leg) }
}

fn seat_left(name: &str) -> What {
    What::SeatLeft { seat: name.into(), talked_ms: 0, vanished: false }
}

fn peer(leg: u16) -> What {
    What::PeerAnswered { trunk: "sub".into(), number: "12366".into(), leg: Some(leg) }
}

fn peer_left() -> What {
    What::PeerLeft { trunk: "sub".into(), number: "12366".into(), talked_ms: 0 }
}

fn transfer(kind: &str, step: &str) -> What {
    let object = Some(Object { kind: ObjectKind::SubCenter, id: "12366".into() });
    let status = (step == "failed").then_some(486);
    What::Transfer {
        to: "12366".into(),
        kind: serde_json::from_value(kind.into()).unwrap(),
        step: serde_json::from_value(step.into()).unwrap(),
        status,
        leg: None,
        object,
    }
}

fn closed() -> What {
    What::Closed { cause: Cause::CallerHungUp, lasted_ms: 0, answered_ms: None, sound: None, reason: None }
}

/// Who, from when to when, with the caller, held, consulting.
type Row<'a> = (&'a str, u64, u64, u64, u64, u64);

fn rows(record: &CallRecord) -> Vec<(String, u64, u64, u64, u64, u64)> {
    let of = |row: &PartyTime| {
        let left = row.left_ms.unwrap_or(u64::MAX);
        (row.party.to_string(), row.joined_ms, left, row.talked_ms, row.held_ms, row.consulted_ms)
    };
    record.times.parties.iter().map(of).collect()
}

fn are(record: &CallRecord, wanted: &[Row<'_>]) {
    let wanted: Vec<_> =
        wanted.iter().map(|(who, a, b, c, d, e)| ((*who).to_owned(), *a, *b, *c, *d, *e)).collect();
    assert_eq!(rows(record), wanted);
}

#[test]
fn a_talk_is_split_from_the_wait_before_it_and_the_survey_after_it() {
    let record = record(&[
        (0, opened()),
        (10, What::Answered { durable: true }),
        (2_000, queued()),
        (9_000, seat("1001", 1)),
        (69_000, seat_left("1001")),
        (75_500, closed()),
    ]);
    are(&record, &[("caller", 0, 75_500, 60_000, 0, 0), ("seat/1001", 9_000, 69_000, 60_000, 0, 0)]);
    let times = &record.times;
    assert_eq!((times.in_queue_ms, times.alone_ms), (7_000, 8_500));
    assert_eq!((record.asked_ms, record.person_ms), (Some(2_000), Some(9_000)));
}

#[test]
fn a_consultation_is_nobodys_talk_with_the_caller_until_it_is_merged() {
    let record = record(&[
        (0, opened()),
        (1_000, queued()),
        (5_000, seat("1001", 1)),
        (20_000, transfer("consult", "requested")),
        (21_000, transfer("consult", "ringing")),
        (30_000, peer(2)),
        (30_000, transfer("consult", "consulting")),
        (50_000, transfer("consult", "merged")),
        (80_000, transfer("consult", "left")),
        (80_000, seat_left("1001")),
        (100_000, peer_left()),
        (100_500, closed()),
    ]);
    are(
        &record,
        &[
            ("caller", 0, 100_500, 65_000, 30_000, 0),
            // 5–20 and 50–80 with the caller, 20–30 waiting for the center, 30–50 with it.
            ("seat/1001", 5_000, 80_000, 45_000, 10_000, 20_000),
            ("sub/12366", 30_000, 100_000, 50_000, 0, 20_000),
        ],
    );
    // Both were with the caller for 30 s: that counts once.
    assert_eq!(record.times.with_somebody_ms, 15_000 + 50_000);
    assert_eq!((record.times.in_queue_ms, record.times.alone_ms), (4_000, 1_500));
    let transfer = &record.reached.transfers[0];
    assert_eq!(transfer.taken(), Taken::Accepted(10_000));
    assert_eq!((transfer.at(Step::Merged), transfer.outcome()), (Some(50_000), Some(Step::Left)));
    assert_eq!(
        record.times.parties[2].object.as_ref().map(ToString::to_string).as_deref(),
        Some("sub_center/12366")
    );
}

#[test]
fn a_blind_transfer_is_split_exactly_between_who_asked_and_whom_it_reached() {
    let story = |end: &[(u64, What)]| {
        let begin = [
            (0, opened()),
            (1_000, queued()),
            (5_000, seat("1001", 1)),
            (20_000, transfer("blind", "requested")),
        ];
        record(&[&begin, end].concat())
    };
    let taken = story(&[
        (26_000, transfer("blind", "accepted")),
        (26_000, seat_left("1001")),
        (26_000, peer(2)),
        (40_000, peer_left()),
        (40_000, closed()),
    ]);
    are(
        &taken,
        &[
            ("caller", 0, 40_000, 29_000, 6_000, 0),
            ("seat/1001", 5_000, 26_000, 15_000, 6_000, 0),
            ("sub/12366", 26_000, 40_000, 14_000, 0, 0),
        ],
    );
    // Who asked has hung up meanwhile; the caller is put through all the same.
    let gone = story(&[
        (22_000, seat_left("1001")),
        (26_000, transfer("blind", "accepted")),
        (26_000, peer(2)),
        (40_000, closed()),
    ]);
    are(
        &gone,
        &[
            ("caller", 0, 40_000, 29_000, 6_000, 0),
            ("seat/1001", 5_000, 22_000, 15_000, 2_000, 0),
            ("sub/12366", 26_000, 40_000, 14_000, 0, 0),
        ],
    );
    // Nobody took the caller: back to who asked.
    let failed =
        story(&[(26_000, transfer("blind", "failed")), (40_000, seat_left("1001")), (40_000, closed())]);
    are(&failed, &[("caller", 0, 40_000, 29_000, 6_000, 0), ("seat/1001", 5_000, 40_000, 29_000, 6_000, 0)]);
    assert_eq!(failed.reached.transfers[0].taken(), Taken::Refused);
}

/// A clerk has called a citizen: the clerk's telephone is the first leg, and it is they who ask others in.
#[test]
fn in_a_clerks_own_call_the_citizen_waits_and_the_clerk_may_leave_the_others() {
    let citizen =
        || What::PeerAnswered { trunk: "carrier".into(), number: "13900000000".into(), leg: Some(1) };
    let outward = What::Outward {
        purpose: crate::switchboard::fact::OutwardPurpose::Click,
        seat: Some("1001".into()),
        number: "13900000000".into(),
        of: None,
    };
    let begin = [(0, opened()), (0, outward), (5_000, citizen()), (20_000, transfer("consult", "requested"))];
    let end = [
        (25_000, transfer("consult", "consulting")),
        (25_000, peer(2)),
        (35_000, transfer("consult", "merged")),
        (40_000, transfer("consult", "left")),
        (40_000, seat_left("1001")),
        (55_000, closed()),
    ];
    let whole = record(&[&begin[..], &end].concat());
    are(
        &whole,
        &[
            ("caller", 0, 40_000, 30_000, 5_000, 0),
            ("carrier/13900000000", 5_000, 55_000, 35_000, 15_000, 0),
            ("sub/12366", 25_000, 55_000, 30_000, 0, 0),
        ],
    );
    assert_eq!((whole.times.with_somebody_ms, whole.times.alone_ms), (45_000, 5_000));
    // In vain: the two talk on. The clerk holds, which is time with nobody for either.
    let end = [
        (26_000, transfer("consult", "failed")),
        (30_000, What::Held { leg: 0, holds: true }),
        (34_000, What::Held { leg: 0, holds: false }),
        (40_000, closed()),
    ];
    are(
        &record(&[&begin[..], &end].concat()),
        &[
            ("caller", 0, 40_000, 25_000, 10_000, 0),
            ("carrier/13900000000", 5_000, 40_000, 25_000, 10_000, 0),
        ],
    );
    // The clerk leaves while it rings, and it does not pick up: the citizen is told so, by nobody.
    let end = [
        (22_000, transfer("consult", "left")),
        (22_000, seat_left("1001")),
        (30_000, transfer("consult", "failed")),
        (40_000, closed()),
    ];
    let alone = record(&[&begin[..], &end].concat());
    are(
        &alone,
        &[("caller", 0, 22_000, 15_000, 2_000, 0), ("carrier/13900000000", 5_000, 40_000, 15_000, 20_000, 0)],
    );
    assert_eq!((alone.times.on_hold_ms, alone.times.alone_ms), (10_000, 15_000));
    // Or it does.
    let end = [
        (22_000, transfer("consult", "left")),
        (22_000, seat_left("1001")),
        (26_000, transfer("consult", "accepted")),
        (26_000, peer(2)),
        (40_000, closed()),
    ];
    are(
        &record(&[&begin[..], &end].concat()),
        &[
            ("caller", 0, 22_000, 15_000, 2_000, 0),
            ("carrier/13900000000", 5_000, 40_000, 29_000, 6_000, 0),
            ("sub/12366", 26_000, 40_000, 14_000, 0, 0),
        ],
    );
}

#[test]
fn who_consults_in_vain_or_leaves_before_the_answer_is_counted_as_it_was() {
    let begin = [
        (0, opened()),
        (1_000, queued()),
        (5_000, seat("1001", 1)),
        (20_000, transfer("consult", "requested")),
    ];
    let end = [(26_000, transfer("consult", "failed")), (40_000, closed())];
    are(
        &record(&[&begin[..], &end].concat()),
        &[("caller", 0, 40_000, 29_000, 6_000, 0), ("seat/1001", 5_000, 40_000, 29_000, 6_000, 0)],
    );
    // The clerk leaves while it rings: the caller hears it ring, and then the center.
    let end = [
        (22_000, transfer("consult", "left")),
        (22_000, seat_left("1001")),
        (26_000, transfer("consult", "accepted")),
        (26_000, peer(2)),
        (40_000, closed()),
    ];
    are(
        &record(&[&begin[..], &end].concat()),
        &[
            ("caller", 0, 40_000, 29_000, 6_000, 0),
            ("seat/1001", 5_000, 22_000, 15_000, 2_000, 0),
            ("sub/12366", 26_000, 40_000, 14_000, 0, 0),
        ],
    );
    // The third party is let go, and the clerk goes on.
    let end = [
        (26_000, transfer("consult", "consulting")),
        (26_000, peer(2)),
        (30_000, peer_left()),
        (30_000, transfer("consult", "returned")),
        (40_000, closed()),
    ];
    are(
        &record(&[&begin[..], &end].concat()),
        &[
            ("caller", 0, 40_000, 25_000, 10_000, 0),
            ("seat/1001", 5_000, 40_000, 25_000, 6_000, 4_000),
            ("sub/12366", 26_000, 30_000, 0, 0, 4_000),
        ],
    );
}

#[test]
fn music_is_no_talk_and_of_three_who_talk_one_may_hold() {
    let held = |leg, holds| What::Held { leg, holds };
    let record = record(&[
        (0, opened()),
        (0, queued()),
        (0, seat("1001", 1)),
        (10_000, held(1, true)),
        (14_000, held(1, false)),
        (20_000, transfer("attended", "accepted")),
        (20_000, peer(2)),
        (30_000, held(1, true)),
        (35_000, held(1, false)),
        (40_000, held(0, true)),
        (42_000, held(0, false)),
        (50_000, closed()),
    ]);
    are(
        &record,
        &[
            // 4 s of music, and 2 s that the caller held.
            ("caller", 0, 50_000, 44_000, 6_000, 0),
            ("seat/1001", 0, 50_000, 39_000, 9_000, 2_000),
            ("sub/12366", 20_000, 50_000, 28_000, 0, 2_000),
        ],
    );
}

#[test]
fn a_peer_of_whom_nobody_said_that_it_left_leaves_with_its_sound_and_all_leave_with_the_end() {
    let party = Party::Peer { trunk: "sub".into(), number: "12366".into() };
    let sound_closed = |leg| What::LegClosed { leg, party: party.clone(), sound: Sound::default() };
    let record = record(&[
        (0, opened()),
        (0, What::PeerDialled { trunk: "sub".into(), number: "12366".into() }),
        (4_000, peer(1)),
        (5_000, sound_closed(7)), // Another one of the same number.
        (9_000, sound_closed(1)),
        (9_500, queued()),
        (11_000, What::Overflowed { queue: "main".into(), why: Overflow::Full, waited_ms: 1_500 }),
        (12_000, seat("1001", 2)),
        (15_000, closed()),
    ]);
    are(
        &record,
        &[
            ("caller", 0, 15_000, 8_000, 0, 0),
            ("sub/12366", 4_000, 9_000, 5_000, 0, 0),
            ("seat/1001", 12_000, 15_000, 3_000, 0, 0),
        ],
    );
    assert_eq!((record.times.in_queue_ms, record.times.alone_ms), (1_500, 5_500));
    assert_eq!(record.asked_ms, Some(0));
}

#[test]
fn of_very_many_stays_the_first_are_dropped_and_their_minutes_stay() {
    let mut story = vec![(0, opened()), (0, queued())];
    for at in 0..100 {
        story.push((at * 1_000, seat(&format!("{at}"), 1)));
        story.push((at * 1_000 + 500, seat_left(&format!("{at}"))));
    }
    story.push((100_000, closed()));
    let record = record(&story);
    let parties = &record.times.parties;
    assert_eq!((parties.len(), record.times.parties_dropped), (PARTIES_MAX, 69));
    assert_eq!(record.times.with_somebody_ms, 50_000);
    assert_eq!(
        (parties[0].party.to_string(), parties[31].party.to_string()),
        ("caller".into(), "seat/99".into())
    );
    assert_eq!(parties[1].party, Party::Seat { seat: SeatId::from("69") });
}

/// Anything in any order: nothing panics, everybody's parts are the whole, and nobody stays for ever.
#[test]
fn whatever_the_facts_say_parts_add_up() {
    let mut dice = Dice::seeded(20_211_126);
    for _ in 0..2_000 {
        let mut at = 0;
        let mut story = vec![(0, opened())];
        for _ in 0..dice.below(60) {
            at += dice.below(5_000);
            let kind = ["blind", "consult", "attended"][dice.below(3) as usize];
            let step =
                ["requested", "consulting", "merged", "left", "returned", "accepted", "failed", "ringing"];
            let name = ["1001", "1002", "1003"][dice.below(3) as usize];
            let leg = dice.below(4) as u16;
            story.push((
                at,
                match dice.below(9) {
                    0 => queued(),
                    1 | 2 => seat(name, leg),
                    3 => seat_left(name),
                    4 => peer(leg),
                    5 => peer_left(),
                    6 => What::Held { leg, holds: dice.below(2) == 0 },
                    7 => transfer(kind, step[dice.below(8) as usize]),
                    _ => What::Overflowed { queue: "main".into(), why: Overflow::Full, waited_ms: 0 },
                },
            ));
        }
        story.push((at + dice.below(5_000), closed()));
        let record = record(&story);
        assert!(record.times.parties.iter().all(|party| party.left_ms.is_some()));
        let json = serde_json::to_string(&record).unwrap();
        let again: CallRecord = serde_json::from_str(&json).unwrap();
        assert_eq!(again.times.parties, record.times.parties);
    }
}

#[test]
fn a_record_of_an_earlier_version_is_read_without_minutes() {
    let whole = serde_json::to_value(record(&[(0, opened()), (5, closed())])).unwrap();
    let mut old = whole.as_object().unwrap().clone();
    let new = [
        "parties",
        "with_somebody_ms",
        "on_hold_ms",
        "in_queue_ms",
        "alone_ms",
        "transfers",
        "rings",
        "flags",
        "watchers",
        "priorities",
        "asked_ms",
        "person_ms",
        "first_queue",
        "recognised",
        "outward",
        "callback",
        "callback_outcome",
        "disposed",
        "survey_reason",
    ];
    for field in new {
        assert!(old.remove(field).is_some(), "{field} is no field");
    }
    let old: CallRecord = serde_json::from_value(old.into()).unwrap();
    assert_eq!((old.times.parties.len(), old.cause), (0, Some(Cause::CallerHungUp)));
}
