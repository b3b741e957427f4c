//! A clerk who has called a citizen asks a third party in: who hears whom, who leaves when, and what is told.
//! The clerk is on leg 0, the citizen on leg 1, whoever is asked in on leg 2.

use hotline::call::{Command, Input, Partner, Told, TransferStep, Unwilling, Wish};
use hotline::media::order::LegFigures;
use hotline::sip::sdp::Direction;

use super::caller::{Caller, sdp, secs};
use super::outward::{NUMBER, click, dialled};
use super::three_way::{TARGETS, city, consult, steps};

/// How the call began.
#[derive(Clone, Copy, Debug)]
enum Began {
    Click,
    Dialled,
}

const BOTH: [Began; 2] = [Began::Click, Began::Dialled];

/// The two have talked for 20 s.
fn talking(began: Began) -> Caller {
    let mut caller = match began {
        Began::Click => {
            let mut caller = click().with(city).go();
            caller.recorded();
            caller.answers(0);
            caller
        }
        Began::Dialled => {
            let mut caller = dialled().with(city).go();
            caller.recorded();
            caller
        }
    };
    caller.answers(1);
    caller.wait(secs(20));
    caller
}

fn asked(began: Began, to: &str, by_key: Option<&str>) -> Caller {
    let mut caller = talking(began);
    match by_key {
        None => drop(caller.wishes(consult(to)).expect("it can be asked in").to_vec()),
        Some(keys) => drop(caller.keys(0, keys).to_vec()),
    }
    if let Some(seat) = TARGETS.iter().find(|(number, ..)| *number == to).and_then(|(_, _, seat)| *seat) {
        caller.rings(seat);
    }
    assert_eq!(caller.call.state(), "consulting");
    caller
}

fn consulting(began: Began, to: &str) -> Caller {
    let mut caller = asked(began, to, None);
    caller.answers(2);
    caller.wait(secs(10));
    caller
}

fn sound(said: &[String]) -> Vec<&str> {
    let words = ["bridge", "part", "confer", "loop", "play", "quiet", "leave "];
    said.iter().map(String::as_str).filter(|said| words.iter().any(|word| said.starts_with(word))).collect()
}

/// The legs' sound is closed, the first leg's first; then what is told last.
fn closes(caller: &mut Caller, legs: &[u16]) -> Vec<String> {
    let mut said = Vec::new();
    for index in legs {
        let leg = caller.leg(*index);
        let figures = Box::new(LegFigures { received: 50 + u64::from(*index), ..LegFigures::default() });
        said.extend_from_slice(caller.tell(Input::SoundClosed { leg, figures }));
    }
    said
}

#[test]
fn a_sub_center_is_asked_into_a_call_back_step_by_step() {
    let mut caller = talking(Began::Click);
    let asked = [
        "told Consult transfer to 12366: Requested",
        "told dialled 12366",
        "want port 2 for 12366 by sub-12366",
        "part 0 and 1",
        "loop 1: hold_music",
        "loop 0: ringback",
        "invite 12366 by sub-12366 as 2",
    ];
    assert_eq!(caller.wishes(consult("12366")).unwrap(), asked);
    let consulted =
        ["open 2", "told answered by 12366", "told Consult transfer to 12366: Consulting", "bridge 0 and 2"];
    assert_eq!(caller.answers(2), consulted, "the citizen still hears music");
    caller.wait(secs(10));
    let merged = ["told Consult transfer to 12366: Merged", "confer 1", "confer 0", "confer 2"];
    assert_eq!(caller.wishes(Wish::Merge).unwrap(), merged);
    caller.wait(secs(30));
    let left = [
        "told Consult transfer to 12366: Left",
        "hang up 0",
        "close 0",
        "told seat 1001 left after 60000 ms",
        "seat 1001 is free",
        "bridge 1 and 2",
    ];
    assert_eq!(caller.wishes(Wish::Leave).unwrap(), left);
    assert_eq!(caller.call.state(), "talking");
    assert_eq!(caller.call.first_clerk(), None);
    caller.wait(secs(60));
    let over = [
        "hang up 2",
        "close 2",
        "told sub-12366/12366 left after 100000 ms",
        "quiet 1",
        "hang up 1",
        "stop recording",
        "told carrier/13800000000 left after 120000 ms",
        "close 1",
    ];
    assert_eq!(caller.hangs_up(2), over, "nobody is asked for a grade");
    let last = closes(&mut caller, &[0, 2, 1]);
    assert_eq!(last, ["told figures of 2", "told figures of 1", "told closed OtherHungUp", "over"]);
    let first = caller.all.iter().find_map(|command| match command {
        Command::Tell(Told::Closed { sound, .. }) => sound.map(|sound| sound.received),
        _ => None,
    });
    assert_eq!(first, Some(50), "the call's sound is its first leg's");
    let records =
        |word: &str| caller.all.iter().filter(|command| format!("{command:?}").contains(word)).count();
    assert_eq!((records("(Record {"), records("StopRecord")), (1, 1), "one recording, and whole");
}

/// By wish and by key, whomever: asked, consulted, joined; then each of the three leaves first.
#[test]
fn whoever_is_asked_in_and_whoever_leaves_the_two_others_talk_on() {
    for began in BOTH {
        for (to, key, seat) in TARGETS {
            for (by_key, joined) in [(None, false), (None, true), (Some(key), false), (Some(key), true)] {
                let how = format!("{began:?}: {to} by {by_key:?}, joined: {joined}");
                let there = || {
                    let mut caller = asked(began, to, by_key);
                    let said = caller.answers(2).to_vec();
                    assert_eq!(sound(&said), ["bridge 0 and 2"], "{how}");
                    caller.wait(secs(10));
                    if joined {
                        match by_key {
                            Some(_) => drop(caller.keys(0, "*0").to_vec()),
                            None => drop(caller.wishes(Wish::Merge).unwrap().to_vec()),
                        }
                        assert_eq!(sound(&caller.said), ["confer 1", "confer 0", "confer 2"], "{how}");
                    }
                    caller
                };
                for leaves in ["wish", "bye", "vanished"] {
                    let mut caller = there();
                    let said = match (leaves, by_key) {
                        ("wish", None) => caller.wishes(Wish::Leave).unwrap(),
                        ("wish", Some(_)) => caller.keys(0, "##"),
                        ("bye", _) => caller.hangs_up(0),
                        _ => caller.vanishes(0),
                    };
                    let gone = if leaves == "vanished" { "vanished" } else { "is free" };
                    assert!(said.contains(&format!("seat 1001 {gone}")), "{how}: {said:?}");
                    assert_eq!(sound(said), ["bridge 1 and 2"], "{how}");
                    assert_eq!(steps(&caller).last(), Some(&TransferStep::Left), "{how}");
                    // Then the citizen: nobody is left over.
                    let said = caller.hangs_up(1).to_vec();
                    assert!(said.contains(&"hang up 2".to_owned()), "{how}: {said:?}");
                    let last = closes(&mut caller, &[0, 2, 1]);
                    assert_eq!(last[last.len() - 2..], ["told closed OtherHungUp", "over"], "{how}");
                }
                for leaves in ["wish", "bye", "vanished"] {
                    let mut caller = there();
                    let said = match (leaves, by_key) {
                        ("wish", None) => caller.wishes(Wish::Return).unwrap(),
                        ("wish", Some(_)) => caller.keys(0, "*#"),
                        ("bye", _) => caller.hangs_up(2),
                        _ => caller.vanishes(2),
                    };
                    if let Some(seat) = seat {
                        let left = said.iter().any(|said| said.starts_with(&format!("told seat {seat}")));
                        assert!(left, "{how}: {said:?}");
                    }
                    assert_eq!(sound(said), ["bridge 1 and 0"], "{how}");
                    assert_eq!(steps(&caller).last(), Some(&TransferStep::Returned), "{how}");
                    assert_eq!(caller.call.clerk().map(|seat| seat.as_str()), Some("1001"), "{how}");
                    assert!(caller.wishes(consult("12313")).is_ok(), "and the same once more: {how}");
                }
                // The citizen hangs up, or is gone: all end, and it was not who called. Help in an emergency is told
                // where to go first.
                for vanished in [false, true] {
                    let mut caller = there();
                    let leg = caller.leg(1);
                    let mut said = caller.tell(Input::Ended { leg, vanished }).to_vec();
                    if to == "119" {
                        assert_eq!(caller.call.state(), "without_caller", "{how}");
                        said = caller.hangs_up(0).to_vec();
                    }
                    for leg in ["hang up 0", "hang up 2"] {
                        assert_eq!(said.iter().filter(|said| *said == leg).count(), 1, "{how}: {said:?}");
                    }
                    let last = closes(&mut caller, &[0, 2, 1]);
                    assert_eq!(last[last.len() - 2..], ["told closed OtherHungUp", "over"], "{how}");
                }
            }
        }
    }
}

#[test]
fn after_the_third_has_left_the_two_end_as_they_would_have_without_it() {
    for (index, vanished, cause) in [
        (0, false, "CallerHungUp"),
        (0, true, "CallerVanished"),
        (1, false, "OtherHungUp"),
        (1, true, "OtherHungUp"),
    ] {
        let mut caller = consulting(Began::Click, "12366");
        caller.wishes(Wish::Return).unwrap();
        let leg = caller.leg(index);
        let said = caller.tell(Input::Ended { leg, vanished }).to_vec();
        let left = "told carrier/13800000000 left after 30000 ms".to_owned();
        assert!(said.contains(&left), "{said:?}");
        assert!(said.iter().any(|said| said.starts_with("told seat 1001")), "{said:?}");
        let last = closes(&mut caller, &[0, 2, 1]);
        assert_eq!(last[last.len() - 2..], [format!("told closed {cause}"), "over".into()]);
    }
}

/// Before it has picked up: the citizen is put through, and told so where nobody takes them.
#[test]
fn a_clerk_who_leaves_while_it_rings_has_put_the_citizen_through() {
    for bye in [false, true] {
        let mut caller = asked(Began::Click, "12366", None);
        let said = if bye { caller.hangs_up(0) } else { caller.wishes(Wish::Leave).unwrap() };
        let left = [
            "told Consult transfer to 12366: Left",
            "hang up 0",
            "close 0",
            "told seat 1001 left after 20000 ms",
            "seat 1001 is free",
            "told announced transfer_wait",
            "play 1: transfer_wait",
        ];
        assert_eq!(said, left);
        assert_eq!(caller.heard_out(1), ["loop 1: ringback"]);
        let joined = [
            "open 2",
            "told Consult transfer to 12366: Accepted",
            "told answered by 12366",
            "bridge 1 and 2",
        ];
        assert_eq!(caller.answers(2), joined);
    }
    let mut caller = asked(Began::Click, "12366", None);
    caller.hangs_up(0);
    let said = caller.refuses(2, 486).to_vec();
    assert!(said.contains(&"told ticket SubCenterUnanswered".to_owned()), "{said:?}");
    assert!(!said.iter().any(|said| said.contains("busy")), "that is for clerks: {said:?}");
    let said = caller.heard_out(1).to_vec();
    assert!(said.contains(&"hang up 1".to_owned()), "{said:?}");
    let last = closes(&mut caller, &[0, 1]);
    assert_eq!(last[last.len() - 2..], ["told closed Completed", "over"]);
}

#[test]
fn what_fails_gives_the_citizen_back_to_the_clerk() {
    for began in BOTH {
        let mut caller = asked(began, "12366", None);
        let said = caller.refuses(2, 486).to_vec();
        assert_eq!(sound(&said), ["bridge 1 and 0"], "{began:?}");
        assert_eq!(steps(&caller).last(), Some(&TransferStep::Failed(486)));
        let mut caller = asked(began, "1002", None);
        assert_eq!(sound(caller.tell(Input::WithdrawSeat { seat: "1002".into() })), ["bridge 1 and 0"]);
        let mut caller = talking(began);
        assert_eq!(caller.wishes(consult("nobody")), Err(Unwilling::Unreachable));
        assert_eq!(caller.wishes(consult("1001")), Err(Unwilling::Unreachable), "it is they");
        assert_eq!(caller.said, [""; 0]);
        let mut caller = asked(began, "119", None);
        assert_eq!(caller.wishes(Wish::Leave), Err(Unwilling::NotAccepted), "not before it has accepted");
    }
}

#[test]
fn a_clerk_holds_and_is_back_by_wish_and_by_telephone() {
    for began in BOTH {
        let mut caller = talking(began);
        let held = ["told leg 0 holds", "part 0 and 1", "loop 1: hold_music"];
        assert_eq!(caller.wishes(Wish::Hold).unwrap(), held);
        assert_eq!(caller.wait(secs(600)), [""; 0], "there is no queue to come back to");
        assert_eq!(caller.wishes(Wish::Resume).unwrap(), ["told leg 0 is back", "bridge 1 and 0"]);
        let held = caller.reinvites(0, Some(sdp(4_000, Some(Direction::SendOnly)))).to_vec();
        assert_eq!(held[2..], ["told leg 0 holds", "part 0 and 1", "loop 1: hold_music"], "turned round");
    }
}

/// REFER of the clerk's telephone; not of whom they have called.
#[test]
fn a_refer_puts_the_citizen_through_and_the_clerk_waits_for_it() {
    for began in BOTH {
        let mut caller = talking(began);
        let target = "sip:12366@hotline.puyang".to_owned();
        let refer = |leg| Input::Referred { leg, refer: 1, target: target.clone(), attended: None };
        let (clerk, citizen) = (caller.leg(0), caller.leg(1));
        assert_eq!(caller.tell(refer(citizen)).last().unwrap(), "603 to REFER of 1", "{began:?}");
        let said = caller.tell(refer(clerk)).to_vec();
        assert_eq!(said[0], "202 to REFER of 0");
        assert!(said.contains(&"play 1: transfer_wait".to_owned()), "{said:?}");
        let said = caller.answers(2).to_vec();
        assert!(said.contains(&"hang up 0".to_owned()), "{said:?}");
        assert_eq!(sound(&said), ["bridge 1 and 2"]);
        let mut caller = talking(began);
        caller.tell(refer(clerk));
        let said = caller.refuses(2, 603).to_vec();
        assert_eq!(sound(&said), ["bridge 1 and 0"], "and has the citizen back");
    }
}

/// A supervisor takes the call over by the key 4, or by request.
#[test]
fn a_seat_that_takes_the_call_over_has_the_citizen_and_the_clerk_is_let_go() {
    let mut caller = talking(Began::Click);
    let said = caller.wishes(Wish::TakeOver { seat: "1002".into() }).unwrap().to_vec();
    assert_eq!(sound(&said), [""; 0], "the two talk on");
    caller.rings("1002");
    let said = caller.answers(2).to_vec();
    assert!(
        said.contains(&"hang up 0".to_owned()) && said.contains(&"seat 1002 answered".to_owned()),
        "{said:?}"
    );
    caller.heard_out(1);
    assert_eq!(caller.heard_out(2), ["bridge 1 and 2"]);
    assert_eq!(caller.call.clerk().map(|seat| seat.as_str()), Some("1002"));
}

/// The other way about: the clerk gives whom they have called to a caller of another call.
#[test]
fn a_partner_is_given_away_also_after_a_third_has_come_and_gone() {
    for third in [false, true] {
        let mut caller = talking(Began::Dialled);
        if third {
            caller.wishes(consult("12366")).unwrap();
            caller.answers(2);
            caller.wishes(Wish::Return).unwrap();
        }
        let leg = caller.leg(1);
        let Some(Partner { leg: found, callee }) = caller.call.partner() else { panic!("they talk") };
        assert_eq!((found, format!("{callee:?}").contains(NUMBER)), (leg, true));
        let given = caller.call.give_away(leg, caller.now).expect("it is theirs");
        assert_eq!(given.described.origin.0, 8, "session 7, leg 1");
        let said = caller.tell(Input::Alive { leg }).to_vec();
        assert!(said.contains(&"close 1".to_owned()) && said.contains(&"hang up 0".to_owned()), "{said:?}");
        assert!(!said.contains(&"hang up 1".to_owned()), "its dialog goes on: {said:?}");
        let last = closes(&mut caller, &[1, 0]);
        assert_eq!(last, ["told figures of 1", "told closed Completed", "over"]);
    }
}

/// Keys that are no code go to whatever menu the citizen's side is, and are in no record.
#[test]
fn a_clerks_keys_are_theirs_alone() {
    let mut caller = talking(Began::Dialled);
    assert_eq!(caller.keys(0, "5"), [""; 0], "the bridge relays it");
    let leg = caller.leg(0);
    let said = caller.tell(Input::DigitTold { leg, digit: '7' }).to_vec();
    assert!(!said.iter().any(|said| said.starts_with("told digit")), "{said:?}");
    assert!(caller.keys(0, "*6").contains(&"play 0: wrong_key".to_owned()), "{:?}", caller.said);
    let mut caller = consulting(Began::Dialled, "12366");
    assert_eq!(caller.keys(1, "4"), ["told digit 4"], "the citizen's, who waits");
}
