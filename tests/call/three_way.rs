//! A clerk asks a third party in: who hears whom at each step, who is told what, and who leaves when.

use std::sync::Arc;

use hotline::call::{Command, Input, Told, TransferStep, Unwilling, Wish};
use hotline::media::Order;
use hotline::routing::peers::{Peers, Platform};
use hotline::routing::people::{ExpertGroup, Hours};
use hotline::routing::plan::{Peer, Plan};

use super::caller::{Caller, Dialling, secs};

/// A city with everything that clerks ask in: experts of 12348 at seats 1006 and 1007, a department, a county's
/// platform, and keys for all of them.
pub fn city(plan: &mut Plan) {
    let group = ExpertGroup {
        number: "12348".into(),
        name: "公共法律服务专家".into(),
        department: "市司法局".into(),
        seats: vec!["1006".into(), "1007".into()],
        hours: Hours::default(),
        accept: secs(15),
    };
    plan.experts.insert("12348".into(), Arc::new(group));
    let department = Peer {
        trunk: "sub-12313".into(),
        number: "4421234".into(),
        ring: secs(20),
        drill: false,
        hours: Hours::default(),
    };
    let platform = Platform {
        number: "7101".into(),
        name: "濮阳县 12345".into(),
        org: "410928".into(),
        parent: Some("410900".into()),
        peer: Peer { number: "039312345".into(), ..department.clone() },
        hands_over: false,
        priority: 0,
        hops_max: 3,
    };
    plan.peers = Peers::new([platform]);
    plan.departments.insert("4421234".into(), department);
    let keys = [
        ('1', "119"),
        ('2', "12366"),
        ('3', "12348"),
        ('4', "1002"),
        ('5', "4421234"),
        ('6', "nobody"),
        ('7', "7101"),
    ];
    plan.three_way.keys = keys.into_iter().map(|(key, to)| (key, to.to_owned())).collect();
    let word = plan.prompts["survey_wrong"].clone();
    plan.prompts.insert("wrong_key".into(), word);
}

/// A clerk has talked for 20 s.
pub fn talking() -> Caller {
    let mut caller = Dialling::to("12345").with(city).go().waits_its_turn().talks();
    caller.wait(secs(20));
    caller
}

pub fn consult(to: &str) -> Wish {
    Wish::Consult { to: to.into() }
}

/// Whom clerks ask in, by the key that asks them, and the seat that rings for it, if one does.
pub const TARGETS: [(&str, &str, Option<&str>); 6] = [
    ("119", "*1", None),
    ("12366", "*2", None),
    ("12348", "*3", Some("1006")),
    ("1002", "*4", Some("1002")),
    ("4421234", "*5", None),
    ("7101", "*7", None),
];

/// It rings there, after the clerk has asked by wish or by key.
pub fn asked(to: &str, by_key: Option<&str>) -> Caller {
    let mut caller = talking();
    match by_key {
        None => {
            caller.wishes(consult(to)).expect("it can be asked in");
        }
        Some(keys) => {
            caller.keys(1, keys);
        }
    }
    let seat = TARGETS.iter().find(|(number, ..)| *number == to).and_then(|(_, _, seat)| *seat);
    if let Some(seat) = seat {
        assert_eq!(caller.rings(seat).len(), 2, "{:?}", caller.said);
    }
    assert_eq!(caller.call.state(), "consulting");
    caller
}

/// It has picked up and talked with the clerk for 10 s.
pub fn consulting(to: &str) -> Caller {
    let mut caller = asked(to, None);
    caller.answers(2);
    caller.wait(secs(10));
    caller
}

/// All three have talked for 5 s.
pub fn merged(to: &str) -> Caller {
    let mut caller = consulting(to);
    caller.wishes(Wish::Merge).expect("it has picked up");
    caller.wait(secs(5));
    caller
}

/// Steps of the third party that were told.
pub fn steps(caller: &Caller) -> Vec<TransferStep> {
    let told = caller.all.iter().filter_map(|command| match command {
        Command::Tell(Told::Transfer { step, .. }) => Some(*step),
        _ => None,
    });
    told.collect()
}

fn sound(said: &[String]) -> Vec<&str> {
    let words = ["bridge", "part", "confer", "loop", "play", "quiet", "leave "];
    said.iter().map(String::as_str).filter(|said| words.iter().any(|word| said.starts_with(word))).collect()
}

#[test]
fn a_sub_center_is_asked_in_step_by_step() {
    let mut caller = talking();
    let said = caller.wishes(consult("12366")).unwrap();
    let asked = [
        "told Consult transfer to 12366: Requested",
        "told dialled 12366",
        "want port 2 for 12366 by sub-12366",
        "part 0 and 1",
        "loop 0: hold_music",
        "loop 1: ringback",
        "invite 12366 by sub-12366 as 2",
    ];
    assert_eq!(said, asked);
    let consulted =
        ["open 2", "told answered by 12366", "told Consult transfer to 12366: Consulting", "bridge 1 and 2"];
    assert_eq!(caller.answers(2), consulted, "the caller still hears music");
    caller.wait(secs(10));
    let merged = ["told Consult transfer to 12366: Merged", "confer 0", "confer 1", "confer 2"];
    assert_eq!(caller.wishes(Wish::Merge).unwrap(), merged);
    assert_eq!(caller.wishes(Wish::Merge).unwrap(), [""; 0], "they are together already");
    assert_eq!(caller.call.state(), "conference");
    caller.wait(secs(30));
    let left = [
        "told Consult transfer to 12366: Left",
        "hang up 1",
        "close 1",
        "told seat 1001 left after 60000 ms",
        "seat 1001 is free",
        "bridge 0 and 2",
    ];
    assert_eq!(caller.wishes(Wish::Leave).unwrap(), left);
    assert_eq!(caller.call.state(), "talking");
    caller.wait(secs(60));
    let over = [
        "hang up 2",
        "close 2",
        "told sub-12366/12366 left after 100000 ms",
        "quiet 0",
        "told announced survey",
        "play 0: survey",
    ];
    assert_eq!(caller.hangs_up(2), over, "a clerk has talked: that is asked about");
    let recorded = |caller: &Caller, word: &str| {
        caller.all.iter().filter(|command| format!("{command:?}").contains(word)).count()
    };
    assert_eq!((recorded(&caller, "Record {"), recorded(&caller, "StopRecord")), (1, 0), "whole");
}

/// By wish and by key, whomever: asked, consulted, joined; then each of the three leaves first.
#[test]
fn whoever_is_asked_in_and_whoever_leaves_the_two_others_talk_on() {
    for (to, key, seat) in TARGETS {
        for by_key in [None, Some(key)] {
            for joined in [false, true] {
                let there = || {
                    let mut caller = asked(to, by_key);
                    let said = caller.answers(2).to_vec();
                    assert_eq!(sound(&said), ["bridge 1 and 2"], "{to}");
                    if let Some(seat) = seat {
                        assert!(said.contains(&format!("seat {seat} answered")), "{said:?}");
                    }
                    caller.wait(secs(10));
                    if joined {
                        match by_key {
                            Some(_) => caller.keys(1, "*0"),
                            None => caller.wishes(Wish::Merge).unwrap(),
                        };
                        let three = ["confer 0", "confer 1", "confer 2"];
                        assert_eq!(sound(&caller.said), three, "{to}");
                    }
                    caller
                };
                let how = format!("{to} by {by_key:?}, joined: {joined}");
                // The clerk: as they wish, by hanging up, by a dead telephone.
                for leaves in ["wish", "bye", "vanished"] {
                    let mut caller = there();
                    let said = match (leaves, by_key) {
                        ("wish", None) => caller.wishes(Wish::Leave).unwrap(),
                        ("wish", Some(_)) => caller.keys(1, "##"),
                        ("bye", _) => caller.hangs_up(1),
                        _ => caller.vanishes(1),
                    };
                    let gone = if leaves == "vanished" { "vanished" } else { "is free" };
                    assert!(said.contains(&format!("seat 1001 {gone}")), "{how}: {said:?}");
                    assert_eq!(sound(said), ["bridge 0 and 2"], "{how}");
                    assert_eq!(steps(&caller).last(), Some(&TransferStep::Left), "{how}");
                    // Then the one who stayed; the caller is asked, and nobody is left over.
                    let said = caller.hangs_up(2);
                    assert_eq!(said.last().unwrap(), "play 0: survey", "{how}");
                    assert_eq!(caller.call.state(), "survey");
                }
                // The third: sent away, by hanging up, by a dead telephone.
                for leaves in ["wish", "bye", "vanished"] {
                    let mut caller = there();
                    let said = match (leaves, by_key) {
                        ("wish", None) => caller.wishes(Wish::Return).unwrap(),
                        ("wish", Some(_)) => caller.keys(1, "*#"),
                        ("bye", _) => caller.hangs_up(2),
                        _ => caller.vanishes(2),
                    };
                    if let Some(seat) = seat {
                        let left = said.iter().any(|said| said.starts_with(&format!("told seat {seat}")));
                        assert!(left, "{how}: {said:?}");
                    } else {
                        assert!(said.iter().any(|said| said.contains("left after 10000 ms")), "{said:?}");
                    }
                    assert_eq!(sound(said), ["bridge 0 and 1"], "{how}");
                    assert_eq!(steps(&caller).last(), Some(&TransferStep::Returned), "{how}");
                    assert_eq!(caller.call.state(), "talking");
                    // And the same once more.
                    assert!(caller.wishes(consult("12313")).is_ok(), "{how}");
                }
                // The caller: all end, but where help in an emergency has to be told where to go.
                let mut caller = there();
                let mut said = caller.hangs_up(0).to_vec();
                if to == "119" {
                    assert_eq!(caller.call.state(), "without_caller", "{how}");
                    caller.sound_closed();
                    said = caller.hangs_up(1).to_vec();
                    for index in 1..=2 {
                        let (leg, figures) = (caller.leg(index), Box::default());
                        caller.tell(Input::SoundClosed { leg, figures });
                    }
                    assert_eq!(caller.said.last().unwrap(), "over", "{how}");
                }
                for leg in ["hang up 1", "hang up 2"] {
                    assert_eq!(said.iter().filter(|said| *said == leg).count(), 1, "{how}: {said:?}");
                }
                if to != "119" {
                    assert_eq!(caller.sound_closed().last().unwrap(), "over");
                }
            }
        }
    }
}

#[test]
fn each_seat_has_its_own_talk_time_and_each_peer_too() {
    let mut caller = merged("1002");
    let said = caller.wishes(Wish::Leave).unwrap();
    assert!(said.contains(&"told seat 1001 left after 35000 ms".to_owned()), "{said:?}");
    caller.wait(secs(25));
    let said = caller.hangs_up(0);
    assert!(said.contains(&"told seat 1002 left after 40000 ms".to_owned()), "{said:?}");
    let mut caller = merged("4421234");
    let said = caller.hangs_up(0);
    assert!(said.contains(&"told seat 1001 left after 35000 ms".to_owned()), "{said:?}");
    assert!(said.contains(&"told sub-12313/4421234 left after 15000 ms".to_owned()), "{said:?}");
}

/// Before it has picked up: a blind transfer.
#[test]
fn a_clerk_who_leaves_while_it_rings_has_put_the_caller_through() {
    for bye in [false, true] {
        let mut caller = asked("12366", None);
        let said = if bye { caller.hangs_up(1) } else { caller.wishes(Wish::Leave).unwrap() };
        let left = [
            "told Consult transfer to 12366: Left",
            "hang up 1",
            "close 1",
            "told seat 1001 left after 20000 ms",
            "seat 1001 is free",
            "told announced transfer_wait",
            "play 0: transfer_wait",
        ];
        assert_eq!(said, left);
        assert_eq!(caller.call.state(), "transferring");
        assert_eq!(caller.heard_out(0), ["loop 0: ringback"]);
        let joined = [
            "open 2",
            "told Consult transfer to 12366: Accepted",
            "told answered by 12366",
            "bridge 0 and 2",
        ];
        assert_eq!(caller.answers(2), joined);
    }
    let mut caller = asked("1002", None);
    caller.wishes(Wish::Leave).unwrap();
    let said = caller.answers(2).to_vec();
    assert!(said.contains(&"told announced gonghao".to_owned()), "a new clerk is named: {said:?}");
    caller.heard_out(0);
    assert_eq!(caller.heard_out(2), ["bridge 0 and 2"]);
}

/// The notice, 四(四): whoever was called first stays until the other center has accepted.
#[test]
fn nobody_leaves_a_caller_to_help_that_has_not_accepted() {
    let mut caller = asked("119", None);
    assert_eq!(caller.wishes(Wish::Leave), Err(Unwilling::NotAccepted));
    assert_eq!(caller.wishes(Wish::Requeue { queue: None }), Err(Unwilling::NotAccepted));
    assert_eq!(caller.said, [""; 0]);
    caller.answers(2);
    assert!(caller.wishes(Wish::Leave).is_ok());
    // A blind REFER to it is a consultation, and its sender is told of the answer as of any.
    let mut caller = talking();
    let leg = caller.leg(1);
    let target = "sip:119@hotline.puyang".into();
    let refer = hotline::call::Input::Referred { leg, refer: 1, target, attended: None };
    let said = caller.tell(refer).to_vec();
    assert_eq!(said[0], "202 to REFER of 1");
    assert_eq!(sound(&said), ["part 0 and 1", "loop 0: hold_music", "loop 1: ringback"]);
    assert_eq!(caller.wishes(Wish::Leave), Err(Unwilling::NotAccepted));
    let said = caller.answers(2).to_vec();
    assert!(said.contains(&"NOTIFY 1 of 200".to_owned()), "{said:?}");
    assert_eq!(said.last().unwrap(), "bridge 1 and 2", "the two speak first");
    assert_eq!(sound(caller.hangs_up(1)), ["bridge 0 and 2"], "as telephones do then");
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing_row_by_row() {
    type Row = (fn() -> Caller, Wish, Unwilling);
    let queued = || Dialling::to("12345").with(city).go().waits_its_turn();
    let take = |seat: &str| Wish::TakeOver { seat: seat.into() };
    let rows: Vec<Row> = vec![
        (queued, consult("12366"), Unwilling::NotTalking),
        (queued, Wish::Merge, Unwilling::NotTalking),
        (queued, Wish::Leave, Unwilling::NotTalking),
        (queued, Wish::Return, Unwilling::NotTalking),
        (queued, Wish::Hold, Unwilling::NotTalking),
        (queued, Wish::Requeue { queue: None }, Unwilling::NotTalking),
        (talking, consult("13800000000"), Unwilling::Unreachable),
        (talking, consult("1001"), Unwilling::Unreachable), // The clerk's own.
        (talking, consult("12369"), Unwilling::Unreachable), // Queued for.
        (talking, Wish::Merge, Unwilling::NoThird),
        (talking, Wish::Leave, Unwilling::NoThird),
        (talking, Wish::Return, Unwilling::NoThird),
        (talking, Wish::Requeue { queue: Some("nowhere".into()) }, Unwilling::Unreachable),
        (talking, take("1001"), Unwilling::Unreachable),
        (talking, take("9999"), Unwilling::Unreachable),
        (|| asked("12366", None), Wish::Merge, Unwilling::NoThird),
        (|| asked("12366", None), consult("12313"), Unwilling::ThirdThere),
        (|| asked("12366", None), take("1003"), Unwilling::ThirdThere),
        (|| merged("12366"), consult("12313"), Unwilling::ThirdThere),
    ];
    for (standing, wish, why) in rows {
        let mut caller = standing();
        let state = caller.call.state();
        assert_eq!(caller.wishes(wish.clone()), Err(why), "{wish:?} while {state}");
        assert_eq!(caller.said, [""; 0], "{wish:?} while {state}");
        assert_eq!(caller.call.state(), state);
    }
    let mut over = talking();
    over.hangs_up(0);
    assert_eq!(over.wishes(Wish::End), Err(Unwilling::Over));
}

#[test]
fn nobody_is_asked_in_outside_their_hours() {
    use jiff::civil::{Weekday, time};
    // 2021-09-01 is a Wednesday; the tests' clock says 9:00 in the city.
    let band = |from, to| hotline::routing::people::Band { days: vec![Weekday::Wednesday], from, to };
    let until = |hour: i8| Hours::weekly(vec![band(time(8, 0, 0, 0), time(hour, 0, 0, 0))]);
    for (hour, open) in [(9, false), (18, true)] {
        let hours = move |plan: &mut Plan| {
            city(plan);
            plan.departments.get_mut("4421234").unwrap().hours = until(hour);
            let mut group = (*plan.experts["12348"]).clone();
            group.hours = until(hour);
            plan.experts.insert("12348".into(), Arc::new(group));
        };
        for to in ["4421234", "12348"] {
            let mut caller = Dialling::to("12345").with(hours).go().waits_its_turn().talks();
            let done = caller.wishes(consult(to)).map(|_| ());
            assert_eq!(done, if open { Ok(()) } else { Err(Unwilling::AfterHours) }, "{to}");
        }
    }
}

#[test]
fn the_call_goes_back_to_the_queue_ahead_of_others() {
    for to in [None, Some("12366")] {
        let mut caller = to.map_or_else(talking, merged);
        let said = caller.wishes(Wish::Requeue { queue: None }).unwrap().to_vec();
        let back = [
            "quiet 0",
            "told queued in main",
            "loop 0: hold_music",
            "join main at its head",
            "told announced transfer_wait",
            "play 0: transfer_wait",
        ];
        assert_eq!(said[said.len() - 6..], back);
        assert!(said.contains(&"seat 1001 is free".to_owned()), "{said:?}");
        assert_eq!(said.contains(&"hang up 2".to_owned()), to.is_some());
        caller.heard_out(0);
        caller.rings("1003");
        let index = if to.is_some() { 3 } else { 2 };
        caller.answers(index);
        caller.heard_out(0);
        assert_eq!(caller.heard_out(index), [format!("bridge 0 and {index}")]);
        let said = caller.hangs_up(index);
        assert_eq!(said.last().unwrap(), "play 0: survey");
    }
}

/// A caller of a sub-center's line: what its flow would do without an answer is not done after a talk.
#[test]
fn a_caller_of_a_sub_center_can_be_taken_into_the_queue_of_its_line() {
    let mut caller = Dialling::to("12366").with(city).go();
    caller.recorded();
    caller.answers(1);
    let said = caller.wishes(Wish::Requeue { queue: None }).unwrap().to_vec();
    assert!(said.contains(&"join main at its head".to_owned()), "{said:?}");
    caller.heard_out(0);
    caller.rings("1001");
    caller.answers(2);
    caller.heard_out(0);
    caller.heard_out(2);
    assert_eq!(caller.hangs_up(2).last().unwrap(), "play 0: survey");
}

#[test]
fn another_clerk_takes_over_while_the_two_talk_on() {
    let mut caller = talking();
    let said = caller.wishes(Wish::TakeOver { seat: "1003".into() }).unwrap();
    assert_eq!(said, ["told transfer to 1003: Requested", "want seat 1003"], "nothing is heard of it");
    caller.rings("1003");
    assert_eq!(caller.call.state(), "talking");
    let said = caller.answers(2).to_vec();
    let over = ["told transfer to 1003: Accepted", "hang up 1", "close 1"];
    assert_eq!(said[1..4], over);
    caller.heard_out(0);
    assert_eq!(caller.heard_out(2), ["bridge 0 and 2"]);

    // From a clerk who has left the caller with music, whose time is almost over.
    let mut caller = talking();
    caller.wishes(Wish::Hold).unwrap();
    caller.wishes(Wish::TakeOver { seat: "1003".into() }).unwrap();
    caller.wait(secs(179));
    caller.rings("1003");
    caller.answers(2);
    caller.wait(secs(5));
    caller.heard_out(0);
    assert_eq!(caller.heard_out(2), ["bridge 0 and 2"], "no hold is left behind");
    assert_eq!(caller.wait(secs(1_000)), [""; 0]);

    let mut caller = talking();
    caller.wishes(Wish::TakeOver { seat: "1003".into() }).unwrap();
    let said = caller.tell(hotline::call::Input::NoSeat);
    assert_eq!(said, ["told transfer to 1003: Failed(486)"], "they talk on");
    let mut waiting = Caller::queued("12345");
    let said = waiting.wishes(Wish::TakeOver { seat: "1003".into() }).unwrap();
    assert_eq!(said, ["want seat 1003"]);
    assert_eq!(waiting.tell(hotline::call::Input::NoSeat), [""; 0], "and waits on");
    waiting.rings("1003");
    assert_eq!(waiting.call.state(), "ringing");
}

#[test]
fn a_call_that_is_ended_ends_for_all_of_them() {
    let mut caller = merged("12366");
    let said = caller.wishes(Wish::End).unwrap();
    for leg in ["hang up 0", "hang up 1", "hang up 2"] {
        assert_eq!(said.iter().filter(|said| *said == leg).count(), 1, "{said:?}");
    }
    assert_eq!(caller.sound_closed(), ["told closed Completed", "over"]);
}

/// Of a group the next is asked; nobody is asked twice.
#[test]
fn experts_are_asked_one_after_another() {
    let mut caller = talking();
    let said = caller.wishes(consult("12348")).unwrap().to_vec();
    assert_eq!(said[1], "want seat 1006|1007 beside for 15 s", "the group's own time to accept");
    caller.rings("1006");
    let said = caller.refuses(2, 486).to_vec();
    assert_eq!(said[2..], ["seat 1006 did not take it: 486", "want seat 1007 beside for 15 s"]);
    assert_eq!(caller.rings("1006"), ["seat 1006 did not take it: 487"], "not again");
    caller.rings("1007");
    assert_eq!(caller.wait(secs(15)), [""; 0], "the queue counts it");
    let said = caller.tell(Input::WithdrawSeat { seat: "1007".into() }).to_vec();
    assert_eq!(said[2], "told Consult transfer to 12348: Failed(480)", "it is over: {said:?}");
    assert_eq!(said.last().unwrap(), "bridge 0 and 1");
    let rings = caller.all.iter().filter(|command| matches!(command, Command::Sound(Order::Part { .. })));
    assert_eq!(rings.count(), 1);
}

#[test]
fn what_a_third_party_says_before_its_answer_is_heard_by_who_asked() {
    let mut caller = asked("12366", None);
    let leg = caller.leg(2);
    let early = |sdp| hotline::call::Input::Progressed { leg, sdp };
    let said = caller.tell(early(None));
    assert_eq!(said, ["told Consult transfer to 12366: Ringing"]);
    let said = caller.tell(early(Some(super::caller::sdp(5_004, None))));
    assert_eq!(said, ["open 2", "bridge 1 and 2"], "the caller hears music");
    let said = caller.answers(2).to_vec();
    assert_eq!(sound(&said), [""; 0], "as it is");
    // Put through to it: then it is the caller's to hear.
    let mut caller = asked("12366", None);
    let leg = caller.leg(2);
    let sdp = Some(super::caller::sdp(5_004, None));
    caller.tell(hotline::call::Input::Progressed { leg, sdp });
    assert_eq!(sound(caller.wishes(Wish::Leave).unwrap()), ["bridge 0 and 2"]);
}

/// `stay = false`: whether to stay with the caller until help has answered is the clerk's own choice.
#[test]
fn where_the_plan_lets_them_clerks_leave_a_caller_to_help_that_rings() {
    let lets = |plan: &mut hotline::routing::Plan| {
        city(plan);
        plan.centers.get_mut("119").expect("a center").stay = false;
    };
    let called = || {
        let mut caller = Dialling::to("12345").with(lets).go().waits_its_turn().talks();
        caller.wait(secs(20));
        caller
    };
    let mut caller = called();
    caller.wishes(consult("119")).expect("it can be asked in");
    assert!(caller.wishes(Wish::Leave).is_ok());
    assert!(caller.answers(2).contains(&"bridge 0 and 2".to_owned()), "{:?}", caller.said);
    // Where nobody answers the caller is at the head of the queue again.
    let mut caller = called();
    caller.wishes(consult("119")).expect("it can be asked in");
    caller.wishes(Wish::Leave).expect("it may leave");
    let said = caller.refuses(2, 486).to_vec();
    assert!(said.contains(&"join main at its head".to_owned()), "{said:?}");
    // A blind REFER is blind.
    let mut caller = called();
    let (leg, target) = (caller.leg(1), "sip:119@hotline.puyang".into());
    let refer = hotline::call::Input::Referred { leg, refer: 1, target, attended: None };
    assert_eq!(caller.tell(refer)[0], "202 to REFER of 1");
    assert!(caller.wishes(Wish::Leave).is_err(), "it has gone already");
    assert_eq!(steps(&caller).first(), Some(&TransferStep::Requested));
}
