//! Keys by INFO (RFC 6086 and the bodies that are older than it).

use hotline::sip::Name;
use hotline::sip::event::*;

use crate::wire::*;

/// An INFO with a body of this type.
fn info(call: &mut Call, kind: &str, more: &str, body: &str) -> String {
    call.more = more.into();
    let text = call.request("INFO", body);
    call.more.clear();
    text.replace("application/sdp", kind)
}

#[test]
fn an_info_is_a_key_a_sign_of_life_or_refused_row_by_row() {
    let (relay, plain) = ("application/dtmf-relay", "application/dtmf");
    let rows = [
        (relay, "", "Signal=5\r\nDuration=160\r\n", "200", Some('5'), None),
        (relay, "", "Signal= *\r\nDuration= 100", "200", Some('*'), None),
        (relay, "", "signal=11\n", "200", Some('#'), None),
        (relay, "", "Duration=160\r\n", "400", None, None),
        (relay, "", "Signal=hf\r\n", "200", None, None),
        ("Application/DTMF;charset=utf-8", "", "7", "200", Some('7'), None),
        (plain, "", "Signal=8\r\n", "200", Some('8'), None),
        (plain, "", "\u{f6}", "400", None, None),
        (
            "application/media_control+xml",
            "",
            "<x/>",
            "415",
            None,
            Some(("Accept", "application/dtmf-relay, application/dtmf")),
        ),
        ("text/plain", "Content-Disposition: render;handling=optional\r\n", "x", "200", None, None),
        (relay, "Info-Package: trickle-ice\r\n", "Signal=5\r\n", "469", None, Some(("Recv-Info", ""))),
        ("", "", "", "200", None, None),
    ];
    for (kind, more, body, status, key, header) in rows {
        let mut wire = Wire::new();
        let (talking, mut call) = wire.talking();
        let text = info(&mut call, kind, more, body);
        wire.hear(CARRIER, &text);
        let answer = wire.next_sent();
        assert_eq!(name(&answer), status, "{kind} {body}");
        if let Some((header, value)) = header {
            assert_eq!(answer.header_named(header), Some(value.as_bytes()), "{kind}");
        }
        match (key, status) {
            (Some(key), _) => {
                let told = matches!(wire.event(), Event::Digit { session, digit } if session == talking && digit == key);
                assert!(told, "{kind} {body}");
            }
            (None, "200") => {}
            (None, _) => drop(wire.turned_away()),
        }
        wire.hear(CARRIER, &text);
        assert_eq!(wire.said(), [status], "{kind}: the same answer again");
        assert!(wire.events.is_empty(), "{kind}: a retransmission is no second press");
    }
}

#[test]
fn an_info_outside_of_a_dialog_or_behind_its_end_presses_nothing() {
    let mut wire = Wire::new();
    let (_, mut call) = wire.talking();
    let mut stranger = call.clone();
    stranger.from = "<sip:13800000000@192.0.2.10>;tag=other".into();
    wire.hear(CARRIER, info(&mut stranger, "application/dtmf", "", "5"));
    assert_eq!(wire.said(), ["481"]);
    assert_eq!(wire.turned_away(), TurnedAway::OutOfDialog);
    wire.hear(CARRIER, call.request("BYE", ""));
    wire.hear(CARRIER, info(&mut call, "application/dtmf", "", "5"));
    assert_eq!(wire.said(), ["200", "481"]);
    assert!(matches!(wire.event(), Event::Ended { .. }));
    assert_eq!(wire.turned_away(), TurnedAway::OutOfDialog);
}

#[test]
fn what_we_can_do_is_told_truly() {
    let mut wire = Wire::new();
    let (_, mut call) = wire.talking();
    wire.hear(CARRIER, call.request("OPTIONS", ""));
    let answer = wire.next_sent();
    for method in ["INFO", "REFER", "SUBSCRIBE", "NOTIFY"] {
        assert!(answer.lists(Name::Allow, method), "{method}");
    }
    for body in ["application/sdp", "application/dtmf-relay", "application/dtmf"] {
        assert!(answer.lists(Name::Accept, body), "{body}");
    }
    for extension in ["replaces", "norefersub"] {
        assert!(answer.lists(Name::Supported, extension), "{extension}");
    }
}
