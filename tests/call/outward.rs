//! Calls that clerks and the house make: whoever is on the first leg came to us, or is called by us.

use hotline::call::{Callee, EndWhy, Input, Unwilling, Wish};
use hotline::media::order::LegFigures;
use hotline::routing::plan::{Flow, Peer, Step};
use hotline::sip::sdp::Direction;

use super::caller::{Begun, CALLER_PORT, Caller, Dialling, millis, sdp, secs, unusable};

pub const NUMBER: &str = "13800000000";
/// What a clerk's telephone and the far side are rung by.
const RINGS: [&str; 2] = ["want port 0 for seat 1001", "invite seat 1001 as 0"];
const DIALS: [&str; 4] = [
    "told dialled 13800000000",
    "loop 0: ringback",
    "want port 1 for 13800000000 by carrier",
    "invite 13800000000 by carrier as 1",
];
const ANSWERED: [&str; 3] = ["told answered", "open 0", "record 0"];

fn flow(steps: Vec<Step>) -> Flow {
    Flow { line: "12345".into(), steps, record: true }
}

fn dial() -> Step {
    let (trunk, number) = ("carrier".into(), NUMBER.into());
    let peer = Peer { trunk, number, ring: secs(25), drill: false, hours: Default::default() };
    Step::Dial { peer, ticket_on_failure: false, failure_prompt: None }
}

/// A seat by click: rung first, then the citizen, and a tone where nobody takes it.
pub fn click() -> Dialling {
    let flow = flow(vec![dial(), Step::Play("busy".into())]);
    Dialling { flow: Some(flow), begun: Begun::House(Callee::Seat("1001".into())), ..Dialling::to("12345") }
}

/// A clerk who dialled.
pub fn dialled() -> Dialling {
    Dialling { flow: Some(flow(vec![dial()])), begun: Begun::Clerk("1001"), ..Dialling::to("12345") }
}

fn ringing() -> Caller {
    let mut caller = click().go();
    assert_eq!(caller.recorded(), RINGS);
    caller
}

/// The clerk has answered, and the citizen rings.
fn dialling() -> Caller {
    let mut caller = ringing();
    assert_eq!(caller.answers(0), [&ANSWERED[..], &DIALS].concat());
    caller
}

fn talking() -> Caller {
    let mut caller = dialling();
    assert_eq!(caller.answers(1), ["open 1", "told answered by 13800000000", "bridge 0 and 1"]);
    caller
}

#[test]
fn nobody_is_rung_before_the_record_is_there_or_its_bound_is_over() {
    let mut caller = click().go();
    assert_eq!(caller.said, [""; 0]);
    assert_eq!(caller.wait(millis(249)), [""; 0]);
    assert_eq!(caller.wait(millis(1)), RINGS);
    assert_eq!(caller.answers(0)[0], "told answered undurable");
    let mut caller = click().go();
    caller.wait(secs(1));
    assert_eq!(caller.recorded(), [""; 0]);
    assert_eq!(caller.answers(0)[0], "told answered", "it was there by then");
    assert_eq!(ringing().call.state(), "calling");
    let call = ringing().call;
    assert!(call.begun_by_us() && call.first_clerk().is_some_and(|seat| seat.as_str() == "1001"));
    let call = dialled().go().call;
    assert!(!call.begun_by_us() && call.first_clerk().is_some_and(|seat| seat.as_str() == "1001"));
    assert_eq!(Dialling::to("12345").go().call.first_clerk(), None);
}

#[test]
fn a_seat_by_click_answers_hears_ringing_and_talks_until_either_leaves() {
    let left = |ms: u64| format!("told carrier/13800000000 left after {ms} ms");
    let over = |ms: u64| {
        ["hang up 1", "close 1", &left(ms), "hang up 0", "stop recording", "close 0"].map(str::to_owned)
    };
    let mut caller = talking();
    let left = left(0);
    let leaves = ["hang up 1", "close 1", &left, "quiet 0", "hang up 0", "stop recording", "close 0"];
    assert_eq!(caller.hangs_up(1), leaves);
    assert_eq!(caller.sound_closed(), ["told closed OtherHungUp", "over"]);
    let mut caller = talking();
    assert_eq!(caller.hangs_up(0), [&over(0)[..3], &over(0)[4..]].concat(), "the clerk");
    assert_eq!(caller.sound_closed(), ["told closed CallerHungUp", "over"]);
    let mut caller = talking();
    assert_eq!(caller.vanishes(0), over(0), "the clerk's telephone");
    let mut caller = talking();
    let leg = caller.leg(0);
    assert_eq!(caller.tell(Input::Silent { leg }), ["OPTIONS to 0"]);
    assert_eq!(caller.wait(secs(4)), over(4_000));
}

#[test]
fn the_leg_that_we_called_holds_is_renegotiated_and_replaced_like_any() {
    let mut caller = talking();
    let held = caller.reinvites(0, Some(sdp(4_000, Some(Direction::SendOnly)))).to_vec();
    assert_eq!(
        held,
        [
            "200 to re-INVITE of 0 recvonly",
            "change 0 receive only",
            "told leg 0 holds",
            "part 0 and 1",
            "loop 1: hold_music"
        ]
    );
    let back = caller.reinvites(0, Some(sdp(4_000, None))).to_vec();
    assert_eq!(back, ["200 to re-INVITE of 0", "change 0", "told leg 0 is back", "bridge 0 and 1"]);
    assert_eq!(caller.reinvites(0, None), ["200 to re-INVITE of 0"], "with our offer");
    let leg = caller.leg(0);
    assert_eq!(caller.tell(Input::Confirmed { leg, sdp: Some(sdp(4_100, None)) }), ["change 0"]);
    let peer = [192, 0, 2, 77].into();
    let replaced = Input::Replaced { leg, offer: Some(sdp(4_200, None)), peer, keys: None };
    assert_eq!(caller.tell(replaced), ["200 in place of 0", "told replaced 0", "change 0"]);
}

#[test]
fn before_the_seat_answers_the_call_is_taken_back_and_not_refused() {
    let mut caller = click().go();
    let drained = Input::End { cause: EndWhy::Drained };
    assert_eq!(caller.tell(drained.clone()), ["told closed Drained", "over"], "nobody rings yet");
    let mut caller = ringing();
    let taken_back = ["hang up 0", "free port 10", "told closed Drained", "over"];
    assert_eq!(caller.tell(drained.clone()), taken_back);
    let mut caller = ringing();
    assert_eq!(caller.wait(millis(19_999)), [""; 0]);
    assert_eq!(caller.wait(millis(1)), ["hang up 0", "free port 10", "told closed Refused(408)", "over"]);
    assert_eq!(caller.answers(0), [""; 0], "its 200 crossed our CANCEL: signalling ends it");
    for status in [404, 480, 486, 603] {
        let mut caller = ringing();
        let closed = format!("told closed Refused({status})");
        assert_eq!(caller.refuses(0, status), ["free port 10", &closed, "over"]);
    }
    let mut caller = ringing();
    assert_eq!(caller.hangs_up(0), ["free port 10", "told closed CallerHungUp", "over"]);
    let mut caller = talking();
    assert_eq!(caller.tell(drained)[..2], ["hang up 1", "close 1"]);
}

#[test]
fn a_seat_without_a_port_or_with_an_answer_that_cannot_be_taken_is_not_reached() {
    let mut caller = Dialling { ports: false, ..click() }.go();
    assert_eq!(caller.recorded(), [RINGS[0], "told closed Refused(503)", "over"]);
    let mut caller = ringing();
    let leg = caller.leg(0);
    let said = caller.tell(Input::Answered { leg, sdp: Some(unusable()) });
    assert_eq!(said, ["hang up 0", "free port 10", "told closed Refused(488)", "over"], "ACK and BYE");
    // The port comes when the call is over: it goes back.
    let mut caller = Dialling { ports: false, ..click() }.go();
    caller.recorded();
    let peer = [192, 0, 2, 20].into();
    let slot = Some(hotline::media::order::PortSlot(77));
    assert_eq!(
        caller.tell(Input::Port { leg: caller.leg(0), slot, peer, ours: peer, keys: None }),
        ["free port 77"]
    );
}

#[test]
fn a_citizen_who_does_not_take_it_is_heard_not_to_and_the_clerk_is_let_go() {
    let mut caller = dialling();
    let busy =
        ["hang up 1", "free port 11", "told failed 13800000000: 486", "told announced busy", "play 0: busy"];
    assert_eq!(caller.refuses(1, 486), busy);
    assert_eq!(caller.heard_out(0), ["hang up 0", "stop recording", "close 0"]);
    assert_eq!(caller.sound_closed(), ["told closed Completed", "over"]);
    let mut caller = dialling();
    assert_eq!(caller.wait(secs(25))[2], "told failed 13800000000: 0");
    let mut caller = dialling();
    let over = ["hang up 1", "free port 11", "stop recording", "close 0"];
    assert_eq!(caller.hangs_up(0), over, "the clerk, while it rings");
    assert_eq!(caller.answers(1), [""; 0], "too late");
}

#[test]
fn the_citizens_own_early_sound_takes_the_place_of_our_ringing() {
    let mut caller = dialling();
    let leg = caller.leg(1);
    let early = caller.tell(Input::Progressed { leg, sdp: Some(sdp(5_000, None)) }).to_vec();
    assert_eq!(early, ["open 1", "bridge 0 and 1"]);
}

#[test]
fn a_clerk_who_dials_is_answered_when_they_are_and_refused_as_they_refuse() {
    let mut caller = dialled().go();
    assert_eq!(caller.said, [DIALS[0], DIALS[2], DIALS[3]], "no ringing of our own");
    let leg = caller.leg(1);
    assert_eq!(caller.tell(Input::Progressed { leg, sdp: None }), ["180"]);
    caller.recorded();
    let joined = [
        "open 1",
        "told answered by 13800000000",
        "200",
        "told answered",
        "open 0",
        "record 0",
        "bridge 0 and 1",
    ];
    assert_eq!(caller.answers(1), joined);
    for (status, passed) in
        [(486, 486), (404, 404), (603, 603), (503, 503), (401, 503), (488, 503), (302, 480)]
    {
        let mut caller = dialled().go();
        caller.recorded();
        let failed = format!("told failed 13800000000: {status}");
        let (refuse, closed) = (format!("refuse {passed}"), format!("told closed Refused({passed})"));
        let said = ["hang up 1", "free port 11", &failed, &refuse, "free port 10", &closed, "over"];
        assert_eq!(caller.refuses(1, status), said);
    }
    let mut caller = dialled().go();
    caller.recorded();
    assert_eq!(caller.wait(secs(25))[3], "refuse 480", "nobody answered");
    let mut caller = dialled().go();
    assert_eq!(caller.tell(Input::Cancelled)[..2], ["hang up 1", "free port 11"]);
}

#[test]
fn a_citizen_whom_the_house_calls_is_asked_and_let_go() {
    let first = || Callee::Peer { trunk: "carrier".into(), number: NUMBER.into() };
    let asks = |first| {
        let flow = flow(vec![Step::Play("greeting".into()), Step::Survey]);
        Dialling { flow: Some(flow), begun: Begun::House(first), ..Dialling::to("12345") }.go()
    };
    let mut citizen = asks(first());
    assert_eq!(
        citizen.recorded(),
        [DIALS[0], "want port 0 for 13800000000 by carrier", "invite 13800000000 by carrier as 0"]
    );
    assert_eq!(citizen.call.first_clerk(), None);
    let leg = citizen.leg(0);
    let routed = Input::Routed { leg, trunk: "spare".into(), peer: [203, 0, 113, 9].into(), number: None };
    assert_eq!(citizen.tell(routed), ["told dialled 13800000000"], "by another trunk");
    assert_eq!(citizen.answers(0)[..3], ["told answered by 13800000000", "told answered", "open 0"]);
    assert_eq!(citizen.heard_out(0), ["told announced survey", "play 0: survey"]);
    assert!(citizen.presses('2').contains(&"told grade 2".to_owned()));
    assert_eq!(citizen.heard_out(0), ["hang up 0", "stop recording", "close 0"]);
    let figures = Box::new(LegFigures::default());
    assert_eq!(citizen.tell(Input::SoundClosed { leg, figures }), ["told closed Completed", "over"]);
    let mut citizen = asks(first());
    citizen.recorded();
    let failed = ["told failed 13800000000: 486", "free port 10", "told closed Refused(486)", "over"];
    assert_eq!(citizen.refuses(0, 486), failed);
    assert_eq!(citizen.lent, [CALLER_PORT]);
}

#[test]
fn nobody_whom_a_clerk_has_called_is_put_into_a_queue() {
    let mut dialled = dialled().go();
    dialled.recorded();
    dialled.answers(1);
    for mut caller in [talking(), dialled] {
        for queue in [None, Some("main".into())] {
            let requeue = Wish::Requeue { queue };
            assert_eq!(caller.wishes(requeue.clone()).map(<[_]>::len), Err(Unwilling::OwnCall));
            assert!(caller.wishes(Wish::Hold).is_ok() && caller.wishes(Wish::Resume).is_ok());
            assert_eq!(caller.wishes(requeue).map(<[_]>::len), Err(Unwilling::OwnCall), "turned round, too");
        }
        for wish in [Wish::Return, Wish::Leave, Wish::Merge] {
            assert_eq!(caller.wishes(wish.clone()).map(<[_]>::len), Err(Unwilling::NoThird), "{wish:?}");
        }
        assert_eq!(caller.call.state(), "talking");
        assert!(caller.wishes(Wish::End).is_ok_and(|said| said.contains(&"hang up 1".to_owned())));
    }
    let mut caller = dialling();
    for wish in [Wish::Consult { to: "1002".into() }, Wish::Hold, Wish::TakeOver { seat: "1002".into() }] {
        assert_eq!(caller.wishes(wish).map(<[_]>::len), Err(Unwilling::NotTalking), "nobody is there yet");
    }
}
