//! Where one rule meets another: hunts with early dialogs, proof and intervals, ends with what is
//! under way, plans with sessions that outlive them.

use hotline::sip::event::*;
use hotline::sip::{Message, Name};

use crate::digest_out::{Ask, asked, proof, proofs, with_account};
use crate::trunks::*;
use crate::wire::*;

fn lines(lines: &str, answer: &[u8]) -> Vec<u8> {
    with_lines(answer, lines)
}

/// `peer` rings reliably under `tag` and has answered our offer; what its dialog looks like to it.
fn rings(wire: &mut Wire, peer: &str, invite: &Message, tag: &str) -> Call {
    let reliable = "Require: 100rel\r\nRSeq: 1\r\nAllow: INVITE, UPDATE\r\n";
    wire.hear(peer, lines(reliable, &answer(invite, 183, tag, OFFER)));
    let prack = wire.next_sent();
    assert_eq!(name(&prack), "PRACK");
    wire.hear(peer, answer(&prack, 200, "", ""));
    assert!(matches!(wire.event(), Event::Progressed { status: 183, .. }));
    Call {
        from: format!("{};tag={tag}", head(invite, Name::To)),
        to: head(invite, Name::From),
        id: head(invite, Name::CallId),
        ..Call::new("x")
    }
}

fn hunting() -> (Wire, SessionId, Message) {
    let mut wire = Wire::with(two_trunks());
    let session = wire.endpoint.invite(to_both(), wire.now).unwrap();
    wire.drain();
    let invite = wire.next_sent();
    (wire, session, invite)
}

/// Nothing is left, of the call or of its place at a trunk.
fn settle(wire: &mut Wire) {
    wire.run_for(secs(70));
    assert_eq!(wire.endpoint.counts(), Counts::default());
    assert!(wire.endpoint.trunks(wire.now).iter().all(|trunk| trunk.calls == 0));
    assert_eq!(wire.endpoint.poll_timeout(), None);
}

#[test]
fn an_attempt_that_failed_does_not_take_up_its_trunks_last_place() {
    let mut config = two_trunks();
    config.trunks[0].calls_max = 1;
    let mut wire = Wire::with(config);
    wire.endpoint.invite(to_both(), wire.now).unwrap();
    wire.drain();
    let first = wire.next_sent();
    wire.hear(ONE_A, answer(&first, 503, "t", ""));
    let (_, second) = next_invite_to(&mut wire, ONE_B);
    assert_eq!(trunk_now(&wire, "one").calls, 1);
    wire.hear(ONE_B, answer(&second, 486, "t", ""));
    settle(&mut wire);
}

#[test]
fn only_the_refusal_that_ends_a_call_says_why() {
    let (mut wire, session, first) = hunting();
    let cause = |cause: u8| format!("Reason: Q.850;cause={cause}\r\n");
    wire.hear(ONE_A, lines(&cause(38), &answer(&first, 503, "t", "")));
    let (_, second) = next_invite_to(&mut wire, ONE_B);
    assert!(matches!(wire.event(), Event::Routed { .. }));
    wire.quiet_events();
    wire.hear(ONE_B, lines(&cause(17), &answer(&second, 486, "t", "")));
    match wire.event() {
        Event::ReasonGiven { reason, .. } => assert_eq!(reason.q850, Some(17)),
        other => panic!("{other:?}"),
    }
    assert!(matches!(wire.event(), Event::Refused { session: told, status: 486 } if told == session));
    wire.quiet_events();
}

#[test]
fn an_offer_that_waits_for_the_answer_waits_through_a_hunt() {
    let (mut wire, session, first) = hunting();
    wire.endpoint.reinvite(session, &sdp(), wire.now);
    wire.hear(ONE_A, answer(&first, 503, "t", ""));
    let (_, second) = next_invite_to(&mut wire, ONE_B);
    wire.hear(ONE_B, answer(&second, 200, "t", OFFER));
    assert_eq!(wire.said(), ["ACK", "INVITE"]);
}

#[test]
fn an_offer_of_theirs_in_an_attempt_that_fails_is_answered_and_forgotten() {
    let (mut wire, session, first) = hunting();
    let mut place = rings(&mut wire, ONE_A, &first, "a");
    wire.hear(ONE_A, place.request("UPDATE", HOLD));
    assert!(matches!(wire.event(), Event::Reoffered { .. }));
    wire.hear(ONE_A, answer(&first, 503, "a", ""));
    assert_eq!(wire.said(), ["ACK", "487", "INVITE"]);
    wire.endpoint.answer_offer(session, &sdp(), wire.now);
    wire.drain();
    assert!(wire.sent.is_empty(), "nobody waits for it");
    wire.endpoint.hang_up(session, None, wire.now);
    settle(&mut wire);
    // And where no way is left.
    let mut wire = Wire::new();
    let (_, invite) = wire.calling();
    let mut place = rings(&mut wire, CARRIER, &invite, "a");
    wire.hear(CARRIER, place.request("UPDATE", HOLD));
    wire.hear(CARRIER, answer(&invite, 486, "a", ""));
    assert_eq!(wire.said(), ["ACK", "487"]);
    settle(&mut wire);
}

#[test]
fn the_answer_to_an_offer_of_the_attempt_before_is_none_to_this_ones() {
    let (mut wire, session, first) = hunting();
    rings(&mut wire, ONE_A, &first, "a");
    wire.endpoint.reinvite(session, &sdp(), wire.now);
    wire.drain();
    let old = wire.next_sent();
    assert_eq!(name(&old), "UPDATE");
    wire.hear(ONE_A, answer(&first, 503, "a", ""));
    let (_, second) = next_invite_to(&mut wire, ONE_B);
    wire.event(); // Routed.
    rings(&mut wire, ONE_B, &second, "b");
    wire.endpoint.reinvite(session, &sdp(), wire.now);
    wire.drain();
    let new = wire.next_sent();
    assert_eq!(name(&new), "UPDATE");
    for status in [200, 491, 481] {
        wire.hear(ONE_A, answer(&old, status, "", OFFER));
        wire.quiet_events();
    }
    wire.hear(ONE_B, answer(&new, 200, "", OFFER));
    assert!(matches!(wire.event(), Event::OfferTaken { session: told, .. } if told == session));
    wire.quiet_events();
}

#[test]
fn what_is_told_by_info_after_the_end_is_told_to_nobody() {
    let mut wire = Wire::new();
    let (session, mut call) = wire.talking();
    wire.endpoint.probe(session, wire.now);
    wire.drain();
    let options = wire.next_sent();
    wire.hear(CARRIER, answer(&options, 481, "", ""));
    assert!(matches!(wire.event(), Event::Ended { cause: EndCause::Gone, .. }));
    assert_eq!(wire.said(), ["BYE"]);
    let info = call.request("INFO", "Signal=5\r\n").replace("application/sdp", "application/dtmf-relay");
    wire.hear(CARRIER, info);
    assert_eq!(wire.said(), ["481"]);
    wire.quiet_events();
    settle(&mut wire);
}

#[test]
fn a_longer_interval_is_asked_for_with_proof_anew_and_in_the_same_time() {
    let mut wire = Wire::with(with_account());
    wire.endpoint.invite(to_both(), wire.now).unwrap();
    wire.drain();
    let first = wire.next_sent();
    let second = asked(&mut wire, &Ask::default(), &first);
    wire.hear(ONE_A, answer(&second, 100, "", ""));
    wire.hear(ONE_A, lines("Min-SE: 3600\r\n", &answer(&second, 422, "t", "")));
    assert_eq!(name(&wire.next_sent()), "ACK");
    let third = wire.next_sent();
    assert_eq!(proofs(&third), [proof("r1", "n1", hotline::sip::digest::Algorithm::Md5, 2)]);
    assert_eq!(
        (head(&third, Name::SessionExpires), head(&third, Name::MinSe)),
        ("3600".into(), "3600".into())
    );
    assert_eq!(head(&third, Name::CSeq), "3 INVITE");
    // It stays silent from here on: its hop is given up as for the first.
    wire.run_for(secs(2));
    let (_, fourth) = next_invite_to(&mut wire, ONE_B);
    assert_eq!(head(&fourth, Name::CSeq), "1 INVITE");
    assert_eq!(head(&fourth, Name::SessionExpires), "1800");
}

#[test]
fn whoever_refers_by_a_trunk_that_wants_proof_gets_it_with_each_notify_also_after_its_bye() {
    let mut config = with_account();
    config.trunks[0].hops = vec![hop(CARRIER)];
    let mut wire = Wire::with(config);
    let (session, mut call) = wire.talking();
    call.more = "Refer-To: <sip:12366@192.0.2.1>\r\n".into();
    wire.hear(CARRIER, call.request("REFER", ""));
    call.more.clear();
    let refer = match wire.event() {
        Event::Referred(referred) => referred.refer,
        other => panic!("{other:?}"),
    };
    wire.endpoint.accept_refer(session, refer, wire.now);
    wire.drain();
    wire.next_sent();
    let first = wire.next_sent();
    wire.hear(CARRIER, call.request("BYE", ""));
    wire.sent.clear();
    wire.hear(CARRIER, Ask::default().of(&first));
    let second = wire.next_sent();
    assert_eq!(head(&second, Name::CSeq), "2 NOTIFY");
    assert_eq!(proofs(&second).len(), 1);
    wire.hear(CARRIER, answer(&second, 200, "", ""));
    wire.endpoint.notify_refer(session, refer, 200, wire.now);
    wire.drain();
    let last = wire.next_sent();
    assert_eq!((head(&last, Name::CSeq), proofs(&last).len()), ("3 NOTIFY".into(), 1));
    settle(&mut wire);
}

#[test]
fn a_trunk_that_comes_back_into_the_plan_still_bears_its_calls() {
    let mut wire = Wire::new();
    wire.talking();
    let (session, _) = wire.calling_talks();
    let without = Config { trunks: Vec::new(), ..config() };
    wire.endpoint.configure(without, wire.now);
    wire.endpoint.configure(config(), wire.now);
    assert_eq!(trunk_now(&wire, "carrier").calls, 2);
    wire.endpoint.hang_up(session, None, wire.now);
    wire.drain();
    let bye = wire.next_sent();
    wire.hear(CARRIER, answer(&bye, 200, "", ""));
    assert_eq!(trunk_now(&wire, "carrier").calls, 1);
}

#[test]
fn help_in_an_emergency_is_called_for_with_every_table_full() {
    for emergency in [false, true] {
        let mut config = config();
        config.limits.sessions_max = 0;
        let mut wire = Wire::with(config);
        wire.register(1, "Contact: <sip:1001@10.0.0.7:5070>\r\n");
        for target in [Target::Seat("1001".into()), to_carrier().target] {
            let sent = wire.endpoint.invite(Invite { target, emergency, ..to_carrier() }, wire.now);
            assert_eq!(sent.is_ok(), emergency, "{sent:?}");
        }
    }
}
