//! Which numbers lead out of the house, row by row.

use std::time::Duration;

use super::*;
use crate::routing::afterwards::Calling;
use crate::routing::fixture_test::shipped;

fn plan() -> Plan {
    let mut plan = shipped();
    plan.calling = Some(Calling {
        prefix: "9".into(),
        allowed: vec!["13".into(), "0393".into(), "114".into(), "00852".into(), String::new()],
        trunk: "carrier".into(),
        line: "12345".into(),
        ring: Duration::from_secs(30),
    });
    plan
}

fn said(found: Result<Callable, Uncallable>) -> String {
    match found {
        Ok(Callable::Emergency(peer)) => format!("help {}", peer.number),
        Ok(Callable::Peer(peer)) => format!("peer {}", peer.number),
        Ok(Callable::Outside(peer)) => format!("out {}", peer.number),
        Ok(Callable::Seat(seat)) => format!("seat {seat}"),
        Ok(Callable::Group(group)) => format!("group {}", group.number),
        Err(why) => format!("{why:?}"),
    }
}

#[test]
fn what_a_telephone_dials_leads_where_the_plan_says_and_nowhere_else() {
    let plan = plan();
    for (dialled, wanted) in [
        ("sip:913800000000@hotline.puyang", "out 13800000000"),
        ("sip:9138-0000-0000@192.0.2.1;user=phone", "out 13800000000"),
        ("tel:913800000000", "out 13800000000"),
        ("sip:90393442000@x", "out 0393442000"),
        ("sip:9114@x", "out 114"),
        ("sip:90085212345678@x", "out 0085212345678"),
        ("sip:13800000000@x", "NotAllowed"),
        ("sip:9013800000000@x", "NotAllowed"),
        ("sip:90013800000000@x", "NotAllowed"),
        ("sip:915800000000@x", "NotAllowed"),
        ("sip:9@x", "NotAllowed"),
        ("sip:913@x", "NotAllowed"),
        ("sip:9131234567890123456@x", "out 131234567890123456"),
        ("sip:91312345678901234567@x", "NotAllowed"),
        ("sip:9138000%00000@x", "NotAllowed"),
        ("sip:913800000000,,,1@x", "NotAllowed"),
        ("sip:%2B8613800000000@x", "NotAllowed"),
        ("tel:913800000000;phone-context=+1", "NotAllowed"),
        ("tel:913800000000;phone-context=+86", "out 13800000000"),
        ("sip:9+8613800000000@x", "NotAllowed"),
        ("sip:@x", "NotAllowed"),
        ("sip:alice@x", "NotAllowed"),
        ("", "NotAllowed"),
        ("sip:110@x", "help 110"),
        ("sip:9110@x", "help 110"),
        ("sip:0393110@x", "help 110"),
        ("sip:90393110@x", "help 110"),
        ("sip:12366@x", "peer 12366"),
        ("sip:912366@x", "peer 12366"),
        ("sip:12345@x", "OwnLine"),
        ("sip:912345@x", "OwnLine"),
        ("sip:9+8639312345@x", "NotAllowed"),
        ("sip:+8639312336@x", "OwnLine"),
        ("sip:1002@x", "seat 1002"),
        ("sip:91002@x", "seat 1002"),
    ] {
        assert_eq!(said(plan.dialled_by_seat(dialled)), wanted, "{dialled}");
    }
}

#[test]
fn what_a_program_wants_called_is_read_by_the_same_rule_without_the_prefix() {
    let plan = plan();
    for (number, wanted) in [
        ("13800000000", "out 13800000000"),
        ("+8613800000000", "out 13800000000"),
        ("+863934420001", "out 03934420001"),
        ("+8637112345678", "NotAllowed"),
        ("+113800000000", "NotAllowed"),
        ("913800000000", "NotAllowed"),
        ("110", "help 110"),
        ("+86393110", "help 110"),
        ("12345", "OwnLine"),
        ("", "NotAllowed"),
    ] {
        assert_eq!(said(plan.callable(number)), wanted, "{number}");
    }
}

#[test]
fn without_calling_only_what_the_plan_names_is_reached() {
    let mut plan = plan();
    plan.calling = None;
    assert_eq!(plan.calling_line().as_str(), "12345");
    for (dialled, wanted) in [
        ("sip:913800000000@x", "NoCalling"),
        ("sip:13800000000@x", "NoCalling"),
        ("sip:110@x", "help 110"),
        ("sip:1002@x", "seat 1002"),
        ("sip:12345@x", "OwnLine"),
    ] {
        assert_eq!(said(plan.dialled_by_seat(dialled)), wanted, "{dialled}");
    }
    plan.lines = Default::default();
    assert_eq!(plan.calling_line().as_str(), SEATS);
}

#[test]
fn a_flow_rings_people_outside_and_no_service_emergency_number_or_colleague() {
    let mut plan = plan();
    let Some(calling) = &mut plan.calling else { panic!("it has one") };
    calling.allowed = vec!["1".into(), "0".into(), "4".into()];
    let relayed = |number: &str| plan.relayable(number).map(|peer| peer.number);
    for (number, wanted) in [
        ("13800000000", Ok("13800000000")),
        ("+8613800000000", Ok("13800000000")),
        ("03934420001", Ok("03934420001")),
        ("+86-10-6512-3456", Ok("01065123456")),
        ("02165123456", Ok("02165123456")),
        ("075512345678", Err(Uncallable::NotAllowed)), // No number in an area begins with 1.
        ("075523456789", Ok("075523456789")),
        ("tel:13900000005;phone-context=+86", Ok("13900000005")),
        ("sip:13900000005;phone-context=ims.example.com@h;user=phone", Ok("13900000005")),
        ("tel:13900000005;phone-context=+1", Err(Uncallable::NotAllowed)),
        ("tel:4420001;phone-context=+86371", Err(Uncallable::NotAllowed)),
        ("4420001", Err(Uncallable::NotAllowed)), // Whose area, nobody says.
        ("179510019005551212", Err(Uncallable::NotAllowed)),
        ("17951123456", Err(Uncallable::NotAllowed)),
        ("17951013900000001", Err(Uncallable::NotAllowed)),
        ("0085212345678", Err(Uncallable::NotAllowed)),
        ("0019005551212", Err(Uncallable::NotAllowed)),
        ("4008123456", Err(Uncallable::NotAllowed)),
        ("16800000", Err(Uncallable::NotAllowed)),
        ("12800000001", Err(Uncallable::NotAllowed)),
        ("1380000000", Err(Uncallable::NotAllowed)),
        ("138000000001", Err(Uncallable::NotAllowed)),
        ("013800000000", Err(Uncallable::NotAllowed)),
        ("0106512345", Err(Uncallable::NotAllowed)),
        ("039344200012", Ok("039344200012")),
        ("0393442000123", Err(Uncallable::NotAllowed)),
        ("0393", Err(Uncallable::NotAllowed)),
        ("110", Err(Uncallable::NotAllowed)),
        ("0393110", Err(Uncallable::NotAllowed)),
        ("0371110", Err(Uncallable::NotAllowed)),
        ("122", Err(Uncallable::NotAllowed)),
        ("10086", Err(Uncallable::NotAllowed)),
        ("12345", Err(Uncallable::OwnLine)),
        ("1002", Err(Uncallable::NotAllowed)),
        ("abc", Err(Uncallable::NotAllowed)),
        ("", Err(Uncallable::NotAllowed)),
    ] {
        assert_eq!(relayed(number), wanted.map(str::to_owned), "{number}");
    }
    plan.calling = None;
    assert_eq!(plan.relayable("13800000000"), Err(Uncallable::NoCalling));
}
