//! What mixing one frame costs: the mixer beside the plain way of adding up all others for each listener.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hotline::media::Frame;
use hotline::media::conference::PARTIES_MAX;
use hotline::media::mixer::Bus;

/// Each party's own sound, now and then beyond what a sum can hold.
fn shares(parties: usize) -> Vec<Frame> {
    (0..parties).map(|party| std::array::from_fn(|n| ((n * 977 + party * 7_919) % 60_000) as i16)).collect()
}

fn mixed(shares: &[Frame], heard: &mut [Frame]) {
    let mut bus = Bus::default();
    shares.iter().for_each(|share| bus.add(share));
    for (own, heard) in shares.iter().zip(heard) {
        bus.without(own, heard);
    }
}

fn plainly(shares: &[Frame], heard: &mut [Frame]) {
    for (listener, heard) in heard.iter_mut().enumerate() {
        for (n, sample) in heard.iter_mut().enumerate() {
            let others = shares.iter().enumerate().filter(|(party, _)| *party != listener);
            let sum: i32 = others.map(|(_, share)| i32::from(share[n])).sum();
            *sample = sum.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
        }
    }
}

fn mixer(criterion: &mut Criterion) {
    for parties in [3, PARTIES_MAX] {
        let shares = shares(parties);
        let mut heard = [vec![[0; 160]; parties], vec![[0; 160]; parties]];
        mixed(&shares, &mut heard[0]);
        plainly(&shares, &mut heard[1]);
        assert_eq!(heard[0], heard[1], "both come to the same");
        let mut group = criterion.benchmark_group(format!("a frame of {parties} parties"));
        group.throughput(Throughput::Elements(parties as u64));
        group.sample_size(20).warm_up_time(Duration::from_millis(200));
        group.measurement_time(Duration::from_millis(800));
        let [heard, _] = &mut heard;
        group.bench_function("mixed", |bench| bench.iter(|| mixed(black_box(&shares), black_box(heard))));
        group.bench_function("plainly", |bench| bench.iter(|| plainly(black_box(&shares), black_box(heard))));
        group.finish();
    }
}

criterion_group!(benches, mixer);
criterion_main!(benches);
