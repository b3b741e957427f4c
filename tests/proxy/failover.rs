//! A group of trunks, each to a proxy of its own: what is silent or full is passed over (RFC 3263
//! §4.3, RFC 3261 §21.5.4).

use std::net::{SocketAddr, UdpSocket};

use hotline::switchboard::fact::Cause;

use crate::city::WHEN;
use crate::engine::data_dir;
use crate::kamailio::{Script, free_ports};
use crate::plan::engine_on_plan;
use crate::records::closed_calls;
use crate::sipp::{OFFER, Scenario};

/// The ways to 12366, by priority.
const GROUP: (&str, &str) = (
    "[[queue]]",
    "[[trunk_group]]\nname = \"tax\"\ntrunks = [{ trunk = \"sub-12366\", priority = 1 }, \
     { trunk = \"sub-12313\", priority = 2 }, { trunk = \"sub-12367\", priority = 3 }]\n[[queue]]",
);

#[test]
fn a_silent_proxy_and_one_that_is_full_are_passed_over_and_the_third_carries_the_call() {
    let name = "proxy-failover";
    let dir = data_dir(name);
    std::fs::create_dir_all(&dir).unwrap();
    // Takes everything in and says nothing, so that no ICMP error tells the engine either.
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let [full, carrying, desk]: [SocketAddr; 3] = free_ports();
    let edits = [("trunk = \"sub-12366\"", "trunk = \"tax\""), GROUP];
    let trunks = [
        format!("sub-12366={}", silent.local_addr().unwrap()),
        format!("sub-12313={full}"),
        format!("sub-12367={carrying}"),
    ];
    let more: Vec<&str> = trunks.iter().flat_map(|trunk| ["--trunk", trunk]).collect();
    let engine = engine_on_plan(name, WHEN, &edits, &more);
    let full = Script::new(full, engine.sip, &[]).refusing(503, "Retry-After: 60").start(&dir);
    let carrying = Script::new(carrying, engine.sip, &[desk]).start(&dir);

    // The trunks' connect time-out is 1 s; without it a caller would be lost for 32 s (64·T1).
    for call in 0..2 {
        let running = Scenario::of("sub_answers").listen(&dir, desk);
        Scenario::of("answered").sdp(OFFER).with("pause", "300").run(&engine, "12366");
        running.finish();
        let first = usize::from(call == 0);
        assert_eq!(full.count("begun INVITE 12366"), first, "left alone until its Retry-After is over");
        assert_eq!(carrying.count("begun INVITE 12366"), 1);
        let [newest, ..] = &closed_calls(&engine, call + 1)[..] else { panic!("no record") };
        assert_eq!(newest.peer.as_deref(), Some("sub-12367/12366"));
        assert_eq!((newest.cause, newest.ticket_left.as_ref()), (Some(Cause::CallerHungUp), None));
    }
    let mut asked = std::collections::BTreeSet::new();
    let mut room = [0; 2_048];
    silent.set_nonblocking(true).unwrap();
    while let Ok(length) = silent.recv(&mut room) {
        let text = String::from_utf8_lossy(&room[..length]).into_owned();
        let id = text.lines().find(|line| line.starts_with("Call-ID")).map(str::to_owned);
        asked.extend(text.starts_with("INVITE ").then_some(id));
    }
    assert_eq!(asked.len(), 1, "the second call does not wait for the dead one again: {asked:?}");
}
