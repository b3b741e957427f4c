//! What listening for keys costs in 20 ms of one leg's sound: of silence, of noise, of a key held down.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hotline::id::Dice;
use hotline::media::Frame;
use hotline::media::inband::{Ear, Press};

fn dtmf(criterion: &mut Criterion) {
    let mut dice = Dice::seeded(1);
    let noise: Frame = std::array::from_fn(|_| dice.next_u32() as i16 / 8);
    let (mut key, mut press) = ([0; 160], Press::new('5').expect("a key"));
    // The second frame: the first one fades in.
    (0..2).for_each(|_| assert!(press.frame(&mut key)));
    let mut group = criterion.benchmark_group("20 ms of sound searched for keys");
    group.throughput(Throughput::Elements(1));
    for (name, frame) in [("silence", [0; 160]), ("noise", noise), ("a key", key)] {
        let mut ear = Ear::default();
        group.bench_function(name, |bench| bench.iter(|| ear.hear(black_box(&frame))));
    }
    group.finish();
}

criterion_group!(benches, dtmf);
criterion_main!(benches);
