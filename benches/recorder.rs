//! A second of a recorded call: what it costs the media thread to hand it over, the disk thread to
//! write it, and the archive to sum, compress and encrypt it. A thousand recordings run; the disk is the
//! machine's own temporary directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use hotline::id::{CallId, Dice};
use hotline::io::recorder::seal::{is_same_file, seal_file};
use hotline::io::recorder::{Deck, Key, Recorder, RecorderConfig, SealKeys, flac};
use hotline::media::order::FRAME_SAMPLES;
use hotline::media::{Frame, Tape};
use hotline::time::Timestamp;
use sha2::{Digest, Sha256};

const RECORDINGS: usize = 1_000;
const FRAMES_PER_SECOND: u64 = 50;
/// Seconds that the disk is given.
const SECONDS: u64 = 5;

fn folder() -> PathBuf {
    let path = std::env::temp_dir().join(format!("hotline-bench-recorder-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// Nanoseconds of processor that the threads of this name have had.
fn cpu_of(name: &str) -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path());
    let named =
        tasks.filter(|task| std::fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim() == name));
    let spent = |task: PathBuf| {
        let stat = std::fs::read_to_string(task.join("schedstat")).ok()?;
        stat.split_whitespace().next()?.parse::<u64>().ok()
    };
    named.filter_map(spent).sum()
}

fn speech(n: usize) -> Frame {
    std::array::from_fn(|at| {
        let noise = ((n * 7_919 + at * 104_729) % 251) as f64;
        (4_000.0 * ((n * FRAME_SAMPLES + at) as f64 * 0.3).sin() + noise) as i16
    })
}

/// All recordings, `frames` each; waits for the disk where it is two seconds behind.
fn record(
    deck: &mut Deck,
    calls: &[CallId],
    frames: u64,
    figures: &hotline::io::recorder::RecorderFigures,
) -> Duration {
    let begun = figures.frames_written.load(Ordering::Relaxed);
    let mut pushing = Duration::ZERO;
    for at in 0..frames {
        let (left, right) = (speech(at as usize), speech(at as usize + 1));
        let began = Instant::now();
        for call in calls {
            assert!(deck.frame(*call, &left, &right));
        }
        deck.turn();
        pushing += began.elapsed();
        let due = begun + at.saturating_sub(2 * FRAMES_PER_SECOND - 25) * calls.len() as u64;
        while figures.frames_written.load(Ordering::Relaxed) < due {
            std::thread::yield_now();
        }
        deck.turn();
    }
    pushing
}

fn whole(data: &Path) {
    let config =
        RecorderConfig { data: data.to_owned(), zone: jiff::tz::TimeZone::UTC, recordings_max: RECORDINGS };
    let (recorder, mut decks) = Recorder::spawn(config, 1, Arc::new(|_| {})).unwrap();
    let mut deck = decks.pop().unwrap();
    let mut dice = Dice::seeded(1);
    let calls: Vec<CallId> = (0..RECORDINGS as u64).map(|n| CallId::draw(n, &mut dice)).collect();
    for call in &calls {
        deck.begin(*call, Timestamp::UNIX_EPOCH);
    }
    let figures = Arc::clone(recorder.figures());
    record(&mut deck, &calls, FRAMES_PER_SECOND, &figures); // Chunks find their number.
    let before = cpu_of("recorder") + cpu_of("recorder-sync");
    let pushing = record(&mut deck, &calls, SECONDS * FRAMES_PER_SECOND, &figures);
    let all = (SECONDS + 1) * FRAMES_PER_SECOND * RECORDINGS as u64;
    let written = || figures.frames_written.load(Ordering::Relaxed) >= all - 25 * RECORDINGS as u64;
    while !written() {
        std::thread::yield_now();
    }
    let disk = cpu_of("recorder") + cpu_of("recorder-sync") - before;
    calls.iter().for_each(|call| deck.end(*call, 0));
    drop(deck);
    recorder.join();
    let seconds = (SECONDS * RECORDINGS as u64) as f64;
    println!(
        "a second of a recording: {:.2} µs to hand over, {:.2} µs of the disk's threads; {} frames refused",
        pushing.as_secs_f64() * 1e6 / seconds,
        disk as f64 / 1e3 / seconds,
        figures.frames_refused.load(Ordering::Relaxed),
    );
}

/// A minute of a call, summed, compressed and sealed.
fn filed(data: &Path, criterion: &mut Criterion) {
    let (wav, copy) = (data.join("call.wav"), data.join("call.flac"));
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&wav, spec).unwrap();
    for n in 0..60 * FRAMES_PER_SECOND as usize {
        for sample in speech(n).into_iter().zip(speech(n + 1)).flat_map(|(left, right)| [left, right]) {
            writer.write_sample(sample).unwrap();
        }
    }
    writer.finalize().unwrap();
    let mut group = criterion.benchmark_group("a minute of a recording");
    group.sample_size(10);
    group.bench_function("summed", |bench| {
        bench.iter(|| Sha256::digest(std::fs::read(&wav).unwrap()));
    });
    group.bench_function("compressed", |bench| {
        bench.iter(|| {
            let _ = std::fs::remove_file(&copy);
            flac::compress(&wav, &copy, &|| true).unwrap();
        });
    });
    group.bench_function("held against its copy", |bench| {
        bench.iter(|| assert!(flac::is_same_sound(&wav, &copy, &|| true).unwrap()));
    });
    let (sealed, key) = (data.join("call.wav.sealed"), || Key::new([1; 32]));
    group.bench_function("sealed, and on disk", |bench| {
        bench.iter(|| {
            let _ = std::fs::remove_file(&sealed);
            seal_file(&wav, &sealed, &key(), &|| true).unwrap();
        });
    });
    let keys = SealKeys::new(Some(key()), Vec::new());
    group.bench_function("held against its sealed copy", |bench| {
        bench.iter(|| assert!(is_same_file(&wav, &sealed, &keys, &|| true).unwrap()));
    });
    group.finish();
}

fn recorder(criterion: &mut Criterion) {
    let data = folder();
    whole(&data);
    filed(&data, criterion);
    let _ = std::fs::remove_dir_all(&data);
}

criterion_group!(benches, recorder);
criterion_main!(benches);
