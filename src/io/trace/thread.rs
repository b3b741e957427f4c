//! The thread that writes: what was seen is blanked, put on disk and copied to the collector.

use std::path::PathBuf;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use super::files::{self, Files};
use super::hep::Copies;
use super::{COMES_EVERY, Seen, Shared, Tie, blank};
use crate::routing::trace::Trace as Wanted;

/// Between two looks for what is too old.
const TIDIES_EVERY: Duration = Duration::from_secs(60);
/// Between two complaints about the disk.
const COMPLAINS_EVERY: Duration = Duration::from_secs(60);
/// Bytes of one write.
const WRITE_MAX: usize = 256 << 10;

pub(super) struct Worker {
    files: Files,
    wanted: Wanted,
    copies: Option<Copies>,
    out: Vec<u8>,
    message: Vec<u8>,
    complained: Option<Instant>,
    tidied: Option<Instant>,
}

impl Worker {
    pub(super) fn new(folder: PathBuf, wanted: Wanted) -> Self {
        Worker {
            files: Files::new(folder),
            wanted,
            copies: None,
            out: Vec::new(),
            message: Vec::new(),
            complained: None,
            tidied: None,
        }
    }

    pub(super) fn run(mut self, shared: &Shared) {
        let _told = Told(shared);
        let (mut seen, mut ties) = (Vec::new(), Vec::new());
        loop {
            let mut state = shared.state();
            let asked = state.asked;
            std::mem::swap(&mut state.seen, &mut seen);
            std::mem::swap(&mut state.ties, &mut ties);
            state.bytes = 0;
            self.wanted = state.wanted;
            let closing = state.closing;
            drop(state);
            self.write(&mut seen, &mut ties, shared);
            if self.tidied.is_none_or(|at| at.elapsed() >= TIDIES_EVERY) {
                self.tidied = Some(Instant::now());
                self.files.tidy(&self.wanted, SystemTime::now());
            }
            let mut state = shared.state();
            state.flushed = asked;
            shared.done.notify_all();
            if closing {
                return;
            }
            if state.asked == asked && !state.closing {
                let waited = shared.woken.wait_timeout(state, COMES_EVERY);
                drop(waited.unwrap_or_else(PoisonError::into_inner));
            }
        }
    }

    fn write(&mut self, seen: &mut Vec<Seen>, ties: &mut Vec<Tie>, shared: &Shared) {
        self.mind_copies();
        for tie in ties.drain(..) {
            files::put_tie(&mut self.out, &tie);
            if let Some(copies) = &mut self.copies {
                copies.tie(&tie);
            }
        }
        let mut waiting = 0;
        for seen in seen.drain(..) {
            self.message.clear();
            self.message.extend_from_slice(&seen.bytes);
            blank::secrets(&mut self.message);
            files::put_message(&mut self.out, &seen, &self.message);
            waiting += 1;
            if self.wanted.hep.is_some() {
                let sent = self.copies.as_mut().is_some_and(|copies| copies.send(&seen, &self.message));
                let count = if sent { &shared.counts.copied } else { &shared.counts.uncopied };
                count.fetch_add(1, Ordering::Relaxed);
            }
            if self.out.len() >= WRITE_MAX {
                self.put(std::mem::take(&mut waiting), shared);
            }
        }
        self.put(waiting, shared);
    }

    fn put(&mut self, messages: u64, shared: &Shared) {
        if self.out.is_empty() {
            return;
        }
        let written = self.files.append(&self.out, &self.wanted, SystemTime::now());
        self.out.clear();
        let count = if written.is_ok() { &shared.counts.kept } else { &shared.counts.unwritten };
        count.fetch_add(messages, Ordering::Relaxed);
        if let Err(error) = written
            && self.complained.is_none_or(|at| at.elapsed() >= COMPLAINS_EVERY)
        {
            self.complained = Some(Instant::now());
            tracing::warn!(%error, "traces cannot be written; calls go on");
        }
    }

    /// The collector that the plan names now.
    fn mind_copies(&mut self) {
        let Wanted { hep, capture_id, .. } = self.wanted;
        let known = match (&self.copies, hep) {
            (Some(copies), Some(to)) => copies.goes_to(to, capture_id),
            (copies, to) => copies.is_none() && to.is_none(),
        };
        if !known {
            // A socket that cannot be had now is asked for again with the next message.
            self.copies = hep.and_then(|to| Copies::open(to, capture_id).ok());
        }
    }
}

/// Whoever waits for a flush learns that the thread is gone, however it went.
struct Told<'a>(&'a Shared);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.0.state().ended = true;
        self.0.done.notify_all();
    }
}
