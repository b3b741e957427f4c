//! Whether callers are told that they are recorded, and whose recordings are secret.

use std::net::SocketAddr;

use hotline::phone::Answers;
use hotline::routing::Plan;
use hotline::routing::callers::Lane;
use hotline::routing::people::Role;
use hotline::switchboard::may_export;
use hotline::switchboard::request::{Asker, Disposed, Request};

use crate::city::secs;
use crate::seed::{in_a_city, in_a_city_with};

/// The words of this prompt tell of it, and no caller here would hear it otherwise.
const NOTICE: &str = "surge_greeting";

fn told(plan: &mut Plan) {
    plan.recording.notice = Some(NOTICE.into());
    plan.callers.lanes = vec![Lane {
        name: "straight".into(),
        lines: vec!["12333".into()],
        trunks: Vec::new(),
        callers: Default::default(),
        priority: 0,
        skills: Vec::new(),
        straight: true,
    }];
    let trunk = plan.trunks.get_mut("sub-12366").expect("the shipped plan has it");
    trunk.targets = vec![SocketAddr::from(([127, 1, 0, 1], 5060)).into()];
}

#[test]
fn who_hears_no_greeting_hears_the_notice_first_and_who_hears_one_does_not() {
    in_a_city_with(told, |city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        for (line, greeted) in [("12333", false), ("12345", true)] {
            let caller = city.phone("13800000001").dials(line);
            assert!(city.run_until(secs(30), |city| city.talks_to(caller) == Some(clerk)), "{line}");
            city.run_for(secs(1));
            let heard = (city.heard(caller, "greeting"), city.heard(caller, NOTICE));
            assert_eq!(heard, (greeted, !greeted), "{line}");
            city.hangs_up(caller);
            city.run_for(secs(60));
        }
    });
}

#[test]
fn a_center_is_rung_once_its_caller_has_been_told() {
    in_a_city_with(told, |city| {
        let office = city.phone("12366").waits();
        city.telephone(office).phone.set_answers(Answers::After(secs(1)));
        let caller = city.phone("13800000001").dials("12366");
        assert!(city.run_until(secs(20), |city| city.heard(caller, NOTICE)), "before anybody answers");
        assert!(city.look_at(office).is_idle(), "it does not ring yet");
        assert!(city.run_until(secs(20), |city| city.hears(caller, office)));
        city.hangs_up(caller);
        city.run_for(secs(5));
    });
}

#[test]
fn a_code_makes_a_recording_secret_though_the_clerk_does_not_say_so() {
    in_a_city(|city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        let caller = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(30), |city| city.talks_to(caller) == Some(clerk)));
        let call = city.call_of(caller).expect("a call");
        let asker = Asker { name: "1001".into(), role: Role::Clerk, seat: Some("1001".into()) };
        for (code, secret) in [("litigation", false), ("state_secret", true), ("privacy", false)] {
            let disposed = Disposed { not_accepted: Some(code.into()), ..Disposed::default() };
            let now = city.now();
            city.board.ask(&asker, Request::Dispose { call, disposed }, now).expect("a code of the plan");
            city.dispatch();
            city.run_for(secs(1));
            let facts = &city.store.facts[&call];
            assert_eq!(may_export(Role::Supervisor, facts.iter()), !secret, "{code}");
            assert!(may_export(Role::Admin, facts.iter()));
        }
        city.hangs_up(caller);
        city.run_for(secs(5));
    });
}
