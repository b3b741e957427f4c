//! Seats that register, move, and go.

use std::time::Duration;

use hotline::sip::digest::Algorithm;
use hotline::sip::event::*;
use hotline::sip::{Method, Name};
use hotline::time::Timestamp;

use crate::wire::*;

const CONTACT: &str = "Contact: <sip:1001@10.0.0.7:5070>\r\n";

fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

fn registered(wire: &mut Wire) -> bool {
    match wire.event() {
        Event::Registered { refreshed, .. } => refreshed,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_seat_registers_refreshes_is_rung_and_runs_out() {
    let mut wire = Wire::new();
    assert_eq!(wire.register(1, CONTACT), ["200"]);
    assert!(!registered(&mut wire));
    assert!(wire.endpoint.is_registered(&"1001".into()));
    let (_, binding) = wire.saved.pop().unwrap();
    let binding = binding.unwrap();
    assert_eq!(binding.contact, "sip:1001@10.0.0.7:5070");
    assert_eq!(binding.expires_at.as_second() - wire.now.wall.as_second(), 600);
    wire.run_for(secs(500));
    assert_eq!(wire.register(3, CONTACT), ["200"]);
    assert!(registered(&mut wire), "refreshed");
    let invite = Invite { target: Target::Seat("1001".into()), ..to_carrier() };
    wire.endpoint.invite(invite, wire.now).unwrap();
    wire.drain();
    let (peer, sent) = wire.sent.pop_front().unwrap();
    assert_eq!(peer, DESK.parse().unwrap(), "where the REGISTER came from, not the private Contact");
    assert_eq!(sent.request_uri(), Some(&b"sip:1001@10.0.0.7:5070"[..]));
    wire.hear(
        DESK,
        String::from_utf8(answer(&sent, 200, "t", OFFER))
            .unwrap()
            .replace("192.0.2.10:5060>", "10.0.0.7:5070>"),
    );
    assert_eq!(wire.sent[0].0, DESK.parse().unwrap(), "the ACK too");
    wire.sent.clear();
    wire.events.clear();
    wire.run_for(secs(599));
    assert!(wire.events.is_empty());
    wire.run_for(secs(1));
    assert!(matches!(wire.event(), Event::Unregistered { .. }));
    assert_eq!(wire.saved.last(), Some(&("1001".into(), None)));
    assert_eq!(wire.endpoint.counts().bindings, 0);
}

#[test]
fn the_last_desk_that_registers_is_the_seats() {
    let mut wire = Wire::new();
    wire.register(1, CONTACT);
    wire.register(3, "Contact: <sip:1001@10.0.0.8:5070>\r\n");
    assert!(!registered(&mut wire));
    assert!(!registered(&mut wire), "another desk is no refresh");
    assert_eq!(wire.endpoint.counts().bindings, 1);
    assert_eq!(wire.saved.last().unwrap().1.as_ref().unwrap().contact, "sip:1001@10.0.0.8:5070");
}

#[test]
fn a_seat_unregisters_in_both_ways() {
    for lines in ["Contact: *\r\nExpires: 0\r\n", "Contact: <sip:1001@10.0.0.7:5070>;expires=0\r\n"] {
        let mut wire = Wire::new();
        wire.register(1, CONTACT);
        wire.event();
        assert_eq!(wire.register(3, lines), ["200"]);
        assert!(matches!(wire.event(), Event::Unregistered { .. }));
        assert!(!wire.endpoint.is_registered(&"1001".into()));
        wire.run_for(secs(700));
        wire.quiet();
        assert_eq!(wire.endpoint.counts(), Counts::default());
    }
}

#[test]
fn registrations_that_are_refused() {
    for (lines, status) in [
        ("Contact: <sip:1001@10.0.0.7>;expires=30\r\n", "423"),
        ("Contact: *\r\n", "400"),
        ("Contact: <tel:1001>\r\n", "400"),
    ] {
        let mut wire = Wire::new();
        assert_eq!(wire.register(1, lines), [status]);
        assert_eq!(wire.turned_away(), TurnedAway::BadRequest);
        assert!(wire.saved.is_empty());
    }
    let mut wire = Wire::new();
    wire.register(5, CONTACT);
    wire.event();
    wire.hear(DESK, register(20, "", ""));
    let challenge = wire.next_sent();
    let proof = prove(&challenge, Algorithm::Md5, "secret", Method::Register, "sip:hotline.example", 1);
    wire.hear(DESK, register(2, "Contact: *\r\nExpires: 0\r\n", &proof));
    assert_eq!(wire.said(), ["500"], "overtaken");
    assert!(wire.endpoint.is_registered(&"1001".into()));
}

#[test]
fn a_query_tells_what_is_left() {
    let mut wire = Wire::new();
    wire.register(1, CONTACT);
    wire.run_for(secs(100));
    wire.hear(DESK, register(3, "", ""));
    let challenge = wire.next_sent();
    let proof = prove(&challenge, Algorithm::Md5, "secret", Method::Register, "sip:hotline.example", 1);
    wire.hear(DESK, register(4, "", &proof));
    let ok = wire.next_sent();
    assert_eq!(head(&ok, Name::Contact), "<sip:1001@10.0.0.7:5070>;expires=500");
    wire.hear(DESK, register(4, "", &proof));
    assert_eq!(wire.next_sent(), ok, "a retransmission is not a replay");
}

#[test]
fn a_wrong_password_and_an_unknown_user_look_alike() {
    let answers = |text: &dyn Fn(&str) -> String| {
        let mut wire = Wire::new();
        wire.hear(DESK, text(""));
        let challenge = wire.next_sent();
        let proof = prove(&challenge, Algorithm::Sha256, "wrong", Method::Register, "sip:hotline.example", 1);
        let mut seen = vec![name(&challenge)];
        for round in 0..12 {
            wire.hear(DESK, text(&proof).replace("z9hG4bKr1", &format!("z9hG4bKr{round}")));
            seen.extend(wire.said());
            assert_eq!(wire.turned_away(), TurnedAway::BadCredentials);
        }
        assert_eq!(wire.endpoint.counts(), Counts::default());
        seen
    };
    let known = answers(&|proof| register(1, CONTACT, proof));
    let unknown = answers(&|proof| register(1, CONTACT, proof).replace("1001", "9999"));
    assert_eq!(known, unknown);
    assert_eq!(known[10..], ["401", "503", "503"], "for a while");
}

#[test]
fn a_seat_registers_nobody_else() {
    let mut config = config();
    config.seats.push(SeatAccount { seat: "1002".into(), ..config.seats[0].clone() });
    let mut wire = Wire::with(config);
    wire.hear(DESK, register(1, CONTACT, ""));
    let proof =
        prove(&wire.next_sent(), Algorithm::Md5, "secret", Method::Register, "sip:hotline.example", 1);
    let other = register(2, CONTACT, &proof).replace("To: <sip:1001@", "To: <sip:1002@");
    wire.hear(DESK, other);
    assert_eq!(wire.said(), ["403"]);
    assert_eq!(wire.endpoint.counts().bindings, 0);
}

#[test]
fn bindings_come_back_from_disk_by_the_wall_clock() {
    let binding = |wire: &Wire, s: i64| Binding {
        contact: "sip:1001@10.0.0.7:5070".into(),
        flow: DESK.parse().unwrap(),
        listener: 0,
        expires_at: Timestamp::from_second(wire.now.wall.as_second() + s).unwrap(),
        call_id: "reg".into(),
        cseq: 4,
    };
    let mut wire = Wire::new();
    let good = binding(&wire, 90);
    wire.endpoint.restore_binding("1001".into(), good, wire.now);
    wire.drain();
    assert!(!registered(&mut wire));
    wire.run_for(secs(90));
    assert!(matches!(wire.event(), Event::Unregistered { .. }));
    let old = binding(&wire, -1);
    wire.endpoint.restore_binding("1001".into(), old, wire.now);
    let strange = binding(&wire, 90);
    wire.endpoint.restore_binding("gone".into(), strange, wire.now);
    wire.drain();
    wire.quiet();
    assert_eq!(wire.saved[1..], [("1001".into(), None), ("gone".into(), None)]);
    assert_eq!(wire.endpoint.counts(), Counts::default());
}

#[test]
fn a_new_plan_keeps_the_bindings_of_seats_that_stay() {
    let mut wire = Wire::new();
    wire.register(1, CONTACT);
    wire.event();
    wire.endpoint.configure(config(), wire.now);
    wire.drain();
    wire.quiet();
    assert!(wire.endpoint.is_registered(&"1001".into()));
    let empty = Config { seats: Vec::new(), ..config() };
    wire.endpoint.configure(empty, wire.now);
    wire.drain();
    assert!(matches!(wire.event(), Event::Unregistered { .. }));
    assert_eq!(wire.saved.last(), Some(&("1001".into(), None)));
}

#[test]
fn a_seat_that_is_back_with_its_account_in_time_need_not_register_anew() {
    let empty = || Config { seats: Vec::new(), ..config() };
    let other_word = || {
        let mut other = config();
        other.seats[0].ha1_md5 = "0".repeat(32);
        other
    };
    // (away for so long, the plan that brings it back, whether it is bound)
    type Back = fn() -> Config;
    let table: [(u64, Back, bool); 3] = [(500, config, true), (600, config, false), (5, other_word, false)];
    for (away, back, bound) in table {
        let mut wire = Wire::new();
        wire.register(1, CONTACT);
        wire.endpoint.configure(empty(), wire.now);
        wire.drain();
        assert!(!wire.endpoint.is_registered(&"1001".into()));
        // A plan that has not brought it back changes nothing.
        wire.endpoint.configure(empty(), wire.now);
        wire.run_for(secs(away));
        wire.events.clear();
        wire.endpoint.configure(back(), wire.now);
        wire.drain();
        assert_eq!(wire.endpoint.is_registered(&"1001".into()), bound, "{away}");
        if bound {
            assert!(!registered(&mut wire));
            assert!(wire.saved.last().is_some_and(|(_, binding)| binding.is_some()), "on disk again");
            wire.run_for(secs(600 - away));
            assert!(matches!(wire.event(), Event::Unregistered { .. }), "as long as it was to stand");
        }
    }
}

#[test]
fn a_phone_that_gives_up_before_sha_256_is_asked_by_md5_alone_when_it_comes_again() {
    let mut wire = Wire::new();
    let asked_by = |wire: &mut Wire, cseq| {
        wire.hear(DESK, register(cseq, CONTACT, ""));
        let challenge = wire.next_sent();
        assert_eq!(name(&challenge), "401");
        let count = challenge.headers(Name::WwwAuthenticate).count();
        (count, challenge)
    };
    assert_eq!(asked_by(&mut wire, 1).0, 2);
    assert_eq!(asked_by(&mut wire, 1).0, 2, "a retransmission");
    let (count, challenge) = asked_by(&mut wire, 2);
    assert_eq!(count, 1);
    let proof = prove(&challenge, Algorithm::Md5, "secret", Method::Register, "sip:hotline.example", 1);
    wire.hear(DESK, register(3, CONTACT, &proof));
    assert_eq!(wire.said(), ["200"]);
    assert_eq!(asked_by(&mut wire, 4).0, 1, "its next registration too");
    // Whoever registers at once, as most do, is asked by both each time.
    let mut wire = Wire::new();
    for cseq in [1, 3, 5] {
        assert_eq!(wire.register(cseq, CONTACT), ["200"]);
    }
}

#[test]
fn the_plan_says_how_many_guesses_and_messages_are_looked_at() {
    let narrow = Brakes { guesses: 3, guess_span: secs(600), messages_at_once: 50, messages_per_s: 10 };
    let mut wire = Wire::with(Config { brakes: narrow, ..config() });
    wire.hear(DESK, register(1, CONTACT, ""));
    let challenge = wire.next_sent();
    let proof = prove(&challenge, Algorithm::Md5, "wrong", Method::Register, "sip:hotline.example", 1);
    let mut answers = Vec::new();
    for round in 0..60 {
        wire.hear(DESK, register(1, CONTACT, &proof).replace("z9hG4bKr1", &format!("z9hG4bKr{round}")));
        answers.extend(wire.said());
    }
    assert_eq!(answers[..4], ["401", "401", "401", "503"]);
    assert_eq!(answers.len(), 49, "with the first, 50 at once");
    // Another plan: what was wrong counts on, and what was sent does.
    wire.sent.clear();
    let wide = Brakes { guesses: 10, messages_at_once: 100, ..narrow };
    wire.endpoint.configure(Config { brakes: wide, ..config() }, wire.now);
    let right = prove(&challenge, Algorithm::Md5, "secret", Method::Register, "sip:hotline.example", 1);
    wire.hear(DESK, register(2, CONTACT, &right));
    assert_eq!(wire.said(), ["200"], "three are fewer than ten");
}
