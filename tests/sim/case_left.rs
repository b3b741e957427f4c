//! The caller leaves a clerk and whom the clerk has asked in: who goes on, what is on the record, and that nobody
//! is cut off from help in an emergency.

use hotline::acd::event::SeatState;
use hotline::phone::Answers;
use hotline::phone::listen::tone_level;
use hotline::routing::Plan;
use hotline::routing::plan::SeatGreeting;
use hotline::routing::three_way::CallerLeaves;
use hotline::switchboard::What;
use hotline::switchboard::fact::{Cause, Party};
use hotline::telemetry::CallRecord;

use crate::case_threeway;
use crate::city::{City, millis, secs};
use crate::clerk::{Deed, Who};
use crate::network::Weather;
use crate::seed::in_a_city_with;

fn they_are_there(plan: &mut Plan) {
    case_threeway::they_are_there(plan);
    plan.queues.values_mut().for_each(|queue| queue.wrap_up = secs(20));
    plan.seat_greeting = SeatGreeting::Silent;
    plan.network.silence_max = secs(2);
}

fn keep(plan: &mut Plan) {
    they_are_there(plan);
    plan.three_way.caller_leaves = CallerLeaves::Keep;
}

#[derive(Clone, Copy)]
struct Three {
    caller: Who,
    clerk: Who,
    /// 12366, or 119.
    third: Who,
}

/// Caller and clerk have talked for a while, and the third rings.
fn asked(city: &mut City, key: &str, picks_up: Answers) -> Three {
    let taxes = city.phone("12366").waits();
    let fire = city.phone("119").waits();
    let clerk = city.seat("1001").answers_after(secs(1));
    let caller = city.phone("13800000001").dials("12345");
    assert!(city.run_until(secs(40), |city| city.hears(caller, clerk) && city.hears(clerk, caller)));
    city.run_for(secs(3));
    let third = if key == "*1" { fire } else { taxes };
    city.telephone(third).phone.set_answers(picks_up);
    city.presses(clerk, key);
    assert!(city.run_until(secs(5), |city| !city.look_at(third).is_idle()), "it rings");
    Three { caller, clerk, third }
}

/// Aside, or all three.
fn talking(city: &mut City, key: &str, all: bool) -> Three {
    let three = asked(city, key, Answers::After(secs(1)));
    let Three { clerk, third, .. } = three;
    assert!(city.run_until(secs(8), |city| city.hears(clerk, third) && city.hears(third, clerk)));
    city.run_for(secs(2));
    if all {
        city.presses(clerk, "*0");
        city.run_for(secs(2));
    }
    three
}

fn leaves(city: &mut City, three: Three, vanished: bool) {
    if vanished {
        city.vanishes(three.caller);
        city.run_for(secs(12)); // It is asked whether it is there.
    } else {
        city.hangs_up(three.caller);
    }
    city.run_for(secs(2));
}

fn talk_on(city: &mut City, Three { clerk, third, .. }: Three) -> bool {
    let before = city.look_at(clerk).phone.heard().len();
    city.run_for(secs(1));
    let comes = city.look_at(clerk).phone.heard().len() > before + 7_000;
    comes && city.hears(clerk, third) && city.hears(third, clerk)
}

fn record(city: &mut City, caller: Who) -> CallRecord {
    let over = city.run_until(secs(5), |city| city.board.calls().is_empty());
    assert!(over, "nothing goes on");
    city.run_for(secs(2));
    city.record_of(caller)
}

#[test]
fn a_clerk_and_a_sub_center_talk_on_without_the_caller_until_either_hangs_up() {
    for all in [false, true] {
        for vanished in [false, true] {
            for last in 0..3 {
                in_a_city_with(keep, |city| {
                    let three = talking(city, "*2", all);
                    let Three { caller, clerk, third } = three;
                    leaves(city, three, vanished);
                    assert_eq!(
                        city.board.calls().iter().map(|it| it.1.state()).next(),
                        Some("without_caller")
                    );
                    assert!(talk_on(city, three));
                    assert!(
                        matches!(city.seat_state(clerk), SeatState::Talking { .. }),
                        "busy with it still"
                    );
                    // The clerk may ask for silence over there, and come back.
                    city.order(clerk, |phone, now| phone.hold(now));
                    city.run_for(secs(3));
                    assert!(!city.hears(third, clerk));
                    city.order(clerk, |phone, now| phone.resume(now));
                    city.run_for(secs(3));
                    assert!(talk_on(city, three));
                    match last {
                        0 => city.hangs_up(clerk),
                        1 => city.hangs_up(third),
                        _ => city.vanishes(third),
                    }
                    city.run_for(secs(if last == 2 { 12 } else { 1 }));
                    let record = record(city, caller);
                    assert!(
                        matches!(city.seat_state(clerk), SeatState::WrapUp { .. }),
                        "and then writes it down"
                    );
                    assert!(city.look_at(clerk).is_idle());
                    one_call(city, &record, vanished);
                });
            }
        }
    }
}

/// One call with one recording to the end of it; the talk with the caller was over when the caller left.
fn one_call(city: &City, record: &CallRecord, vanished: bool) {
    assert_eq!(city.store.facts.len(), 1);
    let cause = if vanished { Cause::CallerVanished } else { Cause::CallerHungUp };
    assert_eq!(record.cause, Some(cause));
    assert_eq!(record.grade, None);
    let facts = &city.store.facts[&record.call];
    let prompts =
        facts.iter().filter(|fact| matches!(&fact.what, What::Announced { prompt } if prompt == "survey"));
    assert_eq!(prompts.count(), 0, "nobody is there to be asked");
    let left = facts.iter().find(|fact| matches!(fact.what, What::CallerLeft { .. })).expect("it is told");
    let opened = &facts[0];
    let left_ms = left.mono.since(opened.mono).as_millis() as u64;
    let lasted = record.lasted_ms.expect("it is over");
    assert!(lasted > left_ms + 5_000);
    assert_eq!(record.times.without_caller_ms, lasted - left_ms);
    let stay = |is_it: &dyn Fn(&Party) -> bool| {
        record.times.parties.iter().find(|row| is_it(&row.party)).expect("was there")
    };
    let caller = stay(&|party| *party == Party::Caller);
    assert_eq!(caller.left_ms, Some(left_ms));
    let clerk = stay(&|party| matches!(party, Party::Seat { .. }));
    assert!(clerk.left_ms > Some(left_ms) && clerk.talked_ms < left_ms, "{clerk:?}");
    assert!(clerk.consulted_ms >= clerk.left_ms.unwrap() - left_ms, "{clerk:?}");
    assert!(record.talked_ms < left_ms, "of the clerk's talk with the caller: {}", record.talked_ms);
    let third = stay(&|party| matches!(party, Party::Peer { .. }));
    assert!(third.consulted_ms > 5_000, "{third:?}");
    let (answered, recorded) = (record.answered_ms.unwrap(), record.recording_ms.unwrap());
    assert!(answered.abs_diff(recorded) < 1_000, "{recorded} of {answered} ms are on it");
    assert!(record.sound.as_ref().is_some_and(|sound| sound.received > 0), "the caller's own");
    // Whoever shows the call to the clerk knows that the caller is gone.
    let told = city.books.taken.iter().filter(|event| &*event.kind == "hotline.call.caller_left.v1");
    assert_eq!(told.count(), 1);
}

#[test]
fn both_sides_of_who_talk_on_are_on_the_recording() {
    for all in [false, true] {
        for plan in [keep, they_are_there] {
            in_a_city_with(plan, |city| {
                let three = talking(city, "*1", all);
                let call = city.call_of(three.caller).expect("it goes on");
                leaves(city, three, false);
                city.run_for(secs(2));
                let [left, right] = city.sound.last_recorded(call);
                // Voices are made of whole tens of hertz.
                let voice = |who: Who| (city.look_at(who).tone_hz / 10.0).round() * 10.0;
                let has = |side: &[i16], who: Who| tone_level(side, voice(who)) > -21.0;
                assert!(has(&left, three.third), "the third on the left, where the caller was");
                assert!(has(&right, three.clerk), "the clerk on the right");
                assert!(!has(&left, three.clerk) && !has(&right, three.third), "and not the other way round");
                city.hangs_up(three.clerk);
                city.run_for(secs(3));
            });
        }
    }
}

/// The notice, 四(四): whoever called for help has to say where.
#[test]
fn help_in_an_emergency_talks_on_with_the_clerk_whatever_becomes_of_the_callers_line() {
    for plan in [keep, they_are_there] {
        for vanished in [false, true] {
            for all in [false, true] {
                in_a_city_with(plan, |city| {
                    let three = talking(city, "*1", all);
                    leaves(city, three, vanished);
                    assert!(talk_on(city, three), "vanished: {vanished}, three: {all}");
                    city.hangs_up(three.clerk);
                    city.run_for(secs(1));
                    assert!(city.look_at(three.third).is_idle());
                    record(city, three.caller);
                });
            }
            in_a_city_with(plan, |city| {
                let three = asked(city, "*1", Answers::After(secs(18)));
                leaves(city, three, vanished);
                assert!(
                    city.run_until(secs(20), |city| city.hears(three.clerk, three.third)),
                    "it is reached"
                );
                assert!(talk_on(city, three));
                city.hangs_up(three.third);
                city.run_for(secs(1));
                assert!(city.look_at(three.clerk).is_idle());
                record(city, three.caller);
            });
        }
    }
    // Nobody there: the clerk is free, and nothing is left over.
    in_a_city_with(they_are_there, |city| {
        let three = asked(city, "*1", Answers::Never);
        leaves(city, three, false);
        assert!(city.run_until(secs(60), |city| city.look_at(three.clerk).is_idle()), "it rang long enough");
        record(city, three.caller);
    });
}

#[test]
fn a_call_without_its_caller_lasts_no_longer_than_any() {
    let short = |plan: &mut Plan| {
        keep(plan);
        plan.limits.call_max = secs(90);
    };
    in_a_city_with(short, |city| {
        let three = talking(city, "*2", true);
        leaves(city, three, false);
        assert!(talk_on(city, three));
        city.run_for(secs(90));
        assert!(city.look_at(three.clerk).is_idle() && city.look_at(three.third).is_idle());
        assert_eq!(record(city, three.caller).cause, Some(Cause::TooLong));
    });
}

/// BYEs that cross on a bad network, in each order, a few milliseconds apart.
#[test]
fn goodbyes_of_all_three_that_cross_leave_one_record_and_nobody_alone() {
    for all in [false, true] {
        for key in ["*2", "*1"] {
            for first in 0..3 {
                in_a_city_with(keep, |city| {
                    let three = talking(city, key, all);
                    (city.net.sip, city.net.sound) = (Weather::FOUL, Weather::FOUL);
                    let mut order = [three.caller, three.clerk, three.third];
                    order.rotate_left(first);
                    for (n, who) in order.into_iter().enumerate() {
                        let at = millis(n as u64 * city.dice.below(20));
                        city.later_in_this_call(at, who, Deed::HangUp);
                    }
                    let over = city.run_until(secs(40), |city| city.board.calls().is_empty());
                    assert!(over, "nothing goes on");
                    (city.net.sip, city.net.sound) = (Weather::FAIR, Weather::FAIR);
                    let record = record(city, three.caller);
                    assert!(record.is_closed());
                    assert!(order.iter().all(|who| city.look_at(*who).is_idle()));
                });
            }
        }
    }
}
