//! The caller leaves a clerk and a third party: all is over, or the two go on, as the plan says; and help in an
//! emergency is not cut off, whatever the plan says.

use std::time::Duration;

use hotline::call::{Command, Ending, Input, Told, TransferStep, Unwilling, Wish};
use hotline::media::Order;
use hotline::media::order::LegFigures;
use hotline::routing::plan::Plan;
use hotline::routing::three_way::{CallerLeaves, LEAVE_TONE, Tones};

use super::caller::{Caller, Dialling, secs};
use super::three_way::{city, consult, steps};

fn keep(plan: &mut Plan) {
    plan.three_way.caller_leaves = CallerLeaves::Keep;
}

fn end(plan: &mut Plan) {
    plan.three_way.caller_leaves = CallerLeaves::End;
}

/// It rings at the third, who is asked for after 20 s of talk.
fn asked(to: &'static str, rules: fn(&mut Plan)) -> Caller {
    let with = |plan: &mut Plan| {
        city(plan);
        rules(plan);
    };
    let mut caller = Dialling::to("12345").with(with).go().waits_its_turn().talks();
    caller.wait(secs(20));
    caller.wishes(consult(to)).expect("it can be asked in");
    caller
}

fn consulting(to: &'static str, rules: fn(&mut Plan)) -> Caller {
    let mut caller = asked(to, rules);
    if to == "12348" {
        caller.rings("1006");
    }
    caller.answers(2);
    caller.wait(secs(10));
    caller
}

fn merged(to: &'static str, rules: fn(&mut Plan)) -> Caller {
    let mut caller = consulting(to, rules);
    caller.wishes(Wish::Merge).expect("it has picked up");
    caller.wait(secs(5));
    caller
}

/// The sound of a leg is closed, with so many packets received.
fn closes(caller: &mut Caller, index: u16, received: u64) -> Vec<String> {
    let figures = Box::new(LegFigures { received, ..LegFigures::default() });
    let leg = caller.leg(index);
    caller.tell(Input::SoundClosed { leg, figures }).to_vec()
}

fn told(caller: &Caller, what: impl Fn(&Told) -> bool) -> usize {
    caller.all.iter().filter(|command| matches!(command, Command::Tell(told) if what(told))).count()
}

fn closed(caller: &Caller) -> Option<(Ending, Option<u64>)> {
    caller.all.iter().find_map(|command| match command {
        Command::Tell(Told::Closed { cause, sound }) => {
            Some((*cause, sound.as_ref().map(|sound| sound.received)))
        }
        _ => None,
    })
}

/// Every leg of it is hung up or was, and its sound closed, each once; and the recording is stopped once.
fn is_wholly_over(caller: &mut Caller) {
    caller.wait(secs(3));
    assert!(caller.call.is_over(), "{:?}", caller.said);
    let count = |is_it: &dyn Fn(&Command) -> bool| caller.all.iter().filter(|command| is_it(command)).count();
    for index in 0..=2 {
        let shut =
            count(&|command| matches!(command, Command::Sound(Order::Close { leg }) if leg.index == index));
        let opened = count(
            &|command| matches!(command, Command::Sound(Order::Open { leg, .. }) if leg.index == index),
        );
        assert_eq!(shut, opened, "leg {index}");
    }
    assert_eq!(count(&|command| matches!(command, Command::Sound(Order::StopRecord { .. }))), 1);
    assert_eq!(count(&|command| matches!(command, Command::Over)), 1);
    assert!(closed(caller).is_some());
}

#[test]
fn all_is_over_when_the_caller_leaves_unless_the_plan_says_otherwise() {
    for vanished in [false, true] {
        for mut caller in [consulting("12366", end), merged("12366", end), consulting("12366", |_| {})] {
            if vanished {
                caller.vanishes(0)
            } else {
                caller.hangs_up(0)
            };
            for leg in ["hang up 1", "hang up 2"] {
                assert!(caller.said.contains(&leg.to_owned()), "{:?}", caller.said);
            }
            assert_eq!(caller.call.state(), "ended");
        }
        // Nobody has picked up yet: there is nothing to settle with anybody.
        let mut caller = asked("12366", keep);
        if vanished {
            caller.vanishes(0)
        } else {
            caller.hangs_up(0)
        };
        assert_eq!(caller.call.state(), "ended", "{:?}", caller.said);
    }
}

#[test]
fn a_clerk_and_a_third_whom_the_caller_leaves_talk_on_on_the_record() {
    for vanished in [false, true] {
        // From a word aside nothing changes for the two; the caller's own music ends with the leg.
        let mut caller = consulting("12366", keep);
        if vanished {
            caller.vanishes(0)
        } else {
            caller.hangs_up(0)
        };
        let how = if vanished { "CallerVanished" } else { "CallerHungUp" };
        let mut wanted =
            vec!["close 0".to_owned(), format!("caller left: {how}"), "record 2 on the left".into()];
        if vanished {
            wanted.insert(0, "hang up 0".into());
        }
        let said: Vec<String> =
            caller.said.iter().map(|said| said.trim_start_matches("told ").to_owned()).collect();
        assert_eq!(said, wanted);
        // From three they are two.
        let mut caller = merged("12366", keep);
        if vanished {
            caller.vanishes(0)
        } else {
            caller.hangs_up(0)
        };
        assert!(caller.said.contains(&"bridge 1 and 2".to_owned()), "{:?}", caller.said);
        assert_eq!(caller.call.state(), "without_caller");
        let seats: Vec<_> =
            caller.call.seats_called().map(|(seat, joined)| (seat.to_string(), joined)).collect();
        assert_eq!(seats, [("1001".to_owned(), true)], "the clerk is busy with it still");
        assert_eq!(told(&caller, |told| matches!(told, Told::SeatLeft { .. } | Told::Closed { .. })), 0);
        // However long the caller might have been left waiting: nobody waits.
        caller.wait(secs(600));
        assert_eq!(caller.call.state(), "without_caller", "{:?}", caller.said);
        // Whoever came back for the leg that is over hears so.
        assert_eq!(caller.reinvites(0, None), ["481 to re-INVITE of 0"]);
        assert_eq!(caller.vanishes(0), [""; 0]);
    }
}

#[test]
fn either_of_the_two_ends_it_and_the_record_says_how_the_caller_left() {
    for merges in [false, true] {
        for ends in 0..6 {
            let mut caller = if merges { merged("12366", keep) } else { consulting("12366", keep) };
            caller.hangs_up(0);
            assert_eq!(closes(&mut caller, 0, 321), [""; 0], "nothing is over");
            caller.wait(secs(30));
            match ends {
                0 => caller.hangs_up(1),
                1 => caller.hangs_up(2),
                2 => caller.vanishes(1),
                3 => caller.vanishes(2),
                4 => caller.keys(1, "##"),
                _ => caller.keys(1, "*#"),
            };
            assert!(!caller.said.iter().any(|said| said.contains("survey")), "{:?}", caller.said);
            assert_eq!(caller.call.state(), "ended");
            // The clerk's talk was with the caller: 35 s of it, a word aside and three who talked among them.
            let talked = Duration::from_secs(if merges { 35 } else { 30 });
            let of_clerk = |told: &Told| matches!(told, Told::SeatLeft { talked: it, .. } if *it == talked);
            assert_eq!(told(&caller, of_clerk), 1, "{:?}", caller.said);
            assert_eq!(told(&caller, |told| matches!(told, Told::PeerLeft { .. })), 1);
            assert_eq!(steps(&caller).last(), Some(&TransferStep::Returned));
            assert_eq!(closed(&caller), None, "figures are to come");
            closes(&mut caller, 1, 1);
            closes(&mut caller, 2, 2);
            assert_eq!(closed(&caller), Some((Ending::CallerHungUp, Some(321))), "{:?}", caller.said);
            assert_eq!(told(&caller, |told| matches!(told, Told::LegClosed { .. })), 2);
            is_wholly_over(&mut caller);
        }
    }
}

/// Three BYEs on the way at once, in every order, by both rules.
#[test]
fn goodbyes_of_all_three_that_cross_end_it_once() {
    for rules in [keep as fn(&mut Plan), end] {
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            for to in ["12366", "12348", "119"] {
                for merges in [false, true] {
                    let mut caller = if merges { merged(to, rules) } else { consulting(to, rules) };
                    for leg in order {
                        caller.hangs_up(leg);
                    }
                    // Figures of all three come in any order.
                    for leg in order {
                        closes(&mut caller, leg, u64::from(leg));
                    }
                    is_wholly_over(&mut caller);
                    let left = told(&caller, |told| matches!(told, Told::SeatLeft { .. }));
                    assert_eq!(left, if to == "12348" { 2 } else { 1 }, "{order:?}, {to}");
                }
            }
        }
    }
}

#[test]
fn what_the_house_does_to_a_call_without_its_caller_is_told_as_it_is() {
    let mut caller = merged("12366", keep);
    caller.hangs_up(0);
    let bound = caller.call.plan().limits.call_max;
    caller.wait(bound);
    let cause = closed(&caller).map(|(cause, _)| cause);
    assert_eq!(cause, Some(Ending::TooLong), "the longest call holds: {:?}", caller.said);
    let mut caller = merged("12366", keep);
    caller.hangs_up(0);
    caller.wishes(Wish::End).expect("a supervisor may");
    caller.wait(secs(3));
    assert_eq!(closed(&caller).map(|(cause, _)| cause), Some(Ending::CallerHungUp));
}

#[test]
fn nobody_is_put_through_joined_or_held_where_no_caller_is() {
    let mut caller = merged("12366", keep);
    caller.vanishes(0);
    for wish in [
        consult("12348"),
        Wish::Merge,
        Wish::Hold,
        Wish::Resume,
        Wish::Requeue { queue: None },
        Wish::TakeOver { seat: "1002".into() },
    ] {
        assert_eq!(caller.wishes(wish.clone()), Err(Unwilling::NotTalking), "{wish:?}");
    }
    let (clerk, third, gone) = (caller.leg(1), caller.leg(2), caller.leg(0));
    for leg in [clerk, third, gone] {
        let target = "sip:12348@hotline".to_owned();
        let said = caller.tell(Input::Referred { leg, refer: 1, target, attended: None });
        assert_eq!(said, [format!("491 to REFER of {}", leg.index)]);
    }
    // The clerk's telephone holds: whom they talk with hears music, and no caller is said to wait.
    let offer = super::caller::sdp(4_002, Some(hotline::sip::sdp::Direction::SendOnly));
    let said = caller.reinvites(1, Some(offer)).to_vec();
    assert!(said.contains(&"loop 2: hold_music".to_owned()), "{said:?}");
    assert_eq!(told(&caller, |told| matches!(told, Told::Held { .. })), 0);
}

#[test]
fn a_caller_who_leaves_while_held_is_held_no_more() {
    let mut caller = merged("12366", keep);
    caller.wishes(Wish::Hold).unwrap();
    assert_eq!(told(&caller, |told| matches!(told, Told::Held { holds: true, .. })), 1);
    caller.hangs_up(0);
    assert_eq!(told(&caller, |told| matches!(told, Told::Held { holds: false, .. })), 1);
    assert!(!caller.said.iter().any(|said| said.contains("loop 0")), "{:?}", caller.said);
}

#[test]
fn the_two_who_are_left_hear_the_tone_of_leaving_and_no_other_leg_does() {
    let tones = |plan: &mut Plan| {
        keep(plan);
        let word = plan.prompts["survey_wrong"].clone();
        plan.prompts.insert(LEAVE_TONE.into(), word);
        plan.three_way.tones = Tones::JoinLeave;
    };
    let mut caller = merged("12366", tones);
    caller.hangs_up(0);
    let played: Vec<_> = caller.said.iter().filter(|said| said.starts_with("play ")).collect();
    assert_eq!(played, ["play 1: leave_tone", "play 2: leave_tone"]);
    caller.heard_out(1);
    assert_eq!(caller.heard_out(2), ["bridge 1 and 2"]);
    // Aside nobody had joined anybody.
    let mut caller = consulting("12366", tones);
    caller.hangs_up(0);
    assert!(!caller.said.iter().any(|said| said.starts_with("play ")), "{:?}", caller.said);
}

/// The notice, 四(四): the clerk has to tell them where.
#[test]
fn help_in_an_emergency_is_not_cut_off_by_a_caller_whose_line_drops_whatever_the_plan_says() {
    for rules in [keep as fn(&mut Plan), end] {
        for vanished in [false, true] {
            let leaves = |caller: &mut Caller| {
                if vanished {
                    caller.vanishes(0)
                } else {
                    caller.hangs_up(0)
                };
                assert_eq!(caller.call.state(), "without_caller", "{:?}", caller.said);
                assert!(!caller.said.contains(&"hang up 2".to_owned()), "{:?}", caller.said);
            };
            let mut caller = merged("119", rules);
            leaves(&mut caller);
            let mut caller = consulting("119", rules);
            leaves(&mut caller);
            // It rings there still: the clerk waits for it, and talks with it.
            let mut caller = asked("119", rules);
            leaves(&mut caller);
            caller.wait(secs(10));
            let said = caller.answers(2).to_vec();
            assert!(said.contains(&"bridge 1 and 2".to_owned()), "{said:?}");
            caller.hangs_up(1);
            assert_eq!(caller.call.state(), "ended");
            is_wholly_over(&mut caller);
            // Nobody answers there, or the clerk gives up: nobody is left.
            let mut caller = asked("119", rules);
            leaves(&mut caller);
            caller.refuses(2, 486);
            assert_eq!(caller.call.state(), "ended", "{:?}", caller.said);
            assert_eq!(steps(&caller).last(), Some(&TransferStep::Failed(486)));
            let mut caller = asked("119", rules);
            leaves(&mut caller);
            caller.wait(secs(120));
            assert_eq!(caller.call.state(), "ended", "{:?}", caller.said);
            let mut caller = asked("119", rules);
            leaves(&mut caller);
            caller.wishes(Wish::Leave).expect("there is nobody to stay with");
            assert_eq!(caller.call.state(), "ended", "{:?}", caller.said);
        }
    }
}

/// A telephone hangs up by itself when its REFER has come to something: then nobody would talk with 119.
#[test]
fn a_clerk_who_has_referred_the_caller_to_help_keeps_their_telephone() {
    let mut caller = Dialling::to("12345").with(city).go().waits_its_turn().talks();
    let leg = caller.leg(1);
    let target = "sip:119@hotline".to_owned();
    caller.tell(Input::Referred { leg, refer: 7, target, attended: None });
    caller.vanishes(0);
    let notified: Vec<_> = caller.said.iter().filter(|said| said.starts_with("NOTIFY")).cloned().collect();
    assert_eq!(notified, ["NOTIFY 1 of 487"], "{:?}", caller.said);
    let said = caller.answers(2).to_vec();
    assert!(!said.iter().any(|said| said.starts_with("NOTIFY")), "{said:?}");
    assert!(said.contains(&"bridge 1 and 2".to_owned()), "{said:?}");
}
