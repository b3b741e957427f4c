//! What sealing and opening a packet of 20 ms of G.711 costs, by suite: 160 bytes of sound, one after
//! another as they are heard. Sealing is counted by itself, and with opening what was sealed.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hotline::media::order::{MASTER_MAX, Master, Srtp, SrtpSuite};
use hotline::media::srtp::{Cipher, TAIL_MAX};

const PACKET: usize = 172;

fn packet(sequence: u16) -> [u8; PACKET + TAIL_MAX] {
    let mut packet = [0x55; PACKET + TAIL_MAX];
    packet[..2].copy_from_slice(&[0x80, 8]);
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet
}

fn srtp(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("160 bytes of sound");
    group.throughput(Throughput::Elements(1));
    for suite in [
        SrtpSuite::AesCm128HmacSha1_80,
        SrtpSuite::AesCm128HmacSha1_32,
        SrtpSuite::AeadAes128Gcm,
        SrtpSuite::AeadAes256Gcm,
    ] {
        let [a, b] = [1, 2].map(|seed| Master([seed; MASTER_MAX]));
        let mut ours = Cipher::new(&Srtp { suite, ours: a.clone(), theirs: b.clone() });
        let mut theirs = Cipher::new(&Srtp { suite, ours: b, theirs: a });
        let mut sequence = 0_u16;
        group.bench_function(format!("sealed, {suite:?}"), |bench| {
            bench.iter(|| {
                sequence = sequence.wrapping_add(1);
                let mut packet = packet(sequence);
                assert!(ours.seal_rtp(&mut packet, PACKET).is_some());
                black_box(&mut packet);
            });
        });
        let mut sequence = 0_u16;
        group.bench_function(format!("sealed and opened, {suite:?}"), |bench| {
            bench.iter(|| {
                sequence = sequence.wrapping_add(1);
                let mut packet = packet(sequence);
                let length = theirs.seal_rtp(&mut packet, PACKET).unwrap_or(0);
                assert_eq!(ours.open_rtp(&mut packet[..length]), Some(PACKET));
                black_box(&mut packet);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, srtp);
criterion_main!(benches);
