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

use super::name::day_of;
use super::sync::{Job, Syncer, lost};
use super::wav::WavFile;
use super::{Chunk, FileName, Item, RecorderConfig, RecorderFigures, Spans, Tell};
use crate::id::CallId;
use crate::media::order::{FRAME_SAMPLES, Filed};

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
    day: String,
    both: Strip,
    /// By leg; at most as many as the deck has tracks.
    tracks: Vec<(u16, Strip)>,
}

/// One of its files.
struct Strip {
    /// Under the data directory.
    path: String,
    channels: u16,
    state: StripState,
    /// Frames lost on our side of the ring and before the file could be made.
    lost_frames: u64,
    /// What the disk refused.
    gaps: Spans,
    chunks: u32,
}

enum StripState {
    Open(WavFile),
    /// Not made yet, for want of room: so much silence goes first.
    Unmade {
        silent_frames: u64,
    },
    /// Something stands in its place: it will never be made.
    Barred,
}

impl Strip {
    fn new(name: FileName, day: &str) -> Self {
        Strip {
            path: name.on(day),
            channels: if name.track.is_none() { 2 } else { 1 },
            state: StripState::Unmade { silent_frames: 0 },
            lost_frames: 0,
            gaps: Spans::default(),
            chunks: 0,
        }
    }

    /// Where the next frame goes.
    fn frames(&self) -> u64 {
        match &self.state {
            StripState::Open(file) => file.frames(),
            StripState::Unmade { silent_frames } => *silent_frames,
            StripState::Barred => 0,
        }
    }

    /// Silence up to `frame`, which the disk is not troubled with.
    fn skip_to(&mut self, frame: u64) -> io::Result<()> {
        let missing = frame.saturating_sub(self.frames());
        match &mut self.state {
            StripState::Open(file) => file.skip(missing),
            StripState::Unmade { silent_frames } => {
                *silent_frames += missing;
                Ok(())
            }
            StripState::Barred => Ok(()),
        }
    }
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
            self.end(call, 0, Spans::default(), Spans::default());
        }
        self.syncer.join();
    }

    fn take(&mut self, item: Item) {
        match item {
            Item::Begin { call, begun } => {
                let day = day_of(begun, &self.zone);
                let mut both = Strip::new(FileName::new(call, None), &day);
                self.make(call, &mut both);
                self.reels.insert(call, Reel { day, both, tracks: Vec::new() });
            }
            Item::Chunk { chunk, deck } => {
                if let Some(mut reel) = self.reels.remove(&chunk.call) {
                    let strip = match chunk.track {
                        None => &mut reel.both,
                        Some(leg) => track(&mut reel, chunk.call, leg),
                    };
                    self.write(&chunk, strip);
                    self.reels.insert(chunk.call, reel);
                }
                // Without room, or a deck that is gone, the chunk's memory simply goes.
                let _ = self.returns[deck].try_send(chunk);
            }
            Item::End { call, lost_frames, gaps, pauses } => self.end(call, lost_frames, gaps, pauses),
        }
    }

    /// Tries to make the file of `strip`.
    fn make(&mut self, call: CallId, strip: &mut Strip) {
        let StripState::Unmade { silent_frames } = strip.state else {
            return;
        };
        match WavFile::create(self.data.join(&strip.path), strip.channels) {
            Ok(mut file) => {
                if let Err(error) = file.skip(silent_frames) {
                    self.ail(&error);
                }
                strip.state = StripState::Open(file);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                tracing::error!(%call, file = strip.path, "something stands in a recording's place");
                strip.state = StripState::Barred;
            }
            Err(error) => self.ail(&error),
        }
    }

    fn write(&mut self, chunk: &Chunk, strip: &mut Strip) {
        self.make(chunk.call, strip);
        strip.lost_frames += chunk.lost;
        if chunk.track.is_some()
            && let Err(error) = strip.skip_to(chunk.at)
        {
            self.ail(&error);
        }
        let (at, frames) = (strip.frames(), chunk.frames as u64);
        let samples = &chunk.samples[..usize::from(strip.channels) * FRAME_SAMPLES * chunk.frames];
        match &mut strip.state {
            StripState::Open(file) => match file.append(samples) {
                Ok(()) => {
                    strip.chunks += 1;
                    if strip.chunks.is_multiple_of(CHUNKS_PER_SYNC) {
                        self.syncer.sync(file.file());
                    }
                    if chunk.track.is_none() {
                        RecorderFigures::add(&self.figures.frames_written, frames);
                    }
                    if std::mem::take(&mut self.ailing) {
                        tracing::warn!("the disk takes recordings again");
                    }
                }
                Err(error) => {
                    strip.gaps.add(at, at + frames);
                    RecorderFigures::add(&self.figures.frames_unwritten, frames);
                    self.ail(&error);
                }
            },
            StripState::Unmade { silent_frames } => {
                *silent_frames += frames;
                strip.lost_frames += frames;
                strip.gaps.add(at, at + frames);
                RecorderFigures::add(&self.figures.frames_unwritten, frames);
            }
            StripState::Barred => {
                strip.lost_frames += frames;
                RecorderFigures::add(&self.figures.frames_unwritten, frames);
            }
        }
    }

    fn end(&mut self, call: CallId, refused_frames: u64, gaps: Spans, pauses: Spans) {
        let Some(mut reel) = self.reels.remove(&call) else {
            RecorderFigures::add(&self.figures.files_lost, 1);
            (self.tell)(lost(call, refused_frames));
            return;
        };
        let frames = reel.both.frames();
        reel.both.lost_frames += refused_frames;
        reel.both.gaps = reel.both.gaps.joined(gaps);
        self.finish(call, None, reel.both, &pauses);
        for (leg, mut strip) in reel.tracks {
            // All of one call's files are of one length.
            if let Err(error) = strip.skip_to(frames) {
                self.ail(&error);
            }
            self.finish(call, Some(leg), strip, &pauses);
        }
    }

    fn finish(&mut self, call: CallId, track: Option<u16>, strip: Strip, pauses: &Spans) {
        match strip.state {
            StripState::Open(file) => {
                let whole = file.finish();
                let filed = Box::new(Filed {
                    call,
                    track,
                    file: strip.path,
                    samples: whole.samples,
                    lost_frames: strip.lost_frames + whole.unwritten,
                    gaps: strip.gaps.samples(),
                    pauses: pauses.samples(),
                });
                self.syncer.settle(Job::Settle { filed, whole });
            }
            StripState::Unmade { .. } | StripState::Barred => {
                RecorderFigures::add(&self.figures.files_lost, 1);
                if track.is_none() {
                    (self.tell)(lost(call, strip.lost_frames));
                }
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

fn track(reel: &mut Reel, call: CallId, leg: u16) -> &mut Strip {
    let place = reel.tracks.iter().position(|(known, _)| *known == leg).unwrap_or_else(|| {
        reel.tracks.push((leg, Strip::new(FileName::new(call, Some(leg)), &reel.day)));
        reel.tracks.len() - 1
    });
    &mut reel.tracks[place].1
}
