//! Meeting rooms: who gets in, who is told that they are full, and that nobody is left inside.

use std::collections::BTreeMap;

use hotline::acd::event::SeatState;
use hotline::id::{LineId, TrunkId};
use hotline::media::order::Fact as Told;
use hotline::phone::PhoneEvent;
use hotline::routing::Plan;
use hotline::routing::meeting::Meeting;
use hotline::switchboard::fact::Cause;
use hotline::switchboard::{Input, What};

use crate::city::{City, millis, secs};
use crate::clerk::{Deed, Who};
use crate::desk::Disk;
use crate::network::Weather;
use crate::seed::{in_a_city, in_a_city_with};

const ROOM: &str = "94000001";

/// Rooms that the carrier's callers may join as well.
fn open(plan: &mut Plan) {
    let shipped = Meeting::clone(&plan.meetings[0]);
    plan.meetings = vec![Meeting { trunks: vec![TrunkId::from("carrier")], ..shipped }.into()];
}

fn members(city: &City, room: &str) -> u32 {
    city.board.rooms().find(|(line, _)| line.as_str() == room).map_or(0, |(_, members)| members)
}

fn refused(status: u16) -> impl Fn(&PhoneEvent) -> bool {
    move |event| matches!(event, PhoneEvent::Refused { status: refused, .. } if *refused == status)
}

/// Members by room, as the facts on disk tell it; each count must be true when it is told.
fn told(city: &City) -> BTreeMap<String, i64> {
    let mut facts: Vec<_> = city.store.facts.values().flatten().collect();
    facts.sort_by_key(|fact| fact.mono);
    let mut lines = BTreeMap::new();
    let mut rooms: BTreeMap<String, i64> = BTreeMap::new();
    let mut by_moment: BTreeMap<(String, u64), Vec<i64>> = BTreeMap::new();
    for fact in facts {
        if let What::Opened { line, .. } = &fact.what {
            lines.insert(fact.call, line.to_string());
        }
        let (step, members) = match &fact.what {
            What::RoomJoined { members } => (1, *members),
            What::RoomLeft { members, .. } => (-1, *members),
            _ => continue,
        };
        let line = lines[&fact.call].clone();
        *rooms.entry(line.clone()).or_default() += step;
        by_moment.entry((line.clone(), fact.mono.as_nanos())).or_default().push(i64::from(members));
        assert!(by_moment[&(line, fact.mono.as_nanos())].iter().all(|members| *members <= 32));
    }
    rooms
}

#[test]
fn clerks_meet_in_a_room_and_their_calls_are_recorded_as_a_meetings() {
    in_a_city(|city| {
        let clerks = ["1001", "1002", "1003"].map(|seat| city.seat(seat).never_answers());
        for clerk in clerks {
            city.dials(clerk, ROOM);
        }
        city.run_for(secs(2));
        assert_eq!(members(city, ROOM), 3);
        for clerk in clerks {
            assert_eq!(city.state_of(clerk), Some("meeting"));
        }
        let seen = hotline::console::snapshot(&city.board, city.now());
        assert_eq!(seen["rooms"], serde_json::json!([{ "room": ROOM, "members": 3 }]));
        city.run_for(secs(3));
        city.hangs_up(clerks[1]);
        city.run_for(secs(1));
        assert_eq!(members(city, ROOM), 2);
        city.hangs_up(clerks[0]);
        city.hangs_up(clerks[2]);
        city.run_for(secs(2));
        assert_eq!(city.board.rooms().count(), 0);
        let record = city.record_of(clerks[1]);
        assert_eq!((record.line.as_str(), record.dialled.contains(ROOM)), (ROOM, true));
        assert_eq!(record.room.as_deref(), Some("94xxxxxx/000001"));
        assert_eq!((record.trunk.as_str(), record.caller.as_str()), ("seats", "1002"));
        assert_eq!(record.cause, Some(Cause::CallerHungUp));
        assert!((4_000..6_000).contains(&record.stayed_ms), "{record:?}");
        assert!(record.sound.is_some() && record.recording.is_none() && record.ticket_left.is_none());
        let opened =
            city.books.taken.iter().find(|event| event.event.call == record.call).expect("it is told");
        let told: serde_json::Value = serde_json::from_str(&opened.json).expect("JSON");
        assert_eq!(
            (&told["data"]["kind"], &told["data"]["line_name"]),
            (&"meeting".into(), &"内部会议".into())
        );
    });
}

#[test]
fn the_33rd_finds_the_room_full_until_somebody_leaves_and_other_rooms_have_room() {
    in_a_city_with(open, |city| {
        let crowd: Vec<Who> = (0..32).map(|n| city.phone(&format!("138000000{n:02}")).dials(ROOM)).collect();
        city.run_for(secs(3));
        assert_eq!(members(city, ROOM), 32);
        let late = city.phone("13900000000").dials(ROOM);
        city.run_for(secs(1));
        assert!(city.saw(late, refused(486)), "{:?}", city.look_at(late).events);
        assert_eq!((members(city, ROOM), city.board.rooms_full()), (32, 1));
        assert!(city.records_of(late).is_empty(), "it was no call");
        let elsewhere = city.phone("13900000001").dials("94000002");
        city.run_for(secs(1));
        assert_eq!((members(city, "94000002"), city.state_of(elsewhere)), (1, Some("meeting")));
        city.hangs_up(crowd[7]);
        city.run_for(secs(3));
        city.dials(late, ROOM);
        city.run_for(secs(1));
        assert_eq!(city.state_of(late), Some("meeting"));
        assert_eq!((members(city, ROOM), city.board.rooms_full()), (32, 1));
        // Everybody at once.
        for who in crowd.into_iter().chain([late, elsewhere]) {
            city.hangs_up(who);
        }
        city.run_for(secs(3));
        assert_eq!(city.board.rooms().count(), 0);
        assert!(told(city).values().all(|left| *left == 0));
    });
}

#[test]
fn places_are_taken_at_the_door_so_that_a_slow_disk_lets_nobody_in_too_many() {
    in_a_city_with(open, |city| {
        city.disk_is(Disk::Takes(millis(200)));
        let crowd: Vec<Who> = (0..40).map(|n| city.phone(&format!("138000000{n:02}")).dials(ROOM)).collect();
        city.run_for(millis(150));
        assert_eq!(members(city, ROOM), 0, "nobody is answered yet");
        assert_eq!(city.board.rooms_full(), 8);
        city.run_for(secs(3));
        assert_eq!(members(city, ROOM), 32);
        let busy = crowd.iter().filter(|who| city.saw(**who, refused(486))).count();
        assert_eq!(busy, 8);
    });
}

#[test]
fn a_cancel_in_any_moment_of_joining_gives_the_place_back() {
    in_a_city_with(open, |city| {
        city.disk_is(Disk::Takes(millis(25)));
        let stays = city.phone("13800000001").dials(ROOM);
        city.run_for(secs(1));
        let caller = city.phone("13800000002").waits();
        let mut causes = Vec::new();
        for after in 0..60 {
            city.dials(caller, ROOM);
            city.later_in_this_call(millis(after), caller, Deed::HangUp);
            assert!(city.run_until(secs(3), |city| city.look_at(caller).is_idle()), "after {after} ms");
            city.run_for(secs(2));
            assert_eq!(members(city, ROOM), 1, "after {after} ms");
            causes.extend(city.records_of(caller).last().and_then(|record| record.cause));
        }
        assert!(
            causes.contains(&Cause::CallerHungUp) && causes.contains(&Cause::CallerCancelled),
            "{causes:?}"
        );
        assert_eq!(city.state_of(stays), Some("meeting"));
        assert_eq!(told(city)[ROOM], 1);
    });
}

#[test]
fn comings_and_goings_over_a_bad_network_leave_nobody_inside() {
    in_a_city_with(open, |city| {
        city.net.sip = Weather::FOUL;
        let people: Vec<Who> = (0..48).map(|n| city.phone(&format!("138000000{n:02}")).waits()).collect();
        for (n, who) in (0..).zip(&people) {
            for round in 0..3_u64 {
                let room = ["94000001", "94000002"][city.dice.below(2) as usize];
                let stays = millis(city.dice.below(6_000));
                let dial = Box::new(hotline::phone::Dial::to(room));
                let ends = if n % 7 == 0 { Deed::Vanish } else { Deed::HangUp };
                // A phone that vanishes comes no more.
                if round == 0 || n % 7 != 0 {
                    city.later(
                        secs(round * 45) + millis(n * 20),
                        *who,
                        Deed::Call(dial, vec![(stays, ends)]),
                    );
                }
            }
        }
        city.run_for(secs(240));
        assert_eq!(city.board.rooms().count(), 0, "{:?}", city.board.rooms().collect::<Vec<_>>());
        assert!(city.board.calls().is_empty());
        let left = told(city);
        assert!(left.len() == 2 && left.values().all(|left| *left == 0), "{left:?}");
    });
}

#[test]
fn a_member_whose_phone_goes_dead_is_asked_and_ended_and_the_others_stay() {
    in_a_city(|city| {
        let [stays, dies] = ["1001", "1002"].map(|seat| city.seat(seat).never_answers());
        for clerk in [stays, dies] {
            city.dials(clerk, ROOM);
        }
        city.run_for(secs(2));
        city.vanishes(dies);
        city.run_for(secs(12 + 4 + 2));
        assert_eq!(members(city, ROOM), 1);
        assert_eq!(city.record_of(dies).cause, Some(Cause::CallerVanished));
        assert_eq!(city.state_of(stays), Some("meeting"));
        city.hangs_up(stays);
    });
}

#[test]
fn a_drain_waits_for_rooms_and_closes_them_after_its_grace() {
    in_a_city(|city| {
        let clerks = ["1001", "1002"].map(|seat| city.seat(seat).never_answers());
        for clerk in clerks {
            city.dials(clerk, ROOM);
        }
        city.run_for(secs(2));
        city.drains(secs(5));
        city.run_for(secs(4));
        assert_eq!((members(city, ROOM), city.drained_at), (2, None));
        city.run_for(secs(4));
        assert!(city.drained_at.is_some());
        for clerk in clerks {
            assert!(city.look_at(clerk).is_idle());
            assert_eq!(city.record_of(clerk).cause, Some(Cause::Drained));
        }
        assert_eq!(told(city)[ROOM], 0);
    });
}

#[test]
fn a_member_whose_sound_fails_is_out_and_its_record_says_why() {
    in_a_city(|city| {
        let clerk = city.seat("1001").never_answers();
        city.dials(clerk, ROOM);
        city.run_for(secs(1));
        let call = city.call_of(clerk).expect("a call");
        city.tell(Input::Sound(Told::Failed { leg: hotline::id::LegId::caller(call) }));
        city.run_for(secs(3));
        assert_eq!(city.board.rooms().count(), 0);
        assert_eq!(city.record_of(clerk).cause, Some(Cause::Failed));
    });
}

#[test]
fn the_carriers_callers_find_no_rooms_and_clerks_find_nothing_else() {
    in_a_city(|city| {
        let citizen = city.phone("13800000001").dials(ROOM);
        let clerk = city.seat("1001").never_answers();
        city.dials(clerk, "12345");
        city.run_for(secs(2));
        assert!(city.saw(citizen, refused(404)) && city.saw(clerk, refused(403)));
        assert!(city.board.calls().is_empty() && city.board.rooms_full() == 0);
        let number = LineId::from(ROOM);
        assert!(!city.plan.lines.contains(&number));
    });
}

#[test]
fn a_clerk_in_a_meeting_is_offered_nobody_and_is_free_again_after_it() {
    in_a_city(|city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        city.dials(clerk, ROOM);
        city.run_for(secs(1));
        assert!(matches!(city.seat_state(clerk), SeatState::Away { until: None, .. }));
        let caller = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(12), |city| city.state_of(caller) == Some("waiting")));
        city.run_for(secs(2));
        assert_eq!(city.state_of(caller), Some("waiting"));
        city.hangs_up(clerk);
        assert!(city.run_until(secs(12), |city| city.talks_to(caller) == Some(clerk)));
    });
}
