//! Each number of the notice's list does what the list says.

use hotline::phone::{Dial, PhoneEvent};
use hotline::routing::plan::LineMode;
use hotline::switchboard::What;

use crate::city::secs;
use crate::desk::has;
use crate::seed::{in_a_city, in_a_city_with};

#[test]
fn all_28_numbers_and_12345_are_answered_by_their_own_flow_and_bring_a_clerk() {
    in_a_city_with(
        |plan| plan.queues.values_mut().for_each(|queue| queue.wrap_up = secs(1)),
        |city| {
            let clerk = city.seat("1001").answers_after(secs(1));
            let caller = city.phone("13800000001").waits();
            let lines: Vec<_> = city.plan.lines.values().cloned().collect();
            assert_eq!(lines.len(), 29);
            let mut tickets = 0;
            for line in &lines {
                city.dials(caller, line.number.as_str());
                assert!(
                    city.run_until(secs(40), |city| city.talks_to(caller) == Some(clerk)),
                    "{}",
                    line.number
                );
                city.run_for(secs(4));
                assert!(city.hears(caller, clerk) && city.hears(clerk, caller), "{}", line.number);
                let merged = matches!(line.mode, LineMode::Merged { .. });
                let elsewhere = matches!(line.mode, LineMode::SubCenter { .. });
                assert_eq!(city.heard(caller, "transition"), merged, "{}", line.number);
                assert_eq!(city.heard(caller, "sub_center_unanswered"), elsewhere, "{}", line.number);
                assert!(city.heard(caller, "greeting"), "{}", line.number);
                city.hangs_up(caller);
                city.run_for(secs(2));
                let record = city.record_of(caller);
                assert_eq!(record.line, line.number);
                assert_eq!(record.ticket_left.is_some(), elsewhere, "{}", line.number);
                tickets += usize::from(elsewhere);
            }
            assert_eq!(city.records_of(caller).len(), 29);
            assert_eq!(tickets, 3);
        },
    );
}

#[test]
fn the_number_that_was_dialled_first_counts_however_often_the_carrier_forwarded_the_call() {
    in_a_city(|city| {
        let caller = city.phone("13800000001").waits();
        let newest_first =
            ["<sip:12319@carrier>;reason=unconditional", "<sip:12348@carrier>;reason=unconditional"];
        let oldest_first = ["<sip:12348@carrier>;index=1", "<sip:12319@carrier>;index=1.1"];
        for (name, values) in [("Diversion", newest_first), ("History-Info", oldest_first)] {
            for headers in [
                values.map(|value| (name.to_owned(), value.to_owned())).to_vec(),
                vec![(name.to_owned(), values.join(", "))],
            ] {
                city.dials_with(caller, Dial { headers, ..Dial::to("12345") });
                city.run_for(secs(2));
                city.hangs_up(caller);
                city.run_for(secs(2));
                assert_eq!(city.record_of(caller).line.as_str(), "12348", "{name}");
            }
        }
    });
}

#[test]
fn the_clerk_sees_the_number_that_was_dialled_and_who_called_before() {
    in_a_city(|city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        let caller = city.phone("13800000001").dials("12315");
        city.run_for(secs(12));
        city.hangs_up(caller);
        city.run_for(secs(40));
        city.dials(caller, "12336");
        assert!(city.run_until(secs(30), |city| city.talks_to(caller) == Some(clerk)));
        let seen = |event: &PhoneEvent| match event {
            PhoneEvent::IncomingCall { headers, .. } => {
                headers.iter().any(|(name, value)| name == "X-Hotline-Line" && value == "12336")
            }
            _ => false,
        };
        assert!(city.saw(clerk, seen));
        city.hangs_up(caller);
        city.run_for(secs(1));
        let screen = |what: &What| matches!(what, What::SeatOffered { history, .. } if history.len() == 1);
        assert!(
            has(&city.store.facts[&city.record_of(caller).call], screen),
            "one earlier call on the screen"
        );
    });
}

#[test]
fn a_carrier_that_forwards_an_old_number_to_12345_brings_the_old_numbers_prompt() {
    in_a_city(|city| {
        let caller = city.phone("13800000001").waits();
        let diverted = ("Diversion".into(), "<sip:12336@carrier.example>;reason=unconditional".into());
        city.dials_with(caller, Dial { headers: vec![diverted], ..Dial::to("039312345") });
        city.run_for(secs(12));
        assert!(city.heard(caller, "transition"));
        city.hangs_up(caller);
        city.run_for(secs(1));
        assert_eq!(city.record_of(caller).line.as_str(), "12336");
    });
}

#[test]
fn numbers_that_are_not_ours_are_refused_and_leave_no_record() {
    in_a_city(|city| {
        let caller = city.phone("13800000001").waits();
        for number in ["119", "110", "9", "961190", "037112345"] {
            city.dials(caller, number);
            city.run_for(secs(1));
            assert!(city.look_at(caller).is_idle(), "{number}");
        }
        let refused = |event: &PhoneEvent| matches!(event, PhoneEvent::Refused { status: 404, .. });
        let events = &city.look_at(caller).events;
        assert_eq!(events.iter().filter(|(_, event)| refused(event)).count(), 5);
        assert!(city.store.facts.is_empty());
    });
}

#[test]
fn a_caller_who_leaves_the_offer_to_us_is_heard_and_hears() {
    in_a_city(|city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        let caller = city.phone("13800000001").waits();
        city.dials_with(caller, Dial { late_offer: true, ..Dial::to("12345") });
        assert!(city.run_until(secs(12), |city| city.talks_to(caller) == Some(clerk)));
        city.run_for(secs(4));
        assert!(city.heard(caller, "greeting"));
        assert!(city.hears(caller, clerk) && city.hears(clerk, caller));
        city.hangs_up(caller);
    });
}
