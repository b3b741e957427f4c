//! A disk that stands still, and one that is full: recordings suffer, are told so, and go on after.

use std::fs;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Arc, Mutex};

use hotline::id::{CallId, LegId};
use hotline::io::recorder::{CHUNK_FRAMES, Deck, Format, Recorder, RecorderConfig, Tell};
use hotline::media::order::{FRAME_SAMPLES, Filed};
use hotline::media::record::Recording;
use hotline::media::{Fact, Frame, Silence, Tape};
use hotline::time::Timestamp;

use crate::shelf::{DAY, Folder, Office, PATIENCE, begun, call, speech, wait, wav, write_wav};

/// A deck that counts what it has taken.
struct Counting {
    deck: Deck,
    taken: u64,
}

impl Tape for Counting {
    fn begin(&mut self, call: CallId, begun: Timestamp) {
        self.deck.begin(call, begun);
    }

    fn frame(&mut self, call: CallId, left: &Frame, right: &Frame) -> bool {
        let taken = self.deck.frame(call, left, right);
        self.taken += u64::from(taken);
        taken
    }

    fn end(&mut self, call: CallId, lost_frames: u64) {
        self.deck.end(call, lost_frames);
    }

    fn silent(&mut self, call: CallId, why: Silence, from: u64, until: u64) {
        self.deck.silent(call, why, from, until);
    }
}

#[test]
fn a_disk_that_stands_still_costs_sound_of_the_recording_and_not_its_time() {
    let folder = Folder::new("still");
    // The disk thread tells of a recording that it never heard of, and whoever is told keeps it waiting.
    let (held, holds) = sync_channel::<()>(0);
    let (go_on, goes_on) = channel::<()>();
    let gate = Mutex::new((held, goes_on));
    let (told, facts) = channel();
    let tell: Tell = Arc::new(move |fact| match fact {
        Fact::Recorded { call: other, .. } if other == call(99) => {
            let gate = gate.lock().unwrap();
            gate.0.send(()).unwrap();
            gate.1.recv().unwrap();
        }
        Fact::Filed(filed) => told.send(filed).unwrap(),
        _ => {}
    });
    let config = RecorderConfig { data: folder.0.clone(), zone: jiff::tz::TimeZone::UTC, recordings_max: 2 };
    let (recorder, mut decks) = Recorder::spawn(config, 1, tell).unwrap();
    let mut deck = Counting { deck: decks.pop().unwrap(), taken: 0 };
    let figures = recorder.figures().clone();
    deck.begin(call(1), begun());
    let mut recording = Recording::new(call(1), LegId::caller(call(1)), false);
    let mut push = |deck: &mut Counting, value: i16| {
        deck.deck.turn();
        recording.push(&[value; FRAME_SAMPLES], &[value; FRAME_SAMPLES], deck);
    };
    (0..50).for_each(|_| push(&mut deck, 1));
    wait("a second on disk", || figures.frames_written.load(Ordering::Relaxed) == 50);
    deck.end(call(99), 0);
    holds.recv().unwrap();
    // Ten seconds of a disk that does nothing: the media thread is never kept.
    (0..500).for_each(|_| push(&mut deck, 2));
    let room = (2 * 5 * CHUNK_FRAMES) as u64;
    assert_eq!(figures.frames_refused.load(Ordering::Relaxed) > 0, 500 > room);
    go_on.send(()).unwrap();
    wait("the disk to go on", || {
        deck.deck.turn();
        figures.frames_written.load(Ordering::Relaxed) >= 50 + room
    });
    // What is owed is made up for with silence, a few frames in each tick.
    for _ in 0..200 {
        push(&mut deck, 3);
        let due = deck.taken.saturating_sub(2 * CHUNK_FRAMES as u64);
        wait("the disk", || figures.frames_written.load(Ordering::Relaxed) >= due);
    }
    recording.end(&mut deck);
    let filed: Box<Filed> = facts.recv_timeout(PATIENCE).unwrap();
    assert_eq!(filed.samples, 750 * 160, "fifteen seconds are fifteen seconds");
    let (samples, _) = wav(&folder.0.join(&filed.file));
    let frames: Vec<i16> = samples.chunks(2 * FRAME_SAMPLES).map(|frame| frame[0]).collect();
    let silent = frames.iter().filter(|value| **value == 0).count() as u64;
    assert_eq!(filed.lost_frames, silent, "what is lost is told");
    let [(from, until)] = filed.gaps[..] else { panic!("one gap: {:?}", filed.gaps) };
    assert_eq!((until - from) / 160, silent);
    assert_eq!(from / 160, 50 + room);
    assert!(frames[..50].iter().all(|value| *value == 1));
    assert!(frames[50..(from / 160) as usize].iter().all(|value| *value == 2));
    assert!(frames[(until / 160) as usize..].iter().all(|value| *value == 3), "and at its own time again");
    drop(deck);
    recorder.join();
}

/// A file system of its own of so many KiB over `path`; `None` where this process may not have one.
pub struct Small(std::path::PathBuf);

impl Small {
    pub fn over(path: &std::path::Path, kib: u32) -> Option<Small> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "tmpfs"])
            .arg(path)
            .output();
        mounted.ok()?.status.success().then(|| Small(path.to_owned()))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

/// A real disk that is full and has room again: a pipe's worth of space for a call's worth of sound. A
/// process that may not mount has `what_a_full_disk_refused_is_silence_and_the_rest_keeps_its_time`.
#[test]
fn a_recording_on_a_full_disk_keeps_its_time_and_goes_on_when_there_is_room() {
    let folder = Folder::new("full");
    let Some(_small) = Small::over(&folder.0.join("recordings"), 512) else { return };
    fs::create_dir_all(folder.0.join(DAY)).unwrap();
    let (told, facts) = channel();
    let tell: Tell = Arc::new(move |fact| {
        if let Fact::Filed(filed) = fact {
            told.send(filed).unwrap();
        }
    });
    let config = RecorderConfig { data: folder.0.clone(), zone: jiff::tz::TimeZone::UTC, recordings_max: 2 };
    let (recorder, mut decks) = Recorder::spawn(config, 1, tell).unwrap();
    let mut deck = decks.pop().unwrap();
    let figures = recorder.figures().clone();
    let ballast = folder.0.join("recordings/ballast");
    fs::write(&ballast, vec![1; 320 << 10]).unwrap();
    deck.begin(call(1), begun());
    let mut chunks = 0;
    let mut put = |deck: &mut Deck| {
        chunks += 1;
        for _ in 0..CHUNK_FRAMES {
            let frame = [chunks as i16; FRAME_SAMPLES];
            assert!(deck.frame(call(1), &frame, &frame), "the call goes on");
        }
        wait("the disk's answer", || {
            deck.turn();
            let moved = [&figures.frames_written, &figures.frames_unwritten];
            moved.into_iter().map(|figure| figure.load(Ordering::Relaxed)).sum::<u64>()
                == chunks * CHUNK_FRAMES as u64
        });
        chunks
    };
    // Until the disk has been full for a while.
    while figures.frames_unwritten.load(Ordering::Relaxed) < 4 * CHUNK_FRAMES as u64 {
        assert!(put(&mut deck) < 60, "the disk is full by then");
    }
    fs::remove_file(&ballast).unwrap();
    let last = (0..4).map(|_| put(&mut deck)).last().unwrap() as i16;
    deck.end(call(1), 0);
    let filed = facts.recv_timeout(PATIENCE).unwrap();
    let (samples, _) = wav(&folder.0.join(&filed.file));
    let silent = samples.chunks(2 * FRAME_SAMPLES).filter(|frame| frame[0] == 0).count() as u64;
    // The chunk that filled the disk is counted whole, though its beginning found room.
    let lost = filed.lost_frames;
    assert!(silent > 0 && silent <= lost && lost - silent < CHUNK_FRAMES as u64, "{lost} {silent}");
    let told: u64 = filed.gaps.iter().map(|(from, until)| (until - from) / 160).sum();
    assert_eq!(told, lost);
    assert_eq!(samples[samples.len() - 1], last, "the last is where it belongs");
    drop(deck);
    recorder.join();
}

#[test]
fn without_room_for_a_compressed_copy_the_recording_is_kept_as_it_is() {
    let folder = Folder::new("no-room");
    let Some(_small) = Small::over(&folder.0.join("recordings"), 600) else { return };
    fs::create_dir_all(folder.0.join(DAY)).unwrap();
    let path = folder.0.join(format!("{DAY}/{}.wav", call(1)));
    let loud: Vec<i16> = speech(1, 200_000).into_iter().map(|sample| sample.wrapping_mul(97)).collect();
    write_wav(&path, 2, &loud);
    let office = Office::open(&folder.0, Format::Flac);
    let rows = office.rows(call(1), 1);
    assert_eq!((rows[0].format.as_str(), wav(&path).0.len()), ("wav", loud.len()));
    assert_eq!(fs::read_dir(folder.0.join(DAY)).unwrap().count(), 1, "the try is gone");
    let failed = office.archive.lock().unwrap().as_ref().unwrap().figures().failed.load(Ordering::Relaxed);
    assert_eq!(failed, 1, "an alarm");
    office.close();
}
