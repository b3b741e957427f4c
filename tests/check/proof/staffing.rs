//! Seats against the calls that they are there for.

use std::time::Duration;

use hotline::routing::people::{Hours, Role};
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
