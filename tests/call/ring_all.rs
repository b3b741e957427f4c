//! Several seats ring for one caller: the first to pick up has the call, the others ring until the bridge
//! stands, and have it if the first one fails.

use hotline::call::{Command, Input};

use super::caller::{Caller, secs};

/// Three ring.
fn ringing() -> Caller {
    let mut caller = Caller::queued("12345");
    for (index, seat) in ["1001", "1002", "1003"].into_iter().enumerate() {
        let leg = index + 1;
        let rings = [format!("want port {leg} for seat {seat}"), format!("invite seat {seat} as {leg}")];
        assert_eq!(caller.rings(seat), rings);
    }
    assert_eq!(caller.call.state(), "ringing");
    caller
}

fn bridged(caller: &Caller) -> usize {
    caller.all.iter().filter(|command| **command == Command::Bridged).count()
}

#[test]
fn the_first_has_the_caller_and_the_others_ring_until_the_bridge_stands() {
    let mut caller = ringing();
    let said = caller.answers(2).to_vec();
    assert_eq!(said[..2], ["open 2", "seat 1002 answered"]);
    assert!(!said.iter().any(|said| said.starts_with("hang up")), "{said:?}");
    assert_eq!(bridged(&caller), 0);
    caller.heard_out(0);
    assert_eq!(caller.heard_out(2), ["bridge 0 and 2"]);
    assert_eq!(bridged(&caller), 1, "`acd` is told");
    for (seat, leg) in [("1001", 1), ("1003", 3)] {
        let said = caller.tell(Input::WithdrawSeat { seat: seat.into() });
        assert_eq!(said, [format!("hang up {leg}, served elsewhere"), format!("free port 1{leg}")]);
    }
    assert_eq!(caller.call.state(), "talking");
    assert_eq!(caller.hangs_up(2).last().unwrap(), "play 0: survey");
}

#[test]
fn where_the_first_one_fails_before_a_word_the_others_ring_on() {
    type Fails = fn(&mut Caller) -> Vec<String>;
    let ways: [Fails; 3] = [
        |caller| caller.hangs_up(2).to_vec(),
        |caller| caller.vanishes(2).to_vec(),
        |caller| {
            let leg = caller.leg(2);
            caller.tell(Input::SoundFailed { leg }).to_vec()
        },
    ];
    for fails in ways {
        let mut caller = ringing();
        caller.answers(2);
        let said = fails(&mut caller);
        assert_eq!(said[..2], ["hang up 2", "close 2"]);
        assert_eq!(said[4..], ["quiet 0", "loop 0: hold_music", "join main at its head"]);
        assert_eq!(caller.call.state(), "ringing");
        let said = caller.answers(3).to_vec();
        assert_eq!(said[1], "seat 1003 answered");
        caller.heard_out(0);
        assert_eq!(caller.heard_out(3), ["bridge 0 and 3"]);
    }
}

#[test]
fn who_picks_up_second_is_kept_in_reserve() {
    let mut caller = ringing();
    caller.answers(2);
    assert_eq!(caller.answers(3), ["open 3"], "hears nothing, and is not counted");
    let said = caller.hangs_up(2).to_vec();
    assert!(said.contains(&"seat 1003 answered".to_owned()), "has the caller at once: {said:?}");
    caller.heard_out(0);
    assert_eq!(caller.heard_out(3), ["bridge 0 and 3"]);
    // Not needed: let go of when `acd` says so.
    let mut caller = ringing();
    caller.answers(2);
    caller.answers(3);
    caller.heard_out(0);
    caller.heard_out(2);
    let said = caller.tell(Input::WithdrawSeat { seat: "1003".into() });
    assert_eq!(said, ["hang up 3, served elsewhere", "close 3"], "it never was this call's");
    // And gone by itself.
    let mut caller = ringing();
    caller.answers(2);
    caller.answers(3);
    let said = caller.hangs_up(3);
    assert_eq!(said, ["hang up 3", "close 3", "seat 1003 did not take it: 480"]);
}

#[test]
fn each_seat_fails_by_itself() {
    let mut caller = ringing();
    let said = caller.refuses(1, 486);
    assert_eq!(said, ["hang up 1", "free port 11", "seat 1001 did not take it: 486"]);
    let said = caller.tell(Input::WithdrawSeat { seat: "1003".into() });
    assert_eq!(said, ["hang up 3, served elsewhere", "free port 13"]);
    assert_eq!(caller.call.state(), "ringing");
    caller.refuses(2, 603);
    assert_eq!(caller.call.state(), "waiting");
}

#[test]
fn a_caller_who_leaves_before_a_word_leaves_the_queue_for_seats_that_are_about_to_ring() {
    let mut caller = Caller::queued("12345");
    caller.rings("1001");
    caller.answers(1);
    // Another seat's telephone is not done with the call before: only `acd` knows of that offer.
    let said = caller.hangs_up(0).to_vec();
    assert_eq!(said.iter().filter(|said| *said == "leave queue").count(), 1, "{said:?}");
    let mut caller = Caller::queued("12345");
    caller.rings("1001");
    caller.answers(1);
    caller.heard_out(0);
    caller.heard_out(1);
    let said = caller.hangs_up(0).to_vec();
    assert!(!said.contains(&"leave queue".to_owned()), "{said:?}");
}

#[test]
fn a_caller_who_leaves_ends_all_the_ringing() {
    let mut caller = ringing();
    let said = caller.hangs_up(0).to_vec();
    for leg in ["hang up 1", "hang up 2", "hang up 3"] {
        assert_eq!(said.iter().filter(|said| *said == leg).count(), 1, "{said:?}");
    }
    let mut caller = ringing();
    let said = caller.tell(Input::Overflowed { waited: secs(300) });
    assert_eq!(said.iter().filter(|said| said.starts_with("hang up")).count(), 3, "{said:?}");
}

#[test]
fn so_many_ring_and_no_more() {
    let mut caller = Caller::queued("12345");
    for seat in 0..32 {
        assert_eq!(caller.rings(&format!("seat{seat}")).len(), 2);
    }
    assert_eq!(caller.rings("one too many"), ["seat one too many did not take it: 487"]);
}
