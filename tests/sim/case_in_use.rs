//! Numbers by their aliases, on their first and last days, and with greetings of their own.

use hotline::phone::PhoneEvent;
use hotline::routing::Plan;
use hotline::routing::in_use::{Alias, InUse};
use hotline::switchboard::What;

use crate::city::{millis, secs};
use crate::desk::has;
use crate::seed::{in_a_city, in_a_city_with};

/// 12319 is 4412345 as well, and is a number of ours in the latter half of 2026.
fn decided(plan: &mut Plan) {
    let zone = plan.city.time_zone.clone();
    let day = |text: &str| Some(text.parse().expect("a day"));
    let line = plan.lines.get_mut("12319").expect("a line");
    line.in_use = InUse::new(day("2026-07-01"), day("2026-12-31"), &zone);
    line.aliases = vec![Alias { number: "4412345".into(), until: day("2026-09-30") }];
    line.greeting = Some("survey_thanks".into());
    plan.index_aliases();
}

#[test]
fn a_call_by_an_alias_is_its_lines_and_the_record_keeps_which_was_dialled() {
    in_a_city_with(decided, |city| {
        city.clock_says("2026-08-03T09:00:00+08:00");
        let clerk = city.seat("1001").answers_after(secs(1));
        let caller = city.phone("13800000001").dials("03934412345");
        assert!(city.run_until(secs(30), |city| city.talks_to(caller) == Some(clerk)));
        assert!(city.heard(caller, "survey_thanks") && !city.heard(caller, "greeting"));
        let shown = |event: &PhoneEvent| match event {
            PhoneEvent::IncomingCall { headers, .. } => {
                headers.iter().any(|(name, value)| name == "X-Hotline-Line" && value == "12319")
            }
            _ => false,
        };
        assert!(city.saw(clerk, shown));
        city.hangs_up(caller);
        city.run_for(secs(1));
        let record = city.record_of(caller);
        assert_eq!(record.line.as_str(), "12319");
        let dialled =
            |what: &What| matches!(what, What::Opened { dialled, .. } if dialled.contains("03934412345"));
        assert!(has(&city.store.facts[&record.call], dialled));
    });
}

#[test]
fn a_running_house_judges_each_call_by_the_days_of_its_number() {
    in_a_city_with(decided, |city| {
        let _clerk = city.seat("1001").answers_after(secs(1));
        let refused = |wanted: u16| move |event: &PhoneEvent| matches!(event, PhoneEvent::Refused { status, .. } if *status == wanted);
        for (nth, (at, number, status)) in [
            ("2026-06-30T23:59:50+08:00", "12319", Some(404)),
            ("2026-07-01T00:00:00+08:00", "12319", None),
            ("2026-09-30T23:59:30+08:00", "4412345", None),
            ("2026-10-01T00:00:00+08:00", "4412345", Some(404)),
            ("2026-12-31T23:59:30+08:00", "12319", None),
            ("2027-01-01T00:00:00+08:00", "12319", Some(410)),
        ]
        .into_iter()
        .enumerate()
        {
            city.net.sip.delay = millis(0); // The house reads its clock when the call is there.
            city.clock_says(at);
            let caller = city.phone(&format!("1380000000{nth}")).dials(number);
            city.run_for(secs(6));
            let found = [404, 410].map(|each| city.saw(caller, refused(each)));
            assert_eq!(found, [404, 410].map(|each| Some(each) == status), "{number} at {at}");
            if status.is_none() {
                city.hangs_up(caller);
            }
            city.run_for(secs(2));
        }
    });
}

#[test]
fn without_days_nothing_changes() {
    in_a_city(|city| {
        let caller = city.phone("13800000001").dials("4412345");
        city.run_for(secs(2));
        assert!(city.look_at(caller).is_idle(), "nobody has that number");
    });
}
