//! The media thread's end of the recorder: a tape that never waits.
//!
//! Each recording fills a chunk of its own; a full one goes to the disk thread by a pointer and
//! comes back empty. Without an empty chunk the frame is refused, and the engine makes up for it
//! with silence.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};

use super::{
    CHUNK_FRAMES, CHUNK_SAMPLES, CHUNKS_FOR_TRACKS, CHUNKS_PER_RECORDING, Chunk, Item, RecorderFigures,
    Spans, TRACK_CHUNK_FRAMES, TRACKS_MAX,
};
use crate::id::CallId;
use crate::media::order::FRAME_SAMPLES;
use crate::media::{Frame, Silence, Tape};
use crate::time::Timestamp;

/// Empty chunks kept for recordings to come. Those that run keep all that they once needed, so that a
/// disk that is slow now and then costs no memory anew.
const SPARE_MAX: usize = 32;

/// See the module's own words.
pub struct Deck {
    index: usize,
    recordings_max: usize,
    chunks_max: usize,
    /// Chunks that exist: spare, filling, waiting or being written.
    chunks: usize,
    spare: Vec<Chunk>,
    filling: HashMap<CallId, Filling>,
    /// Of those, with tracks.
    tracked: usize,
    items: SyncSender<Item>,
    empties: Receiver<Chunk>,
    /// What found the ring full, in order. Bounded: beginnings are refused while it is not empty,
    /// so it holds at most a chunk and an end of each recording.
    held: VecDeque<Item>,
    figures: Arc<RecorderFigures>,
}

/// One recording that runs.
struct Filling {
    both: Option<Chunk>,
    /// By leg; with room for [`TRACKS_MAX`] where tracks are wanted, else for none.
    tracks: Vec<Track>,
    gaps: Spans,
    pauses: Spans,
}

/// One leg's sound.
struct Track {
    leg: u16,
    chunk: Option<Chunk>,
    /// Frames that found no room and that no chunk has told yet.
    lost: u64,
}

impl Filling {
    /// The track of `leg`; `None`: there is no room for one more.
    fn track(&mut self, leg: u16) -> Option<&mut Track> {
        let known = self.tracks.iter().position(|track| track.leg == leg);
        let place = match known {
            Some(place) => place,
            None if self.tracks.len() == self.tracks.capacity() => return None,
            None => {
                self.tracks.push(Track { leg, chunk: None, lost: 0 });
                self.tracks.len() - 1
            }
        };
        self.tracks.get_mut(place)
    }
}

impl Deck {
    pub(super) fn new(
        index: usize,
        recordings_max: usize,
        chunks_max: usize,
        items: SyncSender<Item>,
        empties: Receiver<Chunk>,
        figures: Arc<RecorderFigures>,
    ) -> Self {
        Deck {
            index,
            recordings_max,
            chunks_max,
            chunks: 0,
            // Room for all, so that none that comes back ever makes it grow.
            spare: Vec::with_capacity(chunks_max + recordings_max.saturating_mul(CHUNKS_FOR_TRACKS)),
            filling: HashMap::new(),
            tracked: 0,
            items,
            empties,
            held: VecDeque::new(),
            figures,
        }
    }

    /// Takes back empty chunks and passes on what had to wait: once a tick.
    pub fn turn(&mut self) {
        while let Ok(chunk) = self.empties.try_recv() {
            let wanted = self.filling.len() * CHUNKS_PER_RECORDING + self.tracked * CHUNKS_FOR_TRACKS;
            if self.spare.len() < SPARE_MAX.max(wanted) {
                self.spare.push(chunk);
            } else {
                self.chunks -= 1; // Recordings have ended: the memory of their rush goes.
            }
        }
        while let Some(item) = self.held.pop_front() {
            if let Err(TrySendError::Full(item)) = self.items.try_send(item) {
                self.held.push_front(item);
                break;
            }
        }
    }

    fn pass(&mut self, item: Item) {
        if !self.held.is_empty() {
            self.held.push_back(item);
        } else if let Err(TrySendError::Full(item)) = self.items.try_send(item) {
            self.held.push_back(item);
        }
    }

    fn empty_chunk(&mut self, call: CallId) -> Option<Chunk> {
        let (track, at, lost, frames) = (None, 0, 0, 0);
        if let Some(chunk) = self.spare.pop() {
            return Some(Chunk { call, track, at, lost, frames, ..chunk });
        }
        if self.chunks >= self.chunks_max + self.tracked * CHUNKS_FOR_TRACKS {
            return None;
        }
        self.chunks += 1;
        let samples: Box<[i16]> = vec![0; CHUNK_SAMPLES].into();
        let samples = samples.try_into().expect("it was made with that length");
        Some(Chunk { call, track, at, lost, frames, samples })
    }

    fn pass_chunk(&mut self, chunk: Chunk) {
        let deck = self.index;
        self.pass(Item::Chunk { chunk, deck });
    }
}

/// A media thread that ends hands over what it has, so that the files are whole.
impl Drop for Deck {
    fn drop(&mut self) {
        let deck = self.index;
        for item in self.held.drain(..) {
            let _ = self.items.send(item); // Fails only if the disk thread died.
        }
        for (call, filling) in self.filling.drain() {
            let chunks = filling.both.into_iter().chain(filling.tracks.into_iter().filter_map(|it| it.chunk));
            for chunk in chunks {
                let _ = self.items.send(Item::Chunk { chunk, deck });
            }
            let (gaps, pauses) = (filling.gaps, filling.pauses);
            let _ = self.items.send(Item::End { call, lost_frames: 0, gaps, pauses });
        }
    }
}

impl Tape for Deck {
    fn begin(&mut self, call: CallId, begun: Timestamp) {
        if self.filling.len() >= self.recordings_max || !self.held.is_empty() {
            return; // Its frames are refused, and the disk thread tells its loss at the end.
        }
        let both = self.empty_chunk(call);
        let (gaps, pauses) = (Spans::with_room(), Spans::with_room());
        self.filling.insert(call, Filling { both, tracks: Vec::new(), gaps, pauses });
        self.figures.running.fetch_add(1, Ordering::Relaxed);
        self.pass(Item::Begin { call, begun });
    }

    fn frame(&mut self, call: CallId, left: &Frame, right: &Frame) -> bool {
        let taken = match self.filling.get_mut(&call) {
            None => false,
            Some(Filling { both: Some(_), .. }) => true,
            Some(_) => {
                let chunk = self.empty_chunk(call);
                let taken = chunk.is_some();
                if let Some(filling) = self.filling.get_mut(&call) {
                    filling.both = chunk;
                }
                taken
            }
        };
        let Some(Filling { both: place, .. }) = self.filling.get_mut(&call).filter(|_| taken) else {
            RecorderFigures::add(&self.figures.frames_refused, 1);
            return false;
        };
        let Some(chunk) = place else { return false };
        let start = 2 * FRAME_SAMPLES * chunk.frames;
        let (pairs, _) = chunk.samples[start..start + 2 * FRAME_SAMPLES].as_chunks_mut::<2>();
        for (pair, (left, right)) in pairs.iter_mut().zip(left.iter().zip(right)) {
            *pair = [*left, *right];
        }
        chunk.frames += 1;
        if chunk.frames == CHUNK_FRAMES
            && let Some(chunk) = place.take()
        {
            self.pass_chunk(chunk);
        }
        true
    }

    fn tracks(&mut self, call: CallId) {
        if let Some(filling) = self.filling.get_mut(&call) {
            filling.tracks.reserve_exact(TRACKS_MAX);
            self.tracked += 1;
        }
    }

    fn track(&mut self, call: CallId, leg: u16, at: u64, sound: &Frame) {
        let Some(track) = self.filling.get_mut(&call).and_then(|filling| filling.track(leg)) else {
            return RecorderFigures::add(&self.figures.frames_refused, 1);
        };
        let (mut chunk, mut lost) = (track.chunk.take(), track.lost);
        // What does not follow at once goes to a chunk of its own: the time between is a hole.
        if let Some(parted) = chunk.take_if(|chunk| chunk.at + chunk.frames as u64 != at) {
            self.pass_chunk(parted);
        }
        let mut fresh = || {
            let chunk = self.empty_chunk(call)?;
            Some(Chunk { track: Some(leg), at, lost: std::mem::take(&mut lost), ..chunk })
        };
        let mut chunk = chunk.or_else(&mut fresh);
        match &mut chunk {
            Some(chunk) => {
                let start = FRAME_SAMPLES * chunk.frames;
                chunk.samples[start..start + FRAME_SAMPLES].copy_from_slice(sound);
                chunk.frames += 1;
            }
            None => {
                lost += 1;
                RecorderFigures::add(&self.figures.frames_refused, 1);
            }
        }
        if let Some(full) = chunk.take_if(|chunk| chunk.frames == TRACK_CHUNK_FRAMES) {
            self.pass_chunk(full);
        }
        if let Some(track) = self.filling.get_mut(&call).and_then(|filling| filling.track(leg)) {
            (track.chunk, track.lost) = (chunk, lost);
        }
    }

    fn silent(&mut self, call: CallId, why: Silence, from: u64, until: u64) {
        if let Some(filling) = self.filling.get_mut(&call) {
            match why {
                Silence::Paused => filling.pauses.add(from, until),
                Silence::Lost => filling.gaps.add(from, until),
            }
        }
    }

    fn end(&mut self, call: CallId, lost_frames: u64) {
        let (mut gaps, mut pauses) = (Spans::default(), Spans::default());
        if let Some(last) = self.filling.remove(&call) {
            self.figures.running.fetch_sub(1, Ordering::Relaxed);
            self.tracked -= usize::from(last.tracks.capacity() > 0);
            (gaps, pauses) = (last.gaps, last.pauses);
            let tracks = last.tracks.into_iter().filter_map(|track| track.chunk);
            for chunk in last.both.into_iter().chain(tracks) {
                if chunk.frames > 0 {
                    self.pass_chunk(chunk);
                } else {
                    self.spare.push(chunk);
                }
            }
        }
        self.pass(Item::End { call, lost_frames, gaps, pauses });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;
    use crate::id::Dice;

    #[test]
    fn a_disk_that_stands_still_costs_frames_and_one_that_goes_on_takes_them_again() {
        let (items, inbox) = sync_channel(16);
        let (give_back, empties) = sync_channel(16);
        let figures = Arc::new(RecorderFigures::default());
        let mut deck = Deck::new(0, 1, 5, items, empties, Arc::clone(&figures));
        let call = CallId::draw(1, &mut Dice::seeded(1));
        deck.begin(call, Timestamp::UNIX_EPOCH);
        let (left, right) = ([1; FRAME_SAMPLES], [2; FRAME_SAMPLES]);
        let taken = (0..200).filter(|_| deck.frame(call, &left, &right)).count();
        assert_eq!(taken, 5 * CHUNK_FRAMES);
        assert_eq!(figures.frames_refused.load(Ordering::Relaxed), 75);

        assert!(matches!(inbox.recv(), Ok(Item::Begin { .. })));
        let Ok(Item::Chunk { chunk, .. }) = inbox.recv() else {
            panic!("a chunk follows");
        };
        assert_eq!(chunk.samples[..4], [1, 2, 1, 2]);
        give_back.send(chunk).unwrap();
        deck.turn();
        assert!(deck.frame(call, &left, &right), "there is an empty chunk");
        deck.end(call, 75);
        let rest: Vec<Item> = inbox.try_iter().collect();
        assert!(matches!(rest[4], Item::Chunk { ref chunk, .. } if chunk.frames == 1));
        assert!(matches!(rest[5], Item::End { lost_frames: 75, .. }));
    }

    #[test]
    fn a_track_tells_where_each_of_its_chunks_belongs_and_what_it_lost() {
        let (items, inbox) = sync_channel(64);
        let (give_back, empties) = sync_channel(64);
        let mut deck = Deck::new(0, 1, 1, items, empties, Arc::default());
        let call = CallId::draw(1, &mut Dice::seeded(1));
        deck.begin(call, Timestamp::UNIX_EPOCH);
        deck.tracks(call);
        // A leg that joins at frame 10 and is silent for a while; then no chunk is left.
        for at in (10..20).chain(30..400) {
            deck.track(call, 7, at, &[at as i16; FRAME_SAMPLES]);
        }
        let taken: Vec<Chunk> = inbox.try_iter().filter_map(only_chunk).collect();
        let told = |chunk: &Chunk| (chunk.track, chunk.at, chunk.frames, chunk.lost);
        let places: Vec<_> = taken.iter().map(told).collect();
        let whole = |at| (Some(7), at, TRACK_CHUNK_FRAMES, 0);
        assert_eq!(places, [(Some(7), 10, 10, 0), whole(30), whole(80), whole(130), whole(180), whole(230)]);
        assert_eq!(taken[1].samples[FRAME_SAMPLES], 31);
        for chunk in taken {
            give_back.send(chunk).unwrap();
        }
        deck.turn();
        deck.track(call, 7, 400, &[1; FRAME_SAMPLES]);
        deck.end(call, 0);
        let last: Vec<Chunk> = inbox.try_iter().filter_map(only_chunk).collect();
        assert_eq!(last.iter().map(told).collect::<Vec<_>>(), [(Some(7), 400, 1, 120)]);
        assert_eq!((deck.tracked, deck.filling.len()), (0, 0));
    }

    fn only_chunk(item: Item) -> Option<Chunk> {
        match item {
            Item::Chunk { chunk, .. } => Some(chunk),
            _ => None,
        }
    }

    #[test]
    fn what_finds_the_ring_full_waits_in_order() {
        let (items, inbox) = sync_channel(1);
        let (_give_back, empties) = sync_channel(16);
        let mut deck = Deck::new(0, 2, 5, items, empties, Arc::default());
        let call = CallId::draw(1, &mut Dice::seeded(1));
        deck.begin(call, Timestamp::UNIX_EPOCH);
        deck.frame(call, &[0; FRAME_SAMPLES], &[0; FRAME_SAMPLES]);
        deck.end(call, 0);
        let mut order = String::new();
        for _ in 0..3 {
            order.push(match inbox.try_recv().unwrap() {
                Item::Begin { .. } => 'b',
                Item::Chunk { .. } => 'c',
                Item::End { .. } => 'e',
            });
            deck.turn();
        }
        assert_eq!(order, "bce");
    }
}
