//! A clerk joins the caller with somebody whom they have on a call of their own: both calls, told by hand.

use hotline::call::{Callee, Command, Input, Partner};
use hotline::id::LegId;
use hotline::media::order::LegFigures;
use hotline::routing::plan::{Flow, Peer, Step};

use super::caller::{Begun, Caller, Dialling, sdp, secs};

const REFER: u32 = 3;

/// The clerk's own call, up to where both talk.
fn own(trunk: &str, number: &str) -> Caller {
    let (trunk, number) = (trunk.into(), number.into());
    let peer = Peer { trunk, number, ring: secs(25), drill: false, hours: Default::default() };
    let steps = vec![Step::Dial { peer, ticket_on_failure: false, failure_prompt: None }];
    let flow = Some(Flow { line: "12345".into(), steps, record: true });
    let mut own = Dialling { flow, begun: Begun::Clerk("1001"), ..Dialling::to("12345") }.go();
    own.recorded();
    own.answers(1);
    assert_eq!(own.call.state(), "talking");
    own
}

fn joins(caller: &mut Caller, index: u16, callee: Callee) -> Vec<String> {
    let leg = caller.leg(index);
    let attended = Some(Ok(Partner { leg: LegId { index: 1, ..leg }, callee }));
    let target = "sip:12366@hotline.puyang".into();
    caller.tell(Input::Referred { leg, refer: REFER, target, attended }).to_vec()
}

fn taxes() -> Callee {
    Callee::Peer { trunk: "sub-12366".into(), number: "12366".into() }
}

/// Talking for 20 s, then the clerk joins the caller with this partner.
fn joining(callee: Callee) -> Caller {
    let mut caller = Caller::talking("12345");
    caller.wait(secs(20));
    joins(&mut caller, 1, callee);
    caller
}

#[test]
fn a_partner_is_given_away_without_a_bye_and_the_clerks_own_call_is_over() {
    let mut own = own("sub-12366", "12366");
    let partner = own.call.partner().expect("somebody is there");
    assert_eq!(partner, Partner { leg: own.leg(1), callee: taxes() });
    own.wait(secs(30));
    assert!(own.call.give_away(own.leg(0), own.now).is_none(), "not the clerk's");
    let given = own.call.give_away(own.leg(1), own.now).expect("it is there");
    assert!(given.described.origin.0 != 0 && given.described.media.len() == 1);
    let gone =
        ["close 1", "told sub-12366/12366 left after 30000 ms", "hang up 0", "stop recording", "close 0"];
    assert_eq!(own.tell(Input::NoSeat), gone);
    assert!(own.call.give_away(own.leg(1), own.now).is_none(), "once");
    let leg = own.leg(1);
    let figures = Box::new(LegFigures::default());
    assert_eq!(own.tell(Input::SoundClosed { leg, figures }).len(), 1, "its figures are told");
    assert_eq!(own.sound_closed(), ["told closed Completed", "over"]);
}

#[test]
fn nobody_is_given_away_who_is_not_there_or_is_not_the_clerks() {
    let mut own = own("sub-12366", "12366");
    own.hangs_up(1);
    assert_eq!(own.call.partner(), None);
    assert_eq!(Caller::talking("12345").call.partner(), None, "a citizen's call is nobody's own");
    let colleague = self::own("seats", "1002");
    assert_eq!(colleague.call.partner().map(|partner| partner.callee), Some(Callee::Seat("1002".into())));
}

#[test]
fn a_partner_that_takes_the_offer_has_the_caller_and_the_clerk_is_let_go() {
    let mut caller = Caller::talking("12345");
    caller.wait(secs(20));
    let begun = [
        "202 to REFER of 1",
        "part 0 and 1",
        "loop 0: hold_music",
        "told Attended transfer to 12366: Requested",
        "told dialled 12366",
        "adopt leg 1 to 12366 by sub-12366 as 2",
        "re-INVITE 2",
    ];
    assert_eq!(joins(&mut caller, 1, taxes()), begun);
    assert_eq!(caller.call.state(), "transferring");
    let offer = caller.all.iter().rev().find_map(|command| match command {
        Command::Reoffer { offer, .. } => Some(offer.clone()),
        _ => None,
    });
    assert_eq!(offer.expect("it is offered").origin, (44, 4), "RFC 3264 §8: the dialog goes on");
    let joined = [
        "open 2",
        "told Attended transfer to 12366: Accepted",
        "NOTIFY 1 of 200",
        "hang up 1",
        "close 1",
        "told seat 1001 left after 20000 ms",
        "seat 1001 is free",
        "told answered by 12366",
        "bridge 0 and 2",
    ];
    assert_eq!(caller.answers(2), joined);
    assert_eq!(caller.answers(2), [""; 0], "once");
    assert_eq!(caller.wait(secs(60)), [""; 0], "the bound is off");
    let asked = caller.hangs_up(2).to_vec();
    assert!(asked.contains(&"told announced survey".to_owned()), "a clerk has talked: {asked:?}");
}

#[test]
fn a_colleague_takes_the_caller_over_as_a_seat() {
    let mut caller = joining(Callee::Seat("1002".into()));
    let said = caller.answers(2).to_vec();
    let order = |words: &str| said.iter().position(|said| said == words).expect(words);
    assert!(order("seat 1001 is free") < order("seat 1002 answered"), "{said:?}");
    caller.heard_out(0);
    assert_eq!(caller.heard_out(2), ["bridge 0 and 2"]);
    assert_eq!(caller.call.clerk().map(|seat| seat.as_str()), Some("1002"));
    let said = caller.hangs_up(0).to_vec();
    assert!(said.contains(&"seat 1002 is free".to_owned()), "{said:?}");
}

#[test]
fn a_stranger_whom_a_clerk_has_joined_the_caller_with_puts_them_through_to_nobody() {
    for (number, status) in [("13900000001", "603"), ("12366", "202")] {
        let mut caller = joining(Callee::Peer { trunk: "carrier".into(), number: number.into() });
        caller.answers(2);
        let leg = caller.leg(2);
        let target = "sip:110@hotline.puyang".into();
        let said = caller.tell(Input::Referred { leg, refer: REFER, target, attended: None }).to_vec();
        assert!(said.contains(&format!("{status} to REFER of 2")), "{number}: {said:?}");
    }
}

#[test]
fn a_partner_that_is_not_to_be_had_is_let_go_and_the_two_talk_on() {
    let tell = |caller: &mut Caller, what: &str| {
        let leg = caller.leg(2);
        match what {
            "refused" => caller.tell(Input::Refused { leg, status: 488 }).to_vec(),
            "gone" => caller.hangs_up(2).to_vec(),
            "silent" => caller.wait(secs(10)).to_vec(),
            "unusable" => caller.tell(Input::Answered { leg, sdp: Some(super::caller::unusable()) }).to_vec(),
            _ => caller.tell(Input::Answered { leg, sdp: None }).to_vec(),
        }
    };
    for (what, status) in
        [("refused", 488), ("gone", 480), ("silent", 408), ("unusable", 488), ("undescribed", 488)]
    {
        let mut caller = joining(taxes());
        let said = tell(&mut caller, what);
        let told = if what == "silent" { 0 } else { status };
        let back = [
            "hang up 2".to_owned(),
            "free port 12".to_owned(),
            format!("told failed 12366: {told}"),
            format!("told Attended transfer to 12366: Failed({status})"),
            format!("NOTIFY 1 of {status}"),
            "bridge 0 and 1".to_owned(),
        ];
        assert_eq!(said, back, "{what}");
        assert_eq!(caller.call.state(), "talking");
        let mut caller = joining(Callee::Seat("1002".into()));
        let said = tell(&mut caller, what);
        let failed = format!("seat 1002 did not take it: {told}");
        assert!(said.contains(&failed) && said.contains(&"hang up 2".into()), "{what}: {said:?}");
        assert_eq!(said.last().unwrap(), "bridge 0 and 1");
    }
}

#[test]
fn who_leaves_in_between_leaves_nothing_behind() {
    let mut caller = joining(Callee::Seat("1002".into()));
    let said = caller.hangs_up(0).to_vec();
    for wanted in
        ["hang up 1", "hang up 2", "free port 12", "seat 1002 did not take it: 487", "NOTIFY 1 of 487"]
    {
        assert!(said.contains(&wanted.to_owned()), "{wanted}: {said:?}");
    }
    assert_eq!(caller.answers(2), [""; 0], "too late");
    // The clerk, right after the 202.
    let mut caller = joining(taxes());
    let gone = ["hang up 1", "close 1", "told seat 1001 left after 20000 ms", "seat 1001 is free"];
    assert_eq!(caller.hangs_up(1), gone);
    assert_eq!(caller.answers(2).last().unwrap(), "bridge 0 and 2");
    let mut caller = joining(taxes());
    caller.hangs_up(1);
    let said = caller.refuses(2, 488).to_vec();
    assert!(said.contains(&"join main at its head".to_owned()), "{said:?}");
}

#[test]
fn an_offer_of_the_partners_own_in_between_is_answered() {
    let mut caller = joining(taxes());
    assert_eq!(caller.reinvites(2, Some(sdp(5_004, None))), ["200 to re-INVITE of 2", "open 2"]);
    let said = caller.answers(2).to_vec();
    assert_eq!(said.last().unwrap(), "bridge 0 and 2");
}
