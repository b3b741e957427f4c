//! The house itself is reloaded, drained, overrun, or has its wall clock set.

use hotline::acd::event::SeatState;
use hotline::phone::PhoneEvent;
use hotline::routing::Plan;
use hotline::routing::plan::LineMode;
use hotline::sip::event::TurnedAway;
use hotline::switchboard::What;
use hotline::switchboard::fact::Cause;

use crate::city::{City, millis, secs};
use crate::clerk::Who;
use crate::desk::has;
use crate::seed::{in_a_city, in_a_city_with};

fn refused_503(event: &PhoneEvent) -> bool {
    matches!(event, PhoneEvent::Refused { status: 503, retry_after_s: Some(1..) })
}

#[test]
fn a_reload_holds_for_the_calls_to_come_and_touches_none_under_way() {
    in_a_city(|city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        let talks = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(12), |city| city.talks_to(talks) == Some(clerk)));
        let listens = city.phone("13800000002").dials("12336");
        city.run_for(secs(2));
        city.reloads(|plan| {
            plan.transition.months = 0; // As if the months were over.
            plan.queues.values_mut().for_each(|queue| queue.no_seat_wait = secs(2));
        });
        city.run_for(secs(14));
        assert!(
            city.heard(listens, "transition") && city.heard(listens, "greeting"),
            "the plan it began with"
        );
        assert!(city.hears(talks, clerk) && city.hears(clerk, talks));
        let after = city.phone("13800000003").dials("12336");
        city.run_for(secs(7));
        assert!(!city.heard(after, "transition") && city.heard(after, "greeting"));
        assert_eq!(city.talks_to(talks), Some(clerk));
        for caller in [talks, listens, after] {
            city.hangs_up(caller);
        }
        city.run_for(secs(2));
        assert_ne!(city.record_of(talks).plan, city.record_of(after).plan);
    });
}

#[test]
fn a_seat_that_a_reload_drops_finishes_its_talk_and_is_rung_no_more() {
    in_a_city(|city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        let ringing = city.seat("1002").never_answers();
        let talks = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(12), |city| city.talks_to(talks) == Some(clerk)));
        let waits = city.phone("13800000002").dials("12345");
        assert!(
            city.run_until(secs(12), |city| matches!(city.seat_state(ringing), SeatState::Offered { .. }))
        );
        city.run_for(secs(1));
        city.reloads(|plan| {
            plan.seats.remove("1001");
            plan.seats.remove("1002");
        });
        city.run_for(secs(3));
        assert!(city.hears(talks, clerk) && city.hears(clerk, talks));
        assert!(city.look_at(ringing).is_idle(), "its phone stops ringing");
        assert_eq!(city.state_of(waits), Some("waiting"));
        city.hangs_up(talks);
        city.run_for(secs(60));
        assert!(city.call_of(waits).is_none());
        city.run_for(secs(1));
        assert!(city.record_of(waits).ticket_left.is_some());
        assert!(city.board.acd().seat(&"1001".into()).is_none());
        // Their phones may go on registering, and are refused.
        city.vanishes(clerk);
        city.vanishes(ringing);
    });
}

/// 12345 leads to `citizens`, which was called `main` until now.
fn renames(plan: &mut Plan) {
    let mut queue = plan.queues.remove("main").expect("the shipped queue");
    queue.id = "citizens".into();
    plan.queues.insert("citizens".into(), queue);
    for seat in plan.seats.values_mut() {
        seat.queues = vec!["citizens".into()];
    }
    let lines: Vec<_> = plan.lines.values().cloned().collect();
    for mut line in lines {
        if let LineMode::Primary { queue } = &mut line.mode {
            *queue = "citizens".into();
        }
        plan.lines.insert(line.number.clone().as_str(), line);
    }
}

#[test]
fn a_caller_in_the_greeting_reaches_a_clerk_though_their_queue_is_renamed_or_gone() {
    type Change = fn(&mut Plan);
    // Its seats serve another one; or they are gone, and another's take 12345.
    let table: [Change; 2] = [renames, |plan| {
        plan.seats.remove("1001");
        renames(plan);
    }];
    for change in table {
        in_a_city(|city| {
            let waits = city.phone("13800000001").dials("12345");
            assert!(city.run_until(secs(20), |city| city.state_of(waits) == Some("waiting")));
            let listens = city.phone("13800000002").dials("12345");
            city.run_for(secs(2));
            assert_eq!(city.state_of(listens), Some("prompt"), "in the greeting");
            city.reloads(change);
            let clerk = city.seat("1002").answers_after(secs(1));
            assert!(city.run_until(secs(20), |city| city.talks_to(waits) == Some(clerk)));
            let other = city.seat("1003").answers_after(secs(1));
            assert!(city.run_until(secs(20), |city| city.talks_to(listens) == Some(other)));
            // Who calls now waits where the new plan has them wait.
            let after = city.phone("13800000003").dials("12345");
            assert!(city.run_until(secs(20), |city| city.state_of(after) == Some("waiting")));
            let queues = city.board.acd().queues(city.now().mono);
            let names: Vec<_> = queues.iter().map(|view| view.queue.as_str()).collect();
            assert_eq!(names, ["citizens"], "nobody waits in the old one");
            for who in [waits, listens, after] {
                city.hangs_up(who);
            }
            city.run_for(secs(2));
            assert!(city.record_of(listens).ticket_left.is_none());
        });
    }
}

#[test]
fn a_seat_that_was_removed_by_mistake_is_rung_again_as_soon_as_it_is_back() {
    in_a_city(|city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        city.run_for(secs(2));
        let seat = city.plan.seats["1001"].clone();
        city.reloads(|plan| drop(plan.seats.remove("1001")));
        city.run_for(secs(5));
        assert!(city.board.acd().seat(&"1001".into()).is_none());
        city.reloads(|plan| drop(plan.seats.insert(seat.id.clone(), seat.clone())));
        let caller = city.phone("13800000001").dials("12345");
        assert!(
            city.run_until(secs(20), |city| city.talks_to(caller) == Some(clerk)),
            "it need not register anew"
        );
        city.hangs_up(caller);
        city.run_for(secs(2));
    });
}

#[test]
fn a_drain_lets_calls_end_by_themselves_and_refuses_new_ones() {
    in_a_city(|city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        let talks = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(12), |city| city.talks_to(talks) == Some(clerk)));
        city.drains(secs(60));
        let late = city.phone("13800000002").dials("12345");
        city.run_for(secs(1));
        assert!(city.saw(late, refused_503));
        city.run_for(secs(20));
        assert!(city.hears(talks, clerk) && city.drained_at.is_none());
        city.hangs_up(talks);
        city.run_for(secs(1));
        assert!(city.drained_at.is_some(), "nothing is left to wait for");
        assert_eq!(city.record_of(talks).cause, Some(Cause::CallerHungUp));
    });
}

#[test]
fn a_drain_ends_what_is_left_after_the_grace_and_says_so_in_the_records() {
    in_a_city(|city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        let ringing = city.seat("1002").never_answers();
        let talks = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(12), |city| city.talks_to(talks) == Some(clerk)));
        let rings = city.phone("13800000002").dials("12345");
        assert!(city.run_until(secs(12), |city| city.state_of(rings) == Some("ringing")));
        let in_prompt = city.phone("13800000003").dials("12336");
        city.run_for(secs(2));
        let began = city.mono;
        city.drains(secs(5));
        city.run_for(secs(10));
        let took = city.drained_at.expect("drained").since(began);
        assert!((secs(5)..secs(8)).contains(&took), "{took:?}");
        for who in [clerk, ringing, talks, rings, in_prompt] {
            assert!(city.look_at(who).is_idle(), "{}", city.look_at(who).user);
        }
        for caller in [talks, rings, in_prompt] {
            assert_eq!(city.record_of(caller).cause, Some(Cause::Drained));
        }
    });
}

/// A caller who waits, one who talks, and a seat that is away: each with its timers.
fn with_the_clock_set(jump: i64) -> Vec<(u64, u64)> {
    let mut seen = Vec::new();
    let times = std::cell::RefCell::new(&mut seen);
    // Long enough for a registration to be refreshed: half of 300 s.
    let shorter = |plan: &mut Plan| plan.queues.values_mut().for_each(|queue| queue.wait_max = secs(165));
    in_a_city_with(shorter, |city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        let talks = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(12), |city| city.talks_to(talks) == Some(clerk)));
        let began = city.mono;
        let waits = city.phone("13800000002").dials("12345");
        city.run_for(secs(10));
        city.clock_jumps(jump);
        city.run_for(secs(155));
        assert_eq!(city.state_of(waits), Some("waiting"));
        assert!(city.look_at(clerk).phone.is_registered(), "no registration has run out");
        assert_eq!(city.talks_to(talks), Some(clerk));
        assert!(city.run_until(secs(60), |city| city.call_of(waits).is_none()));
        let gone = city.mono.since(began).as_millis() as u64;
        city.hangs_up(talks);
        city.run_for(secs(1));
        times.borrow_mut().push((gone, city.record_of(waits).waited_ms));
        let lasted = city.record_of(talks).lasted_ms.expect("an end");
        assert!((165_000..250_000).contains(&lasted), "a monotonic difference: {lasted} ms");
    });
    seen
}

#[test]
fn no_timer_moves_when_the_wall_clock_jumps() {
    let still = with_the_clock_set(0);
    for jump in [3_600, -3_600, 86_400] {
        let jumped = with_the_clock_set(jump);
        for ((at, waited), (at_still, waited_still)) in jumped.iter().zip(&still) {
            assert!(at.abs_diff(*at_still) <= 40, "{jump} s: {at} ms for {at_still} ms");
            assert!(waited.abs_diff(*waited_still) <= 5, "{jump} s: {waited} ms for {waited_still} ms");
        }
    }
}

#[test]
fn a_clock_that_goes_back_gives_no_ticket_number_twice() {
    in_a_city(|city| {
        let caller = city.phone("13800000001").waits();
        for jump in [0, -86_400, 86_400 * 2, -3_600] {
            city.clock_jumps(jump);
            city.dials(caller, "12345");
            city.run_for(secs(3));
            city.hangs_up(caller);
            city.run_for(secs(1));
        }
        let mut tickets: Vec<String> = city.store.records().into_iter().map(|record| record.ticket).collect();
        tickets.sort();
        tickets.dedup();
        assert_eq!(tickets.len(), 4);
    });
}

#[test]
fn beyond_calls_max_a_caller_is_told_when_to_come_again_and_nobody_else_notices() {
    in_a_city_with(
        |plan| plan.limits.calls_max = 3,
        |city| {
            let clerk = city.seat("1001").answers_after(secs(1));
            let callers: Vec<Who> =
                (0..8).map(|n| city.phone(&format!("1380000000{n}")).dials("12345")).collect();
            city.run_for(secs(10));
            let refused = callers.iter().filter(|caller| city.saw(**caller, refused_503)).count();
            assert_eq!(refused, 5);
            assert_eq!(city.watch_most_calls(), 3);
            // Their greetings end within the same 20 ms: any of the three may be the first.
            assert_eq!(
                callers[..3].iter().filter(|caller| city.talks_to(**caller) == Some(clerk)).count(),
                1
            );
            city.hangs_up(callers[1]);
            city.run_for(secs(1));
            city.dials(callers[7], "12345");
            city.run_for(secs(2));
            assert!(city.call_of(callers[7]).is_some(), "there is room again");
            assert_eq!(city.store.facts.len(), 4, "who was refused has no record");
            for caller in [callers[0], callers[2], callers[7]] {
                city.hangs_up(caller);
            }
        },
    );
}

#[test]
fn beyond_a_trunks_calls_a_caller_is_told_when_to_come_again_and_has_no_record() {
    in_a_city_with(
        |plan| plan.trunks.values_mut().for_each(|trunk| trunk.calls_max = 2),
        |city| {
            let callers: Vec<Who> =
                (0..4).map(|n| city.phone(&format!("1380000000{n}")).dials("12345")).collect();
            city.run_for(secs(2));
            assert_eq!(callers.iter().filter(|caller| city.saw(**caller, refused_503)).count(), 2);
            assert_eq!(city.board.turned_away()[&TurnedAway::TrunkFull], 2);
            assert_eq!(city.store.facts.len(), 2);
            city.hangs_up(callers[0]);
            city.run_for(secs(1));
            city.dials(callers[3], "12345");
            city.run_for(secs(2));
            assert!(city.call_of(callers[3]).is_some(), "there is room again");
            city.hangs_up(callers[1]);
            city.hangs_up(callers[3]);
            city.run_for(secs(1));
            let trunks = city.board.sip().trunks(city.now());
            assert!(trunks.iter().all(|trunk| trunk.calls == 0), "{trunks:?}");
        },
    );
}

#[test]
fn a_range_of_ports_that_is_used_up_refuses_and_recovers() {
    in_a_city_with(
        |plan| plan.network.rtp_ports = (20_000, 20_007), // Four pairs.
        |city| {
            let callers: Vec<Who> =
                (0..6).map(|n| city.phone(&format!("1380000000{n}")).dials("12345")).collect();
            city.run_for(secs(2));
            let refused = callers.iter().filter(|caller| city.saw(**caller, refused_503)).count();
            assert_eq!(refused, 2);
            callers[..3].iter().for_each(|caller| city.hangs_up(*caller));
            city.run_for(secs(1));
            let clerk = city.seat("1001").answers_after(secs(1));
            city.dials(callers[5], "12345");
            assert!(city.run_until(secs(15), |city| city.talks_to(callers[3]) == Some(clerk)));
            city.hangs_up(callers[3]);
            city.hangs_up(callers[5]);
        },
    );
}

#[test]
fn a_sub_center_behind_a_dead_address_costs_a_moment_and_leaves_a_ticket() {
    in_a_city(|city: &mut City| {
        let clerk = city.seat("1001").answers_after(secs(1));
        let caller = city.phone("13800000001").dials("12366");
        city.run_for(millis(100)); // ICMP counts at once: the caller hears of it before the time-out.
        assert_eq!(city.state_of(caller), Some("prompt"));
        assert!(city.run_until(secs(20), |city| city.talks_to(caller) == Some(clerk)));
        city.hangs_up(caller);
        city.run_for(secs(1));
        let record = city.record_of(caller);
        assert_eq!(record.ticket_left.as_deref(), Some("sub_center_unanswered"));
        assert!(has(&city.store.facts[&record.call], |what| matches!(what, What::PeerFailed { .. })));
    });
}

#[test]
fn an_offer_that_a_drain_ends_is_ended_in_the_record_before_the_call_is() {
    in_a_city(|city| {
        let clerk = city.seat("1001").never_answers();
        let caller = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(20), |city| city.state_of(caller) == Some("ringing")));
        city.drains(secs(1));
        assert!(city.run_until(secs(20), |city| city.drained_at.is_some()));
        assert!(city.run_until(secs(5), |city| city.look_at(clerk).is_idle()));
        let record = city.record_of(caller);
        let facts = &city.store.facts[&record.call];
        let at = |wanted: fn(&What) -> bool| facts.iter().position(|fact| wanted(&fact.what));
        let ended = at(|what| matches!(what, What::OfferEnded { .. }));
        assert!(ended.is_some() && ended < at(|what| matches!(what, What::Closed { .. })), "{facts:?}");
    });
}
