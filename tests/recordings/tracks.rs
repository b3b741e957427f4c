//! Pauses and tracks from the media engine down to the files: silence where it was asked for, and every
//! voice at its own place.

use std::net::SocketAddr;
use std::time::Duration;

use hotline::id::{Dice, LegId};
use hotline::io::media::Outbox;
use hotline::io::recorder::Format;
use hotline::media::order::{Codec, Flow, Group, PortSlot, Watches};
use hotline::media::{Engine, LegConfig, Order, SocketKey, SoundBank};
use hotline::phone::Codec as Law;
use hotline::phone::listen::tone_level;
use hotline::time::{Instant, Now};

use crate::shelf::{Shelf, begun, call, wav};

const TONES: [f64; 3] = [440.0, 1_000.0, 2_000.0];
/// Frames of one phase, and those at its edges in which another may still sound.
const PHASE: usize = 50;
const EDGE: usize = 12;

/// A sound by name, and its tones phase by phase.
type Wanted<'a> = (&'a str, Vec<i16>, [&'a [f64]; 6]);

/// The engine, its clock, and telephones that say one tone each.
struct Stage {
    engine: Engine,
    shelf: Shelf,
    outbox: Outbox,
    now: Instant,
    frames: usize,
}

fn leg(index: u16) -> LegId {
    LegId { call: call(1), index }
}

fn address(index: u16) -> SocketAddr {
    format!("10.0.0.{}:4000", 5 + index).parse().unwrap()
}

impl Stage {
    fn order(&mut self, order: Order) {
        let now = Now { mono: self.now, wall: begun() };
        self.engine.handle_order(order, now, &mut self.outbox, &mut self.shelf.deck);
    }

    fn open(&mut self, index: u16) {
        let remote = address(index);
        let config = LegConfig {
            slot: PortSlot(index.into()),
            group: Group::of_call(call(1)),
            codec: Codec::Pcma,
            payload_type: 8,
            payload_type_in: 8,
            other_in: None,
            dtmf: None,
            remote,
            remote_rtcp: remote,
            rtcp_mux: false,
            packet_ms: 20,
            new_peer: false,
            signalling_peer: remote.ip(),
            flow: Flow::SendRecv,
            srtp: None,
            silence_max: Duration::ZERO,
            watches: Watches::default(),
            keys_told: false,
        };
        self.order(Order::Open { leg: leg(index), config: Box::new(config) });
    }

    /// One phase in which these legs speak.
    fn phase(&mut self, speakers: &[u16]) {
        for _ in 0..PHASE {
            for index in speakers {
                let mut packet = vec![0x80, 8];
                packet.extend((self.frames as u16).to_be_bytes());
                packet.extend((self.frames as u32 * 160).to_be_bytes());
                packet.extend(u32::from(*index + 1).to_be_bytes());
                packet.extend((0..160).map(|n| {
                    let at = (self.frames * 160 + n) as f64 / 8_000.0;
                    let tone = TONES[usize::from(*index)] * std::f64::consts::TAU;
                    Law::Pcma.encode((8_000.0 * (at * tone).sin()) as i16)
                }));
                let socket = SocketKey::rtp(PortSlot((*index).into()));
                self.engine.handle_packet(socket, address(*index), &mut packet, self.now, &mut self.outbox);
            }
            for phase in 1..=4 {
                self.now += Duration::from_millis(5);
                self.shelf.deck.turn();
                self.engine.tick(phase % 4, self.now, &mut self.outbox, &mut self.shelf.deck);
                self.outbox.clear();
            }
            self.frames += 1;
        }
    }
}

/// The tones of phase `n` of a sound, beyond its edges.
fn tones(sound: &[i16], n: usize) -> Vec<f64> {
    let part = &sound[(n * PHASE + EDGE) * 160..((n + 1) * PHASE - EDGE) * 160];
    TONES.into_iter().filter(|hertz| tone_level(part, *hertz) > -40.0).collect()
}

#[test]
fn every_voice_is_in_its_track_at_its_own_time_and_a_pause_is_in_none() {
    let shelf = Shelf::new("stage", 4, Format::Wav);
    let engine = Engine::new(SoundBank::new([]), Dice::seeded(1));
    let mut stage =
        Stage { engine, shelf, outbox: Outbox::default(), now: Instant::from_millis(1_000), frames: 0 };
    stage.open(0);
    stage.order(Order::Record { call: call(1), caller: leg(0), begun: begun(), tracks: true });
    stage.phase(&[0]);
    stage.open(1);
    stage.order(Order::Bridge { a: leg(0), b: leg(1) });
    stage.phase(&[0, 1]);
    // A card's number.
    stage.order(Order::PauseRecord { call: call(1) });
    stage.phase(&[0, 1]);
    stage.order(Order::ResumeRecord { call: call(1) });
    stage.phase(&[0, 1]);
    // Transferred to a second clerk.
    stage.order(Order::Close { leg: leg(1) });
    stage.open(2);
    stage.order(Order::Bridge { a: leg(0), b: leg(2) });
    stage.phase(&[0, 2]);
    // The caller says nothing while the second clerk speaks.
    stage.phase(&[2]);
    stage.order(Order::StopRecord { call: call(1) });

    let rows = stage.shelf.office.rows(call(1), 4);
    let data = stage.shelf.office.data.clone();
    let sounds: Vec<(Vec<i16>, u16)> = rows.iter().map(|row| wav(&data.join(&row.file))).collect();
    let side = |first: usize| -> Vec<i16> { sounds[0].0.iter().skip(first).step_by(2).copied().collect() };
    let length = 6 * PHASE * 160;
    let [caller, first, second] = TONES;
    let none: &[f64] = &[];
    let wanted: [Wanted<'_>; 5] = [
        ("left", side(0), [&[caller], &[caller], none, &[caller], &[caller], none]),
        ("right", side(1), [none, &[first], none, &[first], &[second], &[second]]),
        ("track 0", sounds[1].0.clone(), [&[caller], &[caller], none, &[caller], &[caller], none]),
        ("track 1", sounds[2].0.clone(), [none, &[first], none, &[first], none, none]),
        ("track 2", sounds[3].0.clone(), [none, none, none, none, &[second], &[second]]),
    ];
    for (what, sound, phases) in &wanted {
        assert_eq!(sound.len(), length, "{what} is as long as the call");
        for (n, phase) in phases.iter().enumerate() {
            assert_eq!(tones(sound, n), *phase, "{what}, phase {n}");
        }
    }
    assert_eq!(rows.iter().map(|row| row.track).collect::<Vec<_>>(), [None, Some(0), Some(1), Some(2)]);
    let paused = ((2 * PHASE * 160) as u64, (3 * PHASE * 160) as u64);
    for ((what, sound, _), row) in wanted.iter().zip([&rows[0], &rows[0], &rows[1], &rows[2], &rows[3]]) {
        assert_eq!((&row.pauses[..], row.lost_frames), (&[paused][..], 0), "{what}");
        let held = &sound[paused.0 as usize..paused.1 as usize];
        assert!(held.iter().all(|sample| *sample == 0), "{what}: nothing of what was paused is kept");
    }
    // The tracks are aligned to the sample: what is left in the one is what is in the other.
    assert_eq!(wanted[0].1[PHASE * 160..2 * PHASE * 160], wanted[2].1[PHASE * 160..2 * PHASE * 160]);
    stage.shelf.close();
}
