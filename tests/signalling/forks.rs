//! A call of ours that rings in several places, requests that come back, and what we say we can do.

use std::time::Duration;

use hotline::sip::event::*;
use hotline::sip::{Message, Name};

use crate::wire::*;

fn reliably(invite: &Message, status: u16, tag: &str, rseq: u32, body: &str) -> String {
    let text = String::from_utf8(answer(invite, status, tag, body)).unwrap();
    text.replace("Contact:", &format!("Require: 100rel\r\nRSeq: {rseq}\r\nContact:"))
}

fn to_tag(message: &Message) -> String {
    head(message, Name::To).split_once(";tag=").map(|(_, tag)| tag.to_owned()).unwrap_or_default()
}

#[test]
fn each_place_that_rings_counts_for_itself() {
    let mut wire = Wire::new();
    let (_, invite) = wire.calling();
    for (tag, rseq) in [("t1", 100), ("t2", 5), ("t1", 101), ("t2", 6), ("t3", 5)] {
        wire.hear(CARRIER, reliably(&invite, 183, tag, rseq, OFFER));
        let prack = wire.next_sent();
        assert_eq!((name(&prack), to_tag(&prack)), ("PRACK".into(), tag.into()));
        assert_eq!(head(&prack, Name::Rack), format!("{rseq} 1 INVITE"));
        assert!(matches!(wire.event(), Event::Progressed { .. }));
    }
    wire.hear(CARRIER, answer(&invite, 200, "t2", ""));
    assert!(matches!(wire.event(), Event::Answered { sdp: Some(_), .. }));
    assert_eq!(to_tag(&wire.next_sent()), "t2");
    // A second one answers too: acknowledged and released, with a CSeq above its PRACKs'.
    wire.hear(CARRIER, answer(&invite, 200, "t1", OFFER));
    let (ack, bye) = (wire.next_sent(), wire.next_sent());
    assert_eq!([to_tag(&ack), to_tag(&bye)], ["t1", "t1"]);
    assert_eq!(head(&bye, Name::CSeq), "4 BYE");
    // What still rings is too late.
    wire.hear(CARRIER, reliably(&invite, 183, "t3", 6, OFFER));
    wire.quiet();
}

#[test]
fn no_more_places_are_kept_than_can_be_settled() {
    let mut wire = Wire::new();
    let (_, invite) = wire.calling();
    for fork in 0..20 {
        wire.hear(CARRIER, reliably(&invite, 183, &format!("t{fork}"), 1, OFFER));
    }
    assert_eq!(wire.said(), ["PRACK"; 8]);
    assert_eq!(wire.events.len(), 8);
}

#[test]
fn a_place_that_is_through_makes_room_and_is_not_told_as_progress() {
    let mut wire = Wire::new();
    let (_, invite) = wire.calling();
    for fork in 0..20 {
        let tag = format!("t{fork}");
        wire.hear(CARRIER, reliably(&invite, 183, &tag, 1, OFFER));
        assert_eq!(wire.said(), ["PRACK"], "{tag}");
        assert!(matches!(wire.event(), Event::Progressed { .. }));
        wire.hear(CARRIER, answer(&invite, 199, &tag, ""));
        wire.quiet();
    }
}

#[test]
fn early_media_that_was_not_answered_for_is_the_answer_after_all() {
    let mut wire = Wire::new();
    let (_, invite) = wire.calling();
    wire.hear(CARRIER, answer(&invite, 183, "t1", OFFER));
    wire.hear(CARRIER, answer(&invite, 183, "t2", HOLD));
    wire.events.clear();
    wire.hear(CARRIER, answer(&invite, 200, "t1", ""));
    assert!(matches!(wire.event(), Event::Answered { sdp: Some(answer), .. } if *answer == sdp()));
}

#[test]
fn an_invite_of_ours_that_finds_its_way_back_is_a_loop() {
    let mut wire = Wire::new();
    let (_, invite) = wire.calling();
    let own = String::from_utf8(invite.raw().to_vec()).unwrap();
    let proxied = own.replacen("Via:", "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKproxy\r\nVia:", 1);
    // By our Via, whatever happened to the Call-ID; and by Call-ID and tag, whatever to the Via.
    let by_via = proxied.replace(&head(&invite, Name::CallId), "another");
    let by_tag = own.replace(&head(&invite, Name::Via), "SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKpbx");
    for text in [proxied, by_via, by_tag] {
        wire.hear(CARRIER, &text);
        assert_eq!(wire.said(), ["482"], "{text}");
        assert_eq!(wire.turned_away(), TurnedAway::OutOfDialog);
    }
    // Our address in another's Via says nothing: private addresses are everybody's.
    let mut stranger = Call::new("stranger");
    stranger.more = "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKnot-ours\r\n".into();
    wire.hear(CARRIER, stranger.invite(OFFER));
    assert_eq!(wire.said(), ["100"]);
}

#[test]
fn hops_are_told_so_that_they_can_be_counted_on() {
    for (line, wanted) in [("Max-Forwards: 70\r\n", 70), ("Max-Forwards: 3\r\n", 3), ("", 70)] {
        let mut wire = Wire::new();
        wire.hear(CARRIER, Call::new("a").invite(OFFER).replace("Max-Forwards: 70\r\n", line));
        assert_eq!(wire.invited().max_forwards, wanted);
    }
    let mut wire = Wire::new();
    let headers = vec![("Max-Forwards", "2".to_owned()), ("Supported", "fish".to_owned())];
    wire.endpoint.invite(Invite { headers, ..to_carrier() }, wire.now).unwrap();
    wire.drain();
    let invite = wire.next_sent();
    assert_eq!(invite.headers(Name::MaxForwards).collect::<Vec<_>>(), [b"2"]);
    assert_eq!(invite.headers(Name::Supported).count(), 1);
}

#[test]
fn what_we_say_we_can_do_is_what_we_do() {
    let mut wire = Wire::new();
    let mut call = Call::new("a");
    wire.hear(CARRIER, call.text("OPTIONS", 1, "o", ""));
    let options = wire.next_sent();
    let methods = "INVITE ACK CANCEL BYE OPTIONS REGISTER PRACK UPDATE INFO REFER SUBSCRIBE NOTIFY";
    for method in methods.split(' ') {
        assert!(options.lists(Name::Allow, method), "{method}");
    }
    for extension in ["100rel", "timer", "replaces", "norefersub"] {
        assert!(options.lists(Name::Supported, extension), "{extension}");
    }
    assert!(options.lists(Name::Accept, "application/sdp"));
    // What we know may be required; what we do not know is named, and only that.
    call.more = "Require: 100rel, timer\r\n".into();
    wire.hear(CARRIER, call.invite(OFFER));
    assert_eq!(wire.said(), ["100"]);
    let mut wire = Wire::new();
    let (_, mut call) = wire.talking();
    for (method, more, status) in [
        ("OPTIONS", "Require: timer, 100rel\r\n", "200"),
        ("OPTIONS", "Require: fish, timer\r\n", "420"),
        ("INVITE", "Require: fish\r\n", "420"),
        ("UPDATE", "Require: fish\r\n", "420"),
        ("PUBLISH", "", "405"),
        ("FISH", "", "501"),
    ] {
        call.more = more.into();
        wire.hear(CARRIER, call.request(method, ""));
        let answer = wire.next_sent();
        assert_eq!(name(&answer), status, "{method} {more}");
        match status {
            "420" => assert_eq!(head(&answer, Name::Unsupported), "fish"),
            "405" | "501" => assert!(answer.lists(Name::Allow, "UPDATE")),
            _ => {}
        }
    }
}

#[test]
fn a_reinvite_that_is_rung_for_and_never_answered_is_taken_back() {
    let mut wire = Wire::new();
    let (session, _) = wire.talking();
    wire.endpoint.reinvite(session, &sdp(), wire.now);
    wire.drain();
    let ours = wire.next_sent();
    wire.hear(CARRIER, answer(&ours, 180, "", ""));
    wire.run_for(Duration::from_secs(31));
    wire.quiet();
    wire.run_for(Duration::from_secs(1));
    assert_eq!(wire.said(), ["CANCEL"]);
    wire.hear(CARRIER, answer(&ours, 487, "", ""));
    assert!(matches!(wire.event(), Event::OfferRefused { status: 487, .. }));
    assert_eq!(wire.endpoint.counts().dialogs, 1, "the call goes on");
    // So is one that a BYE has left behind.
    let mut wire = Wire::new();
    let (session, mut call) = wire.talking();
    wire.endpoint.reinvite(session, &sdp(), wire.now);
    wire.drain();
    wire.hear(CARRIER, answer(&wire.sent[0].1.clone(), 100, "", ""));
    wire.hear(CARRIER, call.request("BYE", ""));
    assert_eq!(wire.said(), ["INVITE", "200", "CANCEL"]);
    wire.run_for(Duration::from_secs(70));
    assert_eq!(wire.endpoint.counts(), Counts::default());
}
