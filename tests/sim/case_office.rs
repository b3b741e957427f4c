//! The disk and the ticket office have bad days; callers do not notice.

use hotline::routing::plan::SinkKind;
use hotline::switchboard::{Fact, What};

use crate::city::{City, millis, secs};
use crate::clerk::Who;
use crate::desk::{Disk, Office, has};
use crate::seed::{in_a_city, in_a_city_with};

/// Calls that come and go while the office is in this mood for ten minutes.
fn ten_bad_minutes(city: &mut City, mood: Office) -> Vec<Who> {
    let clerk = city.seat("1001").talks_for(secs(5)).answers_after(secs(1));
    city.office_is(mood);
    let bad = city.mono;
    let mut callers = Vec::new();
    for n in 0..6 {
        let caller = city.phone(&format!("1380000000{n}")).dials("12345");
        assert!(city.run_until(secs(15), |city| city.talks_to(caller) == Some(clerk)), "call {n}");
        let screen = city.board.acd().seats().count();
        assert!(screen > 0);
        city.run_for(secs(12));
        city.hangs_up(caller);
        callers.push(caller);
        city.run_for(secs(100) - city.mono.since(bad + secs(100) * n));
    }
    assert!(city.mono.since(bad) >= secs(600));
    callers
}

/// Whether offices are told of it.
fn is_told(fact: &Fact) -> bool {
    !matches!(
        fact.what,
        What::Announced { .. }
            | What::PeerDialled { .. }
            | What::LegClosed { .. }
            | What::SoundMissing { .. }
    )
}

fn all_is_known_within(city: &mut City, seconds: u64) {
    city.office_is(Office::Open(millis(5)));
    let empty =
        city.run_until(secs(seconds), |city| city.board.outboxes().iter().flatten().all(|it| it.is_empty()));
    assert!(empty, "the outbox is empty within {seconds} s");
    let facts: usize = city.store.facts.values().flatten().filter(|fact| is_told(fact)).count();
    assert_eq!(city.books.taken.len(), facts, "every event once");
}

#[test]
fn an_office_that_is_down_for_ten_minutes_has_every_event_once_and_in_order_afterwards() {
    in_a_city(|city| {
        ten_bad_minutes(city, Office::Down);
        assert!(city.books.taken.is_empty());
        assert!(city.board.outboxes()[0].as_ref().is_some_and(|it| it.down_since().is_some()));
        all_is_known_within(city, 120);
        assert_eq!(city.books.came.len(), city.books.taken.len(), "and none twice");
    });
}

#[test]
fn an_office_that_hangs_for_ten_minutes_has_every_event_once_and_in_order_afterwards() {
    in_a_city(|city| {
        ten_bad_minutes(city, Office::Hangs);
        all_is_known_within(city, 120);
    });
}

#[test]
fn an_office_whose_answers_are_lost_gets_each_event_again_under_the_same_name() {
    in_a_city(|city| {
        ten_bad_minutes(city, Office::Mumbles);
        all_is_known_within(city, 120);
        assert!(city.books.came.len() > city.books.taken.len(), "some came more than once");
    });
}

#[test]
fn a_dead_office_delays_no_seats_ringing_by_more_than_100_ms() {
    in_a_city(|city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        city.office_is(Office::Hangs);
        let caller = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(10), |city| city.talks_to(caller) == Some(clerk)));
        let record = city.call_of(caller).map(|call| city.store.facts[&call].clone()).unwrap();
        let at = |wanted: fn(&What) -> bool| record.iter().find(|fact| wanted(&fact.what)).unwrap().mono;
        let offered = at(|what| matches!(what, What::SeatOffered { .. }));
        let rung = city.net.log.iter().find(|(_, from, _, name)| *from == city.address && name == "INVITE");
        assert!(rung.unwrap().0.since(offered) <= millis(100));
        city.hangs_up(caller);
    });
}

#[test]
fn a_slow_disk_keeps_no_caller_waiting_beyond_the_bound_and_the_record_says_so() {
    in_a_city(|city| {
        city.disk_is(Disk::Takes(secs(2)));
        let clerk = city.seat("1001").answers_after(secs(1));
        let began = city.mono;
        let caller = city.phone("13800000001").dials("12345");
        let answered = |city: &City| city.said(city.address, "200 INVITE") > 0;
        assert!(city.run_until(secs(1), answered));
        let waited = city.mono.since(began);
        assert!((millis(250)..millis(275)).contains(&waited), "{waited:?}");
        assert!(city.run_until(secs(10), |city| city.talks_to(caller) == Some(clerk)));
        city.hangs_up(caller);
        city.run_for(secs(5));
        assert!(city.record_of(caller).undurable);
    });
}

#[test]
fn a_disk_that_takes_its_time_within_the_bound_leaves_no_mark() {
    in_a_city(|city| {
        city.disk_is(Disk::Takes(millis(200)));
        let caller = city.phone("13800000001").dials("12345");
        city.run_for(millis(200));
        assert_eq!(city.said(city.address, "200 INVITE"), 0, "not answered before its record is on disk");
        city.run_for(millis(100));
        assert_eq!(city.said(city.address, "200 INVITE"), 1);
        city.hangs_up(caller);
        city.run_for(secs(2));
        assert!(!city.record_of(caller).undurable);
    });
}

#[test]
fn a_disk_that_fails_for_a_while_costs_no_call_and_no_record() {
    in_a_city(|city| {
        let clerk = city.seat("1001").talks_for(secs(5)).answers_after(secs(1));
        city.disk_is(Disk::Fails);
        let first = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(12), |city| city.talks_to(first) == Some(clerk)));
        let second = city.phone("13800000002").dials("12366");
        city.run_for(secs(60));
        assert!(
            city.store.facts.is_empty() && city.books.taken.is_empty(),
            "nobody is told what is not on disk"
        );
        city.disk_is(Disk::Takes(millis(3)));
        city.hangs_up(second);
        city.run_for(secs(5));
        for caller in [first, second] {
            let record = city.record_of(caller);
            assert!(record.undurable && record.is_closed());
        }
        let opened = |what: &What| matches!(what, What::Opened { .. });
        assert!(city.store.facts.values().all(|facts| has(facts, opened)));
    });
}

#[test]
fn two_offices_get_their_events_each_at_its_own_pace() {
    in_a_city_with(
        |plan| {
            let mut second = plan.sinks[0].clone();
            second.name = "second".into();
            plan.sinks.push(second);
        },
        |city| {
            let clerk = city.seat("1001").answers_after(secs(1));
            let caller = city.phone("13800000001").dials("12345");
            assert!(city.run_until(secs(12), |city| city.talks_to(caller) == Some(clerk)));
            city.hangs_up(caller);
            city.run_for(secs(5));
            assert_eq!(city.books.came.len(), 2 * city.books.taken.len());
        },
    );
}

#[test]
fn the_embedded_office_has_its_tickets_with_the_facts_and_a_seat_rings_when_they_are_on_disk() {
    in_a_city_with(
        |plan| plan.sinks[0].kind = SinkKind::Sqlite,
        |city| {
            let clerk = city.seat("1001").answers_after(secs(1));
            city.disk_is(Disk::Takes(millis(40)));
            let caller = city.phone("13800000001").dials("12345");
            let offered = |city: &City| {
                let facts = city.store.facts.values().flatten();
                facts.filter(|fact| matches!(fact.what, What::SeatOffered { .. })).count()
            };
            assert!(
                city.run_until(secs(12), |city| city.state_of(caller) == Some("ringing")
                    || offered(city) > 0)
            );
            assert_eq!(offered(city), 1, "the screen was on disk before the telephone rang");
            assert!(city.run_until(secs(1), |city| city.state_of(caller) == Some("ringing")));
            assert!(city.run_until(secs(12), |city| city.talks_to(caller) == Some(clerk)));
            city.hangs_up(caller);
            city.run_for(secs(5));
            assert!(city.books.came.is_empty() && city.board.outboxes()[0].is_none());
            let call = city.record_of(caller).call;
            let sequences = city.books.taken.iter().filter(|event| event.event.call == call);
            let told = city.store.facts[&call].iter().filter(|fact| is_told(fact)).map(|fact| fact.sequence);
            assert!(sequences.map(|event| event.event.sequence).eq(told), "each once and in order");
        },
    );
}
