//! UPDATE (RFC 3311): theirs and ours, before and after the answer, and what crosses it.

use std::time::Duration;

use hotline::sip::event::*;
use hotline::sip::{Message, Name};

use crate::wire::*;

const WITH_UPDATE: &str = "Allow: INVITE, UPDATE\r\n";

/// A call of the carrier's whose answer is known before the 2xx, and the PRACK sent.
fn ringing(more: &str) -> (Wire, Call, SessionId) {
    let mut wire = Wire::new();
    let mut call = Call::new("a");
    call.more = format!("Supported: 100rel\r\n{more}");
    wire.hear(CARRIER, call.invite(OFFER));
    let session = wire.invited().session;
    wire.endpoint.progress(session, 183, Some(&sdp()), wire.now);
    wire.drain();
    wire.next_sent();
    let early = wire.next_sent();
    call.to = head(&early, Name::To);
    call.more = format!("RAck: {} 1 INVITE\r\n", head(&early, Name::Rseq));
    wire.hear(CARRIER, call.request("PRACK", ""));
    assert_eq!(wire.said(), ["200"]);
    call.more.clear();
    (wire, call, session)
}

/// A call of ours that rings at `t1`, which has answered the offer.
fn rung() -> (Wire, Call, SessionId, Message) {
    let mut wire = Wire::new();
    let (session, invite) = wire.calling();
    let text = String::from_utf8(answer(&invite, 183, "t1", OFFER)).unwrap();
    let lines = format!("Require: 100rel\r\nRSeq: 1\r\n{WITH_UPDATE}Contact:");
    wire.hear(CARRIER, text.replace("Contact:", &lines));
    let prack = wire.next_sent();
    wire.hear(CARRIER, answer(&prack, 200, "", ""));
    wire.event();
    let theirs = Call {
        from: format!("{};tag=t1", head(&invite, Name::To)),
        to: head(&invite, Name::From),
        id: head(&invite, Name::CallId),
        ..Call::new("x")
    };
    (wire, theirs, session, invite)
}

#[test]
fn their_offer_in_an_update_is_answered_in_its_200_before_and_after_the_answer() {
    for stage in 0..3 {
        let (mut wire, mut call, session) = match stage {
            0 => ringing(""),
            1 => {
                let mut wire = Wire::new();
                let (session, call) = wire.talking();
                (wire, call, session)
            }
            _ => {
                let (wire, call, session, _) = rung();
                (wire, call, session)
            }
        };
        let text = call.request("UPDATE", HOLD);
        wire.hear(CARRIER, &text);
        assert!(matches!(wire.event(), Event::Reoffered { offer: Some(_), .. }), "{stage}");
        wire.hear(CARRIER, &text);
        wire.quiet();
        wire.endpoint.answer_offer(session, &sdp(), wire.now);
        wire.drain();
        let ok = wire.next_sent();
        assert_eq!((name(&ok), ok.body().is_empty()), ("200".into(), false), "{stage}");
        assert_eq!(head(&ok, Name::Contact), "<sip:192.0.2.1:5060>", "it may refresh the target");
        wire.hear(CARRIER, &text);
        assert_eq!(wire.next_sent(), ok, "repeated, but not asked again");
        wire.hear(CARRIER, call.request("UPDATE", OFFER));
        assert!(matches!(wire.event(), Event::Reoffered { .. }));
        wire.endpoint.refuse_offer(session, 488, wire.now);
        wire.drain();
        assert_eq!(wire.said(), ["488"]);
        wire.quiet();
    }
}

#[test]
fn an_update_without_a_body_says_only_where_the_peer_is() {
    let mut wire = Wire::new();
    let (session, mut call) = wire.talking();
    let moved = call.request("UPDATE", "").replace("carrier@192.0.2.10:5060", "carrier@192.0.2.44:5099");
    wire.hear(CARRIER, moved);
    assert_eq!(wire.said(), ["200"]);
    wire.quiet();
    wire.endpoint.hang_up(session, None, wire.now);
    wire.drain();
    assert_eq!(wire.sent[0].0, "192.0.2.44:5099".parse().unwrap());
}

/// Who has offered what when their UPDATE comes, and the status it gets (RFC 3311 §5.2).
#[test]
fn an_update_that_meets_another_offer_row_by_row() {
    type Before = fn(&mut Wire) -> (SessionId, Call);
    let idle: Before = |wire| wire.talking();
    let ours: Before = |wire| {
        let (session, call) = wire.talking();
        wire.endpoint.reinvite(session, &sdp(), wire.now);
        wire.drain();
        wire.sent.clear();
        (session, call)
    };
    let theirs: Before = |wire| {
        let (session, mut call) = wire.talking();
        wire.hear(CARRIER, call.request("INVITE", HOLD));
        wire.event();
        wire.sent.clear();
        (session, call)
    };
    let their_update: Before = |wire| {
        let (session, mut call) = wire.talking();
        wire.hear(CARRIER, call.request("UPDATE", HOLD));
        wire.event();
        (session, call)
    };
    let our_answer: Before = |wire| {
        let (session, mut call) = wire.talking();
        wire.hear(CARRIER, call.request("INVITE", ""));
        wire.event();
        wire.endpoint.answer_offer(session, &sdp(), wire.now);
        wire.drain();
        wire.sent.clear();
        (session, call)
    };
    let unanswered: Before = |wire| {
        let mut call = Call::new("a");
        wire.hear(CARRIER, call.invite(OFFER));
        let session = wire.invited().session;
        wire.endpoint.progress(session, 180, None, wire.now);
        wire.drain();
        wire.next_sent();
        call.to = head(&wire.next_sent(), Name::To);
        (session, call)
    };
    let late: Before = |wire| {
        let mut call = Call::new("a");
        call.more = "Supported: 100rel\r\n".into();
        wire.hear(CARRIER, call.invite(""));
        let session = wire.invited().session;
        wire.endpoint.progress(session, 183, Some(&sdp()), wire.now);
        wire.drain();
        wire.next_sent();
        call.to = head(&wire.next_sent(), Name::To);
        call.more.clear();
        (session, call)
    };
    let calling: Before = |wire| {
        let (session, invite) = wire.calling();
        wire.hear(CARRIER, answer(&invite, 180, "t1", ""));
        wire.event();
        let call = Call {
            from: format!("{};tag=t1", head(&invite, Name::To)),
            to: head(&invite, Name::From),
            id: head(&invite, Name::CallId),
            ..Call::new("x")
        };
        (session, call)
    };
    let leaving: Before = |wire| {
        let (session, call) = wire.talking();
        wire.endpoint.hang_up(session, None, wire.now);
        wire.drain();
        wire.sent.clear();
        (session, call)
    };
    let rows: [(&str, Before, &str, &str); 9] = [
        ("nothing", idle, "", "200"),
        ("our re-INVITE", ours, "491", "200"),
        ("their re-INVITE", theirs, "500", "200"),
        ("their UPDATE", their_update, "500", "500"),
        ("our offer in a 2xx", our_answer, "491", "200"),
        ("their INVITE", unanswered, "500", "200"),
        ("our offer in a 183", late, "491", "200"),
        ("our INVITE", calling, "491", "200"),
        ("our BYE", leaving, "481", "481"),
    ];
    for (what, before, with_offer, without) in rows {
        for (body, wanted) in [(HOLD, with_offer), ("", without)] {
            let mut wire = Wire::new();
            let (_, mut call) = before(&mut wire);
            wire.hear(CARRIER, call.request("UPDATE", body));
            if wanted.is_empty() {
                assert!(matches!(wire.event(), Event::Reoffered { .. }), "{what}");
                continue;
            }
            let answer = wire.next_sent();
            assert_eq!(name(&answer), wanted, "{what} {body}");
            if wanted == "500" {
                assert!(head(&answer, Name::RetryAfter).parse::<u8>().unwrap() <= 10);
            }
        }
    }
}

#[test]
fn an_update_with_a_strange_body_gets_what_re_invite_gets() {
    for (kind, body, wanted) in [("text/plain", "x", "415"), ("application/sdp", "x", "400")] {
        let mut wire = Wire::new();
        let (_, mut call) = wire.talking();
        let text = call.request("UPDATE", HOLD).replace("application/sdp", kind);
        let text = text.replace(&format!("Content-Length: {}", HOLD.len()), "Content-Length: 1");
        wire.hear(CARRIER, text.replace(HOLD, body));
        assert_eq!(wire.said(), [wanted]);
        assert_eq!(wire.endpoint.counts().dialogs, 1);
    }
}

#[test]
fn our_offer_before_the_answer_goes_by_update_where_it_may_and_else_waits() {
    // Called, with everything known: by UPDATE.
    let (mut wire, _, session) = ringing(WITH_UPDATE);
    wire.endpoint.reinvite(session, &sdp(), wire.now);
    wire.drain();
    let update = wire.next_sent();
    assert_eq!((name(&update), head(&update, Name::CSeq)), ("UPDATE".into(), "1 UPDATE".into()));
    wire.hear(CARRIER, answer(&update, 200, "", OFFER));
    assert!(matches!(wire.event(), Event::OfferTaken { sdp: Some(_), .. }));
    // Called by somebody who takes none: with the ACK.
    let (mut wire, call, session) = ringing("");
    wire.endpoint.reinvite(session, &sdp(), wire.now);
    wire.endpoint.answer(session, &sdp(), wire.now);
    wire.drain();
    assert_eq!(wire.said(), ["200"]);
    wire.hear(CARRIER, call.ack().replace(&format!("CSeq: {} ACK", call.seq), "CSeq: 1 ACK"));
    assert_eq!(wire.said(), ["INVITE"]);
    // Calling: in the early dialog, then in the dialog.
    let (mut wire, _, session, invite) = rung();
    wire.endpoint.reinvite(session, &sdp(), wire.now);
    wire.drain();
    let update = wire.next_sent();
    assert_eq!((name(&update), head(&update, Name::CSeq)), ("UPDATE".into(), "3 UPDATE".into()));
    assert!(head(&update, Name::To).ends_with(";tag=t1"));
    wire.hear(CARRIER, answer(&invite, 200, "t1", ""));
    assert_eq!(wire.said(), ["ACK"]);
    wire.event();
    wire.hear(CARRIER, answer(&update, 200, "", OFFER));
    assert!(matches!(wire.event(), Event::OfferTaken { .. }), "it crossed the answer");
    // Calling, and another place answers: the offer goes there.
    let (mut wire, _, session, invite) = rung();
    wire.endpoint.reinvite(session, &sdp(), wire.now);
    wire.drain();
    let update = wire.next_sent();
    wire.hear(CARRIER, answer(&invite, 200, "t2", OFFER));
    assert_eq!(wire.said(), ["ACK", "INVITE"]);
    wire.event();
    for status in [481, 408, 200] {
        wire.hear(CARRIER, answer(&update, status, "", ""));
        wire.quiet();
    }
    assert_eq!(wire.endpoint.counts().dialogs, 1);
}

#[test]
fn an_offer_in_an_early_dialog_ends_with_its_call() {
    let (mut wire, mut theirs, _, invite) = rung();
    wire.hear(CARRIER, theirs.request("UPDATE", HOLD));
    assert!(matches!(wire.event(), Event::Reoffered { .. }));
    wire.hear(CARRIER, answer(&invite, 486, "t1", ""));
    assert!(matches!(wire.event(), Event::Refused { status: 486, .. }));
    wire.run_for(Duration::from_secs(40));
    assert_eq!(wire.endpoint.counts(), Counts::default());
}

#[test]
fn our_update_that_meets_theirs_is_tried_again_and_not_for_ever() {
    let (mut wire, _, session) = ringing(WITH_UPDATE);
    wire.endpoint.reinvite(session, &sdp(), wire.now);
    wire.drain();
    let mut tries = 0;
    while let Some((_, update)) = wire.sent.pop_back() {
        wire.sent.clear(); // Repetitions of the one before.
        tries += 1;
        wire.hear(CARRIER, answer(&update, 491, "", ""));
        wire.run_for(Duration::from_millis(4_001));
    }
    assert_eq!(tries, 9);
    assert!(matches!(wire.event(), Event::OfferRefused { status: 491, .. }));
    wire.quiet();
}
