//! Recordings: frames from the media threads, stereo WAV files on disk, whole again after a crash.
//!
//! A [`Deck`] is the media thread's end: it fills half-second chunks and never waits. One disk
//! thread writes them, another syncs. What belongs in a recording is for the media engine to say.
//! When a file is whole the [`Archive`] compresses it, encrypts it and sums it, and enters it into the manifest, which
//! [`verify`] holds all files against.

pub mod archive;
pub mod deck;
pub mod disk;
pub mod export;
pub mod flac;
pub mod keeper;
pub mod name;
pub mod nice;
pub mod read;
pub mod repair;
pub mod seal;
pub mod seal_keys;
pub mod spans;
mod sweep;
pub mod sync;
pub mod verify;
pub mod wav;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use jiff::tz::TimeZone;

use crate::id::CallId;
use crate::media::order::{FRAME_SAMPLES, Fact};
use crate::time::Timestamp;

pub use archive::{Archive, ArchiveConfig, ArchiveFigures};
pub use deck::Deck;
pub use export::note_export;
pub use keeper::{Keeper, KeeperConfig, KeeperFigures};
pub use name::{FileName, Format, has_sealed, is_sealed, kept, of_track};
pub use read::{SoundFile, open_kept, samples};
pub use repair::{Repaired, repair, whole_samples};
pub use seal::SealError;
pub use seal_keys::{Key, KeyId, SealKeys};
pub use spans::Spans;
pub use verify::{Finding, Looked, verify};

/// Frames of one chunk: half a second, so that a killed process loses no more than that and the
/// disk thread's nap.
pub const CHUNK_FRAMES: usize = 25;
/// Samples of one chunk, both sides.
pub const CHUNK_SAMPLES: usize = 2 * FRAME_SAMPLES * CHUNK_FRAMES;
/// Frames of one leg's sound in one chunk: a second.
pub const TRACK_CHUNK_FRAMES: usize = CHUNK_SAMPLES / FRAME_SAMPLES;
/// Chunks that may be out per recording: one filling and two seconds waiting for the disk.
const CHUNKS_PER_RECORDING: usize = 5;
/// Chunks that a recording with tracks may have beside them: those of two legs that talk.
const CHUNKS_FOR_TRACKS: usize = 6;
/// Tracks of one recording; legs that come later are on the recording of both sides only.
pub const TRACKS_MAX: usize = 16;

/// What a recorder needs to know.
#[derive(Clone, Debug)]
pub struct RecorderConfig {
    /// The data directory: files are `recordings/YYYY-MM-DD/<call>.wav` under it.
    pub data: PathBuf,
    /// Whose days the directories are.
    pub zone: TimeZone,
    /// Recordings at once per media thread; more are refused, and told as wholly lost.
    pub recordings_max: usize,
}

/// What the recorder counts, for metrics and alarms.
#[derive(Debug, Default)]
pub struct RecorderFigures {
    /// Recordings that run.
    pub running: AtomicU64,
    /// Frames of both sides that are written.
    pub frames_written: AtomicU64,
    /// Frames lost because the disk thread was too far behind.
    pub frames_refused: AtomicU64,
    /// Frames lost because the disk refused them: an alarm.
    pub frames_unwritten: AtomicU64,
    /// Recordings that could not be begun or were gone at the end: an alarm.
    pub files_lost: AtomicU64,
    /// Syncs put off because the disk was too slow.
    pub syncs_put_off: AtomicU64,
}

impl RecorderFigures {
    fn add(figure: &AtomicU64, count: u64) {
        if count > 0 {
            figure.fetch_add(count, Ordering::Relaxed);
        }
    }
}

/// Takes the recorder's facts, on its own threads; may wait.
pub type Tell = Arc<dyn Fn(Fact) + Send + Sync>;

/// Half a second of one recording, interleaved, or a second of one leg's sound; and how much of it is
/// filled.
pub struct Chunk {
    call: CallId,
    /// The leg whose sound alone it is; `None`: both sides.
    track: Option<u16>,
    /// Of a track: where its first frame belongs, counted from the recording's beginning.
    at: u64,
    /// Of a track: frames that found no room since the chunk before.
    lost: u64,
    frames: usize,
    samples: Box<[i16; CHUNK_SAMPLES]>,
}

/// What a deck tells the disk thread.
enum Item {
    Begin { call: CallId, begun: Timestamp },
    Chunk { chunk: Chunk, deck: usize },
    End { call: CallId, lost_frames: u64, gaps: Spans, pauses: Spans },
}

/// The running recorder. It ends, all files whole, when all decks are dropped.
pub struct Recorder {
    disk: Option<JoinHandle<()>>,
    figures: Arc<RecorderFigures>,
}

impl Recorder {
    /// Starts the threads; one [`Deck`] for each of `decks` media threads.
    pub fn spawn(config: RecorderConfig, decks: usize, tell: Tell) -> std::io::Result<(Recorder, Vec<Deck>)> {
        let figures = Arc::new(RecorderFigures::default());
        let chunks_max = config.recordings_max.saturating_mul(CHUNKS_PER_RECORDING);
        // Room for every chunk there can be and the begin and end of every recording.
        let ring = (chunks_max + 2 * config.recordings_max) * decks.max(1);
        let (items, inbox): (SyncSender<Item>, Receiver<Item>) = sync_channel(ring);
        let (mut ends, mut returns) = (Vec::new(), Vec::new());
        for index in 0..decks {
            let (give_back, empties) =
                sync_channel(chunks_max + config.recordings_max.saturating_mul(CHUNKS_FOR_TRACKS));
            returns.push(give_back);
            ends.push(Deck::new(
                index,
                config.recordings_max,
                chunks_max,
                items.clone(),
                empties,
                Arc::clone(&figures),
            ));
        }
        let disk = disk::spawn(config, inbox, returns, tell, Arc::clone(&figures))?;
        let recorder = Recorder { disk: Some(disk), figures };
        Ok((recorder, ends))
    }

    /// The figures.
    pub fn figures(&self) -> &Arc<RecorderFigures> {
        &self.figures
    }

    /// Waits until all files are whole. The decks must be gone.
    pub fn join(mut self) {
        if let Some(disk) = self.disk.take()
            && disk.join().is_err()
        {
            tracing::error!("the recorder's disk thread had died");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;
    use crate::id::Dice;
    use crate::media::Tape;

    /// A recorder in a directory of its own.
    struct Studio {
        data: PathBuf,
        recorder: Recorder,
        deck: Deck,
        facts: Receiver<Fact>,
    }

    impl Studio {
        fn new(name: &str, recordings_max: usize) -> Studio {
            let data = fresh(name);
            let config = RecorderConfig {
                data: data.clone(),
                zone: TimeZone::get("Asia/Shanghai").unwrap(),
                recordings_max,
            };
            let (told, facts) = channel();
            let tell: Tell = Arc::new(move |fact| told.send(fact).unwrap());
            let (recorder, mut decks) = Recorder::spawn(config, 1, tell).unwrap();
            let deck = decks.pop().unwrap();
            Studio { data, recorder, deck, facts }
        }

        fn record(&mut self, call: CallId, frames: std::ops::Range<i16>) -> usize {
            frames
                .filter(|value| {
                    let left = [*value; FRAME_SAMPLES];
                    let right = left.map(|sample| -sample);
                    self.deck.turn();
                    self.deck.frame(call, &left, &right)
                })
                .count()
        }

        fn told(&self) -> (String, u64, u64) {
            loop {
                match self.facts.recv().unwrap() {
                    Fact::Recorded { file, samples, lost_frames, .. } => return (file, samples, lost_frames),
                    Fact::Filed(_) => {}
                    other => panic!("recorders tell of nothing else: {other:?}"),
                }
            }
        }

        fn close(self) {
            drop(self.deck);
            self.recorder.join();
            fs::remove_dir_all(&self.data).unwrap();
        }
    }

    fn fresh(name: &str) -> PathBuf {
        let data = std::env::temp_dir().join(format!("hotline-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&data);
        fs::create_dir_all(&data).unwrap();
        data
    }

    fn a_call() -> CallId {
        CallId::draw(1_630_427_400_000, &mut Dice::seeded(11))
    }

    fn half_past_midnight() -> Timestamp {
        "2021-09-01T00:30:00+08:00".parse().unwrap()
    }

    /// The left side of `frames`, each of one value; the right is its mirror image.
    fn read_frames(path: &std::path::Path) -> Vec<i16> {
        let mut reader = hound::WavReader::open(path).unwrap();
        assert_eq!((reader.spec().channels, reader.spec().sample_rate), (2, 8_000));
        let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
        samples
            .chunks(2 * FRAME_SAMPLES)
            .map(|frame| {
                let value = frame[0];
                assert!(frame.chunks(2).all(|pair| pair == [value, -value]));
                value
            })
            .collect()
    }

    /// Looks until `seen`; the disk thread's naps are short.
    fn wait(seen: impl Fn() -> bool) {
        let end = std::time::Instant::now() + Duration::from_secs(10);
        while !seen() {
            assert!(std::time::Instant::now() < end, "never came");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_recording_is_filed_by_its_day_with_every_sample_on_its_side() {
        let mut studio = Studio::new("whole", 4);
        let call = a_call();
        studio.deck.begin(call, half_past_midnight());
        assert_eq!(studio.record(call, 0..60), 60);
        studio.deck.end(call, 3);
        let file = format!("recordings/2021-09-01/{call}.wav");
        assert_eq!(studio.told(), (file.clone(), 9_600, 3));
        let frames = read_frames(&studio.data.join(&file));
        assert_eq!(frames, (0..60).collect::<Vec<i16>>());
        assert_eq!(whole_samples(&studio.data, &file), Some(9_600));
        assert_eq!(repair(&studio.data), [], "nothing is left to repair");
        studio.close();
    }

    #[test]
    fn recordings_under_way_are_whole_when_the_house_closes() {
        let mut studio = Studio::new("closing", 4);
        let call = a_call();
        studio.deck.begin(call, half_past_midnight());
        studio.record(call, 0..30);
        let Studio { data, recorder, deck, facts } = studio;
        drop(deck);
        recorder.join();
        let file = format!("recordings/2021-09-01/{call}.wav");
        assert_eq!(read_frames(&data.join(file)).len(), 30);
        assert_eq!(facts.try_iter().count(), 2, "it is told, and filed");
        fs::remove_dir_all(data).unwrap();
    }

    #[test]
    fn what_a_killed_process_left_is_repaired() {
        let mut studio = Studio::new("killed", 4);
        let call = a_call();
        studio.deck.begin(call, half_past_midnight());
        studio.record(call, 0..60);
        let growing = studio.data.join(format!("recordings/2021-09-01/{call}.wav.part"));
        wait(|| fs::metadata(&growing).is_ok_and(|it| it.len() == 44 + 50 * 640));

        // As if killed here, with three bytes of the next write already on disk.
        let after = fresh("killed-after");
        let day = after.join("recordings/2021-09-01");
        fs::create_dir_all(&day).unwrap();
        let mut left = fs::read(&growing).unwrap();
        left.extend([1, 2, 3]);
        left[40..44].copy_from_slice(&99_999_999u32.to_le_bytes());
        fs::write(day.join(format!("{call}.wav.part")), left).unwrap();
        let barely = CallId::draw(5, &mut Dice::seeded(12));
        fs::write(day.join(format!("{barely}.wav.part")), [0; 44]).unwrap();
        fs::write(day.join("notes.txt"), "not ours").unwrap();

        let file = format!("recordings/2021-09-01/{call}.wav");
        let repaired = Repaired { call, track: None, file: file.clone(), samples: 8_000 };
        assert_eq!(repair(&after), [repaired]);
        assert_eq!(read_frames(&after.join(file)), (0..50).collect::<Vec<i16>>());
        assert_eq!(fs::read_dir(&day).unwrap().count(), 2, "the empty one is gone");
        assert_eq!(repair(&after), []);
        fs::remove_dir_all(after).unwrap();
        studio.close();
    }

    #[test]
    fn a_directory_or_pipe_in_the_files_place_is_told_and_holds_nobody() {
        let mut studio = Studio::new("barred", 4);
        let day = studio.data.join("recordings/2021-09-01");
        let call = a_call();
        fs::create_dir_all(day.join(format!("{call}.wav"))).unwrap();
        studio.deck.begin(call, half_past_midnight());
        studio.record(call, 0..30);
        studio.deck.end(call, 0);
        assert_eq!(studio.told(), (String::new(), 0, 30));

        let piped = CallId::draw(6, &mut Dice::seeded(13));
        let pipe = day.join(format!("{piped}.wav.part"));
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        studio.deck.begin(piped, half_past_midnight());
        studio.record(piped, 0..30);
        studio.deck.end(piped, 0);
        assert_eq!(studio.told(), (String::new(), 0, 30));
        assert_eq!(repair(&studio.data), [], "repair does not open a pipe either");
        studio.close();
    }

    #[test]
    fn a_disk_that_is_back_records_again_with_silence_for_what_is_lost() {
        let mut studio = Studio::new("back", 4);
        let call = a_call();
        let obstacle = studio.data.join("recordings");
        fs::write(&obstacle, "a file where a directory should be").unwrap();
        studio.deck.begin(call, half_past_midnight());
        studio.record(call, 1..26);
        let figures = Arc::clone(studio.recorder.figures());
        wait(|| figures.frames_unwritten.load(Ordering::Relaxed) == 25);
        fs::remove_file(&obstacle).unwrap();
        studio.record(call, 26..51);
        studio.deck.end(call, 0);
        let (file, samples, lost_frames) = studio.told();
        assert_eq!((samples, lost_frames), (8_000, 25));
        let expected: Vec<i16> = std::iter::repeat_n(0, 25).chain(26..51).collect();
        assert_eq!(read_frames(&studio.data.join(file)), expected);
        studio.close();
    }

    #[test]
    fn a_file_that_somebody_deleted_is_told_as_lost() {
        let mut studio = Studio::new("deleted", 4);
        let call = a_call();
        studio.deck.begin(call, half_past_midnight());
        studio.record(call, 0..25);
        let growing = studio.data.join(format!("recordings/2021-09-01/{call}.wav.part"));
        wait(|| fs::metadata(&growing).is_ok_and(|it| it.len() > 44));
        fs::remove_file(growing).unwrap();
        studio.deck.end(call, 0);
        assert_eq!(studio.told(), (String::new(), 0, 25));
        studio.close();
    }

    #[test]
    fn one_recording_too_many_is_refused_and_told() {
        let mut studio = Studio::new("many", 1);
        let (first, second) = (a_call(), CallId::draw(7, &mut Dice::seeded(14)));
        studio.deck.begin(first, half_past_midnight());
        studio.deck.begin(second, half_past_midnight());
        assert_eq!(studio.record(first, 0..10), 10);
        assert_eq!(studio.record(second, 0..10), 0);
        studio.deck.end(second, 10);
        assert_eq!(studio.told(), (String::new(), 0, 10));
        studio.deck.end(first, 0);
        assert_eq!(studio.told().1, 1_600);
        studio.close();
    }
}
