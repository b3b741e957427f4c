//! Our registrations at trunks.

use std::time::Duration;

use hotline::sip::event::*;
use hotline::sip::{Message, Name};

use crate::trunks::*;
use crate::wire::*;

/// Told: no change.
const NOTHING: [bool; 0] = [];

fn registering(hops: usize) -> Config {
    let mut config = two_trunks();
    config.trunks[0].account =
        Some(TrunkAccount { user: "0393 12345".into(), realm: None, password: "secret".to_owned().into() });
    config.trunks[0].register = Some(secs(600));
    config.trunks[0].hops.truncate(hops);
    config
}

fn begin(config: Config) -> (Wire, Message) {
    let mut wire = Wire::with(config);
    wire.run_for(ms(0));
    let register = wire.next_sent();
    assert_eq!(name(&register), "REGISTER");
    (wire, register)
}

/// A 200 to a REGISTER, as a registrar writes it.
fn granted(register: &Message, expires: u32) -> Vec<u8> {
    let contact = format!("Contact: {};expires={expires}\r\n", head(register, Name::Contact));
    let text = String::from_utf8(answer(register, 200, "reg", "")).unwrap();
    text.replace("Contact: <sip:callee@192.0.2.10:5060>\r\n", &contact).into_bytes()
}

fn told(wire: &mut Wire) -> Vec<bool> {
    let told = wire.events.drain(..).filter_map(|event| match event {
        Event::TrunkRegistered { ok, .. } => Some(ok),
        _ => None,
    });
    told.collect()
}

/// When the next REGISTER that is not a repetition goes out, within `most`; and the message.
fn next_register(wire: &mut Wire, before: &Message, most: Duration) -> (Duration, Message, String) {
    let begun = wire.now.mono;
    while wire.now.mono.since(begun) < most {
        wire.run_for(ms(100));
        while let Some((peer, message)) = wire.sent.pop_front() {
            if name(&message) == "REGISTER" && head(&message, Name::CSeq) != head(before, Name::CSeq) {
                return (wire.now.mono.since(begun), message, peer.to_string());
            }
        }
    }
    panic!("no REGISTER within {most:?}");
}

#[test]
fn a_registration_is_asked_for_at_once_and_refreshed_before_it_ends() {
    let (mut wire, register) = begin(registering(1));
    assert_eq!(register.request_uri(), Some(&b"sip:one.example"[..]), "no user part (§10.2)");
    assert_eq!(head(&register, Name::To), "<sip:0393%2012345@one.example>");
    assert!(head(&register, Name::From).starts_with("<sip:0393%2012345@one.example>;tag="));
    assert_eq!(head(&register, Name::Contact), "<sip:0393%2012345@192.0.2.1:5060>");
    assert_eq!(head(&register, Name::Expires), "600");
    assert_eq!(trunk_now(&wire, "one").registered, Some(false));
    assert_eq!(trunk_now(&wire, "two").registered, None);
    wire.hear(ONE_A, granted(&register, 300));
    assert_eq!(told(&mut wire), [true]);
    assert_eq!(trunk_now(&wire, "one").registered, Some(true));
    let (waited, again, _) = next_register(&mut wire, &register, secs(300));
    assert!((secs(225)..=secs(271)).contains(&waited), "75–90 % of what was granted: {waited:?}");
    assert_eq!(head(&again, Name::CallId), head(&register, Name::CallId));
    assert_eq!(head(&again, Name::From), head(&register, Name::From));
    assert_eq!(again.cseq().unwrap().number, register.cseq().unwrap().number + 1);
    wire.hear(ONE_A, granted(&again, 300));
    assert_eq!(told(&mut wire), NOTHING, "nothing has changed");
}

#[test]
fn a_challenge_is_answered_and_the_next_one_proved_at_once() {
    let (mut wire, register) = begin(registering(1));
    let ask = "WWW-Authenticate: Digest realm=\"one\", nonce=\"n1\", qop=\"auth\"\r\n";
    wire.hear(ONE_A, with_lines(&answer(&register, 401, "a", ""), ask));
    let proved = wire.next_sent();
    assert_eq!(name(&proved), "REGISTER");
    assert!(head(&proved, Name::Authorization).contains("nc=00000001"));
    assert_eq!(head(&proved, Name::CSeq), "2 REGISTER");
    wire.hear(ONE_A, granted(&proved, 60));
    assert_eq!(told(&mut wire), [true]);
    let (_, again, _) = next_register(&mut wire, &proved, secs(60));
    assert!(head(&again, Name::Authorization).contains("nc=00000002"));
    assert_eq!(head(&again, Name::CSeq), "3 REGISTER");
    // Wrong now: the second 401 ends the try, and patience begins.
    let ask = "WWW-Authenticate: Digest realm=\"one\", nonce=\"n2\", qop=\"auth\"\r\n";
    wire.hear(ONE_A, with_lines(&answer(&again, 401, "a", ""), ask));
    let once_more = wire.next_sent();
    let ask = "WWW-Authenticate: Digest realm=\"one\", nonce=\"n3\", qop=\"auth\"\r\n";
    wire.hear(ONE_A, with_lines(&answer(&once_more, 401, "a", ""), ask));
    assert!(wire.sent.is_empty(), "{:?}", wire.sent);
    assert_eq!(failures(&trunk_now(&wire, "one")), [(WayFailed::Credentials, 1)]);
    let (waited, _, _) = next_register(&mut wire, &once_more, secs(40));
    assert!((secs(15)..=secs(31)).contains(&waited), "{waited:?}");
}

#[test]
fn a_423_is_obeyed_once_row_by_row() {
    for (least, asked_next) in [
        ("Min-Expires: 1800\r\n", Some("1800")),
        ("Min-Expires: 60\r\n", None),
        ("", None),
        ("Min-Expires: 999999999\r\n", None),
    ] {
        let (mut wire, register) = begin(registering(1));
        wire.hear(ONE_A, with_lines(&answer(&register, 423, "a", ""), least));
        let next = wire.sent.pop_front().map(|(_, message)| head(&message, Name::Expires));
        assert_eq!(next.as_deref(), asked_next, "{least}");
        assert_eq!(told(&mut wire), NOTHING);
    }
    let (mut wire, register) = begin(registering(1));
    wire.hear(ONE_A, with_lines(&answer(&register, 423, "a", ""), "Min-Expires: 1800\r\n"));
    let higher = wire.next_sent();
    wire.hear(ONE_A, with_lines(&answer(&higher, 423, "a", ""), "Min-Expires: 3600\r\n"));
    assert!(wire.sent.is_empty(), "one that raises it for ever is left alone for a while");
}

#[test]
fn failures_are_met_with_growing_patience() {
    for status in [403, 500, 503, 0] {
        let (mut wire, mut last) = begin(registering(1));
        let mut upper = secs(30);
        for round in 0..9 {
            let silence = if status == 0 { secs(32) } else { Duration::ZERO };
            if status > 0 {
                wire.hear(ONE_A, answer(&last, status, "a", ""));
            }
            let (waited, next, _) = next_register(&mut wire, &last, secs(2_000));
            let range = upper / 2 + silence..=upper + silence + ms(200);
            assert!(range.contains(&waited), "{status} round {round}: {waited:?} not in {range:?}");
            upper = (upper * 2).min(secs(1_800));
            last = next;
        }
        assert_eq!(told(&mut wire), NOTHING, "it never was registered");
    }
}

#[test]
fn a_registrar_that_says_when_to_come_again_is_heard() {
    let (mut wire, register) = begin(registering(1));
    wire.hear(ONE_A, with_lines(&answer(&register, 503, "a", ""), "Retry-After: 300\r\n"));
    let (waited, _, _) = next_register(&mut wire, &register, secs(400));
    assert!(waited >= secs(300), "{waited:?}");
}

#[test]
fn the_next_hop_is_asked_before_patience_begins() {
    let (mut wire, register) = begin(registering(2));
    wire.hear(ONE_A, answer(&register, 503, "a", ""));
    let (waited, second, peer) = next_register(&mut wire, &register, secs(1));
    assert_eq!((peer.as_str(), waited <= ms(100)), (ONE_B, true));
    wire.endpoint.unreachable(ONE_B.parse().unwrap(), wire.now);
    wire.drain();
    let (waited, third, peer) = next_register(&mut wire, &second, secs(40));
    assert_eq!(peer, ONE_A);
    assert!(waited >= secs(15), "{waited:?}");
    wire.hear(ONE_B, granted(&second, 600));
    assert_eq!(told(&mut wire), NOTHING, "an answer to an earlier one says nothing any more");
    wire.hear(ONE_A, granted(&third, 600));
    assert_eq!(told(&mut wire), [true]);
}

#[test]
fn a_binding_that_could_not_be_refreshed_runs_out_and_is_told_then() {
    let (mut wire, register) = begin(registering(1));
    wire.hear(ONE_A, granted(&register, 100));
    assert_eq!(told(&mut wire), [true]);
    wire.run_for(ms(99_900));
    assert_eq!(told(&mut wire), NOTHING);
    wire.run_for(ms(200));
    assert_eq!(told(&mut wire), [false]);
    assert_eq!(trunk_now(&wire, "one").registered, Some(false));
}

#[test]
fn a_trunk_that_does_not_know_us_is_passed_over_while_another_is_there() {
    let (mut wire, register) = begin(registering(1));
    wire.endpoint.invite(to_both(), wire.now).unwrap();
    wire.drain();
    next_invite_to(&mut wire, TWO);
    wire.hear(ONE_A, granted(&register, 600));
    wire.endpoint.invite(to_both(), wire.now).unwrap();
    wire.drain();
    next_invite_to(&mut wire, ONE_A);
}

#[test]
fn bindings_are_taken_back_at_the_end() {
    let (mut wire, register) = begin(registering(1));
    wire.hear(ONE_A, granted(&register, 600));
    told(&mut wire);
    wire.endpoint.unregister(wire.now);
    wire.endpoint.unregister(wire.now);
    wire.drain();
    let leaving = wire.next_sent();
    assert_eq!((name(&leaving).as_str(), head(&leaving, Name::Expires).as_str()), ("REGISTER", "0"));
    assert_eq!(head(&leaving, Name::Contact), head(&register, Name::Contact));
    assert!(wire.sent.is_empty(), "once");
    assert!(wire.endpoint.is_unregistering());
    wire.hear(ONE_A, answer(&leaving, 200, "r", ""));
    assert_eq!(told(&mut wire), [false]);
    assert!(!wire.endpoint.is_unregistering());
    wire.run_for(secs(2_000));
    wire.quiet();
    assert_eq!(wire.endpoint.counts(), Counts::default());
}

#[test]
fn a_registrar_that_is_silent_at_the_end_is_not_waited_for_long() {
    let (mut wire, register) = begin(registering(1));
    wire.hear(ONE_A, granted(&register, 600));
    wire.endpoint.unregister(wire.now);
    wire.run_for(ms(1_999));
    assert!(wire.endpoint.is_unregistering());
    wire.run_for(ms(1));
    assert!(!wire.endpoint.is_unregistering());
    let (mut wire, _) = begin(registering(1));
    wire.endpoint.unregister(wire.now);
    wire.drain();
    assert!(wire.endpoint.is_unregistering(), "one under way may have made a binding");
}

#[test]
fn a_corrected_password_is_tried_at_once_and_not_after_the_patience_for_the_wrong_one() {
    let (mut wire, register) = begin(registering(1));
    let ask = "WWW-Authenticate: Digest realm=\"one\", nonce=\"n1\", qop=\"auth\"\r\n";
    wire.hear(ONE_A, with_lines(&answer(&register, 401, "a", ""), ask));
    let wrong = wire.next_sent();
    wire.hear(ONE_A, with_lines(&answer(&wrong, 401, "b", ""), &ask.replace("n1", "n2")));
    assert!(wire.sent.is_empty(), "patience begins");
    let mut right = registering(1);
    right.trunks[0].account =
        Some(TrunkAccount { user: "0393 12345".into(), realm: None, password: "right".to_owned().into() });
    wire.endpoint.configure(right, wire.now);
    let (waited, again, _) = next_register(&mut wire, &wrong, secs(1));
    assert!(waited <= ms(100), "{waited:?}");
    wire.hear(ONE_A, granted(&again, 600));
    assert_eq!(told(&mut wire), [true]);
}

#[test]
fn a_plan_that_comes_while_the_house_closes_registers_nowhere() {
    let (mut wire, register) = begin(registering(1));
    wire.hear(ONE_A, granted(&register, 600));
    wire.endpoint.set_gate(Gate::Draining { retry_after_s: 5 });
    wire.endpoint.unregister(wire.now);
    wire.drain();
    let leaving = wire.next_sent();
    wire.hear(ONE_A, answer(&leaving, 200, "r", ""));
    // Another account there, and one at a trunk that had none: nobody would take them back.
    let mut next = registering(1);
    let account =
        |user: &str| TrunkAccount { user: user.into(), realm: None, password: "s".to_owned().into() };
    next.trunks[0].account = Some(account("another"));
    (next.trunks[1].account, next.trunks[1].register) = (Some(account("third")), Some(secs(600)));
    wire.endpoint.configure(next, wire.now);
    wire.run_for(secs(60));
    let asked = |(_, message): &(std::net::SocketAddr, Message)| {
        name(message) == "REGISTER" && head(message, Name::Expires) != "0"
    };
    assert!(!wire.sent.iter().any(asked), "{:?}", wire.sent);
    assert!(!wire.endpoint.is_unregistering());
}

#[test]
fn a_plan_that_wants_no_registration_any_more_takes_it_back() {
    let (mut wire, register) = begin(registering(1));
    wire.hear(ONE_A, granted(&register, 600));
    wire.endpoint.configure(two_trunks(), wire.now);
    wire.drain();
    let leaving = wire.next_sent();
    assert_eq!(head(&leaving, Name::Expires), "0");
    wire.sent.clear();
    wire.hear(ONE_A, answer(&leaving, 200, "r", ""));
    wire.run_for(secs(2_000));
    wire.sent.retain(|(_, message)| name(message) == "REGISTER");
    assert!(wire.sent.is_empty());
    // And one that stays as it is changes nothing.
    let (mut wire, register) = begin(registering(1));
    wire.hear(ONE_A, granted(&register, 600));
    wire.endpoint.configure(registering(1), wire.now);
    wire.run_for(secs(100));
    assert!(wire.sent.is_empty());
    assert_eq!(trunk_now(&wire, "one").registered, Some(true));
}

#[test]
fn a_trunk_whose_address_is_found_later_is_registered_at_then() {
    let mut config = registering(1);
    let hops = std::mem::take(&mut config.trunks[0].hops);
    let mut wire = Wire::with(config.clone());
    wire.run_for(secs(5));
    assert!(wire.sent.is_empty());
    config.trunks[0].hops = hops;
    wire.endpoint.configure(config, wire.now);
    wire.run_for(ms(0));
    let register = wire.next_sent();
    assert_eq!(name(&register), "REGISTER");
    wire.hear(ONE_A, granted(&register, 600));
    assert_eq!(told(&mut wire), [true]);
}

#[test]
fn another_account_takes_the_place_of_the_first() {
    let (mut wire, register) = begin(registering(1));
    wire.hear(ONE_A, granted(&register, 600));
    let mut next = registering(1);
    next.trunks[0].account.as_mut().unwrap().user = "other".into();
    wire.endpoint.configure(next, wire.now);
    wire.run_for(ms(0));
    let (leaving, coming) = (wire.next_sent(), wire.next_sent());
    assert_eq!(
        (head(&leaving, Name::Expires).as_str(), head(&leaving, Name::To)),
        ("0", head(&register, Name::To))
    );
    assert_eq!(head(&coming, Name::To), "<sip:other@one.example>");
    assert_ne!(head(&coming, Name::CallId), head(&register, Name::CallId));
    assert_eq!(told(&mut wire), [true, false]);
    wire.hear(ONE_A, answer(&leaving, 200, "r", ""));
    wire.hear(ONE_A, granted(&coming, 600));
    assert_eq!(told(&mut wire), [true]);
}
