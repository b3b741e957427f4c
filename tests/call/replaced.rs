//! An INVITE with Replaces moves a leg to another telephone; the call does not notice.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use hotline::call::Input;
use hotline::sip::sdp::{Direction, Sdp};

use super::caller::{Caller, Dialling, sdp, secs, unusable};

fn replaces(caller: &mut Caller, index: u16, offer: Option<Arc<Sdp>>) -> Vec<String> {
    let peer = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 77));
    let leg = caller.leg(index);
    caller.tell(Input::Replaced { leg, offer, peer, keys: None }).to_vec()
}

#[test]
fn either_side_of_a_talk_may_move_and_the_sound_goes_on() {
    for (index, port) in [(0, 4_100), (1, 5_100)] {
        let mut caller = Caller::talking("12345");
        let said = replaces(&mut caller, index, Some(sdp(port, None)));
        let moved =
            [format!("200 in place of {index}"), format!("told replaced {index}"), format!("change {index}")];
        assert_eq!(said, moved, "same leg, same port, same recording");
        assert_eq!(caller.call.state(), "talking");
        caller.wait(secs(60));
        assert_eq!(caller.call.state(), "talking");
    }
}

#[test]
fn who_moves_on_hold_holds_and_who_moves_with_a_late_offer_is_heard_from_the_ack_on() {
    let mut caller = Caller::talking("12345");
    let said = replaces(&mut caller, 0, Some(sdp(4_100, Some(Direction::SendOnly))));
    assert_eq!(said[3..], ["part 0 and 1", "loop 1: hold_music"]);
    let mut caller = Caller::talking("12345");
    assert_eq!(replaces(&mut caller, 0, None), ["200 in place of 0", "told replaced 0"]);
    assert_eq!(replaces(&mut caller, 0, None), ["481 in place of 0"], "not before the ACK");
    let leg = caller.leg(0);
    assert_eq!(caller.tell(Input::Confirmed { leg, sdp: Some(sdp(4_100, None)) }), ["change 0"]);
}

#[test]
fn a_caller_may_move_while_they_wait() {
    let mut caller = Caller::queued("12345");
    let said = replaces(&mut caller, 0, Some(sdp(4_100, None)));
    assert_eq!(said, ["200 in place of 0", "told replaced 0", "change 0"]);
    assert_eq!(caller.call.state(), "waiting");
}

#[test]
fn what_cannot_move_stays_as_it_is_row_by_row() {
    let mut caller = Caller::talking("12345");
    assert_eq!(replaces(&mut caller, 0, Some(unusable())), ["488 in place of 0"]);
    assert_eq!(caller.call.state(), "talking");
    let mut caller = Caller::ringing("12345");
    assert_eq!(replaces(&mut caller, 1, Some(sdp(5_100, None))), ["481 in place of 1"]);
    let mut caller = Dialling::to("12366").go();
    assert_eq!(replaces(&mut caller, 0, Some(sdp(4_100, None))), ["481 in place of 0"]);
}

#[test]
fn whoever_comes_for_a_call_that_is_over_hears_so() {
    let mut caller = Caller::talking("12345");
    caller.hangs_up(0);
    assert_eq!(replaces(&mut caller, 1, Some(sdp(5_100, None))), ["481 in place of 1"]);
    let leg = caller.leg(1);
    let refer = Input::Referred { leg, refer: 2, target: "sip:12366@h".into(), attended: None };
    assert_eq!(caller.tell(refer).len(), 1, "declined");
}
