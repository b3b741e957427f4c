//! Recordings: frames from the media threads, stereo WAV files on disk, whole again after a crash.
//!
//! A [`Deck`] is the media thread's end: it fills half-second chunks and never waits. One disk
//! thread writes them, another syncs. What belongs in a recording is for the media engine to say.

pub mod deck;
pub mod disk;
pub mod repair;
pub mod sync;
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

pub use deck::Deck;
pub use repair::{Repaired, repair, whole_samples};

/// Frames of one chunk: half a second, so that a killed process loses no more than that and the
/// disk thread's nap.
pub const CHUNK_FRAMES: usize = 25;
/// Samples of one chunk, both sides.
pub const CHUNK_SAMPLES: usize = 2 * FRAME_SAMPLES * CHUNK_FRAMES;
/// Chunks that may be out per recording: one filling and two seconds waiting for the disk.
const CHUNKS_PER_RECORDING: usize = 5;

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

/// Half a second of one recording, interleaved, and how much of it is filled.
pub struct Chunk {
    call: CallId,
    frames: usize,
    samples: Box<[i16; CHUNK_SAMPLES]>,
}

/// What a deck tells the disk thread.
enum Item {
    Begin { call: CallId, begun: Timestamp },
    Chunk { chunk: Chunk, deck: usize },
    End { call: CallId, lost_frames: u64 },
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
            let (give_back, empties) = sync_channel(chunks_max);
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
