//! What the network does to a stream, and what is made of it.

use hotline::id::Dice;
use hotline::media::order::LegFigures;
use hotline::phone::Codec as Law;
use hotline::phone::listen::tone_level;

use crate::packets::Rtp;
use crate::stage::{HEARD, Peer, Stage, assert_one_stream, level};

/// A caller who speaks for `frames` through a network of the test's making, a clerk who listens; what
/// the clerk got, and the figures of the caller's leg.
fn through(
    other: Law,
    frames: usize,
    mut network: impl FnMut(usize, Rtp, &mut Vec<Rtp>),
) -> (Vec<Rtp>, Peer, LegFigures) {
    let mut stage = Stage::new(&[]);
    let mut caller = Peer::join(&mut stage, 0, Law::Pcma);
    let clerk = Peer::join(&mut stage, 1, other);
    stage.bridge(0, 1);
    caller.tone = Some(400.0);
    // Wraps on the way: sequence after 536 packets, timestamp after a few.
    for n in 0..frames {
        let mut arriving = Vec::new();
        network(n, caller.next(), &mut arriving);
        for packet in &arriving {
            caller.send(&mut stage, packet);
        }
        (0..4).for_each(|_| stage.tick());
    }
    let got = stage.take_for(&clerk);
    let figures = stage.close(0);
    (got, clerk, figures)
}

#[test]
fn a_clean_line_is_heard_whole_across_the_wrap_of_its_numbers() {
    for other in [Law::Pcma, Law::Pcmu] {
        let (got, clerk, figures) = through(other, 1_000, |_, packet, arriving| arriving.push(packet));
        assert_one_stream(&got);
        assert!(got.len() >= 998, "{}", got.len());
        assert!(level(&clerk.hears(&got), 400.0) > HEARD);
        let LegFigures { received, lost, late, duplicate, refused, jitter_us, .. } = figures;
        assert_eq!((received, lost, late, duplicate, refused), (1_000, 0, 0, 0, 0));
        assert!(jitter_us < 1_000, "{jitter_us}");
        assert_eq!(figures.gap_max_ms, 20);
        // G.711 without loss: R 93.2, MOS 4.41 (G.107 Annex B).
        assert!((435..=441).contains(&figures.mos_x100), "{}", figures.mos_x100);
    }
}

#[test]
fn one_packet_in_twenty_lost_is_concealed_and_counted() {
    let mut dice = Dice::seeded(21);
    let mut lost = 0;
    let (got, clerk, figures) = through(Law::Pcmu, 1_500, |n, packet, arriving| {
        // Not the last ones: what comes after nothing is not known to be lost.
        if n > 10 && n < 1_490 && dice.below(20) == 0 {
            lost += 1;
        } else {
            arriving.push(packet);
        }
    });
    assert!((50..100).contains(&lost), "{lost}");
    assert_eq!((figures.received, figures.lost), (1_500 - lost, lost));
    assert_one_stream(&got);
    assert!(got.len() >= 1_495, "the clerk gets a frame for each 20 ms: {}", got.len());
    let sound = clerk.hears(&got);
    // In no tenth of a second does the tone sink by more than 6 dB: holes would take it away.
    let weakest = sound[1_600..].chunks_exact(800).map(|part| tone_level(part, 400.0)).fold(0.0, f64::min);
    assert!(weakest > -18.5, "{weakest}");
    let clean = through(Law::Pcmu, 300, |_, packet, arriving| arriving.push(packet)).2.mos_x100;
    assert!(figures.mos_x100 + 20 < clean, "{} after loss, {clean} without", figures.mos_x100);
    assert!((340..=425).contains(&figures.mos_x100), "{}", figures.mos_x100);
}

#[test]
fn packets_out_of_order_and_repeats_are_put_right_and_counted() {
    let mut held: Option<Rtp> = None;
    let mut repeats = 0;
    let (got, clerk, figures) = through(Law::Pcmu, 600, |n, packet, arriving| {
        // Each tenth comes after its successor, each seventh twice.
        if n % 10 == 5 {
            held = Some(packet);
            return;
        }
        arriving.push(packet.clone());
        arriving.extend(held.take());
        if n % 7 == 0 {
            arriving.push(packet);
            repeats += 1;
        }
    });
    assert_eq!((figures.lost, figures.duplicate), (0, repeats));
    assert_eq!(figures.received, 600 + repeats);
    assert_one_stream(&got);
    let weakest =
        clerk.hears(&got)[3_200..].chunks_exact(800).map(|part| tone_level(part, 400.0)).fold(0.0, f64::min);
    assert!(weakest > -14.5, "no frame was lost to its lateness: {weakest}");
}

#[test]
fn jitter_below_the_buffer_costs_nothing_and_is_measured() {
    // Packets pile up for 60 ms and come together, again and again.
    let mut pile = Vec::new();
    let (got, clerk, figures) = through(Law::Pcmu, 900, |n, packet, arriving| {
        pile.push(packet);
        if n % 3 == 2 {
            arriving.append(&mut pile);
        }
    });
    assert_eq!(figures.lost, 0);
    assert!(figures.late <= 5, "only at first, before the buffer knows: {}", figures.late);
    assert!((5_000..60_000).contains(&figures.jitter_us), "{}", figures.jitter_us);
    assert_eq!(figures.gap_max_ms, 60);
    let sound = clerk.hears(&got);
    let weakest = sound[8_000..].chunks_exact(800).map(|part| tone_level(part, 400.0)).fold(0.0, f64::min);
    assert!(weakest > -14.5, "{weakest}");
}

#[test]
fn a_source_that_begins_anew_is_heard_at_once_and_our_stream_goes_on() {
    for other in [Law::Pcma, Law::Pcmu] {
        let mut stage = Stage::new(&[]);
        let mut caller = Peer::join(&mut stage, 0, Law::Pcma);
        let clerk = Peer::join(&mut stage, 1, other);
        stage.bridge(0, 1);
        caller.tone = Some(400.0);
        let mut all = Vec::new();
        for ssrc in [0x1000, 0x77, 0x1000] {
            // Transferred behind the gateway: another SSRC, other numbers, another clock.
            caller.ssrc = ssrc;
            caller.sequence = caller.sequence.wrapping_mul(31).wrapping_add(5);
            caller.timestamp = caller.timestamp.wrapping_mul(17).wrapping_add(99);
            stage.frames(50, &mut [&mut caller]);
            let got = stage.take_for(&clerk);
            assert!(got.len() >= 45, "{} of 50 frames from {ssrc:x}", got.len());
            assert!(level(&clerk.hears(&got), 400.0) > HEARD);
            all.extend(got);
        }
        assert_one_stream(&all);
        let figures = stage.close(0);
        assert_eq!((figures.received, figures.lost), (150, 0), "a new source is no loss");
    }
}

#[test]
fn malformed_packets_and_unknown_payload_types_are_refused_one_by_one() {
    let mut stage = Stage::new(&[]);
    let mut caller = Peer::join(&mut stage, 0, Law::Pcma);
    let clerk = Peer::join(&mut stage, 1, Law::Pcma);
    stage.bridge(0, 1);
    stage.frames(5, &mut [&mut caller]);
    stage.take_for(&clerk);
    let whole = caller.next().write();
    let mut other_version = whole.clone();
    other_version[0] = 0x40;
    let mut video = whole.clone();
    video[1] = 34;
    let mut extension = whole[..12].to_vec();
    extension[0] = 0x90;
    let faulty: [&[u8]; 7] = [&[], &[0x80], &whole[..11], &whole[..12], &other_version, &video, &extension];
    for packet in faulty {
        stage.arrive(hotline::media::SocketKey::rtp(caller.slot), caller.address, packet);
    }
    assert_eq!(stage.take_for(&clerk), []);
    let figures = stage.close(0);
    assert_eq!((figures.received, figures.refused), (5, 7));
}
