//! Provisional answers that must not be lost (RFC 3262), as callee and as caller.

use std::time::Duration;

use hotline::sip::event::*;
use hotline::sip::sdp::Sdp;
use hotline::sip::{Message, Name};

use crate::wire::*;

fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A call whose INVITE says this, as far as its 100.
fn invited(more: &str, body: &str) -> (Wire, Call, SessionId) {
    let mut wire = Wire::new();
    let mut call = Call::new("a");
    call.more = more.into();
    wire.hear(CARRIER, call.invite(body));
    let session = wire.invited().session;
    call.more.clear();
    assert_eq!(wire.said(), ["100"]);
    (wire, call, session)
}

/// Sends a provisional answer and reads it back.
fn progress(wire: &mut Wire, call: &mut Call, session: SessionId, status: u16, sdp: Option<&Sdp>) -> Message {
    wire.endpoint.progress(session, status, sdp, wire.now);
    wire.drain();
    let sent = wire.next_sent();
    call.to = head(&sent, Name::To);
    sent
}

fn rseq(message: &Message) -> u32 {
    head(message, Name::Rseq).parse().unwrap()
}

fn prack(call: &mut Call, rseq: u32, body: &str) -> String {
    call.more = format!("RAck: {rseq} 1 INVITE\r\n");
    let text = call.request("PRACK", body);
    call.more.clear();
    text
}

#[test]
fn early_media_is_repeated_ever_more_slowly_until_its_prack() {
    let (mut wire, mut call, session) = invited("Supported: 100rel\r\n", OFFER);
    let early = progress(&mut wire, &mut call, session, 183, Some(&sdp()));
    assert_eq!((name(&early), head(&early, Name::Require)), ("183".into(), "100rel".into()));
    assert!((1..1 << 31).contains(&rseq(&early)));
    assert_eq!(head(&early, Name::Contact), "<sip:192.0.2.1:5060>");
    let mut at = Vec::new();
    for ms in 1..20_000 {
        wire.run_for(millis(1));
        at.extend(wire.sent.drain(..).map(|(_, again)| {
            assert_eq!(again, early);
            ms
        }));
    }
    assert_eq!(at, [500, 1_500, 3_500, 7_500, 15_500], "no ceiling at T2 (RFC 3262 §3)");
    let text = prack(&mut call, rseq(&early), "");
    wire.hear(CARRIER, &text);
    assert_eq!(wire.said(), ["200"]);
    wire.hear(CARRIER, &text);
    assert_eq!(wire.said(), ["200"], "the PRACK repeated");
    wire.run_for(secs(35));
    wire.quiet();
    wire.endpoint.answer(session, &sdp(), wire.now);
    wire.drain();
    let ok = wire.next_sent();
    assert_eq!((name(&ok), ok.body()), ("200".into(), &b""[..]), "the answer was given already");
    wire.hear(CARRIER, call.ack().replace(&format!("CSeq: {} ACK", call.seq), "CSeq: 1 ACK"));
    assert!(matches!(wire.event(), Event::Confirmed { sdp: None, .. }));
}

#[test]
fn without_a_prack_the_call_is_refused_after_32_s() {
    let (mut wire, mut call, session) = invited("Supported: 100rel\r\n", OFFER);
    progress(&mut wire, &mut call, session, 183, Some(&sdp()));
    wire.run_for(millis(31_999));
    assert_eq!(wire.said(), ["183"; 6]);
    wire.run_for(millis(1));
    let refusal = wire.next_sent();
    assert_eq!(name(&refusal), "504");
    assert!(matches!(wire.event(), Event::Ended { cause: EndCause::NoPrack, .. }));
    wire.hear(CARRIER, Call { seq: 1, ..call }.ack_refusal(&refusal));
    wire.run_for(secs(40));
    wire.quiet();
    assert_eq!(wire.endpoint.counts(), Counts::default());
}

#[test]
fn what_goes_reliably_row_by_row() {
    let rows = [
        ("", OFFER, 183, true, false, true),
        ("", OFFER, 180, false, false, false),
        ("Supported: 100rel\r\n", OFFER, 183, true, true, true),
        ("Supported: 100rel\r\n", OFFER, 180, false, false, false),
        ("Require: 100rel\r\n", OFFER, 180, false, true, false),
        ("Require: 100rel\r\n", OFFER, 183, true, true, true),
        // A late offer: ours goes only where it cannot get lost (RFC 3261 §13.2.1).
        ("", "", 183, true, false, false),
        ("Supported: 100rel\r\n", "", 183, true, true, true),
        ("Supported: 100rel\r\n", "", 180, false, false, false),
    ];
    for (more, body, status, described, reliable, carried) in rows {
        let (mut wire, mut call, session) = invited(more, body);
        let sound = sdp();
        let sent = progress(&mut wire, &mut call, session, status, described.then_some(&sound));
        assert_eq!(name(&sent), status.to_string(), "{more}{status}");
        assert_eq!(sent.header(Name::Rseq).is_some(), reliable, "{more}{status}");
        assert_eq!(!sent.body().is_empty(), carried, "{more}{body}{status}");
    }
    // Insisted upon, and nothing to offer: silence, as the first reliable answer must have the offer.
    let (mut wire, mut call, session) = invited("Require: 100rel\r\n", "");
    wire.endpoint.progress(session, 180, None, wire.now);
    wire.drain();
    wire.quiet();
    let early = progress(&mut wire, &mut call, session, 183, Some(&sdp()));
    assert!(!early.body().is_empty());
}

#[test]
fn one_waits_for_the_prack_of_the_one_before_it() {
    let (mut wire, mut call, session) = invited("Require: 100rel\r\n", OFFER);
    let first = progress(&mut wire, &mut call, session, 180, None);
    for status in [181, 182, 182, 182, 182, 183] {
        wire.endpoint.progress(session, status, None, wire.now);
    }
    wire.drain();
    wire.quiet();
    let mut said = Vec::new();
    let mut last = rseq(&first);
    for _ in 0..4 {
        wire.hear(CARRIER, prack(&mut call, last, ""));
        assert_eq!(name(&wire.next_sent()), "200");
        let next = wire.next_sent();
        assert_eq!(rseq(&next), last + 1);
        last += 1;
        said.push(name(&next));
    }
    assert_eq!(said, ["181", "182", "182", "183"], "four wait at most; the newest is not lost");
    wire.hear(CARRIER, prack(&mut call, last, ""));
    assert_eq!(wire.said(), ["200"]);
}

#[test]
fn a_2xx_waits_for_the_prack_of_what_described_the_sound_and_for_no_other() {
    let (mut wire, mut call, session) = invited("Supported: 100rel\r\n", OFFER);
    let early = progress(&mut wire, &mut call, session, 183, Some(&sdp()));
    wire.endpoint.answer(session, &sdp(), wire.now);
    wire.drain();
    wire.quiet();
    wire.hear(CARRIER, prack(&mut call, rseq(&early), ""));
    assert_eq!(wire.said(), ["200", "200"], "of the PRACK, and of the INVITE");

    let (mut wire, mut call, session) = invited("Require: 100rel\r\n", OFFER);
    let ringing = progress(&mut wire, &mut call, session, 180, None);
    wire.endpoint.answer(session, &sdp(), wire.now);
    wire.drain();
    let ok = wire.next_sent();
    assert!(!ok.body().is_empty());
    wire.hear(CARRIER, prack(&mut call, rseq(&ringing), ""));
    assert_eq!(wire.said(), ["200"], "it is still understood");
    wire.run_for(millis(1_600));
    assert_eq!(wire.said(), ["200", "200"], "but the 180 is repeated no more");
}

#[test]
fn a_prack_is_matched_by_what_it_names_row_by_row() {
    let rows = [
        ("RAck: {} 1 INVITE\r\n", 0, "200"),
        ("RAck: {} 1 INVITE\r\n", 1, "481"),
        ("RAck: {} 2 INVITE\r\n", 0, "481"),
        ("RAck: {} 1 UPDATE\r\n", 0, "400"),
        ("RAck: {}\r\n", 0, "400"),
        ("", 0, "400"),
        ("RAck: {} 1 INVITE\r\nContent-Type: text/plain\r\nX", 0, "200"),
    ];
    for (line, more, wanted) in rows {
        let (mut wire, mut call, session) = invited("Supported: 100rel\r\n", OFFER);
        let early = progress(&mut wire, &mut call, session, 183, Some(&sdp()));
        call.more = line.replace("{}", &(rseq(&early) + more).to_string()).replace("\r\nX", "\r\n");
        wire.hear(CARRIER, call.request("PRACK", ""));
        assert_eq!(wire.said(), [wanted], "{line}");
        if wanted == "200" {
            call.more = line.replace("{}", &rseq(&early).to_string()).replace("\r\nX", "\r\n");
            wire.hear(CARRIER, call.request("PRACK", ""));
            assert_eq!(wire.said(), ["481"], "another PRACK for the same answer");
        }
    }
    let mut wire = Wire::new();
    let mut stray = Call::new("stray");
    stray.more = "RAck: 1 1 INVITE\r\n".into();
    wire.hear(CARRIER, stray.request("PRACK", ""));
    assert_eq!(wire.said(), ["481"], "outside any dialog");
}

#[test]
fn a_late_offer_is_answered_in_the_prack() {
    let (mut wire, mut call, session) = invited("Supported: 100rel\r\n", "");
    let early = progress(&mut wire, &mut call, session, 183, Some(&sdp()));
    assert_eq!(Sdp::parse(early.body()).unwrap(), sdp());
    wire.endpoint.answer(session, &sdp(), wire.now);
    wire.drain();
    wire.quiet();
    wire.hear(CARRIER, prack(&mut call, rseq(&early), HOLD));
    let Event::Agreed { sdp: Some(answer), .. } = wire.event() else { panic!() };
    assert_eq!(*answer, Sdp::parse(HOLD.as_bytes()).unwrap());
    assert_eq!(name(&wire.next_sent()), "200");
    let ok = wire.next_sent();
    assert_eq!((head(&ok, Name::CSeq), ok.body()), ("1 INVITE".into(), &b""[..]));
    wire.hear(CARRIER, call.ack().replace(&format!("CSeq: {} ACK", call.seq), "CSeq: 1 ACK"));
    assert!(matches!(wire.event(), Event::Confirmed { sdp: None, .. }), "the ACK owes no answer");
}

#[test]
fn an_offer_in_a_prack_is_answered_in_its_200() {
    for taken in [true, false] {
        let (mut wire, mut call, session) = invited("Supported: 100rel\r\n", OFFER);
        let early = progress(&mut wire, &mut call, session, 183, Some(&sdp()));
        let text = prack(&mut call, rseq(&early), HOLD);
        wire.hear(CARRIER, &text);
        assert!(matches!(wire.event(), Event::Reoffered { offer: Some(_), .. }));
        wire.hear(CARRIER, &text);
        wire.endpoint.answer(session, &sdp(), wire.now);
        wire.drain();
        wire.quiet();
        match taken {
            true => wire.endpoint.answer_offer(session, &sdp(), wire.now),
            false => wire.endpoint.refuse_offer(session, 488, wire.now),
        }
        wire.drain();
        let (of_prack, of_invite) = (wire.next_sent(), wire.next_sent());
        assert_eq!(head(&of_prack, Name::CSeq), "2 PRACK");
        assert_eq!(name(&of_prack), if taken { "200" } else { "488" });
        assert_eq!(!of_prack.body().is_empty(), taken);
        assert_eq!((name(&of_invite), of_invite.body()), ("200".into(), &b""[..]));
    }
}

#[test]
fn a_caller_that_gives_up_while_the_2xx_waits_has_hung_up() {
    let (mut wire, mut call, session) = invited("Supported: 100rel\r\n", OFFER);
    progress(&mut wire, &mut call, session, 183, Some(&sdp()));
    wire.endpoint.answer(session, &sdp(), wire.now);
    let to = std::mem::replace(&mut call.to, "<sip:12345@192.0.2.1>".into());
    wire.hear(CARRIER, call.cancel());
    assert_eq!(wire.said(), ["200", "487"]);
    assert!(matches!(wire.event(), Event::Ended { cause: EndCause::Bye, .. }));
    call.to = to;
    wire.hear(CARRIER, prack(&mut call, 1, ""));
    assert_eq!(wire.said(), ["481"]);
}

#[test]
fn an_offer_that_nobody_answered_ends_with_its_call() {
    let (mut wire, mut call, session) = invited("Supported: 100rel\r\n", OFFER);
    let early = progress(&mut wire, &mut call, session, 183, Some(&sdp()));
    wire.hear(CARRIER, prack(&mut call, rseq(&early), HOLD));
    assert!(matches!(wire.event(), Event::Reoffered { .. }));
    let mut first = Call::new("a");
    wire.hear(CARRIER, first.cancel());
    assert!(matches!(wire.event(), Event::Cancelled { .. }));
    let said: Vec<Message> = wire.sent.drain(..).map(|(_, message)| message).collect();
    assert_eq!(said.iter().map(name).collect::<Vec<_>>(), ["200", "487", "487"]);
    first.to = head(&said[1], Name::To);
    wire.hear(CARRIER, first.ack_refusal(&said[1]));
    wire.run_for(secs(40));
    assert_eq!(wire.endpoint.counts(), Counts::default());
}

#[test]
fn a_prack_that_was_overtaken_still_counts() {
    let (mut wire, mut call, session) = invited("Supported: 100rel\r\n", OFFER);
    let early = progress(&mut wire, &mut call, session, 183, Some(&sdp()));
    let late = prack(&mut call, rseq(&early), "");
    wire.hear(CARRIER, call.request("OPTIONS", ""));
    wire.hear(CARRIER, late);
    assert_eq!(wire.said(), ["200", "200"]);
    wire.run_for(secs(33));
    wire.quiet();
}

#[test]
fn after_a_minute_it_is_said_anew_and_not_repeated() {
    let (mut wire, mut call, session) = invited("Require: 100rel\r\n", OFFER);
    let ringing = progress(&mut wire, &mut call, session, 180, None);
    wire.hear(CARRIER, prack(&mut call, rseq(&ringing), ""));
    wire.said();
    wire.run_for(secs(60));
    let again = wire.next_sent();
    assert_eq!((name(&again), rseq(&again)), ("180".into(), rseq(&ringing) + 1));
}

/// A provisional answer of a place that our call rings at.
fn rings(invite: &Message, tag: &str, rseq: u32, lines: &str, body: &str) -> String {
    let text = String::from_utf8(answer(invite, 183, tag, body)).unwrap();
    let more = format!(
        "Require: 100rel\r\nRSeq: {rseq}\r\nRecord-Route: <sip:192.0.2.77:5077;lr>\r\n{lines}Contact: <sip:{tag}"
    );
    text.replace("Contact: <sip:callee", &more)
}

#[test]
fn each_reliable_answer_to_our_call_gets_one_prack_in_its_own_dialog() {
    let mut wire = Wire::new();
    let (session, invite) = wire.calling();
    assert!(head(&invite, Name::Supported).contains("100rel"));
    wire.hear(CARRIER, rings(&invite, "t1", 7, "", OFFER));
    let (to, first) = wire.sent.pop_front().unwrap();
    assert_eq!(to, "192.0.2.77:5077".parse().unwrap(), "by the route set of the 183");
    assert_eq!(first.request_uri(), Some(&b"sip:t1@192.0.2.10:5060"[..]), "to its Contact");
    assert_eq!(first.header(Name::Rack), Some(&b"7 1 INVITE"[..]));
    assert_eq!(head(&first, Name::CSeq), "2 PRACK");
    assert!(head(&first, Name::To).ends_with(";tag=t1"));
    assert!(matches!(wire.event(), Event::Progressed { status: 183, sdp: Some(_), .. }));
    wire.hear(CARRIER, answer(&first, 200, "", ""));
    for (rseq, pracked) in [(7, false), (9, false), (8, true), (8, false), (7, false), (9, true)] {
        wire.hear(CARRIER, rings(&invite, "t1", rseq, "", OFFER));
        assert_eq!(wire.said(), vec!["PRACK"; usize::from(pracked)], "RSeq {rseq}");
        // The same status and body again is news all the same, but describes nothing new.
        assert_eq!(wire.events.drain(..).count(), usize::from(pracked), "RSeq {rseq}");
    }
    wire.sent.clear();
    wire.hear(CARRIER, answer(&invite, 200, "t1", ""));
    let Event::Answered { sdp: Some(answer), .. } = wire.event() else { panic!("without a description") };
    assert_eq!(*answer, sdp(), "what the 183 said");
    assert_eq!(wire.said(), ["ACK"]);
    wire.endpoint.hang_up(session, None, wire.now);
    wire.drain();
    assert_eq!(head(&wire.next_sent(), Name::CSeq), "5 BYE", "above the PRACKs'");
}

#[test]
fn a_lost_prack_is_repeated_and_holds_up_nothing() {
    let mut wire = Wire::new();
    let (_, invite) = wire.calling();
    wire.hear(CARRIER, rings(&invite, "t1", 7, "", OFFER));
    wire.event();
    wire.run_for(millis(1_600));
    assert_eq!(wire.said(), ["PRACK", "PRACK", "PRACK"]);
    wire.hear(CARRIER, answer(&invite, 200, "t1", OFFER));
    assert_eq!(wire.said(), ["ACK"]);
    assert!(matches!(wire.event(), Event::Answered { .. }));
    wire.run_for(secs(33));
    assert!(wire.events.is_empty(), "a PRACK without answer ends nothing: {:?}", wire.events);
    assert_eq!(wire.endpoint.counts().dialogs, 1);
}

#[test]
fn a_reliable_answer_without_a_number_counts_for_nothing() {
    for rseq in ["0", "x", "4294967296000"] {
        let mut wire = Wire::new();
        let (_, invite) = wire.calling();
        let text = rings(&invite, "t1", 7, "", OFFER).replace("RSeq: 7", &format!("RSeq: {rseq}"));
        wire.hear(CARRIER, text);
        assert!(wire.events.is_empty() || rseq.len() > 9, "{rseq}");
    }
}

#[test]
fn the_first_description_in_a_reliable_answer_is_the_answer_for_good() {
    let mut wire = Wire::new();
    let (_, invite) = wire.calling();
    wire.hear(CARRIER, rings(&invite, "t1", 7, "", OFFER));
    wire.hear(CARRIER, rings(&invite, "t1", 8, "", HOLD));
    wire.hear(CARRIER, answer(&invite, 200, "t1", HOLD));
    let said: Vec<_> = wire.events.drain(..).collect();
    assert!(matches!(&said[0], Event::Progressed { sdp: Some(_), .. }));
    assert!(matches!(&said[1], Event::Progressed { sdp: None, .. }));
    assert!(matches!(&said[2], Event::Answered { sdp: Some(answer), .. } if **answer == sdp()));
}
