//! Calls out that try one way after another.

use std::time::Duration;

use hotline::sip::event::*;
use hotline::sip::{Message, Name};

use crate::trunks::*;
use crate::wire::*;

/// What is sent next, and where to.
fn sent(wire: &mut Wire) -> (String, Message) {
    let (peer, message) = wire.sent.pop_front().expect("something was sent");
    (peer.to_string(), message)
}

fn next_invite(wire: &mut Wire) -> (String, Message) {
    loop {
        let (peer, message) = sent(wire);
        if name(&message) == "INVITE" {
            return (peer, message);
        }
    }
}

fn routed(wire: &mut Wire) -> (String, String) {
    match wire.event() {
        Event::Routed { trunk, peer, .. } => (trunk.to_string(), peer.to_string()),
        other => panic!("{other:?}"),
    }
}

fn refused(wire: &mut Wire) -> u16 {
    match wire.event() {
        Event::Refused { status, .. } => status,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_final_answer_moves_on_or_ends_the_call_row_by_row() {
    // (status, whether the next way is tried)
    let rows = [
        (300, false),
        (305, false),
        (400, false),
        (403, false),
        (404, false),
        (408, true),
        (410, false),
        (480, false),
        (486, false),
        (488, false),
        (500, true),
        (501, false),
        (502, true),
        (503, true),
        (504, true),
        (505, false),
        (513, false),
        (580, false),
        (600, false),
        (603, false),
    ];
    for (status, goes_on) in rows {
        let mut wire = Wire::with(two_trunks());
        wire.endpoint.invite(to_both(), wire.now).unwrap();
        wire.drain();
        let (peer, first) = sent(&mut wire);
        assert_eq!(peer, ONE_A);
        wire.hear(ONE_A, answer(&first, status, "t1", ""));
        let (peer, ack) = sent(&mut wire);
        assert_eq!((peer.as_str(), name(&ack).as_str()), (ONE_A, "ACK"), "{status}");
        if !goes_on {
            assert_eq!(refused(&mut wire), status);
            wire.quiet();
            continue;
        }
        let (peer, second) = sent(&mut wire);
        assert_eq!((peer.as_str(), name(&second).as_str()), (ONE_B, "INVITE"), "{status}");
        assert_ne!(head(&second, Name::CallId), head(&first, Name::CallId), "{status}");
        assert_ne!(head(&second, Name::Via), head(&first, Name::Via), "{status}");
        assert_eq!(routed(&mut wire), ("one".into(), "192.0.2.12".into()));
        wire.quiet();
    }
}

#[test]
fn a_call_goes_on_by_hop_and_by_trunk_until_somebody_answers() {
    let mut wire = Wire::with(two_trunks());
    let session = wire.endpoint.invite(to_both(), wire.now).unwrap();
    wire.run_for(ms(1_999));
    assert!(wire.sent.iter().all(|(peer, _)| peer.to_string() == ONE_A), "{:?}", wire.sent);
    wire.run_for(ms(1));
    let (peer, second) = next_invite_to(&mut wire, ONE_B);
    assert_eq!(peer, ONE_B);
    assert_eq!(second.request_uri(), Some(&b"sip:86110@one.example"[..]));
    assert!(head(&second, Name::From).starts_with("<sip:0393100@one.example>;tag="));
    wire.hear(ONE_B, answer(&second, 503, "t1", ""));
    let (peer, third) = next_invite(&mut wire);
    assert_eq!(peer, TWO);
    assert_eq!(third.request_uri(), Some(&b"sip:110@198.51.100.20:5060"[..]), "as this trunk wants it");
    assert!(head(&third, Name::From).starts_with("<sip:100@hotline.example>;tag="));
    assert_eq!(third.body(), second.body(), "one offer for all");
    wire.hear(TWO, answer(&third, 180, "t2", ""));
    wire.hear(TWO, answer(&third, 200, "t2", OFFER));
    assert_eq!(routed(&mut wire), ("one".into(), "192.0.2.12".into()));
    assert_eq!(routed(&mut wire), ("two".into(), "198.51.100.20".into()));
    assert!(matches!(wire.event(), Event::Progressed { session: told, status: 180, .. } if told == session));
    assert!(matches!(wire.event(), Event::Answered { session: told, .. } if told == session));
    wire.quiet_events();
    let one = trunk_now(&wire, "one");
    assert_eq!((one.attempts, one.calls), (2, 0));
    assert_eq!(failures(&one), [(WayFailed::Silent, 1), (WayFailed::Refused, 1)]);
    assert_eq!(trunk_now(&wire, "two").calls, 1);
    wire.sent.clear();
    wire.endpoint.hang_up(session, None, wire.now);
    wire.drain();
    let (_, bye) = sent(&mut wire);
    wire.hear(TWO, answer(&bye, 200, "", ""));
    wire.run_for(secs(70));
    assert_eq!(trunk_now(&wire, "two").calls, 0);
    assert_eq!(wire.endpoint.counts(), Counts::default());
}

#[test]
fn what_comes_late_of_an_attempt_that_was_given_up_is_released() {
    let mut wire = Wire::with(two_trunks());
    let session = wire.endpoint.invite(to_both(), wire.now).unwrap();
    wire.drain();
    let (_, first) = sent(&mut wire);
    wire.run_for(secs(2));
    let (_, second) = next_invite_to(&mut wire, ONE_B);
    wire.events.clear();
    wire.sent.clear();
    // It had only been slow: CANCEL, and what it answers nevertheless gets ACK and BYE.
    wire.hear(ONE_A, answer(&first, 183, "late", OFFER));
    assert_eq!(wire.said(), ["CANCEL"]);
    wire.quiet_events();
    wire.hear(ONE_A, answer(&first, 200, "late", OFFER));
    let (ack, bye) = (sent(&mut wire).1, sent(&mut wire).1);
    assert_eq!([name(&ack), name(&bye)], ["ACK", "BYE"]);
    assert_eq!(head(&bye, Name::CallId), head(&first, Name::CallId));
    wire.hear(ONE_A, answer(&bye, 200, "", ""));
    wire.quiet_events();
    // The one under way knows nothing of it.
    wire.hear(ONE_B, answer(&second, 200, "t", OFFER));
    assert!(matches!(wire.event(), Event::Answered { session: told, .. } if told == session));
    wire.sent.clear();
    wire.hear(ONE_A, answer(&first, 200, "late", OFFER));
    assert_eq!(wire.said(), ["ACK"]);
    wire.quiet_events();
    assert_eq!(wire.endpoint.counts().dialogs, 1);
}

#[test]
fn a_late_refusal_of_an_attempt_that_was_given_up_means_nothing() {
    let mut wire = Wire::with(two_trunks());
    wire.endpoint.invite(to_both(), wire.now).unwrap();
    wire.drain();
    let (_, first) = sent(&mut wire);
    wire.run_for(secs(2));
    let (_, second) = next_invite_to(&mut wire, ONE_B);
    wire.events.clear();
    wire.sent.clear();
    wire.hear(ONE_A, answer(&first, 486, "late", ""));
    assert_eq!(wire.said(), ["ACK"]);
    wire.quiet_events();
    wire.hear(ONE_B, answer(&second, 100, "", ""));
    wire.run_for(secs(40));
    wire.quiet_events();
    assert_eq!(wire.endpoint.counts().sessions, 1, "the second one is waited for");
}

#[test]
fn an_attempt_that_has_been_heard_of_is_not_given_up_for_time() {
    let mut wire = Wire::with(two_trunks());
    wire.endpoint.invite(to_both(), wire.now).unwrap();
    wire.drain();
    let (_, first) = sent(&mut wire);
    wire.hear(ONE_A, answer(&first, 180, "t", ""));
    wire.run_for(secs(90));
    assert!(wire.sent.is_empty(), "{:?}", wire.sent);
    // Having rung, a 408 speaks for the callee; 503 is still the way's.
    wire.hear(ONE_A, answer(&first, 408, "t", ""));
    assert_eq!(wire.said(), ["ACK"]);
    wire.events.pop_front();
    assert_eq!(refused(&mut wire), 408);
}

#[test]
fn an_icmp_error_moves_on_at_once() {
    let mut wire = Wire::with(two_trunks());
    wire.endpoint.invite(to_both(), wire.now).unwrap();
    wire.drain();
    wire.sent.clear();
    wire.endpoint.unreachable(ONE_A.parse().unwrap(), wire.now);
    wire.drain();
    assert_eq!(sent(&mut wire).0, ONE_B);
    assert_eq!(failures(&trunk_now(&wire, "one")), [(WayFailed::Unreachable, 1)]);
    // The next call does not try the dead hop first, nor at all while another one is there.
    wire.endpoint.invite(to_both(), wire.now).unwrap();
    wire.drain();
    assert_eq!(sent(&mut wire).0, ONE_B);
}

#[test]
fn retry_after_makes_a_hop_rest_and_503_without_it_does_not() {
    for (line, first_of_next) in [("Retry-After: 60\r\n", ONE_B), ("", ONE_A)] {
        let mut wire = Wire::with(two_trunks());
        wire.endpoint.invite(to_both(), wire.now).unwrap();
        wire.drain();
        let (_, first) = sent(&mut wire);
        wire.hear(ONE_A, with_lines(&answer(&first, 503, "t", ""), line));
        wire.run_for(secs(59));
        wire.sent.clear();
        wire.endpoint.invite(to_both(), wire.now).unwrap();
        wire.drain();
        assert_eq!(sent(&mut wire).0, first_of_next, "{line}");
        wire.run_for(secs(1));
        wire.sent.clear();
        wire.endpoint.invite(to_both(), wire.now).unwrap();
        wire.drain();
        assert_eq!(sent(&mut wire).0, ONE_A, "{line}");
    }
}

#[test]
fn the_last_failure_is_told_when_no_way_is_left() {
    let mut wire = Wire::with(two_trunks());
    wire.endpoint.invite(to_both(), wire.now).unwrap();
    wire.drain();
    for (peer, status) in [(ONE_A, 500), (ONE_B, 504), (TWO, 502)] {
        let (to, invite) = next_invite(&mut wire);
        assert_eq!(to, peer);
        wire.hear(peer, answer(&invite, status, "t", ""));
    }
    wire.events.retain(|event| !matches!(event, Event::Routed { .. }));
    assert_eq!(refused(&mut wire), 502);
    wire.quiet_events();
    wire.run_for(secs(40));
    assert_eq!(wire.endpoint.counts(), Counts::default());
}

#[test]
fn attempts_of_one_call_are_bounded() {
    let mut config = two_trunks();
    config.trunks[0].hops = (1..=30).map(|last| hop(&format!("192.0.2.{last}:5060"))).collect();
    let mut wire = Wire::with(config);
    wire.endpoint.invite(to_both(), wire.now).unwrap();
    wire.run_for(secs(100));
    let mut asked: Vec<String> = wire
        .sent
        .iter()
        .filter(|(_, message)| name(message) == "INVITE")
        .map(|(_, message)| head(message, Name::CallId))
        .collect();
    asked.sort();
    asked.dedup();
    assert_eq!(asked.len(), 8);
    wire.events.retain(|event| !matches!(event, Event::Routed { .. }));
    assert_eq!(refused(&mut wire), 408);
    wire.run_for(secs(40));
    assert_eq!(wire.endpoint.counts(), Counts::default());
}

#[test]
fn hanging_up_ends_the_hunt() {
    let mut wire = Wire::with(two_trunks());
    let session = wire.endpoint.invite(to_both(), wire.now).unwrap();
    wire.drain();
    let (_, first) = sent(&mut wire);
    wire.hear(ONE_A, answer(&first, 100, "", ""));
    wire.endpoint.hang_up(session, None, wire.now);
    wire.drain();
    assert_eq!(wire.said(), ["CANCEL"]);
    wire.hear(ONE_A, answer(&first, 503, "t", ""));
    assert_eq!(wire.said(), ["ACK"], "and no other way is tried");
    assert!(matches!(wire.event(), Event::Ended { cause: EndCause::HungUp, .. }));
    wire.quiet();
}

#[test]
fn a_callee_who_answers_an_attempt_that_was_given_up_and_hangs_up_does_not_end_the_next() {
    let mut wire = Wire::with(two_trunks());
    wire.endpoint.invite(to_both(), wire.now).unwrap();
    wire.drain();
    let (_, first) = sent(&mut wire);
    wire.run_for(secs(2));
    wire.sent.clear();
    wire.events.clear();
    let call = Call {
        from: format!("{};tag=late", head(&first, Name::To)),
        to: head(&first, Name::From),
        id: head(&first, Name::CallId),
        ..Call::new("x")
    };
    wire.hear(ONE_A, call.text("BYE", 2, "b", ""));
    assert_eq!(wire.said(), ["481"]);
    assert_eq!(wire.turned_away(), TurnedAway::OutOfDialog);
    assert_eq!(wire.endpoint.counts().sessions, 1);
}

// ── 3xx ──────────────────────────────────────────────────────────────────────────────────────────

fn moved(invite: &Message, status: u16, contacts: &str) -> Vec<u8> {
    let text = String::from_utf8(answer(invite, status, "moved", "")).unwrap();
    text.replace("Contact: <sip:callee@192.0.2.10:5060>\r\n", contacts).into_bytes()
}

#[test]
fn a_302_is_followed_in_order_of_q_in_the_same_call() {
    let mut wire = Wire::with(two_trunks());
    wire.endpoint.invite(to_both(), wire.now).unwrap();
    wire.drain();
    let (_, first) = sent(&mut wire);
    let contacts = "Contact: <sip:200@one.example>;q=0.5, <sip:300@198.51.100.20>;q=0.9\r\n\
                    Contact: <sip:evil@203.0.113.66>;q=1.0\r\n";
    wire.hear(ONE_A, moved(&first, 302, contacts));
    let (_, ack) = sent(&mut wire);
    assert_eq!(name(&ack), "ACK");
    let (peer, second) = sent(&mut wire);
    assert_eq!((peer.as_str(), second.request_uri()), (TWO, Some(&b"sip:300@198.51.100.20"[..])));
    assert_eq!(head(&second, Name::CallId), head(&first, Name::CallId));
    assert_eq!(head(&second, Name::From), head(&first, Name::From));
    assert_eq!(head(&second, Name::To), head(&first, Name::To));
    assert_eq!(head(&second, Name::CSeq), "2 INVITE");
    wire.hear(TWO, answer(&second, 503, "t", ""));
    let (peer, third) = next_invite(&mut wire);
    assert_eq!((peer.as_str(), third.request_uri()), (ONE_A, Some(&b"sip:200@one.example"[..])));
    assert_eq!(head(&third, Name::CSeq), "3 INVITE");
    wire.hear(ONE_A, answer(&third, 200, "t", OFFER));
    let (_, ack) = sent(&mut wire);
    assert_eq!(head(&ack, Name::CSeq), "3 ACK");
    assert!(wire.events.iter().any(|event| matches!(event, Event::Answered { .. })));
    assert_eq!(failures(&trunk_now(&wire, "one")), []);
}

#[test]
fn a_302_to_a_stranger_is_a_refusal_and_counted() {
    for contacts in [
        "Contact: <sip:00881600000@203.0.113.66>\r\n",
        "Contact: <sip:86110@one.example>\r\n", // Where we just were.
        "Contact: *\r\n",
        "",
    ] {
        let mut wire = Wire::with(two_trunks());
        wire.endpoint.invite(to_both(), wire.now).unwrap();
        wire.drain();
        let (_, first) = sent(&mut wire);
        wire.hear(ONE_A, moved(&first, 302, contacts));
        assert_eq!(wire.said(), ["ACK"], "{contacts}");
        assert_eq!(refused(&mut wire), 302);
        wire.quiet();
        assert_eq!(failures(&trunk_now(&wire, "one")), [(WayFailed::Redirected, 1)], "{contacts}");
    }
}

#[test]
fn a_stranger_sends_a_call_on_to_the_same_number_only_and_where_it_went_is_told() {
    let strange = || Invite { redirects: Redirects::SameNumber, ..to_both() };
    let mut wire = Wire::with(two_trunks());
    wire.endpoint.invite(strange(), wire.now).unwrap();
    wire.drain();
    let (_, first) = sent(&mut wire);
    let contacts = "Contact: <sip:0019005551212@one.example>\r\nContact: <tel:110>\r\n";
    wire.hear(ONE_A, moved(&first, 302, contacts));
    assert_eq!(wire.said(), ["ACK"]);
    assert_eq!(refused(&mut wire), 302);
    wire.quiet();
    assert_eq!(failures(&trunk_now(&wire, "one")), [(WayFailed::Redirected, 1)]);

    // Its carrier may still say by which of its hosts.
    let mut wire = Wire::with(two_trunks());
    wire.endpoint.invite(strange(), wire.now).unwrap();
    wire.drain();
    let (_, first) = sent(&mut wire);
    let contacts = "Contact: <sip:0019005551212@198.51.100.20>\r\nContact: <sip:86110@198.51.100.20>\r\n";
    wire.hear(ONE_A, moved(&first, 302, contacts));
    let (peer, second) = next_invite(&mut wire);
    assert_eq!((peer.as_str(), second.request_uri()), (TWO, Some(&b"sip:86110@198.51.100.20"[..])));
    let told = |wire: &Wire| {
        let numbers = wire.events.iter().filter_map(|event| match event {
            Event::Routed { number, .. } => Some(number.clone()),
            _ => None,
        });
        numbers.collect::<Vec<_>>()
    };
    assert_eq!(told(&wire), [None], "by another trunk, to nobody else");

    let mut wire = Wire::with(two_trunks());
    wire.endpoint.invite(to_both(), wire.now).unwrap();
    wire.drain();
    let (_, first) = sent(&mut wire);
    wire.hear(ONE_A, moved(&first, 302, "Contact: <sip:200@one.example>\r\n"));
    assert_eq!(told(&wire), [Some("200".to_owned())], "whom the plan trusts may name another one");
}

#[test]
fn a_chain_of_302_ends_after_three() {
    let mut wire = Wire::with(two_trunks());
    wire.endpoint.invite(to_both(), wire.now).unwrap();
    wire.drain();
    let mut followed = 0;
    loop {
        let (_, invite) = next_invite(&mut wire);
        let contact = format!("Contact: <sip:{followed}@one.example>\r\n");
        wire.hear(ONE_A, moved(&invite, 302, &contact));
        if wire.sent.len() == 1 {
            break;
        }
        followed += 1;
    }
    assert_eq!(followed, 3);
    wire.events.retain(|event| !matches!(event, Event::Routed { .. }));
    assert_eq!(refused(&mut wire), 302);
}

#[test]
fn hops_of_one_call_are_asked_for_a_bounded_time_before_the_caller_hears_of_it() {
    let mut wire = Wire::with(two_trunks());
    wire.endpoint.invite(to_both(), wire.now).unwrap();
    let begun = wire.now.mono;
    while !wire.events.iter().any(|event| matches!(event, Event::Refused { .. })) {
        wire.run_for(ms(100));
        assert!(wire.now.mono.since(begun) < Duration::from_secs(9));
    }
    assert!(wire.now.mono.since(begun) >= Duration::from_secs(8), "2 s, 2 s, and the 4 s of the call");
}

#[test]
fn calls_between_two_look_ups_share_the_records_of_a_name_by_their_weights() {
    let mut config = two_trunks();
    let ranked = |addr: &str, record, weight| hotline::sip::Hop {
        rank: hotline::sip::Rank { tier: 0, record, weight },
        ..hop(addr)
    };
    config.trunks[0].hops = vec![ranked(ONE_A, 0, 30), ranked(ONE_B, 1, 10)];
    let mut wire = Wire::with(config);
    let mut first_at_a = 0;
    for _ in 0..400 {
        wire.endpoint.invite(to_both(), wire.now).unwrap();
        wire.drain();
        let (peer, first) = next_invite(&mut wire);
        first_at_a += usize::from(peer == ONE_A);
        wire.hear(&peer, answer(&first, 503, "t1", ""));
        let (other, second) = next_invite(&mut wire);
        assert_eq!(other, if peer == ONE_A { ONE_B } else { ONE_A }, "the other one is the next to be tried");
        wire.hear(&other, answer(&second, 486, "t2", ""));
        wire.sent.clear();
        wire.events.clear();
    }
    assert!((270..=330).contains(&first_at_a), "three quarters of 400, more or less: {first_at_a}");
}
