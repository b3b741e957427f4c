//! The writer's thread: gathers, commits, reports, and tries again.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::inbox::{Inbox, Urgent, Wakes};
use super::manifest::{self, ManifestRow};
use super::removal::{self, Removals};
use super::schema::{self, StoreError};
use super::write::{Folded, LedgerRow, Writes, append_ledger};
use super::{Backlog, Opening, Report, whole};
use crate::id::CallId;
use crate::switchboard::fact::What;
use crate::switchboard::port::StoreJob;

/// Writes in one transaction at most, so that a long backlog does not hold up new calls.
const BATCH_MAX: usize = 8_192;
/// Writes that no call waits for wait so long for one that does, and ride along with its sync. A
/// process that is killed loses no more than this of what its callers did.
const LINGER: Duration = Duration::from_millis(100);
/// What a call waits for waits so long for others like it, since a sync costs the same for one and
/// for twenty. Where calls are so rare that none would come, it does not wait.
const GATHER: Duration = Duration::from_millis(4);
/// The same for a seat's screen: a caller has waited for the seat already.
const GATHER_SCREEN: Duration = Duration::from_millis(1);
/// Calls are rare when the last commit that one waited for is so long ago.
const RARE: Duration = Duration::from_millis(8);
/// First and longest pause between tries of a failing commit.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// At the end, how long a failing store is tried before what is pending is given up.
const CLOSE_GRACE: Duration = Duration::from_secs(3);
/// Faults in a row after which the oldest batch is taken for their cause and given up.
const PANICS_MAX: u32 = 3;

/// What the thread is asked.
pub(super) enum Request {
    /// Write in order.
    Jobs {
        /// Grows from batch to batch.
        token: u64,
        /// The writes.
        jobs: Vec<StoreJob>,
    },
    /// Something whose asker waits for the answer.
    Errand(Errand),
    /// Write what is pending and end.
    Close,
}

/// Does something, and hands back who is to be told whether it is on disk.
pub(super) type Change = Box<dyn FnOnce(&Connection) -> Box<dyn FnOnce(bool) + Send> + Send>;
type Make = Box<dyn FnOnce(Option<&LedgerRow>) -> LedgerRow + Send>;
type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// Errands are answered after the commit that holds them; a failed one is answered at once and
/// not kept: its asker tries again.
pub(super) enum Errand {
    Append { make: Make, reply: Reply<LedgerRow> },
    File { row: Box<ManifestRow>, reply: Reply<bool> },
    Remove { removals: Removals, reply: Reply<Vec<CallId>> },
    Change(Change),
}

/// An errand that is done but for the commit.
enum Done {
    Append(Reply<LedgerRow>, Result<LedgerRow, StoreError>),
    File(Reply<bool>, Result<bool, StoreError>),
    Remove(Reply<Vec<CallId>>, Result<Vec<CallId>, StoreError>),
    Change(Box<dyn FnOnce(bool) + Send>),
}

impl Request {
    /// How long it may wait for others where somebody waits for it: a caller for the answer, a seat for its
    /// screen, a reader of a recording for the ledger. `None`: nobody does.
    pub(super) fn patience(&self) -> Option<Duration> {
        let of_fact = |job: &StoreJob| match job {
            StoreJob::Fact { fact, .. } => match fact.what {
                What::Opened { .. } => Some(GATHER),
                What::SeatOffered { .. } => Some(GATHER_SCREEN),
                _ => None,
            },
            _ => None,
        };
        match self {
            Request::Jobs { jobs, .. } => jobs.iter().filter_map(of_fact).min(),
            Request::Errand(Errand::Append { .. } | Errand::Remove { .. } | Errand::Change(_)) => {
                Some(GATHER)
            }
            Request::Errand(Errand::File { .. }) | Request::Close => None,
        }
    }
}

impl Done {
    fn answer(self, committed: bool) {
        match self {
            Done::Append(reply, result) => {
                let _ = reply.send(if committed { result } else { Err(StoreError::Gone) });
            }
            Done::File(reply, result) => {
                let _ = reply.send(if committed { result } else { Err(StoreError::Gone) });
            }
            Done::Remove(reply, result) => {
                let _ = reply.send(if committed { result } else { Err(StoreError::Gone) });
            }
            Done::Change(tell) => tell(committed),
        }
    }
}

/// State of the thread.
pub(super) struct Writer {
    db: Option<Connection>,
    path: PathBuf,
    writes: Writes,
    pending: VecDeque<(u64, Vec<StoreJob>)>,
    errands: Vec<Errand>,
    backlog: Arc<Backlog>,
    report: Box<dyn Fn(Report) + Send>,
    /// While failing: the pause, and when the next try is due.
    failing: Option<(Duration, Instant)>,
    closing: Option<Instant>,
    panics: u32,
    /// When somebody last waited for a commit.
    awaited: Option<Instant>,
}

impl Writer {
    pub(super) fn new(opening: Opening, backlog: Arc<Backlog>, report: Box<dyn Fn(Report) + Send>) -> Self {
        Writer {
            db: Some(opening.db),
            path: opening.path,
            writes: Writes::new(opening.sinks, opening.codes),
            pending: VecDeque::new(),
            errands: Vec::new(),
            backlog,
            report,
            failing: None,
            closing: None,
            panics: 0,
            awaited: None,
        }
    }

    /// Runs until closed and empty.
    pub(super) fn run(&mut self, inbox: &Inbox) {
        while self.gather(inbox) {
            let turn = catch_unwind(AssertUnwindSafe(|| self.commit()));
            match turn {
                Ok(()) => self.panics = 0,
                Err(_) => self.recover(),
            }
        }
        inbox.end();
    }

    /// Waits until there is something to commit and it is time to; `false`: the end.
    fn gather(&mut self, inbox: &Inbox) -> bool {
        let mut linger: Option<Instant> = None;
        let mut urgent: Option<Urgent> = None;
        loop {
            let (requests, news) = inbox.take();
            requests.into_iter().for_each(|request| self.take(request));
            urgent = Urgent::both(urgent, news);
            let empty = self.pending.is_empty() && self.errands.is_empty();
            if let Some(since) = self.closing {
                let given_up = self.failing.is_some() && since.elapsed() >= CLOSE_GRACE;
                let settled = empty && self.writes.rows_due().is_none();
                if settled || given_up {
                    return false;
                }
            }
            let now = Instant::now();
            let (wakes, due) = match (self.failing, urgent) {
                (Some((_, due)), _) => (Wakes::Urgent, Some(due)),
                (None, _) if empty => match self.writes.rows_due() {
                    Some(_) if self.closing.is_some() => return true,
                    due => (Wakes::Anything, due),
                },
                (None, _) if self.closing.is_some() => return true,
                (None, Some(Urgent { since, due })) => {
                    let rare = self.awaited.is_none_or(|last| since.duration_since(last) > RARE);
                    (Wakes::Hasty(due), Some(if rare { since } else { due }))
                }
                (None, None) => (Wakes::Urgent, Some(*linger.get_or_insert(now + LINGER))),
            };
            if due.is_some_and(|due| due <= now) {
                self.awaited = urgent.map(|urgent| urgent.since).or(self.awaited);
                return true;
            }
            inbox.wait(wakes, due);
        }
    }

    fn take(&mut self, request: Request) {
        match request {
            Request::Jobs { token, jobs } => {
                if self.failing.is_some() {
                    // The call need not wait for its bound to learn what is known.
                    (self.report)(Report::Failed {
                        token: Some(token),
                        error: "the store is failing".to_owned(),
                    });
                }
                match self.pending.back_mut() {
                    // Nothing is left of it: while memory is full, not even its place is kept.
                    Some((last, _)) if jobs.is_empty() => *last = token,
                    _ => self.pending.push_back((token, jobs)),
                }
            }
            Request::Errand(errand) => self.errands.push(errand),
            Request::Close => {
                self.closing.get_or_insert_with(Instant::now);
            }
        }
    }

    fn commit(&mut self) {
        let begun = Instant::now();
        let (batches, jobs) = self.next_batches();
        let token = batches.checked_sub(1).and_then(|last| self.pending.get(last)).map(|(token, _)| *token);
        let mut done = Vec::new();
        match self.transaction(batches, &mut done) {
            Ok(folded) => {
                self.pending.drain(..batches);
                self.backlog.pending.fetch_sub(jobs, Ordering::Relaxed);
                self.failing = None;
                done.into_iter().for_each(|errand| errand.answer(true));
                let fed = self.writes.take_fed();
                (self.report)(Report::Committed { token, jobs, folded, fed, took: begun.elapsed() });
            }
            Err(error) => {
                done.into_iter().for_each(|errand| errand.answer(false));
                self.errands.clear();
                self.fail(&error.to_string());
            }
        }
    }

    /// The oldest batches that fit one transaction, at least one if there is one: their number and
    /// that of their writes.
    fn next_batches(&self) -> (usize, usize) {
        let mut jobs = 0;
        let mut batches = 0;
        for (_, batch) in &self.pending {
            if batches > 0 && jobs + batch.len() > BATCH_MAX {
                break;
            }
            batches += 1;
            jobs += batch.len();
        }
        (batches, jobs)
    }

    fn transaction(&mut self, batches: usize, done: &mut Vec<Done>) -> Result<Folded, StoreError> {
        let db = match self.db.take() {
            Some(db) => db,
            None => schema::open(&self.path)?,
        };
        db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        for job in self.pending.iter().take(batches).flat_map(|(_, jobs)| jobs) {
            if let Err(error) = self.writes.job(&db, job) {
                if error.is_environment() {
                    return Err(error); // Dropping the connection rolls back.
                }
                // It will fail for ever: give up this write, not all that come after it.
                tracing::error!(%error, "a write cannot be stored and is given up");
                tracing::debug!(?job, "it was this"); // It may name a caller.
                self.backlog.shed.fetch_add(1, Ordering::Relaxed);
            }
        }
        for errand in self.errands.drain(..) {
            done.push(match errand {
                Errand::Append { make, reply } => Done::Append(reply, append_ledger(&db, make)),
                Errand::File { row, reply } => Done::File(reply, manifest::enter(&db, &row)),
                Errand::Remove { removals, reply } => {
                    let writes = &mut self.writes;
                    Done::Remove(reply, whole(&db, |db| removal::remove(db, writes, removals)))
                }
                Errand::Change(change) => Done::Change(change(&db)),
            });
        }
        let rows = self.closing.is_some() || self.writes.rows_due().is_some_and(|due| due <= Instant::now());
        if rows {
            self.writes.rows(&db)?;
        }
        db.prepare_cached("COMMIT")?.execute([])?;
        self.db = Some(db);
        Ok(self.writes.committed(rows))
    }

    fn fail(&mut self, error: &str) {
        self.db = None;
        self.writes.forget();
        let pause = match self.failing {
            Some((pause, _)) => (pause * 2).min(RETRY.1),
            None => {
                tracing::error!(error, "the store fails; writes are kept in memory");
                RETRY.0
            }
        };
        self.failing = Some((pause, Instant::now() + pause));
        (self.report)(Report::Failed {
            token: self.pending.back().map(|(token, _)| *token),
            error: error.to_owned(),
        });
    }

    /// After a fault of ours: a fresh connection, the same pending writes.
    fn recover(&mut self) {
        self.panics += 1;
        (self.report)(Report::Panicked);
        if self.panics >= PANICS_MAX
            && let Some((token, jobs)) = self.pending.pop_front()
        {
            tracing::error!(token, count = jobs.len(), "writes that bring the store down are given up");
            tracing::debug!(?jobs, "it was these"); // They may name callers.
            self.backlog.pending.fetch_sub(jobs.len(), Ordering::Relaxed);
            let shed = u64::try_from(jobs.len()).unwrap_or(u64::MAX);
            self.backlog.shed.fetch_add(shed, Ordering::Relaxed);
            self.panics = 0;
        }
        self.errands.clear();
        self.fail("a fault in the writer");
    }
}
