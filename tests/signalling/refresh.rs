//! Session timers (RFC 4028) in both roles.

use std::time::Duration;

use hotline::sip::event::*;
use hotline::sip::{Message, Name};

use crate::wire::*;

fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

/// A carrier's call with these lines in its INVITE, up to the ACK; and our 200.
fn talking(more: &str) -> (Wire, Call, SessionId, Message) {
    let mut wire = Wire::new();
    let mut call = Call::new("a");
    call.more = more.into();
    wire.hear(CARRIER, call.invite(OFFER));
    let session = wire.invited().session;
    wire.endpoint.answer(session, &sdp(), wire.now);
    wire.drain();
    wire.next_sent();
    let ok = wire.next_sent();
    call.learn(&ok);
    call.more.clear();
    wire.hear(CARRIER, call.ack());
    wire.event();
    (wire, call, session, ok)
}

fn with(lines: &str, answer: Vec<u8>) -> String {
    String::from_utf8(answer).unwrap().replacen("Contact:", &format!("{lines}Contact:"), 1)
}

/// A call of ours whose 200 has these lines, up to the ACK.
fn calling(lines: &str) -> (Wire, SessionId, Message) {
    let mut wire = Wire::new();
    let (session, invite) = wire.calling();
    wire.hear(CARRIER, with(lines, answer(&invite, 200, "t1", OFFER)));
    wire.event();
    assert_eq!(wire.said(), ["ACK"]);
    (wire, session, invite)
}

#[test]
fn what_the_callee_makes_of_it_row_by_row() {
    let rows = [
        ("", "", false),
        ("Supported: timer\r\n", "1800;refresher=uac", true),
        ("Supported: timer\r\nSession-Expires: 600\r\n", "600;refresher=uac", true),
        ("Supported: timer\r\nSession-Expires: 600;refresher=uas\r\n", "600;refresher=uas", true),
        ("Session-Expires: 600\r\n", "600;refresher=uas", false),
        ("Supported: timer\r\nMin-SE: 3600\r\n", "3600;refresher=uac", true),
    ];
    for (more, wanted, required) in rows {
        let (_, _, _, ok) = talking(more);
        assert_eq!(head(&ok, Name::SessionExpires), wanted, "{more}");
        assert_eq!(ok.lists(Name::Require, "timer"), required, "{more}");
        assert!(ok.lists(Name::Supported, "timer"));
    }
}

#[test]
fn too_brief_an_interval_gets_422_and_the_least_in_invite_and_in_the_dialog() {
    let mut wire = Wire::new();
    let mut call = Call::new("a");
    call.more = "Supported: timer\r\nSession-Expires: 89\r\n".into();
    wire.hear(CARRIER, call.invite(OFFER));
    let refusal = wire.next_sent();
    assert_eq!((name(&refusal), head(&refusal, Name::MinSe)), ("422".into(), "90".into()));
    for method in ["INVITE", "UPDATE"] {
        let (mut wire, mut call, ..) = talking("");
        call.more = "Supported: timer\r\nSession-Expires: 30\r\n".into();
        wire.hear(CARRIER, call.request(method, OFFER));
        let refusal = wire.next_sent();
        assert_eq!((name(&refusal), head(&refusal, Name::MinSe)), ("422".into(), "90".into()));
        assert_eq!(wire.endpoint.counts().dialogs, 1);
    }
}

#[test]
fn a_caller_that_does_not_refresh_is_hung_up_on_in_time() {
    let (mut wire, _, _, _) = talking("Supported: timer\r\nSession-Expires: 300\r\n");
    wire.run_for(Duration::from_millis(267_999));
    wire.quiet();
    wire.run_for(Duration::from_millis(1));
    assert!(matches!(wire.event(), Event::Ended { cause: EndCause::Expired, .. }));
    let bye = wire.next_sent();
    assert_eq!(name(&bye), "BYE");
    assert!(head(&bye, Name::Reason).contains("cause=408"));
    wire.run_for(secs(70));
    assert!(wire.events.is_empty());
    assert_eq!(wire.endpoint.counts(), Counts::default());
}

#[test]
fn each_refresh_of_theirs_begins_a_new_interval() {
    for (method, body) in [("UPDATE", ""), ("UPDATE", OFFER), ("INVITE", OFFER)] {
        let (mut wire, mut call, session, _) = talking("Supported: timer\r\nSession-Expires: 300\r\n");
        for round in 0..4 {
            wire.run_for(secs(200));
            assert!(wire.events.is_empty(), "{method} {round}: {:?}", wire.events);
            call.more = "Supported: timer\r\nSession-Expires: 300;refresher=uac\r\n".into();
            wire.hear(CARRIER, call.request(method, body));
            call.more.clear();
            if !body.is_empty() {
                assert!(matches!(wire.event(), Event::Reoffered { .. }));
                wire.endpoint.answer_offer(session, &sdp(), wire.now);
                wire.drain();
            }
            let ok = wire.sent.pop_back().unwrap().1;
            assert_eq!(head(&ok, Name::SessionExpires), "300;refresher=uac");
            if method == "INVITE" {
                wire.hear(CARRIER, call.ack());
            }
            wire.sent.clear();
        }
        // They hand it over to us.
        call.more = "Supported: timer\r\nSession-Expires: 300;refresher=uas\r\nAllow: UPDATE\r\n".into();
        wire.hear(CARRIER, call.request("UPDATE", ""));
        assert_eq!(wire.said(), ["200"]);
        wire.run_for(secs(151));
        assert_eq!(wire.said()[0], "UPDATE");
    }
}

#[test]
fn we_refresh_at_half_time_by_update_where_the_peer_takes_it_else_by_the_same_description() {
    for (allow, method) in [("Allow: INVITE, UPDATE\r\n", "UPDATE"), ("", "INVITE")] {
        let asked = "Supported: timer\r\nSession-Expires: 300;refresher=uas\r\n";
        let (mut wire, _, _, _) = talking(&format!("{asked}{allow}"));
        for round in 0..3 {
            wire.run_for(Duration::from_millis(149_999));
            wire.quiet();
            wire.run_for(Duration::from_millis(1));
            let refresh = wire.next_sent();
            assert_eq!(name(&refresh), method, "{round}");
            assert_eq!(head(&refresh, Name::SessionExpires), "300;refresher=uac");
            match method {
                "INVITE" => assert_eq!(refresh.body(), &sdp().write()[..], "same version of o="),
                _ => assert!(refresh.body().is_empty()),
            }
            let lines = "Session-Expires: 300;refresher=uac\r\n";
            let body = if method == "INVITE" { OFFER } else { "" };
            wire.hear(CARRIER, with(lines, answer(&refresh, 200, "", body)));
            let ack = wire.said();
            assert_eq!(ack, vec!["ACK"; usize::from(method == "INVITE")]);
            assert!(wire.events.is_empty(), "nobody above need know: {:?}", wire.events);
        }
    }
}

#[test]
fn a_refresh_that_fails_row_by_row() {
    let begin = || {
        let asked = "Supported: timer\r\nSession-Expires: 300;refresher=uas\r\nAllow: UPDATE\r\n";
        let (mut wire, ..) = talking(asked);
        wire.run_for(secs(150));
        let update = wire.next_sent();
        (wire, update)
    };
    // Gone.
    for status in [481, 408] {
        let (mut wire, update) = begin();
        wire.hear(CARRIER, answer(&update, status, "", ""));
        assert!(matches!(wire.event(), Event::Ended { cause: EndCause::Gone, .. }));
        assert_eq!(wire.said(), ["BYE"]);
    }
    let (mut wire, _) = begin();
    wire.run_for(secs(32));
    assert!(matches!(wire.event(), Event::Ended { cause: EndCause::Gone, .. }), "no answer at all");
    // It never took UPDATE.
    for status in [405, 501] {
        let (mut wire, update) = begin();
        wire.hear(CARRIER, answer(&update, status, "", ""));
        wire.run_for(Duration::from_millis(1));
        let again = wire.next_sent();
        assert_eq!((name(&again), again.body()), ("INVITE".into(), &sdp().write()[..]));
    }
    // Longer, please: once.
    let (mut wire, update) = begin();
    wire.hear(CARRIER, with("Min-SE: 900\r\n", answer(&update, 422, "", "")));
    wire.run_for(Duration::from_millis(1));
    let again = wire.next_sent();
    assert_eq!(head(&again, Name::SessionExpires), "900;refresher=uac");
    assert_eq!(head(&again, Name::MinSe), "900");
    // Anything else: again in time, and if nothing helps, the end.
    for status in [491, 500, 503, 488] {
        let (mut wire, update) = begin();
        let mut next = Some(update);
        let mut tries = 0;
        while let Some(update) = next {
            tries += 1;
            assert!(tries < 100, "{status}");
            wire.hear(CARRIER, answer(&update, status, "", ""));
            while wire.sent.is_empty() && wire.events.is_empty() {
                wire.run_for(secs(1));
            }
            next = wire.sent.pop_front().map(|(_, next)| next).filter(|next| name(next) == "UPDATE");
        }
        assert!(tries > 2, "{status}");
        assert!(matches!(wire.event(), Event::Ended { cause: EndCause::Expired, .. }), "{status}");
    }
}

#[test]
fn our_call_asks_for_a_timer_and_takes_what_it_gets_row_by_row() {
    let rows = [
        ("", None, None),
        ("Session-Expires: 600;refresher=uac\r\nAllow: UPDATE\r\n", Some((300, "UPDATE")), None),
        ("Session-Expires: 600;refresher=uac\r\n", Some((300, "INVITE")), None),
        ("Session-Expires: 600\r\nAllow: UPDATE\r\n", Some((300, "UPDATE")), None),
        ("Session-Expires: 600;refresher=uas\r\nRequire: timer\r\n", None, Some(568)),
        ("x: 90;refresher=uas\r\n", None, Some(60)),
        // A refresh each second is nobody's wish.
        ("Session-Expires: 1;refresher=uac\r\nAllow: UPDATE\r\n", Some((15, "UPDATE")), None),
    ];
    for (lines, refreshes, expires) in rows {
        let (mut wire, _, invite) = calling(lines);
        assert_eq!(head(&invite, Name::SessionExpires), "1800");
        assert!(invite.lists(Name::Supported, "timer"));
        match (refreshes, expires) {
            (Some((after, method)), _) => {
                wire.run_for(secs(after) - Duration::from_millis(1));
                wire.quiet();
                wire.run_for(Duration::from_millis(1));
                assert_eq!(wire.said(), [method], "{lines}");
            }
            (None, Some(after)) => {
                wire.run_for(secs(after) - Duration::from_millis(1));
                wire.quiet();
                wire.run_for(Duration::from_millis(1));
                assert!(matches!(wire.event(), Event::Ended { cause: EndCause::Expired, .. }), "{lines}");
            }
            (None, None) => {
                wire.run_for(secs(10_000));
                wire.quiet();
            }
        }
    }
}

#[test]
fn a_422_to_our_call_is_answered_once_with_a_longer_interval() {
    let mut wire = Wire::new();
    let (session, invite) = wire.calling();
    wire.hear(CARRIER, with("Min-SE: 3600\r\n", answer(&invite, 422, "t0", "")));
    let (ack, again) = (wire.next_sent(), wire.next_sent());
    assert_eq!([name(&ack), name(&again)], ["ACK", "INVITE"]);
    assert_eq!(head(&again, Name::SessionExpires), "3600");
    assert_eq!(head(&again, Name::MinSe), "3600");
    assert_eq!(head(&again, Name::CSeq), "2 INVITE");
    for same in [Name::CallId, Name::From, Name::To, Name::Contact, Name::Supported] {
        assert_eq!(head(&again, same), head(&invite, same));
    }
    assert_ne!(head(&again, Name::Via), head(&invite, Name::Via));
    assert_eq!(again.body(), invite.body());
    wire.quiet();
    // The second one is final.
    wire.hear(CARRIER, with("Min-SE: 7200\r\n", answer(&again, 422, "t1", "")));
    assert_eq!(wire.said(), ["ACK"]);
    assert!(matches!(wire.event(), Event::Refused { session: told, status: 422 } if told == session));
    // So is one that asks for nothing longer.
    for lines in ["", "Min-SE: 90\r\n", "Min-SE: 4000000000\r\n"] {
        let mut wire = Wire::new();
        let (_, invite) = wire.calling();
        wire.hear(CARRIER, with(lines, answer(&invite, 422, "t0", "")));
        assert_eq!(wire.said(), ["ACK"]);
        assert!(matches!(wire.event(), Event::Refused { status: 422, .. }));
    }
    // And the longer one leads to a call.
    let mut wire = Wire::new();
    let (session, invite) = wire.calling();
    wire.hear(CARRIER, with("Min-SE: 3600\r\n", answer(&invite, 422, "t0", "")));
    wire.next_sent();
    let again = wire.next_sent();
    let lines = "Session-Expires: 3600;refresher=uac\r\n";
    wire.hear(CARRIER, with(lines, answer(&again, 200, "t1", OFFER)));
    let ack = wire.next_sent();
    assert_eq!((name(&ack), head(&ack, Name::CSeq)), ("ACK".into(), "2 ACK".into()));
    assert!(matches!(wire.event(), Event::Answered { .. }));
    wire.endpoint.hang_up(session, None, wire.now);
    wire.drain();
    assert_eq!(head(&wire.next_sent(), Name::CSeq), "3 BYE");
}

#[test]
fn our_own_reinvite_carries_the_timer_and_a_200_without_one_ends_it() {
    let (mut wire, session, _) = calling("Session-Expires: 600;refresher=uas\r\n");
    wire.endpoint.reinvite(session, &sdp(), wire.now);
    wire.drain();
    let ours = wire.next_sent();
    assert_eq!(head(&ours, Name::SessionExpires), "600;refresher=uas", "who refreshes stays the same");
    wire.hear(CARRIER, answer(&ours, 200, "", OFFER));
    assert!(matches!(wire.event(), Event::OfferTaken { .. }));
    wire.sent.clear();
    wire.run_for(secs(10_000));
    wire.quiet();
}

#[test]
fn a_timer_may_begin_with_any_200_in_the_dialog() {
    let (mut wire, session, _) = calling("");
    wire.endpoint.reinvite(session, &sdp(), wire.now);
    wire.drain();
    let ours = wire.next_sent();
    assert_eq!(ours.header(Name::SessionExpires), None);
    wire.hear(CARRIER, with("Session-Expires: 200;refresher=uac\r\n", answer(&ours, 200, "", OFFER)));
    wire.event();
    wire.sent.clear();
    wire.run_for(secs(100));
    let refresh = wire.next_sent();
    assert_eq!((name(&refresh), refresh.body()), ("INVITE".into(), ours.body()));
}

#[test]
fn an_offer_of_theirs_that_meets_our_refresh_goes_through() {
    let asked = "Supported: timer\r\nSession-Expires: 300;refresher=uas\r\nAllow: UPDATE\r\n";
    for method in ["INVITE", "UPDATE"] {
        let (mut wire, mut call, session, _) = talking(asked);
        wire.run_for(secs(150));
        let refresh = wire.next_sent();
        wire.hear(CARRIER, call.request(method, HOLD));
        assert!(matches!(wire.event(), Event::Reoffered { .. }), "ours says nothing of sound");
        wire.endpoint.answer_offer(session, &sdp(), wire.now);
        wire.drain();
        assert_eq!(wire.sent.pop_back().map(|(_, ok)| name(&ok)).as_deref(), Some("200"));
        wire.hear(CARRIER, call.ack());
        wire.sent.clear();
        wire.hear(CARRIER, answer(&refresh, 500, "", ""));
        wire.run_for(secs(149));
        wire.quiet();
        wire.run_for(secs(1));
        assert_eq!(wire.said(), ["UPDATE"], "theirs began a new interval");
    }
}

#[test]
fn a_refresh_that_meets_an_offer_of_theirs_waits_for_it() {
    let asked = "Supported: timer\r\nSession-Expires: 300;refresher=uas\r\n";
    let (mut wire, mut call, session, _) = talking(asked);
    wire.run_for(secs(149));
    wire.hear(CARRIER, call.request("INVITE", HOLD));
    wire.event();
    wire.sent.clear();
    wire.run_for(secs(10));
    wire.quiet();
    wire.endpoint.answer_offer(session, &sdp(), wire.now);
    wire.drain();
    assert_eq!(head(&wire.next_sent(), Name::SessionExpires), "300;refresher=uas", "and refreshes as well");
    wire.hear(CARRIER, call.ack());
    wire.run_for(secs(149));
    wire.quiet();
    wire.run_for(secs(1));
    assert_eq!(wire.said(), ["INVITE"]);
}

#[test]
fn the_interval_of_the_plan_is_asked_for_and_given_where_it_is_left_to_us() {
    for (said, wanted) in [(0, "1800"), (600, "600"), (7_200, "7200"), (30, "90"), (100_000, "86400")] {
        let mut wire = Wire::with(Config { session_expires_s: said, ..config() });
        let (_, invite) = wire.calling();
        assert_eq!(head(&invite, Name::SessionExpires), wanted);

        let mut call = Call::new("a");
        call.more = "Supported: timer\r\n".into();
        wire.hear(CARRIER, call.invite(OFFER));
        let session = wire.invited().session;
        wire.endpoint.answer(session, &sdp(), wire.now);
        wire.drain();
        wire.next_sent();
        assert_eq!(head(&wire.next_sent(), Name::SessionExpires), format!("{wanted};refresher=uac"));
    }
    // A 422 is answered with more than was asked for, and never with less.
    for (min, again) in [("Min-SE: 900\r\n", true), ("Min-SE: 600\r\n", false)] {
        let mut wire = Wire::with(Config { session_expires_s: 600, ..config() });
        let (_, invite) = wire.calling();
        wire.hear(CARRIER, with(min, answer(&invite, 422, "t0", "")));
        assert_eq!(wire.said()[1..], if again { vec!["INVITE"] } else { vec![] }, "{min}");
    }
}
