//! 20 ms of one leg in each codec: coded, decoded, resampled, held back and made up. What G.711 takes is
//! the measure: the ratios printed at the end hold from machine to machine better than the times.

use std::hint::black_box;
use std::time::{Duration, Instant as SystemInstant};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use hotline::media::codec::{WIDE_SAMPLES, g722, l16};
use hotline::media::conceal::Conceal;
use hotline::media::g711::{self, Law};
use hotline::media::jitter::Jitter;
use hotline::media::order::FRAME_SAMPLES;
use hotline::media::resample::{Doubler, Halver};
use hotline::time::Instant;

/// Something like a voice: harmonics of 140 Hz under a slow swell.
fn voice<const N: usize>(frames: usize) -> Vec<[i16; N]> {
    let rate = N as f64 * 50.0;
    let sample = |n: usize| {
        let at = n as f64 / rate * std::f64::consts::TAU;
        let buzz = (1..12).map(|k| (at * 140.0 * f64::from(k)).sin() / f64::from(k)).sum::<f64>();
        (6_000.0 * buzz * (at * 3.0).sin()) as i16
    };
    (0..frames).map(|frame| std::array::from_fn(|n| sample(frame * N + n))).collect()
}

/// Work on frame n, by name.
type Work = (&'static str, Box<dyn FnMut(usize)>);

fn works() -> Vec<Work> {
    let narrow = voice::<FRAME_SAMPLES>(50);
    let wide = voice::<WIDE_SAMPLES>(50);
    let mut works: Vec<Work> = vec![];
    let mut add = |name, work: Box<dyn FnMut(usize)>| works.push((name, work));

    let (sound, mut codes) = (narrow.clone(), [0; FRAME_SAMPLES]);
    add("g711_encode", Box::new(move |n| g711::encode(Law::A, &sound[n % 50], black_box(&mut codes))));
    let (codes, mut frame) = ([0x35; FRAME_SAMPLES], [0; FRAME_SAMPLES]);
    add("g711_decode", Box::new(move |_| g711::decode(Law::A, black_box(&codes), black_box(&mut frame))));
    let (sound, mut bytes) = (narrow.clone(), [0; 2 * FRAME_SAMPLES]);
    add("l16_encode", Box::new(move |n| _ = l16::encode(&sound[n % 50], black_box(&mut bytes))));
    let (sound, mut coder, mut codes) = (wide.clone(), g722::Encoder::default(), [0; FRAME_SAMPLES]);
    add("g722_encode", Box::new(move |n| coder.encode(&sound[n % 50], black_box(&mut codes))));
    let coded: Vec<[u8; FRAME_SAMPLES]> = {
        let mut coder = g722::Encoder::default();
        wide.iter()
            .map(|frame| {
                let mut codes = [0; FRAME_SAMPLES];
                coder.encode(frame, &mut codes);
                codes
            })
            .collect()
    };
    let (mut decoder, mut frame) = (g722::Decoder::default(), [0; WIDE_SAMPLES]);
    add("g722_decode", Box::new(move |n| decoder.decode(&coded[n % 50], black_box(&mut frame))));
    #[cfg(feature = "opus")]
    {
        use hotline::media::codec::opus::{Decoder, Encoder, PACKET_BYTES_MAX, SAMPLES_MAX};
        let mut coder = Encoder::new().unwrap();
        let coded: Vec<Vec<u8>> = wide
            .iter()
            .map(|frame| {
                let mut payload = vec![0; PACKET_BYTES_MAX];
                let length = coder.encode(frame, &mut payload);
                payload.truncate(length);
                payload
            })
            .collect();
        let (sound, mut payload) = (wide.clone(), [0; PACKET_BYTES_MAX]);
        add("opus_encode", Box::new(move |n| _ = coder.encode(&sound[n % 50], black_box(&mut payload))));
        let (mut decoder, mut frame) = (Decoder::new().unwrap(), [0; SAMPLES_MAX]);
        let packets = coded.clone();
        add("opus_decode", Box::new(move |n| _ = decoder.decode(&packets[n % 50], black_box(&mut frame))));
        let mut slots = hotline::media::slots::Slots::new().unwrap();
        let mut frame = [0; WIDE_SAMPLES];
        add(
            "opus_put_take_decode",
            Box::new(move |n| {
                let now = Instant::from_millis(1_000 + n as u64 * 20);
                slots.put((n * 960) as u32, &coded[n % 50], now);
                slots.take(black_box(&mut frame), now);
            }),
        );
    }
    let (sound, mut halver, mut frame) = (wide.clone(), Halver::default(), [0; FRAME_SAMPLES]);
    add("halve", Box::new(move |n| halver.halve(&sound[n % 50], black_box(&mut frame))));
    let (sound, mut doubler, mut frame) = (narrow.clone(), Doubler::default(), [0; WIDE_SAMPLES]);
    add("double", Box::new(move |n| doubler.double(&sound[n % 50], black_box(&mut frame))));

    let (mut jitter, mut codes) = (Jitter::<u8>::default(), [0; FRAME_SAMPLES]);
    add(
        "jitter_bytes",
        Box::new(move |n| {
            let now = Instant::from_millis(1_000 + n as u64 * 20);
            jitter.put((n * FRAME_SAMPLES) as u32, &[0x35; FRAME_SAMPLES], now);
            jitter.take(Law::A, black_box(&mut codes), now);
        }),
    );
    let (sound, mut jitter, mut frame) = (narrow.clone(), Jitter::<i16>::default(), [0; FRAME_SAMPLES]);
    add(
        "jitter_samples",
        Box::new(move |n| {
            let now = Instant::from_millis(1_000 + n as u64 * 20);
            jitter.put((n * FRAME_SAMPLES) as u32, &sound[n % 50], now);
            jitter.take_units(0, |sample| sample == 0, black_box(&mut frame), now);
        }),
    );
    add("conceal_narrow", conceal(narrow));
    add("conceal_wide", conceal(wide));
    works
}

/// One frame of two is lost.
fn conceal<const N: usize>(sound: Vec<[i16; N]>) -> Box<dyn FnMut(usize)> {
    let mut conceal = Conceal::<N>::default();
    Box::new(move |n| {
        let mut frame = sound[n % 50];
        conceal.hear(&mut frame);
        conceal.fill(black_box(&mut frame));
    })
}

fn codecs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("codecs");
    for (name, mut work) in works() {
        let mut n = 0;
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || {
                    n += 1;
                    n
                },
                &mut work,
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
    print_ratios();
}

/// Each work's best of many rounds, against G.711's decoding.
fn print_ratios() {
    let mut measure = 0.0;
    let mut rows = vec![];
    for (name, mut work) in works() {
        let mut n = 0;
        let mut best = Duration::MAX;
        for _ in 0..40 {
            let begun = SystemInstant::now();
            for _ in 0..250 {
                work(n);
                n += 1;
            }
            best = best.min(begun.elapsed() / 250);
        }
        if name == "g711_decode" {
            measure = best.as_secs_f64();
        }
        rows.push((name, best));
    }
    for (name, best) in rows {
        println!(
            "{name:>22}: {:>8.2} µs, {:>7.1} times g711_decode",
            best.as_secs_f64() * 1e6,
            best.as_secs_f64() / measure
        );
    }
}

criterion_group!(benches, codecs);
criterion_main!(benches);
