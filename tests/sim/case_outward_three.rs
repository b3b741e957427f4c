//! Clerks ask a third party into calls that they began, and what clerks and callers have after such a call.

use std::net::SocketAddr;
use std::time::Duration;

use hotline::acd::event::{AwayWhy, SeatState};
use hotline::call::Wish;
use hotline::phone::{Answers, PhoneEvent};
use hotline::routing::Plan;
use hotline::routing::people::Role;
use hotline::routing::queueing::Surge;
use hotline::switchboard::What;
use hotline::switchboard::fact::{Cause, Party};
use hotline::switchboard::request::{Asker, Refusal, Reply, Request};

use crate::case_kept::{keeps, keeps_places};
use crate::case_outward::{CITIZEN, begun, calls_out, came_in, click, far_end, joined, record};
use crate::city::{City, secs};
use crate::clerk::Who;
use crate::desk::has;
use crate::seed::in_a_city_with;

/// Behind the trunk outward is the citizen; the tax office is at the second telephone, and `*2` asks it.
fn they_are_there(plan: &mut Plan) {
    calls_out(plan);
    let there: SocketAddr = ([127, 1, 0, 2], 5060).into();
    plan.trunks.get_mut("sub-12366").expect("the shipped plan has it").targets = vec![there.into()];
    plan.three_way.keys = [('2', "12366".to_owned())].into();
    plan.queues.values_mut().for_each(|queue| queue.wrap_up = secs(20));
}

/// Everybody.
struct People {
    citizen: Who,
    taxes: Who,
    clerk: Who,
}

fn people(city: &mut City, taxes_answer: Answers) -> People {
    let citizen = far_end(city, Answers::After(secs(2)));
    let taxes = city.phone("12366").waits();
    city.telephone(taxes).phone.set_answers(taxes_answer);
    let clerk = city.seat("1001").answers_after(secs(1));
    People { citizen, taxes, clerk }
}

fn presses(city: &mut City, who: Who, keys: &'static str) {
    city.presses(who, keys);
    city.run_for(Duration::from_millis(400) * u32::try_from(keys.len()).expect("a few"));
}

#[test]
fn a_clerk_who_calls_back_asks_the_tax_office_in_and_leaves_the_two_to_one_another() {
    in_a_city_with(they_are_there, |city| {
        let People { citizen, taxes, clerk } = people(city, Answers::After(secs(2)));
        let call = begun(click(city, "1001", CITIZEN));
        assert!(city.run_until(secs(10), |city| joined(city, clerk, citizen)));
        city.run_for(secs(5));
        let waits_from = Duration::from_millis(city.look_at(citizen).phone.heard().len() as u64 / 8);
        presses(city, clerk, "*2");
        assert!(city.run_until(secs(6), |city| joined(city, clerk, taxes)));
        assert!(came_in(city, taxes).0.contains(CITIZEN), "of whom it is about");
        city.run_for(secs(4));
        assert!(!city.hears(citizen, clerk) && !city.hears(citizen, taxes) && !city.hears(taxes, citizen));
        assert!(city.heard_after(citizen, "hold_music", waits_from).is_some());
        presses(city, clerk, "*0");
        city.run_for(secs(3));
        for (one, other) in [(clerk, citizen), (clerk, taxes), (citizen, taxes)] {
            assert!(joined(city, one, other), "all three talk");
        }
        presses(city, clerk, "##");
        city.run_for(secs(3));
        assert!(city.look_at(clerk).is_idle() && joined(city, citizen, taxes));
        assert!(matches!(city.seat_state(clerk), SeatState::WrapUp { call: case, .. } if case == call));
        // A caller who comes now waits until the case is written down, though the call goes on without the clerk.
        let next = city.phone("13800000055").dials("12345");
        city.run_for(secs(12));
        assert_eq!(city.state_of(next), Some("waiting"));
        assert!(city.run_until(secs(20), |city| city.talks_to(next) == Some(clerk)));
        city.hangs_up(taxes);
        city.run_for(secs(3));
        assert!(city.look_at(citizen).is_idle());
        city.hangs_up(next);
        city.run_for(secs(3));
        let record = record(city, call);
        assert_eq!((record.cause, record.trunk.as_str()), (Some(Cause::OtherHungUp), "seats"));
        assert_eq!(record.peer.as_deref(), Some("outward/13800000000"), "whoever was asked in later");
        let (answered, recorded) = (record.answered_ms.unwrap(), record.recording_ms.unwrap());
        assert!(answered.abs_diff(recorded) < 1_000, "{recorded} of {answered} ms are on it");
        let times = &record.times;
        let whole = times.with_somebody_ms + times.on_hold_ms + times.in_queue_ms + times.alone_ms;
        assert_eq!(Some(whole), record.lasted_ms);
        let stay = |who: &str| {
            let is_it = |party: &Party| match party {
                Party::Caller => who == "clerk",
                Party::Peer { number, .. } => number == who,
                Party::Seat { .. } => false,
            };
            let stay = times.parties.iter().find(|stay| is_it(&stay.party)).expect("they were there");
            (stay.left_ms.expect("gone") - stay.joined_ms, stay.talked_ms, stay.held_ms, stay.consulted_ms)
        };
        let (there, talked, held, consulted) = stay(CITIZEN);
        assert_eq!((talked + held, consulted), (there, 0), "the citizen talks or hears music");
        assert!((5_000..12_000).contains(&held), "{held} ms with music");
        let (there, talked, held, consulted) = stay("12366");
        assert_eq!((talked, held, consulted), (there, 0, 0), "always with somebody");
        let (there, ..) = stay("clerk");
        assert!(Some(there + 10_000) < record.lasted_ms, "the clerk left before the others");
    });
}

#[test]
fn what_fails_over_there_gives_the_citizen_back_or_leaves_a_ticket() {
    in_a_city_with(they_are_there, |city| {
        let People { citizen, taxes, clerk } = people(city, Answers::Busy);
        city.dials(clerk, "913800000000");
        assert!(city.run_until(secs(10), |city| joined(city, clerk, citizen)));
        let call = city.call_of(clerk).expect("it is under way");
        // By HTTP, as the clerk whose call it is and nobody else.
        let asks = |city: &mut City, seat: &str, wish: Wish| {
            let asker = Asker { name: "desk".into(), role: Role::Clerk, seat: Some(seat.into()) };
            let now = city.now();
            let reply = city.board.ask(&asker, Request::Call { call, wish }, now);
            city.dispatch();
            reply
        };
        let consult = || Wish::Consult { to: "12366".into() };
        assert_eq!(asks(city, "1002", consult()), Err(Refusal::NotAllowed));
        assert_eq!(asks(city, "1001", consult()), Ok(Reply::Done));
        city.run_for(secs(2));
        assert!(city.run_until(secs(5), |city| joined(city, clerk, citizen)), "busy: back at once");
        city.telephone(taxes).phone.set_answers(Answers::Never);
        assert_eq!(asks(city, "1001", consult()), Ok(Reply::Done));
        city.run_for(secs(1));
        city.hangs_up(clerk);
        city.run_for(secs(5));
        assert!(matches!(city.seat_state(clerk), SeatState::WrapUp { .. }));
        assert!(city.run_until(secs(90), |city| city.look_at(citizen).is_idle()));
        city.run_for(secs(2));
        assert_eq!(record(city, call).ticket_left.as_deref(), Some("sub_center_unanswered"));
        assert!(city.heard(citizen, "ticket_number"));
    });
}

/// One who is rung for a kept place is a clerk like any other: heard, and free when the others go on.
#[test]
fn a_call_back_of_a_kept_place_is_listened_to_taken_over_and_ends_in_a_wrap_up() {
    let decided = |plan: &mut Plan| {
        keeps_places(plan);
        plan.work.observer_prompt = None;
        let seat = plan.seats.get_mut("1003").expect("a seat");
        (seat.role, seat.queues) = (Role::Supervisor, Vec::new());
    };
    in_a_city_with(decided, |city| {
        let citizen = far_end(city, Answers::After(secs(2)));
        keeps(city, citizen);
        let clerk = city.seat("1001").answers_after(secs(1));
        assert!(city.run_until(secs(10), |city| joined(city, clerk, citizen)));
        let boss = city.seat("1003").answers_after(secs(1));
        city.dials(boss, "*91001");
        assert!(city.run_until(secs(5), |city| city.hears(boss, clerk) && city.hears(boss, citizen)));
        assert!(!city.hears(citizen, boss) && !city.hears(clerk, boss));
        presses(city, boss, "3");
        assert!(city.run_until(secs(3), |city| city.hears(citizen, boss)));
        presses(city, boss, "4");
        assert!(city.run_until(secs(15), |city| joined(city, boss, citizen)), "{}", city.story());
        city.run_for(secs(1));
        assert!(city.look_at(clerk).is_idle());
        assert!(matches!(city.seat_state(clerk), SeatState::WrapUp { .. }), "{:?}", city.seat_state(clerk));
        let back =
            |facts: &Vec<hotline::switchboard::Fact>| has(facts, |what| matches!(what, What::Watched { .. }));
        assert!(city.store.facts.values().any(back));
        city.hangs_up(citizen);
        city.run_for(secs(3));
        assert_eq!(city.board.places_kept(), 0);
    });
}

/// A surge calls supervisors to the queue; one who takes a call over has that call.
#[test]
fn a_take_over_wins_against_a_queue_that_calls_for_the_same_seat() {
    let decided = |plan: &mut Plan| {
        plan.work.observer_prompt = None;
        let queue = plan.queues.get_mut("main").expect("the shipped queue");
        queue.no_seat_wait = secs(280);
        let roles = vec![Role::Supervisor];
        queue.rules.surge = Some(Surge { from: 1, until: 0, greeting: None, roles, callback: false });
        let seat = plan.seats.get_mut("1003").expect("a seat");
        (seat.role, seat.queues) = (Role::Supervisor, Vec::new());
    };
    in_a_city_with(decided, |city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        let caller = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(40), |city| city.talks_to(caller) == Some(clerk)));
        let boss = city.seat("1003").answers_after(secs(1));
        city.dials(boss, "*91001");
        city.run_for(secs(2));
        let waits = city.phone("13800000002").dials("12345");
        assert!(city.run_until(secs(30), |city| city.state_of(waits) == Some("waiting")));
        presses(city, boss, "4");
        assert!(city.run_until(secs(10), |city| city.talks_to(caller) == Some(boss)), "{}", city.story());
        for who in [caller, waits] {
            city.hangs_up(who);
        }
        city.run_for(secs(3));
    });
}

/// The telephone is on its way to being hung up when somebody clicks for it.
#[test]
fn a_click_right_after_a_hang_up_waits_for_the_telephone() {
    in_a_city_with(calls_out, |city| {
        let citizen = far_end(city, Answers::After(secs(1)));
        let clerk = city.seat("1001").answers_after(secs(1));
        let caller = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(40), |city| city.talks_to(caller) == Some(clerk)));
        // Our BYE is under way for a second.
        let ours = city.address;
        city.net.holds("BYE", ours, secs(1));
        city.hangs_up(caller);
        city.run_for(Duration::from_millis(300));
        assert!(!city.look_at(clerk).is_idle());
        let call = begun(click(city, "1001", CITIZEN));
        assert!(city.run_until(secs(10), |city| joined(city, clerk, citizen)), "{}", city.story());
        let refused = |what: &What| matches!(what, What::Closed { cause: Cause::Refused(_), .. });
        assert!(!has(&city.store.facts[&call], refused));
        let times = city.look_at(clerk).events.iter();
        let rang = times.filter(|(_, event)| matches!(event, PhoneEvent::IncomingCall { .. })).count();
        assert_eq!(rang, 2, "rung once for each");
        city.hangs_up(clerk);
        city.run_for(secs(3));
        assert!(!matches!(city.seat_state(clerk), SeatState::Away { why: AwayWhy::Unanswered, .. }));
    });
}
