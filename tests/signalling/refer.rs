//! REFER in a dialog, and the subscription that it makes (RFC 3515, RFC 4488, RFC 3892, RFC 6665).

use std::time::Duration;

use hotline::sip::event::*;
use hotline::sip::{Message, Name};

use crate::wire::*;

fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

fn refer(call: &mut Call, lines: &str) -> String {
    call.more = lines.into();
    let text = call.request("REFER", "");
    call.more.clear();
    text
}

const TO_TAXES: &str = "Refer-To: <sip:12366@192.0.2.1>\r\n";

/// A call whose peer asks to be put through; what was asked is told.
fn asked(lines: &str) -> (Wire, Call, Referred) {
    let mut wire = Wire::new();
    let (_, mut call) = wire.talking();
    wire.hear(CARRIER, refer(&mut call, lines));
    let referred = told(&mut wire);
    (wire, call, referred)
}

fn told(wire: &mut Wire) -> Referred {
    match wire.event() {
        Event::Referred(referred) => *referred,
        other => panic!("{other:?}"),
    }
}

fn accepted(lines: &str) -> (Wire, Call, Referred) {
    let (mut wire, call, referred) = asked(lines);
    wire.endpoint.accept_refer(referred.session, referred.refer, wire.now);
    wire.drain();
    (wire, call, referred)
}

/// What a NOTIFY says: its subscription's state without the time, and the status of the fragment.
fn notified(notify: &Message) -> (String, String) {
    assert_eq!(name(notify), "NOTIFY");
    assert_eq!(head(notify, Name::ContentType), "message/sipfrag;version=2.0");
    let state = notify.header_named("Subscription-State").expect("RFC 6665 §4.2.2");
    let state = String::from_utf8(state.to_vec()).unwrap();
    let body = String::from_utf8(notify.body().to_vec()).unwrap();
    let fragment = body.strip_prefix("SIP/2.0 ").and_then(|rest| rest.strip_suffix("\r\n")).expect(&body);
    (state.split(";expires").next().unwrap().to_owned(), fragment.to_owned())
}

#[test]
fn a_refer_that_is_followed_gets_202_and_is_told_how_it_goes() {
    let (mut wire, call, referred) = asked(
        "Refer-To: \"Taxes\" <sip:12366@192.0.2.1;user=phone>\r\nReferred-By: <sip:1001@hotline.example>;x=1\r\n",
    );
    assert_eq!((&*referred.target, referred.replaces), ("sip:12366@192.0.2.1;user=phone", None));
    assert_eq!(referred.referred_by.as_deref(), Some("<sip:1001@hotline.example>"));
    assert_eq!(referred.refer, call.seq, "named by its CSeq");
    wire.quiet();
    let (session, refer) = (referred.session, referred.refer);
    wire.endpoint.accept_refer(session, refer, wire.now);
    wire.drain();
    let (ok, first) = (wire.next_sent(), wire.next_sent());
    assert_eq!((name(&ok), head(&ok, Name::Contact)), ("202".into(), "<sip:192.0.2.1:5060>".into()));
    assert_eq!(notified(&first), ("active".into(), "100 Trying".into()));
    assert_eq!(head(&first, Name::Event), "refer");
    wire.hear(CARRIER, answer(&first, 200, "", ""));
    for (status, wanted) in [(180, Some("180 Ringing")), (180, None), (183, Some("183 Session Progress"))] {
        wire.endpoint.notify_refer(session, refer, status, wire.now);
        wire.drain();
        match wanted {
            Some(wanted) => {
                let notify = wire.next_sent();
                assert_eq!(notified(&notify), ("active".into(), wanted.into()));
                wire.hear(CARRIER, answer(&notify, 200, "", ""));
            }
            None => wire.quiet(),
        }
    }
    wire.endpoint.notify_refer(session, refer, 200, wire.now);
    wire.drain();
    let last = wire.next_sent();
    assert_eq!(notified(&last), ("terminated;reason=noresource".into(), "200 OK".into()));
    wire.hear(CARRIER, answer(&last, 200, "", ""));
    wire.endpoint.notify_refer(session, refer, 486, wire.now);
    wire.run_for(secs(200));
    wire.quiet();
    assert_eq!(wire.endpoint.counts(), Counts { sessions: 1, dialogs: 1, transactions: 0, bindings: 0 });
}

#[test]
fn a_refer_is_judged_row_by_row() {
    let long = format!("Refer-To: <sip:{}@192.0.2.1>\r\n", "1".repeat(600));
    let rows = [
        ("", "400"),
        ("Refer-To: <sip:12366@192.0.2.1>\r\nr: <sip:12313@192.0.2.1>\r\n", "400"),
        ("Refer-To: <12366>\r\n", "400"),
        (&long, "400"),
        ("Refer-To: <sip:12366@192.0.2.1>\r\nReferred-By: <sip:a@h>\r\nb: <sip:b@h>\r\n", "400"),
        ("Refer-To: <sip:12366@evil.example>\r\n", "403"),
        ("Refer-To: <sip:12366@198.51.100.9:5060>\r\n", "403"),
        ("Refer-To: <sip:12366@192.0.2.1;method=BYE>\r\n", "403"),
        ("Refer-To: <https://192.0.2.1/>\r\n", "603"),
        ("Refer-To: <sip:12366@192.0.2.1?Replaces=nobody%3Bto-tag%3D1%3Bfrom-tag%3D2>\r\n", "603"),
        ("Require: fish\r\nRefer-To: <sip:12366@192.0.2.1>\r\n", "420"),
    ];
    for (lines, status) in rows {
        let mut wire = Wire::new();
        let (_, mut call) = wire.talking();
        wire.hear(CARRIER, refer(&mut call, lines));
        assert_eq!(wire.said(), [status], "{lines}");
        wire.turned_away();
        wire.quiet();
    }
    for lines in [
        TO_TAXES,
        "r: sip:12366@hotline.example\r\n",
        "Refer-To: <tel:12366>\r\n",
        "Refer-To: <sip:12366@192.0.2.1;method=INVITE?Subject=x>\r\n",
        "Require: norefersub\r\nRefer-Sub: false\r\nRefer-To: <sip:12366@192.0.2.1>\r\n",
    ] {
        let (wire, ..) = asked(lines);
        wire.quiet();
    }
}

#[test]
fn a_refer_without_a_subscription_gets_no_notify() {
    let (mut wire, _, referred) = accepted(&format!("Refer-Sub: false\r\n{TO_TAXES}"));
    let ok = wire.next_sent();
    assert_eq!((name(&ok), ok.header_named("Refer-Sub")), ("202".into(), Some(&b"false"[..])));
    wire.endpoint.notify_refer(referred.session, referred.refer, 200, wire.now);
    wire.run_for(secs(200));
    wire.quiet();
}

#[test]
fn a_refer_that_is_refused_leaves_nothing() {
    for (wanted, status) in [(403, "403"), (603, "603"), (200, "603")] {
        let (mut wire, call, referred) = asked(TO_TAXES);
        wire.endpoint.refuse_refer(referred.session, referred.refer, wanted, wire.now);
        wire.drain();
        assert_eq!(wire.said(), [status]);
        wire.hear(CARRIER, call.text("REFER", call.seq, &format!("i{}", call.seq), ""));
        assert_eq!(wire.said(), [status], "a retransmission is not asked again");
        wire.run_for(secs(200));
        wire.quiet();
    }
    let (mut wire, ..) = asked(TO_TAXES);
    wire.run_for(secs(6));
    assert_eq!(wire.said(), ["603"], "nobody above said anything");
}

#[test]
fn several_refers_in_one_dialog_are_told_apart_and_are_bounded() {
    let (mut wire, mut call, first) = accepted(TO_TAXES);
    assert_eq!(wire.said(), ["202", "NOTIFY"]);
    wire.hear(CARRIER, refer(&mut call, TO_TAXES));
    let second = told(&mut wire);
    wire.endpoint.accept_refer(second.session, second.refer, wire.now);
    wire.drain();
    assert_eq!(name(&wire.next_sent()), "202");
    assert_eq!(head(&wire.next_sent(), Name::Event), format!("refer;id={}", call.seq), "RFC 3515 §2.4.6");
    wire.endpoint.notify_refer(first.session, first.refer, 486, wire.now);
    wire.drain();
    let notify = wire.next_sent();
    assert_eq!((head(&notify, Name::Event), &*notified(&notify).1), ("refer".into(), "486 Busy Here"));
    let mut statuses = Vec::new();
    for _ in 0..5 {
        wire.hear(CARRIER, refer(&mut call, TO_TAXES));
        let more: Vec<Event> = wire.events.drain(..).collect();
        for event in more {
            if let Event::Referred(referred) = event {
                wire.endpoint.accept_refer(referred.session, referred.refer, wire.now);
            }
        }
        wire.drain();
        statuses.extend(wire.said().into_iter().filter(|said| said != "NOTIFY"));
    }
    assert_eq!(statuses, ["202", "202", "202", "503", "503"], "four at once");
}

#[test]
fn a_referrer_that_listens_no_longer_is_told_no_more_and_talks_on() {
    for silent in [false, true] {
        let (mut wire, _, referred) = accepted(TO_TAXES);
        wire.next_sent();
        let notify = wire.next_sent();
        if silent {
            wire.run_for(secs(33));
            wire.sent.clear();
        } else {
            wire.hear(CARRIER, answer(&notify, 481, "", ""));
        }
        wire.endpoint.notify_refer(referred.session, referred.refer, 200, wire.now);
        wire.drain();
        wire.quiet();
        assert_eq!(wire.endpoint.counts().dialogs, 1, "RFC 5057 §5.1: the call is not over for that");
    }
}

#[test]
fn a_subscription_ends_with_its_time() {
    let (mut wire, _, referred) = accepted(TO_TAXES);
    let _ok = wire.next_sent();
    let first = wire.next_sent();
    wire.hear(CARRIER, answer(&first, 200, "", ""));
    wire.run_for(secs(179));
    wire.quiet();
    wire.run_for(secs(1));
    let last = wire.next_sent();
    assert_eq!(notified(&last), ("terminated;reason=timeout".into(), "100 Trying".into()));
    wire.hear(CARRIER, answer(&last, 200, "", ""));
    wire.endpoint.notify_refer(referred.session, referred.refer, 200, wire.now);
    wire.drain();
    wire.quiet();
}

/// RFC 5057 §4.2: the dialog lives as long as one of its usages does.
#[test]
fn who_refers_and_hangs_up_is_still_told_how_it_ended() {
    let (mut wire, mut call, referred) = accepted(TO_TAXES);
    let _ok = wire.next_sent();
    let first = wire.next_sent();
    wire.hear(CARRIER, answer(&first, 200, "", ""));
    wire.hear(CARRIER, call.request("BYE", ""));
    assert_eq!(wire.said(), ["200"]);
    assert!(matches!(wire.event(), Event::Ended { cause: EndCause::Bye, .. }));
    assert_eq!(wire.endpoint.counts().sessions, 0);
    wire.endpoint.notify_refer(referred.session, referred.refer, 200, wire.now);
    wire.drain();
    let last = wire.next_sent();
    assert_eq!(notified(&last), ("terminated;reason=noresource".into(), "200 OK".into()));
    wire.hear(CARRIER, answer(&last, 481, "", ""));
    wire.run_for(secs(200));
    wire.quiet();
    assert_eq!((wire.endpoint.counts(), wire.endpoint.poll_timeout()), (Counts::default(), None));
    // And nobody is told for ever: without an outcome the time ends it.
    let (mut wire, mut call, _) = accepted(TO_TAXES);
    wire.hear(CARRIER, call.request("BYE", ""));
    wire.run_for(secs(400));
    assert!(wire.said().contains(&"NOTIFY".into()));
    assert_eq!((wire.endpoint.counts(), wire.endpoint.poll_timeout()), (Counts::default(), None));
}

#[test]
fn a_bye_before_the_refer_is_decided_ends_both() {
    let (mut wire, mut call, referred) = asked(TO_TAXES);
    wire.hear(CARRIER, call.request("BYE", ""));
    assert_eq!(wire.said(), ["200", "487"]);
    wire.endpoint.accept_refer(referred.session, referred.refer, wire.now);
    wire.run_for(secs(200));
    assert!(wire.sent.is_empty());
    assert_eq!((wire.endpoint.counts(), wire.endpoint.poll_timeout()), (Counts::default(), None));
}

#[test]
fn subscribe_and_notify_are_answered_by_what_they_are_about() {
    let (mut wire, mut call, referred) = accepted(TO_TAXES);
    wire.sent.clear();
    let mut say = |wire: &mut Wire, method: &str, lines: &str| {
        call.more = lines.into();
        wire.hear(CARRIER, call.request(method, ""));
        wire.events.clear();
        wire.said()
    };
    assert_eq!(say(&mut wire, "SUBSCRIBE", "Event: presence\r\n"), ["489"]);
    assert_eq!(say(&mut wire, "SUBSCRIBE", ""), ["489"]);
    assert_eq!(say(&mut wire, "SUBSCRIBE", "Event: refer;id=99\r\nExpires: 60\r\n"), ["481"]);
    assert_eq!(say(&mut wire, "NOTIFY", "Event: refer\r\nSubscription-State: active\r\n"), ["481"]);
    assert_eq!(say(&mut wire, "NOTIFY", "o: message-summary\r\n"), ["489"]);
    assert_eq!(
        say(&mut wire, "SUBSCRIBE", "Event: refer\r\nExpires: 60\r\n"),
        ["200", "NOTIFY"],
        "a refresh"
    );
    let id = format!("Event: refer;id={}\r\nExpires: 0\r\n", referred.refer);
    assert_eq!(say(&mut wire, "SUBSCRIBE", &id), ["200", "NOTIFY"], "and its end");
    assert_eq!(say(&mut wire, "SUBSCRIBE", &id), ["481"]);
    wire.endpoint.notify_refer(referred.session, referred.refer, 200, wire.now);
    wire.drain();
    assert!(wire.sent.is_empty());
}

#[test]
fn only_a_call_that_stands_can_be_put_through() {
    let mut wire = Wire::new();
    let (session, invite) = wire.calling();
    wire.hear(CARRIER, answer(&invite, 180, "t1", ""));
    wire.events.clear();
    let mut call = Call::new("b");
    call.id = head(&invite, Name::CallId);
    call.from = format!("{};tag=t1", head(&invite, Name::To));
    call.to = head(&invite, Name::From);
    wire.hear(CARRIER, refer(&mut call, TO_TAXES));
    assert_eq!(wire.said(), ["603"], "early");
    wire.events.clear();
    wire.hear(CARRIER, answer(&invite, 200, "t1", OFFER));
    wire.said();
    wire.events.clear();
    wire.hear(CARRIER, refer(&mut call, TO_TAXES));
    assert_eq!(told(&mut wire).session, session, "whom we called may ask, too");
}
