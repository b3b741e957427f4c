//! Queues that a new plan has no more: who waits there, and who comes to them yet.

use hotline::acd::event::{Decision, Overflow};
use hotline::id::CallId;
use hotline::routing::Plan;
use hotline::routing::plan::{Line, LineMode};
use hotline::routing::queueing::CallbackOffer;

use crate::floor::{Desk, Floor, call, offer, plan_of, queue, secs};

fn overflow(call: CallId, why: Overflow, waited_s: u64) -> Decision {
    Decision::Overflow { call, queue: "main".into(), why, waited: secs(waited_s) }
}

/// 12345 leads to this queue.
fn leading_to(id: &str, mut plan: Plan) -> Plan {
    let line = Line {
        number: "12345".into(),
        aliases: Vec::new(),
        in_use: Default::default(),
        name: "政务服务".into(),
        owner: String::new(),
        mode: LineMode::Primary { queue: id.into() },
        row: String::new(),
        expert_seats: false,
        is_confidential: false,
        skills: Vec::new(),
        transition: None,
        language: None,
        greeting: None,
        script: None,
        restored: None,
    };
    plan.lines.insert("12345", line);
    plan
}

fn names(floor: &Floor) -> Vec<String> {
    floor.acd.queues(floor.now).iter().map(|view| view.queue.to_string()).collect()
}

#[test]
fn a_queue_that_the_plan_renames_is_served_by_its_seats_on_for_who_waits_and_who_comes_later() {
    let mut floor = Floor::with_desks(&["1001", "1002"]);
    let talking = floor.calls(1);
    floor.answers(talking, "1001");
    let (rung, waiting) = (floor.calls(2), floor.calls(3));
    floor.decisions();
    let plan = plan_of(&[queue("other")], &[("1001", "", "other"), ("1002", "", "other")]);
    let main = ["main".into()].into();
    floor.acd.plan_changed(&plan, &main, floor.now);
    assert_eq!(floor.rung_for(rung).as_deref(), Some("1002"), "what rings goes on ringing");
    floor.serves(rung, "1002");
    assert_eq!(floor.rung_for(waiting).as_deref(), Some("1002"));
    floor.serves(waiting, "1002");
    assert_eq!(names(&floor), ["other"], "nobody waits there now");
    // Who is in the greeting still comes to it, through plans that have not brought it back.
    floor.acd.plan_changed(&plan, &main, floor.now);
    floor.decisions();
    let late = floor.calls(4);
    assert_eq!(floor.decisions(), [offer(late, "1002", secs(0))]);
    assert_eq!(names(&floor), ["main", "other"]);
    floor.acd.leave(late, floor.now);
    // With the last such call it is forgotten.
    floor.follows(&plan);
    floor.decisions();
    let astray = floor.calls(5);
    assert_eq!(floor.decisions(), [overflow(astray, Overflow::NoSeat, 0)]);
}

#[test]
fn a_queue_whose_seats_are_gone_is_served_by_those_of_the_queue_that_its_number_leads_to() {
    let before = plan_of(&[queue("main"), queue("night")], &[("1001", "", "main"), ("1002", "", "night")]);
    let mut floor = Floor::of(&leading_to("main", before), 1);
    floor.registers("1002");
    let waiting = floor.calls(1);
    floor.pass(secs(4));
    floor.decisions();
    let main = ["main".into()].into();
    let after = || plan_of(&[queue("night")], &[("1002", "", "night"), ("1003", "", "night")]);
    floor.acd.plan_changed(&leading_to("night", after()), &main, floor.now);
    assert_eq!(floor.decisions(), [offer(waiting, "1002", secs(4))]);
    floor.registers("1003");
    let late = floor.calls(2);
    assert_eq!(floor.rung_for(late).as_deref(), Some("1003"), "a seat that has come with the plan");
    // Where its number leads nowhere, the rule for no seats is what is left.
    let mut floor = Floor::of(&leading_to("main", plan_of(&[queue("main")], &[])), 1);
    let waiting = floor.calls(1);
    let after = plan_of(&[queue("night")], &[("1002", "", "night")]);
    floor.acd.plan_changed(&after, &main, floor.now);
    floor.registers("1002");
    floor.decisions();
    floor.pass(secs(30));
    assert_eq!(floor.decisions().last(), Some(&overflow(waiting, Overflow::NoSeat, 30)));
}

#[test]
fn a_queue_that_comes_back_is_itself_again() {
    let mut floor = Floor::with_desks(&["1001"]);
    let main = ["main".into()].into();
    floor.acd.plan_changed(&plan_of(&[queue("other")], &[("1001", "", "other")]), &main, floor.now);
    floor.follows(&plan_of(&[queue("main"), queue("other")], &[("1001", "", "other")]));
    floor.decisions();
    let caller = floor.calls(1);
    assert_eq!(floor.rung_for(caller), None, "its seat is another queue's now");
    assert!(!floor.acd.is_served(&"main".into()) && floor.acd.is_served(&"other".into()));
}

#[test]
fn a_kept_place_goes_to_another_queue_with_its_time_and_before_all_others() {
    let keeps = |id: &str| {
        let mut queue = queue(id);
        queue.rules.callback = Some(CallbackOffer {
            after: secs(0),
            key: '1',
            keep: secs(600),
            tries: 3,
            again_after: secs(60),
        });
        queue
    };
    let desks: [Desk; 2] = [("1001", "", "main"), ("1002", "", "night")];
    let mut floor = Floor::of(&plan_of(&[keeps("main"), keeps("night")], &desks), 1);
    let kept = floor.calls(1);
    assert!(floor.acd.keep_place(kept, floor.now));
    floor.pass(secs(100));
    let other = call(2);
    floor.joins(other, "night", &[], false);
    floor.decisions();
    floor.follows(&plan_of(&[keeps("night")], &[("1002", "", "night")]));
    assert!(!floor.acd.move_place(kept, &"gone".into(), "12345".into(), floor.now));
    assert!(!floor.acd.move_place(other, &"night".into(), "12345".into(), floor.now), "who is on the line");
    assert!(floor.acd.move_place(kept, &"night".into(), "12345".into(), floor.now));
    assert_eq!((floor.acd.position(kept), floor.acd.position(other)), (Some(1), Some(2)));
    floor.pass(secs(499));
    assert!(floor.acd.is_kept(kept));
    floor.pass(secs(1));
    assert!(floor.decisions().iter().any(|decision| matches!(decision, Decision::PlaceExpired { .. })));
    assert_eq!(floor.acd.position(kept), None);
}
