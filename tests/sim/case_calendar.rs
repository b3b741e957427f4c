//! The transition months by the calendar, judged by what callers hear.

use crate::city::{City, millis, secs};
use crate::clerk::Who;
use crate::seed::{in_a_city, in_a_city_with, play, seeds};

/// What a call to a merged number hears within ten seconds: the transition prompt, the greeting.
fn hears_at(city: &mut City, caller: Who, number: &str) -> (bool, bool) {
    city.dials(caller, number);
    city.run_for(secs(18));
    let heard = (city.heard(caller, "transition"), city.heard(caller, "greeting"));
    city.hangs_up(caller);
    city.run_for(secs(1));
    heard
}

#[test]
fn the_transition_prompt_is_heard_from_the_first_second_of_the_months_to_their_last() {
    in_a_city(|city| {
        let caller = city.phone("13800000001").waits();
        for (at, prompt) in [
            ("2021-07-31T23:59:59+08:00", false),
            ("2021-08-01T00:00:00+08:00", true),
            ("2021-10-31T23:59:59+08:00", true),
            ("2021-11-01T00:00:00+08:00", false),
        ] {
            city.clock_says(at);
            // The call comes in a network's delay later; the wall clock is what the house reads then.
            city.clock_jumps(0);
            city.net.sip.delay = millis(0);
            assert_eq!(hears_at(city, caller, "12336"), (prompt, true), "{at}");
            assert!(!city.heard(caller, "sub_center_unanswered"));
        }
        for at in ["2021-08-01T00:00:00+08:00", "2021-10-31T23:59:59+08:00"] {
            city.clock_says(at);
            assert_eq!(
                hears_at(city, caller, "12345"),
                (false, true),
                "12345 itself has no transition: {at}"
            );
            city.clock_says(at);
            assert_eq!(hears_at(city, caller, "12348"), (false, true), "nor has a dual number: {at}");
        }
    });
}

#[test]
fn a_call_that_begins_in_the_last_second_keeps_its_prompt_beyond_midnight() {
    in_a_city(|city| {
        let caller = city.phone("13800000001").waits();
        city.clock_says("2021-10-31T23:59:58.500+08:00");
        assert_eq!(hears_at(city, caller, "96119"), (true, true));
        assert_eq!(hears_at(city, caller, "96119"), (false, true), "the next one is after midnight");
    });
}

#[test]
fn a_clock_that_jumps_over_the_end_and_back_is_followed_call_by_call() {
    in_a_city(|city| {
        let caller = city.phone("13800000001").waits();
        city.net.sip.delay = millis(0);
        city.clock_says("2021-10-31T23:59:00+08:00");
        assert_eq!(hears_at(city, caller, "12336"), (true, true));
        for (at, prompt) in [
            ("2021-11-01T00:00:00+08:00", false), // Forward, to the end's own instant.
            ("2021-10-31T23:30:00+08:00", true),  // Back: the house had been fast.
            ("2021-07-31T12:00:00+08:00", false),
            ("2021-08-01T00:00:00+08:00", true),
        ] {
            city.clock_says(at);
            assert_eq!(hears_at(city, caller, "12336"), (prompt, true), "{at}");
        }
        // In a call it jumps over the end while the prompt is heard: the call goes on as it began.
        city.clock_says("2021-10-31T12:00:00+08:00");
        city.dials(caller, "12336");
        city.run_for(secs(2));
        city.clock_jumps(86_400);
        city.run_for(secs(16));
        assert!(city.heard(caller, "transition") && city.heard(caller, "greeting"));
        city.hangs_up(caller);
        city.run_for(secs(1));
        assert_eq!(hears_at(city, caller, "12336"), (false, true), "the next one is in November");
    });
}

#[test]
fn an_expert_is_rung_on_a_weekend_day_that_is_made_up_and_not_on_a_holiday() {
    for (at, there) in [
        ("2021-09-17T10:00:00+08:00", true),  // A Friday.
        ("2021-09-18T10:00:00+08:00", true),  // A Saturday that is made up for the Mid-Autumn Festival.
        ("2021-09-18T12:30:00+08:00", false), // Its noon.
        ("2021-09-20T10:00:00+08:00", false), // A Monday of the festival.
        ("2021-09-22T10:00:00+08:00", true),
        ("2021-09-25T10:00:00+08:00", false), // A Saturday like others.
        ("2021-09-26T10:00:00+08:00", true),  // A Sunday that is made up for the National Day.
    ] {
        in_a_city(|city| {
            city.clock_says(at);
            let clerk = city.seat("1001").answers_after(secs(1));
            let caller = city.phone("13800000001").dials("12345");
            assert!(city.run_until(secs(40), |city| city.talks_to(caller) == Some(clerk)), "{at}");
            city.run_for(secs(5));
            let expert = city.seat("1006").answers_after(secs(1));
            city.run_for(secs(1));
            city.presses(clerk, "*4");
            city.run_for(secs(8));
            assert_eq!(!city.look_at(expert).is_idle(), there, "{at}");
            if there {
                assert!(city.hears(clerk, expert) && city.hears(expert, clerk), "{at}");
            } else {
                assert!(city.hears(clerk, caller) && city.hears(caller, clerk), "{at}: they go on");
            }
            city.hangs_up(caller);
            city.run_for(secs(5));
        });
    }
}

#[test]
fn callers_of_seats_that_a_department_kept_find_12345_on_a_holiday() {
    use hotline::routing::hours::Hours;
    use hotline::routing::plan::LineMode;
    let kept = |plan: &mut hotline::routing::Plan| {
        let hours = Hours::by(plan.calendars["office"].clone());
        let LineMode::SubCenter { peer, queue } = plan.lines["12366"].mode.clone() else {
            panic!("a sub-center")
        };
        let peer = hotline::routing::plan::Peer { hours, ..peer };
        plan.lines.get_mut("12369").expect("a line").mode = LineMode::Retained { peer, queue };
        let trunk = plan.trunks.get_mut("sub-12366").expect("the shipped plan has it");
        trunk.targets = vec![std::net::SocketAddr::from(([127, 1, 0, 1], 5060)).into()];
    };
    for (at, there) in [
        ("2021-09-30T10:00:00+08:00", true),
        ("2021-10-01T10:00:00+08:00", false),
        ("2021-10-07T10:00:00+08:00", false),
        ("2021-10-08T10:00:00+08:00", true),
        ("2021-10-09T10:00:00+08:00", true),
        ("2021-10-10T10:00:00+08:00", false),
    ] {
        in_a_city_with(kept, |city| {
            city.clock_says(at);
            let office = city.phone("12366").waits();
            city.telephone(office).phone.set_answers(hotline::phone::Answers::After(secs(1)));
            let clerk = city.seat("1001").answers_after(secs(1));
            let caller = city.phone("13800000001").dials("12369");
            city.run_for(secs(25));
            assert_eq!(!city.look_at(office).is_idle(), there, "{at}");
            assert_eq!(city.talks_to(caller) == Some(clerk), !there, "{at}");
            city.hangs_up(caller);
            city.run_for(secs(5));
        });
    }
}

#[test]
fn a_released_number_is_refused_with_410_from_the_first_second_after() {
    in_a_city_with(
        |plan| plan.transition.afterwards = hotline::routing::plan::Afterwards::Release(Default::default()),
        |city| {
            let caller = city.phone("13800000001").waits();
            city.net.sip.delay = millis(0);
            city.clock_says("2021-10-31T23:59:59+08:00");
            assert_eq!(hears_at(city, caller, "12336"), (true, true));
            city.dials(caller, "12336");
            city.run_for(secs(1));
            assert!(city.saw(caller, |event| {
                matches!(event, hotline::phone::PhoneEvent::Refused { status: 410, .. })
            }));
        },
    );
}

#[test]
fn three_months_pass_in_seconds_with_a_call_to_a_retired_number_every_day() {
    in_a_city(|city| {
        let retired = [
            "12396", "12349", "12336", "12312", "12301", "96119", "12322", "12355", "12351", "12385", "12325",
        ];
        city.clock_says("2021-07-30T10:00:00+08:00");
        let clerk = city.seat("1001").answers_after(millis(500));
        let caller = city.phone("13800000001").waits();
        let began = city.mono;
        let mut with_prompt = 0;
        for day in 0..96 {
            let number = retired[day % retired.len()];
            city.dials(caller, number);
            assert!(city.run_until(secs(30), |city| city.talks_to(caller) == Some(clerk)), "day {day}");
            let heard = city.heard(caller, "transition");
            // 30 and 31 July are before; 92 days from 1 August through 31 October; then 1 and 2 November.
            assert_eq!(heard, (2..94).contains(&day), "day {day}, {number}");
            with_prompt += usize::from(heard);
            city.hangs_up(caller);
            // The clerk goes home and comes back in the morning.
            city.run_for(secs(2));
            city.signs_out(clerk);
            let next_day = began + secs(86_400) * (day as u32 + 1);
            city.run_for(next_day.since(city.mono) - secs(60));
            city.signs_in(clerk);
            city.run_for(next_day.since(city.mono));
        }
        assert_eq!(with_prompt, 92);
        assert_eq!(city.records_of(caller).len(), 96);
        assert!(city.records_of(caller).iter().all(|record| record.seat.is_some()));
    });
}

#[test]
fn the_same_seed_plays_the_same_city_to_the_last_byte() {
    let case = |city: &mut City| {
        (city.net.sip, city.net.sound) = (crate::network::Weather::FOUL, crate::network::Weather::FOUL);
        let clerk = city.seat("1001").talks_for(secs(3)).answers_after(secs(1));
        let callers = [city.phone("13800000001").dials("12336"), city.phone("13800000002").dials("12366")];
        city.run_for(secs(40));
        city.hangs_up(callers[0]);
        city.vanishes(clerk);
        city.run_for(secs(10));
    };
    for seed in seeds() {
        let once = play(seed, &|_| {}, &case);
        assert_eq!(once, play(seed, &|_| {}, &case), "seed {seed} is replayed");
        assert_ne!(once, play(seed + 1, &|_| {}, &case), "another seed is another city");
    }
}
