//! A third party that is not to be had: the caller is with somebody all the same, or is told and has a ticket.

use hotline::call::{Command, Input, Told, TransferStep, Wish};
use hotline::routing::plan::{Flow, Plan, Step, TicketReason};

use super::caller::{Caller, Dialling, secs, unusable};
use super::three_way::{TARGETS, asked, city, consult, steps, talking};

/// What makes it fail while it rings, and the status that is told.
type Failure = (&'static str, fn(&mut Caller) -> Vec<String>, u16);

const FAILURES: [Failure; 6] = [
    ("busy", |caller| caller.refuses(2, 486).to_vec(), 486),
    ("rejected", |caller| caller.refuses(2, 603).to_vec(), 603),
    ("the trunk is down", |caller| caller.refuses(2, 503).to_vec(), 503),
    ("no answer over there", |caller| caller.refuses(2, 408).to_vec(), 408),
    ("vanished while ringing", |caller| caller.vanishes(2).to_vec(), 480),
    (
        "an answer that cannot be taken",
        |caller| {
            let leg = caller.leg(2);
            caller.tell(Input::Answered { leg, sdp: Some(unusable()) }).to_vec()
        },
        488,
    ),
];

/// Experts come in twos; the second one is not free.
fn fails(caller: &mut Caller, to: &str, failure: Failure) -> (Vec<String>, u16) {
    let mut said = failure.1(caller);
    if to == "12348" {
        assert!(said.contains(&"want seat 1007 beside for 15 s".to_owned()), "{said:?}");
        said.extend_from_slice(caller.tell(Input::NoSeat));
        return (said, 486);
    }
    (said, failure.2)
}

#[test]
fn a_clerk_whose_third_party_fails_is_with_the_caller_again() {
    for (to, key, _) in TARGETS {
        for by_key in [None, Some(key)] {
            for failure in FAILURES {
                let what = format!("{to} by {by_key:?}: {}", failure.0);
                let mut caller = asked(to, by_key);
                let (said, status) = fails(&mut caller, to, failure);
                assert!(said.contains(&"hang up 2".to_owned()), "{what}: {said:?}");
                assert_eq!(said.last().unwrap(), "bridge 0 and 1", "{what}");
                assert_eq!(steps(&caller).last(), Some(&TransferStep::Failed(status)), "{what}");
                assert_eq!(caller.call.state(), "talking", "{what}");
                assert_eq!(caller.wait(secs(120)), [""; 0], "{what}: no time runs on");
                assert!(caller.wishes(consult("12313")).is_ok(), "{what}: and may ask again");
            }
        }
    }
}

#[test]
fn nobody_rings_longer_than_the_plan_says() {
    for (to, rings_for) in [("119", 30), ("12366", 25), ("4421234", 20)] {
        let mut caller = asked(to, None);
        assert_eq!(caller.wait(secs(rings_for - 1)), [""; 0]);
        let said = caller.wait(secs(1));
        assert_eq!(said.last().unwrap(), "bridge 0 and 1", "{to}");
        assert_eq!(steps(&caller).last(), Some(&TransferStep::Failed(408)));
    }
    let mut caller = asked("1002", None);
    let said = caller.tell(Input::WithdrawSeat { seat: "1002".into() });
    assert_eq!(said[0], "hang up 2, served elsewhere");
    assert_eq!(said.last().unwrap(), "bridge 0 and 1", "a seat's time is the queue's");
}

#[test]
fn without_a_port_there_is_no_third_party() {
    let mut caller = talking();
    let leg = caller.leg(2);
    caller.call.wish(consult("12366"), caller.now).unwrap();
    let nowhere = std::net::Ipv4Addr::UNSPECIFIED.into();
    // Before the one that the tests' switchboard gives.
    caller
        .call
        .handle_input(Input::Port { leg, slot: None, peer: nowhere, ours: nowhere, keys: None }, caller.now);
    let said = caller.tell(Input::Alive { leg });
    assert!(said.contains(&"told Consult transfer to 12366: Failed(503)".to_owned()), "{said:?}");
    assert_eq!(caller.call.state(), "talking");
}

#[test]
fn where_the_clerk_has_left_the_caller_is_first_in_line() {
    for (to, _, seat) in TARGETS {
        for failure in FAILURES {
            let mut caller = asked(to, None);
            caller.hangs_up(1);
            let (said, _) = fails(&mut caller, to, failure);
            let back = [
                "quiet 0",
                "told queued in main",
                "loop 0: hold_music",
                "join main at its head",
                "told announced seat_lost",
                "play 0: seat_lost",
            ];
            assert_eq!(said[said.len() - 6..], back, "{to}: {}", failure.0);
            assert_eq!(caller.call.state(), "waiting");
            let tickets = caller.all.iter().filter(|it| matches!(it, Command::Tell(Told::TicketLeft { .. })));
            assert_eq!(tickets.count(), 0, "a person follows");
            assert_eq!(seat.is_some(), caller.all.iter().any(|it| matches!(it, Command::OfferFailed { .. })));
        }
    }
}

/// A call that never was in a queue, and whose flow has come to its end.
fn without_a_queue(change: fn(&mut Plan)) -> Caller {
    let dialling = Dialling::to("12366").with(city).with(change);
    let steps =
        dialling.plan.flow(&dialling.plan.lines["12366"], "2021-09-01T01:00:00Z".parse().unwrap()).steps;
    let dial = steps.into_iter().find(|step| matches!(step, Step::Dial { .. })).expect("it dials");
    let flow = Flow { line: "12366".into(), steps: vec![Step::Ring, dial], record: true };
    let mut caller = Dialling { flow: Some(flow), ..dialling }.go();
    caller.recorded();
    caller.answers(1);
    assert_eq!(caller.call.state(), "talking");
    caller
}

#[test]
fn a_caller_without_a_queue_is_told_and_has_a_ticket_with_the_reason() {
    let at_nine = |plan: &mut Plan| {
        let band = hotline::routing::people::Band {
            days: vec![jiff::civil::Weekday::Wednesday],
            from: jiff::civil::time(8, 0, 0, 0),
            to: jiff::civil::time(9, 1, 0, 0),
        };
        plan.departments.get_mut("4421234").unwrap().hours =
            hotline::routing::people::Hours::weekly(vec![band]);
    };
    // The same by a calendar that ends early on that day.
    let by_calendar = |plan: &mut Plan| {
        use hotline::routing::calendar::{Calendar, Day, Works};
        let span = hotline::routing::hours::Span {
            from: jiff::civil::time(8, 0, 0, 0),
            to: jiff::civil::time(9, 1, 0, 0),
        };
        let day = Day { works: Works::During(vec![span]), name: "节前".into(), source: None };
        let days = [(jiff::civil::date(2021, 9, 1), day)].into();
        let calendar = Calendar { name: "office".into(), days, ..Calendar::default() };
        plan.departments.get_mut("4421234").unwrap().hours =
            hotline::routing::hours::Hours::by(std::sync::Arc::new(calendar));
    };
    type Row = (&'static str, fn(&mut Plan), u64, TicketReason);
    let rows: [Row; 8] = [
        ("119", |_| {}, 0, TicketReason::EmergencyUnanswered),
        ("12313", |_| {}, 0, TicketReason::SubCenterUnanswered),
        ("4421234", |_| {}, 0, TicketReason::DepartmentUnanswered),
        ("7101", |_| {}, 0, TicketReason::PeerUnanswered),
        ("12348", |_| {}, 0, TicketReason::ExpertUnanswered),
        ("1002", |_| {}, 0, TicketReason::ExpertUnanswered),
        ("4421234", at_nine, 61, TicketReason::AfterHours),
        ("4421234", by_calendar, 61, TicketReason::AfterHours),
    ];
    for (to, change, later, reason) in rows {
        let mut caller = without_a_queue(change);
        if later > 0 {
            caller.now.wall += jiff::SignedDuration::from_secs(55);
        }
        caller.wishes(consult(to)).unwrap();
        caller.hangs_up(1);
        caller.now.wall += jiff::SignedDuration::from_secs(later as i64);
        let said = match caller.call.poll_timeout() {
            _ if ["12348", "1002"].contains(&to) => caller.tell(Input::NoSeat).to_vec(),
            _ => caller.refuses(2, 486).to_vec(),
        };
        assert!(said.contains(&format!("told ticket {reason:?}")), "{to}: {said:?}");
        assert!(said.contains(&format!("told announced {}", reason.prompt())), "{to}: {said:?}");
        let over = caller.heard_out(0);
        assert_eq!(over[0], "hang up 0", "{to}");
    }
}

#[test]
fn a_third_party_that_vanishes_while_it_talks_is_found_out_by_asking() {
    for merged in [false, true] {
        let mut caller = asked("12366", None);
        caller.answers(2);
        if merged {
            caller.wishes(Wish::Merge).unwrap();
        }
        let leg = caller.leg(2);
        assert_eq!(caller.tell(Input::Silent { leg }), ["OPTIONS to 2"]);
        caller.wait(secs(3));
        caller.tell(Input::Alive { leg });
        assert_eq!(caller.wait(secs(10)), [""; 0], "it is there after all");
        caller.tell(Input::Silent { leg });
        let said = caller.wait(secs(4));
        assert_eq!(said[0], "hang up 2");
        assert_eq!(said.last().unwrap(), "bridge 0 and 1");
    }
}

#[test]
fn a_fault_of_ours_in_one_of_three_sounds_costs_that_one() {
    for (index, left) in [(1, "bridge 0 and 2"), (2, "bridge 0 and 1")] {
        let mut caller = asked("12366", None);
        caller.answers(2);
        caller.wishes(Wish::Merge).unwrap();
        let leg = caller.leg(index);
        let said = caller.tell(Input::SoundFailed { leg });
        assert_eq!(said.last().unwrap(), left);
    }
}

/// The offer and the wish to let it be cross one another.
#[test]
fn a_seat_that_is_sent_away_before_it_rings_is_free_again() {
    let mut caller = talking();
    caller.wishes(consult("1002")).unwrap();
    let said = caller.wishes(Wish::Return).unwrap();
    assert_eq!(said, ["told Consult transfer to 1002: Returned", "bridge 0 and 1"]);
    assert_eq!(caller.rings("1002"), ["seat 1002 did not take it: 487"]);
    let mut caller = asked("1002", None);
    let said = caller.wishes(Wish::Return).unwrap();
    assert!(said.contains(&"seat 1002 did not take it: 487".to_owned()), "{said:?}");
    assert_eq!(said.last().unwrap(), "bridge 0 and 1");
    // It picked up in the moment in which the offer lapsed.
    let mut caller = asked("1002", None);
    caller.answers(2);
    let said = caller.tell(Input::WithdrawSeat { seat: "1002".into() });
    assert_eq!(said.last().unwrap(), "bridge 0 and 1");
}

#[test]
fn an_expert_who_picks_up_as_the_offer_lapses_leaves_the_next_one_to_be_asked() {
    let mut caller = asked("12348", None);
    caller.answers(2);
    let said = caller.tell(Input::WithdrawSeat { seat: "1006".into() }).to_vec();
    assert!(said.contains(&"want seat 1007 beside for 15 s".to_owned()), "{said:?}");
    assert_eq!(caller.rings("1007")[0], "want port 3 for seat 1007");
    caller.answers(3);
    assert!(caller.wishes(Wish::Merge).is_ok());
}

#[test]
fn a_sub_centers_caller_whose_seat_picks_up_as_the_offer_lapses_goes_on_as_12345() {
    let mut caller = Dialling::to("12366").with(city).go();
    caller.recorded();
    caller.answers(1);
    assert_eq!(caller.call.state(), "talking");
    let leg = caller.leg(1);
    let target = "sip:1002@hotline.puyang".to_owned();
    caller.tell(Input::Referred { leg, refer: 1, target, attended: None });
    caller.rings("1002");
    caller.hangs_up(1);
    caller.answers(2);
    let said = caller.tell(Input::WithdrawSeat { seat: "1002".into() }).to_vec();
    assert_eq!(said.last().unwrap(), "play 0: sub_center_unanswered", "not music in no line for ever");
}
