//! Many callers with all kinds of habits, on a bad network: nobody is stuck, nobody is lost.

use std::cell::Cell;
use std::time::Duration;

use hotline::phone::{Dial, PhoneEvent};
use hotline::routing::Plan;
use hotline::switchboard::{Fact, What};
use hotline::telemetry::CallRecord;

use crate::busy::{Crew, KEPT, busy, opens};
use crate::city::{City, millis, secs};
use crate::clerk::{Deed, Who};
use crate::deeds;
use crate::network::Weather;
use crate::seed::{in_a_city_with, play, seeds, seeds_of};

/// A shift of eight clerks, not all of them at their best, and so many callers at random.
fn random_calls(city: &mut City, count: u64) -> Vec<Who> {
    city.hear_max_s = 5;
    let rather = |city: &mut City, most: u64| millis(500 + city.dice.below(most));
    for id in 1001..=1005 {
        let (answers, talks) = (rather(city, 4_000), rather(city, 8_000));
        city.seat(&id.to_string()).talks_for(talks).answers_after(answers);
    }
    city.seat("1006").never_answers();
    city.seat("1007").rejects();
    let unlucky = city.seat("1008").vanishes_talking(secs(3));
    (city.net.sip, city.net.sound) = (Weather::FOUL, Weather::FOUL);
    let numbers: Vec<String> = city.plan.lines.values().map(|line| line.number.to_string()).collect();
    let mut callers = Vec::new();
    for n in 0..count {
        let caller = city.phone(&format!("138{n:08}")).waits();
        if n % 2 == 1 {
            city.falls_silent(caller);
        }
        let number = &numbers[city.dice.below(numbers.len() as u64) as usize];
        let then = habits(city);
        let at = Duration::from_millis(city.dice.below(1_500 * count));
        city.later(at, caller, Deed::Call(Box::new(Dial::to(number)), then));
        callers.push(caller);
    }
    for round in 1..=4_u32 {
        city.run_for(millis(1_500 * count / 4));
        if round < 4 && city.look_at(unlucky).gone {
            city.gets_a_new_phone(unlucky);
            city.order(unlucky, |phone, now| phone.register(now));
        }
    }
    callers
}

/// What a caller does after dialling.
fn habits(city: &mut City) -> Vec<(Duration, Deed)> {
    let patience = millis(city.dice.below(25_000));
    match city.dice.below(10) {
        // Before the answer or in the middle of something.
        0 => vec![(millis(city.dice.below(300)), Deed::HangUp)],
        1..=4 => vec![(patience, Deed::HangUp)],
        5 => vec![(patience, Deed::Vanish)],
        6 => vec![(patience, Deed::Press("139")), (patience + secs(9), Deed::HangUp)],
        // Stays to the end of the survey.
        _ => Vec::new(),
    }
}

/// Each caller who got through has one record, and it has an end.
fn one_record_each(city: &mut City, callers: &[Who]) {
    let over = city.run_until(secs(420), |city| city.board.calls().is_empty());
    assert!(
        over,
        "no stuck call: {:?}",
        city.board.calls().iter().map(|it| it.1.state()).collect::<Vec<_>>()
    );
    city.run_for(secs(2));
    for caller in callers {
        let records = city.records_of(*caller);
        assert_eq!(records.len(), usize::from(city.rang(*caller)), "{}", city.look_at(*caller).user);
        assert!(records.iter().all(|record| record.is_closed()));
    }
    let served = city.store.records().iter().filter(|record| record.seat.is_some()).count();
    assert!(served * 5 > callers.len(), "clerks had something to do: {served}");
    let given_up = |event: &PhoneEvent| matches!(event, PhoneEvent::Refused { .. });
    let refused = callers.iter().filter(|caller| city.saw(**caller, given_up)).count();
    assert_eq!(refused, 0, "nobody who called was refused");
}

fn quick(plan: &mut Plan) {
    for queue in plan.queues.values_mut() {
        queue.wrap_up = secs(3);
        queue.away = Some(secs(20));
        queue.wait_max = secs(60);
    }
    plan.network.rtp_ports = (20_000, 20_499);
}

#[test]
fn two_hundred_random_calls_with_a_tenth_of_all_packets_lost_leave_nothing_but_their_records() {
    // Without recordings, packets of two who talk are relayed; the cities below have recordings.
    let unrecorded = |plan: &mut Plan| {
        quick(plan);
        plan.recording.enabled = false;
    };
    in_a_city_with(unrecorded, |city| {
        let callers = random_calls(city, 200);
        one_record_each(city, &callers);
    });
}

#[test]
fn twenty_cities_of_twenty_callers_each_leave_nothing_but_their_records() {
    for seed in seeds() {
        for more in 0..20 {
            play(seed.wrapping_mul(1_000) + more, &quick, &|city: &mut City| {
                let callers = random_calls(city, 20);
                one_record_each(city, &callers);
            });
        }
    }
}

// ── The busy city ────────────────────────────────────────────────────────────────────────────────

/// So many callers, and everybody else does whatever they can, between and beside the calls.
fn a_busy_shift(city: &mut City, count: u64) -> (Crew, Vec<Who>) {
    let crew = opens(city);
    city.outside = Some(crew.far[2]);
    if city.dice.below(2) == 0 {
        (city.net.sip, city.net.sound) = (Weather::FOUL, Weather::FOUL);
    }
    let mut callers = Vec::new();
    for _ in 0..count {
        deeds::calls(city, &mut callers);
        for _ in 0..city.dice.below(4) {
            let pause = millis(city.dice.below(900));
            city.run_for(pause);
            city.listens();
            deeds::happens(city, &crew);
        }
    }
    (crew, callers)
}

/// Everybody goes home: what is under way ends by its rules, and what was kept for later as well.
fn goes_home(city: &mut City) {
    city.reloads(|plan| plan.follow_up.enabled = false);
    let over = city.run_until(secs(500), |city| city.board.calls().is_empty());
    assert!(
        over,
        "no stuck call: {:?}",
        city.board.calls().iter().map(|it| (it.0, it.1.state())).collect::<Vec<_>>()
    );
    let lapsed = city.run_until(3 * KEPT, |city| city.board.places_kept() == 0);
    assert!(lapsed, "places are kept for {KEPT:?}");
    let over = city.run_until(secs(500), |city| city.board.calls().is_empty());
    assert!(over, "and the calls back as well");
    city.run_for(secs(2));
}

/// As many records as calls came, but for those that were refused at the door.
fn one_record_for_each_call(city: &City, callers: &[Who]) {
    for caller in callers {
        let own = |record: &&CallRecord| !["seats", "house"].contains(&record.trunk.as_str());
        let records = city.records_of(*caller);
        let came = records.iter().filter(own).count();
        let refused = city.look_at(*caller).events.iter();
        let refused = refused.filter(|(_, event)| matches!(event, PhoneEvent::Refused { .. })).count();
        let rang = city.rang_times(*caller);
        let user = &city.look_at(*caller).user;
        // At a door that is closed, some hang up before they are told.
        let each = city.board.is_draining() || rang <= came + refused;
        assert!(came <= rang && each, "{user}: {rang} calls, {came} records");
        assert!(records.iter().all(CallRecord::is_closed));
    }
}

/// As many as a minute holds; `HOTLINE_RUNS` for more.
const CITIES: u64 = 8;
const CALLS: u64 = 40;

#[test]
fn busy_cities_in_which_everybody_does_whatever_they_can_leave_nothing_but_their_records() {
    let (heard, went_on) = (Cell::new(0), Cell::new(0));
    for seed in seeds_of(CITIES) {
        play(seed, &busy, &|city: &mut City| {
            let (_, callers) = a_busy_shift(city, CALLS);
            goes_home(city);
            one_record_for_each_call(city, &callers);
            heard.set(heard.get() + city.hearing.heard);
            let left = |fact: &&Fact| matches!(fact.what, What::CallerLeft { .. });
            went_on.set(went_on.get() + city.store.facts.values().flatten().filter(left).count());
        });
    }
    assert!(heard.get() > 5, "somebody was heard: {}", heard.get());
    assert!(went_on.get() > 0, "some callers left others who went on");
}

#[test]
fn a_busy_city_that_is_closed_in_the_middle_ends_all_that_is_under_way() {
    for seed in seeds_of(CITIES / 2) {
        play(seed, &busy, &|city: &mut City| {
            let (crew, mut callers) = a_busy_shift(city, 12);
            let grace = secs(city.dice.below(20));
            city.drains(grace);
            for _ in 0..12 {
                deeds::calls(city, &mut callers);
                deeds::happens(city, &crew);
                city.run_for(secs(1));
            }
            let drained = city.run_until(secs(120), |city| city.drained_at.is_some());
            assert!(drained, "calls under way: {}", city.board.calls().len());
            city.run_for(secs(2));
            one_record_for_each_call(city, &callers);
        });
    }
}
