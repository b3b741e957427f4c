//! Keys that we press by INFO: one after the other, and what becomes of those that are not taken.

use hotline::sip::event::*;
use hotline::sip::{Message, Name};

use crate::wire::*;

fn press(wire: &mut Wire, session: SessionId, keys: &str) {
    wire.endpoint.press(session, keys, wire.now);
    wire.drain();
}

/// What an INFO of ours says, and that it is one (RFC 6086 §4.2.1: none of a package says so).
fn body(info: &Message) -> String {
    assert_eq!(name(info), "INFO");
    assert_eq!(head(info, Name::ContentType), "application/dtmf-relay");
    assert!(info.header_named("Info-Package").is_none());
    String::from_utf8(info.body().to_vec()).unwrap()
}

fn signal(key: char) -> String {
    format!("Signal={key}\r\nDuration=100\r\n")
}

#[test]
fn one_key_is_out_at_a_time_in_the_order_in_which_they_were_pressed() {
    let mut wire = Wire::new();
    let (session, _) = wire.calling_talks();
    press(&mut wire, session, "4*");
    press(&mut wire, session, "#");
    let mut seqs = Vec::new();
    for key in ['4', '*', '#'] {
        let info = wire.next_sent();
        assert_eq!(body(&info), signal(key));
        seqs.push(info.cseq().unwrap().number);
        wire.quiet();
        wire.hear(CARRIER, answer(&info, 100, "", ""));
        wire.quiet();
        wire.hear(CARRIER, answer(&info, 200, "", ""));
    }
    wire.quiet();
    assert!(seqs.is_sorted_by(|a, b| a < b), "{seqs:?}");
    press(&mut wire, session, "1");
    assert_eq!(body(&wire.next_sent()), signal('1'), "and on");
}

#[test]
fn keys_that_are_refused_come_back_with_those_behind_them_row_by_row() {
    // The answer, `None` for silence; what is told, and whether the session goes on.
    let rows = [
        (Some(415), true),
        (Some(501), true),
        (Some(405), true),
        (Some(469), true),
        (Some(500), true),
        (Some(603), true),
        (None, true),
        (Some(481), false),
    ];
    for (status, stays) in rows {
        let mut wire = Wire::new();
        let (session, _) = wire.calling_talks();
        press(&mut wire, session, "42");
        let info = wire.next_sent();
        match status {
            Some(status) => wire.hear(CARRIER, answer(&info, status, "", "")),
            None => wire.run_for(std::time::Duration::from_secs(33)),
        }
        match wire.event() {
            Event::KeysRefused { session: of, trunk, status: told, keys, first } if stays => {
                assert_eq!((of, told, keys.as_str(), first), (session, status, "42", true), "{status:?}");
                assert_eq!(trunk, Some("carrier".into()));
            }
            Event::Ended { cause: EndCause::Gone, .. } if !stays => {}
            other => panic!("{status:?}: {other:?}"),
        }
        assert!(wire.events.is_empty(), "{status:?}: told once");
        assert_eq!(wire.said().contains(&"BYE".to_owned()), !stays, "{status:?}");
        if stays {
            let refused: Vec<u64> =
                wire.endpoint.trunks(wire.now).iter().map(|now| now.keys_refused).collect();
            assert_eq!(refused, [1, 0], "{status:?}");
        }
    }
}

#[test]
fn only_the_first_refusal_of_a_trunk_is_marked_so_and_all_are_counted() {
    let mut wire = Wire::new();
    for first in [true, false] {
        let (session, invite) = wire.calling();
        wire.hear(CARRIER, answer(&invite, 200, "t1", OFFER));
        wire.sent.clear();
        wire.events.clear();
        press(&mut wire, session, "5");
        let info = wire.next_sent();
        wire.hear(CARRIER, answer(&info, 415, "", ""));
        assert!(matches!(wire.event(), Event::KeysRefused { first: told, .. } if told == first));
    }
    assert_eq!(wire.endpoint.trunks(wire.now)[0].keys_refused, 2);
}

#[test]
fn what_waits_is_bounded_and_what_is_over_presses_nothing() {
    let mut wire = Wire::new();
    let (session, _) = wire.calling_talks();
    press(&mut wire, session, &"7".repeat(1_000));
    let info = wire.next_sent();
    wire.hear(CARRIER, answer(&info, 415, "", ""));
    let Event::KeysRefused { keys, .. } = wire.event() else { panic!("refused") };
    assert_eq!(keys.len(), 64);
    wire.endpoint.hang_up(session, None, wire.now);
    wire.drain();
    assert_eq!(wire.said(), ["BYE"]);
    press(&mut wire, session, "7");
    wire.quiet();
    // Nor is anything pressed on whom rings yet.
    let mut wire = Wire::new();
    let (session, _) = wire.calling();
    press(&mut wire, session, "7");
    wire.quiet();
}

#[test]
fn an_answer_behind_the_end_changes_nothing() {
    let mut wire = Wire::new();
    let (session, mut call) = wire.talking();
    press(&mut wire, session, "42");
    let info = wire.next_sent();
    wire.hear(CARRIER, call.request("BYE", ""));
    assert!(matches!(wire.event(), Event::Ended { .. }));
    wire.sent.clear();
    wire.hear(CARRIER, answer(&info, 415, "", ""));
    wire.quiet();
}
