//! What an attacker can send who has seen or guessed a part of a call, and what must not follow.

use hotline::sip::event::*;

use crate::wire::*;

const ATTACKER: &str = "192.0.2.99:5060";

#[test]
fn a_bye_with_guessed_tags_ends_nothing_wherever_it_comes_from() {
    let mut wire = Wire::new();
    let (session, call) = wire.talking();
    let theirs = call.from.clone();
    let ours = call.to.clone();
    let rows = [
        ("no tags", "<sip:13800000000@192.0.2.10>", "<sip:12345@192.0.2.1>"),
        ("only theirs", &*theirs, "<sip:12345@192.0.2.1>"),
        ("only ours", "<sip:13800000000@192.0.2.10>;tag=guess", &*ours),
        ("ours guessed", &*theirs, "<sip:12345@192.0.2.1>;tag=0123456789abcdef"),
        ("swapped", &*ours, &*theirs),
    ];
    for (what, from, to) in rows {
        for source in [CARRIER, ATTACKER] {
            let mut forged = call.clone();
            (forged.from, forged.to) = (from.to_owned(), to.to_owned());
            forged.seq = 70;
            wire.hear(source, forged.request("BYE", ""));
            assert_eq!(wire.said(), ["481"], "{what} from {source}");
            assert_eq!(wire.turned_away(), TurnedAway::OutOfDialog, "{what} from {source}");
        }
    }
    let mut other = call.clone();
    other.id = "another".into();
    wire.hear(CARRIER, other.request("BYE", ""));
    assert_eq!(wire.said(), ["481"], "another Call-ID");
    wire.events.clear();
    wire.endpoint.hang_up(session, None, wire.now);
    wire.drain();
    assert_eq!(wire.said(), ["BYE"], "the call was there until we ended it");
}

#[test]
fn a_cancel_from_elsewhere_or_with_another_branch_ends_nothing() {
    let mut wire = Wire::new();
    let call = Call::new("a");
    wire.hear(CARRIER, call.invite(OFFER));
    wire.invited();
    wire.sent.clear();
    wire.hear(ATTACKER, call.cancel());
    assert_eq!(wire.said(), ["481"], "the right branch from another address");
    wire.events.clear();
    let mut guessed = call.clone();
    guessed.seq = 2;
    wire.hear(CARRIER, guessed.cancel());
    assert_eq!(wire.said(), ["481"], "another branch");
    wire.events.clear();
    // The carrier may have restarted on another port; its address is what counts.
    wire.hear("192.0.2.10:6666", call.cancel());
    assert!(matches!(wire.event(), Event::Cancelled { .. }));
}

#[test]
fn a_forged_answer_to_our_call_is_dropped_and_counted() {
    let mut wire = Wire::new();
    let (_, invite) = wire.calling();
    let text = String::from_utf8(answer(&invite, 200, "forged", OFFER)).unwrap();
    let branch = text.split("branch=").nth(1).unwrap().split(';').next().unwrap().to_owned();
    wire.hear(ATTACKER, text.replace(&branch, "z9hG4bK0123456789abcdef"));
    wire.quiet_but_for(TurnedAway::OutOfDialog);
}

#[test]
fn what_an_escape_smuggles_into_the_callers_number_is_left_out_and_the_rest_is_cut() {
    let rows = [
        ("138%0d%0aEvil%3a%20x", "138Evil: x".to_owned()),
        ("%1b%5b2J138", "[2J138".to_owned()),
        ("138%00", "138".to_owned()),
        ("%22%27%3b--", "\"';--".to_owned()),
        (&"1".repeat(9_000), "1".repeat(64)),
    ];
    for (number, (user, wanted)) in rows.iter().enumerate() {
        let mut wire = Wire::new();
        let mut call = Call::new(&format!("i{number}"));
        call.from = format!("<sip:{user}@192.0.2.10>;tag=1");
        wire.hear(CARRIER, call.invite(OFFER));
        assert_eq!(wire.invited().caller, *wanted, "{user}");
    }
}
