//! What an ordinary call costs in memory, by the endpoint alone: an allocator that counts.

use bytes::Bytes;
use hotline::sip::event::*;

#[path = "counting/mod.rs"]
mod counting;
#[allow(dead_code)] // Only its calls are wanted here.
#[path = "signalling/wire.rs"]
mod wire;

use counting::counted;
use wire::*;

fn hear(wire: &mut Wire, text: impl AsRef<[u8]>) -> usize {
    let bytes = Bytes::copy_from_slice(text.as_ref());
    let _ = bytes.clone();
    let packet = Packet { listener: 0, peer: CARRIER.parse().unwrap(), bytes };
    let ((), cost) = counted(|| wire.endpoint.handle_packet(packet, wire.now));
    wire.drain();
    cost
}

fn inward(n: usize, wire: &mut Wire) -> Vec<(&'static str, usize)> {
    let mut costs = Vec::new();
    let mut call = Call::new(&format!("call{n}"));
    costs.push(("INVITE", hear(wire, call.invite(OFFER))));
    let session = wire.invited().session;
    let sdp = sdp();
    costs.push(("180", counted(|| wire.endpoint.progress(session, 180, None, wire.now)).1));
    wire.drain();
    costs.push(("200", counted(|| wire.endpoint.answer(session, &sdp, wire.now)).1));
    wire.drain();
    let ok = wire.sent.pop_back().unwrap().1;
    call.learn(&ok);
    costs.push(("ACK", hear(wire, call.ack())));
    costs.push(("BYE", hear(wire, call.request("BYE", ""))));
    wire.run_for(std::time::Duration::from_secs(40));
    wire.sent.clear();
    wire.events.clear();
    costs
}

fn outward(wire: &mut Wire) -> Vec<(&'static str, usize)> {
    let mut costs = Vec::new();
    let invite = to_carrier();
    let mut session = None;
    costs.push(("INVITE", counted(|| session = wire.endpoint.invite(invite, wire.now).ok()).1));
    let session = session.unwrap();
    wire.drain();
    let invite = wire.sent.pop_back().unwrap().1;
    costs.push(("180", hear(wire, answer(&invite, 180, "t", ""))));
    costs.push(("200", hear(wire, answer(&invite, 200, "t", OFFER))));
    costs.push(("BYE", counted(|| wire.endpoint.hang_up(session, None, wire.now)).1));
    wire.drain();
    let bye = wire.sent.pop_back().unwrap().1;
    costs.push(("200 BYE", hear(wire, answer(&bye, 200, "", ""))));
    wire.run_for(std::time::Duration::from_secs(40));
    wire.sent.clear();
    wire.events.clear();
    costs
}

/// The tables have grown to their size by then.
const CALLS: usize = 20;

fn sum(costs: &[(&'static str, usize)]) -> usize {
    costs.iter().map(|(_, cost)| cost).sum()
}

#[test]
fn a_call_inward_costs_what_it_did_before_any_extension_was_known() {
    let mut wire = Wire::new();
    let costs = (0..CALLS).map(|n| inward(n, &mut wire)).last().expect("there were some");
    assert!(sum(&costs) <= 53, "{costs:?}");
}

#[test]
fn a_call_outward_costs_a_few_more_for_the_hunt_that_it_may_become() {
    let mut wire = Wire::new();
    let costs = (0..CALLS).map(|_| outward(&mut wire)).last().expect("there were some");
    assert!(sum(&costs) <= 92, "{costs:?}");
}
