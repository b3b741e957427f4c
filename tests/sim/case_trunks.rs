//! Ways to a sub-center that die, fill up and come back: the caller gets there by another one, or
//! gets a clerk and leaves a ticket.

use hotline::routing::Plan;
use hotline::routing::plan::Probing;
use hotline::sip::event::WayFailed;
use hotline::switchboard::What;
use hotline::switchboard::fact::Cause;

use crate::city::{City, millis, secs};
use crate::clerk::{Who, address};
use crate::desk::has;
use crate::exchange::{NUMBER, Temper, by_ways, registers, trunk_mut, way};
use crate::seed::in_a_city_with;

/// The second only where the first does not lead there.
fn one_and_a_spare(plan: &mut Plan) {
    by_ways(plan, &[(1, 1), (2, 1)]);
}

/// How often a way failed for this reason.
fn failed(city: &City, number: usize, why: WayFailed) -> u64 {
    city.way_now(number).failed[why as usize]
}

/// Caller and sub-center hear one another within so many seconds, and the record says by which way.
fn served_by(city: &mut City, caller: Who, center: Who, number: usize, seconds: u64) {
    let joined = |city: &City| city.hears(caller, center) && city.hears(center, caller);
    assert!(city.run_until(secs(seconds), joined), "way {number}: {:?}", city.look_at(caller).events);
    assert_eq!(city.way_now(number).calls, 1);
    city.hangs_up(caller);
    city.run_for(secs(3));
    assert!(city.look_at(center).is_idle(), "the sub-center's telephone is free again");
    let record = city.record_of(caller);
    assert_eq!(record.peer, Some(format!("{}/{NUMBER}", way(number))));
    assert_eq!((record.ticket_left, record.cause), (None, Some(Cause::CallerHungUp)));
    assert_eq!(city.way_now(number).calls, 0);
}

/// The caller is told that nobody is there, talks with a clerk, and the ticket is on its way.
fn served_here(city: &mut City, caller: Who, clerk: Who, seconds: u64) {
    assert!(city.run_until(secs(seconds), |city| city.talks_to(caller) == Some(clerk)));
    city.run_for(secs(4));
    assert!(city.heard(caller, "sub_center_unanswered"));
    assert!(city.hears(caller, clerk) && city.hears(clerk, caller));
    city.hangs_up(caller);
    city.run_for(secs(3));
    let record = city.record_of(caller);
    assert!(record.ticket_left.is_some() && record.peer.is_none());
    let not_there = |what: &What| matches!(what, What::PeerFailed { .. });
    assert!(has(&city.store.facts[&record.call], not_there));
}

#[test]
fn a_way_that_is_dead_costs_the_caller_a_moment_and_the_next_one_leads_to_the_sub_center() {
    in_a_city_with(one_and_a_spare, |city| {
        let phones = city.exchanges(2);
        let caller = city.phone("13800000001").waits();
        for (temper, why, count) in [
            (Temper::Closed, WayFailed::Unreachable, 1),
            (Temper::Refuses(503), WayFailed::Refused, 1),
            (Temper::Refuses(500), WayFailed::Refused, 2),
            (Temper::Refuses(504), WayFailed::Refused, 3),
            (Temper::Refuses(408), WayFailed::Refused, 4),
            (Temper::Silent, WayFailed::Silent, 1),
        ] {
            city.way_is(phones[0], temper);
            city.dials(caller, NUMBER);
            // A second of ringing there, a second at most for the silent one, and two ways through.
            served_by(city, caller, phones[1], 2, 4);
            assert_eq!(failed(city, 1, why), count, "{temper:?}");
            city.run_for(secs(11)); // What was silent or unreachable is not asked for a while.
        }
        city.way_is(phones[0], Temper::Fine);
        city.dials(caller, NUMBER);
        served_by(city, caller, phones[0], 1, 4);
    });
}

#[test]
fn a_way_that_was_silent_costs_only_the_first_caller_time() {
    in_a_city_with(one_and_a_spare, |city| {
        let phones = city.exchanges(2);
        city.way_is(phones[0], Temper::Silent);
        let caller = city.phone("13800000001").dials(NUMBER);
        served_by(city, caller, phones[1], 2, 4);
        city.dials(caller, NUMBER);
        served_by(city, caller, phones[1], 2, 4);
        assert_eq!((failed(city, 1, WayFailed::Silent), city.way_now(1).attempts), (1, 1));
    });
}

#[test]
fn a_sub_center_that_is_busy_or_has_no_such_number_is_not_asked_by_another_way() {
    in_a_city_with(one_and_a_spare, |city| {
        let phones = city.exchanges(2);
        let clerk = city.seat("1001").talks_for(secs(60)).answers_after(secs(1));
        let caller = city.phone("13800000001").waits();
        for status in [486, 404, 603] {
            city.way_is(phones[0], Temper::Refuses(status));
            city.dials(caller, NUMBER);
            served_here(city, caller, clerk, 30);
            city.run_for(secs(60));
        }
        assert_eq!((city.way_now(1).attempts, city.way_now(2).attempts), (3, 0));
    });
}

#[test]
fn a_way_that_hangs_after_100_or_183_rings_out_once_and_the_caller_gets_a_clerk_and_a_ticket() {
    in_a_city_with(one_and_a_spare, |city| {
        let phones = city.exchanges(2);
        let clerk = city.seat("1001").answers_after(secs(1));
        let caller = city.phone("13800000001").waits();
        for temper in [Temper::Tries, Temper::Progresses] {
            city.way_is(phones[0], temper);
            city.dials(caller, NUMBER);
            served_here(city, caller, clerk, 50);
            city.run_for(secs(60));
        }
        let cancelled = city.net.log.iter().filter(|(_, _, to, name)| *to == address(0) && name == "CANCEL");
        assert_eq!(cancelled.count(), 2, "each is taken back");
        assert_eq!(city.way_now(2).attempts, 0, "somebody beyond had the call");
    });
}

#[test]
fn a_way_that_dies_while_it_rings_is_given_up_when_its_time_is_over() {
    in_a_city_with(one_and_a_spare, |city| {
        let phones = city.exchanges(2);
        let clerk = city.seat("1001").answers_after(secs(1));
        city.telephone(phones[0]).phone.set_answers(hotline::phone::Answers::Never);
        let caller = city.phone("13800000001").dials(NUMBER);
        city.run_for(secs(2));
        city.way_is(phones[0], Temper::Silent);
        served_here(city, caller, clerk, 50);
        // 64·T1: so long its CANCEL may still be answered (RFC 3261 §9.1).
        city.run_for(secs(32));
        assert_eq!(city.way_now(1).calls, 0);
    });
}

#[test]
fn all_ways_dead_at_once_mean_a_clerk_and_a_ticket() {
    in_a_city_with(
        |plan| by_ways(plan, &[(1, 1), (1, 1), (2, 1), (3, 1)]),
        |city| {
            let phones = city.exchanges(4);
            let clerk = city.seat("1001").answers_after(secs(1));
            let tempers = [Temper::Silent, Temper::Refuses(503), Temper::Closed, Temper::Refuses(502)];
            for (phone, temper) in phones.iter().zip(tempers) {
                city.way_is(*phone, temper);
            }
            let caller = city.phone("13800000001").dials(NUMBER);
            served_here(city, caller, clerk, 30);
            assert_eq!((1..=4).map(|number| city.way_now(number).attempts).sum::<u64>(), 4);
        },
    );
}

#[test]
fn ways_of_one_priority_share_the_calls_by_their_weights() {
    in_a_city_with(
        |plan| by_ways(plan, &[(1, 30), (1, 10), (2, 40)]),
        |city| {
            let phones = city.exchanges(3);
            let caller = city.phone("13800000001").waits();
            for _ in 0..80 {
                city.dials(caller, NUMBER);
                let joined = |city: &City| phones.iter().any(|phone| city.hears(caller, *phone));
                assert!(city.run_until(secs(4), joined));
                city.hangs_up(caller);
                city.run_for(secs(1));
            }
            let [first, second, third] = [1, 2, 3].map(|number| city.way_now(number).attempts);
            assert_eq!((first + second, third), (80, 0));
            assert!((45..=74).contains(&first), "three quarters of 80, more or less: {first}");
        },
    );
}

#[test]
fn probes_take_a_dead_way_out_and_back_and_calls_follow_without_a_moments_delay() {
    let probed = |plan: &mut Plan| {
        one_and_a_spare(plan);
        trunk_mut(plan, 1).probe = Some(Probing { every: secs(10), down_after: 3, up_after: 2 });
    };
    in_a_city_with(probed, |city| {
        let phones = city.exchanges(2);
        let caller = city.phone("13800000001").waits();
        let is_up = |city: &City| city.way_now(1).up;
        let answered = |city: &City| city.said(address(0), "200 OPTIONS");
        // Two in a row without an answer are a hiccup.
        city.run_for(secs(20));
        city.way_is(phones[0], Temper::Silent);
        city.run_for(secs(20));
        city.way_is(phones[0], Temper::Fine);
        city.run_for(secs(30));
        assert!(is_up(city));
        // Three are the end of it.
        city.way_is(phones[0], Temper::Silent);
        assert!(city.run_until(secs(45), |city| !is_up(city)));
        city.dials(caller, NUMBER);
        served_by(city, caller, phones[1], 2, 2);
        assert_eq!(city.way_now(1).attempts, 0, "nobody was sent there to find out");
        // One answer is no proof; two, each to an OPTIONS of its own, are.
        let before = answered(city);
        city.way_is(phones[0], Temper::Fine);
        assert!(city.run_until(secs(15), |city| answered(city) == before + 1));
        city.run_for(millis(100));
        assert!(!is_up(city));
        assert!(city.run_until(secs(20), is_up));
        city.dials(caller, NUMBER);
        served_by(city, caller, phones[0], 1, 2);
        // A switch that drains says 503 to OPTIONS: it is taken out likewise.
        city.way_is(phones[0], Temper::Refuses(503));
        assert!(city.run_until(secs(45), |city| !is_up(city)));
        city.dials(caller, NUMBER);
        served_by(city, caller, phones[1], 2, 2);
        assert_eq!(city.way_now(1).attempts, 1);
    });
}

#[test]
fn a_way_where_our_registration_is_lost_is_passed_over_until_it_is_made_again() {
    let registered = |plan: &mut Plan| {
        one_and_a_spare(plan);
        registers(plan, 1);
    };
    in_a_city_with(registered, |city| {
        let phones = city.exchanges(2);
        let caller = city.phone("13800000001").waits();
        let stands = |city: &City| city.way_now(1).registered == Some(true);
        assert!(city.run_until(secs(60), stands));
        city.dials(caller, NUMBER);
        served_by(city, caller, phones[0], 1, 2);
        city.way_is(phones[0], Temper::Silent);
        assert!(city.run_until(secs(61), |city| !stands(city)), "at the latest when its time is over");
        let before = city.way_now(1).attempts;
        city.dials(caller, NUMBER);
        served_by(city, caller, phones[1], 2, 2);
        assert_eq!(city.way_now(1).attempts, before);
        city.way_is(phones[0], Temper::Fine);
        assert!(city.run_until(secs(1_900), stands));
        city.dials(caller, NUMBER);
        served_by(city, caller, phones[0], 1, 2);
    });
}

#[test]
fn a_full_way_is_passed_over_and_when_all_are_full_a_clerk_answers() {
    let narrow = |plan: &mut Plan| {
        one_and_a_spare(plan);
        (1..=2).for_each(|number| trunk_mut(plan, number).calls_max = 1);
    };
    in_a_city_with(narrow, |city| {
        let phones = city.exchanges(2);
        let clerk = city.seat("1001").answers_after(secs(1));
        let callers = ["13800000001", "13800000002", "13800000003"].map(|it| city.phone(it).waits());
        for (caller, phone) in callers.iter().zip(&phones) {
            city.dials(*caller, NUMBER);
            let joined = |city: &City| city.hears(*caller, *phone) && city.hears(*phone, *caller);
            assert!(city.run_until(secs(3), joined));
        }
        assert_eq!((city.way_now(1).full, city.way_now(2).full), (true, true));
        assert_eq!((failed(city, 1, WayFailed::Full), city.way_now(1).attempts), (1, 1));
        city.dials(callers[2], NUMBER);
        served_here(city, callers[2], clerk, 20);
        assert_eq!(city.way_now(1).attempts + city.way_now(2).attempts, 2);
        city.hangs_up(callers[0]);
        city.run_for(secs(40));
        city.dials(callers[2], NUMBER);
        served_by(city, callers[2], phones[0], 1, 3);
        city.hangs_up(callers[1]);
    });
}

#[test]
fn more_calls_in_a_second_than_a_way_may_have_go_by_the_next() {
    let paced = |plan: &mut Plan| {
        one_and_a_spare(plan);
        trunk_mut(plan, 1).calls_per_second = 1;
    };
    in_a_city_with(paced, |city| {
        let phones = city.exchanges(2);
        let callers = ["13800000001", "13800000002"].map(|it| city.phone(it).dials(NUMBER));
        city.run_for(secs(3));
        let hears =
            |city: &City, caller: Who| phones.iter().filter(|phone| city.hears(caller, **phone)).count() == 1;
        assert!(callers.iter().all(|caller| hears(city, *caller)));
        assert_eq!((city.way_now(1).attempts, city.way_now(2).attempts), (1, 1));
        assert_eq!(failed(city, 1, WayFailed::Pace), 1);
        callers.iter().for_each(|caller| city.hangs_up(*caller));
    });
}

#[test]
fn help_in_an_emergency_goes_by_a_trunk_that_is_full_for_everybody_else() {
    let full = |plan: &mut Plan| {
        by_ways(plan, &[(1, 1)]);
        let trunk = trunk_mut(plan, 1);
        trunk.calls_max = 1;
        // The third telephone calls by it: one call, and it is full.
        let mut own = plan.trunks["carrier"].sources[0];
        (own.addr, own.prefix) = (address(2).ip(), 32);
        trunk_mut(plan, 1).sources = vec![own];
        let fire = plan.emergency.get_mut("119").expect("the shipped plan has it");
        (fire.trunk, fire.drill) = (way(1).as_str().into(), false);
    };
    in_a_city_with(full, |city| {
        let phones = city.exchanges(1);
        let caller = city.phone("13800000001").waits();
        let other = city.phone("13800000002").waits();
        let clerk = city.seat("1001").answers_after(secs(1));
        city.dials(caller, "12345");
        assert!(city.run_until(secs(20), |city| city.talks_to(caller) == Some(clerk)));
        city.dials(other, "12345");
        city.run_for(secs(6));
        assert!(city.way_now(1).full, "{:?}", city.way_now(1));
        city.order(clerk, |phone, now| phone.refer(NUMBER, now)).expect("it talks");
        city.run_for(secs(3));
        assert_eq!(city.way_now(1).attempts, 0, "no room for another call");
        assert!(city.hears(caller, clerk) && city.hears(clerk, caller), "given back");
        city.order(clerk, |phone, now| phone.refer("119", now)).expect("it talks");
        let asked = |city: &City| city.hears(clerk, phones[0]) && city.hears(phones[0], clerk);
        assert!(city.run_until(secs(5), asked), "who calls for help speaks first: {:?}", city.way_now(1));
        assert_eq!(city.way_now(1).calls, 2);
        city.hangs_up(clerk);
        let joined = |city: &City| city.hears(caller, phones[0]) && city.hears(phones[0], caller);
        assert!(city.run_until(secs(5), joined));
        city.hangs_up(caller);
        city.hangs_up(other);
        city.run_for(secs(3));
    });
}
