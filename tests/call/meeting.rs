//! A call in a meeting room: in after the record, muted by `*6`, quiet on hold, and out.

use hotline::call::{EndWhy, Input};
use hotline::media::Order;
use hotline::media::order::{ConferenceId, Group};
use hotline::routing::plan::{Flow, Plan, Step};
use hotline::sip::sdp::Direction;

use super::caller::{Caller, Dialling, millis, sdp, secs};

const ROOM: u64 = 94_000_001;
const FULL: &str = "join 0 to 94000001 with Rights { hears: true, heard_by: Everyone }";
const MUTED: &str = "join 0 to 94000001 with Rights { hears: true, heard_by: Nobody }";
const HELD: &str = "join 0 to 94000001 with Rights { hears: false, heard_by: Nobody }";

/// What a call to the room does; `word`: said before.
fn dialling(word: bool, record: bool) -> Dialling {
    let steps = match word {
        true => vec![Step::Answer, Step::Play("transfer_wait".into()), Step::Meet { room: ROOM }],
        false => vec![Step::Answer, Step::Meet { room: ROOM }],
    };
    let flow = Flow { line: "94000001".into(), steps, record };
    Dialling { flow: Some(flow), ..Dialling::to("94000001") }
}

fn member() -> Caller {
    let mut caller = dialling(false, false).go();
    caller.recorded();
    assert_eq!(caller.call.state(), "meeting");
    caller
}

#[test]
fn a_member_is_answered_after_its_record_and_joins() {
    let mut caller = dialling(false, false).go();
    assert_eq!(caller.said, [""; 0], "nobody's telephone rings");
    assert_eq!(caller.wait(millis(249)), [""; 0]);
    assert_eq!(caller.recorded(), ["200", "told answered", "open 0", "told in the room", FULL]);
}

#[test]
fn a_word_comes_first_where_the_plan_has_one_and_a_recording_where_it_wants_one() {
    let mut caller = dialling(true, true).go();
    let heard = [
        "200",
        "told answered",
        "open 0",
        "record 0",
        "told announced transfer_wait",
        "play 0: transfer_wait",
    ];
    assert_eq!(caller.recorded(), heard);
    assert_eq!(caller.call.state(), "prompt");
    assert_eq!(caller.heard_out(0), ["told in the room", FULL]);
    let left = ["told out of the room after 0 ms", "stop recording", "close 0"];
    assert_eq!(caller.hangs_up(0), left);
}

/// Legs that are to hear one another are served together: those of all calls of a room.
#[test]
fn all_members_are_of_one_group_that_the_room_decides_and_other_calls_of_their_own() {
    let opened = |caller: &Caller| {
        let opened = caller.all.iter().find_map(|command| match command {
            hotline::call::Command::Sound(Order::Open { config, .. }) => Some(config.group),
            _ => None,
        });
        opened.expect("its sound is open")
    };
    assert_eq!(opened(&member()), Group::of_conference(ConferenceId(ROOM)));
    let mut talking = Caller::talking("12345");
    assert_eq!(opened(&talking), Group::of_call(talking.id));
    talking.all.retain(|command| match command {
        hotline::call::Command::Sound(Order::Open { leg, .. }) => leg.index > 0,
        _ => false,
    });
    assert_eq!(opened(&talking), Group::of_call(talking.id), "its other leg's too");
}

#[test]
fn a_late_offer_joins_when_its_answer_is_there() {
    let mut caller = dialling(false, false).late_offer().go();
    assert_eq!(caller.recorded(), ["200", "told answered"]);
    let leg = caller.leg(0);
    let joined = ["open 0", "told in the room", FULL];
    assert_eq!(caller.tell(Input::Confirmed { leg, sdp: Some(sdp(4_000, None)) }), joined);
}

#[test]
fn star_six_mutes_and_unmutes_and_other_keys_do_not() {
    let mut caller = member();
    assert_eq!(caller.presses('*'), ["told digit *"]);
    assert_eq!(caller.presses('6'), ["told digit 6", MUTED]);
    assert_eq!(caller.presses('6'), ["told digit 6"], "no star before it");
    caller.presses('*');
    assert_eq!(caller.presses('5'), ["told digit 5"]);
    assert_eq!(caller.presses('6'), ["told digit 6"], "the star is used up");
    caller.presses('*');
    caller.presses('*');
    assert_eq!(caller.presses('6'), ["told digit 6", FULL]);
    caller.presses('*');
    caller.wait(secs(5));
    assert_eq!(caller.presses('6'), ["told digit 6"], "too late for that star");
}

#[test]
fn a_press_that_is_told_both_ways_mutes_once() {
    let mut caller = member();
    let leg = caller.leg(0);
    for digit in ['*', '6'] {
        caller.tell(Input::Digit { leg, digit });
        caller.tell(Input::DigitTold { leg, digit });
    }
    let joins = caller
        .all
        .iter()
        .filter(|command| matches!(command, hotline::call::Command::Sound(Order::Join { .. })));
    assert_eq!(joins.count(), 2, "in, and muted");
}

/// What a telephone plays while it holds is not for the others.
#[test]
fn whoever_holds_neither_hears_nor_is_heard_and_is_muted_still_if_it_was() {
    for (direction, answered, flows) in [
        (Direction::SendOnly, " recvonly", " receive only"),
        (Direction::Inactive, " inactive", " neither way"),
    ] {
        let mut caller = member();
        let answer = |answered| format!("200 to re-INVITE of 0{answered}");
        let change = |flows| format!("change 0{flows}");
        let held = caller.reinvites(0, Some(sdp(4_000, Some(direction)))).to_vec();
        assert_eq!(held, [answer(answered), change(flows), HELD.into()]);
        assert_eq!(caller.presses('*'), ["told digit *"]);
        assert_eq!(caller.presses('6'), ["told digit 6"], "muted, which nobody can hear now");
        let resumed = caller.reinvites(0, Some(sdp(4_000, None))).to_vec();
        assert_eq!(resumed, [answer(""), change(""), MUTED.into()]);
        assert_eq!(caller.reinvites(0, Some(sdp(4_000, None))), [answer("")], "a refresh changes nothing");
        assert_eq!(caller.call.state(), "meeting");
    }
}

#[test]
fn who_holds_during_the_word_joins_on_hold() {
    let mut caller = dialling(true, false).go();
    caller.recorded();
    caller.reinvites(0, Some(sdp(4_000, Some(Direction::SendOnly))));
    assert_eq!(caller.heard_out(0), ["told in the room", HELD]);
}

#[test]
fn every_end_leaves_the_room_once_and_says_how_long_it_was() {
    let closes = |caller: &mut Caller| {
        let cause = caller.sound_closed()[0].clone();
        assert_eq!(caller.said.last().map(String::as_str), Some("over"));
        cause
    };
    type End = (&'static str, fn(&mut Caller) -> Vec<String>, &'static [&'static str]);
    const OUT: &str = "told out of the room after 3000 ms";
    let ends: [End; 4] = [
        ("CallerHungUp", |caller| caller.hangs_up(0).to_vec(), &[OUT, "close 0"]),
        ("CallerVanished", |caller| caller.vanishes(0).to_vec(), &[OUT, "hang up 0", "close 0"]),
        (
            "Drained",
            |caller| caller.tell(Input::End { cause: EndWhy::Drained }).to_vec(),
            &[OUT, "hang up 0", "close 0"],
        ),
        (
            "Failed",
            |caller| {
                let leg = caller.leg(0);
                caller.tell(Input::SoundFailed { leg }).to_vec()
            },
            &[OUT, "hang up 0", "close 0"],
        ),
    ];
    for (cause, end, expected) in ends {
        let mut caller = member();
        caller.wait(secs(3));
        assert_eq!(end(&mut caller), expected, "{cause}");
        assert_eq!(closes(&mut caller), format!("told closed {cause}"));
    }
}

#[test]
fn who_leaves_before_it_is_in_was_never_there() {
    let mut caller = dialling(false, false).go();
    let gone = ["free port 10", "told closed CallerCancelled", "over"];
    assert_eq!(caller.tell(Input::Cancelled), gone, "no record yet");
    let mut caller = dialling(true, false).go();
    caller.recorded();
    assert_eq!(caller.hangs_up(0), ["close 0"], "in the middle of the word");
}

#[test]
fn a_member_without_sound_is_asked_and_ended_if_it_does_not_answer() {
    let mut caller = member();
    let leg = caller.leg(0);
    assert_eq!(caller.tell(Input::Silent { leg }), ["OPTIONS to 0"]);
    caller.tell(Input::Alive { leg });
    assert_eq!(caller.wait(secs(5)), [""; 0]);
    caller.tell(Input::Silent { leg });
    let gone = ["told out of the room after 9000 ms", "hang up 0", "close 0"];
    assert_eq!(caller.wait(secs(4)), gone);
}

#[test]
fn a_meeting_has_its_longest_time_too() {
    let short = |plan: &mut Plan| plan.limits.call_max = secs(60);
    let mut caller = dialling(false, false).with(short).go();
    caller.recorded();
    assert_eq!(caller.wait(secs(59)), [""; 0]);
    assert_eq!(caller.wait(secs(1))[1..], ["hang up 0", "close 0"]);
}

#[test]
fn a_member_puts_nobody_through() {
    let mut caller = member();
    let (leg, target) = (caller.leg(0), "sip:110@hotline".to_owned());
    let said = caller.tell(Input::Referred { leg, refer: 1, target, attended: None });
    assert_eq!(said, ["603 to REFER of 0"]);
    assert_eq!(caller.call.state(), "meeting");
}
