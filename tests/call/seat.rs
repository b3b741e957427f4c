//! A clerk's telephone: rung, answered, refused, lost.

use hotline::call::Input;
use hotline::routing::plan::{Plan, SeatGreeting};

use super::caller::{Caller, Dialling, millis, sdp, secs, unusable};

const RINGS: [&str; 2] = ["want port 1 for seat 1001", "invite seat 1001 as 1"];

#[test]
fn a_clerk_who_answers_is_named_to_both_and_then_both_talk() {
    let mut caller = Caller::queued("12345");
    assert_eq!(caller.rings("1001"), RINGS);
    caller.wait(secs(3));
    let number = "gonghao digit_yao digit_0 digit_0 digit_yao wei_nin_fuwu";
    let said = caller.answers(1);
    assert_eq!(
        said,
        [
            "open 1",
            "seat 1001 answered",
            "told seat 1001 after 10000 ms",
            "told announced gonghao",
            &format!("play 0: {number}"),
            &format!("play 1: {number}"),
        ],
        "7 s in the queue and 3 s of ringing"
    );
    assert_eq!(caller.heard_out(1), [""; 0], "the caller still listens");
    assert_eq!(caller.heard_out(0), ["bridge 0 and 1"]);
    assert_eq!(caller.call.state(), "talking");
    let recorded = caller.all.iter().filter(|command| format!("{command:?}").contains("Record {")).count();
    assert_eq!(recorded, 1, "one recording from the answer on, whoever comes and goes");
}

#[test]
fn a_number_that_is_never_through_does_not_keep_them_apart() {
    let mut caller = Caller::ringing("12345");
    caller.answers(1);
    assert_eq!(caller.wait(millis(9_999)), [""; 0]);
    assert_eq!(caller.wait(millis(1)), ["bridge 0 and 1"]);
    assert_eq!(caller.wait(secs(60)), [""; 0]);
}

#[test]
fn a_city_may_leave_the_number_unsaid() {
    let silent = |plan: &mut Plan| plan.seat_greeting = SeatGreeting::Silent;
    let mut caller = Dialling::to("12345").with(silent).go().waits_its_turn();
    caller.rings("1001");
    let said = caller.answers(1);
    assert_eq!(said, ["open 1", "seat 1001 answered", "told seat 1001 after 7000 ms", "bridge 0 and 1"]);
}

#[test]
fn a_caller_who_leaves_while_a_seat_rings_ends_its_ringing_at_once() {
    let mut caller = Caller::ringing("12345");
    let said = caller.hangs_up(0);
    assert_eq!(said, ["leave queue", "hang up 1", "free port 11", "stop recording", "close 0"]);
    assert_eq!(caller.sound_closed(), ["told closed CallerHungUp", "over"]);
}

#[test]
fn a_clerk_who_refuses_leaves_the_caller_in_the_queue() {
    for status in [486, 480, 408, 603, 503] {
        let mut caller = Caller::ringing("12345");
        let failed = format!("seat 1001 did not take it: {status}");
        assert_eq!(caller.refuses(1, status), ["hang up 1", "free port 11", &failed]);
        assert_eq!(caller.call.state(), "waiting", "the music goes on");
        assert_eq!(caller.rings("1002"), ["want port 2 for seat 1002", "invite seat 1002 as 2"]);
        caller.answers(2);
        caller.heard_out(0);
        assert_eq!(caller.heard_out(2), ["bridge 0 and 2"]);
    }
}

#[test]
fn an_answer_without_a_codec_of_ours_is_as_good_as_a_refusal() {
    for answer in [None, Some(unusable())] {
        let mut caller = Caller::ringing("12345");
        let leg = caller.leg(1);
        let said = caller.tell(Input::Answered { leg, sdp: answer });
        assert_eq!(said, ["hang up 1", "free port 11", "seat 1001 did not take it: 488"]);
        assert_eq!(caller.call.state(), "waiting");
    }
}

#[test]
fn an_offer_that_lapses_stops_the_ringing_and_nothing_else() {
    let mut caller = Caller::ringing("12345");
    assert_eq!(caller.tell(Input::WithdrawSeat { seat: "1002".into() }), [""; 0], "another seat's");
    let said = caller.tell(Input::WithdrawSeat { seat: "1001".into() });
    assert_eq!(said, ["hang up 1, served elsewhere", "free port 11"], "no missed call (RFC 3326 §3.1)");
    assert_eq!(caller.call.state(), "waiting");
    assert_eq!(caller.answers(1), [""; 0], "too late");
}

#[test]
fn a_seat_that_is_offered_twice_or_too_late_is_free_again() {
    let mut caller = Caller::ringing("12345");
    assert_eq!(caller.rings("1001"), ["seat 1001 did not take it: 487"]);
    let mut caller = Caller::talking("12345");
    assert_eq!(caller.rings("1002"), ["seat 1002 did not take it: 487"]);
}

#[test]
fn without_a_port_the_seat_is_given_back_and_the_caller_waits() {
    let mut caller = Dialling { ports: false, ..Dialling::to("12345") }.go().waits_its_turn();
    assert_eq!(caller.rings("1001"), ["want port 1 for seat 1001", "seat 1001 did not take it: 503"]);
    assert_eq!(caller.call.state(), "waiting");
}

#[test]
fn a_clerk_whose_telephone_vanishes_gives_the_caller_back_to_the_head_of_the_queue() {
    let back = [
        "told queued in main",
        "loop 0: hold_music",
        "join main at its head",
        "told announced seat_lost",
        "play 0: seat_lost",
    ];
    let mut caller = Caller::talking("12345");
    caller.wait(secs(20));
    let gone =
        ["hang up 1", "close 1", "told seat 1001 vanished after 20000 ms", "seat 1001 vanished", "quiet 0"];
    assert_eq!(caller.vanishes(1), [&gone[..], &back].concat());
    assert_eq!(caller.heard_out(0), ["loop 0: hold_music"]);
    caller.rings("1002");
    caller.answers(2);
    caller.heard_out(0);
    assert_eq!(caller.heard_out(2), ["bridge 0 and 2"]);

    let mut caller = Caller::ringing("12345");
    caller.answers(1);
    let leg = caller.leg(1);
    let gone =
        ["hang up 1", "close 1", "told seat 1001 vanished after 0 ms", "seat 1001 vanished", "quiet 0"];
    let said = caller.tell(Input::SoundFailed { leg });
    assert_eq!(said, [&gone[..], &back].concat(), "before a word was said, by a fault of ours");
    assert_eq!(caller.wait(secs(60)), [""; 0], "nothing is left over from the introduction");
}

#[test]
fn a_clerk_who_hangs_up_before_a_word_is_said_gives_the_caller_back_to_the_queue() {
    let mut caller = Caller::ringing("12345");
    caller.answers(1);
    let said = caller.hangs_up(1);
    let left = ["hang up 1", "close 1", "told seat 1001 left after 0 ms", "seat 1001 is free", "quiet 0"];
    let back = [
        "told queued in main",
        "loop 0: hold_music",
        "join main at its head",
        "told announced seat_lost",
        "play 0: seat_lost",
    ];
    assert_eq!(said, [&left[..], &back].concat(), "a person, not a question about one");
}

#[test]
fn a_caller_who_loses_one_clerk_after_another_gets_the_message_and_a_ticket_at_last() {
    let mut caller = Caller::ringing("12345");
    for leg in 1..=3 {
        caller.answers(leg);
        let said = caller.hangs_up(leg);
        assert!(said.contains(&"join main at its head".to_owned()), "clerk {leg}: {said:?}");
        caller.rings("1001");
    }
    caller.answers(4);
    let said = caller.hangs_up(4);
    assert!(said.iter().any(|told| told.starts_with("told ticket")), "{said:?}");
    assert!(said.contains(&"told announced no_seat".to_owned()), "{said:?}");
    assert!(!said.iter().any(|told| told.starts_with("join")), "{said:?}");
}

#[test]
fn a_clerk_who_hangs_up_leaves_the_caller_with_the_survey_or_with_nothing() {
    let mut caller = Caller::talking("12345");
    caller.wait(secs(90));
    let left = ["hang up 1", "close 1", "told seat 1001 left after 90000 ms", "seat 1001 is free", "quiet 0"];
    let asked = ["told announced survey", "play 0: survey"];
    assert_eq!(caller.hangs_up(1), [&left[..], &asked].concat());

    let off = |plan: &mut Plan| plan.survey.enabled = false;
    let mut caller = Dialling::to("12345").with(off).go().waits_its_turn();
    caller.rings("1001");
    caller.answers(1);
    caller.heard_out(0);
    caller.heard_out(1);
    let left = ["hang up 1", "close 1", "told seat 1001 left after 0 ms", "seat 1001 is free", "quiet 0"];
    let over = ["hang up 0", "stop recording", "close 0"];
    assert_eq!(caller.hangs_up(1), [&left[..], &over].concat());
    assert_eq!(caller.sound_closed(), ["told closed OtherHungUp", "over"], "no ticket: they talked");
}

#[test]
fn a_caller_who_leaves_frees_the_clerk() {
    let mut caller = Caller::talking("12345");
    caller.wait(secs(30));
    let said = caller.hangs_up(0);
    let freed = ["hang up 1", "close 1", "told seat 1001 left after 30000 ms", "seat 1001 is free"];
    assert_eq!(said, [&freed[..], &["stop recording", "close 0"]].concat());
}

#[test]
fn what_rings_early_from_a_seat_is_not_passed_on() {
    let mut caller = Caller::ringing("12345");
    let leg = caller.leg(1);
    assert_eq!(caller.tell(Input::Progressed { leg, sdp: None }), [""; 0]);
    assert_eq!(caller.tell(Input::Progressed { leg, sdp: Some(sdp(5_000, None)) }), [""; 0], "music goes on");
}
