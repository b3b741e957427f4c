//! A thousand recordings at once.

use std::fs;
use std::sync::atomic::Ordering;

use hotline::io::recorder::Format;
use hotline::media::order::FRAME_SAMPLES;
use hotline::media::{Fact, Tape};

use crate::shelf::{PATIENCE, Shelf, begun, call, wait, wav};

const CALLS: u64 = 1_000;
/// Frames of each: two seconds and a half.
const FRAMES: u64 = 125;
/// So many frames the disk may be behind: it has room for two seconds at its real pace.
const BEHIND: u64 = 75;

#[test]
fn a_thousand_recordings_at_once_lose_no_frame_at_the_pace_of_the_disk() {
    let mut shelf = Shelf::new("thousand", CALLS as usize, Format::Wav);
    let calls: Vec<_> = (0..CALLS).map(call).collect();
    for call in &calls {
        shelf.deck.begin(*call, begun());
    }
    let figures = shelf.recorder.figures().clone();
    let value = |n: u64, at: u64| (n * 31 + at * 7) as i16;
    for at in 0..FRAMES {
        for (n, call) in (0..).zip(&calls) {
            let (left, right) = ([value(n, at); FRAME_SAMPLES], [!value(n, at); FRAME_SAMPLES]);
            assert!(shelf.deck.frame(*call, &left, &right), "call {n} frame {at}");
        }
        shelf.deck.turn();
        let due = (at + 1).saturating_sub(BEHIND) * CALLS;
        wait("the disk", || figures.frames_written.load(Ordering::Relaxed) >= due);
        shelf.deck.turn();
    }
    calls.iter().for_each(|call| shelf.deck.end(*call, 0));
    for _ in 0..CALLS {
        let Fact::Recorded { samples, lost_frames, .. } = shelf.facts.recv_timeout(PATIENCE).unwrap() else {
            panic!()
        };
        assert_eq!((samples, lost_frames), (FRAMES * 160, 0));
    }
    for figure in [&figures.frames_refused, &figures.frames_unwritten, &figures.files_lost] {
        assert_eq!(figure.load(Ordering::Relaxed), 0);
    }
    let archive = shelf.office.archive.clone();
    let filed = || archive.lock().unwrap().as_ref().unwrap().figures().filed.load(Ordering::Relaxed);
    wait("all to be filed", || filed() == CALLS);
    for n in [0, 499, 999] {
        let row = &shelf.office.rows(call(n), 1)[0];
        let (samples, _) = wav(&shelf.office.data.join(&row.file));
        for (at, frame) in (0..).zip(samples.chunks(2 * FRAME_SAMPLES)) {
            assert!(frame.chunks(2).all(|pair| pair == [value(n, at), !value(n, at)]), "call {n} frame {at}");
        }
    }
    let directories = fs::read_dir(shelf.office.data.join("recordings")).unwrap().count();
    assert_eq!(directories, 1);
    shelf.close();
}
