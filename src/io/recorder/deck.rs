//! The media thread's end of the recorder: a tape that never waits.
//!
//! Each recording fills a chunk of its own; a full one goes to the disk thread by a pointer and
//! comes back empty. Without an empty chunk the frame is refused, and the engine makes up for it
//! with silence.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};

use super::{CHUNK_FRAMES, CHUNK_SAMPLES, CHUNKS_PER_RECORDING, Chunk, Item, RecorderFigures};
use crate::id::CallId;
use crate::media::order::FRAME_SAMPLES;
use crate::media::{Frame, Tape};
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
    filling: HashMap<CallId, Option<Chunk>>,
    items: SyncSender<Item>,
    empties: Receiver<Chunk>,
    /// What found the ring full, in order. Bounded: beginnings are refused while it is not empty,
    /// so it holds at most a chunk and an end of each recording.
    held: VecDeque<Item>,
    figures: Arc<RecorderFigures>,
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
            spare: Vec::with_capacity(chunks_max),
            filling: HashMap::new(),
            items,
            empties,
            held: VecDeque::new(),
            figures,
        }
    }

    /// Takes back empty chunks and passes on what had to wait: once a tick.
    pub fn turn(&mut self) {
        while let Ok(chunk) = self.empties.try_recv() {
            if self.spare.len() < SPARE_MAX.max(self.filling.len() * CHUNKS_PER_RECORDING) {
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
        if let Some(mut chunk) = self.spare.pop() {
            chunk.call = call;
            chunk.frames = 0;
            return Some(chunk);
        }
        if self.chunks == self.chunks_max {
            return None;
        }
        self.chunks += 1;
        let samples: Box<[i16]> = vec![0; CHUNK_SAMPLES].into();
        Some(Chunk { call, frames: 0, samples: samples.try_into().expect("it was made with that length") })
    }
}

/// A media thread that ends hands over what it has, so that the files are whole.
impl Drop for Deck {
    fn drop(&mut self) {
        let deck = self.index;
        let last = self.filling.drain().filter_map(|(_, chunk)| chunk);
        for item in self.held.drain(..).chain(last.map(|chunk| Item::Chunk { chunk, deck })) {
            let _ = self.items.send(item); // Fails only if the disk thread died.
        }
    }
}

impl Tape for Deck {
    fn begin(&mut self, call: CallId, begun: Timestamp) {
        if self.filling.len() >= self.recordings_max || !self.held.is_empty() {
            return; // Its frames are refused, and the disk thread tells its loss at the end.
        }
        let chunk = self.empty_chunk(call);
        self.filling.insert(call, chunk);
        self.figures.running.fetch_add(1, Ordering::Relaxed);
        self.pass(Item::Begin { call, begun });
    }

    fn frame(&mut self, call: CallId, left: &Frame, right: &Frame) -> bool {
        let taken = match self.filling.get_mut(&call) {
            None => false,
            Some(Some(_)) => true,
            Some(None) => match self.empty_chunk(call) {
                Some(chunk) => {
                    self.filling.insert(call, Some(chunk));
                    true
                }
                None => false,
            },
        };
        let Some(place) = self.filling.get_mut(&call).filter(|_| taken) else {
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
            let deck = self.index;
            self.pass(Item::Chunk { chunk, deck });
        }
        true
    }

    fn end(&mut self, call: CallId, lost_frames: u64) {
        if let Some(last) = self.filling.remove(&call) {
            self.figures.running.fetch_sub(1, Ordering::Relaxed);
            match last {
                Some(chunk) if chunk.frames > 0 => {
                    let deck = self.index;
                    self.pass(Item::Chunk { chunk, deck });
                }
                Some(chunk) => self.spare.push(chunk),
                None => {}
            }
        }
        self.pass(Item::End { call, lost_frames });
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
