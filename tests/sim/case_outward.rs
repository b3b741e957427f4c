//! Calls that clerks and the house make: who is reached, who hears whom, what far ends see, and the
//! moments in which one side has gone while the other is being called.

use std::net::SocketAddr;

use hotline::acd::event::{AwayWhy, SeatState, Unchanged};
use hotline::id::{CallId, SeatId, TrunkId};
use hotline::phone::{Answers, PhoneEvent};
use hotline::routing::Plan;
use hotline::routing::afterwards::Calling;
use hotline::routing::people::Role;
use hotline::switchboard::What;
use hotline::switchboard::fact::{Cause, OutwardPurpose};
use hotline::switchboard::request::{Asker, Refusal, Reply, Request};
use hotline::telemetry::CallRecord;

use crate::city::{City, millis, secs};
use crate::clerk::{Deed, Who};
use crate::desk::has;
use crate::network::Weather;
use crate::seed::{in_a_city, in_a_city_with};

pub const CITIZEN: &str = "13800000000";

/// A trunk outward, at whose far end is the first telephone of the city; the emergency centers, and the
/// tax office, are there as well.
pub fn calls_out(plan: &mut Plan) {
    let far: SocketAddr = ([127, 1, 0, 1], 5060).into();
    let mut trunk = plan.trunks["sub-12366"].clone();
    trunk.id = TrunkId::from("outward");
    trunk.targets = vec![far.into()];
    plan.trunks.insert(trunk.id.clone(), trunk);
    for other in ["emergency", "sub-12366"] {
        plan.trunks.get_mut(other).expect("the shipped plan has it").targets = vec![far.into()];
    }
    plan.calling = Some(Calling {
        prefix: "9".into(),
        allowed: vec!["13".into(), "0393".into()],
        trunk: TrunkId::from("outward"),
        line: "12345".into(),
        ring: secs(25),
    });
}

/// The telephone at the far end of all trunks outward.
pub fn far_end(city: &mut City, answers: Answers) -> Who {
    assert_eq!(city.people().count(), 0, "it has the first place");
    let far = city.phone(CITIZEN).waits();
    city.telephone(far).phone.set_answers(answers);
    far
}

pub fn ask(city: &mut City, request: Request) -> Result<Reply, Refusal> {
    let asker = Asker { name: "board".into(), role: Role::Supervisor, seat: None };
    let now = city.now();
    let reply = city.board.ask(&asker, request, now);
    city.dispatch();
    reply
}

pub fn click(city: &mut City, seat: &str, number: &str) -> Result<Reply, Refusal> {
    ask(city, Request::Dial { seat: seat.into(), number: number.into(), line: None, of: None })
}

pub fn begun(reply: Result<Reply, Refusal>) -> CallId {
    match reply {
        Ok(Reply::Begun(call)) => call,
        other => panic!("no call was begun: {other:?}"),
    }
}

fn refused(status: u16) -> impl Fn(&PhoneEvent) -> bool {
    move |event| matches!(event, PhoneEvent::Refused { status: refused, .. } if *refused == status)
}

/// From and Request-URI of the last call that came in at a telephone.
pub fn came_in(city: &City, who: Who) -> (String, String) {
    let events = city.look_at(who).events.iter().rev();
    let last = events.filter_map(|(_, event)| match event {
        PhoneEvent::IncomingCall { from, headers, .. } => {
            let uri = headers.iter().find(|(name, _)| name == ":uri").map(|(_, uri)| uri.clone());
            Some((from.clone(), uri.unwrap_or_default()))
        }
        _ => None,
    });
    last.into_iter().next().expect("a call came in")
}

pub fn record(city: &City, call: CallId) -> CallRecord {
    CallRecord::fold(&city.store.facts[&call]).expect("it is on disk")
}

pub fn joined(city: &City, one: Who, other: Who) -> bool {
    city.hears(one, other) && city.hears(other, one)
}

pub fn is_set_aside(city: &City, clerk: Who) -> bool {
    matches!(city.seat_state(clerk), SeatState::Away { why: AwayWhy::OwnCall, .. })
}

pub fn is_ready(city: &City, clerk: Who) -> bool {
    matches!(city.seat_state(clerk), SeatState::Ready { .. })
}

/// Offered nobody yet: its own case is to be finished.
pub fn wraps_up(city: &City, clerk: Who) -> bool {
    matches!(city.seat_state(clerk), SeatState::WrapUp { .. })
}

// ── Clerks' own calls ────────────────────────────────────────────────────────────────────────────

#[test]
fn a_clerk_dials_a_citizen_who_sees_the_lines_number_and_both_are_recorded() {
    in_a_city_with(calls_out, |city| {
        let citizen = far_end(city, Answers::After(secs(3)));
        let clerk = city.seat("1001").never_answers();
        city.dials(clerk, "913800000000");
        city.run_for(secs(2));
        assert!(city.saw(clerk, |event| matches!(event, PhoneEvent::Ringing { status: 180, .. })));
        assert!(is_set_aside(city, clerk));
        assert!(city.run_until(secs(5), |city| joined(city, clerk, citizen)));
        let (from, uri) = came_in(city, citizen);
        assert!(from.contains("sip:12345@") && !from.contains("1001"), "{from}");
        assert!(uri.starts_with("sip:13800000000@"), "{uri}");
        city.run_for(secs(4));
        city.hangs_up(clerk);
        city.run_for(secs(3));
        assert!(city.look_at(citizen).is_idle() && wraps_up(city, clerk));
        let record = city.record_of(clerk);
        assert_eq!((record.line.as_str(), record.trunk.as_str()), ("12345", "seats"));
        assert_eq!(record.peer.as_deref(), Some("outward/13800000000"));
        assert_eq!(record.cause, Some(Cause::CallerHungUp));
        let (answered, recorded) = (record.answered_ms.unwrap(), record.recording_ms.unwrap());
        assert!(answered.abs_diff(recorded) < 1_000, "{recorded} of {answered} ms are on it");
        let facts = &city.store.facts[&record.call];
        assert_eq!(
            facts[1].what,
            What::Outward {
                purpose: OutwardPurpose::Clerk,
                seat: Some("1001".into()),
                number: CITIZEN.into(),
                of: None
            }
        );
        let opened = city.books.taken.iter().find(|event| event.event.call == record.call).expect("told");
        assert!(opened.json.contains(r#""kind":"outward""#), "{}", opened.json);
    });
}

#[test]
fn a_telephones_own_word_on_who_calls_does_not_leave_the_house() {
    in_a_city_with(calls_out, |city| {
        let citizen = far_end(city, Answers::After(secs(1)));
        let clerk = city.seat("1001").never_answers();
        let mut dial = hotline::phone::Dial::to("913800000000");
        dial.headers = vec![
            ("Diversion".into(), "<sip:110@hotline.puyang>".into()),
            ("P-Asserted-Identity".into(), "<sip:110@hotline.puyang>".into()),
            ("User-to-User".into(), "666f72676564".into()),
        ];
        city.dials_with(clerk, dial);
        assert!(city.run_until(secs(6), |city| joined(city, clerk, citizen)));
        let events = &city.look_at(citizen).events;
        let headers = events.iter().find_map(|(_, event)| match event {
            PhoneEvent::IncomingCall { headers, .. } => Some(headers.clone()),
            _ => None,
        });
        let headers = headers.expect("a call came in");
        let forged = headers.iter().any(|(name, value)| {
            name != ":uri" && (value.contains("110@") || value.contains("666f72676564"))
        });
        assert!(!forged, "{headers:?}");
        let forwarded =
            headers.iter().any(|(name, _)| ["Diversion", "History-Info"].contains(&name.as_str()));
        assert!(!forwarded, "nobody forwarded it: {headers:?}");
        city.hangs_up(citizen);
        city.run_for(secs(3));
    });
}

#[test]
fn numbers_that_are_not_permitted_go_nowhere_whatever_they_look_like() {
    in_a_city_with(calls_out, |city| {
        let far = far_end(city, Answers::After(secs(1)));
        let clerk = city.seat("1001").never_answers();
        for number in [
            "13800000000",      // Without the prefix.
            "915800000000",     // Begins otherwise.
            "90013800000000",   // Abroad.
            "9008613800000000", // As from abroad.
            "9+113800000000",
            "+113800000000",
            "9",
            "912",
            "913800000000000000000", // Longer than a number is.
            "912345",                // Our own line.
            "9039312345",
            "12345",
            "12336",
            "*13800000000",
        ] {
            city.dials(clerk, number);
            city.run_for(secs(1));
            let last = &city.look_at(clerk).events.last().expect("an answer").1;
            assert!(refused(403)(last), "{number}: {last:?}");
        }
        assert!(city.look_at(far).events.is_empty() && city.board.calls().is_empty());
        assert!(city.records_of(clerk).is_empty(), "they were no calls");
    });
}

#[test]
fn without_a_calling_table_nobody_outside_is_called_and_help_in_an_emergency_is() {
    let no_calling = |plan: &mut Plan| {
        calls_out(plan);
        plan.calling = None;
    };
    in_a_city_with(no_calling, |city| {
        let far = far_end(city, Answers::After(secs(1)));
        let clerk = city.seat("1001").never_answers();
        for number in ["913800000000", "13800000000", "9110"] {
            city.dials(clerk, number);
            city.run_for(secs(1));
            let last = &city.look_at(clerk).events.last().expect("an answer").1;
            assert!(refused(403)(last), "{number}: {last:?}");
        }
        assert_eq!(click(city, "1001", CITIZEN), Err(Refusal::NotInPlan(CITIZEN.into())));
        assert!(city.board.calls().is_empty() && city.look_at(far).events.is_empty());
        city.dials(clerk, "110");
        assert!(city.run_until(secs(5), |city| joined(city, clerk, far)));
        assert!(came_in(city, far).1.starts_with("sip:110@"));
        city.hangs_up(clerk);
        city.run_for(secs(3));
        assert_eq!(city.record_of(clerk).peer.as_deref(), Some("emergency/110"));
    });
}

#[test]
fn an_emergency_number_needs_no_prefix_and_no_room_and_takes_one() {
    let crowded = |plan: &mut Plan| {
        calls_out(plan);
        plan.limits.calls_max = 0;
    };
    in_a_city_with(crowded, |city| {
        let far = far_end(city, Answers::After(secs(1)));
        let clerk = city.seat("1001").never_answers();
        city.dials(clerk, "913800000000");
        city.run_for(secs(1));
        assert!(city.saw(clerk, refused(503)), "there is no room for this one");
        for number in ["110", "9110", "0393110"] {
            city.dials(clerk, number);
            assert!(city.run_until(secs(5), |city| joined(city, clerk, far)), "{number}");
            assert!(came_in(city, far).1.starts_with("sip:110@"), "{number}");
            city.hangs_up(clerk);
            city.run_for(secs(3));
        }
    });
}

#[test]
fn a_sub_center_is_dialled_like_a_colleague_and_by_its_own_trunk() {
    in_a_city_with(calls_out, |city| {
        let taxes = far_end(city, Answers::After(secs(1)));
        let clerk = city.seat("1001").never_answers();
        city.dials(clerk, "12366");
        assert!(city.run_until(secs(5), |city| joined(city, clerk, taxes)));
        city.hangs_up(taxes);
        city.run_for(secs(3));
        let record = city.record_of(clerk);
        assert_eq!(record.peer.as_deref(), Some("sub-12366/12366"));
        assert_eq!((record.cause, record.ticket_left), (Some(Cause::OtherHungUp), None));
    });
}

#[test]
fn a_clerk_calls_a_colleague_and_neither_is_offered_a_caller_meanwhile() {
    in_a_city(|city| {
        let one = city.seat("1001").answers_after(secs(2));
        let other = city.seat("1002").answers_after(secs(2));
        city.dials(one, "1002");
        assert!(city.run_until(secs(6), |city| joined(city, one, other)));
        assert!(is_set_aside(city, one) && is_set_aside(city, other));
        assert!(came_in(city, other).0.contains("sip:1001@"));
        let caller = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(12), |city| city.state_of(caller) == Some("waiting")));
        city.run_for(secs(2));
        assert_eq!(city.state_of(caller), Some("waiting"));
        city.hangs_up(other);
        assert!(city.run_until(secs(12), |city| city.talks_to(caller).is_some()));
        city.run_for(secs(3));
        city.hangs_up(caller);
        city.run_for(secs(3));
        let record = city.record_of(one);
        assert_eq!(record.peer.as_deref(), Some("seats/1002"));
        assert_eq!((record.trunk.as_str(), record.seat.clone()), ("seats", None), "nobody's caller");
    });
}

#[test]
fn a_colleague_with_a_caller_is_busy_and_so_is_one_who_is_not_there() {
    in_a_city(|city| {
        let other = city.seat("1002").answers_after(secs(1));
        let caller = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(40), |city| city.talks_to(caller) == Some(other)));
        let one = city.seat("1001").never_answers();
        for number in ["1002", "1003", "1001"] {
            city.dials(one, number);
            city.run_for(secs(1));
            let last = &city.look_at(one).events.last().expect("an answer").1;
            assert!(refused(486)(last), "{number}: {last:?}");
        }
        assert!(is_ready(city, one) && city.talks_to(caller) == Some(other));
        city.hangs_up(caller);
        city.run_for(secs(3));
    });
}

#[test]
fn a_citizen_who_is_busy_or_not_there_is_told_to_the_clerks_telephone_as_it_is() {
    in_a_city_with(calls_out, |city| {
        let citizen = far_end(city, Answers::Busy);
        let clerk = city.seat("1001").never_answers();
        for (answers, status) in
            [(Answers::Busy, 486), (Answers::Reject(603), 603), (Answers::Reject(404), 404)]
        {
            city.telephone(citizen).phone.set_answers(answers);
            city.dials(clerk, "913800000000");
            city.run_for(secs(2));
            assert!(city.saw(clerk, refused(status)), "{:?}", city.look_at(clerk).events.last());
            let record = city.record_of(clerk);
            assert_eq!((record.cause, record.answered_at), (Some(Cause::Refused(status)), None));
            assert!(is_ready(city, clerk), "{:?}", city.seat_state(clerk));
        }
        city.telephone(citizen).phone.set_answers(Answers::Never);
        city.dials(clerk, "913800000000");
        city.run_for(secs(28));
        assert!(city.saw(clerk, refused(480)) && city.look_at(citizen).is_idle());
    });
}

#[test]
fn a_clerk_who_hangs_up_in_any_moment_leaves_no_telephone_ringing() {
    in_a_city_with(calls_out, |city| {
        let citizen = far_end(city, Answers::After(millis(150)));
        let clerk = city.seat("1001").never_answers();
        for after in (0..300).step_by(7) {
            city.dials(clerk, "913800000000");
            city.later_in_this_call(millis(after), clerk, Deed::HangUp);
            let idle = |city: &City| city.look_at(clerk).is_idle() && city.look_at(citizen).is_idle();
            city.run_for(millis(after + 1));
            assert!(city.run_until(secs(5), idle), "after {after} ms");
            assert!(city.run_until(secs(5), |city| city.board.calls().is_empty()), "after {after} ms");
            assert!(is_ready(city, clerk) || wraps_up(city, clerk), "after {after} ms");
        }
    });
}

// ── By click ─────────────────────────────────────────────────────────────────────────────────────

#[test]
fn by_click_the_seat_rings_first_then_the_citizen_and_both_hear_one_another() {
    in_a_city_with(calls_out, |city| {
        let citizen = far_end(city, Answers::After(secs(4)));
        let clerk = city.seat("1001").answers_after(secs(2));
        let call = begun(click(city, "1001", CITIZEN));
        assert!(is_set_aside(city, clerk));
        city.run_for(secs(1));
        let states =
            |city: &City| city.board.calls().iter().map(|(_, entry)| entry.state()).collect::<Vec<_>>();
        assert_eq!(states(city), ["calling"]);
        assert!(city.look_at(citizen).events.is_empty(), "the clerk first");
        let (from, _) = came_in(city, clerk);
        assert!(from.contains("sip:13800000000@"), "the clerk sees who is to be called: {from}");
        let told = city.saw(clerk, |event| match event {
            PhoneEvent::IncomingCall { headers, .. } => {
                headers.contains(&("X-Hotline-Line".into(), "12345".into()))
                    && headers.contains(&("X-Hotline-Call".into(), call.to_string()))
            }
            _ => false,
        });
        assert!(told, "what the clerk's screen goes by");
        city.run_for(secs(4));
        assert!(city.heard(clerk, "ringback"));
        assert!(city.run_until(secs(6), |city| joined(city, clerk, citizen)));
        assert!(came_in(city, citizen).0.contains("sip:12345@"));
        city.order(clerk, |phone, now| phone.hold(now));
        city.run_for(secs(2));
        assert!(!city.hears(citizen, clerk) && city.heard_after(citizen, "hold_music", secs(0)).is_some());
        city.order(clerk, |phone, now| phone.resume(now));
        assert!(city.run_until(secs(3), |city| joined(city, clerk, citizen)));
        city.hangs_up(citizen);
        city.run_for(secs(3));
        assert!(city.look_at(clerk).is_idle() && wraps_up(city, clerk));
        let record = record(city, call);
        assert_eq!((record.line.as_str(), record.trunk.as_str()), ("12345", "seats"));
        assert_eq!(record.cause, Some(Cause::OtherHungUp));
        let (answered, recorded) = (record.answered_ms.unwrap(), record.recording_ms.unwrap());
        assert!(answered.abs_diff(recorded) < 1_000, "{recorded} of {answered} ms are on it");
        assert!(record.sound.is_some() && record.legs.len() == 1);
        let click = |what: &What| matches!(what, What::Outward { purpose: OutwardPurpose::Click, number, .. } if number == CITIZEN);
        assert!(has(&city.store.facts[&call], click));
    });
}

#[test]
fn a_seat_that_does_not_pick_up_or_refuses_costs_the_citizen_nothing() {
    in_a_city_with(calls_out, |city| {
        let citizen = far_end(city, Answers::After(secs(1)));
        let clerk = city.seat("1001").never_answers();
        let call = begun(click(city, "1001", CITIZEN));
        city.run_for(secs(19));
        assert!(!city.look_at(clerk).is_idle());
        city.run_for(secs(2));
        assert!(city.look_at(clerk).is_idle() && is_ready(city, clerk));
        assert_eq!(record(city, call).cause, Some(Cause::Refused(408)));
        city.telephone(clerk).phone.set_answers(Answers::Busy);
        let call = begun(click(city, "1001", CITIZEN));
        city.run_for(secs(2));
        assert_eq!(record(city, call).cause, Some(Cause::Refused(486)));
        assert!(is_ready(city, clerk) && city.look_at(citizen).events.is_empty());
    });
}

#[test]
fn who_clicks_for_a_seat_that_cannot_call_is_told_why() {
    in_a_city_with(calls_out, |city| {
        let citizen = far_end(city, Answers::Never);
        let nobody = Err(Refusal::NoSuchSeat);
        assert_eq!(click(city, "9999", CITIZEN), nobody);
        assert_eq!(click(city, "1001", CITIZEN), Err(Refusal::Seat(Unchanged::SignedOut)));
        let clerk = city.seat("1001").answers_after(secs(1));
        for number in ["15800000000", "12345", "0013800000000", "", "sip:x@y"] {
            assert_eq!(click(city, "1001", number), Err(Refusal::NotInPlan(number.into())));
        }
        let other_line =
            Request::Dial { seat: "1001".into(), number: CITIZEN.into(), line: Some("9".into()), of: None };
        assert_eq!(ask(city, other_line), Err(Refusal::NotInPlan("9".into())));
        begun(click(city, "1001", CITIZEN));
        assert_eq!(click(city, "1001", CITIZEN), Err(Refusal::Engaged));
        city.run_for(secs(3));
        assert_eq!(click(city, "1001", CITIZEN), Err(Refusal::Engaged));
        city.hangs_up(clerk);
        city.run_for(secs(3));
        assert!(city.look_at(citizen).is_idle());
        let caller = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(40), |city| city.talks_to(caller) == Some(clerk)));
        assert_eq!(click(city, "1001", CITIZEN), Err(Refusal::Engaged));
        city.hangs_up(caller);
        city.run_for(secs(2));
        let own = Asker { name: "clerk".into(), role: Role::Clerk, seat: Some(SeatId::from("1002")) };
        let foreign = Request::Dial { seat: "1001".into(), number: CITIZEN.into(), line: None, of: None };
        let now = city.now();
        assert_eq!(city.board.ask(&own, foreign, now), Err(Refusal::NotAllowed), "another's seat");
        city.drains(secs(5));
        assert_eq!(click(city, "1001", CITIZEN), Err(Refusal::Full));
    });
}

#[test]
fn another_line_of_ours_is_shown_where_somebody_wants_it() {
    in_a_city_with(calls_out, |city| {
        let citizen = far_end(city, Answers::After(secs(1)));
        let clerk = city.seat("1001").answers_after(secs(1));
        let as_12333 = Request::Dial {
            seat: "1001".into(),
            number: CITIZEN.into(),
            line: Some("12333".into()),
            of: None,
        };
        let call = begun(ask(city, as_12333));
        assert!(city.run_until(secs(9), |city| joined(city, clerk, citizen)));
        assert!(came_in(city, citizen).0.contains("sip:12333@"));
        city.hangs_up(clerk);
        city.run_for(secs(3));
        assert_eq!(record(city, call).line.as_str(), "12333");
    });
}

#[test]
fn a_citizen_who_is_busy_is_heard_to_be_by_who_clicked() {
    in_a_city_with(calls_out, |city| {
        let citizen = far_end(city, Answers::Busy);
        let clerk = city.seat("1001").answers_after(secs(1));
        let call = begun(click(city, "1001", CITIZEN));
        assert!(city.run_until(secs(20), |city| city.board.calls().is_empty()));
        city.run_for(secs(1));
        assert!(city.heard(clerk, "busy") && city.look_at(clerk).is_idle());
        let record = record(city, call);
        assert_eq!((record.cause, record.peer), (Some(Cause::Completed), None));
        let busy = |what: &What| matches!(what, What::PeerFailed { status: 486, .. });
        assert!(has(&city.store.facts[&call], busy));
        assert!(city.look_at(citizen).is_idle() && is_ready(city, clerk));
    });
}

/// The 20 s of the seat's ringing end while its 200 is on its way: whoever is first, both are idle at last.
#[test]
fn a_cancel_that_crosses_the_answer_of_the_seat_ends_what_was_answered() {
    in_a_city_with(calls_out, |city| {
        let citizen = far_end(city, Answers::After(secs(2)));
        let clerk = city.seat("1001").never_answers();
        let mut ends = Vec::new();
        for before in 0..40 {
            city.telephone(clerk).phone.set_answers(Answers::After(millis(20_010 - before)));
            let call = begun(click(city, "1001", CITIZEN));
            city.run_for(secs(23));
            if city.board.calls().is_empty() {
                assert!(city.look_at(clerk).is_idle(), "{before}: {:?}", city.look_at(clerk).events);
            } else {
                assert!(city.run_until(secs(3), |city| joined(city, clerk, citizen)), "{before}");
                city.hangs_up(clerk);
            }
            city.run_for(secs(3));
            assert!(city.look_at(clerk).is_idle() && city.look_at(citizen).is_idle(), "{before}");
            assert!(city.board.calls().is_empty(), "{before}");
            assert!(is_ready(city, clerk) || wraps_up(city, clerk), "{before}");
            ends.push(record(city, call).cause);
        }
        assert!(
            ends.contains(&Some(Cause::Refused(408))) && ends.contains(&Some(Cause::CallerHungUp)),
            "{ends:?}"
        );
    });
}

#[test]
fn a_clerk_who_leaves_while_the_citizen_rings_stops_the_ringing() {
    in_a_city_with(calls_out, |city| {
        let citizen = far_end(city, Answers::Never);
        let clerk = city.seat("1001").answers_after(millis(100));
        for vanishes in [false, true] {
            let call = begun(click(city, "1001", CITIZEN));
            assert!(city.run_until(secs(3), |city| !city.look_at(citizen).is_idle()));
            city.run_for(secs(2));
            if vanishes {
                city.vanishes(clerk);
            } else {
                city.hangs_up(clerk);
            }
            assert!(city.run_until(secs(20), |city| city.look_at(citizen).is_idle()));
            city.run_for(secs(3));
            let cause = if vanishes { Cause::CallerVanished } else { Cause::CallerHungUp };
            assert_eq!(record(city, call).cause, Some(cause));
        }
    });
}

#[test]
fn a_drain_ends_calls_of_the_houses_own_wherever_they_are() {
    for after in [0, 500, 1_500, 4_000] {
        in_a_city_with(calls_out, |city| {
            let citizen = far_end(city, Answers::After(secs(2)));
            let clerk = city.seat("1001").answers_after(secs(1));
            let call = begun(click(city, "1001", CITIZEN));
            city.run_for(millis(after));
            city.drains(millis(100));
            city.run_for(secs(4));
            assert!(city.drained_at.is_some(), "{after}");
            assert!(city.look_at(clerk).is_idle() && city.look_at(citizen).is_idle(), "{after}");
            assert_eq!(record(city, call).cause, Some(Cause::Drained), "{after}");
        });
    }
}

#[test]
fn clicks_over_a_bad_network_leave_nothing_behind() {
    in_a_city_with(calls_out, |city| {
        let citizen = far_end(city, Answers::After(millis(700)));
        let clerk = city.seat("1001").talks_for(secs(2)).answers_after(millis(300));
        city.net.sip = Weather::FOUL;
        let mut calls = 0;
        for _ in 0..40 {
            calls += u32::from(click(city, "1001", CITIZEN).is_ok());
            let span = millis(city.dice.below(9_000));
            city.run_for(span);
            if city.dice.below(3) == 0 {
                city.hangs_up(clerk);
            }
        }
        assert!(calls >= 5, "{calls} of 40");
        assert!(city.run_until(secs(120), |city| city.board.calls().is_empty()));
        city.net.sip = Weather::FAIR;
        city.run_for(secs(40));
        assert!(city.look_at(clerk).is_idle() && city.look_at(citizen).is_idle());
    });
}

#[test]
fn a_seat_has_few_calls_of_its_own_at_once() {
    let decided = |plan: &mut Plan| plan.seats.get_mut("1006").expect("a seat").role = Role::Supervisor;
    in_a_city_with(decided, |city| {
        // Whoever has a seat's password has as many telephones as they like.
        let phones = [(); 5].map(|()| city.seat("1006").never_answers());
        for (phone, heard) in phones.into_iter().zip(["1001", "1002", "1003", "1004", "1005"]) {
            city.dials(phone, &format!("*9{heard}"));
            city.run_for(secs(1));
        }
        assert!(city.saw(phones[4], refused(486)));
        assert_eq!(city.board.calls().len(), 4);
        phones.into_iter().for_each(|phone| city.hangs_up(phone));
        city.run_for(secs(3));
        assert!(city.board.calls().is_empty() && is_ready(city, phones[4]));
    });
}
