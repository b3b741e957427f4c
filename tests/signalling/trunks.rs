//! What trunks bear and how they fare: limits, health, order; and what the tests about them share.

use std::time::Duration;

use hotline::sip::event::*;
use hotline::sip::{Message, Name};
use hotline::time::Instant;

use crate::wire::*;

pub const ONE_A: &str = "192.0.2.11:5060";
pub const ONE_B: &str = "192.0.2.12:5060";
pub const TWO: &str = "198.51.100.20:5060";

pub fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Trunk `one` with two hops, a domain and 2 s of patience, and `two` behind it with neither.
pub fn two_trunks() -> Config {
    Config {
        trunks: vec![
            TrunkConfig {
                sources: vec![("192.0.2.0".parse().unwrap(), 24)],
                hops: vec![hop(ONE_A), hop(ONE_B)],
                domain: "one.example".into(),
                connect_timeout: secs(2),
                ..TrunkConfig::named("one".into())
            },
            TrunkConfig { hops: vec![hop(TWO)], ..TrunkConfig::named("two".into()) },
        ],
        ..config()
    }
}

pub fn to_both() -> Invite {
    let route = |trunk: &str, user: &str, from_user: &str, priority| Route {
        trunk: trunk.into(),
        user: user.into(),
        from_user: from_user.into(),
        priority,
        weight: 1,
    };
    let routes = vec![route("one", "86110", "0393100", 1), route("two", "110", "100", 2)];
    Invite { target: Target::Trunk(routes), ..to_carrier() }
}

pub fn trunk_now(wire: &Wire, name: &str) -> TrunkNow {
    let trunks = wire.endpoint.trunks(wire.now);
    trunks.into_iter().find(|trunk| trunk.trunk.as_str() == name).expect("the trunk is known")
}

/// Counters that are not zero.
pub fn failures(trunk: &TrunkNow) -> Vec<(WayFailed, u64)> {
    WayFailed::ALL.into_iter().zip(trunk.failed).filter(|(_, count)| *count > 0).collect()
}

/// A message with further header lines.
pub fn with_lines(message: &[u8], lines: &str) -> Vec<u8> {
    let text = String::from_utf8(message.to_vec()).unwrap();
    text.replacen("\r\nCall-ID", &format!("\r\n{lines}Call-ID"), 1).into_bytes()
}

/// The first INVITE to `peer` among what was sent; what stands before it is dropped.
pub fn next_invite_to(wire: &mut Wire, peer: &str) -> (String, Message) {
    loop {
        let (to, message) = wire.sent.pop_front().expect("an INVITE went there");
        if to.to_string() == peer && name(&message) == "INVITE" {
            return (to.to_string(), message);
        }
    }
}

impl Wire {
    pub fn quiet_events(&self) {
        assert!(self.events.is_empty(), "{:?}", self.events);
    }
}

fn probed() -> Config {
    let mut config = two_trunks();
    let probe = Some(Probe { every: secs(10), down_after: 2, up_after: 2 });
    config.trunks[0].probe = probe;
    config.trunks[0].hops.truncate(1);
    config.trunks.truncate(2);
    config
}

/// Answers each OPTIONS of the next `span` with `status`; 0: not at all. Returns how many there were.
fn answer_options(wire: &mut Wire, span: Duration, status: u16) -> usize {
    let end = wire.now.mono + span;
    let mut asked = 0;
    while wire.now.mono < end {
        wire.run_for(ms(500));
        let sent: Vec<_> = wire.sent.drain(..).filter(|(_, message)| name(message) == "OPTIONS").collect();
        for (peer, options) in sent {
            asked += 1;
            if status > 0 {
                wire.hear(&peer.to_string(), answer(&options, status, "t", ""));
            }
        }
    }
    asked
}

fn health(wire: &mut Wire) -> Vec<(String, bool)> {
    let told = wire.events.drain(..).filter_map(|event| match event {
        Event::TrunkHealth { trunk, up } => Some((trunk.to_string(), up)),
        _ => None,
    });
    told.collect()
}

#[test]
fn any_answer_to_options_is_a_sign_of_life_but_two_row_by_row() {
    for (status, up) in [
        (200, true),
        (302, true),
        (401, true),
        (403, true),
        (404, true),
        (405, true),
        (483, true),
        (500, true),
        (501, true),
        (603, true),
        (408, false),
        (503, false),
        (0, false),
    ] {
        let mut wire = Wire::with(probed());
        assert!(answer_options(&mut wire, secs(60), status) >= 5);
        let wanted = if up { vec![] } else { vec![("one".to_owned(), false)] };
        assert_eq!(health(&mut wire), wanted, "{status}");
        assert_eq!(trunk_now(&wire, "one").up, up, "{status}");
    }
}

#[test]
fn a_trunk_that_is_down_is_passed_over_and_comes_back_after_enough_answers() {
    let mut wire = Wire::with(probed());
    answer_options(&mut wire, secs(40), 503);
    assert_eq!(health(&mut wire), [("one".to_owned(), false)]);
    wire.endpoint.invite(to_both(), wire.now).unwrap();
    wire.drain();
    next_invite_to(&mut wire, TWO);
    assert!(matches!(wire.event(), Event::Routed { trunk, .. } if trunk.as_str() == "two"));
    answer_options(&mut wire, secs(10), 200);
    assert_eq!(health(&mut wire), [], "one answer is not enough");
    answer_options(&mut wire, secs(10), 200);
    assert_eq!(health(&mut wire), [("one".to_owned(), true)]);
    wire.endpoint.invite(to_both(), wire.now).unwrap();
    wire.drain();
    next_invite_to(&mut wire, ONE_A);
}

#[test]
fn where_every_trunk_is_down_each_is_tried_all_the_same_and_an_answer_sets_it_up() {
    let mut wire = Wire::with(probed());
    answer_options(&mut wire, secs(40), 0);
    health(&mut wire);
    let Target::Trunk(routes) = to_both().target else { unreachable!() };
    let only_one = Invite { target: Target::Trunk(routes[..1].to_vec()), ..to_both() };
    wire.endpoint.invite(only_one, wire.now).unwrap();
    wire.drain();
    let (_, invite) = next_invite_to(&mut wire, ONE_A);
    wire.hear(ONE_A, answer(&invite, 200, "t", OFFER));
    assert_eq!(health(&mut wire), [("one".to_owned(), true)]);
    assert!(trunk_now(&wire, "one").up);
}

#[test]
fn a_trunk_nobody_asks_counts_as_up() {
    let mut wire = Wire::with(two_trunks());
    wire.run_for(secs(100));
    wire.quiet();
    assert!(trunk_now(&wire, "one").up);
}

#[test]
fn an_icmp_error_is_an_answer_that_nobody_is_there() {
    let mut wire = Wire::with(probed());
    // Two OPTIONS, and what is repeated of them: an error for a repetition is no second result.
    while wire.now.mono < Instant::from_millis(21_000) {
        wire.run_for(ms(200));
        if wire.sent.drain(..).any(|(_, message)| name(&message) == "OPTIONS") {
            wire.endpoint.unreachable(ONE_A.parse().unwrap(), wire.now);
            wire.drain();
        }
    }
    assert_eq!(health(&mut wire), [("one".to_owned(), false)]);
}

#[test]
fn a_full_trunk_is_passed_over_both_ways_are_counted_and_emergencies_go_on() {
    let mut config = two_trunks();
    config.trunks[0].calls_max = 2;
    let mut wire = Wire::with(config);
    // One comes in, one goes out.
    let call = Call { from: "<sip:13800000000@192.0.2.11>;tag=their".into(), ..Call::new("in") };
    wire.hear(ONE_A, call.invite(OFFER));
    let incoming = wire.invited().session;
    wire.endpoint.invite(to_both(), wire.now).unwrap();
    wire.drain();
    next_invite_to(&mut wire, ONE_A);
    assert!(trunk_now(&wire, "one").full);
    // The third goes by the other trunk; another caller by the full one is asked to come again.
    wire.endpoint.invite(to_both(), wire.now).unwrap();
    wire.drain();
    next_invite_to(&mut wire, TWO);
    assert_eq!(failures(&trunk_now(&wire, "one")), [(WayFailed::Full, 2)], "by both of its hops");
    wire.events.clear();
    wire.hear(ONE_A, Call::new("in2").invite(OFFER));
    let refusal = wire.next_sent();
    assert_eq!((name(&refusal).as_str(), head(&refusal, Name::RetryAfter).as_str()), ("503", "5"));
    assert_eq!(wire.turned_away(), TurnedAway::TrunkFull);
    // Help in an emergency is not refused by us.
    wire.endpoint.invite(Invite { emergency: true, ..to_both() }, wire.now).unwrap();
    wire.drain();
    next_invite_to(&mut wire, ONE_A);
    assert_eq!(trunk_now(&wire, "one").calls, 3);
    // A call that ends makes room, in either direction.
    wire.endpoint.refuse(incoming, 486, None, wire.now);
    wire.drain();
    assert_eq!(trunk_now(&wire, "one").calls, 2);
}

#[test]
fn where_every_trunk_is_full_there_is_no_way() {
    let mut config = two_trunks();
    for trunk in &mut config.trunks {
        trunk.calls_max = 1;
    }
    let mut wire = Wire::with(config);
    for _ in 0..2 {
        wire.endpoint.invite(to_both(), wire.now).unwrap();
    }
    assert_eq!(wire.endpoint.invite(to_both(), wire.now), Err(NoWay::Busy));
    assert!(wire.endpoint.invite(Invite { emergency: true, ..to_both() }, wire.now).is_ok());
}

#[test]
fn emergencies_go_out_though_the_table_of_sessions_is_full() {
    let mut config = two_trunks();
    config.limits.sessions_max = 1;
    let mut wire = Wire::with(config);
    wire.endpoint.invite(to_both(), wire.now).unwrap();
    assert_eq!(wire.endpoint.invite(to_both(), wire.now), Err(NoWay::Full));
    assert!(wire.endpoint.invite(Invite { emergency: true, ..to_both() }, wire.now).is_ok());
}

#[test]
fn new_calls_beyond_a_trunks_pace_take_another_one() {
    let mut config = two_trunks();
    config.trunks[0].calls_per_second = 3;
    let mut wire = Wire::with(config);
    let mut by_one = 0;
    for _ in 0..45 {
        wire.endpoint.invite(to_both(), wire.now).unwrap();
        wire.drain();
        let invites = wire.sent.drain(..).filter(|(_, message)| name(message) == "INVITE");
        by_one += invites.filter(|(to, _)| to.to_string() == ONE_A).count();
        wire.run_for(ms(40));
        wire.sent.clear();
    }
    // 45 calls in 1.8 s: three begin in each second by the first trunk.
    assert_eq!(by_one, 6);
    assert_eq!(trunk_now(&wire, "one").attempts, 6);
    let pace = failures(&trunk_now(&wire, "one"));
    assert!(pace.iter().any(|(why, count)| *why == WayFailed::Pace && *count == 2 * 39), "{pace:?}");
}

#[test]
fn a_new_plan_with_other_hops_takes_effect_for_the_next_call() {
    let mut wire = Wire::with(two_trunks());
    let mut next = two_trunks();
    next.trunks[0].hops = vec![hop("192.0.2.99:5060")];
    wire.endpoint.configure(next, wire.now);
    wire.endpoint.invite(to_both(), wire.now).unwrap();
    wire.drain();
    next_invite_to(&mut wire, "192.0.2.99:5060");
}
