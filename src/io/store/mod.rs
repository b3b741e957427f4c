//! The database of calls, ticket events, bindings and the ledger: the only SQL of the house.
//!
//! One thread writes. Batches go to it without waiting; it commits whatever has gathered while the
//! last commit ran, and says so ([`Report`]). While commits fail, writes are kept in memory and
//! tried again. What happens when that memory is full: beyond [`PENDING_SOFT`] writes that only add
//! detail are given up (digits, prompts heard, settled deliveries, which will be delivered once
//! more); beyond [`PENDING_HARD`] all are. Both are counted and alarmed.
//! [`Reader`]s are read-only and may stand beside a running engine.

mod beside;
mod cases;
mod codes;
mod crash;
mod dead;
mod desk;
pub mod feeds;

mod hand_ons;
mod in_vain;
mod inbox;
mod kept;
mod manifest;
mod missed;
mod notices;
mod office;
mod places;
mod read;
mod removal;
mod schema;
mod seats;
mod write;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;

pub use beside::append_beside;
pub use cases::Case;
pub use crash::{Repaired, close_crashed};
pub use dead::{LETTERS_MAX, Letters, Resending, Resent, resend_beside};
pub use desk::Desk;
pub use manifest::{ManifestRow, Removed};
pub use notices::{KeptNotice, NoticeRow};
pub use office::Ticket;
pub use read::{CallQuery, DeadLetter, Owed, Reader, age};
pub use removal::{Hold, Removal, Removals};
pub use schema::{SCHEMA, StoreError};
pub use write::{Folded, LedgerRow};

use crate::id::SeatId;
use crate::sip::event::Binding;
use crate::switchboard::fact::{Fact, What};
use crate::switchboard::hand_on_again::Unhanded;
use crate::switchboard::port::StoreJob;
use crate::tickets::event::{EventRef, StoredEvent};
use crate::tickets::sharing::Scope;
use crate::time::Timestamp;
use inbox::Inbox;
use write::Owing;
use writer::{Errand, Request, Writer};

/// File of the database inside the data directory.
pub const FILE: &str = "hotline.db";
/// Writes in memory beyond which detail is given up.
pub const PENDING_SOFT: usize = 100_000;
/// Writes in memory beyond which every further write is given up.
pub const PENDING_HARD: usize = 200_000;

/// What the writer tells its owner, from its own thread. Must not block.
#[derive(Debug)]
pub enum Report {
    /// A commit is on disk.
    Committed {
        /// All batches up to this token are on disk; `None`: only errands were.
        token: Option<u64>,
        /// Writes in it.
        jobs: usize,
        /// What the embedded office made of the events in it.
        folded: Folded,
        /// Feeds that are owed more by it, by their places among the sinks, each with the first of it; and sinks that
        /// are owed what the switchboard does not know of.
        fed: Vec<(usize, EventRef)>,
        /// With its sync.
        took: Duration,
    },
    /// A commit failed and will be tried again.
    Failed {
        /// Batches up to this token are not on disk.
        token: Option<u64>,
        /// What SQLite said.
        error: String,
    },
    /// The writer met a fault of its own and starts anew; nothing that was pending is lost.
    Panicked,
}

/// The database before the engine runs: what the last run left behind.
pub struct Opening {
    db: Connection,
    path: PathBuf,
    sinks: Vec<Owing>,
    codes: codes::CodeKey,
}

impl Opening {
    /// Opens the database in the data directory, which must exist. `sinks` in the plan's order.
    pub fn open(data: &Path, sinks: &[String]) -> Result<Self, StoreError> {
        let path = data.join(FILE);
        let mut db = schema::open(&path)?;
        schema::write(&db, &path)?;
        let key = codes::CodeKey::made(data)?;
        codes::cover(&mut db, &key)?;
        Ok(Opening {
            db,
            path,
            codes: key,
            sinks: sinks
                .iter()
                .map(|name| Owing { name: Arc::from(name.as_str()), embedded: false, scope: None })
                .collect(),
        })
    }

    /// The sink of this place is the embedded office: an event is folded into its ticket by the transaction
    /// that writes its fact. What this sink was owed by a program that delivered to it as to any other is folded now.
    pub fn embed(&mut self, sink: usize) -> Result<(), StoreError> {
        let Some(owing) = self.sinks.get_mut(sink) else { return Ok(()) };
        owing.embedded = true;
        let name = Arc::clone(&owing.name);
        office::fold_owed(&mut self.db, &name)
    }

    /// The sink of this place is a feed: it is owed what falls into its scope, and nothing else.
    pub fn feed(&mut self, sink: usize, scope: Scope) {
        if let Some(owing) = self.sinks.get_mut(sink) {
            owing.scope = Some(scope);
        }
    }

    /// The seats' kept bindings.
    pub fn bindings(&self) -> Result<Vec<(SeatId, Binding)>, StoreError> {
        read::bindings(&self.db)
    }

    /// The number of the ticket that was opened last.
    pub fn last_ticket(&self) -> Result<Option<String>, StoreError> {
        read::last_ticket(&self.db)
    }

    /// When the last fact of a call was; `None`: there is none.
    pub fn newest(&self) -> Result<Option<Timestamp>, StoreError> {
        places::newest(&self.db)
    }

    /// The place of the last fact among all facts of the house; 0: there is none.
    pub fn last_house(&self) -> Result<u64, StoreError> {
        places::last(&self.db)
    }

    /// Facts of calls since a time that no clerk has answered, and of those that clerks and the house made,
    /// in the order that they happened.
    pub fn unanswered(&self, since: Timestamp) -> Result<Vec<Fact>, StoreError> {
        missed::unanswered(&self.db, since)
    }

    /// Facts of calls since a time in which places were kept, and of those that were made for such places, in
    /// the order that they happened.
    pub fn kept(&self, since: Timestamp) -> Result<Vec<Fact>, StoreError> {
        kept::kept(&self.db, since)
    }

    /// Facts of calls since a time that asked adapters in vain: how each began and those, in the order that
    /// they happened.
    pub fn in_vain(&self, since: Timestamp) -> Result<Vec<Fact>, StoreError> {
        in_vain::in_vain(&self.db, since)
    }

    /// Matters of calls since a time that were to be handed on at once, and were not.
    pub fn hand_ons(&self, since: Timestamp) -> Result<Vec<Unhanded>, StoreError> {
        hand_ons::hand_ons(&self.db, &self.sinks, since)
    }

    /// Facts of calls since a time that clerks have talked in and that have no grade, so many of a hundred,
    /// and of those that the house made, in the order that they happened.
    pub fn ungraded(&self, since: Timestamp, percent: u8) -> Result<Vec<Fact>, StoreError> {
        missed::ungraded(&self.db, since, percent)
    }

    /// What a sink is still owed, in order of call and sequence.
    pub fn owed(&self, sink: usize, most: usize) -> Result<Vec<StoredEvent>, StoreError> {
        match self.sinks.get(sink) {
            Some(sink) => read::owed(&self.db, &sink.name, None, most),
            None => Ok(Vec::new()),
        }
    }

    /// Hands the connection to the writer's thread.
    pub fn start(self, report: impl Fn(Report) + Send + 'static) -> std::io::Result<Store> {
        let backlog = Arc::new(Backlog::default());
        let inbox = Arc::new(Inbox::new());
        let theirs = Arc::clone(&inbox);
        let mut writer = Writer::new(self, Arc::clone(&backlog), Box::new(report));
        let thread = thread::Builder::new().name("store".to_owned()).spawn(move || writer.run(&theirs))?;
        Ok(Store { inbox, backlog, thread: Some(thread) })
    }
}

/// How much is kept in memory, seen from both sides.
#[derive(Debug, Default)]
pub struct Backlog {
    pending: AtomicUsize,
    shed: AtomicU64,
}

impl Backlog {
    /// Writes not yet on disk.
    pub fn pending(&self) -> usize {
        self.pending.load(Ordering::Relaxed)
    }

    /// Writes given up since the last call.
    pub fn take_shed(&self) -> u64 {
        self.shed.swap(0, Ordering::Relaxed)
    }
}

/// The way to the writer's thread. No method waits for the disk.
pub struct Store {
    inbox: Arc<Inbox>,
    backlog: Arc<Backlog>,
    thread: Option<thread::JoinHandle<()>>,
}

/// A way to the writer for errands of the HTTP side and of the archive; any number of them.
#[derive(Clone)]
pub struct Errands {
    inbox: Arc<Inbox>,
}

impl Store {
    /// Queues writes; [`Report`] tells their fate by the token, which must grow from batch to
    /// batch. `false`: memory is full, and some were given up.
    pub fn submit(&self, token: u64, mut jobs: Vec<StoreJob>) -> bool {
        let before = jobs.len();
        let pending = self.backlog.pending();
        if pending >= PENDING_HARD {
            jobs.clear();
        } else if pending >= PENDING_SOFT {
            jobs.retain(is_essential);
        }
        let shed = before - jobs.len();
        if shed > 0 {
            let shed = u64::try_from(shed).unwrap_or(u64::MAX);
            self.backlog.shed.fetch_add(shed, Ordering::Relaxed);
        }
        self.backlog.pending.fetch_add(jobs.len(), Ordering::Relaxed);
        let sent = self.inbox.push(Request::Jobs { token, jobs });
        sent && shed == 0
    }

    /// See [`Backlog`].
    pub fn backlog(&self) -> &Arc<Backlog> {
        &self.backlog
    }

    /// See [`Errands`].
    pub fn errands(&self) -> Errands {
        Errands { inbox: Arc::clone(&self.inbox) }
    }

    /// Whether the writer's thread runs.
    pub fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|t| !t.is_finished())
    }

    /// Writes what is pending and ends the thread; how many writes are lost.
    pub fn close(mut self) -> usize {
        self.inbox.push(Request::Close);
        if self.thread.take().is_some_and(|t| t.join().is_err()) {
            tracing::error!("the store's thread had died");
        }
        self.backlog.pending()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.inbox.push(Request::Close);
    }
}

impl Errands {
    /// Appends to the ledger what `make` makes of its last entry; ready once it is on disk.
    pub async fn append(
        &self,
        make: impl FnOnce(Option<&LedgerRow>) -> LedgerRow + Send + 'static,
    ) -> Result<LedgerRow, StoreError> {
        let (reply, answer) = oneshot::channel();
        let make = Box::new(make);
        self.run(Errand::Append { make, reply }, answer).await
    }

    /// Enters a file into the manifest of recordings. Does not wait: what comes says when it is on disk. `false`: it is not
    /// entered, since the recording was removed when its term was over.
    pub fn file(&self, row: ManifestRow) -> oneshot::Receiver<Result<bool, StoreError>> {
        let (reply, answer) = oneshot::channel();
        // Where the writer is gone the reply is dropped, and its asker learns that.
        self.inbox.push(Request::Errand(Errand::File { row: Box::new(row), reply }));
        answer
    }

    /// Does `change` as a whole or not at all, in a transaction with others; ready once it is on disk.
    async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.begin(change).await.map_err(|_| StoreError::Gone)?
    }

    /// The same without waiting: what comes says when it is on disk.
    fn begin<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, StoreError>> {
        let (reply, answer) = oneshot::channel();
        let change = move |db: &Connection| -> Box<dyn FnOnce(bool) + Send> {
            let result = whole(db, change);
            Box::new(move |committed| {
                drop(reply.send(if committed { result } else { Err(StoreError::Gone) }))
            })
        };
        // Where the writer is gone the reply is dropped, and its asker learns that.
        self.inbox.push(Request::Errand(Errand::Change(Box::new(change))));
        answer
    }

    async fn run<T>(
        &self,
        errand: Errand,
        answer: oneshot::Receiver<Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        if !self.inbox.push(Request::Errand(errand)) {
            return Err(StoreError::Gone);
        }
        answer.await.map_err(|_| StoreError::Gone)?
    }
}

/// Inside the transaction that is open: what fails half way leaves nothing behind.
fn whole<T>(
    db: &Connection,
    change: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    db.prepare_cached("SAVEPOINT change")?.execute([])?;
    let result = change(db);
    if result.is_err() {
        db.prepare_cached("ROLLBACK TO change")?.execute([])?;
    }
    db.prepare_cached("RELEASE change")?.execute([])?;
    result
}

/// Whether a write is kept when memory is short: what a record or ticket cannot do without.
fn is_essential(job: &StoreJob) -> bool {
    match job {
        StoreJob::Fact { fact, events, .. } => {
            let vital = matches!(
                fact.what,
                What::Opened { .. }
                    | What::Answered { .. }
                    | What::SeatAnswered { .. }
                    | What::SeatLeft { .. }
                    | What::PeerAnswered { .. }
                    | What::PeerLeft { .. }
                    | What::Transfer { .. }
                    | What::Outward { .. }
                    | What::Disposed(_)
                    | What::HandOn(_)
                    | What::ArticleUsed(_)
                    | What::ArticleFaulty(_)
                    | What::Flagged { .. }
                    | What::Ordered { .. }
                    | What::Recorded { .. }
                    | What::RecordingPaused { .. }
                    | What::RecordingResumed { .. }
                    | What::Closed { .. }
            );
            vital || !events.is_empty()
        }
        StoreJob::Settled { .. } => false,
        StoreJob::DeadLetter { .. }
        | StoreJob::Access { .. }
        | StoreJob::Binding { .. }
        | StoreJob::Seat { .. } => true,
    }
}
