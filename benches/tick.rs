//! What a tick costs: 20 ms of a hundred, a thousand and five thousand legs as prompts, as plain relays,
//! as decoded and recorded bridges, and in conferences of three and of thirty-two. Sockets and disk are
//! left out; what they take in their place is a copy of each packet and frame. The same packets merely
//! copied are the measure: the ratios printed at the end hold from machine to machine better than the
//! times.

use std::hint::black_box;
use std::net::SocketAddr;
use std::time::{Duration, Instant as SystemInstant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hotline::id::{CallId, Dice, LegId};
use hotline::io::media::Outbox;
use hotline::media::conference::PARTIES_MAX;
use hotline::media::order::{Codec, ConferenceId, Flow, Group, PortSlot, Rights, SoundId, Watches};
use hotline::media::{Engine, Frame, LegConfig, Order, SocketKey, SoundBank, Tape};
use hotline::time::{Instant, Now, Timestamp};

const LEGS: [u32; 3] = [100, 1_000, 5_000];
const PACKET: usize = 172;
const PEER: &str = "127.0.0.1:9";

/// Frames interleaved into one chunk after another, as the recorder's deck does.
struct Chunk {
    samples: Vec<i16>,
    at: usize,
}

impl Tape for Chunk {
    fn begin(&mut self, _: CallId, _: Timestamp) {}

    fn frame(&mut self, _: CallId, left: &Frame, right: &Frame) -> bool {
        let room = self.samples.len();
        let (pairs, _) = self.samples[self.at..].as_chunks_mut::<2>();
        for (pair, (left, right)) in pairs.iter_mut().zip(left.iter().zip(right)) {
            *pair = [*left, *right];
        }
        self.at = (self.at + 320) % room;
        true
    }

    fn end(&mut self, _: CallId, _: u64) {}
}

#[derive(Clone, Copy)]
enum Work {
    Prompts,
    Relays,
    Recordings,
    /// Conferences of so many.
    Conferences(u32),
}

impl Work {
    /// Legs of one call.
    fn parties(self) -> u32 {
        match self {
            Work::Prompts | Work::Relays | Work::Recordings => 2,
            Work::Conferences(parties) => parties,
        }
    }
}

/// Many legs at the same work.
struct Hall {
    engine: Engine,
    outbox: Outbox,
    tape: Chunk,
    now: Instant,
    round: u64,
    legs: u32,
    speaks: bool,
}

impl Hall {
    /// About so many legs: whole calls.
    fn new(work: Work, legs: u32) -> Hall {
        let calls = legs / work.parties();
        let sound = (0..80_000).map(|n| (n * 37 % 8_000) as i16).collect();
        let mut hall = Hall {
            engine: Engine::new(SoundBank::new([sound]), Dice::seeded(1)),
            outbox: Outbox::default(),
            tape: Chunk { samples: vec![0; 320 * 25 * 500], at: 0 },
            now: Instant::from_millis(1_000),
            round: 0,
            legs: calls * work.parties(),
            speaks: !matches!(work, Work::Prompts),
        };
        let mut dice = Dice::seeded(2);
        for n in 0..calls {
            let call = CallId::draw(u64::from(n), &mut dice);
            let legs: Vec<LegId> = (0..work.parties() as u16).map(|index| LegId { call, index }).collect();
            for (leg, slot) in legs.iter().zip(n * work.parties()..) {
                hall.order(Order::Open { leg: *leg, config: config(call, slot) });
            }
            let (a, b) = (legs[0], legs[1]);
            match work {
                Work::Conferences(_) => {
                    for leg in legs {
                        let conference = ConferenceId(call.lot());
                        hall.order(Order::Join { leg, conference, rights: Rights::FULL });
                    }
                }
                Work::Prompts => {
                    for leg in [a, b] {
                        let sounds = [SoundId(0)].into();
                        hall.order(Order::Play { leg, sounds, repeat: true, mark: 0 });
                    }
                }
                Work::Relays => hall.order(Order::Bridge { a, b }),
                Work::Recordings => {
                    hall.order(Order::Record {
                        call,
                        caller: a,
                        begun: Timestamp::UNIX_EPOCH,
                        tracks: false,
                    });
                    hall.order(Order::Bridge { a, b });
                }
            }
        }
        // Sources are latched, jitter buffers filled.
        for _ in 0..50 {
            hall.turn();
        }
        let sent = hall.turn();
        assert!(sent >= hall.legs as usize, "a packet for each leg: {sent}");
        hall
    }

    fn order(&mut self, order: Order) {
        let now = Now { mono: self.now, wall: Timestamp::UNIX_EPOCH };
        self.engine.handle_order(order, now, &mut self.outbox, &mut self.tape);
    }

    /// 20 ms of all legs; how many packets left.
    fn turn(&mut self) -> usize {
        let peer: SocketAddr = PEER.parse().unwrap();
        let mut sent = 0;
        if self.speaks {
            let mut packet = packet(self.round);
            for slot in 0..self.legs {
                // A relay rewrites it in place.
                let mut arrived = packet;
                let key = SocketKey::rtp(PortSlot(slot));
                self.engine.handle_packet(key, peer, &mut arrived, self.now, &mut self.outbox);
            }
            black_box(&mut packet);
        }
        for phase in 1..=4 {
            self.now += Duration::from_millis(5);
            self.engine.tick(phase % 4, self.now, &mut self.outbox, &mut self.tape);
            sent += self.outbox.parcels().len();
            self.outbox.clear();
        }
        while self.engine.poll_output().is_some() {}
        self.round += 1;
        sent
    }
}

fn config(call: CallId, slot: u32) -> Box<LegConfig> {
    let remote: SocketAddr = PEER.parse().unwrap();
    Box::new(LegConfig {
        slot: PortSlot(slot),
        group: Group::of_call(call),
        codec: Codec::Pcma,
        payload_type: 8,
        payload_type_in: 8,
        other_in: None,
        dtmf: Some((101, 101)),
        remote,
        remote_rtcp: remote,
        rtcp_mux: false,
        packet_ms: 20,
        new_peer: false,
        signalling_peer: remote.ip(),
        flow: Flow::SendRecv,
        srtp: None,
        silence_max: Duration::from_secs(30),
        watches: Watches::default(),
        keys_told: false,
    })
}

fn packet(round: u64) -> [u8; PACKET] {
    let mut bytes = [0x80 | (round % 64) as u8; PACKET];
    bytes[..2].copy_from_slice(&[0x80, 8]);
    bytes[2..4].copy_from_slice(&(round as u16).to_be_bytes());
    bytes[4..8].copy_from_slice(&((round * 160) as u32).to_be_bytes());
    bytes[8..12].copy_from_slice(&77_u32.to_be_bytes());
    bytes
}

/// The measure: as many packets in and out again.
struct Copies {
    inside: Vec<[u8; PACKET]>,
    outside: Vec<[u8; PACKET]>,
    round: u64,
}

impl Copies {
    fn new(legs: u32) -> Copies {
        let room = || vec![[0; PACKET]; legs as usize];
        Copies { inside: room(), outside: room(), round: 0 }
    }

    fn turn(&mut self) -> usize {
        let packet = packet(self.round);
        self.inside.fill(packet);
        black_box(&mut self.inside);
        self.outside.copy_from_slice(&self.inside);
        black_box(&mut self.outside);
        self.round += 1;
        self.outside.len()
    }
}

/// The best of several runs: what else the machine does is left out.
fn best(legs: u32, mut turn: impl FnMut() -> usize) -> Duration {
    let turns = (50_000 / legs).clamp(10, 100);
    let run = |_| {
        let began = SystemInstant::now();
        for _ in 0..turns {
            black_box(turn());
        }
        began.elapsed() / turns
    };
    (0..7).map(run).min().unwrap_or_default()
}

fn tick(criterion: &mut Criterion) {
    let works = [
        ("prompts", Work::Prompts),
        ("relayed bridges", Work::Relays),
        ("decoded and recorded bridges", Work::Recordings),
        ("conferences of 3", Work::Conferences(3)),
        ("conferences of 32", Work::Conferences(PARTIES_MAX as u32)),
    ];
    let mut lines = Vec::new();
    for legs in LEGS {
        let mut group = criterion.benchmark_group(format!("20 ms of {legs} legs"));
        group.throughput(Throughput::Elements(u64::from(legs)));
        group.sample_size(10).warm_up_time(Duration::from_millis(200));
        group.measurement_time(Duration::from_millis(800));
        let mut copies = Copies::new(legs);
        group.bench_function("the same packets copied", |bench| bench.iter(|| copies.turn()));
        let measure = best(legs, || copies.turn());
        lines.push(format!("{legs} legs, the same packets copied: {measure:?}"));
        for (name, work) in works {
            let mut hall = Hall::new(work, legs);
            group.bench_function(name, |bench| bench.iter(|| hall.turn()));
            let took = best(legs, || hall.turn()) * legs / hall.legs;
            let each = took.as_nanos() / u128::from(legs);
            let ratio = took.as_secs_f64() / measure.as_secs_f64().max(f64::MIN_POSITIVE);
            lines
                .push(format!("{legs} legs, {name}: {took:?}, {each} ns a leg, {ratio:.1} times the copies"));
        }
        group.finish();
    }
    lines.iter().for_each(|line| println!("{line}"));
}

criterion_group!(benches, tick);
criterion_main!(benches);
