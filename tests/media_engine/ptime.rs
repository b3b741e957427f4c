//! Packets of other lengths than 20 ms: taken whatever was agreed, sent as the peer asked.

use hotline::media::order::{Codec, Fact, LegConfig, Order};
use hotline::media::{SocketKey, g711};
use hotline::phone::Codec as Law;

use crate::packets::{Event, Rtp};
use crate::stage::{EVENTS, HEARD, Peer, Stage, UNHEARD, assert_one_stream, level, prompt};

const CALLER: f64 = 440.0;
const CLERK: f64 = 1_000.0;
const TIMES: [usize; 6] = [10, 20, 30, 40, 50, 60];

/// A leg whose telephone asked for packets of this length.
fn join(stage: &mut Stage, index: u16, law: Law, asked_ms: usize) -> Peer {
    let peer = Peer::at(index, law);
    let config = LegConfig { packet_ms: asked_ms as u16, ..peer.config() };
    stage.order(Order::Open { leg: stage.leg(index), config: Box::new(config) });
    peer
}

/// So much time passes. Each speaker sends packets of its own length, each when its last sample was
/// spoken; what was spoken since the last is kept between calls.
fn speak(stage: &mut Stage, ms: usize, speakers: &mut [(&mut Peer, usize)]) {
    let mut spoken = vec![0; speakers.len()];
    for _ in 0..ms / 5 {
        stage.tick();
        for ((peer, packet_ms), spoken) in speakers.iter_mut().zip(&mut spoken) {
            *spoken += 5;
            if *spoken == *packet_ms {
                *spoken = 0;
                let packet = peer.next_of(*packet_ms);
                peer.send(stage, &packet);
            }
        }
    }
}

/// When packets left for a telephone, milliseconds, and what they were.
fn left(stage: &mut Stage, peer: &Peer) -> Vec<(u64, Rtp)> {
    let mut taken = Vec::new();
    stage.air.left.retain(|left| {
        let for_it = left.to == peer.address && left.from == SocketKey::rtp(peer.slot);
        if for_it {
            taken.push((left.at.as_nanos() / 1_000_000, Rtp::read(&left.bytes)));
        }
        !for_it
    });
    taken
}

fn packets(left: &[(u64, Rtp)]) -> Vec<Rtp> {
    left.iter().map(|(_, packet)| packet.clone()).collect()
}

/// The tone is there in each tenth of a second.
fn assert_unbroken(what: &str, sound: &[i16], hertz: f64) {
    for (n, tenth) in sound.chunks_exact(800).enumerate() {
        let level = level(tenth, hertz);
        assert!(level > HEARD, "{what}: {hertz} Hz is broken in tenth {n} ({level} dB)");
    }
}

/// RFC 3550: numbers and clock without a hole between packets that follow one another.
fn assert_gapless(what: &str, packets: &[Rtp]) {
    assert_one_stream(packets);
    for pair in packets.windows(2) {
        let step = pair[1].timestamp.wrapping_sub(pair[0].timestamp);
        assert_eq!(step, pair[0].payload.len() as u32, "{what}: the clock follows the samples");
    }
}

#[test]
fn telephones_of_any_two_packet_times_hear_one_another_whole_and_evenly() {
    for (one, other) in [(Law::Pcma, Law::Pcma), (Law::Pcmu, Law::Pcma)] {
        for a in TIMES {
            for b in TIMES {
                let mut stage = Stage::new(&[]);
                let (mut caller, mut clerk) = (join(&mut stage, 0, one, a), join(&mut stage, 1, other, b));
                (caller.tone, clerk.tone) = (Some(CALLER), Some(CLERK));
                stage.bridge(0, 1);
                speak(&mut stage, 2_400, &mut [(&mut caller, a), (&mut clerk, b)]);
                for (peer, asked, hears, not) in [(&caller, a, CLERK, CALLER), (&clerk, b, CALLER, CLERK)] {
                    let what = format!("{a} and {b} ms, {asked} asked");
                    let left = left(&mut stage, peer);
                    assert!(left.len() * asked >= 2_400 - 300, "{what}: {} packets", left.len());
                    let settled: Vec<_> = left.into_iter().skip(400 / asked).collect();
                    let packets = packets(&settled);
                    assert_gapless(&what, &packets);
                    assert!(packets.iter().all(|packet| packet.payload.len() == asked * 8), "{what}");
                    for pair in settled.windows(2) {
                        assert_eq!(pair[1].0 - pair[0].0, asked as u64, "{what}: they leave evenly");
                    }
                    let sound = peer.hears(&packets);
                    assert_unbroken(&what, &sound, hears);
                    assert!(level(&sound, not) < UNHEARD, "{what}: nobody hears himself");
                    let loud = hotline::phone::listen::rms(&sound);
                    assert!((loud - 8_000.0 / 2.0_f64.sqrt()).abs() < 350.0, "{what}: {loud}");
                }
            }
        }
    }
}

/// The relay is the short way: what comes leaves at once, without a tick.
fn is_relayed(stage: &mut Stage, from: &mut Peer, ms: usize, to: &Peer) -> bool {
    left(stage, to);
    let packet = from.next_of(ms);
    from.send(stage, &packet);
    left(stage, to).iter().any(|(_, left)| left.payload == packet.payload)
}

#[test]
fn packets_are_relayed_only_where_both_asked_for_the_same_length_and_get_it() {
    for a in TIMES {
        for b in TIMES {
            let mut stage = Stage::new(&[]);
            let mut caller = join(&mut stage, 0, Law::Pcma, a);
            let clerk = join(&mut stage, 1, Law::Pcma, b);
            stage.bridge(0, 1);
            assert_eq!(is_relayed(&mut stage, &mut caller, a, &clerk), a == b, "{a} and {b} ms");
        }
    }
    // Asked for 20, and sends 30 all the same: known after a few, then made into what was asked for.
    let mut stage = Stage::new(&[]);
    let (mut caller, clerk) = (join(&mut stage, 0, Law::Pcma, 20), join(&mut stage, 1, Law::Pcma, 20));
    caller.tone = Some(CALLER);
    stage.bridge(0, 1);
    speak(&mut stage, 600, &mut [(&mut caller, 30)]);
    assert!(!is_relayed(&mut stage, &mut caller, 30, &clerk));
    speak(&mut stage, 1_200, &mut [(&mut caller, 30)]);
    let turned = packets(&left(&mut stage, &clerk));
    assert!(turned.iter().all(|packet| packet.payload.len() == 160));
    assert_unbroken("30 for 20", &clerk.hears(&turned[5..]), CALLER);
    // And back, when it sends what it was asked for.
    speak(&mut stage, 600, &mut [(&mut caller, 20)]);
    assert!(is_relayed(&mut stage, &mut caller, 20, &clerk));
}

#[test]
fn lengths_that_change_in_mid_stream_are_heard_whole() {
    for recorded in [false, true] {
        let mut stage = Stage::new(&[]);
        let (mut caller, clerk) = (join(&mut stage, 0, Law::Pcma, 20), join(&mut stage, 1, Law::Pcmu, 20));
        caller.tone = Some(CALLER);
        stage.bridge(0, 1);
        if recorded {
            stage.record();
        }
        for ms in [20, 60, 10, 40, 30, 20, 50, 10] {
            speak(&mut stage, 1_200, &mut [(&mut caller, ms)]);
        }
        let packets = packets(&left(&mut stage, &clerk));
        assert_one_stream(&packets);
        let sound = clerk.hears(&packets);
        // 9.6 s were spoken; a pause of up to 60 ms is made up for where packets grow.
        assert!(sound.len() >= 8 * (9_600 - 200), "{}", sound.len());
        assert_unbroken("what the clerk hears", &sound[800..], CALLER);
        if recorded {
            let reel = &stage.reels.0[&stage.call];
            assert_unbroken("what is recorded", &reel.left[1_600..], CALLER);
        }
        assert_eq!(stage.close(0).late, 0, "nothing came too late");
    }
}

/// Odd lengths: every multiple of 10 ms that fits into a packet, and none of them.
#[test]
fn packets_of_any_length_are_taken() {
    for ms in (10..=180).step_by(10) {
        let mut stage = Stage::new(&[]);
        let (mut caller, clerk) = (join(&mut stage, 0, Law::Pcmu, 20), join(&mut stage, 1, Law::Pcma, 20));
        caller.tone = Some(CALLER);
        stage.bridge(0, 1);
        speak(&mut stage, 3_600, &mut [(&mut caller, ms)]);
        let packets = packets(&left(&mut stage, &clerk));
        let sound = clerk.hears(&packets);
        assert!(sound.len() >= 8 * (3_600 - 2 * ms - 200), "{ms} ms: {}", sound.len());
        assert_unbroken(&format!("{ms} ms"), &sound[1_600..], CALLER);
    }
}

#[test]
fn prompts_leave_byte_for_byte_in_packets_as_long_as_was_asked_for() {
    let speech = prompt("greeting");
    let speech = &speech[..speech.len().min(24_100)];
    for ms in TIMES {
        for (law, codec) in [(Law::Pcma, Codec::Pcma), (Law::Pcmu, Codec::Pcmu)] {
            let mut stage = Stage::new(&[speech]);
            let caller = join(&mut stage, 0, law, ms);
            stage.play(0, &[0], false, 9);
            speak(&mut stage, 3_200, &mut []);
            let left = left(&mut stage, &caller);
            let packets = packets(&left);
            assert_gapless("a prompt", &packets);
            let (last, full) = packets.split_last().unwrap();
            assert!(full.iter().all(|packet| packet.payload.len() == ms * 8), "{ms} ms");
            assert!(last.payload.len() <= ms * 8, "{ms} ms: what is left");
            let whole: Vec<u8> = packets.iter().flat_map(|packet| packet.payload.clone()).collect();
            let wanted: Vec<u8> =
                speech.iter().map(|sample| g711::encode_sample(codec.law().unwrap(), *sample)).collect();
            assert!(whole.starts_with(&wanted), "{ms} ms");
            assert!(whole.len() - wanted.len() < 160, "silence to the end of the frame only");
            assert!(packets[0].marker && packets[1..].iter().all(|packet| !packet.marker), "{ms} ms");
            assert!(stage.facts.iter().any(|fact| matches!(fact, Fact::Played { mark: 9, .. })));
        }
    }
}

/// RFC 4733: a press is one press in packets of any length, and stays in its place in the stream.
#[test]
fn keys_between_telephones_of_different_packet_times_are_pressed_once() {
    for ms in TIMES {
        let mut stage = Stage::new(&[]);
        let (mut caller, clerk) = (
            join(&mut stage, 0, Law::Pcma, ms),
            join(&mut stage, 1, Law::Pcma, if ms == 60 { 30 } else { 60 }),
        );
        stage.bridge(0, 1);
        for code in [5, 5, 11] {
            speak(&mut stage, 600, &mut [(&mut caller, ms)]);
            let timestamp = caller.timestamp;
            let updates = (240 / ms) as u16;
            for n in 1..=updates + 2 {
                let samples = n.min(updates) * ms as u16 * 8;
                let event = Event { code, end: n >= updates, duration: samples };
                let mut packet = caller.next_with(event.write());
                (packet.timestamp, packet.payload_type, packet.marker) = (timestamp, EVENTS.1, n == 1);
                caller.send(&mut stage, &packet);
                speak(&mut stage, ms, &mut []);
            }
            caller.timestamp = timestamp.wrapping_add((updates as u32 + 2) * ms as u32 * 8);
        }
        let digits: String = stage
            .facts
            .iter()
            .filter_map(|fact| match fact {
                Fact::Digit { digit, .. } => Some(*digit),
                _ => None,
            })
            .collect();
        assert_eq!(digits, "55#", "{ms} ms");
        let packets = packets(&left(&mut stage, &clerk));
        let mut numbers = packets.iter().map(|packet| packet.sequence);
        let first = numbers.next().unwrap();
        assert!(numbers.enumerate().all(|(n, number)| number.wrapping_sub(first) == n as u16 + 1), "{ms} ms");
        let presses = packets.iter().filter(|packet| packet.payload_type == EVENTS.0 && packet.marker);
        assert_eq!(presses.count(), 3, "{ms} ms");
    }
}

/// Ours: what was gathered leaves before the key does.
#[test]
fn keys_of_ours_wait_for_the_sound_that_was_gathered() {
    let music = crate::stage::tone(16_000, CALLER);
    let mut stage = Stage::new(&[&music]);
    let caller = join(&mut stage, 0, Law::Pcma, 60);
    stage.play(0, &[0], true, 0);
    speak(&mut stage, 600, &mut []);
    stage.order(Order::SendDigits { leg: stage.leg(0), digits: "7".into() });
    speak(&mut stage, 600, &mut []);
    let packets = packets(&left(&mut stage, &caller));
    assert_one_stream(&packets);
    let key = packets.iter().position(|packet| packet.payload_type == EVENTS.0).expect("pressed");
    let before = &packets[key - 1];
    assert_eq!(before.timestamp.wrapping_add(before.payload.len() as u32), packets[key].timestamp);
    assert_eq!(packets.iter().filter(|packet| packet.payload_type == EVENTS.0).count(), 7);
}

#[test]
fn a_packet_time_that_is_renegotiated_holds_from_then_on_and_loses_nothing() {
    let music = crate::stage::tone(16_000, CALLER);
    let mut stage = Stage::new(&[&music]);
    let caller = join(&mut stage, 0, Law::Pcma, 20);
    stage.play(0, &[0], true, 0);
    for ms in [20, 60, 10, 40, 30, 20] {
        let config = LegConfig { packet_ms: ms, ..caller.config() };
        stage.order(Order::Change { leg: stage.leg(0), config: Box::new(config) });
        speak(&mut stage, 50, &mut []);
        left(&mut stage, &caller);
        speak(&mut stage, 500, &mut []);
        let packets = packets(&left(&mut stage, &caller));
        assert_gapless("renegotiated", &packets);
        assert!(packets.iter().all(|packet| packet.payload.len() == usize::from(ms) * 8), "{ms} ms");
        assert_unbroken("renegotiated", &caller.hears(&packets), CALLER);
    }
}

/// A thread that was held up for a while makes up for it, in packets of any length.
#[test]
fn a_late_tick_leaves_no_sound_out() {
    let music = crate::stage::tone(16_000, CALLER);
    for ms in TIMES {
        let mut stage = Stage::new(&[&music]);
        let caller = join(&mut stage, 0, Law::Pcma, ms);
        stage.play(0, &[0], true, 0);
        speak(&mut stage, 600, &mut []);
        stage.late(8);
        speak(&mut stage, 600, &mut []);
        let packets = packets(&left(&mut stage, &caller));
        assert_one_stream(&packets);
        let sent: usize = packets.iter().map(|packet| packet.payload.len()).sum();
        assert!(sent >= 8 * (1_240 - ms - 20), "{ms} ms: {sent}");
        assert_unbroken("a late tick", &caller.hears(&packets), CALLER);
    }
}
