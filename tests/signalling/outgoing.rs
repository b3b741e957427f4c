//! Calls that go out.

use std::time::Duration;

use hotline::sip::Name;
use hotline::sip::event::*;

use crate::wire::*;

fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

fn to_tag(message: &hotline::sip::Message) -> String {
    let to = head(message, Name::To);
    to.split_once(";tag=").map(|(_, tag)| tag.to_owned()).unwrap_or_default()
}

#[test]
fn an_invite_that_goes_out_tells_whom_it_went_to_and_the_reference_of_its_messages() {
    let mut wire = Wire::new();
    let (_, invite) = wire.calling();
    let wire_ref = hotline::sip::WireRef::of_message(invite.raw()).expect("it has a Call-ID");
    assert_eq!(wire.on_wire, [(Origin::Trunk("carrier".into()), wire_ref)]);
}

#[test]
fn our_call_rings_talks_and_ends_and_leaves_nothing_behind() {
    let mut wire = Wire::new();
    let (session, invite) = wire.calling();
    assert_eq!(invite.request_uri(), Some(&b"sip:4420000@192.0.2.10:5060"[..]));
    assert!(head(&invite, Name::From).starts_with("<sip:13800000000@hotline.example>;tag="));
    assert_eq!(invite.header_named("X-Line"), Some(&b"12345"[..]));
    wire.hear(CARRIER, answer(&invite, 100, "", ""));
    wire.quiet();
    wire.hear(CARRIER, answer(&invite, 183, "t1", OFFER));
    assert!(matches!(wire.event(), Event::Progressed { status: 183, sdp: Some(_), .. }));
    wire.hear(CARRIER, answer(&invite, 200, "t1", OFFER));
    assert!(matches!(wire.event(), Event::Answered { sdp: Some(_), .. }));
    let ack = wire.next_sent();
    assert_eq!((name(&ack), head(&ack, Name::CSeq)), ("ACK".into(), "1 ACK".into()));
    assert_eq!(ack.request_uri(), Some(&b"sip:callee@192.0.2.10:5060"[..]));
    assert_eq!(to_tag(&ack), "t1");
    wire.hear(CARRIER, answer(&invite, 200, "t1", OFFER));
    assert_eq!(wire.next_sent(), ack, "a repeated 200 gets the very same ACK");
    wire.endpoint.hang_up(session, None, wire.now);
    wire.drain();
    let bye = wire.next_sent();
    assert_eq!((name(&bye), head(&bye, Name::CSeq)), ("BYE".into(), "2 BYE".into()));
    wire.hear(CARRIER, answer(&bye, 200, "", ""));
    assert!(matches!(wire.event(), Event::Ended { cause: EndCause::HungUp, .. }));
    wire.hear(CARRIER, answer(&invite, 200, "t1", OFFER));
    assert_eq!(wire.said(), ["ACK"], "even after the session is over");
    wire.run_for(secs(33));
    wire.quiet();
    assert_eq!(wire.endpoint.counts(), Counts::default());
}

#[test]
fn a_refusal_is_acknowledged_each_time_and_told_once() {
    let mut wire = Wire::new();
    let (_, invite) = wire.calling();
    for _ in 0..3 {
        wire.hear(CARRIER, answer(&invite, 486, "t1", ""));
    }
    let ack = wire.next_sent();
    assert_eq!(head(&ack, Name::Via), head(&invite, Name::Via), "same branch");
    assert_eq!(to_tag(&ack), "t1");
    assert_eq!(wire.said(), ["ACK", "ACK"]);
    assert!(matches!(wire.event(), Event::Refused { status: 486, .. }));
    wire.run_for(secs(33));
    wire.quiet();
    assert_eq!(wire.endpoint.counts(), Counts::default());
}

#[test]
fn a_second_fork_that_answers_is_acknowledged_and_released() {
    let mut wire = Wire::new();
    let (session, invite) = wire.calling_talks();
    wire.hear(CARRIER, answer(&invite, 200, "t2", OFFER));
    let (ack, bye) = (wire.next_sent(), wire.next_sent());
    assert_eq!([name(&ack), name(&bye)], ["ACK", "BYE"]);
    assert_eq!([to_tag(&ack), to_tag(&bye)], ["t2", "t2"]);
    wire.hear(CARRIER, answer(&bye, 200, "", ""));
    wire.hear(CARRIER, answer(&invite, 200, "t2", OFFER));
    assert_eq!(wire.next_sent(), ack, "ACK again, but one BYE");
    wire.quiet();
    wire.endpoint.hang_up(session, None, wire.now);
    wire.drain();
    assert_eq!(to_tag(&wire.next_sent()), "t1", "the first one is the call");
}

#[test]
fn cancel_waits_for_a_provisional_answer() {
    let mut wire = Wire::new();
    let (session, invite) = wire.calling();
    wire.endpoint.hang_up(session, Some("SIP;cause=200"), wire.now);
    wire.drain();
    wire.quiet();
    wire.hear(CARRIER, answer(&invite, 180, "t1", ""));
    let cancel = wire.next_sent();
    assert_eq!((name(&cancel), head(&cancel, Name::CSeq)), ("CANCEL".into(), "1 CANCEL".into()));
    assert_eq!(head(&cancel, Name::Via), head(&invite, Name::Via), "or no peer could match it");
    assert_eq!(head(&cancel, Name::Reason), "SIP;cause=200");
    wire.hear(CARRIER, answer(&invite, 180, "t1", ""));
    wire.hear(CARRIER, answer(&cancel, 200, "t1", ""));
    wire.quiet();
    wire.hear(CARRIER, answer(&invite, 487, "t1", ""));
    assert_eq!(wire.said(), ["ACK"]);
    assert!(matches!(wire.event(), Event::Ended { cause: EndCause::HungUp, .. }));
    wire.run_for(secs(33));
    wire.quiet();
    assert_eq!(wire.endpoint.counts(), Counts::default());
}

#[test]
fn a_200_that_crosses_our_cancel_is_acknowledged_and_released() {
    let mut wire = Wire::new();
    let (session, invite) = wire.calling();
    wire.hear(CARRIER, answer(&invite, 180, "t1", ""));
    wire.event();
    wire.endpoint.hang_up(session, None, wire.now);
    wire.drain();
    assert_eq!(wire.said(), ["CANCEL"]);
    wire.hear(CARRIER, answer(&invite, 200, "t1", OFFER));
    let (ack, bye) = (wire.next_sent(), wire.next_sent());
    assert_eq!([name(&ack), name(&bye)], ["ACK", "BYE"]);
    assert!(wire.events.is_empty());
    wire.hear(CARRIER, answer(&bye, 200, "", ""));
    assert!(matches!(wire.event(), Event::Ended { cause: EndCause::HungUp, .. }));
    wire.quiet();
}

#[test]
fn a_cancel_that_nobody_honours_ends_in_32_s() {
    let mut wire = Wire::new();
    let (session, invite) = wire.calling();
    wire.hear(CARRIER, answer(&invite, 180, "t1", ""));
    wire.event();
    wire.endpoint.hang_up(session, None, wire.now);
    wire.run_for(secs(32));
    assert!(matches!(wire.event(), Event::Ended { cause: EndCause::HungUp, .. }));
    wire.run_for(secs(5));
    assert!(wire.events.is_empty());
    assert_eq!(wire.endpoint.counts(), Counts::default());
}

#[test]
fn a_dead_trunk_costs_its_connect_timeout_and_a_late_answer_is_released() {
    let mut wire = Wire::new();
    let (_, invite) = wire.calling();
    wire.run_for(secs(4));
    assert!(matches!(wire.event(), Event::Refused { status: 408, .. }));
    assert_eq!(wire.endpoint.counts().sessions, 0);
    wire.sent.clear();
    wire.hear(CARRIER, answer(&invite, 180, "t1", ""));
    assert_eq!(wire.said(), ["CANCEL"]);
    wire.hear(CARRIER, answer(&invite, 200, "t1", OFFER));
    assert_eq!(wire.said(), ["ACK", "BYE"]);
    wire.run_for(secs(70));
    assert!(wire.events.is_empty());
    assert_eq!(wire.endpoint.counts(), Counts::default());
}

#[test]
fn any_provisional_answer_stops_the_connect_timeout() {
    let mut wire = Wire::new();
    let (_, invite) = wire.calling();
    wire.hear(CARRIER, answer(&invite, 100, "", ""));
    wire.run_for(secs(120));
    wire.quiet();
    assert_eq!(wire.endpoint.counts().sessions, 1);
}

#[test]
fn an_icmp_error_counts_at_once() {
    let mut wire = Wire::new();
    let (_, first) = wire.calling();
    wire.hear(CARRIER, answer(&first, 180, "t1", ""));
    wire.event();
    wire.calling();
    wire.endpoint.unreachable(CARRIER.parse().unwrap(), wire.now);
    wire.drain();
    assert!(matches!(wire.event(), Event::Refused { status: 503, .. }));
    wire.quiet();
    assert_eq!(wire.endpoint.counts().sessions, 1, "the one that rings goes on");
}

#[test]
fn there_is_not_always_a_way() {
    let mut wire = Wire::new();
    let invite = |target| Invite { target, ..to_carrier() };
    let trunk = |trunk: &str| by_trunk(trunk, "1", "13800000000");
    let mut try_it = |target| wire.endpoint.invite(invite(target), wire.now);
    assert_eq!(try_it(Target::Seat("1001".into())), Err(NoWay::NotRegistered));
    assert_eq!(try_it(trunk("deaf")), Err(NoWay::NoTarget));
    assert_eq!(try_it(trunk("unknown")), Err(NoWay::NoTarget));
    let mut small = config();
    small.limits.sessions_max = 1;
    let mut wire = Wire::with(small);
    wire.calling();
    assert_eq!(wire.endpoint.invite(to_carrier(), wire.now), Err(NoWay::Full));
}

#[test]
fn a_peer_that_answers_options_is_alive_and_one_that_does_not_is_gone() {
    for (status, alive) in [(200, true), (405, true), (481, false), (408, false), (0, false)] {
        let mut wire = Wire::new();
        let (session, _) = wire.calling_talks();
        wire.endpoint.probe(session, wire.now);
        wire.endpoint.probe(session, wire.now);
        wire.drain();
        let options = wire.next_sent();
        assert_eq!(name(&options), "OPTIONS");
        assert!(wire.sent.is_empty(), "one at a time");
        if status == 0 {
            wire.run_for(secs(33));
            wire.sent.retain(|(_, message)| name(message) == "BYE");
        } else {
            wire.hear(CARRIER, answer(&options, status, "", ""));
        }
        if alive {
            assert!(matches!(wire.event(), Event::Alive { .. }));
            wire.quiet();
            continue;
        }
        assert!(matches!(wire.event(), Event::Ended { cause: EndCause::Gone, .. }), "{status}");
        let bye = wire.next_sent();
        assert_eq!(name(&bye), "BYE");
        wire.hear(CARRIER, answer(&bye, 481, "", ""));
        assert!(wire.events.is_empty(), "told once");
        wire.run_for(secs(40));
        assert_eq!(wire.endpoint.counts(), Counts::default());
    }
}

#[test]
fn the_callee_may_hang_up() {
    let mut wire = Wire::new();
    let (session, invite) = wire.calling_talks();
    let call = Call {
        from: format!("{};tag=t1", head(&invite, Name::To)),
        to: head(&invite, Name::From),
        id: head(&invite, Name::CallId),
        ..Call::new("x")
    };
    wire.hear(CARRIER, call.text("BYE", 900, "b", ""));
    assert_eq!(wire.said(), ["200"]);
    assert!(
        matches!(wire.event(), Event::Ended { session: ended, cause: EndCause::Bye } if ended == session)
    );
    wire.hear(CARRIER, call.text("BYE", 901, "c", ""));
    assert_eq!(wire.said(), ["481"]);
}

#[test]
fn strays_are_dropped_and_counted() {
    let mut wire = Wire::new();
    let (_, invite) = wire.calling();
    let stray = String::from_utf8(answer(&invite, 200, "t", OFFER)).unwrap().replace("z9hG4bK", "z9hG4bKx");
    wire.hear(CARRIER, stray);
    assert_eq!(wire.turned_away(), TurnedAway::OutOfDialog);
    let mut call = Call::new("nobody");
    call.to = "<sip:12345@192.0.2.1>;tag=0123456789abcdef".into();
    wire.hear(CARRIER, call.ack());
    assert_eq!(wire.turned_away(), TurnedAway::OutOfDialog);
    wire.quiet();
}
