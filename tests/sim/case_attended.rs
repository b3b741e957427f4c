//! Clerks with two calls at once join them: who hears whom, before and after, and in the moments in which
//! one of the three hangs up.
//!
//! A telephone here has one line. The clerk's second one is another telephone with the same account, which
//! is never rung.

use hotline::acd::event::SeatState;
use hotline::phone::{Answers, PhoneEvent};
use hotline::routing::Plan;
use hotline::switchboard::What;
use hotline::switchboard::fact::Cause;
use hotline::telemetry::CallRecord;

use crate::case_outward::{calls_out, far_end};
use crate::city::{City, millis, secs};
use crate::clerk::{Deed, Who};
use crate::seed::in_a_city_with;

/// A clerk who holds a caller and talks with somebody else.
struct Scene {
    caller: Who,
    clerk: Who,
    second: Who,
}

fn brisk(plan: &mut Plan) {
    calls_out(plan);
    plan.survey.enabled = false;
    plan.queues.values_mut().for_each(|queue| queue.wrap_up = secs(1));
}

fn sits(city: &mut City) -> Scene {
    let clerk = city.seat("1001").answers_after(secs(1));
    let second = city.seat("1001").who;
    let caller = city.phone("13800000001").waits();
    Scene { caller, clerk, second }
}

fn joined(city: &City, one: Who, other: Who) -> bool {
    city.hears(one, other) && city.hears(other, one)
}

impl Scene {
    /// The caller has music, the clerk talks with `partner`, who is at `number`.
    fn is_set(&self, city: &mut City, number: &str, partner: Who) {
        let Scene { caller, clerk, second } = *self;
        city.dials(caller, "12345");
        assert!(city.run_until(secs(60), |city| city.talks_to(caller) == Some(clerk)));
        assert!(city.run_until(secs(10), |city| joined(city, caller, clerk)));
        city.order(clerk, |phone, now| phone.hold(now));
        city.run_for(secs(1));
        city.dials(second, number);
        assert!(city.run_until(secs(8), |city| joined(city, second, partner)));
    }

    fn refers_to_call_of(&self, city: &mut City, whose: Who) {
        let replaces = city.look_at(whose).phone.replaces().expect("it talks");
        let target = format!("sip:anybody@hotline.puyang?Replaces={replaces}");
        city.order(self.clerk, |phone, now| phone.refer(&target, now)).expect("it talks");
    }

    fn refers(&self, city: &mut City) {
        self.refers_to_call_of(city, self.second);
    }

    fn everybody_is_free(&self, city: &mut City, partner: Who) {
        let all = [self.caller, self.clerk, self.second, partner];
        let idle = city.run_until(secs(45), |city| {
            all.iter().all(|who| city.look_at(*who).is_idle()) && city.board.calls().is_empty()
        });
        assert!(idle, "{:?}", all.map(|who| city.look_at(who).phone.state()));
        city.run_for(secs(3));
        assert!(matches!(city.seat_state(self.clerk), SeatState::Ready { .. }));
        assert_eq!((city.board.ports_in_use(), city.sound.legs()), (0, 0));
    }
}

fn statuses(city: &City, who: Who) -> Vec<u16> {
    let told = city.look_at(who).events.iter().filter_map(|(_, event)| match event {
        PhoneEvent::Transfer { status } => *status,
        _ => None,
    });
    told.collect()
}

/// The steps of a caller's transfers, as the record has them.
fn steps(city: &City, record: &CallRecord) -> Vec<String> {
    let told = city.store.facts[&record.call].iter().filter_map(|fact| match &fact.what {
        What::Transfer { to, kind, step, status, .. } => Some(format!(
            "{} {to} {}{}",
            kind.word(),
            step.word(),
            status.map_or_else(String::new, |status| format!(" {status}"))
        )),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_caller_is_joined_with_whom_the_clerk_has_on_the_other_line() {
    in_a_city_with(brisk, |city| {
        let taxes = far_end(city, Answers::After(secs(1)));
        let scene = sits(city);
        let Scene { caller, clerk, second } = scene;
        let rows = [
            ("12366", "12366", "sub-12366/12366"),
            ("110", "110", "emergency/110"),
            ("913800000000", "13800000000", "outward/13800000000"),
        ];
        for (so_far, (number, name, peer)) in rows.into_iter().enumerate() {
            scene.is_set(city, number, taxes);
            assert!(!city.hears(caller, clerk) && !city.hears(caller, taxes));
            scene.refers(city);
            assert!(city.run_until(secs(2), |city| joined(city, caller, taxes)), "{number}");
            city.run_for(secs(2));
            assert!(joined(city, caller, taxes) && city.look_at(clerk).is_idle());
            assert!(city.look_at(second).is_idle(), "the clerk's own call is over, too");
            assert_eq!(statuses(city, clerk).last(), Some(&200));
            assert!(matches!(city.seat_state(clerk), SeatState::Ready { .. }), "its wrap-up is 1 s");
            assert_eq!(
                city.said(city.address, "re-INVITE"),
                so_far + 1,
                "that is all the target hears of it"
            );
            city.hangs_up(caller);
            scene.everybody_is_free(city, taxes);
            let record = city.record_of(caller);
            let wanted = ["requested", "accepted"].map(|step| format!("attended {name} {step}"));
            assert_eq!(steps(city, &record), wanted);
            assert_eq!(record.peer.as_deref(), Some(peer));
            let own = city.record_of(clerk);
            assert_eq!((own.cause, own.ticket_left), (Some(Cause::Completed), None));
            assert_eq!(own.peer.as_deref(), Some(peer), "it talked with them before");
        }
    });
}

#[test]
fn a_colleague_who_was_asked_has_the_caller_and_is_busy_with_them() {
    in_a_city_with(brisk, |city| {
        let _far = far_end(city, Answers::Never);
        let scene = sits(city);
        let Scene { caller, clerk, .. } = scene;
        let other = city.seat("1002").answers_after(secs(1));
        scene.is_set(city, "1002", other);
        scene.refers(city);
        assert!(city.run_until(secs(10), |city| joined(city, caller, other)));
        assert_eq!(city.talks_to(caller), Some(other));
        assert!(matches!(city.seat_state(clerk), SeatState::Ready { .. } | SeatState::WrapUp { .. }));
        // Nobody else is offered to it, and the clerk takes the next.
        let next = city.phone("13800000002").dials("12345");
        assert!(city.run_until(secs(60), |city| city.talks_to(next) == Some(clerk)));
        city.hangs_up(next);
        city.hangs_up(caller);
        city.run_for(secs(4));
        assert!(matches!(city.seat_state(other), SeatState::Ready { .. }), "{:?}", city.seat_state(other));
        scene.everybody_is_free(city, other);
        let record = city.record_of(caller);
        assert_eq!(steps(city, &record), ["attended 1002 requested", "attended 1002 accepted"]);
        let facts = &city.store.facts[&record.call];
        let screen = |what: &What| matches!(what, What::SeatOffered { seat, .. } if seat.as_str() == "1002");
        assert!(facts.iter().any(|fact| screen(&fact.what)), "its screen knows of the caller");
    });
}

#[test]
fn a_partner_whose_telephone_does_not_take_the_offer_is_let_go_and_the_clerk_has_the_caller_again() {
    in_a_city_with(brisk, |city| {
        let _far = far_end(city, Answers::Never);
        let scene = sits(city);
        let Scene { caller, clerk, .. } = scene;
        let other = city.seat("1002").answers_after(secs(1));
        scene.is_set(city, "1002", other);
        let desk = city.address;
        city.net.loses("re-INVITE", desk, 5);
        scene.refers(city);
        city.run_for(secs(11));
        assert_eq!(statuses(city, clerk).last(), Some(&408));
        city.run_for(secs(5));
        assert!(city.look_at(other).is_idle(), "a BYE came");
        assert!(matches!(city.seat_state(other), SeatState::Ready { .. }), "{:?}", city.seat_state(other));
        city.order(clerk, |phone, now| phone.resume(now));
        city.run_for(secs(2));
        assert!(joined(city, caller, clerk));
        city.hangs_up(caller);
        scene.everybody_is_free(city, other);
        let record = city.record_of(caller);
        assert_eq!(steps(city, &record), ["attended 1002 requested", "attended 1002 failed 408"]);
    });
}

#[test]
fn nobody_gives_away_what_is_not_theirs() {
    in_a_city_with(brisk, |city| {
        let far = far_end(city, Answers::After(secs(1)));
        let scene = sits(city);
        let Scene { caller, clerk, second } = scene;
        let stranger = city.seat("1002").never_answers();
        scene.is_set(city, "12366", far);
        // The far end has one line.
        city.hangs_up(second);
        city.run_for(secs(2));
        city.dials(stranger, "12366");
        assert!(city.run_until(secs(8), |city| joined(city, stranger, far)));
        for (whose, status) in [(stranger, 603), (clerk, 603), (caller, 603)] {
            scene.refers_to_call_of(city, whose);
            city.run_for(secs(1));
            assert_eq!(statuses(city, clerk).last(), Some(&status));
        }
        assert!(joined(city, stranger, far), "and they talk on");
        city.order(clerk, |phone, now| phone.resume(now));
        city.run_for(secs(2));
        assert!(joined(city, caller, clerk));
        city.hangs_up(stranger);
        city.hangs_up(caller);
        city.run_for(secs(3));
        let declined = "attended sip:anybody@hotline.puyang declined 603";
        assert_eq!(steps(city, &city.record_of(caller)), [declined; 3]);
    });
}

/// Somebody hangs up in each of these moments around the REFER, a millisecond and a half apart.
fn sweep(number: &str, who: fn(&Scene, Who) -> Who) {
    let alone = |plan: &mut Plan| {
        brisk(plan);
        plan.seats.get_mut("1002").expect("the shipped plan has it").queues.clear(); // Takes no caller.
    };
    in_a_city_with(alone, |city| {
        let far = far_end(city, Answers::After(secs(1)));
        let scene = sits(city);
        let colleague = city.seat("1002").answers_after(secs(1));
        let partner = if number == "1002" { colleague } else { far };
        for shift in 0..32_u32 {
            scene.is_set(city, number, partner);
            let leaves = who(&scene, partner);
            let ahead = millis(16);
            city.later_in_this_call(millis(3) * shift / 2, leaves, Deed::HangUp);
            city.run_for(ahead);
            if !city.look_at(scene.clerk).is_idle() && !city.look_at(scene.second).is_idle() {
                scene.refers(city);
            }
            city.run_for(secs(4));
            for who in [scene.caller, scene.second, partner] {
                city.hangs_up(who);
            }
            scene.everybody_is_free(city, partner);
            assert!(matches!(city.seat_state(colleague), SeatState::Ready { .. }), "{shift}");
        }
    });
}

#[test]
fn a_partner_who_hangs_up_in_any_moment_leaves_nothing_behind() {
    sweep("12366", |_, partner| partner);
    sweep("1002", |_, partner| partner);
}

#[test]
fn a_citizen_who_hangs_up_in_any_moment_leaves_nothing_behind() {
    sweep("12366", |scene, _| scene.caller);
    sweep("1002", |scene, _| scene.caller);
}

#[test]
fn a_clerk_who_hangs_up_in_any_moment_leaves_nothing_behind() {
    sweep("12366", |scene, _| scene.clerk);
    sweep("1002", |scene, _| scene.clerk);
    sweep("12366", |scene, _| scene.second);
}
