//! A clerk puts a caller through by REFER: the target answers, is busy, is silent; somebody leaves
//! in the middle of it.

use hotline::call::{Command, EndWhy, Input, Told};
use hotline::routing::plan::Plan;

use super::caller::{Caller, Dialling, millis, sdp, secs};

const TAXES: &str = "sip:12366@hotline.puyang";

/// Number of the REFER: any.
const REFER: u32 = 3;

fn refers(caller: &mut Caller, index: u16, target: &str) -> Vec<String> {
    let leg = caller.leg(index);
    caller.tell(Input::Referred { leg, refer: REFER, target: target.into(), attended: None }).to_vec()
}

/// Talking for 20 s, then the clerk puts the caller through to the tax office.
fn put_through() -> Caller {
    let mut caller = Caller::talking("12345");
    caller.wait(secs(20));
    refers(&mut caller, 1, TAXES);
    caller
}

const RELEASED: [&str; 6] = [
    "told transfer to 12366: Accepted",
    "NOTIFY 1 of 200",
    "hang up 1",
    "close 1",
    "told seat 1001 left after 20000 ms",
    "seat 1001 is free",
];

#[test]
fn a_target_that_answers_has_the_caller_and_the_clerk_is_told_and_let_go() {
    let mut caller = Caller::talking("12345");
    caller.wait(secs(20));
    let begun = [
        "202 to REFER of 1",
        "part 0 and 1",
        "told announced transfer_wait",
        "play 0: transfer_wait",
        "told transfer to 12366: Requested",
        "told dialled 12366",
        "want port 2 for 12366 by sub-12366",
        "invite 12366 by sub-12366 as 2",
    ];
    assert_eq!(refers(&mut caller, 1, TAXES), begun);
    assert_eq!(caller.call.state(), "transferring");
    assert_eq!(caller.heard_out(0), ["loop 0: ringback"]);
    let leg = caller.leg(2);
    let rings = ["NOTIFY 1 of 180", "told transfer to 12366: Ringing"];
    assert_eq!(caller.tell(Input::Progressed { leg, sdp: None }), rings);
    assert_eq!(caller.tell(Input::Progressed { leg, sdp: None }), ["NOTIFY 1 of 180"], "`sip` tells it once");
    let said = caller.answers(2);
    let joined = ["told answered by 12366", "bridge 0 and 2"];
    assert_eq!(said, [&["open 2"], &RELEASED[..], &joined].concat());
    assert_eq!(caller.call.state(), "talking");
    assert_eq!(caller.wait(secs(60)), [""; 0], "the ringing's bound is off");
    let recorded = caller.all.iter().filter(|command| format!("{command:?}").contains("Record {")).count();
    assert_eq!(recorded, 1, "one recording throughout");
    let asked = [
        "hang up 2",
        "close 2",
        "told sub-12366/12366 left after 60000 ms",
        "quiet 0",
        "told announced survey",
        "play 0: survey",
    ];
    assert_eq!(caller.hangs_up(2), asked, "a clerk has talked, and can be asked about");
}

#[test]
fn a_targets_early_sound_is_heard_and_the_clerk_is_told_that_it_rings() {
    let mut caller = put_through();
    let leg = caller.leg(2);
    let heard = ["NOTIFY 1 of 183", "told transfer to 12366: Ringing", "open 2", "bridge 0 and 2"];
    assert_eq!(caller.tell(Input::Progressed { leg, sdp: Some(sdp(5_000, None)) }), heard);
    let said = caller.answers(2);
    assert_eq!(said, [&["change 2"], &RELEASED[..], &["told answered by 12366", "bridge 0 and 2"]].concat());
}

#[test]
fn a_target_that_does_not_take_the_caller_gives_both_back_to_one_another() {
    for status in [404, 408, 486, 500, 603] {
        let mut caller = put_through();
        let told = format!("told failed 12366: {status}");
        let failed = format!("told transfer to 12366: Failed({status})");
        let notify = format!("NOTIFY 1 of {status}");
        let back = ["hang up 2", "free port 12", &told, &failed, &notify, "bridge 0 and 1"];
        assert_eq!(caller.refuses(2, status), back);
        assert_eq!(caller.call.state(), "talking");
        caller.wait(secs(10));
        let said = caller.hangs_up(1);
        assert!(said.contains(&"told seat 1001 left after 30000 ms".to_owned()), "{said:?}");
        assert!(said.contains(&"told announced survey".to_owned()), "they have talked: {said:?}");
    }
}

#[test]
fn a_target_rings_no_longer_than_the_plan_says() {
    let mut caller = put_through();
    assert_eq!(caller.wait(millis(24_999)), [""; 0]);
    let back = [
        "hang up 2",
        "free port 12",
        "told failed 12366: 0",
        "told transfer to 12366: Failed(408)",
        "NOTIFY 1 of 408",
        "bridge 0 and 1",
    ];
    assert_eq!(caller.wait(millis(1)), back);
    assert_eq!(caller.answers(2), [""; 0], "too late");
    assert_eq!(caller.wait(secs(60)), [""; 0]);
}

#[test]
fn a_target_without_a_port_or_with_an_answer_that_cannot_be_taken_has_not_answered() {
    let mut caller = put_through();
    let leg = caller.leg(2);
    let said = caller.tell(Input::Answered { leg, sdp: Some(super::caller::unusable()) });
    assert!(said.contains(&"NOTIFY 1 of 488".to_owned()), "{said:?}");
    assert_eq!(said.last().unwrap(), "bridge 0 and 1");
}

#[test]
fn a_clerk_who_holds_while_it_rings_and_fails_leaves_the_caller_with_music() {
    let held = Some(hotline::sip::sdp::Direction::SendOnly);
    let mut caller = put_through();
    assert_eq!(
        caller.reinvites(1, Some(sdp(5_000, held))),
        ["200 to re-INVITE of 1 recvonly", "change 1 receive only"]
    );
    let said = caller.refuses(2, 486).to_vec();
    assert_eq!(said[said.len() - 2..], ["told leg 1 holds", "loop 0: hold_music"]);
    let back = ["200 to re-INVITE of 1", "change 1", "told leg 1 is back", "bridge 0 and 1"];
    assert_eq!(caller.reinvites(1, Some(sdp(5_000, None))), back);
    // Held before already, as many telephones do.
    let mut caller = Caller::talking("12345");
    caller.reinvites(1, Some(sdp(5_000, held)));
    let said = refers(&mut caller, 1, TAXES);
    assert_eq!(said[0], "202 to REFER of 1");
    assert_eq!(caller.answers(2).last().unwrap(), "bridge 0 and 2");
}

#[test]
fn a_clerk_who_hangs_up_behind_the_202_has_not_stopped_the_transfer() {
    let gone = ["hang up 1", "close 1", "told seat 1001 left after 20000 ms", "seat 1001 is free"];
    let mut caller = put_through();
    assert_eq!(caller.hangs_up(1), gone);
    assert_eq!(caller.call.state(), "transferring");
    let joined = [
        "open 2",
        "told transfer to 12366: Accepted",
        "NOTIFY 1 of 200",
        "told answered by 12366",
        "bridge 0 and 2",
    ];
    assert_eq!(caller.answers(2), joined);

    let mut caller = put_through();
    caller.hangs_up(1);
    let first_in_line = [
        "hang up 2",
        "free port 12",
        "told failed 12366: 486",
        "told transfer to 12366: Failed(486)",
        "NOTIFY 1 of 486",
        "quiet 0",
        "told queued in main",
        "loop 0: hold_music",
        "join main at its head",
        "told announced seat_lost",
        "play 0: seat_lost",
    ];
    assert_eq!(caller.refuses(2, 486), first_in_line);
    caller.rings("1002");
    assert_eq!(caller.answers(3)[0], "open 3");

    let mut caller = put_through();
    let said = caller.vanishes(1).to_vec();
    assert_eq!(said[2..], ["told seat 1001 vanished after 20000 ms", "seat 1001 vanished"]);
    assert_eq!(caller.call.state(), "transferring");
}

#[test]
fn a_caller_who_leaves_in_the_middle_ends_all_of_it() {
    let mut caller = put_through();
    let all = [
        "told transfer to 12366: Failed(487)",
        "NOTIFY 1 of 487",
        "hang up 1",
        "close 1",
        "told seat 1001 left after 20000 ms",
        "seat 1001 is free",
        "hang up 2",
        "free port 12",
        "stop recording",
        "close 0",
    ];
    assert_eq!(caller.hangs_up(0), all);
    assert_eq!(caller.sound_closed(), ["told closed CallerHungUp", "over"]);
}

#[test]
fn a_house_that_closes_ends_a_transfer_too() {
    let mut caller = put_through();
    let said = caller.tell(Input::End { cause: EndWhy::Drained }).to_vec();
    assert!(said.contains(&"NOTIFY 1 of 487".to_owned()), "{said:?}");
    for leg in ["hang up 0", "hang up 1", "hang up 2"] {
        assert_eq!(said.iter().filter(|word| *word == leg).count(), 1, "{said:?}");
    }
    assert_eq!(caller.sound_closed(), ["told closed Drained", "over"]);
}

#[test]
fn another_seat_is_offered_the_caller_and_named_to_them() {
    let mut caller = Caller::talking("12345");
    let said = refers(&mut caller, 1, "sip:1002@hotline.puyang");
    assert_eq!(said.last().unwrap(), "want seat 1002");
    assert_eq!(caller.rings("1003"), ["seat 1003 did not take it: 487"], "another one's offer");
    assert_eq!(caller.rings("1002"), ["want port 2 for seat 1002", "invite seat 1002 as 2"]);
    let said = caller.answers(2).to_vec();
    let position = |word: &str| {
        said.iter().position(|said| said == word).unwrap_or_else(|| panic!("{word} in {said:?}"))
    };
    assert!(position("NOTIFY 1 of 200") < position("hang up 1"), "told first");
    assert!(position("seat 1001 is free") < position("seat 1002 answered"));
    caller.heard_out(0);
    assert_eq!(caller.heard_out(2), ["bridge 0 and 2"]);
    let asked = caller.hangs_up(2);
    assert!(asked.contains(&"told announced survey".to_owned()), "{asked:?}");
}

#[test]
fn a_seat_that_does_not_take_it_leaves_the_caller_where_they_were_row_by_row() {
    let to_seat = || {
        let mut caller = Caller::talking("12345");
        refers(&mut caller, 1, "sip:1002@hotline.puyang");
        caller
    };
    let mut busy = to_seat();
    let said = busy.tell(Input::NoSeat).to_vec();
    assert_eq!(said, ["told transfer to 1002: Failed(486)", "NOTIFY 1 of 486", "bridge 0 and 1"]);
    let mut refused = to_seat();
    refused.rings("1002");
    let said = refused.refuses(2, 603).to_vec();
    assert_eq!(said[2], "seat 1002 did not take it: 603");
    assert_eq!(said[4..], ["NOTIFY 1 of 603", "bridge 0 and 1"]);
    let mut lapsed = to_seat();
    lapsed.rings("1002");
    let said = lapsed.tell(Input::WithdrawSeat { seat: "1002".into() }).to_vec();
    assert_eq!(said[0], "hang up 2, served elsewhere");
    assert_eq!(said[3..], ["NOTIFY 1 of 480", "bridge 0 and 1"]);
    let mut not_rung = to_seat();
    let said = not_rung.tell(Input::WithdrawSeat { seat: "1002".into() }).to_vec();
    assert_eq!(said[1..], ["NOTIFY 1 of 480", "bridge 0 and 1"]);
    // It picked up in the moment in which the offer lapsed, and the clerk is gone.
    let mut crossed = to_seat();
    crossed.rings("1002");
    crossed.answers(2);
    let said = crossed.tell(Input::WithdrawSeat { seat: "1002".into() }).to_vec();
    assert!(said.contains(&"join main at its head".to_owned()), "{said:?}");
    let mut gone = to_seat();
    let said = gone.hangs_up(0).to_vec();
    assert_eq!(said[0], "leave queue", "the other telephone's ringing ends");
}

/// No open relay: numbers of the plan that a trunk leads to, and seats; nobody else asks.
#[test]
fn who_may_put_whom_through_to_where_row_by_row() {
    for (target, status) in [
        ("sip:12366@hotline.puyang", None),
        ("tel:+86-393-12313", None),
        ("sip:119@hotline.puyang", None),
        ("sip:1002@hotline.puyang;user=phone", None),
        ("sip:1001@hotline.puyang", Some(603)), // The clerk's own.
        ("sip:13800000000@hotline.puyang", Some(403)),
        ("sip:00861380000@hotline.puyang", Some(403)),
        ("tel:037112366", Some(403)),            // Another city's.
        ("sip:12369@hotline.puyang", Some(403)), // Queued for, not reached by a trunk.
        ("sip:9999@hotline.puyang", Some(403)),
        ("tel:1002", Some(403)), // A seat is no number.
        ("sip:hotline.puyang", Some(403)),
    ] {
        let mut caller = Caller::talking("12345");
        let said = refers(&mut caller, 1, target);
        match status {
            None => assert_eq!(said[0], "202 to REFER of 1", "{target}"),
            Some(status) => {
                let declined = format!("told transfer to {target}: Declined({status})");
                assert_eq!(said, [declined, format!("{status} to REFER of 1")]);
                assert_eq!(caller.call.state(), "talking");
            }
        }
    }
    let mut caller = Caller::talking("12345");
    for _ in 0..100 {
        refers(&mut caller, 1, "sip:9999@hotline.puyang");
    }
    let told =
        caller.all.iter().filter(|command| matches!(command, Command::Tell(Told::Transfer { .. }))).count();
    assert_eq!(told, 8, "whoever asks on and on fills no disk");
    let mut caller = Caller::talking("12345");
    assert_eq!(refers(&mut caller, 0, TAXES)[1], "603 to REFER of 0", "a caller puts nobody through");
    let mut caller = put_through();
    assert_eq!(refers(&mut caller, 1, TAXES), ["491 to REFER of 1"], "one at a time");
    let mut caller = Caller::ringing("12345");
    caller.answers(1);
    assert_eq!(refers(&mut caller, 1, TAXES), ["491 to REFER of 1"], "not before they talk");
    let mut caller = Caller::talking("12345");
    let leg = caller.leg(1);
    let said = caller
        .tell(Input::Referred { leg, refer: 1, target: TAXES.into(), attended: Some(Err(603)) })
        .to_vec();
    let declined = ["told Attended transfer to sip:12366@hotline.puyang: Declined(603)", "603 to REFER of 1"];
    assert_eq!(said, declined, "an attended one needs calls of clerks' own");
}

#[test]
fn a_sub_center_may_pass_its_caller_on_and_a_failure_is_as_if_it_had_not_answered() {
    let on = || {
        let mut caller = Dialling::to("12366").go();
        caller.recorded();
        caller.answers(1);
        let said = refers(&mut caller, 1, "sip:12313@hotline.puyang");
        assert_eq!(said.last().unwrap(), "invite 12313 by sub-12313 as 2");
        caller
    };
    let mut caller = on();
    assert_eq!(caller.answers(2).last().unwrap(), "bridge 0 and 2");
    let mut caller = on();
    caller.hangs_up(1);
    let said = caller.refuses(2, 486).to_vec();
    assert_eq!(said.last().unwrap(), "play 0: sub_center_unanswered");
}

#[test]
fn a_key_told_twice_is_one_press() {
    let survey = |plan: &mut Plan| plan.survey.enabled = true;
    let mut caller = Dialling::to("12345").with(survey).go().waits_its_turn();
    let leg = caller.leg(0);
    assert_eq!(caller.presses('5'), ["told digit 5"]);
    assert_eq!(caller.tell(Input::DigitTold { leg, digit: '5' }), [""; 0]);
    assert_eq!(caller.tell(Input::DigitTold { leg, digit: '6' }), ["told digit 6"]);
    assert_eq!(caller.presses('6'), [""; 0]);
    caller.wait(secs(5));
    assert_eq!(caller.tell(Input::DigitTold { leg, digit: '6' }), ["told digit 6"], "a later press");
}

#[test]
fn a_key_by_signalling_reaches_the_menu_of_whom_the_caller_talks_with() {
    let mut caller = Dialling::to("12366").go();
    caller.recorded();
    caller.answers(1);
    let leg = caller.leg(0);
    assert_eq!(caller.tell(Input::DigitTold { leg, digit: '2' }), ["digits 2 to 1", "told digit 2"]);
}
