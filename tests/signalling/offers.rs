//! Hold, resume, and who may offer when.

use std::time::Duration;

use hotline::sip::Name;
use hotline::sip::event::*;
use hotline::sip::sdp::{Direction, Sdp};

use crate::wire::*;

fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

#[test]
fn the_peer_holds_and_resumes() {
    let mut wire = Wire::new();
    let (session, mut call) = wire.talking();
    for (body, direction) in [(HOLD, Direction::SendOnly), (OFFER, Direction::SendRecv)] {
        wire.hear(CARRIER, call.request("INVITE", body));
        let Event::Reoffered { offer: Some(offer), .. } = wire.event() else { panic!() };
        assert_eq!(offer.direction_of(&offer.media[0]), direction);
        wire.endpoint.answer_offer(session, &sdp(), wire.now);
        wire.drain();
        assert_eq!(wire.said(), ["100", "200"]);
        wire.run_for(Duration::from_millis(1_600));
        assert_eq!(wire.said(), ["200", "200"], "until the ACK");
        wire.hear(CARRIER, call.ack());
        wire.run_for(secs(40));
        wire.quiet();
    }
}

#[test]
fn a_reinvite_without_offer_gets_ours_and_the_ack_brings_the_answer() {
    let mut wire = Wire::new();
    let (session, mut call) = wire.talking();
    wire.hear(CARRIER, call.request("INVITE", ""));
    assert!(matches!(wire.event(), Event::Reoffered { offer: None, .. }));
    wire.endpoint.answer_offer(session, &sdp(), wire.now);
    wire.drain();
    wire.hear(CARRIER, call.ack_with(HOLD));
    let Event::Confirmed { sdp: Some(answer), .. } = wire.event() else { panic!() };
    assert_eq!(*answer, Sdp::parse(HOLD.as_bytes()).unwrap());
}

#[test]
fn a_refused_offer_leaves_the_call_as_it_was() {
    let mut wire = Wire::new();
    let (session, mut call) = wire.talking();
    wire.hear(CARRIER, call.request("INVITE", HOLD));
    wire.event();
    wire.endpoint.refuse_offer(session, 488, wire.now);
    wire.drain();
    wire.next_sent();
    let refusal = wire.next_sent();
    assert_eq!(name(&refusal), "488");
    wire.hear(CARRIER, call.ack_refusal(&refusal));
    wire.hear(CARRIER, call.request("BYE", ""));
    assert_eq!(wire.said(), ["200"]);
    assert!(matches!(wire.event(), Event::Ended { cause: EndCause::Bye, .. }));
}

#[test]
fn a_second_reinvite_before_the_first_is_answered_gets_500() {
    let mut wire = Wire::new();
    let (_, mut call) = wire.talking();
    wire.hear(CARRIER, call.request("INVITE", HOLD));
    wire.event();
    wire.hear(CARRIER, call.request("INVITE", OFFER));
    wire.next_sent();
    let refusal = wire.next_sent();
    assert_eq!(name(&refusal), "500");
    assert!(head(&refusal, Name::RetryAfter).parse::<u8>().unwrap() <= 10);
}

#[test]
fn two_offers_that_cross_both_get_491_and_ours_is_tried_again() {
    for caller in [true, false] {
        let mut wire = Wire::new();
        let (session, mut theirs) = match caller {
            true => {
                let (session, invite) = wire.calling_talks();
                let call = Call {
                    from: format!("{};tag=t1", head(&invite, Name::To)),
                    to: head(&invite, Name::From),
                    id: head(&invite, Name::CallId),
                    ..Call::new("x")
                };
                (session, call)
            }
            false => wire.talking(),
        };
        wire.endpoint.reinvite(session, &sdp(), wire.now);
        wire.drain();
        let ours = wire.next_sent();
        assert_eq!(name(&ours), "INVITE");
        wire.hear(CARRIER, theirs.request("INVITE", HOLD));
        let refusal = wire.next_sent();
        assert_eq!(name(&refusal), "491");
        wire.hear(CARRIER, theirs.ack_refusal(&refusal));
        wire.hear(CARRIER, answer(&ours, 491, "", ""));
        assert_eq!(wire.said(), ["ACK"]);
        assert!(wire.events.is_empty(), "the rooms above need not know");
        let (early, late) = if caller { (2_099, 4_001) } else { (0, 2_001) };
        wire.run_for(Duration::from_millis(early));
        let too_early = wire.said();
        assert!(too_early.is_empty() || !caller, "{too_early:?}");
        if too_early.is_empty() {
            wire.run_for(Duration::from_millis(late - early));
            let again = wire.next_sent();
            assert_eq!(name(&again), "INVITE");
            assert_ne!(head(&again, Name::CSeq), head(&ours, Name::CSeq));
            wire.hear(CARRIER, answer(&again, 200, "", OFFER));
            assert!(matches!(wire.event(), Event::OfferTaken { sdp: Some(_), .. }));
        }
    }
}

#[test]
fn our_offer_waits_behind_theirs() {
    let mut wire = Wire::new();
    let (session, mut call) = wire.talking();
    wire.hear(CARRIER, call.request("INVITE", HOLD));
    wire.event();
    wire.endpoint.reinvite(session, &sdp(), wire.now);
    wire.endpoint.answer_offer(session, &sdp(), wire.now);
    wire.drain();
    assert_eq!(wire.said(), ["100", "200"]);
    wire.hear(CARRIER, call.ack());
    assert_eq!(wire.said(), ["INVITE"]);
}

#[test]
fn our_offer_is_taken_or_refused() {
    for (status, taken) in [(200, true), (488, false), (407, false)] {
        let mut wire = Wire::new();
        let (session, _) = wire.talking();
        wire.endpoint.reinvite(session, &sdp(), wire.now);
        wire.drain();
        let ours = wire.next_sent();
        wire.hear(CARRIER, answer(&ours, status, "", if taken { OFFER } else { "" }));
        assert_eq!(wire.said(), ["ACK"]);
        match wire.event() {
            Event::OfferTaken { sdp: Some(_), .. } => assert!(taken),
            Event::OfferRefused { status: told, .. } => assert!(!taken && told == status),
            other => panic!("{other:?}"),
        }
        assert_eq!(wire.endpoint.counts().dialogs, 1);
    }
}

#[test]
fn a_reinvite_to_a_peer_without_the_dialog_means_it_is_gone() {
    for status in [481, 408, 0] {
        let mut wire = Wire::new();
        let (session, _) = wire.talking();
        wire.endpoint.reinvite(session, &sdp(), wire.now);
        wire.drain();
        let ours = wire.next_sent();
        if status == 0 {
            wire.run_for(secs(32));
        } else {
            wire.hear(CARRIER, answer(&ours, status, "", ""));
        }
        assert!(matches!(wire.event(), Event::Ended { cause: EndCause::Gone, .. }));
        assert_eq!(wire.said().last().map(String::as_str), Some("BYE"));
        wire.run_for(secs(70));
        assert!(wire.events.is_empty());
        assert_eq!(wire.endpoint.counts(), Counts::default());
    }
}

#[test]
fn a_bye_that_crosses_our_reinvite_wins_and_a_late_200_is_still_acknowledged() {
    for status in [200, 481] {
        let mut wire = Wire::new();
        let (session, mut call) = wire.talking();
        wire.endpoint.reinvite(session, &sdp(), wire.now);
        wire.drain();
        let ours = wire.next_sent();
        wire.hear(CARRIER, call.request("BYE", ""));
        assert!(matches!(wire.event(), Event::Ended { cause: EndCause::Bye, .. }));
        assert_eq!(wire.said(), ["200"]);
        wire.hear(CARRIER, answer(&ours, status, "", ""));
        assert_eq!(wire.said()[0], "ACK");
        wire.run_for(secs(70));
        assert!(wire.events.is_empty());
        assert_eq!(wire.endpoint.counts(), Counts::default());
    }
}

#[test]
fn a_bye_behind_an_unanswered_reinvite_ends_both() {
    let mut wire = Wire::new();
    let (_, mut call) = wire.talking();
    wire.hear(CARRIER, call.request("INVITE", HOLD));
    wire.event();
    wire.hear(CARRIER, call.request("BYE", ""));
    assert_eq!(wire.said(), ["100", "200", "487"]);
    assert!(matches!(wire.event(), Event::Ended { cause: EndCause::Bye, .. }));
}

#[test]
fn a_reinvite_may_be_cancelled_and_the_call_goes_on() {
    let mut wire = Wire::new();
    let (session, mut call) = wire.talking();
    wire.hear(CARRIER, call.request("INVITE", HOLD));
    wire.event();
    wire.hear(CARRIER, call.cancel());
    assert_eq!(wire.said(), ["100", "200", "487"]);
    wire.endpoint.answer_offer(session, &sdp(), wire.now);
    wire.drain();
    wire.quiet();
    assert_eq!(wire.endpoint.counts().dialogs, 1);
}

#[test]
fn an_unacknowledged_answer_to_their_offer_ends_the_call() {
    let mut wire = Wire::new();
    let (session, mut call) = wire.talking();
    wire.hear(CARRIER, call.request("INVITE", HOLD));
    wire.event();
    wire.endpoint.answer_offer(session, &sdp(), wire.now);
    wire.run_for(secs(32));
    assert!(matches!(wire.event(), Event::Ended { cause: EndCause::NoAck, .. }));
    assert_eq!(wire.said().last().map(String::as_str), Some("BYE"));
}

#[test]
fn a_new_contact_in_a_reinvite_is_where_we_go_next() {
    let mut wire = Wire::new();
    let (session, mut call) = wire.talking();
    let moved = call.request("INVITE", OFFER).replace("carrier@192.0.2.10:5060", "carrier@192.0.2.44:5099");
    wire.hear(CARRIER, moved);
    wire.event();
    wire.endpoint.answer_offer(session, &sdp(), wire.now);
    wire.drain();
    wire.hear(CARRIER, call.ack());
    wire.sent.clear();
    wire.endpoint.hang_up(session, None, wire.now);
    wire.drain();
    assert_eq!(wire.sent[0].0, "192.0.2.44:5099".parse().unwrap());
}

#[test]
fn an_offer_that_nobody_answers_does_not_outlive_its_call() {
    let mut wire = Wire::new();
    let (session, _) = wire.calling_talks();
    wire.endpoint.reinvite(session, &sdp(), wire.now);
    wire.drain();
    let again = wire.next_sent();
    wire.hear(CARRIER, answer(&again, 100, "", ""));
    wire.endpoint.hang_up(session, None, wire.now);
    wire.drain();
    wire.run_for(Duration::from_secs(200));
    assert_eq!(wire.endpoint.counts(), Counts::default());
}

/// RFC 3261 §20.43.
#[test]
fn a_description_that_we_cannot_take_is_refused_with_a_warning_that_says_why() {
    use hotline::sip::Warning;
    for (why, code) in [
        (Warning::AddressFormat, "301"),
        (Warning::Transport, "302"),
        (Warning::MediaType, "304"),
        (Warning::MediaFormat, "305"),
        (Warning::Attribute, "306"),
        (Warning::Other, "399"),
    ] {
        let says_so = |refusal: &hotline::sip::Message| {
            assert_eq!(name(refusal), "488");
            let warning = head(refusal, Name::Warning);
            let agent = format!("{code} {DOMAIN} \"");
            assert!(warning.starts_with(&agent) && warning.ends_with('"'), "{warning}");
            assert_eq!(warning.matches('"').count(), 2, "{warning}");
        };
        let mut wire = Wire::new();
        wire.hear(CARRIER, Call::new("a").invite(OFFER));
        let session = wire.invited().session;
        wire.endpoint.refuse_description(session, why, wire.now);
        wire.drain();
        wire.next_sent(); // 100.
        says_so(&wire.next_sent());
        assert!(matches!(wire.event(), Event::Ended { .. }));
        assert_eq!(wire.endpoint.counts().sessions, 0);

        for method in ["INVITE", "UPDATE"] {
            let mut wire = Wire::new();
            let (session, mut call) = wire.talking();
            wire.hear(CARRIER, call.request(method, HOLD));
            wire.event();
            wire.sent.clear();
            wire.endpoint.refuse_description(session, why, wire.now);
            wire.drain();
            says_so(&wire.next_sent());
            assert_eq!(wire.endpoint.counts().sessions, 1, "the call goes on");
        }
    }
}

#[test]
fn a_refusal_in_words_is_for_a_person_to_read_and_ends_the_session() {
    let mut wire = Wire::new();
    wire.hear(CARRIER, Call::new("a").invite(OFFER));
    let session = wire.invited().session;
    wire.endpoint.refuse_saying(session, 486, "The meeting room is full", wire.now);
    wire.drain();
    wire.next_sent(); // 100.
    let refusal = wire.next_sent();
    assert_eq!(name(&refusal), "486");
    assert_eq!(head(&refusal, Name::Warning), format!("399 {DOMAIN} \"The meeting room is full\""));
    assert!(matches!(wire.event(), Event::Ended { cause: EndCause::HungUp, .. }));
    assert_eq!(wire.endpoint.counts().sessions, 0);
}
