//! Calls that come in.

use std::time::Duration;

use hotline::sip::Name;
use hotline::sip::event::*;

use crate::wire::*;

fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

#[test]
fn a_call_rings_talks_and_ends_and_leaves_nothing_behind() {
    let mut wire = Wire::new();
    let mut call = Call::new("a");
    wire.hear(CARRIER, call.invite(OFFER));
    let invited = wire.invited();
    assert_eq!(invited.from, Origin::Trunk("carrier".into()));
    assert_eq!(invited.caller, "13800000000");
    assert_eq!(invited.offer.as_deref(), Some(&sdp()));
    assert_eq!(invited.wire_ref, "ca978112ca1bbdca", "SHA-256 of the Call-ID");
    wire.endpoint.progress(invited.session, 180, None, wire.now);
    wire.endpoint.answer(invited.session, &sdp(), wire.now);
    wire.drain();
    let (trying, ringing, ok) = (wire.next_sent(), wire.next_sent(), wire.next_sent());
    assert_eq!([name(&trying), name(&ringing), name(&ok)], ["100", "180", "200"]);
    assert_eq!(head(&ringing, Name::To), head(&ok, Name::To), "one tag throughout");
    assert_eq!(head(&ok, Name::Contact), "<sip:192.0.2.1:5060>");
    assert_eq!(head(&ok, Name::ContentType), "application/sdp");
    call.learn(&ok);
    wire.hear(CARRIER, call.ack());
    assert!(matches!(wire.event(), Event::Confirmed { session, sdp: None } if session == invited.session));
    assert_eq!(wire.endpoint.counts().dialogs, 1);
    let bye = call.request("BYE", "");
    wire.hear(CARRIER, &bye);
    assert!(matches!(wire.event(), Event::Ended { cause: EndCause::Bye, .. }));
    assert_eq!(wire.said(), ["200"]);
    wire.hear(CARRIER, &bye);
    assert_eq!(wire.said(), ["200"], "repeated BYE, repeated answer");
    wire.run_for(secs(33));
    wire.quiet();
    assert_eq!(wire.endpoint.counts(), Counts::default());
    assert_eq!(wire.endpoint.poll_timeout(), None);
}

#[test]
fn a_repeated_invite_gets_the_last_answer_again() {
    let mut wire = Wire::new();
    let call = Call::new("a");
    wire.hear(CARRIER, call.invite(OFFER));
    let session = wire.invited().session;
    wire.hear(CARRIER, call.invite(OFFER));
    assert_eq!(wire.said(), ["100", "100"]);
    wire.endpoint.progress(session, 183, Some(&sdp()), wire.now);
    wire.drain();
    wire.hear(CARRIER, call.invite(OFFER));
    assert_eq!(wire.said(), ["183", "183"]);
    wire.run_for(secs(61));
    assert_eq!(wire.said(), ["183"], "again each minute");
    wire.endpoint.answer(session, &sdp(), wire.now);
    wire.drain();
    assert_eq!(wire.said(), ["200"]);
    wire.hear(CARRIER, call.invite(OFFER));
    wire.quiet();
}

#[test]
fn a_refusal_is_repeated_until_its_ack() {
    let mut wire = Wire::new();
    let call = Call::new("a");
    wire.hear(CARRIER, call.invite(OFFER));
    let session = wire.invited().session;
    wire.endpoint.refuse(session, 486, Some(7), wire.now);
    wire.drain();
    assert!(matches!(wire.event(), Event::Ended { cause: EndCause::HungUp, .. }));
    wire.next_sent();
    let busy = wire.next_sent();
    assert_eq!((name(&busy), head(&busy, Name::RetryAfter)), ("486".into(), "7".into()));
    wire.run_for(secs(2));
    assert_eq!(wire.said(), ["486", "486"]);
    wire.hear(CARRIER, call.ack_refusal(&busy));
    wire.hear(CARRIER, call.ack_refusal(&busy));
    wire.run_for(secs(40));
    wire.quiet();
    assert_eq!(wire.endpoint.counts(), Counts::default());
}

#[test]
fn a_lost_ack_means_eleven_200s_then_bye() {
    let mut wire = Wire::new();
    let call = Call::new("a");
    wire.hear(CARRIER, call.invite(OFFER));
    let session = wire.invited().session;
    wire.endpoint.answer(session, &sdp(), wire.now);
    wire.drain();
    wire.run_for(Duration::from_millis(31_999));
    let said = wire.said();
    assert_eq!(said.iter().filter(|said| *said == "200").count(), 11);
    assert_eq!(said.len(), 12);
    assert!(wire.events.is_empty());
    wire.run_for(Duration::from_millis(1));
    assert!(matches!(wire.event(), Event::Ended { cause: EndCause::NoAck, .. }));
    let bye = wire.next_sent();
    assert_eq!(name(&bye), "BYE");
    wire.hear(CARRIER, answer(&bye, 200, "", ""));
    wire.run_for(secs(33));
    wire.quiet();
    assert_eq!(wire.endpoint.counts(), Counts::default());
}

#[test]
fn a_caller_may_cancel_until_it_is_answered() {
    let mut wire = Wire::new();
    let call = Call::new("a");
    wire.hear(CARRIER, call.invite(OFFER));
    wire.invited();
    wire.hear(CARRIER, call.cancel());
    assert!(matches!(wire.event(), Event::Cancelled { .. }));
    let (_, ok, terminated) = (wire.next_sent(), wire.next_sent(), wire.next_sent());
    assert_eq!([name(&ok), name(&terminated)], ["200", "487"]);
    assert_eq!(head(&ok, Name::CSeq), "1 CANCEL");
    assert_eq!(head(&ok, Name::To), head(&terminated, Name::To));
    wire.hear(CARRIER, call.ack_refusal(&terminated));
    wire.hear(CARRIER, call.cancel());
    assert_eq!(wire.said(), ["200"], "a repeated CANCEL is answered again");
    wire.run_for(secs(40));
    wire.quiet();
    assert_eq!(wire.endpoint.counts(), Counts::default());
    wire.hear(CARRIER, call.cancel());
    assert_eq!(wire.said(), ["481"]);
}

#[test]
fn a_cancel_that_crosses_the_200_changes_nothing() {
    let mut wire = Wire::new();
    let mut call = Call::new("a");
    wire.hear(CARRIER, call.invite(OFFER));
    let session = wire.invited().session;
    wire.endpoint.answer(session, &sdp(), wire.now);
    wire.drain();
    wire.next_sent();
    let cancel = call.cancel();
    call.learn(&wire.next_sent());
    wire.hear(CARRIER, cancel);
    assert_eq!(wire.said(), ["200"]);
    wire.hear(CARRIER, call.ack());
    assert!(matches!(wire.event(), Event::Confirmed { .. }));
    wire.hear(CARRIER, call.request("BYE", ""));
    assert!(matches!(wire.event(), Event::Ended { cause: EndCause::Bye, .. }));
    assert!(wire.events.is_empty());
}

#[test]
fn a_bye_before_the_answer_ends_the_invite_too() {
    let mut wire = Wire::new();
    let mut call = Call::new("a");
    wire.hear(CARRIER, call.invite(OFFER));
    let session = wire.invited().session;
    wire.endpoint.progress(session, 180, None, wire.now);
    wire.drain();
    wire.next_sent();
    call.to = head(&wire.next_sent(), Name::To);
    wire.hear(CARRIER, call.request("BYE", ""));
    assert_eq!(wire.said(), ["200", "487"]);
    assert!(matches!(wire.event(), Event::Cancelled { .. }));
    wire.quiet();
}

#[test]
fn hanging_up_before_the_ack_waits_for_it() {
    for acked in [true, false] {
        let mut wire = Wire::new();
        let mut call = Call::new("a");
        wire.hear(CARRIER, call.invite(OFFER));
        let session = wire.invited().session;
        wire.endpoint.answer(session, &sdp(), wire.now);
        wire.endpoint.hang_up(session, None, wire.now);
        wire.drain();
        wire.next_sent();
        call.learn(&wire.next_sent());
        wire.quiet();
        if acked {
            wire.hear(CARRIER, call.ack());
            assert!(wire.events.is_empty(), "nobody waits for `Confirmed` any more");
        } else {
            wire.run_for(secs(32));
            wire.sent.retain(|(_, message)| name(message) == "BYE");
        }
        let bye = wire.next_sent();
        assert_eq!(name(&bye), "BYE");
        wire.hear(CARRIER, answer(&bye, 200, "", ""));
        assert!(matches!(wire.event(), Event::Ended { cause: EndCause::HungUp, .. }));
        wire.quiet();
    }
}

#[test]
fn both_may_hang_up_at_once() {
    let mut wire = Wire::new();
    let (session, mut call) = wire.talking();
    wire.endpoint.hang_up(session, Some("Q.850;cause=16"), wire.now);
    wire.drain();
    let ours = wire.next_sent();
    assert_eq!((name(&ours), head(&ours, Name::Reason)), ("BYE".into(), "Q.850;cause=16".into()));
    wire.hear(CARRIER, call.request("BYE", ""));
    assert_eq!(wire.said(), ["200"]);
    wire.hear(CARRIER, answer(&ours, 200, "", ""));
    assert!(matches!(wire.event(), Event::Ended { cause: EndCause::HungUp, .. }));
    wire.run_for(secs(33));
    wire.quiet();
    assert_eq!(wire.endpoint.counts(), Counts::default());
}

#[test]
fn a_bye_that_nobody_answers_ends_in_32_s() {
    let mut wire = Wire::new();
    let (session, _) = wire.talking();
    wire.endpoint.hang_up(session, None, wire.now);
    wire.run_for(secs(33));
    assert_eq!(wire.said(), ["BYE"; 11]);
    assert!(matches!(wire.event(), Event::Ended { cause: EndCause::HungUp, .. }));
    assert_eq!(wire.endpoint.counts(), Counts::default());
}

#[test]
fn requests_in_a_dialog_are_served_by_their_method_and_number() {
    let mut wire = Wire::new();
    let (_, mut call) = wire.talking();
    for (method, status) in [("OPTIONS", "200"), ("INFO", "200"), ("UPDATE", "200"), ("DANCE", "501")] {
        wire.hear(CARRIER, call.request(method, ""));
        assert_eq!(wire.said(), [status], "{method}");
    }
    wire.events.clear();
    call.seq -= 2;
    wire.hear(CARRIER, call.request("BYE", ""));
    assert_eq!(wire.said(), ["500"], "CSeq went back");
    assert_eq!(wire.turned_away(), TurnedAway::OutOfDialog);
    let mut other = call.clone();
    other.from = "<sip:13800000000@192.0.2.10>;tag=other".into();
    other.seq = 20;
    wire.hear(CARRIER, other.request("BYE", ""));
    assert_eq!(wire.said(), ["481"]);
    assert_eq!(wire.endpoint.counts().sessions, 1);
}

#[test]
fn requests_in_a_dialog_follow_route_and_contact() {
    let mut wire = Wire::new();
    let mut call = Call::new("a");
    call.more = "Record-Route: <sip:192.0.2.20;lr>, <sip:192.0.2.30:5090;lr>\r\n".into();
    wire.hear(CARRIER, call.invite(OFFER));
    let session = wire.invited().session;
    wire.endpoint.answer(session, &sdp(), wire.now);
    wire.drain();
    wire.next_sent();
    let ok = wire.next_sent();
    assert_eq!(ok.values(Name::RecordRoute).count(), 2);
    call.learn(&ok);
    wire.hear(CARRIER, call.ack());
    wire.endpoint.hang_up(session, None, wire.now);
    wire.drain();
    let (peer, bye) = wire.sent.pop_front().unwrap();
    assert_eq!(peer.to_string(), "192.0.2.20:5060");
    assert_eq!(bye.request_uri(), Some(&b"sip:carrier@192.0.2.10:5060"[..]));
    assert_eq!(bye.values(Name::Route).count(), 2);
}

#[test]
fn an_offer_may_come_from_us() {
    let mut wire = Wire::new();
    let mut call = Call::new("a");
    wire.hear(CARRIER, call.invite(""));
    let invited = wire.invited();
    assert_eq!(invited.offer, None);
    wire.endpoint.answer(invited.session, &sdp(), wire.now);
    wire.drain();
    wire.next_sent();
    call.learn(&wire.next_sent());
    wire.hear(CARRIER, call.ack_with(OFFER));
    assert!(matches!(wire.event(), Event::Confirmed { sdp: Some(answer), .. } if *answer == sdp()));
}

#[test]
fn answers_go_back_as_rfc_3581_says() {
    let mut wire = Wire::new();
    let options = |via: &str| {
        format!(
            "OPTIONS sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bKo\r\nFrom: <sip:a@b>;tag=1\r\n\
             To: <sip:192.0.2.1>\r\nCall-ID: o\r\nCSeq: 1 OPTIONS\r\n\r\n"
        )
    };
    wire.hear("192.0.2.10:7777", options("10.0.0.1:5062;rport"));
    wire.hear("192.0.2.10:7777", options("10.0.0.1:5062"));
    wire.hear("192.0.2.10:7777", options("pbx.invalid"));
    let peers: Vec<String> = wire.sent.iter().map(|(peer, _)| peer.to_string()).collect();
    assert_eq!(peers, ["192.0.2.10:7777", "192.0.2.10:5062", "192.0.2.10:5060"]);
    assert!(head(&wire.next_sent(), Name::Via).contains("received=192.0.2.10;rport=7777"));
}
