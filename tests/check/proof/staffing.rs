//! Seats against the calls that they are there for.

use std::time::Duration;

use hotline::routing::people::{Band, Hours, Role};
use hotline::routing::queueing::Staffing;

use super::plan;

#[test]
fn a_queue_is_measured_by_those_who_take_its_callers_with_their_wrap_up() {
    let mut plan = plan();
    assert!(plan.staffing().is_empty(), "nobody has said what it is staffed for");
    let queue = plan.queues.get_mut("main").expect("the queue");
    // 31 s of wrap-up and 149 s of talk: 3 min a call, so 10 an hour are half an erlang.
    queue.rules.staffing = Some(Staffing {
        calls_per_hour: 10,
        talk: Duration::from_secs(149),
        within: Duration::from_secs(15),
        percent: 95,
        hours: Hours::default(),
    });
    let needs = plan.staffing();
    let [need] = &needs[..] else { panic!("one queue") };
    assert_eq!((need.queue.as_str(), need.erlangs, need.there), ("main", 0.5, 2));
    // C(2, 0.5) is 0.1: 0.1 · e^(−1.5 · 15 / 180) = 0.0882, and with three seats 0.0152.
    assert!((need.reached_percent - 91.18).abs() < 0.01, "{}", need.reached_percent);
    assert_eq!((need.needed, need.is_met()), (Some(3), false));
    let mut third = plan.seats["1001"].clone();
    third.id = "1003".into();
    plan.seats.insert("1003".into(), third.clone());
    assert!(plan.staffing()[0].is_met());
    plan.seats.get_mut("1003").expect("the third").role = Role::Observer;
    assert!(!plan.staffing()[0].is_met(), "who listens only takes nobody");
}

fn staffing(calls_per_hour: u32) -> Option<Staffing> {
    let (talk, within) = (Duration::from_secs(149), Duration::from_secs(15));
    Some(Staffing { calls_per_hour, talk, within, percent: 95, hours: Hours::default() })
}

#[test]
fn a_clerks_own_wrap_up_counts_in_place_of_the_queues() {
    let mut plan = plan();
    plan.queues.get_mut("main").expect("the queue").rules.staffing = staffing(10);
    plan.seats.get_mut("1001").expect("a seat").wrap_up = Some(Duration::from_secs(391));
    // 391 s at one seat and 31 s at the other are 211 s in the mean: 6 min a call, so 10 an hour are one erlang.
    assert_eq!(plan.staffing()[0].erlangs, 1.0);
    for seat in plan.seats.values_mut() {
        seat.wrap_up = Some(Duration::ZERO);
    }
    assert!((plan.staffing()[0].erlangs - 10.0 * 149.0 / 3_600.0).abs() < 1e-9, "none at all is said, too");
}

#[test]
fn queues_that_share_seats_are_measured_together() {
    let mut plan = plan();
    let mut third = plan.seats["1001"].clone();
    third.id = "1003".into();
    plan.seats.insert("1003".into(), third);
    let mut main = plan.queues["main"].clone();
    main.rules.staffing = staffing(10);
    for name in ["main", "law", "tax"] {
        main.id = name.into();
        plan.queues.insert(name.into(), main.clone());
    }
    // Nobody serves the others, and each has a need of its own only.
    let names = |plan: &hotline::routing::Plan| -> Vec<String> {
        plan.staffing().into_iter().map(|need| need.queue).collect()
    };
    assert_eq!(names(&plan), ["law", "main", "tax"]);
    for seat in plan.seats.values_mut() {
        seat.queues = ["main", "law"].map(Into::into).into();
    }
    plan.seats.get_mut("1003").expect("the third").queues.push("tax".into());
    assert_eq!(names(&plan), ["law", "main", "tax", "law + main + tax"], "the third joins them all");
    let needs = plan.staffing();
    assert!(needs[0].is_met() && needs[1].is_met(), "either has three seats by itself");
    let all = &needs[3];
    assert_eq!((all.erlangs, all.there, all.queues.len()), (1.5, 3, 3));
    // C(3, 1.5) is 0.2368: 0.2368 · e^(−1.5 · 15 / 180) = 0.2090.
    assert!((all.reached_percent - 79.10).abs() < 0.01, "{}", all.reached_percent);
    assert!(!all.is_met() && all.needed == Some(5), "{:?}", all.needed);
    // Callers of one queue in the morning and of the other in the afternoon never want a seat at once.
    let hours = |from: &str, to: &str| {
        let (from, to) = (from.parse().expect("a time"), to.parse().expect("a time"));
        Hours::weekly(vec![Band {
            days: jiff::civil::Weekday::Monday.cycle_forward().take(7).collect(),
            from,
            to,
        }])
    };
    for (name, own) in [("law", hours("08:00", "12:00")), ("main", hours("14:00", "18:00"))] {
        let queue = plan.queues.get_mut(name).expect("a queue");
        queue.rules.staffing.as_mut().expect("its staffing").hours = own;
    }
    plan.queues.get_mut("tax").expect("a queue").rules.staffing = None;
    assert_eq!(names(&plan), ["law", "main"]);
}
