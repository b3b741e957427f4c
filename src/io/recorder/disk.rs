//! The disk thread: chunks in, bytes written, files begun and finished.
//!
//! A disk that is full or gone costs sound of the recordings, counted; each chunk is a new try, so
//! recording goes on by itself when there is room again.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::sync::{Job, Syncer, lost};
use super::wav::WavFile;
use super::{Chunk, Item, RecorderConfig, RecorderFigures, Tell};
use crate::id::CallId;
use crate::media::order::FRAME_SAMPLES;
use crate::time::Timestamp;

/// How long the thread naps when nothing waits: cheaper than being woken for each chunk.
const NAP: Duration = Duration::from_millis(100);
/// Chunks between two syncs of a file: five seconds. Calls begin at their own moments, so the syncs are spread.
const CHUNKS_PER_SYNC: u32 = 10;

struct Disk {
    data: PathBuf,
    zone: TimeZone,
    reels: HashMap<CallId, Reel>,
    returns: Vec<SyncSender<Chunk>>,
    syncer: Syncer,
    tell: Tell,
    figures: Arc<RecorderFigures>,
    /// Whether the disk's last answer was no: its changes are logged, not each answer.
    ailing: bool,
}

/// One recording.
struct Reel {
    path: String,
    state: ReelState,
    /// Frames lost on our side of the ring and before the file could be made.
    lost_frames: u64,
    chunks: u32,
}

enum ReelState {
    Open(WavFile),
    /// Not made yet, for want of room: so much silence goes first.
    Unmade {
        silent_frames: u64,
    },
    /// Something stands in its place: it will never be made.
    Barred,
}

pub(super) fn spawn(
    config: RecorderConfig,
    inbox: Receiver<Item>,
    returns: Vec<SyncSender<Chunk>>,
    tell: Tell,
    figures: Arc<RecorderFigures>,
) -> io::Result<JoinHandle<()>> {
    let syncer = Syncer::spawn(Arc::clone(&tell), Arc::clone(&figures))?;
    let disk = Disk {
        data: config.data,
        zone: config.zone,
        reels: HashMap::new(),
        returns,
        syncer,
        tell,
        figures,
        ailing: false,
    };
    std::thread::Builder::new().name("recorder".into()).spawn(move || disk.run(&inbox))
}

/// The file of `call`, under the data directory.
pub fn file_name(call: CallId, begun: Timestamp, zone: &TimeZone) -> String {
    let day = zone.to_datetime(begun).date();
    format!("recordings/{day}/{call}.wav")
}

/// Whole frames in `samples` of each side.
pub(super) fn frames_of(samples: u64) -> u64 {
    samples / FRAME_SAMPLES as u64
}

impl Disk {
    fn run(mut self, inbox: &Receiver<Item>) {
        loop {
            match inbox.try_recv() {
                Ok(item) => self.take(item),
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) if self.reels.is_empty() => {
                    self.syncer.turn();
                    match inbox.recv_timeout(10 * NAP) {
                        Ok(item) => self.take(item),
                        Err(_) => continue, // A disconnection is seen at the next try.
                    }
                }
                Err(TryRecvError::Empty) => {
                    self.syncer.turn();
                    std::thread::sleep(NAP);
                }
            }
        }
        let left: Vec<CallId> = self.reels.keys().copied().collect();
        for call in left {
            self.end(call, 0);
        }
        self.syncer.join();
    }

    fn take(&mut self, item: Item) {
        match item {
            Item::Begin { call, begun } => {
                let path = file_name(call, begun, &self.zone);
                let mut reel =
                    Reel { path, state: ReelState::Unmade { silent_frames: 0 }, lost_frames: 0, chunks: 0 };
                self.make(call, &mut reel);
                self.reels.insert(call, reel);
            }
            Item::Chunk { chunk, deck } => {
                self.write(&chunk);
                // Without room, or a deck that is gone, the chunk's memory simply goes.
                let _ = self.returns[deck].try_send(chunk);
            }
            Item::End { call, lost_frames } => self.end(call, lost_frames),
        }
    }

    /// Tries to make the file of `reel`.
    fn make(&mut self, call: CallId, reel: &mut Reel) {
        let ReelState::Unmade { silent_frames } = reel.state else {
            return;
        };
        match WavFile::create(self.data.join(&reel.path)) {
            Ok(mut file) => {
                if let Err(error) = file.skip(silent_frames) {
                    self.ail(&error);
                }
                reel.state = ReelState::Open(file);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                tracing::error!(%call, file = reel.path, "something stands in a recording's place");
                reel.state = ReelState::Barred;
            }
            Err(error) => self.ail(&error),
        }
    }

    fn write(&mut self, chunk: &Chunk) {
        let Some(mut reel) = self.reels.remove(&chunk.call) else {
            return;
        };
        self.make(chunk.call, &mut reel);
        let frames = chunk.frames as u64;
        let samples = &chunk.samples[..2 * FRAME_SAMPLES * chunk.frames];
        match &mut reel.state {
            ReelState::Open(file) => match file.append(samples) {
                Ok(()) => {
                    reel.chunks += 1;
                    if reel.chunks.is_multiple_of(CHUNKS_PER_SYNC) {
                        self.syncer.sync(file.file());
                    }
                    if std::mem::take(&mut self.ailing) {
                        tracing::warn!("the disk takes recordings again");
                    }
                }
                Err(error) => {
                    RecorderFigures::add(&self.figures.frames_unwritten, frames);
                    self.ail(&error);
                }
            },
            ReelState::Unmade { silent_frames } => {
                *silent_frames += frames;
                reel.lost_frames += frames;
                RecorderFigures::add(&self.figures.frames_unwritten, frames);
            }
            ReelState::Barred => {
                reel.lost_frames += frames;
                RecorderFigures::add(&self.figures.frames_unwritten, frames);
            }
        }
        self.reels.insert(chunk.call, reel);
    }

    fn end(&mut self, call: CallId, refused_frames: u64) {
        let Some(reel) = self.reels.remove(&call) else {
            RecorderFigures::add(&self.figures.files_lost, 1);
            (self.tell)(lost(call, refused_frames));
            return;
        };
        let lost_frames = refused_frames + reel.lost_frames;
        match reel.state {
            ReelState::Open(file) => {
                let whole = file.finish();
                self.syncer.settle(Job::Settle {
                    call,
                    file: reel.path,
                    lost_frames: lost_frames + whole.unwritten,
                    whole,
                });
            }
            ReelState::Unmade { .. } | ReelState::Barred => {
                RecorderFigures::add(&self.figures.files_lost, 1);
                (self.tell)(lost(call, lost_frames));
            }
        }
    }

    /// Notes that the disk said no.
    fn ail(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.ailing, true) {
            tracing::error!(%error, "the disk refuses recordings; calls go on without");
        }
    }
}
