//! A caller who turns out to be urgent while waiting: before all others, and nothing else begins anew.

use hotline::acd::event::{Decision, Joining, OfferEnd, Overflow};
use hotline::routing::queueing::Queueing;

use crate::floor::{Floor, call, joining, offer, secs};

/// The seat is with somebody, and two wait.
fn two_wait(desks: &[&'static str]) -> Floor {
    let mut floor = Floor::with_desks(desks);
    for n in 1..=desks.len() as u64 {
        let engaged = floor.calls(90 + n);
        let seat = floor.rung_for(engaged).expect("all are free");
        assert!(floor.answers(engaged, &seat));
    }
    floor.calls(1);
    floor.pass(secs(10));
    floor.calls(2);
    floor.decisions();
    floor
}

#[test]
fn who_waits_goes_to_the_front_and_the_wait_counts_on() {
    let mut floor = two_wait(&["1001"]);
    floor.pass(secs(15));
    assert_eq!(floor.acd.position(call(2)), Some(2));
    assert!(floor.acd.reprioritise(call(2), 1_000, floor.now));
    assert_eq!((floor.acd.position(call(2)), floor.acd.position(call(1))), (Some(1), Some(2)));
    floor.decisions();
    // 25 s after the caller joined, as if nothing had been.
    floor.pass(secs(10));
    let said: Vec<Decision> = floor.decisions();
    assert!(
        said.iter()
            .any(|said| matches!(said, Decision::Announce { call: of, ahead: 0, .. } if *of == call(2)))
    );
    // And sent on 300 s after that.
    floor.pass(secs(274));
    assert!(floor.acd.position(call(2)).is_some());
    floor.pass(secs(1));
    let gone = Decision::Overflow {
        call: call(2),
        queue: "main".into(),
        why: Overflow::WaitedTooLong,
        waited: secs(300),
    };
    assert!(floor.decisions().contains(&gone));
    assert!(!floor.acd.reprioritise(call(2), 1_000, floor.now), "in no line any more");
}

/// The seat rings on; where it does not pick up, the caller is before the others for the next.
#[test]
fn who_is_rung_for_keeps_the_offer_and_is_first_where_it_fails() {
    let mut floor = Floor::with_desks(&["1001", "1002"]);
    let engaged = floor.calls(9);
    assert!(floor.answers(engaged, "1001"));
    let rung_for = floor.calls(1);
    assert_eq!(floor.rung_for(rung_for).as_deref(), Some("1002"));
    let earlier = call(2);
    floor.enters(Joining { priority: 10, ..joining(earlier, "main") });
    floor.decisions();
    floor.pass(secs(5));
    assert_eq!(floor.acd.position(rung_for), Some(2));
    assert!(floor.acd.reprioritise(rung_for, 1_000, floor.now));
    assert_eq!(floor.decisions(), [], "it rings on");
    assert_eq!(floor.acd.position(rung_for), Some(1));
    floor.acd.offer_failed(rung_for, &"1002".into(), OfferEnd::Unreachable, floor.now);
    floor.acd.seat_left(&"1001".into(), engaged, floor.now);
    floor.pass(secs(10));
    assert_eq!(
        floor.decisions().last(),
        Some(&offer(rung_for, "1001", secs(15))),
        "before who had been first"
    );
    assert!(floor.answers(rung_for, "1001"));
}

/// One who waits for the clerk who knows them waits for anybody.
#[test]
fn nobody_urgent_waits_for_one_clerk_alone() {
    let rules = Queueing { sticky_wait: Some(secs(60)), ..Queueing::default() };
    let mut floor = Floor::ruled(&[("1001", "", "main"), ("1002", "", "main")], rules);
    let engaged = floor.calls(9);
    assert!(floor.answers(engaged, "1001"));
    let known = call(1);
    floor.enters(Joining { sticky: Some("1001".into()), ..joining(known, "main") });
    assert_eq!(floor.rung_for(known), None);
    floor.pass(secs(3));
    floor.decisions();
    assert!(floor.acd.reprioritise(known, 1_000, floor.now));
    assert_eq!(floor.decisions(), [offer(known, "1002", secs(3))]);
}
