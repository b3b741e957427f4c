//! A sub-center behind its trunk: answered, busy, silent; then on as 12345, with a ticket.

use hotline::call::Input;
use hotline::routing::plan::{Flow, Peer, Step};

use super::caller::{Caller, Dialling, millis, sdp, secs, unusable};

const DIALLED: [&str; 4] =
    ["180", "told dialled 12366", "want port 1 for 12366 by sub-12366", "invite 12366 by sub-12366 as 1"];
const TALKED_60_S: &str = "told sub-12366/12366 left after 60000 ms";
const ON_AS_12345: [&str; 6] = [
    "200",
    "told answered",
    "open 0",
    "record 0",
    "told announced sub_center_unanswered",
    "play 0: sub_center_unanswered",
];

#[test]
fn a_sub_center_that_answers_talks_with_the_caller_and_nobody_is_queued() {
    let mut caller = Dialling::to("12366").go();
    assert_eq!(caller.said, DIALLED, "the caller hears ringing");
    let leg = caller.leg(1);
    assert_eq!(caller.tell(Input::Progressed { leg, sdp: None }), ["180"]);
    assert_eq!(caller.recorded(), [""; 0], "answered when they answer, not before");
    let said = caller.answers(1);
    let joined =
        ["open 1", "told answered by 12366", "200", "told answered", "open 0", "record 0", "bridge 0 and 1"];
    assert_eq!(said, joined);
    assert_eq!(caller.wait(secs(60)), [""; 0], "the ringing's bound is off");
    assert_eq!(
        caller.hangs_up(1),
        ["hang up 1", "close 1", TALKED_60_S, "quiet 0", "hang up 0", "stop recording", "close 0"]
    );
    assert_eq!(caller.sound_closed(), ["told closed OtherHungUp", "over"]);
}

/// A flow with hot notices where the house puts them.
fn told_before(dialling: Dialling) -> Dialling {
    let flow = dialling.plan.flow(&dialling.plan.lines["12366"], dialling.at.parse().expect("an instant"));
    let notice = |name: &str| Step::HotNotice(name.into());
    let mut steps = flow.steps.clone();
    let dial = steps.iter().position(|step| matches!(step, Step::Dial { .. })).expect("a center");
    steps.splice(dial..dial, [notice("after_hours"), notice("cool_down")]);
    Dialling { flow: Some(Flow { steps, ..flow }), ..dialling }
}

#[test]
fn what_all_callers_are_to_be_told_is_told_before_a_center_rings() {
    let mut caller = told_before(Dialling::to("12366")).go();
    let early = ["180", "183 with sound", "open 0", "told announced after_hours", "play 0: after_hours"];
    assert_eq!(caller.said, early);
    let next = ["told announced cool_down", "play 0: cool_down"];
    assert_eq!(caller.heard_out(0), next);
    // They have heard us, and hear no ringing of their own.
    let rings = [&DIALLED[1..2], &["loop 0: ringback"], &DIALLED[2..]].concat();
    assert_eq!(caller.heard_out(0), rings);
    caller.recorded();
    let answered = ["open 1", "told answered by 12366", "200", "told answered", "change 0", "record 0"];
    assert_eq!(caller.answers(1), [&answered[..], &["bridge 0 and 1"]].concat());

    // A key passes over them, where the telephone tells of keys before the answer.
    let mut caller = told_before(Dialling::to("12366")).go();
    let said = caller.presses('1').to_vec();
    assert_eq!(said, [&["told digit 1", "quiet 0"], &rings[..]].concat());

    // Whoever has not said where sound goes to hears them after the answer, if the center does not give it.
    let mut caller = told_before(Dialling { offer: None, ..Dialling::to("12366") }).go();
    assert_eq!(caller.said, DIALLED);
    caller.recorded();
    let leg = caller.leg(1);
    let said = caller.tell(Input::Refused { leg, status: 486 }).to_vec();
    assert!(said.contains(&"200".to_owned()), "{said:?}");
}

#[test]
fn a_sub_center_that_answers_before_the_record_is_there_waits_for_it_or_its_bound() {
    let joined = |durable: &str| -> Vec<String> {
        ["200", durable, "open 0", "record 0", "bridge 0 and 1"].map(str::to_owned).to_vec()
    };
    let mut caller = Dialling::to("12366").go();
    assert_eq!(caller.answers(1), ["open 1", "told answered by 12366"]);
    assert_eq!(caller.wait(millis(249)), [""; 0]);
    assert_eq!(caller.recorded(), joined("told answered"));
    let mut caller = Dialling::to("12366").go();
    caller.answers(1);
    assert_eq!(caller.wait(millis(250)), joined("told answered undurable"));
    assert_eq!(caller.recorded(), [""; 0], "too late to matter");
}

#[test]
fn a_sub_center_that_does_not_answer_leaves_a_ticket_and_the_caller_goes_on_as_12345() {
    for status in [404, 408, 480, 486, 500, 503, 603] {
        let mut caller = Dialling::to("12366").go();
        caller.recorded();
        let failed = format!("told failed 12366: {status}");
        let over_there = ["hang up 1", "free port 11", &failed, "told ticket SubCenterUnanswered"];
        assert_eq!(caller.refuses(1, status), [&over_there[..], &ON_AS_12345].concat());
        caller.heard_out(0);
        assert_eq!(caller.heard_out(0), ["told queued in main", "loop 0: hold_music", "join main"]);
        caller.rings("1001");
        assert_eq!(caller.answers(2)[0], "open 2");
    }
}

#[test]
fn a_sub_center_reached_by_another_trunk_is_said_with_that_one() {
    let mut caller = Dialling::to("12366").go();
    caller.recorded();
    let leg = caller.leg(1);
    let moved = |trunk: &str, number: Option<&str>| Input::Routed {
        leg,
        trunk: trunk.into(),
        peer: [203, 0, 113, 9].into(),
        number: number.map(Into::into),
    };
    let routed = |trunk: &str| moved(trunk, None);
    assert_eq!(caller.tell(routed("sub-12366")), [""; 0], "by the same one: nothing new");
    assert_eq!(caller.tell(routed("spare")), ["told dialled 12366"]);
    assert_eq!(caller.tell(moved("spare", Some("4420000"))), ["told dialled 4420000"], "sent on by a 302");
    assert_eq!(caller.answers(1)[..2], ["open 1", "told answered by 12366"]);
}

#[test]
fn a_sub_center_rings_no_longer_than_the_plan_says() {
    let mut caller = Dialling::to("12366").go();
    caller.recorded();
    assert_eq!(caller.wait(millis(24_999)), [""; 0]);
    let over_there = ["hang up 1", "free port 11", "told failed 12366: 0", "told ticket SubCenterUnanswered"];
    assert_eq!(caller.wait(millis(1)), [&over_there[..], &ON_AS_12345].concat());
    assert_eq!(caller.answers(1), [""; 0], "too late");
}

#[test]
fn a_caller_of_a_silent_sub_center_waits_for_the_record_like_anybody() {
    let mut caller = Dialling::to("12366").go();
    let over_there =
        ["hang up 1", "free port 11", "told failed 12366: 486", "told ticket SubCenterUnanswered"];
    assert_eq!(caller.refuses(1, 486), over_there);
    assert_eq!(caller.recorded(), ON_AS_12345);
}

#[test]
fn without_a_port_or_with_an_answer_that_cannot_be_taken_it_counts_as_unanswered() {
    let caller = Dialling { ports: false, ..Dialling::to("12366") }.go();
    let failed = ["told failed 12366: 503", "told ticket SubCenterUnanswered"];
    assert_eq!(caller.said, [&DIALLED[..3], &failed].concat());
    let mut caller = Dialling::to("12366").go();
    let leg = caller.leg(1);
    let said = caller.tell(Input::Answered { leg, sdp: Some(unusable()) });
    assert_eq!(
        said,
        ["hang up 1", "free port 11", "told failed 12366: 488", "told ticket SubCenterUnanswered"]
    );
}

/// RFC 3960 §3.2, the gateway model: their early sound is passed on as ours.
#[test]
fn what_a_sub_center_says_before_its_answer_is_heard() {
    let mut caller = Dialling::to("12366").go();
    caller.recorded();
    let leg = caller.leg(1);
    let heard = ["open 1", "183 with sound", "open 0", "bridge 0 and 1"];
    assert_eq!(caller.tell(Input::Progressed { leg, sdp: Some(sdp(5_000, None)) }), heard);
    assert_eq!(caller.tell(Input::Progressed { leg, sdp: None }), [""; 0], "no ringing over their voice");
    let joined = [
        "change 1",
        "told answered by 12366",
        "200",
        "told answered",
        "change 0",
        "record 0",
        "bridge 0 and 1",
    ];
    assert_eq!(caller.answers(1), joined);
}

#[test]
fn early_sound_of_a_sub_center_that_then_refuses_gives_way_to_12345() {
    let mut caller = Dialling::to("12366").go();
    caller.recorded();
    let leg = caller.leg(1);
    caller.tell(Input::Progressed { leg, sdp: Some(sdp(5_000, None)) });
    let over_there = ["hang up 1", "close 1", "told failed 12366: 486", "told ticket SubCenterUnanswered"];
    let mut on = ON_AS_12345;
    on[2] = "change 0";
    assert_eq!(caller.refuses(1, 486), [&over_there[..], &on].concat());
}

#[test]
fn a_sub_center_that_answers_and_leaves_before_the_caller_is_answered_has_not_answered() {
    let mut caller = Dialling::to("12366").go();
    caller.answers(1);
    let said = caller.hangs_up(1).to_vec();
    let over_there = ["hang up 1", "close 1", "told failed 12366: 480", "told ticket SubCenterUnanswered"];
    assert_eq!(said, over_there, "and the caller is not sent away");
    assert_eq!(caller.recorded(), ON_AS_12345);
}

#[test]
fn a_caller_with_a_late_offer_is_joined_when_the_ack_says_where_the_sound_goes() {
    let mut caller = Dialling::to("12366").late_offer().go();
    caller.recorded();
    let said = caller.answers(1);
    assert_eq!(said, ["open 1", "told answered by 12366", "200", "told answered"]);
    let leg = caller.leg(0);
    let joined = ["open 0", "record 0", "bridge 0 and 1"];
    assert_eq!(caller.tell(Input::Confirmed { leg, sdp: Some(sdp(4_000, None)) }), joined);
}

#[test]
fn a_sub_center_that_vanishes_while_talking_ends_the_call() {
    let mut caller = Dialling::to("12366").go();
    caller.recorded();
    caller.answers(1);
    caller.wait(secs(60));
    assert_eq!(
        caller.vanishes(1),
        ["hang up 1", "close 1", TALKED_60_S, "quiet 0", "hang up 0", "stop recording", "close 0"]
    );
}

/// A flow that dials behind the answer, and says something of its own where nobody answers.
fn behind_the_answer() -> Dialling {
    let peer = Peer {
        trunk: "sub-12366".into(),
        number: "12366".into(),
        ring: secs(25),
        drill: false,
        hours: Default::default(),
    };
    let dial = Step::Dial { peer, ticket_on_failure: false, failure_prompt: Some("system_fault".into()) };
    let flow = Flow { line: "12366".into(), steps: vec![Step::Answer, dial], record: false };
    Dialling { flow: Some(flow), ..Dialling::to("12366") }
}

#[test]
fn a_caller_who_is_answered_already_hears_ringing_and_the_news() {
    let mut caller = behind_the_answer().go();
    let ringing = [
        "200",
        "told answered",
        "open 0",
        "told dialled 12366",
        "loop 0: ringback",
        "want port 1 for 12366 by sub-12366",
        "invite 12366 by sub-12366 as 1",
    ];
    assert_eq!(caller.recorded(), ringing);
    let news = [
        "hang up 1",
        "free port 11",
        "told failed 12366: 503",
        "told announced system_fault",
        "play 0: system_fault",
    ];
    assert_eq!(caller.refuses(1, 503), news);
    assert_eq!(caller.heard_out(0), ["hang up 0", "close 0"]);
    let mut caller: Caller = behind_the_answer().go();
    caller.recorded();
    assert_eq!(caller.answers(1), ["open 1", "told answered by 12366", "bridge 0 and 1"]);
}
