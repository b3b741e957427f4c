//! How calls end, and what must hold however they end: nothing is left ringing, lent or unsaid.

use std::net::Ipv4Addr;

use hotline::call::{Command, EndWhy, Input, Told};
use hotline::media::Order;
use hotline::media::order::PortSlot;
use hotline::routing::plan::Plan;

use super::caller::{CALLER_PORT, Caller, Dialling, millis, sdp, secs};
use super::said::cause_words;
use super::states::{answered, unanswered};

/// Whether the caller's dialog was ended by us, by a refusal or by BYE.
#[derive(Debug, PartialEq, Eq)]
enum Goodbye {
    Refused(u16),
    HungUp,
    /// The caller ended it.
    None,
}

/// What must hold at the end of every call; returns its cause and how the caller was told.
fn settled(what: &str, caller: &mut Caller) -> (String, Goodbye) {
    assert!(caller.call.is_over(), "{what}");
    caller.wait(secs(2)); // The last figures never come: that is no reason to wait for ever.
    let all = &caller.all;
    let count = |matches: &dyn Fn(&Command) -> bool| all.iter().filter(|command| matches(command)).count();
    assert_eq!(count(&|command| *command == Command::Over), 1, "{what}: over once");
    assert_eq!(all.last(), Some(&Command::Over), "{what}: nothing after it");
    let closed: Vec<_> = all
        .iter()
        .filter_map(|command| match command {
            Command::Tell(Told::Closed { cause, .. }) => Some(*cause),
            _ => None,
        })
        .collect();
    assert_eq!(closed.len(), 1, "{what}: exactly one record is closed");
    for slot in caller.lent.iter().chain([&CALLER_PORT]) {
        let index = u16::try_from(slot - CALLER_PORT).expect("a leg");
        let leg = caller.leg(index);
        let freed =
            count(&|command| matches!(command, Command::FreePort { slot: freed } if freed.0 == *slot));
        let opened = count(
            &|command| matches!(command, Command::Sound(Order::Open { leg: opened, .. }) if *opened == leg),
        );
        let shut = count(&|command| *command == Command::Sound(Order::Close { leg }));
        assert_eq!((freed + opened, shut), (1, opened), "{what}: port {slot} goes back once");
        let invited =
            count(&|command| matches!(command, Command::Invite { leg: invited, .. } if *invited == leg));
        let hung_up =
            count(&|command| matches!(command, Command::HangUp { leg: hung_up, .. } if *hung_up == leg));
        assert!(index == 0 || invited == hung_up, "{what}: leg {index} is hung up once");
    }
    let joined = count(&|command| matches!(command, Command::JoinQueue { .. }));
    let seats = count(&|command| matches!(command, Command::SeatAnswered { .. }));
    let left = count(&|command| matches!(command, Command::SeatLeft { .. }));
    assert_eq!(seats, left, "{what}: every seat that answered is free again");
    let overflowed = count(&|command| matches!(command, Command::Tell(Told::TicketLeft { .. })));
    let gone = count(&|command| *command == Command::LeaveQueue);
    assert!(joined <= seats + gone + overflowed, "{what}: nobody is left in the queue");
    let recorded = count(&|command| matches!(command, Command::Sound(Order::Record { .. })));
    let stopped = count(&|command| matches!(command, Command::Sound(Order::StopRecord { .. })));
    assert_eq!(recorded, stopped, "{what}: the recording is closed");
    let refused = all.iter().find_map(|command| match command {
        Command::Refuse { status } => Some(Goodbye::Refused(*status)),
        _ => None,
    });
    let caller_leg = caller.leg(0);
    let bye = all
        .iter()
        .any(|command| matches!(command, Command::HangUp { leg, .. } if *leg == caller_leg))
        .then_some(Goodbye::HungUp);
    assert_eq!(caller.call.poll_timeout(), None, "{what}: no timer is left");
    (cause_words(closed[0]), refused.or(bye).unwrap_or(Goodbye::None))
}

/// Whatever still arrives, the call has nothing more to say; a port that comes too late goes back.
fn is_deaf(what: &str, caller: &mut Caller) {
    let slot = Some(PortSlot(77));
    let late = Input::Port {
        leg: caller.leg(1),
        slot,
        peer: Ipv4Addr::LOCALHOST.into(),
        ours: Ipv4Addr::LOCALHOST.into(),
        keys: None,
    };
    assert_eq!(caller.tell(late), ["free port 77"], "{what}");
    let (zero, one) = (caller.leg(0), caller.leg(1));
    for input in [
        Input::Recorded { durable: true },
        Input::Answered { leg: one, sdp: Some(sdp(5_000, None)) },
        Input::Cancelled,
        Input::Ended { leg: zero, vanished: false },
        Input::Ended { leg: one, vanished: true },
        Input::Played { leg: zero, mark: 1 },
        Input::Silent { leg: zero },
        Input::RingSeat { seat: "1001".into(), waited: secs(1) },
        Input::Overflowed { waited: secs(1) },
        Input::End { cause: EndWhy::Drained },
    ] {
        let told = format!("{input:?}");
        assert_eq!(caller.tell(input), [""; 0], "{what}: {told}");
    }
}

/// RFC 3261 §9.2: before the final answer CANCEL ends the call, and the 487 is `sip`'s.
#[test]
fn a_caller_who_cancels_leaves_nothing_behind_in_any_state() {
    for (what, mut caller) in unanswered() {
        caller.tell(Input::Cancelled);
        let end = settled(what, &mut caller);
        assert_eq!(end, ("CallerCancelled".to_owned(), Goodbye::None), "{what}");
        is_deaf(what, &mut caller);
    }
}

/// RFC 3261 §9.2: after it, CANCEL has no effect.
#[test]
fn a_cancel_that_crossed_the_answer_changes_nothing() {
    for (what, mut caller) in answered() {
        let state = caller.call.state();
        assert_eq!(caller.tell(Input::Cancelled), [""; 0], "{what}");
        assert_eq!(caller.call.state(), state, "{what}");
    }
}

#[test]
fn a_caller_who_hangs_up_leaves_nothing_behind_in_any_state() {
    for (what, mut caller) in answered() {
        caller.hangs_up(0);
        assert_eq!(settled(what, &mut caller), ("CallerHungUp".to_owned(), Goodbye::None), "{what}");
        is_deaf(what, &mut caller);
    }
}

#[test]
fn a_caller_whose_phone_is_just_gone_is_said_goodbye_to_all_the_same() {
    for (what, mut caller) in answered() {
        caller.vanishes(0);
        assert_eq!(settled(what, &mut caller), ("CallerVanished".to_owned(), Goodbye::HungUp), "{what}");
    }
}

#[test]
fn the_end_of_the_drain_ends_calls_in_any_state() {
    for (why, cause) in [(EndWhy::Drained, "Drained"), (EndWhy::Failed, "Failed")] {
        for (what, mut caller) in unanswered() {
            caller.tell(Input::End { cause: why });
            let end = settled(what, &mut caller);
            assert_eq!(end, (cause.to_owned(), Goodbye::Refused(503)), "{what}");
        }
        for (what, mut caller) in answered() {
            caller.tell(Input::End { cause: why });
            assert_eq!(settled(what, &mut caller), (cause.to_owned(), Goodbye::HungUp), "{what}");
            is_deaf(what, &mut caller);
        }
    }
}

#[test]
fn a_fault_of_ours_in_the_callers_sound_is_not_blamed_on_the_caller() {
    for (what, mut caller) in answered().into_iter().filter(|(what, _)| *what != "waiting for the ACK") {
        let leg = caller.leg(0);
        caller.tell(Input::SoundFailed { leg });
        assert_eq!(settled(what, &mut caller), ("Failed".to_owned(), Goodbye::HungUp), "{what}");
    }
}

#[test]
fn the_longest_call_is_ended_on_both_sides() {
    let mut caller = Caller::talking("12345");
    assert_eq!(caller.wait(secs(4 * 3_600 - 1)), [""; 0]);
    let said = caller.wait(secs(1)).to_vec();
    let talked = format!("told seat 1001 left after {} ms", 4 * 3_600 * 1_000);
    assert_eq!(said[..2], ["hang up 1", "close 1"]);
    assert_eq!(said[2..4], [talked.as_str(), "seat 1001 is free"]);
    assert_eq!(said[4..], ["hang up 0", "stop recording", "close 0"]);
    assert_eq!(settled("talking", &mut caller).0, "TooLong");
    for (what, mut caller) in unanswered().into_iter().chain(answered()) {
        let short = secs(4 * 3_600);
        caller.wait(short);
        assert!(caller.call.is_over(), "{what}: nothing lasts longer");
    }
}

#[test]
fn the_longest_call_is_the_plans() {
    let short = |plan: &mut Plan| plan.limits.call_max = secs(60);
    let mut caller = Dialling::to("12345").with(short).go().waits_its_turn();
    assert_eq!(caller.wait(secs(59)), [""; 0]);
    assert_eq!(caller.wait(secs(1))[..2], ["leave queue", "hang up 0"]);
}

#[test]
fn a_leg_that_falls_silent_is_asked_and_one_that_does_not_answer_is_gone() {
    for (leg, ended) in [(0, "CallerVanished"), (1, "")] {
        let mut caller = Caller::talking("12345");
        let silent = caller.leg(leg);
        assert_eq!(caller.tell(Input::Silent { leg: silent }), [format!("OPTIONS to {leg}")]);
        assert_eq!(caller.tell(Input::Silent { leg: silent }), [""; 0], "asked once at a time");
        assert_eq!(caller.wait(millis(3_999)), [""; 0]);
        let said = caller.wait(millis(1)).to_vec();
        assert_eq!(said[0], "hang up 1", "{said:?}");
        if leg == 0 {
            assert_eq!(settled("the caller is silent", &mut caller), (ended.to_owned(), Goodbye::HungUp));
        } else {
            assert_eq!(said.last().map(String::as_str), Some("play 0: seat_lost"));
            assert_eq!(caller.call.state(), "waiting", "the caller is not dropped");
        }
    }
}

#[test]
fn a_leg_that_is_there_after_all_stays() {
    for leg in [0, 1] {
        let mut caller = Caller::talking("12345");
        let silent = caller.leg(leg);
        for _ in 0..3 {
            assert_eq!(caller.tell(Input::Silent { leg: silent }), [format!("OPTIONS to {leg}")]);
            caller.wait(secs(3));
            assert_eq!(caller.tell(Input::Alive { leg: silent }), [""; 0]);
            assert_eq!(caller.wait(secs(30)), [""; 0]);
        }
        assert_eq!(caller.call.state(), "talking");
    }
}

#[test]
fn nobody_is_asked_whose_dialog_is_not_there_yet() {
    let mut caller = Dialling::to("12336").with(|plan| plan.transition.early_media = true).go();
    let leg = caller.leg(0);
    assert_eq!(caller.tell(Input::Silent { leg }), [""; 0], "early media: OPTIONS has no dialog to go in");
    let mut caller = Caller::ringing("12345");
    let leg = caller.leg(1);
    assert_eq!(caller.tell(Input::Silent { leg }), [""; 0]);
}

#[test]
fn the_last_figures_are_waited_for_and_not_for_ever() {
    let mut caller = Caller::talking("12345");
    caller.hangs_up(0);
    assert_eq!(caller.wait(millis(1_999)), [""; 0]);
    assert_eq!(caller.sound_closed(), ["told closed CallerHungUp", "over"]);
    let mut caller = Caller::talking("12345");
    caller.hangs_up(0);
    assert_eq!(caller.wait(secs(2)), ["told closed CallerHungUp", "over"]);
}
