//! The thread that waits for the disk, so that writing goes on while a sync takes seconds.
//!
//! Growing files are synced every five seconds, or as often as the disk allows; finished ones are
//! made to last and then told.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use super::wav::Whole;
use super::{RecorderFigures, Tell};
use crate::id::CallId;
use crate::media::order::{Fact, Filed};

/// Files waiting to be synced; who finds no room is synced later.
const WAITING_MAX: usize = 256;

/// What waits for the disk.
pub(super) enum Job {
    /// A growing file.
    Sync(Arc<File>),
    /// A finished one, as it will be filed.
    Settle { filed: Box<Filed>, whole: Whole },
}

/// The disk thread's end.
pub(super) struct Syncer {
    jobs: SyncSender<Job>,
    /// Finished files that found no room. Bounded by the calls that can end while a disk stands still.
    settling: Vec<Job>,
    thread: JoinHandle<()>,
    figures: Arc<RecorderFigures>,
}

impl Syncer {
    pub(super) fn spawn(tell: Tell, figures: Arc<RecorderFigures>) -> io::Result<Self> {
        let (jobs, inbox) = sync_channel(WAITING_MAX);
        let counted = Arc::clone(&figures);
        let thread = std::thread::Builder::new()
            .name("recorder-sync".into())
            .spawn(move || run(&inbox, &tell, &counted))?;
        Ok(Syncer { jobs, settling: Vec::new(), thread, figures })
    }

    /// Asks for a sync of a growing file; without room it comes the next time.
    pub(super) fn sync(&mut self, file: &Arc<File>) {
        if self.jobs.try_send(Job::Sync(Arc::clone(file))).is_err() {
            RecorderFigures::add(&self.figures.syncs_put_off, 1);
        }
    }

    /// Settles a finished file and tells it.
    pub(super) fn settle(&mut self, job: Job) {
        self.settling.push(job);
        self.turn();
    }

    /// Passes on what found no room.
    pub(super) fn turn(&mut self) {
        let mut rest = Vec::new();
        for job in self.settling.drain(..) {
            if !rest.is_empty() {
                rest.push(job);
            } else if let Err(TrySendError::Full(job)) = self.jobs.try_send(job) {
                rest.push(job);
            }
        }
        self.settling = rest;
    }

    /// Waits until everything is settled.
    pub(super) fn join(self) {
        for job in self.settling {
            let _ = self.jobs.send(job); // Fails only if the thread died, which is told below.
        }
        drop(self.jobs);
        if self.thread.join().is_err() {
            tracing::error!("the recorder's sync thread had died");
        }
    }
}

fn run(inbox: &Receiver<Job>, tell: &Tell, figures: &RecorderFigures) {
    while let Ok(job) = inbox.recv() {
        match job {
            Job::Sync(file) => {
                if let Err(error) = file.sync_data() {
                    tracing::warn!(%error, "a recording could not be synced");
                }
            }
            Job::Settle { filed, whole } => settle(filed, whole, tell, figures),
        }
    }
}

fn settle(filed: Box<Filed>, whole: Whole, tell: &Tell, figures: &RecorderFigures) {
    let settled = whole.settle();
    if let Err(error) = &settled {
        RecorderFigures::add(&figures.files_lost, 1);
        tracing::error!(%error, file = filed.file, "a recording is lost or not whole");
    }
    if filed.track.is_none() {
        let (call, file, samples, lost_frames) =
            (filed.call, filed.file.clone(), filed.samples, filed.lost_frames);
        tell(match settled {
            Ok(()) => Fact::Recorded { call, file, samples, lost_frames },
            Err(_) => lost(call, lost_frames + super::disk::frames_of(samples)),
        });
    }
    if settled.is_ok() {
        tell(Fact::Filed(filed));
    }
}

/// The fact about a recording that there is no file of.
pub(super) fn lost(call: CallId, lost_frames: u64) -> Fact {
    Fact::Recorded { call, file: String::new(), samples: 0, lost_frames }
}
