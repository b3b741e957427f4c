//! A caller who left the offer to us and takes provisional answers reliably (RFC 3262 §5).

use hotline::call::Input;
use hotline::routing::plan::Plan;

use super::caller::{Caller, Dialling, sdp, unusable};

fn early(plan: &mut Plan) {
    plan.transition.early_media = true;
}

fn late(number: &'static str) -> Dialling {
    Dialling { reliable: true, ..Dialling::to(number).with(early).late_offer() }
}

fn pracks(caller: &mut Caller) -> &[String] {
    let leg = caller.leg(0);
    caller.tell(Input::Agreed { leg, sdp: Some(sdp(4_000, None)) })
}

#[test]
fn early_media_is_offered_in_183_and_heard_when_the_prack_is_here() {
    let mut caller = late("12336").go();
    assert_eq!(caller.said, ["180", "183 with sound"], "no sound before we know where to");
    assert_eq!(caller.recorded(), [""; 0]);
    assert_eq!(pracks(&mut caller), ["open 0", "told announced transition", "play 0: transition"]);
    assert_eq!(pracks(&mut caller), [""; 0], "once");
    let answered = ["200", "told answered", "change 0", "record 0"];
    let greeted = ["told announced greeting", "play 0: greeting"];
    assert_eq!(caller.heard_out(0), [&answered[..], &greeted].concat());
    let leg = caller.leg(0);
    assert_eq!(caller.tell(Input::Confirmed { leg, sdp: None }), [""; 0], "the ACK has nothing to add");
}

#[test]
fn an_early_offer_that_is_not_answered_or_cannot_be_ends_the_call() {
    for answer in [None, Some(unusable())] {
        let mut caller = late("12336").go();
        caller.recorded();
        let leg = caller.leg(0);
        let ended = ["refuse 488", "free port 10", "told closed Refused(488)", "over"];
        assert_eq!(caller.tell(Input::Agreed { leg, sdp: answer }), ended);
    }
}

#[test]
fn a_sub_centers_early_sound_waits_for_the_prack() {
    let mut caller = late("12366").go();
    caller.recorded();
    let leg = caller.leg(1);
    assert_eq!(
        caller.tell(Input::Progressed { leg, sdp: Some(sdp(5_000, None)) }),
        ["open 1", "183 with sound"]
    );
    assert_eq!(pracks(&mut caller), ["open 0", "bridge 0 and 1"]);
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
fn a_sub_center_that_answers_before_the_prack_is_joined_with_it() {
    let mut caller = late("12366").go();
    caller.recorded();
    let leg = caller.leg(1);
    caller.tell(Input::Progressed { leg, sdp: Some(sdp(5_000, None)) });
    let said = ["change 1", "told answered by 12366", "200", "told answered"];
    assert_eq!(caller.answers(1), said, "that 200 waits for the PRACK too");
    assert_eq!(pracks(&mut caller), ["open 0", "record 0", "bridge 0 and 1"]);
}

#[test]
fn a_caller_who_does_not_insist_hears_early_media_after_the_answer() {
    let mut caller = Dialling { reliable: false, ..late("12336") }.go();
    assert_eq!(caller.said, ["180"]);
    assert_eq!(caller.recorded(), ["200", "told answered"]);
}

#[test]
fn an_update_before_the_answer_moves_the_early_sound() {
    let mut caller = Dialling::to("12336").with(early).go();
    caller.recorded();
    assert_eq!(caller.reinvites(0, Some(sdp(4_444, None))), ["200 to re-INVITE of 0", "change 0"]);
    assert_eq!(caller.heard_out(0)[0], "200");
}
