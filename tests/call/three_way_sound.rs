//! Who hears what while somebody holds, watches, or forgets the caller.

use hotline::call::{Input, Wish};
use hotline::id::{CallId, Dice};
use hotline::routing::plan::Plan;
use hotline::sip::sdp::Direction;

use super::caller::{Caller, Dialling, sdp, secs};
use super::three_way::{city, consult, consulting, merged, talking};

fn holds(caller: &mut Caller, index: u16) -> Vec<String> {
    let held = caller.reinvites(index, Some(sdp(6_000 + index, Some(Direction::SendOnly))));
    held[2..].to_vec()
}

fn resumes(caller: &mut Caller, index: u16) -> Vec<String> {
    caller.reinvites(index, Some(sdp(6_000 + index, None)))[2..].to_vec()
}

#[test]
fn whoever_of_three_holds_is_not_heard_and_hears_nothing_and_the_others_talk_on() {
    for index in [0, 1, 2] {
        let mut caller = merged("12366");
        let told = |word: &str| (index == 1).then(|| format!("told leg 1 {word}"));
        let held: Vec<String> =
            told("holds").into_iter().chain([format!("confer {index} on hold")]).collect();
        assert_eq!(holds(&mut caller, index), held, "no music for anybody");
        assert_eq!(caller.wait(secs(3_600)), [""; 0], "the caller is not alone");
        let back: Vec<String> = told("is back").into_iter().chain([format!("confer {index}")]).collect();
        assert_eq!(resumes(&mut caller, index), back);
    }
    let mut caller = merged("12366");
    holds(&mut caller, 1);
    let said = caller.wishes(Wish::Leave).unwrap();
    assert_eq!(said.last().unwrap(), "bridge 0 and 2", "no hold is left behind");
}

#[test]
fn a_hold_during_a_consultation_is_between_those_two() {
    let mut caller = consulting("12366");
    assert_eq!(holds(&mut caller, 2), ["part 1 and 2", "loop 1: hold_music"]);
    assert_eq!(resumes(&mut caller, 2), ["bridge 1 and 2"]);
    assert_eq!(holds(&mut caller, 1), ["told leg 1 holds", "part 1 and 2", "loop 2: hold_music"]);
    assert_eq!(resumes(&mut caller, 1), ["told leg 1 is back", "bridge 1 and 2"]);
    assert_eq!(holds(&mut caller, 0), ["quiet 0"], "nobody is there to hear music");
    assert_eq!(resumes(&mut caller, 0), ["loop 0: hold_music"]);
}

#[test]
fn a_caller_is_left_with_music_and_talked_with_again_as_the_clerk_wishes() {
    let mut caller = talking();
    assert_eq!(
        caller.wishes(Wish::Hold).unwrap(),
        ["told leg 1 holds", "part 0 and 1", "loop 0: hold_music"]
    );
    assert_eq!(caller.wishes(Wish::Hold).unwrap(), [""; 0]);
    assert_eq!(caller.wishes(Wish::Resume).unwrap(), ["told leg 1 is back", "bridge 0 and 1"]);
    assert_eq!(caller.wishes(Wish::Resume).unwrap(), [""; 0]);
    // Of three: the two go on without the caller.
    let mut caller = merged("12366");
    let said = caller.wishes(Wish::Hold).unwrap();
    assert_eq!(said, ["told leg 1 holds", "loop 0: hold_music", "bridge 1 and 2"]);
    let said = caller.wishes(Wish::Resume).unwrap();
    assert_eq!(said, ["told leg 1 is back", "confer 0", "confer 1", "confer 2"]);
}

const FORGOTTEN: [&str; 6] = [
    "quiet 0",
    "told queued in main",
    "loop 0: hold_music",
    "join main at its head",
    "told announced returned_to_queue",
    "play 0: returned_to_queue",
];

/// 180 s by the plan.
#[test]
fn a_caller_whom_the_clerk_forgets_goes_back_to_the_head_of_the_queue() {
    type Left = fn(&mut Caller);
    let lefts: [(&str, Left); 3] = [
        ("as the clerk wished", |caller| drop(caller.wishes(Wish::Hold).unwrap().to_vec())),
        ("by the clerk's telephone", |caller| drop(holds(caller, 1))),
        ("asking somebody", |caller| {
            caller.wishes(consult("12366")).unwrap();
            caller.answers(2);
        }),
    ];
    for (how, leave) in lefts {
        let mut caller = talking();
        leave(&mut caller);
        assert_eq!(caller.wait(secs(179)), [""; 0], "{how}");
        let said = caller.wait(secs(1)).to_vec();
        assert_eq!(said[said.len() - 6..], FORGOTTEN, "{how}");
        assert!(said.contains(&"hang up 1".to_owned()), "{how}: {said:?}");
        assert!(said.contains(&"told seat 1001 left after 200000 ms".to_owned()), "{how}: {said:?}");
        assert_eq!(caller.call.state(), "waiting");
        assert_eq!(caller.wait(secs(1_000)), [""; 0]);
        caller.heard_out(0);
        caller.rings("1003");
        assert_eq!(caller.call.state(), "ringing");
    }
}

#[test]
fn the_time_counts_from_when_the_clerk_last_spoke_with_the_caller() {
    let mut caller = talking();
    caller.wishes(Wish::Hold).unwrap();
    caller.wait(secs(100));
    caller.wishes(consult("12366")).unwrap();
    caller.answers(2);
    assert_eq!(caller.wait(secs(79)), [""; 0], "held, then asking somebody: one wait");
    caller.wishes(Wish::Return).unwrap();
    caller.wishes(consult("12313")).unwrap();
    caller.answers(3);
    assert_eq!(caller.wait(secs(170)), [""; 0], "it began anew");
    caller.wishes(Wish::Merge).unwrap();
    assert_eq!(caller.wait(secs(3_600)), [""; 0], "together nobody waits");
    // A caller who holds is not waiting for the clerk.
    let mut caller = talking();
    holds(&mut caller, 0);
    assert_eq!(caller.wait(secs(3_600)), [""; 0]);
    let short = |plan: &mut Plan| {
        city(plan);
        plan.three_way.hold_max = secs(30);
    };
    let mut caller = Dialling::to("12345").with(short).go().waits_its_turn().talks();
    caller.wishes(Wish::Hold).unwrap();
    assert_eq!(caller.wait(secs(29)), [""; 0]);
    assert_eq!(caller.wait(secs(1)).last().unwrap(), "play 0: returned_to_queue");
}

/// Somebody listens: two who talk are members of the call's conference, as long as it is so.
#[test]
fn two_whom_somebody_watches_are_a_conference_and_a_bridge_again_afterwards() {
    let watched = |caller: &mut Caller, watched| caller.tell(Input::Watched { watched }).to_vec();
    let mut caller = talking();
    assert_eq!(watched(&mut caller, true), ["confer 0", "confer 1"]);
    assert_eq!(watched(&mut caller, true), [""; 0]);
    assert_eq!(holds(&mut caller, 1), ["told leg 1 holds", "loop 0: hold_music", "leave 1"]);
    assert_eq!(resumes(&mut caller, 1), ["told leg 1 is back", "confer 0", "confer 1"]);
    let said = caller.wishes(consult("12366")).unwrap().to_vec();
    assert!(said.contains(&"loop 0: hold_music".to_owned()), "{said:?}");
    assert!(said.contains(&"loop 1: ringback".to_owned()), "{said:?}");
    assert_eq!(caller.answers(2)[3..], ["confer 1", "confer 2"], "who watches hears the clerk");
    assert_eq!(caller.wishes(Wish::Merge).unwrap()[1..], ["confer 0"]);
    assert_eq!(watched(&mut caller, false), [""; 0], "three are one anyway");
    assert_eq!(watched(&mut caller, true), [""; 0]);
    let said = caller.wishes(Wish::Return).unwrap();
    assert!(!said.contains(&"bridge 0 and 1".to_owned()), "{said:?}");
    assert_eq!(watched(&mut caller, false), ["bridge 0 and 1"]);
    // Somebody waits beside the queue already.
    let mut caller = Caller::ringing("12345");
    assert_eq!(watched(&mut caller, true), [""; 0]);
    caller.answers(1);
    caller.heard_out(0);
    assert_eq!(caller.heard_out(1), ["confer 0", "confer 1"]);
}

#[test]
fn a_conference_is_its_calls_own_and_no_room() {
    let caller = talking();
    let own = hotline::call::conference_of(caller.id);
    assert!(own.0 > 9_999_999_999_999_999_999 - 999_999_999_999_999_999, "no room has so many digits");
    let other = CallId::draw(1_630_458_000_000, &mut Dice::seeded(2));
    assert_ne!(own, hotline::call::conference_of(other));
}

#[test]
fn keys_of_a_caller_who_waits_reach_no_menu_that_they_do_not_hear() {
    let mut caller = consulting("12366");
    let leg = caller.leg(0);
    assert_eq!(caller.tell(Input::DigitTold { leg, digit: '1' }), ["told digit 1"]);
}
