//! re-INVITEs: hold, resume, another offer, none, and one that cannot be taken.

use hotline::call::Input;
use hotline::sip::sdp::Direction;

use super::caller::{Caller, sdp, unusable};

const SENDONLY: Option<Direction> = Some(Direction::SendOnly);
const INACTIVE: Option<Direction> = Some(Direction::Inactive);

#[test]
fn whoever_holds_the_other_hears_music_and_resuming_brings_them_together() {
    for (holder, other) in [(0, 1), (1, 0)] {
        for (direction, answered, flows) in
            [(SENDONLY, "recvonly", "receive only"), (INACTIVE, "inactive", "neither way")]
        {
            let mut caller = Caller::talking("12345");
            // That the clerk holds is told: it is the caller who waits.
            let told = |word: &str| (holder == 1).then(|| format!("told leg 1 {word}"));
            let held = [
                Some(format!("200 to re-INVITE of {holder} {answered}")),
                Some(format!("change {holder} {flows}")),
                told("holds"),
                Some("part 0 and 1".to_owned()),
                Some(format!("loop {other}: hold_music")),
            ];
            let held: Vec<String> = held.into_iter().flatten().collect();
            assert_eq!(caller.reinvites(holder, Some(sdp(6_000, direction))), held);
            assert_eq!(caller.call.state(), "talking", "the seat is not free");
            let resumed = [
                Some(format!("200 to re-INVITE of {holder}")),
                Some(format!("change {holder}")),
                told("is back"),
                Some("bridge 0 and 1".to_owned()),
            ];
            let resumed: Vec<String> = resumed.into_iter().flatten().collect();
            assert_eq!(caller.reinvites(holder, Some(sdp(6_000, None))), resumed);
        }
    }
}

#[test]
fn two_who_hold_one_another_meet_again_only_when_both_resume() {
    let mut caller = Caller::talking("12345");
    caller.reinvites(0, Some(sdp(4_000, SENDONLY)));
    let both = ["200 to re-INVITE of 1 recvonly", "change 1 receive only", "told leg 1 holds", "quiet 1"];
    assert_eq!(caller.reinvites(1, Some(sdp(5_000, SENDONLY))), both, "nobody is there to hear music");
    let one = ["200 to re-INVITE of 0", "change 0", "loop 0: hold_music"];
    assert_eq!(caller.reinvites(0, Some(sdp(4_000, None))), one);
    let none = ["200 to re-INVITE of 1", "change 1", "told leg 1 is back", "bridge 0 and 1"];
    assert_eq!(caller.reinvites(1, Some(sdp(5_000, None))), none);
}

#[test]
fn a_session_refreshed_as_it_is_disturbs_nobody() {
    let mut caller = Caller::talking("12345");
    let said = caller.reinvites(1, Some(sdp(5_002, None)));
    assert_eq!(said, ["200 to re-INVITE of 1"], "neither sound nor bridge is touched");
}

/// Why it cannot.
const WHY: &str = "no codec in common";

/// RFC 3261 §14.2: a re-INVITE that is refused leaves the session as it was.
#[test]
fn an_offer_that_cannot_be_taken_gets_488_and_the_call_lives() {
    let mut caller = Caller::talking("12345");
    for leg in [0, 1] {
        let refused = [format!("488 to re-INVITE of {leg}: {WHY}")];
        assert_eq!(caller.reinvites(leg, Some(unusable())), refused);
        assert_eq!(caller.call.state(), "talking");
    }
    let held = caller.reinvites(1, Some(sdp(5_000, SENDONLY)));
    assert_eq!(held.last().map(String::as_str), Some("loop 0: hold_music"), "a good one is taken");
    assert_eq!(caller.reinvites(1, Some(unusable())), [format!("488 to re-INVITE of 1: {WHY}")]);
    let resumed = caller.reinvites(1, Some(sdp(5_000, None)));
    assert_eq!(resumed.last().map(String::as_str), Some("bridge 0 and 1"), "it was still on hold");
}

/// RFC 3261 §14.2, §13.2.1: a re-INVITE without an offer gets ours in 200.
#[test]
fn a_reinvite_without_an_offer_is_offered_one_and_the_ack_brings_the_answer() {
    let mut caller = Caller::talking("12345");
    assert_eq!(caller.reinvites(1, None), ["200 to re-INVITE of 1"]);
    let leg = caller.leg(1);
    assert_eq!(caller.tell(Input::Confirmed { leg, sdp: Some(sdp(5_004, None)) }), ["change 1"]);
    assert_eq!(caller.reinvites(0, None), ["200 to re-INVITE of 0"]);
    let leg = caller.leg(0);
    let held = ["change 0 receive only", "part 0 and 1", "loop 1: hold_music"];
    assert_eq!(caller.tell(Input::Confirmed { leg, sdp: Some(sdp(4_000, SENDONLY)) }), held);
}

#[test]
fn an_ack_whose_answer_cannot_be_taken_ends_that_leg() {
    let mut caller = Caller::talking("12345");
    caller.reinvites(1, None);
    let leg = caller.leg(1);
    let said = caller.tell(Input::Confirmed { leg, sdp: Some(unusable()) }).to_vec();
    assert_eq!(said[..2], ["hang up 1", "close 1"]);
    assert_eq!(said.last().map(String::as_str), Some("play 0: survey"), "the caller is not dropped");

    let mut caller = Caller::talking("12345");
    caller.reinvites(0, None);
    let leg = caller.leg(0);
    let said = caller.tell(Input::Confirmed { leg, sdp: None });
    assert!(said.contains(&"hang up 0".to_owned()) && said.contains(&"hang up 1".to_owned()), "{said:?}");
}

#[test]
fn who_holds_while_waiting_is_not_heard_when_a_clerk_is_there() {
    let mut caller = Caller::queued("12345");
    assert_eq!(
        caller.reinvites(0, Some(sdp(4_000, SENDONLY))),
        ["200 to re-INVITE of 0 recvonly", "change 0 receive only"]
    );
    caller.rings("1001");
    caller.answers(1);
    caller.heard_out(0);
    let said = caller.heard_out(1);
    assert_eq!(said, ["loop 1: hold_music"], "not for a moment");
    let resumed = ["200 to re-INVITE of 0", "change 0", "bridge 0 and 1"];
    assert_eq!(caller.reinvites(0, Some(sdp(4_000, None))), resumed);
}

#[test]
fn a_clerk_who_leaves_a_caller_on_hold_leaves_no_hold_behind() {
    let mut caller = Caller::talking("12345");
    caller.reinvites(1, Some(sdp(5_000, SENDONLY)));
    caller.vanishes(1);
    caller.rings("1002");
    caller.answers(2);
    caller.heard_out(0);
    assert_eq!(caller.heard_out(2), ["bridge 0 and 2"], "no part, no music");
}

#[test]
fn a_reinvite_of_a_leg_that_is_gone_gets_481() {
    let mut caller = Caller::talking("12345");
    caller.vanishes(1);
    assert_eq!(caller.reinvites(1, Some(sdp(5_000, None))), ["481 to re-INVITE of 1"]);
}
