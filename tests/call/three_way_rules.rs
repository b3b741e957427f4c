//! What the plan says of three who talk: a tone when somebody joins or leaves, and who goes on with whom.

use hotline::call::{Input, TransferStep, Unwilling, Wish};
use hotline::routing::plan::Plan;
use hotline::routing::three_way::{ClerkLeaves, JOIN_TONE, LEAVE_TONE, ThirdLeaves, Tones};

use super::caller::{Caller, Dialling, secs};
use super::three_way::{city, consult, steps};

/// All three have talked for 5 s, by these rules.
fn merged_by(to: &'static str, rules: impl FnOnce(&mut Plan)) -> Caller {
    let mut caller = consulting_by(to, rules);
    merge(&mut caller);
    caller.wait(secs(5));
    caller
}

fn consulting_by(to: &'static str, rules: impl FnOnce(&mut Plan)) -> Caller {
    let with = |plan: &mut Plan| {
        city(plan);
        for id in [JOIN_TONE, LEAVE_TONE] {
            let word = plan.prompts["survey_wrong"].clone();
            plan.prompts.insert(id.into(), word);
        }
        rules(plan);
    };
    let mut caller = Dialling::to("12345").with(with).go().waits_its_turn().talks();
    caller.wait(secs(20));
    caller.wishes(consult(to)).expect("it can be asked in");
    caller.answers(2);
    caller.wait(secs(10));
    caller
}

/// All three talk, once they have heard what there is to hear.
fn merge(caller: &mut Caller) -> Vec<String> {
    let said = caller.wishes(Wish::Merge).expect("it has picked up").to_vec();
    for index in 0..3 {
        if said.contains(&format!("play {index}: {JOIN_TONE}")) {
            assert_eq!(caller.heard_out(index), [format!("confer {index}")]);
        }
    }
    said
}

fn tones(tones: Tones) -> impl FnOnce(&mut Plan) {
    move |plan| plan.three_way.tones = tones
}

fn played(said: &[String]) -> Vec<&str> {
    said.iter().map(String::as_str).filter(|said| said.starts_with("play ")).collect()
}

#[test]
fn all_three_hear_a_tone_when_the_third_joins_and_the_two_who_are_left_when_one_leaves() {
    let joins = ["play 0: join_tone", "play 1: join_tone", "play 2: join_tone"];
    let leaves = |one: u16, other: u16| [one, other].map(|leg| format!("play {leg}: leave_tone"));
    for (rule, joined, left) in
        [(Tones::None, false, false), (Tones::Join, true, false), (Tones::JoinLeave, true, true)]
    {
        let mut caller = consulting_by("12366", tones(rule));
        assert_eq!(played(&merge(&mut caller)), if joined { &joins[..] } else { &[] }, "{rule:?}");
        assert_eq!(caller.call.state(), "conference");
        // The third hangs up, is sent away, or the clerk leaves.
        for leaving in 0..3 {
            let mut caller = merged_by("12366", tones(rule));
            let (said, remain) = match leaving {
                0 => (caller.hangs_up(2).to_vec(), (0, 1)),
                1 => (caller.wishes(Wish::Return).unwrap().to_vec(), (0, 1)),
                _ => (caller.wishes(Wish::Leave).unwrap().to_vec(), (0, 2)),
            };
            let wanted = if left { leaves(remain.0, remain.1).to_vec() } else { Vec::new() };
            assert_eq!(played(&said), wanted, "{rule:?}, {leaving}");
            let together = format!("bridge {} and {}", remain.0, remain.1);
            match left {
                false => assert!(said.contains(&together), "{rule:?}: {said:?}"),
                true => {
                    assert_eq!(caller.heard_out(remain.0), [""; 0], "the other hears it still");
                    assert_eq!(caller.heard_out(remain.1), [together]);
                }
            }
        }
    }
}

/// Should the engine never say that a tone is through, people are with one another all the same.
#[test]
fn a_tone_that_is_never_through_keeps_nobody_apart() {
    let mut caller = consulting_by("12366", tones(Tones::Join));
    caller.wishes(Wish::Merge).unwrap();
    let mut said = caller.wait(secs(4)).to_vec();
    said.sort();
    assert_eq!(said, ["confer 0", "confer 1", "confer 2"]);
}

/// Who only talked with the clerk had joined nobody, and who holds is not played at.
#[test]
fn a_word_aside_has_no_tone_and_who_holds_hears_none() {
    let mut caller = consulting_by("12366", tones(Tones::JoinLeave));
    assert_eq!(played(caller.hangs_up(2)), [""; 0]);
    let mut caller = consulting_by("12366", tones(Tones::JoinLeave));
    let offer = super::caller::sdp(4_000, Some(hotline::sip::sdp::Direction::SendOnly));
    let leg = caller.leg(0);
    caller.tell(Input::Reoffered { leg, offer: Some(offer) });
    let said = caller.wishes(Wish::Merge).unwrap().to_vec();
    assert_eq!(played(&said), ["play 1: join_tone", "play 2: join_tone"]);
}

#[test]
fn a_clerk_who_leaves_three_ends_the_call_where_the_plan_says_so() {
    let ends = |plan: &mut Plan| plan.three_way.clerk_leaves = ClerkLeaves::End;
    for by_wish in [false, true] {
        let leave = |caller: &mut Caller| match by_wish {
            true => caller.wishes(Wish::Leave).unwrap().to_vec(),
            false => caller.hangs_up(1).to_vec(),
        };
        // As after a talk of two: the survey, where there is one.
        let mut caller = merged_by("12366", ends);
        leave(&mut caller);
        assert_eq!(caller.call.state(), "survey", "{:?}", caller.said);
        assert!(caller.said.contains(&"hang up 2".to_owned()), "{:?}", caller.said);
        assert_eq!(steps(&caller).last(), Some(&TransferStep::Returned));
        let mut caller = merged_by("12366", |plan| plan.three_way.clerk_leaves = ClerkLeaves::Keep);
        leave(&mut caller);
        assert_eq!((caller.call.state(), steps(&caller).last()), ("talking", Some(&TransferStep::Left)));
        // Nobody is cut off from the fire brigade.
        let mut caller = merged_by("119", ends);
        leave(&mut caller);
        assert_eq!(caller.call.state(), "talking", "{:?}", caller.said);
        // A word aside and a leave is a transfer, which ends nothing.
        let mut caller = consulting_by("12366", ends);
        leave(&mut caller);
        assert_eq!((caller.call.state(), steps(&caller).last()), ("talking", Some(&TransferStep::Left)));
    }
    // A telephone without power has not left.
    let mut caller = merged_by("12366", ends);
    caller.vanishes(1);
    assert_eq!(caller.call.state(), "talking", "{:?}", caller.said);
}

#[test]
fn a_third_who_leaves_leaves_the_caller_with_music_where_the_plan_says_so() {
    let holds = |plan: &mut Plan| {
        plan.three_way.third_leaves = ThirdLeaves::Hold;
        plan.three_way.hold_max = secs(60);
    };
    for merges in [false, true] {
        let caller = || match merges {
            true => merged_by("12366", holds),
            false => consulting_by("12366", holds),
        };
        let mut left = caller();
        let said = left.hangs_up(2).to_vec();
        assert_eq!(said.contains(&"loop 0: hold_music".to_owned()), merges, "it plays already: {said:?}");
        assert!(!said.contains(&"bridge 0 and 1".to_owned()), "{said:?}");
        // Taken back by the key that sends a third party away, or by HTTP.
        assert!(left.keys(1, "*#").contains(&"bridge 0 and 1".to_owned()), "{:?}", left.said);
        assert_eq!(left.wishes(Wish::Return), Err(Unwilling::NoThird), "nobody waits any more");
        let mut left = caller();
        left.hangs_up(2);
        assert!(left.wishes(Wish::Resume).unwrap().contains(&"bridge 0 and 1".to_owned()));
        // A clerk who forgets them loses them to the queue.
        let mut left = caller();
        left.hangs_up(2);
        left.wait(secs(60));
        assert_eq!(left.call.state(), "waiting", "{:?}", left.said);
        // Who is sent away by the clerk leaves nobody waiting.
        let mut left = caller();
        assert!(left.wishes(Wish::Return).unwrap().contains(&"bridge 0 and 1".to_owned()));
    }
}
