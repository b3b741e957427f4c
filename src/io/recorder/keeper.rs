//! Removes recordings whose term is over: once a day and after the start, so many at a time, giving way to all others.
//!
//! A removal is on disk, in the manifest, in the ledger and as an event of ticket offices, before a file goes. What a killed process left between the
//! two is made good by the next pass. Nothing is removed by a clock that is not [believed](belief), nor more in one pass
//! than [`Pace::most`]; what is left over is counted, and the log says so.

pub mod belief;
pub mod due;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::civil::Date;

use super::archive::sync_directory;
use super::name::{Format, clear_name, sealed_name};
use super::nice;
use crate::id::CallId;
use crate::io::store::{Errands, FILE, ManifestRow, Reader, Removal, Removals, StoreError};
use crate::time::{Instant, Now, Timestamp};
use belief::{Belief, Doubt, Trust};
use due::Terms;

/// How fast, and by how much at a time.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between two looks at the clock.
    pub look: Duration,
    /// Between the beginnings of two passes.
    pub every: Duration,
    /// After a batch of which something was removed: others want the disk, too.
    pub nap: Duration,
    /// Calls of one batch: one transaction.
    pub batch: usize,
    /// Calls whose recordings go in one pass. A busy city has some twenty thousand a day.
    pub most: u64,
    /// When the clock is believed.
    pub trust: Trust,
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            look: Duration::from_secs(60),
            every: Duration::from_secs(24 * 3_600),
            nap: Duration::from_millis(100),
            batch: 64,
            most: 50_000,
            trust: Trust::default(),
        }
    }
}

/// What the keeper needs to know.
pub struct KeeperConfig {
    /// The data directory.
    pub data: PathBuf,
    /// Where removals are entered.
    pub errands: Errands,
    /// `source` of the events that tell ticket offices.
    pub source: String,
    /// Of the plan in force.
    pub terms: Terms,
    /// When the last fact of the data was.
    pub newest: Option<Timestamp>,
    /// The clocks.
    pub clock: Arc<dyn Fn() -> Now + Send + Sync>,
    /// How fast.
    pub pace: Pace,
}

/// What the keeper counts.
#[derive(Debug, Default)]
pub struct KeeperFigures {
    /// Files removed.
    pub files: AtomicU64,
    /// Their bytes.
    pub bytes: AtomicU64,
    /// Files that could not be removed, whose removal could not be entered, or whose calls cannot be read: an alarm.
    pub failed: AtomicU64,
    /// Calls whose recordings were due at the end of the last pass, and still there.
    pub overdue: AtomicU64,
    /// Calls whose recordings are under hold, as of the last pass.
    pub held: AtomicU64,
    /// Passes that came to their end.
    pub passes: AtomicU64,
    /// Calls whose facts were read, since it depends on them whether they are due.
    pub read: AtomicU64,
}

/// The house's end. Nothing here waits but [`Keeper::close`].
pub struct Keeper {
    shared: Arc<Shared>,
    /// Dropped, it ends the thread's naps.
    wake: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    terms: Mutex<Terms>,
    ends: AtomicBool,
    figures: KeeperFigures,
}

impl Shared {
    fn terms(&self) -> Terms {
        self.terms.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn ends(&self) -> bool {
        self.ends.load(Ordering::Relaxed)
    }
}

impl Keeper {
    /// Starts the thread.
    pub fn start(config: KeeperConfig) -> io::Result<Keeper> {
        let KeeperConfig { data, errands, source, terms, newest, clock, pace } = config;
        let figures = KeeperFigures::default();
        let shared = Arc::new(Shared { terms: Mutex::new(terms), ends: AtomicBool::new(false), figures });
        let (wake, naps) = channel();
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("keeper".into()).spawn(move || {
            nice::give_way();
            let now = clock();
            let (belief, doubt) = Belief::begin(pace.trust, newest, now);
            doubt.into_iter().for_each(tell);
            let porter = Porter { data, errands, source, shared: theirs, pace, naps };
            porter.run(belief, &*clock);
        })?;
        Ok(Keeper { shared, wake: Some(wake), thread: Some(thread) })
    }

    /// The terms of the plan that is in force from now on.
    pub fn set_terms(&self, terms: Terms) {
        *self.shared.terms.lock().unwrap_or_else(PoisonError::into_inner) = terms;
    }

    /// The figures.
    pub fn figures(&self) -> &KeeperFigures {
        &self.shared.figures
    }

    /// Ends the thread, after the batch that it is at.
    pub fn close(mut self) {
        self.shared.ends.store(true, Ordering::Relaxed);
        self.wake = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the keeper's thread had died");
        }
    }
}

fn tell(doubt: Doubt) {
    match doubt {
        Doubt::Jumped { by } => tracing::error!(
            seconds = by.as_secs(),
            "时钟跳动了：一天之内不删除到期录音，请校准时钟 / the clock has jumped: no recordings are removed for a day; \
             see that it is right"
        ),
        Doubt::Gap { by } => tracing::error!(
            seconds = by.as_secs(),
            "时钟比最新的记录晚很多：一天之内不删除到期录音，请核对时钟 / the clock is far ahead of the newest fact: no \
             recordings are removed for a day; see that it is right"
        ),
    }
}

/// The thread.
struct Porter {
    data: PathBuf,
    errands: Errands,
    source: String,
    shared: Arc<Shared>,
    pace: Pace,
    naps: Receiver<()>,
}

/// Why a pass does not come to its end.
enum Stopped {
    /// The house closes.
    Ends,
    /// The clock has jumped: what was due may not be.
    Doubted,
    /// The store.
    Failed(StoreError),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Stopped::Failed(error)
    }
}

impl Porter {
    fn run(&self, mut belief: Belief, clock: &dyn Fn() -> Now) {
        let mut next = Instant::ZERO;
        while self.rest(self.pace.look) {
            let now = clock();
            belief.look(now).into_iter().for_each(tell);
            if !belief.holds() || now.mono < next {
                continue;
            }
            match self.pass(&mut belief, clock) {
                Ok(()) => next = now.mono + self.pace.every,
                Err(Stopped::Ends) => return,
                Err(Stopped::Doubted) => {} // As soon as it is believed again.
                Err(Stopped::Failed(error)) => {
                    next = now.mono + self.pace.every;
                    self.failed(1);
                    tracing::error!(%error, "recordings whose term is over are looked for again tomorrow");
                }
            }
        }
    }

    /// Waits; `false`: the house closes.
    fn rest(&self, length: Duration) -> bool {
        matches!(self.naps.recv_timeout(length), Err(RecvTimeoutError::Timeout)) && !self.shared.ends()
    }

    fn pass(&self, belief: &mut Belief, clock: &dyn Fn() -> Now) -> Result<(), Stopped> {
        let reader = Reader::open(&self.data.join(FILE))?;
        self.make_good(&reader)?;
        let held: BTreeSet<CallId> = reader.held()?.into_iter().collect();
        self.shared.figures.held.store(held.len() as u64, Ordering::Relaxed);
        let (mut after, mut removed, mut overdue) = (String::new(), 0, 0);
        let mut looked_at: Option<CallId> = None;
        loop {
            let now = clock();
            if let Some(doubt) = belief.look(now) {
                tell(doubt);
                return Err(Stopped::Doubted);
            }
            // Anew for each batch: a plan may have come into force that keeps them for longer.
            let terms = self.shared.terms();
            let today = terms.today(now.wall);
            let Some(young) = terms.oldest_young(today) else { break };
            let rows = reader.kept_files(&after, &young, self.pace.batch)?;
            let Some(last) = rows.last() else { break };
            after.clone_from(&last.file);
            let mut due = Vec::new();
            for row in rows.iter().filter(|row| !held.contains(&row.call)) {
                if looked_at.replace(row.call) == Some(row.call) {
                    continue; // Its tracks: what is due is the call.
                }
                match self.removal(&reader, &terms, row, today) {
                    Ok(removal) => due.extend(removal),
                    Err(error) if error.is_environment() => return Err(error.into()),
                    Err(error) => {
                        // It would stop the pass of every day to come: it costs its own recording's removal.
                        self.failed(1);
                        tracing::error!(call = %row.call, "a call cannot be read, and its recording stays");
                        tracing::debug!(%error, "it is this"); // It may quote a number.
                    }
                }
            }
            let room = usize::try_from(self.pace.most.saturating_sub(removed)).unwrap_or(usize::MAX);
            overdue += due.len().saturating_sub(room) as u64;
            due.truncate(room);
            removed += due.len() as u64;
            let goes_on = if due.is_empty() {
                !self.shared.ends()
            } else {
                overdue += self.remove(&reader, due, now.wall)?;
                self.rest(self.pace.nap)
            };
            if !goes_on {
                return Err(Stopped::Ends);
            }
        }
        self.shared.figures.overdue.store(overdue, Ordering::Relaxed);
        self.shared.figures.passes.fetch_add(1, Ordering::Relaxed);
        if overdue > 0 {
            tracing::warn!(
                removed,
                overdue,
                "到期录音一次删不完，其余明天再删 / more recordings are due than one pass removes: the others tomorrow"
            );
        } else if removed > 0 {
            tracing::info!(removed, "recordings whose term is over were removed");
        }
        Ok(())
    }

    /// The removal of the call that a file is of, if it is due. Its facts are read only where more than its row counts.
    fn removal(
        &self,
        reader: &Reader,
        terms: &Terms,
        row: &ManifestRow,
        today: Date,
    ) -> Result<Option<Removal>, StoreError> {
        if let Some((line, ended)) = reader.ended(row.call)?
            && terms.is_young(&line, ended, today)
        {
            return Ok(None);
        }
        self.shared.figures.read.fetch_add(1, Ordering::Relaxed);
        Ok(terms.due(reader.call(row.call)?.as_ref(), row, today))
    }

    /// Enters a batch, then removes its files. Calls that are due and still there.
    fn remove(&self, reader: &Reader, due: Vec<Removal>, at: Timestamp) -> Result<u64, Stopped> {
        let wanted = due.len();
        let removals = Removals { calls: due, at, source: self.source.clone() };
        let entered = self.errands.remove(removals).blocking_recv().unwrap_or(Err(StoreError::Gone))?;
        let mut rows = Vec::new();
        for call in &entered {
            rows.extend(reader.manifest_of(*call)?);
        }
        rows.retain(|row| row.removed.as_ref().is_some_and(|removed| !removed.gone));
        self.take_away(&rows)?;
        Ok((wanted - entered.len()) as u64) // Put under hold meanwhile.
    }

    /// Removes what was entered as removed and is not known to be gone.
    fn make_good(&self, reader: &Reader) -> Result<(), Stopped> {
        let mut after = String::new();
        loop {
            let rows = reader.leaving(&after, self.pace.batch)?;
            let Some(last) = rows.last() else { return Ok(()) };
            after.clone_from(&last.file);
            self.take_away(&rows)?;
            if self.shared.ends() {
                return Err(Stopped::Ends);
            }
        }
    }

    /// Removes the files of rows, in either form, and enters that they are gone. What cannot be removed is told, and
    /// tried again by the next pass.
    fn take_away(&self, rows: &[ManifestRow]) -> Result<(), Stopped> {
        let figures = &self.shared.figures;
        let mut gone = Vec::new();
        for row in rows {
            match remove_forms(&self.data, &row.file) {
                Ok((files, bytes)) => {
                    figures.files.fetch_add(files, Ordering::Relaxed);
                    figures.bytes.fetch_add(bytes, Ordering::Relaxed);
                    gone.push((row.call, row.track));
                }
                Err(error) => {
                    self.failed(1);
                    tracing::error!(%error, file = row.file, "a recording whose term is over cannot be removed");
                }
            }
        }
        if !gone.is_empty() {
            self.errands.gone(gone).blocking_recv().unwrap_or(Err(StoreError::Gone))?;
        }
        Ok(())
    }

    fn failed(&self, count: u64) {
        self.shared.figures.failed.fetch_add(count, Ordering::Relaxed);
    }
}

/// Removes a recording's file, whether it is compressed or sealed or neither, and its day's directory when that is empty:
/// files, and their bytes.
pub(super) fn remove_forms(data: &Path, file: &str) -> io::Result<(u64, u64)> {
    let clear = clear_name(file);
    let stem = clear.rsplit_once('.').map_or(clear, |(stem, _)| stem);
    let (mut files, mut bytes) = (0, 0);
    let clear = [Format::Wav, Format::Flac].map(|format| format!("{stem}.{}", format.extension()));
    for form in clear.iter().flat_map(|clear| [clear.clone(), sealed_name(clear)]) {
        let path = data.join(form);
        let length = match path.symlink_metadata() {
            Ok(found) => found.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue, // By the archive, or the keeper.
            Err(error) => return Err(error),
        }
        files += 1;
        bytes += length;
    }
    let path = data.join(file);
    if files > 0 {
        sync_directory(&path)?;
    }
    if let Some(day) = path.parent() {
        let _ = fs::remove_dir(day); // Refused while there is anything in it.
    }
    Ok((files, bytes))
}
