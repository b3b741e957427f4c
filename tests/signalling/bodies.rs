//! Bodies of several parts: the description beside a gateway's ISUP, and what must be understood.

use hotline::sip::event::*;
use hotline::sip::{Message, Name};

use crate::wire::*;

const OPTIONAL: &str = "Content-Disposition: signal;handling=optional\r\n";

/// A description beside ISUP, as RFC 3204 §3.1.1 has it.
fn with_isup(disposition: &str) -> String {
    format!(
        "--b0\r\nContent-Type: application/sdp\r\n\r\n{OFFER}\r\n--b0\r\n\
         Content-Type: application/isup;version=itu-t92+;base=itu-t92+\r\n{disposition}\r\n\
         \x01\x11\x00\x0a\r\n--b0--\r\n"
    )
}

/// The same message with a body of several parts.
fn mixed(message: impl Into<String>) -> String {
    message.into().replace(
        "Content-Type: application/sdp\r\nContent-L",
        "Content-Type: multipart/mixed;boundary=\"b0\"\r\nMIME-Version: 1.0\r\nContent-L",
    )
}

fn mixed_answer(request: &Message, status: u16, body: &str) -> String {
    mixed(String::from_utf8(answer(request, status, "t1", body)).unwrap())
}

#[test]
fn a_description_beside_isup_is_an_offer_and_the_answer_is_plain() {
    let mut wire = Wire::new();
    let mut call = Call::new("a");
    wire.hear(CARRIER, mixed(call.invite(&with_isup(OPTIONAL))));
    let invited = wire.invited();
    assert_eq!(invited.offer.as_deref(), Some(&sdp()));
    wire.endpoint.answer(invited.session, &sdp(), wire.now);
    wire.drain();
    let ok = wire.sent.pop_back().unwrap().1;
    assert_eq!((name(&ok).as_str(), head(&ok, Name::ContentType).as_str()), ("200", "application/sdp"));
    call.learn(&ok);
    // It had an offer, so its ACK brings none.
    wire.hear(CARRIER, call.ack_with(OFFER));
    assert!(matches!(wire.event(), Event::Confirmed { sdp: None, .. }));
}

/// RFC 5621 §7.2, RFC 3261 §8.2.3: what must be understood and is not is refused, with what is read.
#[test]
fn a_part_that_must_be_understood_gets_415_and_a_body_that_is_none_400() {
    let call = Call::new("a");
    let rows = [
        ("required by its silence", mixed(call.invite(&with_isup(""))), "415"),
        (
            "required",
            mixed(call.invite(&with_isup("Content-Disposition: signal;handling=required\r\n"))),
            "415",
        ),
        ("no boundary", mixed(call.invite(&with_isup(OPTIONAL))).replace(";boundary=\"b0\"", ""), "400"),
        ("no delimiter", mixed(call.invite("hello")), "400"),
        ("a description that is none", mixed(call.invite(&with_isup(OPTIONAL).replace("v=0", "z=0"))), "400"),
        ("too many parts", mixed(call.invite(&"--b0\r\n\r\n\r\n".repeat(40))), "400"),
    ];
    for (what, text, status) in rows {
        let mut wire = Wire::new();
        wire.hear(CARRIER, &text);
        let refusal = wire.next_sent();
        assert_eq!(name(&refusal), status, "{what}");
        if status == "415" {
            assert!(head(&refusal, Name::Accept).contains("multipart/mixed"), "{what}");
        }
        assert_eq!(wire.endpoint.counts(), Counts::default(), "{what}");
    }
}

#[test]
fn only_optional_parts_are_a_call_with_a_late_offer() {
    let mut wire = Wire::new();
    let mut call = Call::new("a");
    let isup = format!("--b0\r\nContent-Type: application/isup\r\n{OPTIONAL}\r\nx\r\n--b0--");
    wire.hear(CARRIER, mixed(call.invite(&isup)));
    let invited = wire.invited();
    assert_eq!(invited.offer, None);
    wire.endpoint.answer(invited.session, &sdp(), wire.now);
    wire.drain();
    call.learn(&wire.sent.pop_back().unwrap().1);
    wire.hear(CARRIER, mixed(call.ack_with(&with_isup(""))));
    match wire.event() {
        Event::Confirmed { sdp: answered, .. } => {
            assert_eq!(answered.as_deref(), Some(&sdp()), "an ACK cannot be refused")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn answers_and_re_invites_of_several_parts_are_read() {
    let mut wire = Wire::new();
    let (_, invite) = wire.calling();
    wire.hear(CARRIER, mixed_answer(&invite, 183, &with_isup("")));
    assert!(matches!(wire.event(), Event::Progressed { sdp: Some(_), .. }));
    wire.hear(CARRIER, mixed_answer(&invite, 200, &with_isup("")));
    assert!(matches!(wire.event(), Event::Answered { sdp: Some(_), .. }));

    let mut wire = Wire::new();
    let (_, mut call) = wire.talking();
    wire.hear(CARRIER, mixed(call.request("INVITE", &with_isup(OPTIONAL))));
    assert!(matches!(wire.event(), Event::Reoffered { offer: Some(_), .. }));
    let mut wire = Wire::new();
    let (_, mut call) = wire.talking();
    wire.hear(CARRIER, mixed(call.request("INVITE", &with_isup(""))));
    assert_eq!(wire.said(), ["415"]);
}
