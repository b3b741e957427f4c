//! Who sits beside a call: who hears whom in each way of listening, and that nobody is heard by mistake,
//! kept alive, or left over.

use hotline::acd::event::SeatState;
use hotline::id::{CallId, SeatId};
use hotline::phone::{Answers, PhoneEvent};
use hotline::routing::Plan;
use hotline::routing::people::Role;
use hotline::switchboard::fact::Cause;
use hotline::switchboard::request::{Asker, Refusal, Reply, Request, Watching};
use hotline::switchboard::{Fact, What};

use crate::city::{City, millis, secs};
use crate::clerk::{Deed, Who};
use crate::network::Weather;
use crate::seed::{in_a_city, in_a_city_with};

/// The seats that are no clerks'. But for the leader's they serve no queue.
const ROLES: [(&str, Role); 7] = [
    ("1002", Role::Leader),
    ("1004", Role::Observer),
    ("1005", Role::Trainee),
    ("1006", Role::Supervisor),
    ("1007", Role::Supervisor),
    ("1008", Role::Supervisor),
    ("1009", Role::Supervisor),
];

fn staffed(plan: &mut Plan) {
    let usual = plan.seats["1003"].clone();
    for (id, role) in ROLES {
        let seat = plan.seats.entry(id.into()).or_insert_with(|| usual.clone());
        (seat.id, seat.role) = (id.into(), role);
        if role != Role::Leader {
            seat.queues.clear();
        }
    }
    plan.survey.enabled = false;
    plan.work.observer_prompt = None;
}

fn with_notice(plan: &mut Plan) {
    staffed(plan);
    plan.work.observer_prompt = Some("transfer_wait".into());
}

fn watched_city(case: impl Fn(&mut City)) {
    in_a_city_with(staffed, case);
}

/// Seat 1001 and a caller who talk.
fn talking(city: &mut City) -> (Who, Who) {
    let clerk = city.seat("1001").answers_after(secs(1));
    (clerk, calls(city, "13800000001", clerk))
}

fn calls(city: &mut City, number: &str, clerk: Who) -> Who {
    let caller = city.phone(number).dials("12345");
    assert!(city.run_until(secs(60), |city| city.talks_to(caller) == Some(clerk)));
    city.run_for(secs(5));
    assert!(city.hears(caller, clerk) && city.hears(clerk, caller));
    caller
}

fn listens(city: &mut City, seat: &str, of: &str) -> Who {
    let who = city.seat(seat).never_answers();
    city.dials(who, &format!("*9{of}"));
    city.run_for(secs(1));
    who
}

fn call_at(city: &City, seat: &str) -> CallId {
    match city.board.acd().seat(&SeatId::from(seat)) {
        Some(SeatState::Talking { call, .. }) => *call,
        other => panic!("{other:?}"),
    }
}

/// How a call was listened to, as its record tells it: `1006 listen`, `1006 gone`.
fn record_of_watch(city: &City, call: CallId) -> Vec<String> {
    let facts = city.store.facts.get(&call).map_or(&[][..], Vec::as_slice);
    let told = |fact: &Fact| match &fact.what {
        What::Watched { seat, how } => Some(format!("{seat} {}", how.word())),
        What::Unwatched { seat } => Some(format!("{seat} gone")),
        _ => None,
    };
    facts.iter().filter_map(told).collect()
}

/// Who of these hears whom, as `ab`: a hears b.
fn who_hears_whom(city: &City, people: &[(char, Who)]) -> String {
    let mut heard = Vec::new();
    for (a, one) in people {
        for (b, other) in people.iter().filter(|(b, _)| b != a) {
            if city.hears(*one, *other) {
                heard.push(format!("{a}{b}"));
            }
        }
    }
    heard.join(" ")
}

fn saw_refused(city: &City, who: Who, status: u16) -> bool {
    city.saw(who, |event| matches!(event, PhoneEvent::Refused { status: told, .. } if *told == status))
}

#[test]
fn who_hears_whom_in_each_way_of_listening_before_and_after() {
    watched_city(|city| {
        let (clerk, caller) = talking(city);
        let call = call_at(city, "1001");
        let boss = listens(city, "1006", "1001");
        let people = [('c', caller), ('k', clerk), ('s', boss)];
        let now = |city: &mut City| {
            city.run_for(millis(600));
            who_hears_whom(city, &people)
        };
        assert_eq!(city.state_of(boss), Some("watching"));
        assert_eq!(now(city), "ck kc sc sk", "unheard to begin with");
        city.presses(boss, "2");
        assert_eq!(now(city), "ck kc ks sc sk", "heard by the clerk alone");
        city.presses(boss, "3");
        assert_eq!(now(city), "ck cs kc ks sc sk", "heard by all");
        city.presses(boss, "1");
        assert_eq!(now(city), "ck kc sc sk", "and unheard again");
        city.hangs_up(boss);
        city.run_for(secs(1));
        assert_eq!(who_hears_whom(city, &people[..2]), "ck kc");
        assert_eq!(city.talks_to(caller), Some(clerk));
        assert!(city.look_at(boss).is_idle());
        let told = ["1006 listen", "1006 whisper", "1006 barge", "1006 listen", "1006 gone"];
        assert_eq!(record_of_watch(city, call), told);
        let kept: Vec<String> =
            city.store.accesses.iter().map(|(who, what, how)| format!("{who} {what} {how}")).collect();
        let wanted = ["listen", "whisper", "barge", "listen"].map(|how| format!("seat:1006 {call} {how}"));
        assert_eq!(kept, wanted, "the ledger");
        let own = city.record_of(boss);
        assert_eq!(
            (own.line.as_str(), own.trunk.as_str(), own.cause),
            ("*9", "seats", Some(Cause::CallerHungUp))
        );
        assert!(own.recording.is_none() && own.ticket_left.is_none());
        let opened = city.books.taken.iter().find(|event| event.event.call == own.call).expect("it is told");
        let opened: serde_json::Value = serde_json::from_str(&opened.json).expect("JSON");
        assert_eq!(
            (&opened["data"]["kind"], &opened["data"]["line_name"]),
            (&"own".into(), &"坐席监听".into())
        );
        city.hangs_up(caller);
        city.run_for(secs(2));
    });
}

#[test]
fn whoever_listens_waits_with_a_tone_and_follows_the_seat_from_call_to_call() {
    watched_city(|city| {
        let boss = listens(city, "1006", "1001");
        assert_eq!(city.state_of(boss), Some("watching"));
        city.run_for(secs(4));
        assert!(city.heard(boss, "watch_waiting"));
        let (clerk, first) = talking(city);
        let one = call_at(city, "1001");
        assert_eq!(who_hears_whom(city, &[('c', first), ('k', clerk), ('s', boss)]), "ck kc sc sk");
        city.presses(boss, "3");
        city.run_for(secs(1));
        assert!(city.hears(first, boss));
        city.hangs_up(first);
        city.run_for(secs(2));
        assert_eq!(city.state_of(boss), Some("watching"), "it waits for the next");
        let heard = city.look_at(boss).phone.heard().len();
        city.run_for(secs(6));
        assert!(city.look_at(boss).phone.heard().len() > heard, "a tone again");
        assert!(!city.hears(boss, clerk) && !city.hears(boss, first));
        let second = calls(city, "13800000002", clerk);
        let two = call_at(city, "1001");
        let people = [('c', second), ('k', clerk), ('s', boss)];
        assert_eq!(who_hears_whom(city, &people), "ck kc sc sk", "nobody hears who barged in before");
        city.hangs_up(boss);
        city.run_for(secs(1));
        assert_eq!(record_of_watch(city, one), ["1006 listen", "1006 barge", "1006 gone"]);
        assert_eq!(record_of_watch(city, two), ["1006 listen", "1006 gone"]);
        city.hangs_up(second);
        city.run_for(secs(2));
    });
}

#[test]
fn who_may_dial_for_whose_calls_row_by_row() {
    watched_city(|city| {
        let (_, caller) = talking(city);
        for (seat, of, status) in [
            ("1003", "1001", Some(403)), // A clerk.
            ("1002", "1001", Some(403)), // A leader.
            ("1004", "1001", None),      // An observer.
            ("1004", "1002", None),
            ("1004", "1006", Some(403)),
            ("1005", "1001", None), // A trainee.
            ("1005", "1002", Some(403)),
            ("1006", "1001", None), // A supervisor.
            ("1006", "1005", None),
            ("1006", "1006", Some(403)),
            ("1006", "9999", Some(404)),
            ("1006", "", Some(404)),
        ] {
            let who = listens(city, seat, of);
            match status {
                Some(status) => assert!(saw_refused(city, who, status), "{seat} {of}"),
                None => assert_eq!(city.state_of(who), Some("watching"), "{seat} {of}"),
            }
            city.presses(who, "3");
            city.run_for(secs(1));
            let heard = city.hears(caller, who);
            assert_eq!(heard, (seat, of) == ("1006", "1001"), "{seat} {of}");
            city.hangs_up(who);
            city.run_for(secs(1));
            city.signs_out(who);
            city.run_for(secs(1));
        }
        let citizen = city.phone("13800000009").dials("*91001");
        city.run_for(secs(1));
        assert!(saw_refused(city, citizen, 404), "{:?}", city.look_at(citizen).events);
        city.hangs_up(caller);
        city.run_for(secs(2));
    });
}

#[test]
fn four_listen_to_one_seat_the_next_is_busy_and_a_place_comes_free() {
    watched_city(|city| {
        let (clerk, caller) = talking(city);
        let four = ["1006", "1007", "1008", "1009"].map(|seat| listens(city, seat, "1001"));
        let late = listens(city, "1004", "1001");
        assert!(saw_refused(city, late, 486));
        city.presses(four[0], "2");
        city.presses(four[1], "3");
        city.run_for(secs(1));
        assert!(city.hears(clerk, four[0]) && !city.hears(caller, four[0]));
        assert!(city.hears(clerk, four[1]) && city.hears(caller, four[1]));
        assert!(city.hears(four[2], four[1]) && !city.hears(four[2], four[0]));
        city.vanishes(four[1]);
        city.run_for(secs(20));
        assert!(city.call_of(four[1]).is_none(), "asked, and gone");
        assert!(city.hears(clerk, caller) && city.hears(caller, clerk) && city.hears(four[3], caller));
        city.dials(late, "*91001");
        city.run_for(secs(1));
        assert_eq!(city.state_of(late), Some("watching"));
        assert_eq!(city.board.watchers().filter(|(.., call)| call.is_some()).count(), 4);
        for who in [four[0], four[2], four[3], late, caller] {
            city.hangs_up(who);
        }
        city.run_for(secs(2));
        assert_eq!(city.board.watchers().count(), 0);
    });
}

#[test]
fn no_call_is_kept_alive_by_who_listens_however_it_ends() {
    type End = (&'static str, fn(&mut City, Who, Who));
    let ends: [End; 4] = [
        ("the caller hangs up", |city, _, caller| city.hangs_up(caller)),
        ("the clerk hangs up", |city, clerk, _| city.hangs_up(clerk)),
        ("the caller vanishes", |city, _, caller| city.vanishes(caller)),
        ("the engine loses the clerk's leg", |city, _, _| {
            let leg = hotline::id::LegId { call: call_at(city, "1001"), index: 1 };
            city.tell(hotline::switchboard::Input::Sound(hotline::media::order::Fact::Failed { leg }));
        }),
    ];
    for (what, end) in ends {
        watched_city(|city| {
            let (clerk, caller) = talking(city);
            let call = call_at(city, "1001");
            let boss = listens(city, "1006", "1001");
            city.presses(boss, "3");
            city.run_for(secs(1));
            assert!(city.hears(caller, boss), "{what}");
            end(city, clerk, caller);
            city.run_for(secs(25));
            // Where only the clerk was lost, the caller is given back to the queue, and goes on by its rules.
            let lost = what.contains("loses");
            let left = city.board.calls().iter().find(|(id, _)| *id == call).map(|(_, entry)| entry.state());
            assert_eq!(left.is_some(), lost, "{what}: {left:?}");
            assert_eq!(city.state_of(boss), Some("watching"), "{what}");
            let told = record_of_watch(city, call);
            assert_eq!(told[..3], ["1006 listen", "1006 barge", "1006 gone"], "{what}");
            city.hangs_up(boss);
            city.hangs_up(caller);
            city.run_for(secs(2));
        });
    }
}

#[test]
fn a_clerk_whose_telephone_vanishes_leaves_the_listener_waiting_and_not_with_the_caller() {
    watched_city(|city| {
        let (clerk, caller) = talking(city);
        let boss = listens(city, "1006", "1001");
        city.vanishes(clerk);
        city.run_for(secs(25));
        assert_eq!(city.state_of(caller), Some("waiting"));
        assert_eq!(city.state_of(boss), Some("watching"));
        assert!(!city.hears(boss, caller) && !city.hears(caller, boss));
        let other = city.seat("1003").answers_after(secs(1));
        assert!(city.run_until(secs(30), |city| city.talks_to(caller) == Some(other)));
        city.run_for(secs(3));
        assert!(!city.hears(boss, caller), "the seat is listened to, not the caller");
        city.hangs_up(boss);
        city.hangs_up(caller);
        city.run_for(secs(2));
    });
}

#[test]
fn on_hold_the_listener_hears_nobody_and_afterwards_all() {
    watched_city(|city| {
        let (clerk, caller) = talking(city);
        let boss = listens(city, "1006", "1001");
        city.order(clerk, |phone, now| phone.hold(now));
        city.run_for(secs(2));
        assert!(!city.hears(caller, clerk) && !city.hears(caller, boss));
        city.order(clerk, |phone, now| phone.resume(now));
        city.run_for(secs(1));
        assert_eq!(who_hears_whom(city, &[('c', caller), ('k', clerk), ('s', boss)]), "ck kc sc sk");
        city.hangs_up(caller);
        city.hangs_up(boss);
        city.run_for(secs(2));
    });
}

#[test]
fn caller_and_clerk_hear_the_notice_before_the_first_observer_hears_a_word() {
    in_a_city_with(with_notice, |city| {
        let (clerk, caller) = talking(city);
        let call = call_at(city, "1001");
        let guest = listens(city, "1004", "1001");
        assert!(!city.hears(guest, caller) && !city.hears(guest, clerk));
        assert!(record_of_watch(city, call).is_empty());
        assert!(city.run_until(secs(30), |city| !record_of_watch(city, call).is_empty()));
        let words = city.plan.prompts[&hotline::id::PromptId::from("transfer_wait")].samples.len();
        city.run_for(secs(1));
        assert!(city.heard(caller, "transfer_wait") && city.heard(clerk, "transfer_wait"));
        assert!(words > 8_000 && !city.heard(guest, "transfer_wait"));
        let people = [('c', caller), ('k', clerk), ('o', guest)];
        assert_eq!(who_hears_whom(city, &people), "ck kc oc ok");
        city.presses(guest, "3");
        city.run_for(secs(1));
        assert_eq!(who_hears_whom(city, &people), "ck kc oc ok", "an observer is never heard");
        // A second one needs no second notice.
        city.hangs_up(guest);
        city.run_for(secs(1));
        city.dials(guest, "*91001");
        city.run_for(secs(1));
        assert_eq!(record_of_watch(city, call), ["1004 listen", "1004 gone", "1004 listen"]);
        city.hangs_up(caller);
        city.hangs_up(guest);
        city.run_for(secs(2));
    });
}

#[test]
fn an_observers_telephone_is_shown_no_number() {
    in_a_city_with(
        |plan| {
            staffed(plan);
            // Put through to by a clerk, as nobody else rings it.
            plan.seats.get_mut("1004").expect("it is there").queues = vec!["main".into()];
        },
        |city| {
            let (clerk, caller) = talking(city);
            let guest = city.seat("1004").answers_after(secs(1));
            city.order(clerk, |phone, now| phone.refer("1004", now)).expect("it talks");
            assert!(city.run_until(secs(10), |city| city.talks_to(caller) == Some(guest)));
            let shown = city.look_at(guest).events.iter().find_map(|(_, event)| match event {
                PhoneEvent::IncomingCall { from, .. } => Some(from.clone()),
                _ => None,
            });
            let shown = shown.expect("it rang");
            assert!(shown.contains("138******01") && !shown.contains("13800000001"), "{shown}");
            city.hangs_up(caller);
            city.run_for(secs(2));
        },
    );
}

#[test]
fn a_leaders_answering_day_is_told_in_the_record_and_a_supervisor_whispers_beside() {
    watched_city(|city| {
        let leader = city.seat("1002").answers_after(secs(1));
        let caller = calls(city, "13800000001", leader);
        let call = call_at(city, "1002");
        let facts = &city.store.facts[&call];
        let told = |fact: &Fact| matches!(&fact.what, What::SeatRole { seat, role } if (seat.as_str(), role.as_str()) == ("1002", "leader"));
        assert_eq!(facts.iter().filter(|fact| told(fact)).count(), 1);
        let boss = listens(city, "1006", "1002");
        city.presses(boss, "2");
        city.run_for(secs(1));
        assert_eq!(who_hears_whom(city, &[('c', caller), ('l', leader), ('s', boss)]), "cl lc ls sc sl");
        city.hangs_up(caller);
        city.hangs_up(boss);
        city.run_for(secs(2));
        let clerk = city.seat("1001").answers_after(secs(1));
        city.signs_out(leader);
        let caller = calls(city, "13800000002", clerk);
        let call = call_at(city, "1001");
        assert!(!city.store.facts[&call].iter().any(|fact| matches!(fact.what, What::SeatRole { .. })));
        city.hangs_up(caller);
        city.run_for(secs(2));
    });
}

fn asks(city: &mut City, seat: &str, call: CallId, how: Watching) -> Result<Reply, Refusal> {
    let asker = Asker { name: "desk".into(), role: Role::Supervisor, seat: Some(seat.into()) };
    let now = city.now();
    let reply = city.board.ask(&asker, Request::Watch { call, seat: seat.into(), how }, now);
    city.dispatch();
    reply
}

#[test]
fn by_request_a_seat_that_listens_goes_to_another_call_in_the_way_that_was_asked_for() {
    watched_city(|city| {
        let (clerk, caller) = talking(city);
        let call = call_at(city, "1001");
        let boss = city.seat("1006").never_answers();
        assert_eq!(asks(city, "9999", call, Watching::Listen), Err(Refusal::NoSuchSeat));
        assert_eq!(asks(city, "1004", call, Watching::Barge), Err(Refusal::NotAllowed));
        let nobodys = CallId::draw(1, &mut hotline::id::Dice::seeded(1));
        assert_eq!(asks(city, "1006", nobodys, Watching::Listen), Err(Refusal::NoSuchCall));
        city.dials(boss, "*91003");
        city.run_for(secs(1));
        assert_eq!(asks(city, "1006", call, Watching::Whisper), Ok(Reply::Done));
        city.run_for(secs(1));
        let people = [('c', caller), ('k', clerk), ('s', boss)];
        assert_eq!(who_hears_whom(city, &people), "ck kc ks sc sk");
        assert_eq!(asks(city, "1006", call, Watching::Barge), Ok(Reply::Done));
        city.run_for(secs(1));
        assert_eq!(who_hears_whom(city, &people), "ck cs kc ks sc sk");
        let second = city.seat("1003").answers_after(secs(1));
        let other = calls(city, "13800000002", second);
        let there = call_at(city, "1003");
        assert_eq!(asks(city, "1006", there, Watching::Listen), Ok(Reply::Done));
        city.run_for(secs(1));
        assert_eq!(who_hears_whom(city, &people[..2]), "ck kc");
        assert_eq!(who_hears_whom(city, &[('c', other), ('k', second), ('s', boss)]), "ck kc sc sk");
        assert_eq!(record_of_watch(city, call), ["1006 whisper", "1006 barge", "1006 gone"]);
        for who in [boss, caller, other] {
            city.hangs_up(who);
        }
        city.run_for(secs(2));
    });
}

#[test]
fn by_request_a_seat_that_has_no_call_of_its_own_is_rung_and_listens_in_the_way_that_was_asked_for() {
    watched_city(|city| {
        let (clerk, caller) = talking(city);
        let call = call_at(city, "1001");
        let gone = Refusal::Seat(hotline::acd::event::Unchanged::SignedOut);
        assert_eq!(asks(city, "1006", call, Watching::Whisper), Err(gone));
        let boss = city.seat("1006").answers_after(secs(2));
        let Ok(Reply::Begun(own)) = asks(city, "1006", call, Watching::Whisper) else { panic!("it is rung") };
        assert_eq!(asks(city, "1006", call, Watching::Listen), Err(Refusal::Engaged), "it rings");
        city.run_for(secs(1));
        let rung = |event: &PhoneEvent| matches!(event, PhoneEvent::IncomingCall { from, .. } if from.contains("*9"));
        assert!(city.saw(boss, rung), "{:?}", city.look_at(boss).events);
        city.run_for(secs(3));
        let people = [('c', caller), ('k', clerk), ('s', boss)];
        assert_eq!(who_hears_whom(city, &people), "ck kc ks sc sk");
        assert_eq!(asks(city, "1006", call, Watching::Listen), Ok(Reply::Done));
        city.run_for(secs(1));
        assert_eq!(who_hears_whom(city, &people), "ck kc sc sk");
        // A seat with a caller of its own is not rung.
        let other = city.seat("1002").answers_after(secs(1));
        let second = calls(city, "13800000002", other);
        let there = call_at(city, "1002");
        city.hangs_up(boss);
        city.run_for(secs(1));
        assert_eq!(who_hears_whom(city, &people[..2]), "ck kc");
        assert_eq!(record_of_watch(city, call), ["1006 whisper", "1006 listen", "1006 gone"]);
        let record = city.record_of(boss);
        assert_eq!((record.call, record.line.as_str(), record.trunk.as_str()), (own, "*9", "seats"));
        assert_eq!((record.cause, record.recording_ms), (Some(Cause::CallerHungUp), None));
        let facts = &city.store.facts[&own];
        assert!(
            !facts.iter().any(|fact| matches!(fact.what, What::Outward { .. })),
            "nobody was called by it"
        );
        city.dials(boss, "*91001");
        city.run_for(secs(1));
        assert_eq!(asks(city, "1006", there, Watching::Listen), Ok(Reply::Done), "its own call goes there");
        for who in [boss, caller, second] {
            city.hangs_up(who);
        }
        city.run_for(secs(2));
    });
}

#[test]
fn a_seat_that_does_not_pick_up_does_not_listen_and_is_rung_no_longer_than_20_s() {
    watched_city(|city| {
        let (clerk, caller) = talking(city);
        let call = call_at(city, "1001");
        let boss = city.seat("1006").never_answers();
        assert!(matches!(asks(city, "1006", call, Watching::Listen), Ok(Reply::Begun(_))));
        city.run_for(secs(19));
        assert!(!city.look_at(boss).is_idle() && city.board.watchers().count() == 1);
        city.run_for(secs(3));
        assert!(city.look_at(boss).is_idle() && city.board.watchers().count() == 0);
        assert_eq!(city.record_of(boss).cause, Some(Cause::Refused(408)));
        city.telephone(boss).phone.set_answers(Answers::Busy);
        assert!(matches!(asks(city, "1006", call, Watching::Listen), Ok(Reply::Begun(_))));
        city.run_for(secs(2));
        assert_eq!(city.board.watchers().count(), 0);
        assert_eq!(who_hears_whom(city, &[('c', caller), ('k', clerk)]), "ck kc");
        // And one that picks up when nobody talks any more waits, like one that dialled.
        city.telephone(boss).phone.set_answers(Answers::After(secs(3)));
        assert!(matches!(asks(city, "1006", call, Watching::Barge), Ok(Reply::Begun(_))));
        city.hangs_up(caller);
        city.run_for(secs(6));
        assert_eq!(city.state_of(boss), Some("watching"));
        city.hangs_up(boss);
        city.run_for(secs(2));
        assert!(record_of_watch(city, call).is_empty());
    });
}

#[test]
fn four_ends_the_listening_and_leaves_the_rest_to_the_wish_of_the_house() {
    watched_city(|city| {
        let (clerk, caller) = talking(city);
        let call = call_at(city, "1001");
        let boss = listens(city, "1006", "1001");
        city.telephone(boss).phone.set_answers(Answers::After(secs(1)));
        city.presses(boss, "4");
        city.run_for(secs(1));
        assert_eq!(record_of_watch(city, call), ["1006 listen", "1006 gone"]);
        assert_eq!(city.record_of(boss).cause, Some(Cause::Completed));
        assert!(city.hears(caller, clerk) || city.talks_to(caller) == Some(boss));
        city.hangs_up(caller);
        city.run_for(secs(2));
    });
}

#[test]
fn listeners_who_come_and_go_in_every_moment_leave_nobody_behind_and_nothing_changed() {
    watched_city(|city| {
        let clerk = city.seat("1001").talks_for(secs(9)).answers_after(secs(1));
        let bosses = ["1006", "1007"].map(|seat| city.seat(seat).never_answers());
        for n in 0..12_u64 {
            let caller = city.phone(&format!("138000001{n:02}")).dials("12345");
            for (k, boss) in (0..).zip(bosses) {
                let (comes, stays) = (millis(200 * n + 937 * k), millis(city.dice.below(30_000)));
                let dial = Box::new(hotline::phone::Dial::to("*91001"));
                let keys = ["1", "2", "3"][city.dice.below(3) as usize];
                let then = vec![(stays / 2, Deed::Press(keys)), (stays, Deed::HangUp)];
                city.later(comes, boss, Deed::Call(dial, then));
            }
            let talks = millis(city.dice.below(40_000));
            city.run_for(talks);
            city.hangs_up(caller);
            assert!(city.run_until(secs(80), |city| {
                bosses.iter().chain([&clerk, &caller]).all(|who| city.look_at(*who).is_idle())
                    && city.board.calls().is_empty()
            }));
            city.run_for(secs(40)); // Wrap-up.
        }
        assert_eq!(city.board.watchers().count(), 0);
        balanced(city);
    });
}

#[test]
fn over_a_bad_network_with_telephones_that_die_each_watch_has_its_end() {
    watched_city(|city| {
        city.net.sip = Weather::FOUL;
        let _clerks = ["1001", "1003"].map(|seat| city.seat(seat).talks_for(secs(20)).answers_after(secs(1)));
        let bosses = ["1006", "1007", "1008", "1009"].map(|seat| city.seat(seat).never_answers());
        for n in 0..16_u64 {
            let caller = city.phone(&format!("138000002{n:02}")).waits();
            let ends = if n % 3 == 0 { Deed::Vanish } else { Deed::HangUp };
            let dial = Box::new(hotline::phone::Dial::to("12345"));
            let stays = secs(20 + city.dice.below(40));
            city.later(secs(7 * n), caller, Deed::Call(dial, vec![(stays, ends)]));
        }
        for (n, boss) in (0..).zip(bosses) {
            let of = ["*91001", "*91003"][(n % 2) as usize];
            let ends = if n == 0 { Deed::Vanish } else { Deed::HangUp };
            let then = vec![(secs(10), Deed::Press("3")), (secs(30 + city.dice.below(60)), ends)];
            city.later(secs(5 * n), boss, Deed::Call(Box::new(hotline::phone::Dial::to(of)), then));
        }
        city.run_for(secs(400));
        assert!(city.board.calls().is_empty(), "{:?}", city.board.calls().len());
        assert_eq!(city.board.watchers().count(), 0);
        balanced(city);
    });
}

/// In each record, whoever began to listen stopped, unless the call was over with it.
fn balanced(city: &City) {
    let mut watched = 0;
    for facts in city.store.facts.values() {
        let mut there: Vec<&SeatId> = Vec::new();
        for fact in facts {
            match &fact.what {
                What::Watched { seat, .. } if !there.contains(&seat) => there.push(seat),
                What::Unwatched { seat } => {
                    assert!(there.contains(&seat), "{facts:?}");
                    there.retain(|listens| *listens != seat);
                }
                _ => continue,
            }
            watched += 1;
        }
        assert!(there.is_empty(), "{facts:?}");
    }
    assert!(watched > 4, "{watched}: somebody listened");
}

#[test]
fn a_drain_ends_those_who_listen_with_the_calls() {
    in_a_city(|city| {
        let clerk = city.seat("1001").never_answers();
        city.dials(clerk, "*91002");
        city.run_for(secs(1));
        assert!(saw_refused(city, clerk, 403), "no seat of the shipped plan may");
    });
    watched_city(|city| {
        let (_, caller) = talking(city);
        let boss = listens(city, "1006", "1001");
        city.drains(secs(3));
        city.run_for(secs(6));
        assert!(city.drained_at.is_some());
        assert_eq!(city.record_of(boss).cause, Some(Cause::Drained));
        assert_eq!(city.record_of(caller).cause, Some(Cause::Drained));
    });
}
