//! Clerks put callers through, on real telephones' terms: who hears whom, before and after.

use std::net::SocketAddr;

use hotline::phone::{Answers, PhoneEvent};
use hotline::routing::Plan;
use hotline::switchboard::What;

use crate::city::{City, secs};
use crate::clerk::Who;
use crate::desk::has;
use crate::seed::{in_a_city, in_a_city_with};

/// The tax office answers its trunk at the first telephone of the city.
fn taxes_are_there(plan: &mut Plan) {
    let trunk = plan.trunks.get_mut("sub-12366").expect("the shipped plan has it");
    trunk.targets = vec![SocketAddr::from(([127, 1, 0, 1], 5060)).into()];
}

fn statuses(city: &City, who: Who) -> Vec<u16> {
    let told = city.look_at(who).events.iter().filter_map(|(_, event)| match event {
        PhoneEvent::Transfer { status } => *status,
        _ => None,
    });
    told.collect()
}

fn talking(city: &mut City) -> (Who, Who) {
    let clerk = city.seat("1001").answers_after(secs(1));
    let caller = city.phone("13800000001").dials("12345");
    assert!(city.run_until(secs(40), |city| city.talks_to(caller) == Some(clerk)));
    city.run_for(secs(5));
    assert!(city.hears(caller, clerk) && city.hears(clerk, caller));
    (clerk, caller)
}

#[test]
fn a_caller_who_is_put_through_hears_the_ringing_and_then_the_sub_center_and_is_recorded_throughout() {
    in_a_city_with(taxes_are_there, |city| {
        let taxes = city.phone("12366").waits();
        city.telephone(taxes).phone.set_answers(Answers::After(secs(6)));
        let (clerk, caller) = talking(city);
        city.order(clerk, |phone, now| phone.refer("12366", now)).expect("it talks");
        city.run_for(secs(1));
        let heard = city.look_at(clerk).phone.heard().len();
        city.run_for(secs(4));
        assert_eq!(city.look_at(clerk).phone.heard().len(), heard, "the clerk waits in silence");
        assert!(!city.hears(caller, clerk));
        assert!(city.heard(caller, "ringback") || city.heard(caller, "transfer_wait"));
        assert!(city.run_until(secs(5), |city| city.look_at(clerk).is_idle()), "let go");
        city.run_for(secs(3));
        assert!(city.hears(caller, taxes) && city.hears(taxes, caller));
        let told = statuses(city, clerk);
        assert_eq!((told.first(), told.last()), (Some(&202), Some(&200)), "{told:?}");
        assert!(told.contains(&100) && told.contains(&180), "{told:?}");
        city.hangs_up(caller);
        city.run_for(secs(3));
        assert!(city.look_at(taxes).is_idle());
        let record = city.record_of(caller);
        assert_eq!(record.peer.as_deref(), Some("sub-12366/12366"));
        let facts = &city.store.facts[&record.call];
        let count = |wanted: &dyn Fn(&What) -> bool| facts.iter().filter(|fact| wanted(&fact.what)).count();
        assert_eq!(count(&|what| matches!(what, What::Recorded { .. })), 1, "one recording");
        let (answered, recorded) = (record.answered_ms.unwrap(), record.recording_ms.unwrap());
        assert!(answered.abs_diff(recorded) < 1_000, "{recorded} of {answered} ms are on it");
        for step in ["requested", "ringing", "accepted"] {
            let told = |what: &What| matches!(what, What::Transfer { to, step: told, .. } if to == "12366" && told.word() == step);
            assert_eq!(count(&told), 1, "{step}");
        }
    });
}

#[test]
fn a_sub_center_that_is_busy_gives_caller_and_clerk_back_to_one_another() {
    in_a_city_with(taxes_are_there, |city| {
        let taxes = city.phone("12366").waits();
        city.telephone(taxes).phone.set_answers(Answers::Busy);
        let (clerk, caller) = talking(city);
        city.order(clerk, |phone, now| phone.refer("12366", now)).expect("it talks");
        city.run_for(secs(3));
        assert_eq!(statuses(city, clerk).last(), Some(&486));
        assert!(city.hears(caller, clerk) && city.hears(clerk, caller));
        city.hangs_up(caller);
        city.run_for(secs(3));
    });
}

#[test]
fn a_clerk_who_refers_and_hangs_up_leaves_the_caller_with_the_target_or_first_in_line() {
    in_a_city_with(taxes_are_there, |city| {
        let taxes = city.phone("12366").waits();
        city.telephone(taxes).phone.set_answers(Answers::After(secs(4)));
        let (clerk, caller) = talking(city);
        city.order(clerk, |phone, now| phone.refer("12366", now)).expect("it talks");
        city.run_for(secs(1));
        city.hangs_up(clerk);
        city.run_for(secs(8));
        assert!(city.hears(caller, taxes) && city.hears(taxes, caller));
        city.hangs_up(taxes);
        city.run_for(secs(10));
        assert!(city.heard(caller, "survey"), "a clerk has talked, and can be asked about");
        city.hangs_up(caller);
        city.run_for(secs(3));

        city.telephone(taxes).phone.set_answers(Answers::Busy);
        city.dials(caller, "12345");
        assert!(city.run_until(secs(40), |city| city.talks_to(caller) == Some(clerk)));
        city.run_for(secs(5));
        city.order(clerk, |phone, now| phone.refer("12366", now)).expect("it talks");
        city.hangs_up(clerk);
        let next = city.seat("1002").answers_after(secs(1));
        assert!(city.run_until(secs(20), |city| city.talks_to(caller) == Some(next)), "first in line");
        city.run_for(secs(5));
        assert!(city.hears(caller, next) && city.hears(next, caller));
        city.hangs_up(caller);
        city.run_for(secs(3));
    });
}

#[test]
fn another_seat_rings_with_its_screen_and_is_busy_with_the_caller_from_then_on() {
    in_a_city(|city| {
        let (clerk, caller) = talking(city);
        let other = city.seat("1002").answers_after(secs(3));
        city.order(clerk, |phone, now| phone.refer("1002", now)).expect("it talks");
        assert!(city.run_until(secs(10), |city| city.talks_to(caller) == Some(other)));
        city.run_for(secs(6));
        assert!(city.look_at(clerk).is_idle());
        assert!(city.hears(caller, other) && city.hears(other, caller));
        let facts = |city: &City, caller| city.store.facts[&city.record_of(caller).call].clone();
        city.hangs_up(other);
        city.run_for(secs(1));
        city.hangs_up(caller);
        city.run_for(secs(3));
        let facts = facts(city, caller);
        assert!(has(
            &facts,
            |what| matches!(what, What::SeatOffered { seat, .. } if seat.as_str() == "1002")
        ));
        assert!(has(&facts, |what| matches!(what, What::SeatLeft { seat, .. } if seat.as_str() == "1001")));
        assert!(has(&facts, |what| matches!(what, What::SeatLeft { seat, .. } if seat.as_str() == "1002")));
    });
}

#[test]
fn a_seat_that_has_a_caller_is_busy_for_a_transfer() {
    in_a_city(|city| {
        let (clerk, caller) = talking(city);
        let other = city.seat("1002").answers_after(secs(1));
        let second = city.phone("13800000002").dials("12345");
        assert!(city.run_until(secs(40), |city| city.talks_to(second) == Some(other)));
        city.run_for(secs(5));
        city.order(clerk, |phone, now| phone.refer("1002", now)).expect("it talks");
        city.run_for(secs(2));
        assert_eq!(statuses(city, clerk).last(), Some(&486));
        assert!(city.hears(caller, clerk) && city.hears(clerk, caller));
        assert!(city.hears(second, other) && city.hears(other, second));
        city.hangs_up(caller);
        city.hangs_up(second);
        city.run_for(secs(3));
    });
}

#[test]
fn nobody_is_put_through_to_a_number_that_is_not_the_plans() {
    in_a_city(|city| {
        let (clerk, caller) = talking(city);
        for number in ["13800000009", "12369", "sip:12366@198.51.100.7"] {
            city.order(clerk, |phone, now| phone.refer(number, now)).expect("it talks");
            city.run_for(secs(1));
            assert_eq!(statuses(city, clerk).last(), Some(&403), "{number}");
            assert!(city.hears(caller, clerk) && city.hears(clerk, caller));
        }
        city.hangs_up(caller);
        city.run_for(secs(3));
    });
}
